"""Reviewers' judgements of traces, and what they are made with: reasons, scales, drafts, remarks."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.models import Project
from curator.models.answers import Trace, Verdict
from curator.models.questions import Question
from curator.models.taxonomy import HASH_LENGTH

CODE_LENGTH = 40
# What a project begins with; by code, so that each reader sees them in their own language.
COMMON_REASONS = {
    "wrong-answer": _("wrong answer"),
    "wrong-step": _("wrong step, right answer"),
    "gap": _("a step is missing"),
    "beyond": _("outside the syllabus"),
    "unreadable": _("hard to follow"),
    "repeats": _("goes in circles"),
    "language": _("wrong language"),
    "form": _("wrong form"),
}
MOST_STEPS = 7  # of a scale; more than people can tell apart


class Reason(ProjectRow):
    """Why a trace of this project may be rejected, in the project's own words."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="reasons")
    code = models.SlugField(max_length=CODE_LENGTH, allow_unicode=True)  # what judgements keep
    name = models.CharField(_("reason"), max_length=100, blank=True)  # empty: as we call the code
    position = models.PositiveSmallIntegerField(default=0)
    is_retired = models.BooleanField(default=False)  # no longer offered; earlier judgements keep it

    class Meta:
        verbose_name = _("reason")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="reason_code_once"),
            models.UniqueConstraint(
                fields=["project", "name"], condition=~Q(name=""), name="reason_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(COMMON_REASONS.get(self.code, self.code))


class Scale(ProjectRow):
    """One line of a project's rubric: a trace gets a number from 1 to `steps` on it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="scales")
    code = models.SlugField(max_length=CODE_LENGTH, allow_unicode=True)
    name = models.CharField(_("name"), max_length=100)
    lowest = models.CharField(_("what the lowest means"), max_length=100, blank=True)
    highest = models.CharField(_("what the highest means"), max_length=100, blank=True)
    steps = models.PositiveSmallIntegerField(
        _("steps"), default=5, validators=[MinValueValidator(2), MaxValueValidator(MOST_STEPS)]
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_retired = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("scale")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="scale_code_once"),
            models.UniqueConstraint(fields=["project", "name"], name="scale_name_once"),
            models.CheckConstraint(
                condition=Q(steps__gte=2, steps__lte=MOST_STEPS), name="scale_steps_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def numbers(self) -> range:
        """Return what a trace may get on it."""
        return range(1, self.steps + 1)


class Review(ProjectRow):
    """One reviewer's judgement of one trace."""

    class Judgement(models.TextChoices):
        ACCEPT = "accept", _("accept")
        REJECT = "reject", _("reject")
        QUESTION = "question", _("the question or its key is wrong")
        UNSURE = "unsure", _("unsure")

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    judgement = models.CharField(_("judgement"), max_length=8, choices=Judgement)
    reasons = ArrayField(models.CharField(max_length=CODE_LENGTH), default=list, db_default=[], blank=True)
    # Where the first wrong step begins, in characters of the thinking.
    first_wrong = models.PositiveIntegerField(null=True, blank=True)
    scores = models.JSONField(default=dict, db_default={}, blank=True)  # by the code of the scale
    note = models.TextField(_("note"), blank=True)
    judged_hash = models.CharField(
        max_length=HASH_LENGTH, blank=True, db_default=""
    )  # of the trace as it was read
    seconds = models.PositiveIntegerField(
        null=True, blank=True
    )  # that the trace was open before the reviewer
    version = models.PositiveIntegerField(default=1, db_default=1)  # goes up by one at every change
    is_scripted = models.BooleanField(default=False)  # a program stood in for the expert
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("review")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["trace", "reviewer"], name="review_once_per_reviewer"),
            models.CheckConstraint(
                condition=Q(judgement__in=["accept", "reject", "question", "unsure"]),
                name="review_judgement_known",
            ),
        ]
        indexes = [models.Index(fields=["reviewer", "-changed_at"])]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.get_judgement_display()}"

    @property
    def is_instructive(self) -> bool:
        """Tell whether a trace was accepted though its answer is wrong: s1 keeps such, for what they teach."""
        return self.judgement == self.Judgement.ACCEPT and self.trace.verdict == Verdict.WRONG


class ReviewChange(ProjectRow):
    """A judgement before and after one change of it; the latest one can be undone."""

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="+")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    before: "models.JSONField[dict[str, Any] | None, dict[str, Any] | None]" = models.JSONField(null=True)
    after: "models.JSONField[dict[str, Any] | None, dict[str, Any] | None]" = models.JSONField(null=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["reviewer", "-id"])]

    def __str__(self) -> str:
        return f"{self.reviewer_id} → {self.trace_id}"


class Draft(ProjectRow):
    """A judgement on its way, as the page saves it by itself."""

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="+")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    content: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("draft")
        constraints = [models.UniqueConstraint(fields=["trace", "reviewer"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.reviewer_id} → {self.trace_id}"


class Remark(ProjectRow):
    """A comment on a stretch of a trace."""

    class Part(models.TextChoices):
        THINKING = "thinking", _("thinking")
        ANSWER = "answer", _("answer")

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="remarks")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    part = models.CharField(max_length=8, choices=Part, default=Part.THINKING)
    content_hash = models.CharField(max_length=HASH_LENGTH)  # of the trace on which it was made
    start = models.PositiveIntegerField()  # in characters of the part as it was then
    end = models.PositiveIntegerField()
    text = models.TextField(_("comment"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("comment")
        ordering = ["part", "start", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="remark_marks_something"),
            models.CheckConstraint(condition=~Q(text=""), name="remark_says_something"),
            models.CheckConstraint(condition=Q(part__in=["thinking", "answer"]), name="remark_part_known"),
        ]

    def __str__(self) -> str:
        return self.text[:40]

    @property
    def quote(self) -> str:
        """Return the words that it is about; "" where the trace was changed since."""
        is_current = self.content_hash == self.trace.content_hash
        return str(getattr(self.trace, self.part)[self.start : self.end]) if is_current else ""


class TraceEdit(ProjectRow):
    """A trace as it stood before a person changed it; the first of them holds what the teacher wrote."""

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="edits")
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    thinking = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    content_hash = models.CharField(max_length=HASH_LENGTH)
    verdict = models.CharField(max_length=8, choices=Verdict)
    reason = models.TextField(_("reason"), blank=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("change of a trace")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.editor_id} → {self.trace_id}"


class Doubt(ProjectRow):
    """A reviewer's word that a question or its key is wrong: nothing takes it until a curator has looked."""

    project_path: ClassVar[str] = "question__project"

    question = models.ForeignKey(Question, models.CASCADE, related_name="doubts")
    trace = models.ForeignKey(Trace, models.SET_NULL, null=True, related_name="+")
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("doubt")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "raised_by"], condition=Q(settled_at=None), name="doubt_once_while_open"
            ),
        ]
        indexes = [
            models.Index(fields=["question"], condition=Q(settled_at=None), name="doubt_open"),
        ]

    def __str__(self) -> str:
        return f"{self.raised_by_id} ? {self.question_id}"


class Flag(ProjectRow):
    """A trace that a reviewer wants a colleague to look at."""

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="flags")
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    colleague = models.ForeignKey(  # null: whoever comes first
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("flag")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["trace", "raised_by"], condition=Q(settled_at=None), name="flag_once_while_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.raised_by_id} → {self.trace_id}"


class Adjudication(ProjectRow):
    """The last word where reviewers of a trace disagree."""

    project_path: ClassVar[str] = "trace__question__project"

    trace = models.OneToOneField(Trace, models.CASCADE, related_name="adjudication")
    judgement = models.CharField(_("judgement"), max_length=8, choices=Review.Judgement)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(judgement__in=["accept", "reject", "question"]), name="adjudication_known"
            )
        ]

    def __str__(self) -> str:
        return self.get_judgement_display()
