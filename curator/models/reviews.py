"""Reviewers' judgements of traces."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from curator.models.answers import Trace


class Review(ProjectRow):
    """One reviewer's judgement of one trace."""

    class Judgement(models.TextChoices):
        ACCEPT = "accept", _("accept")
        REJECT = "reject", _("reject")

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    judgement = models.CharField(_("judgement"), max_length=6, choices=Judgement)
    note = models.TextField(_("note"), blank=True)
    is_scripted = models.BooleanField(default=False)  # a program stood in for the expert
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("review")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["trace", "reviewer"], name="review_once_per_reviewer"),
            models.CheckConstraint(
                condition=Q(judgement__in=["accept", "reject"]), name="review_judgement_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.get_judgement_display()}"


class Adjudication(ProjectRow):
    """The last word where reviewers of a trace disagree."""

    project_path: ClassVar[str] = "trace__question__project"

    trace = models.OneToOneField(Trace, models.CASCADE, related_name="adjudication")
    judgement = models.CharField(_("judgement"), max_length=6, choices=Review.Judgement)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(judgement__in=["accept", "reject"]), name="adjudication_known")
        ]

    def __str__(self) -> str:
        return self.get_judgement_display()
