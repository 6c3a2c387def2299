"""Near copies among a project's questions, and the search that finds them."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow
from common.jobs import Job
from common.models import Project
from curator.models.endpoints import Embedder
from curator.models.questions import Question


class CopySearch(Job, ProjectRow):
    """One search for near copies among all questions of a project; it replaces what the last one found."""

    task_name: ClassVar[str] = "curator.tasks.run_copy_search"

    project = models.ForeignKey(Project, models.CASCADE, related_name="copy_searches")
    threshold = models.FloatField(
        _("least likeness"), default=0.8, validators=[MinValueValidator(0.5), MaxValueValidator(1)]
    )
    embedder = models.ForeignKey(Embedder, models.SET_NULL, null=True, blank=True, related_name="+")
    clusters = models.PositiveIntegerField(default=0)
    copies = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        verbose_name = _("search for copies")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("copies", args=[self.project.slug])


class Lookalike(ProjectRow):
    """Two questions that are as much alike as copies, but have different keys: no copies, until a person says so."""

    project_path: ClassVar[str] = "question__project"

    question = models.ForeignKey(Question, models.CASCADE, related_name="+")  # the one that came first
    other = models.ForeignKey(Question, models.CASCADE, related_name="+")
    likeness = models.FloatField()  # from 0 to 1
    by_meaning = models.BooleanField(default=False)
    is_copy = models.BooleanField(default=False)  # by an expert's word; kept from search to search

    class Meta:
        ordering = ["-likeness", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["question", "other"], name="lookalike_once"),
            models.CheckConstraint(condition=Q(question__lt=F("other")), name="lookalike_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.question_id} ~ {self.other_id}"


class NearCopy(ProjectRow):
    """A question that says what another says, which is kept in its place; those of one keeper are a cluster."""

    class Kind(models.TextChoices):
        TEXT = "text", _("by its words")
        MEANING = "meaning", _("by its meaning")

    project_path: ClassVar[str] = "question__project"

    question = models.OneToOneField(Question, models.CASCADE, related_name="near_copy")
    keeper = models.ForeignKey(Question, models.CASCADE, related_name="near_copies")
    kind = models.CharField(max_length=7, choices=Kind)
    likeness = models.FloatField()  # with the keeper, from 0 to 1

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(question=F("keeper")), name="copy_not_of_itself"),
            models.CheckConstraint(
                condition=Q(likeness__gte=0, likeness__lte=1), name="copy_likeness_is_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question_id} → {self.keeper_id}"
