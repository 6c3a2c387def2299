"""Held-out questions, and what pools share with them."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.models import Project
from curator.models.questions import Question
from curator.models.taxonomy import HASH_LENGTH


class Benchmark(ProjectRow):
    """Held-out questions with keys; read like a pool and never trained on.

    It lies here and not with evaluation because a selection must refuse what it contains.
    """

    see_right: ClassVar[Right] = Right.SEE_RESULTS

    project = models.ForeignKey(Project, models.CASCADE, related_name="benchmarks")
    name = models.CharField(_("name"), max_length=200)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    file_name = models.CharField(max_length=255)
    content_hash = models.CharField(max_length=HASH_LENGTH)
    is_exam = models.BooleanField(default=False)  # held out of training, but not to be scored: keys may lack
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("benchmark")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="benchmark_name_once")]
        triggers = [pgtrigger.ReadOnly(name="benchmark_content_frozen", fields=["project", "content_hash"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("benchmark", args=[self.pk])


class BenchmarkItem(ProjectRow):
    """One held-out question."""

    project_path: ClassVar[str] = "benchmark__project"

    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=HASH_LENGTH)
    external_id = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    options = ArrayField(models.TextField(), default=list, blank=True)
    key = models.TextField()
    marks = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    language = models.CharField(max_length=8)
    domain = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "position"], name="item_position_once"),
            models.UniqueConstraint(fields=["benchmark", "content_hash"], name="item_once_in_benchmark"),
            models.CheckConstraint(condition=~Q(text=""), name="item_has_text"),
        ]
        triggers = [pgtrigger.Protect(name="item_frozen", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def number(self) -> int:
        """Return its place in the benchmark as people count, from 1."""
        return self.position + 1

    def get_absolute_url(self) -> str:
        """Return the place on its benchmark's page where it stands."""
        page = reverse("benchmark", args=[self.benchmark_id])
        return f"{page}?item={self.number}#item-{self.number}"


class Leak(ProjectRow):
    """A question of a pool that a benchmark contains, wholly or in part."""

    class Kind(models.TextChoices):
        WHOLE = "whole", _("the same text")
        RUNS = "runs", _("shared passages")
        FUZZY = "fuzzy", _("reworded")

    project_path: ClassVar[str] = "question__project"

    question = models.ForeignKey(Question, models.CASCADE, related_name="leaks")
    item = models.ForeignKey(BenchmarkItem, models.CASCADE, related_name="leaks")
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.RUNS)
    likeness = models.FloatField(default=1.0)  # the share of the shorter text that both have, from 0 to 1
    shared_text = models.TextField()
    overruled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    overruled_at = models.DateTimeField(null=True, blank=True)
    overruled_why = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question", "item"], name="leak_once"),
            models.CheckConstraint(condition=Q(kind__in=["whole", "runs", "fuzzy"]), name="leak_kind_known"),
            models.CheckConstraint(
                condition=Q(overruled_at__isnull=True) | ~Q(overruled_why=""),
                name="leak_overruled_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.shared_text[:80]
