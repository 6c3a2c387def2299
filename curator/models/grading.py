"""Grading by a model where rules cannot decide, and the expert's check of it."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.models import Project
from curator.models.answers import Answer, Attempt, Trace, Verdict
from curator.models.endpoints import Assistant
from curator.models.orders import Order


class Grading(Order):
    """One order to an assistant: grade the answers that rules could not decide."""

    task_name: ClassVar[str] = "curator.tasks.run_grading"

    project = models.ForeignKey(Project, models.CASCADE, related_name="gradings")
    assistant = models.ForeignKey(Assistant, models.CASCADE, related_name="gradings")
    model = models.CharField(_("model"), max_length=200, blank=True)
    prompt_version = models.CharField(_("version of the prompt"), max_length=12, blank=True)

    class Meta(Order.Meta):
        verbose_name = _("grading")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.assistant} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("grading", args=[self.pk])


class _OfAnswer:
    """What is said of one answer: of a trace or of an attempt, never of both."""

    trace: Trace | None
    attempt: Attempt | None

    @property
    def answering(self) -> Answer:
        """Return the trace or attempt of which it is said."""
        found = self.trace or self.attempt
        if found is None:
            raise ValueError(f"{self!r} is of no answer")
        return found


class Grade(_OfAnswer, ProjectRow):
    """An assistant's Yes or No about one answer, with its explanation."""

    project_path: ClassVar[str] = "grading__project"

    grading = models.ForeignKey(Grading, models.CASCADE, related_name="grades")
    trace = models.OneToOneField(Trace, models.CASCADE, null=True, blank=True, related_name="grade")
    attempt = models.OneToOneField(Attempt, models.CASCADE, null=True, blank=True, related_name="grade")
    is_right = models.BooleanField()
    explanation = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=1)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(trace__isnull=True) ^ Q(attempt__isnull=True), name="grade_of_one_answer"
            ),
            models.CheckConstraint(condition=Q(cost_usd__gte=0), name="grade_cost_not_negative"),
        ]

    def __str__(self) -> str:
        return "Yes" if self.is_right else "No"


class SpotCheck(_OfAnswer, ProjectRow):
    """An expert's own verdict on an answer that rules or an assistant have marked, and what these had said of it."""

    edit_right: ClassVar[Right] = Right.REVIEW

    project = models.ForeignKey(Project, models.CASCADE, related_name="spot_checks")
    trace = models.ForeignKey(Trace, models.CASCADE, null=True, blank=True, related_name="spot_checks")
    attempt = models.ForeignKey(Attempt, models.CASCADE, null=True, blank=True, related_name="spot_checks")
    expert = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="spot_checks")
    is_right = models.BooleanField()
    # What was said without an expert, and by whom.
    marked = models.CharField(max_length=8, choices=Verdict)
    rule = models.CharField(max_length=60, blank=True)
    is_blind = models.BooleanField(default=True)  # said of a drawn sample, without seeing the mark
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(trace__isnull=True) ^ Q(attempt__isnull=True), name="spot_check_of_one_answer"
            ),
            models.CheckConstraint(condition=Q(marked__in=Verdict.values), name="spot_check_marked_known"),
            models.UniqueConstraint(fields=["trace", "expert"], name="spot_check_of_trace_once"),
            models.UniqueConstraint(fields=["attempt", "expert"], name="spot_check_of_attempt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.expert}: {self.is_right}"
