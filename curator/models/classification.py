"""Putting questions into domains by machine, and the vectors that help with it."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from pgvector.django import VectorField

from common.access import ProjectRow, Right
from common.models import Project
from curator.models.endpoints import Assistant, Embedder
from curator.models.orders import Order
from curator.models.questions import Question
from curator.models.taxonomy import HASH_LENGTH


class Classification(Order):
    """One order to put questions into domains; what an expert has said is left alone."""

    class Way(models.TextChoices):
        RULES = "rules", _("by rules")
        ASSISTANT = "assistant", _("by a model")
        NEAREST = "nearest", _("by the nearest labelled questions")

    task_name: ClassVar[str] = "curator.tasks.run_classification"
    edit_right: ClassVar[Right] = (
        Right.CURATE
    )  # whoever starts one that asks a model needs the right to spend

    project = models.ForeignKey(Project, models.CASCADE, related_name="classifications")
    way = models.CharField(max_length=9, choices=Way)
    assistant = models.ForeignKey(Assistant, models.SET_NULL, null=True, blank=True, related_name="+")
    embedder = models.ForeignKey(Embedder, models.SET_NULL, null=True, blank=True, related_name="+")
    only_unlabelled = models.BooleanField(default=True)
    neighbours = models.PositiveSmallIntegerField(
        _("neighbours that vote"), default=10, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    # Below this share of the votes a question goes to the domain "other".
    least_confidence = models.FloatField(
        _("least confidence"), default=0.5, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )

    class Meta(Order.Meta):
        verbose_name = _("classification")
        ordering = ["-created_at", "-pk"]
        constraints = [
            *Order.Meta.constraints,
            models.CheckConstraint(
                condition=Q(way__in=["rules", "assistant", "nearest"]), name="classification_way_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()} #{self.pk}"

    @property
    def counts_each(self) -> bool:
        """Tell whether it counts question by question, as an assistant does; the other ways go over all at once."""
        return self.way == self.Way.ASSISTANT

    def get_absolute_url(self) -> str:
        return reverse("classification", args=[self.pk])


class Embedding(ProjectRow):
    """A question's text as one model's vector."""

    project_path: ClassVar[str] = "question__project"

    question = models.ForeignKey(Question, models.CASCADE, related_name="embeddings")
    embedder = models.ForeignKey(Embedder, models.CASCADE, related_name="embeddings")
    content_hash = models.CharField(max_length=HASH_LENGTH)  # of the text that was embedded
    vector = VectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question", "embedder"], name="embedding_once_per_model")
        ]

    def __str__(self) -> str:
        return f"{self.embedder_id} → {self.question_id}"
