"""The field's domains."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow
from common.models import Project

HASH_LENGTH = 64  # hex digits of SHA-256


class Domain(ProjectRow):
    """A branch of the project's taxonomy: a unit of the syllabus."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="domains")
    code = models.CharField(_("code"), max_length=100)
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    weight = models.FloatField(_("weight"), null=True, blank=True, validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("domain")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="domain_code_once"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="domain_not_its_own_parent"),
            models.CheckConstraint(
                condition=Q(weight__isnull=True) | Q(weight__gte=0), name="domain_weight_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("domain", args=[self.pk])


class DomainRule(ProjectRow):
    """Words by which a question is put into a domain: any of them in its text is enough."""

    project_path: ClassVar[str] = "domain__project"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="rules")
    words = models.CharField(_("words"), max_length=500)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["domain", "words"], name="rule_once_in_domain"),
            models.CheckConstraint(condition=~Q(words=""), name="rule_has_words"),
        ]

    def __str__(self) -> str:
        return self.words
