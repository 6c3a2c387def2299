"""From a checkpoint to a scaling curve: evaluations, thoughts, marked answers and rounds."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.jobs import Job
from common.models import Project
from curator.models import Benchmark, BenchmarkItem, Dataset
from training.models import Model, Run


class Evaluation(Job, ProjectRow):
    """One model on one benchmark under one or several budget policies."""

    task_name: ClassVar[str] = "evaluation.tasks.run_evaluation"
    see_right: ClassVar[Right] = Right.SEE_RESULTS
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="evaluations")
    model = models.ForeignKey(Model, models.PROTECT, related_name="evaluations")
    benchmark = models.ForeignKey(Benchmark, models.PROTECT, related_name="evaluations")
    policies = models.JSONField()  # [{"label", "max_tokens", "extensions", "extension_word"}]
    folder = models.TextField(blank=True)
    generated_tokens = models.PositiveBigIntegerField(default=0)
    engine = models.JSONField(default=dict)  # name, versions, dtype, device
    scores = models.JSONField(default=list)  # one a policy, see evaluation.services

    class Meta(Job.Meta):
        verbose_name = _("evaluation")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.model} · {self.benchmark}"

    def get_absolute_url(self) -> str:
        return reverse("evaluation", args=[self.pk])


class Thought(ProjectRow):
    """What a model thought about one item, generated once to the largest budget: token by token.

    `forced_at` are the positions of tokens that were put in (a "Wait"), not sampled, and `stops`
    the positions at which the model itself wanted to end. Every smaller budget is a cut of this.
    """

    project_path: ClassVar[str] = "evaluation__project"

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="thoughts")
    item = models.ForeignKey(BenchmarkItem, models.PROTECT, related_name="thoughts")
    token_ids = ArrayField(models.PositiveIntegerField(), default=list)
    forced_at = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    stops = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["item__position"]
        constraints = [models.UniqueConstraint(fields=["evaluation", "item"], name="thought_once")]

    def __str__(self) -> str:
        return self.text[:80]


class MarkedAnswer(ProjectRow):
    """The answer that one budget policy led to, and its mark."""

    class Outcome(models.TextChoices):
        RIGHT = "right", _("right")
        PARTLY = "partly", _("partly right")
        WRONG = "wrong", _("wrong")
        UNPARSED = "unparsed", _("no answer found")

    project_path: ClassVar[str] = "thought__evaluation__project"

    thought = models.ForeignKey(Thought, models.CASCADE, related_name="answers")
    policy = models.CharField(max_length=60)  # the label of one of the evaluation's policies
    cut_at = models.PositiveIntegerField()  # thinking tokens that this answer saw
    forced_end = models.BooleanField()  # the budget ended the thinking, not the model
    forced_tokens = models.PositiveIntegerField(default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    text = models.TextField(blank=True)
    answer = models.TextField(blank=True)  # as the marker read it
    outcome = models.CharField(max_length=8, choices=Outcome)
    rule = models.CharField(max_length=60, blank=True)
    credit = models.FloatField()  # the share of the item's marks, 0 to 1

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thought", "policy"], name="answer_once_per_policy"),
            models.CheckConstraint(
                condition=Q(outcome__in=["right", "partly", "wrong", "unparsed"]), name="answer_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(credit__gte=0, credit__lte=1), name="answer_credit_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(forced_tokens__lte=F("cut_at")), name="answer_forced_within_cut"
            ),
        ]
        indexes = [models.Index(fields=["policy", "outcome"])]

    def __str__(self) -> str:
        return f"{self.policy}: {self.get_outcome_display()}"


class Round(ProjectRow):
    """Dataset, run, evaluations and the decision that followed."""

    see_right: ClassVar[Right] = Right.SEE_RESULTS
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField(_("round"))
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True, related_name="rounds")
    run = models.ForeignKey(Run, models.PROTECT, null=True, blank=True, related_name="rounds")
    evaluations = models.ManyToManyField(Evaluation, blank=True, related_name="rounds")
    decision = models.TextField(_("what followed"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("round")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="round_number_once")]

    def __str__(self) -> str:
        return f"{self.project} {self.number}"
