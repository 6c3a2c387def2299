"""Where questions come from: sources, the files read into them, and what became of every row."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow
from common.jobs import Job
from common.models import Project
from curator.models.taxonomy import HASH_LENGTH


class Pool(ProjectRow):
    """One source of questions with its licence and provenance."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="pools")
    name = models.CharField(_("name"), max_length=200)
    licence = models.CharField(_("licence"), max_length=200)
    provenance = models.TextField(_("where it comes from"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("pool")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="pool_name_once"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(licence=""), name="pool_has_name_and_licence"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pool", args=[self.pk])


class Import(Job, ProjectRow):
    """One file read into a pool."""

    task_name: ClassVar[str] = "curator.tasks.run_import"
    project_path: ClassVar[str] = "pool__project"

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="imports")
    file_name = models.CharField(_("file"), max_length=255)
    file_path = models.TextField(blank=True)  # where the upload lies; empty once it is read
    file_hash = models.CharField(max_length=HASH_LENGTH)
    mapping = models.JSONField(default=dict)  # field → column
    reading = models.JSONField(default=dict, blank=True)  # what a person said of how the file is written
    kind = models.CharField(_("kind of file"), max_length=40, blank=True)
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    header_row = models.PositiveIntegerField(null=True, blank=True)  # as a person counts them, from 1
    columns = ArrayField(models.TextField(), default=list)  # of the file, in its order
    note = models.TextField(blank=True)  # what else the file holds that was not read
    rows_read = models.PositiveIntegerField(_("rows read"), default=0)
    rows_imported = models.PositiveIntegerField(_("imported"), default=0)
    rows_duplicate = models.PositiveIntegerField(_("duplicates"), default=0)
    rows_rejected = models.PositiveIntegerField(_("rejected"), default=0)
    rows_without_key = models.PositiveIntegerField(_("need a key"), default=0)
    rows_neutralised = models.PositiveIntegerField(_("made harmless"), default=0)
    rows_filled = models.PositiveIntegerField(_("filled in"), default=0)  # these are duplicates too

    class Meta(Job.Meta):
        verbose_name = _("import")
        ordering = ["-created_at", "-pk"]
        constraints = [
            *Job.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(state="succeeded")
                | Q(rows_read=F("rows_imported") + F("rows_duplicate") + F("rows_rejected")),
                name="import_rows_add_up",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def project(self) -> Project:
        """Return the project whose pool it is."""
        return self.pool.project

    @property
    def unused_columns(self) -> list[str]:
        """Return the columns of the file from which nothing was taken, in their order."""
        used = set(self.mapping.values())
        return [column for column in self.columns if column not in used]

    def get_absolute_url(self) -> str:
        return reverse("import", args=[self.pk])


class RowReport(ProjectRow):
    """A row of a file that became no question of its own: refused, or there already."""

    class Kind(models.TextChoices):
        REJECTED = "rejected", _("rejected")
        DUPLICATE = "duplicate", _("duplicate")
        FILLED = "filled", _("gave something")  # a duplicate that says more than the question had
        CONFLICT = "conflict", _("another key")  # a duplicate whose key is another

    project_path: ClassVar[str] = "imported_by__pool__project"

    imported_by = models.ForeignKey(Import, models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=9, choices=Kind)
    row_number = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    reason = models.TextField(_("reason"))
    text = models.TextField(_("text"), blank=True)
    cells = models.JSONField(default=dict, blank=True)  # the row as it stood in the file, to be corrected
    duplicate_of = models.ForeignKey("Question", models.SET_NULL, null=True, blank=True, related_name="+")
    said = models.JSONField(
        default=dict, blank=True
    )  # by a duplicate, where the question's own row says else
    external_id = models.CharField(
        max_length=200, blank=True, db_default=""
    )  # of a duplicate, in its own source

    class Meta:
        ordering = ["row_number"]
        constraints = [
            models.UniqueConstraint(fields=["imported_by", "row_number"], name="report_row_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["rejected", "duplicate", "filled", "conflict"]),
                name="report_kind_known",
            ),
        ]
        indexes = [
            models.Index(fields=["external_id"], condition=~Q(external_id=""), name="report_external_id")
        ]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.reason}"


class RememberedMapping(ProjectRow):
    """What a person said of a file with these columns, for the next one that has them.

    `mapping` says what they mean. `reading` says how such a file is to be read, where these columns are
    what is found without being told; it may lead to other columns, which have a row of their own.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="mappings")
    columns_hash = models.CharField(max_length=HASH_LENGTH)
    mapping = models.JSONField(default=dict, blank=True)  # field → column
    reading = models.JSONField(default=dict, blank=True)  # as in Import
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "columns_hash"], name="mapping_once_for_columns")
        ]

    def __str__(self) -> str:
        return self.columns_hash[:12]
