"""One question to a model, to see what comes back before anything is ordered."""

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.models import Project
from curator.models.endpoints import Assistant, Endpoint, Solver, Teacher
from curator.models.orders import Order


class Trial(Order):
    """A question asked once, with what came back as it came and as it was read.

    It names the model as it was called then, so that the money stays accounted for when the model is changed
    or removed.
    """

    task_name: ClassVar[str] = "curator.tasks.run_trial"
    can_pause: ClassVar[bool] = False  # one question: there is nothing to rest from

    project = models.ForeignKey(Project, models.CASCADE, related_name="trials")
    teacher = models.ForeignKey(Teacher, models.SET_NULL, null=True, blank=True, related_name="trials")
    solver = models.ForeignKey(Solver, models.SET_NULL, null=True, blank=True, related_name="trials")
    assistant = models.ForeignKey(Assistant, models.SET_NULL, null=True, blank=True, related_name="trials")
    name = models.CharField(_("name"), max_length=100)
    model = models.CharField(_("model"), max_length=200)
    question = models.TextField(_("question"))
    raw = models.TextField(blank=True)  # the reply as it came, without the key
    thinking = models.TextField(_("thinking"), blank=True)
    answer = models.TextField(_("answer"), blank=True)
    is_summary = models.BooleanField(_("summary"), default=False)
    tokens_in = models.PositiveIntegerField(default=0)
    thinking_tokens = models.PositiveIntegerField(_("thinking tokens"), default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    tokens_counted_by = models.CharField(max_length=100, blank=True)
    finish_reason = models.CharField(max_length=40, blank=True)

    class Meta(Order.Meta):
        verbose_name = _("trial")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("trial", args=[self.pk])

    @property
    def counts_each(self) -> bool:
        """Its one question is the whole of it."""
        return False

    @property
    def endpoint(self) -> Endpoint | None:
        """Return the model that was asked, as it is now; None if it was removed."""
        return self.teacher or self.solver or self.assistant
