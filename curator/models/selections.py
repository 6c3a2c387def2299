"""One run of the criteria, with a reason for every question."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow
from common.jobs import Job
from common.models import Project
from curator.models.answers import Trace
from curator.models.benchmarks import BenchmarkItem
from curator.models.questions import Question
from curator.models.taxonomy import HASH_LENGTH


class Selection(Job, ProjectRow):
    """One run of the criteria by a method with a seed."""

    task_name: ClassVar[str] = "curator.tasks.run_selection"

    project = models.ForeignKey(Project, models.CASCADE, related_name="selections")
    name = models.CharField(_("name"), max_length=200)
    method = models.JSONField(_("method"))  # as data, see curator.core.selection.Method
    method_name = models.CharField(max_length=100)
    size = models.PositiveIntegerField(_("size"), validators=[MinValueValidator(1)])
    seed = models.BigIntegerField(_("seed"), default=0)
    arm_of = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="arms")
    # The version of which it began as a copy, to be reviewed further.
    branched_from = models.ForeignKey(
        "Dataset", models.PROTECT, null=True, blank=True, related_name="branches"
    )
    funnel = models.JSONField(default=list)  # [{"stage", "kept", "dropped", "usd"}]
    pinned = models.PositiveIntegerField(_("pinned"), default=0)  # members that an expert pinned
    banned = models.PositiveIntegerField(_("banned"), default=0)  # candidates that an expert banned
    members_hash = models.CharField(max_length=HASH_LENGTH, blank=True)
    code_version = models.CharField(max_length=100, blank=True)
    shortfall = models.TextField(blank=True)  # a sentence, where fewer were left than were wanted

    class Meta(Job.Meta):
        verbose_name = _("selection")
        ordering = ["-created_at", "-pk"]
        constraints = [
            *Job.Meta.constraints,
            models.CheckConstraint(condition=Q(size__gte=1), name="selection_not_empty"),
            models.CheckConstraint(
                condition=~Q(state="succeeded") | ~Q(members_hash=""), name="selection_done_has_hash"
            ),
            models.CheckConstraint(condition=~Q(arm_of=F("id")), name="selection_not_its_own_arm"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("selection", args=[self.pk])


class Decision(ProjectRow):
    """Why one question is in a selection, or out of it."""

    project_path: ClassVar[str] = "selection__project"

    selection = models.ForeignKey(Selection, models.CASCADE, related_name="decisions")
    question = models.ForeignKey(Question, models.CASCADE, related_name="decisions")
    trace = models.ForeignKey(Trace, models.CASCADE, null=True, blank=True, related_name="decisions")
    position = models.PositiveIntegerField(null=True, blank=True)  # of a member, in the order drawn
    stage = models.CharField(max_length=40)
    reason = models.TextField()
    named_item: BenchmarkItem | None = None  # of a benchmark, where a page links what the reason names

    class Meta:
        ordering = [F("position").asc(nulls_last=True), "pk"]
        constraints = [
            models.UniqueConstraint(fields=["selection", "question"], name="decision_once"),
            models.UniqueConstraint(fields=["selection", "position"], name="decision_position_once"),
            models.CheckConstraint(
                condition=Q(position__isnull=True) | Q(trace__isnull=False), name="decision_member_has_trace"
            ),
        ]
        indexes = [models.Index(fields=["selection", "stage"])]

    def __str__(self) -> str:
        return self.reason[:80]

    @property
    def is_member(self) -> bool:
        """Tell whether the question is in the selection."""
        return self.position is not None

    @property
    def standing_trace(self) -> Trace | None:
        """Return the trace that stands for the question: the one that an expert chose, else the one drawn."""
        chosen = getattr(self.question, "chosen_trace", None)
        return chosen.trace if chosen else self.trace


class QualityPattern(ProjectRow):
    """A sign of bad quality that a project looks for beside the built-in ones."""

    class Place(models.TextChoices):
        QUESTION = "question", _("the question")
        THINKING = "thinking", _("the thinking")
        ANSWER = "answer", _("the answer")

    project = models.ForeignKey(Project, models.CASCADE, related_name="quality_patterns")
    name = models.SlugField(_("name"), max_length=60)
    place = models.CharField(_("where"), max_length=8, choices=Place, default=Place.QUESTION)
    expression = models.CharField(_("expression"), max_length=500)  # RE2 syntax: linear time on any text
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        verbose_name = _("quality pattern")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="pattern_name_once"),
            models.CheckConstraint(
                condition=Q(place__in=["question", "thinking", "answer"]), name="pattern_place_known"
            ),
            models.CheckConstraint(condition=~Q(expression="") & ~Q(reason=""), name="pattern_is_whole"),
        ]

    def __str__(self) -> str:
        return self.name
