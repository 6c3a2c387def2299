"""What models wrote: the orders to them, and their replies."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.jobs import Job
from common.models import Project
from curator.models.endpoints import Solver, Teacher
from curator.models.orders import Order
from curator.models.questions import Question
from curator.models.taxonomy import HASH_LENGTH


class Verdict(models.TextChoices):
    """What the marker says of an answer, held against the key."""

    RIGHT = "right", _("right")
    PARTLY = "partly", _("partly right")
    WRONG = "wrong", _("wrong")
    UNPARSED = "unparsed", _("no answer found")
    UNKEYED = "unkeyed", _("no key")


class Collection(Order):
    """One order to a teacher: answer these questions, for at most so much money."""

    task_name: ClassVar[str] = "curator.tasks.run_collection"
    project = models.ForeignKey(Project, models.CASCADE, related_name="collections")
    teacher = models.ForeignKey(Teacher, models.CASCADE, related_name="collections")
    question_limit = models.PositiveIntegerField(_("most questions"), null=True, blank=True)
    # Of a question's tries by solvers, the share that may be right; null: all questions are asked, tried or not.
    most_pass_rate = models.FloatField(
        _("most right tries"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    # Whether what ran into a limit of tokens that is higher by now is asked again.
    cut_again = models.BooleanField(_("what was cut off, again"), default=False)

    class Meta(Order.Meta):
        verbose_name = _("collection")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.teacher} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("collection", args=[self.pk])


class Probe(Order):
    """One order to a solver: try the questions, so that their difficulty is known."""

    task_name: ClassVar[str] = "curator.tasks.run_probe"

    project = models.ForeignKey(Project, models.CASCADE, related_name="probes")
    solver = models.ForeignKey(Solver, models.CASCADE, related_name="probes")
    samples = models.PositiveSmallIntegerField(
        _("tries per question"), default=1, validators=[MinValueValidator(1)]
    )

    class Meta(Order.Meta):
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


class TraceImport(Job, ProjectRow):
    """One file of traces made elsewhere, read into a project."""

    task_name: ClassVar[str] = "curator.tasks.run_trace_import"

    project = models.ForeignKey(Project, models.CASCADE, related_name="trace_imports")
    file_name = models.CharField(_("file"), max_length=255)
    file_path = models.TextField(blank=True)  # where the upload lies; empty once it is read
    file_hash = models.CharField(max_length=HASH_LENGTH)
    # The teacher of every row that does not name its own.
    teacher_name = models.CharField(_("teacher"), max_length=100, blank=True)
    maker = models.CharField(max_length=100, blank=True)  # whose replies, where several stand side by side
    terms = models.TextField(_("terms"), blank=True)
    is_summary = models.BooleanField(_("summaries"), default=False)
    layout = models.CharField(max_length=40, blank=True)
    mapping = models.JSONField(default=dict, blank=True)  # field → column
    rows_read = models.PositiveIntegerField(_("rows read"), default=0)
    stored = models.PositiveIntegerField(_("stored"), default=0)
    duplicates = models.PositiveIntegerField(_("duplicates"), default=0)
    unmatched = models.PositiveIntegerField(_("unmatched"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    faults = models.JSONField(default=list, blank=True)  # [row, fault, text] of the first that were left out
    fault_counts = models.JSONField(default=dict, blank=True)  # fault → rows or replies

    class Meta(Job.Meta):
        verbose_name = _("import of traces")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("trace_import", args=[self.pk])


class Trace(Answering):
    """One teacher's thinking and answer to one question."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="traces")
    teacher = models.ForeignKey(Teacher, models.PROTECT, related_name="traces")
    collection = models.ForeignKey(Collection, models.SET_NULL, null=True, blank=True, related_name="traces")
    imported_by = models.ForeignKey(
        TraceImport, models.SET_NULL, null=True, blank=True, related_name="traces"
    )
    content_hash = models.CharField(max_length=HASH_LENGTH)  # of thinking and answer
    # The quality patterns that it shows; null where it was not read since they last changed.
    flaws = ArrayField(models.CharField(max_length=100), null=True, blank=True)
    # What it answers, in the one form in which the answers of teachers are compared; null where it was not read.
    answer_form = models.CharField(max_length=100, null=True, blank=True)  # "" says: none
    neutralised = models.BooleanField(default=False)
    # A provider's summary of thinking that it keeps back; nothing can be learnt from it as from a trace.
    is_summary = models.BooleanField(_("summary"), default=False)
    # What the provider's terms, or a file's licence, said when it was collected.
    terms = models.TextField(_("terms"), blank=True)

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
        indexes = [
            # Few rows or none: a page asks at every draw how many were not read yet.
            models.Index(
                fields=["question"],
                name="trace_unread",
                condition=Q(flaws__isnull=True) | Q(answer_form__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.teacher} → {self.question_id}"

    def get_absolute_url(self) -> str:
        return reverse("trace", args=[self.pk])


class ChosenTrace(ProjectRow):
    """The trace of a question that an expert has put before the one that the ranking would take."""

    project_path: ClassVar[str] = "question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    question = models.OneToOneField(Question, models.CASCADE, related_name="chosen_trace")
    trace = models.ForeignKey(Trace, models.CASCADE, related_name="+")
    reason = models.TextField(_("reason"), blank=True)
    expert = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("chosen trace")

    def __str__(self) -> str:
        return f"{self.question_id} → {self.trace_id}"


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


Answer = Trace | Attempt
ANSWERS: tuple[type[Answer], ...] = (Trace, Attempt)


class StoredReply(ProjectRow):
    """A reply as it was received, under the address of all that was asked: nobody pays for it again."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="replies")
    address = models.CharField(max_length=HASH_LENGTH)  # of endpoint, model, parameters, prompt and sample
    thinking = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    thinking_tokens = models.PositiveIntegerField(default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_counted_by = models.CharField(max_length=100)
    finish_reason = models.CharField(max_length=40, blank=True)
    is_summary = models.BooleanField(default=False)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    receipt = models.CharField(
        max_length=32, blank=True, db_default=""
    )  # tells two replies to one address apart
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        constraints = [
            models.UniqueConstraint(fields=["address", "project"], name="reply_once"),
            models.CheckConstraint(condition=Q(cost_usd__gte=0), name="reply_cost_not_negative"),
        ]

    def __str__(self) -> str:
        return self.address[:12]
