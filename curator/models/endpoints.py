"""Models reached through an OpenAI-compatible address."""

from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.models import Project
from curator.core.presets import permits_training


class ThinkingForm(models.TextChoices):
    """How an endpoint sends what a model thought before its answer."""

    FOUND_OUT = "found", _("found out from each reply")
    FIELD = "field", _("in a field of its own")
    TAGS = "tags", _("between think tags, before the answer")
    SUMMARY = "summary", _("as a summary; the thinking itself is kept back")
    NONE = "none", _("not at all")


class Endpoint(ProjectRow):
    """A model reached through an OpenAI-compatible address, with prices, limits and an encrypted key."""

    edit_right: ClassVar[Right] = Right.SPEND

    name = models.CharField(_("name"), max_length=100)
    base_url = models.URLField(
        _("address"), max_length=500, blank=True, help_text=_("Ends in /v1, as a rule.")
    )
    model = models.CharField(_("model"), max_length=200, blank=True)
    encrypted_key = models.BinaryField(default=bytes, blank=True, editable=False)
    price_in_usd = models.DecimalField(
        _("USD per million tokens in"),
        max_digits=9,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    price_out_usd = models.DecimalField(
        _("USD per million tokens out"),
        max_digits=9,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    max_in_flight = models.PositiveSmallIntegerField(
        _("requests in flight"), default=8, validators=[MinValueValidator(1), MaxValueValidator(256)]
    )
    max_tokens = models.PositiveIntegerField(_("most tokens per answer"), default=32_768)
    temperature = models.FloatField(
        _("temperature"), default=0.6, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )
    preset = models.CharField(_("preset"), max_length=40, blank=True)
    thinking_form = models.CharField(
        _("how thinking comes"), max_length=7, choices=ThinkingForm, default=ThinkingForm.FOUND_OUT
    )
    # What the endpoint wants in a request beside the standard fields, such as {"enable_thinking": true}.
    extra_body = models.JSONField(_("more fields of a request"), default=dict, blank=True)
    # Features of a request that it was found not to take; forgotten when its address or its model changes.
    refused = ArrayField(models.CharField(max_length=40), default=list, blank=True, editable=False)
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    tokens_per_minute = models.PositiveIntegerField(
        _("tokens a minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    money_limit_usd = models.DecimalField(
        _("money limit (USD)"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Of all orders to it together; empty for the project's limit alone."),
    )
    # What the provider's terms say about training on what its model wrote; goes along with every trace.
    terms = models.TextField(_("terms of its output"), blank=True)
    is_stand_in = models.BooleanField(
        _("stand-in"),
        default=False,
        help_text=_("Not a model, but a program that plays one; shown wherever it is used."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="%(class)s_name_once"),
            models.CheckConstraint(
                condition=Q(price_in_usd__gte=0, price_out_usd__gte=0), name="%(class)s_prices_not_negative"
            ),
            models.CheckConstraint(condition=Q(max_in_flight__gte=1), name="%(class)s_asks_something"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def permits_training(self) -> bool | None:
        """Tell whether its provider allows training on its output; None where that is not clear."""
        return permits_training(self.preset, self.terms)


class Teacher(Endpoint):
    """A reasoning model whose traces are learnt from. Without an address its traces can only be imported."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="teachers")

    class Meta(Endpoint.Meta):
        verbose_name = _("teacher")
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        return reverse("teacher", args=[self.pk])


class Solver(Endpoint):
    """A weaker model whose pass rate on a question measures its difficulty."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="solvers")

    class Meta(Endpoint.Meta):
        verbose_name = _("solver")
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        return reverse("solver", args=[self.pk])


class Assistant(Endpoint):
    """A model that follows instructions: it grades what rules cannot decide, and sorts questions into domains."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="assistants")

    class Meta(Endpoint.Meta):
        verbose_name = _("assistant")
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        return reverse("assistant", args=[self.pk])


class Embedder(Endpoint):
    """A model that turns a text into a vector, so that likeness of meaning is a distance."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="embedders")

    class Meta(Endpoint.Meta):
        verbose_name = _("embedding model")
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        return reverse("embedder", args=[self.pk])
