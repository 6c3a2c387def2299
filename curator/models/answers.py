"""What models wrote: the orders to them, and their replies."""

from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.jobs import Job
from common.models import Project
from curator.models.endpoints import Solver, Teacher
from curator.models.questions import Question
from curator.models.taxonomy import HASH_LENGTH


class Verdict(models.TextChoices):
    """What the marker says of an answer, held against the key."""

    RIGHT = "right", _("right")
    PARTLY = "partly", _("partly right")
    WRONG = "wrong", _("wrong")
    UNPARSED = "unparsed", _("no answer found")
    UNKEYED = "unkeyed", _("no key")


class Collection(Job, ProjectRow):
    """One order to a teacher: answer these questions, for at most so much money."""

    task_name: ClassVar[str] = "curator.tasks.run_collection"
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="collections")
    teacher = models.ForeignKey(Teacher, models.CASCADE, related_name="collections")
    question_limit = models.PositiveIntegerField(_("most questions"), null=True, blank=True)
    asked = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        verbose_name = _("collection")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.teacher} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("collection", args=[self.pk])


class Probe(Job, ProjectRow):
    """One order to a solver: try the questions, so that their difficulty is known."""

    task_name: ClassVar[str] = "curator.tasks.run_probe"
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="probes")
    solver = models.ForeignKey(Solver, models.CASCADE, related_name="probes")
    samples = models.PositiveSmallIntegerField(
        _("tries per question"), default=1, validators=[MinValueValidator(1)]
    )
    asked = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        verbose_name = _("probe")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.solver} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("probe", args=[self.pk])


class Answering(ProjectRow):
    """One reply of one model to one question: what a trace and an attempt have in common."""

    project_path: ClassVar[str] = "question__project"

    sample = models.PositiveSmallIntegerField(default=0)
    thinking = models.TextField(_("thinking"), blank=True)
    answer = models.TextField(_("answer"), blank=True)
    thinking_tokens = models.PositiveIntegerField(_("thinking tokens"), default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    tokens_counted_by = models.CharField(max_length=100, default="estimate")
    finish_reason = models.CharField(max_length=40, blank=True)
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict, default=Verdict.UNKEYED)
    verdict_rule = models.CharField(max_length=60, blank=True)
    cost_usd = models.DecimalField(_("cost (USD)"), max_digits=12, decimal_places=6, default=Decimal(0))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="%(class)s_verdict_known"),
            models.CheckConstraint(condition=Q(cost_usd__gte=0), name="%(class)s_cost_positive"),
        ]


class Trace(Answering):
    """One teacher's thinking and answer to one question."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="traces")
    teacher = models.ForeignKey(Teacher, models.PROTECT, related_name="traces")
    collection = models.ForeignKey(Collection, models.SET_NULL, null=True, blank=True, related_name="traces")
    content_hash = models.CharField(max_length=HASH_LENGTH)  # of thinking and answer
    # The quality patterns that it shows; null where it was not read since they last changed.
    flaws = ArrayField(models.CharField(max_length=100), null=True, blank=True)
    neutralised = models.BooleanField(default=False)

    class Meta(Answering.Meta):
        verbose_name = _("trace")
        ordering = ["pk"]
        constraints = [
            *Answering.Meta.constraints,
            models.UniqueConstraint(fields=["question", "teacher", "sample"], name="trace_sample_once"),
            models.UniqueConstraint(
                fields=["question", "teacher", "content_hash"], name="trace_content_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.teacher} → {self.question_id}"

    def get_absolute_url(self) -> str:
        return reverse("trace", args=[self.pk])


class Attempt(Answering):
    """One of a solver's tries at a question."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="attempts")
    solver = models.ForeignKey(Solver, models.CASCADE, related_name="attempts")
    probe = models.ForeignKey(Probe, models.SET_NULL, null=True, blank=True, related_name="attempts")

    class Meta(Answering.Meta):
        verbose_name = _("attempt")
        ordering = ["pk"]
        constraints = [
            *Answering.Meta.constraints,
            models.UniqueConstraint(fields=["question", "solver", "sample"], name="attempt_sample_once"),
        ]

    def __str__(self) -> str:
        return f"{self.solver} → {self.question_id}"
