"""Frozen versions of questions with their chosen traces."""

from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow
from common.models import Project
from curator.models.selections import Selection
from curator.models.taxonomy import HASH_LENGTH


class Dataset(ProjectRow):
    """A frozen, immutable, content-addressed version of questions with their chosen traces."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="datasets")
    selection = models.ForeignKey(Selection, models.PROTECT, related_name="datasets")
    # The version whose members its selection was branched from.
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(_("name"), max_length=200)
    content_hash = models.CharField(max_length=HASH_LENGTH)
    row_count = models.PositiveIntegerField(_("rows"))
    card = models.JSONField(default=dict)  # inputs by hash, method, seed, versions, reviews, licences
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    is_current = models.BooleanField(default=False, db_default=False)  # the one that a project works with
    made_current_at = models.DateTimeField(null=True, blank=True)  # the last time; empty once that was undone

    class Meta:
        verbose_name = _("dataset")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="dataset_name_once"),
            models.UniqueConstraint(fields=["project", "content_hash"], name="dataset_content_once"),
            models.CheckConstraint(condition=Q(row_count__gte=1), name="dataset_not_empty"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(is_current=True), name="dataset_current_once"
            ),
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(made_current_at__isnull=False),
                name="dataset_current_since_when",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="dataset_not_its_own_parent"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="dataset_frozen",
                fields=["project", "selection", "parent", "name", "content_hash", "row_count", "card"],
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("dataset", args=[self.pk])


class DatasetRow(ProjectRow):
    """One question with its trace, copied, so that later edits of the pool change nothing here."""

    project_path: ClassVar[str] = "dataset__project"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    question_hash = models.CharField(max_length=HASH_LENGTH)
    trace_hash = models.CharField(max_length=HASH_LENGTH)
    content: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "position"], name="dataset_row_position_once"),
            models.UniqueConstraint(fields=["dataset", "question_hash"], name="dataset_row_question_once"),
        ]
        triggers = [
            pgtrigger.Protect(name="dataset_row_frozen", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id}/{self.position}"
