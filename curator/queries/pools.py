"""Reads of pools, their files and reports."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from common.models import Project
from curator import readers
from curator.core.rows import QuestionRow, Rejected, read_row
from curator.models import (
    Import,
    Pool,
    RowReport,
)

PREVIEWED_ROWS = 5


def get_pools(project: Project) -> "QuerySet[Pool]":
    """Return a project's pools with their numbers of questions, and of those that need a key."""
    rows: QuerySet[Pool] = Pool.objects.filter(project=project)
    return rows.annotate(
        question_count=Count("questions"),
        without_key=Count("questions", filter=Q(questions__key="")),
        read_at=Max("questions__created_at"),
    ).order_by("name")


def get_imports(pool: Pool) -> "QuerySet[Import]":
    """Return a pool's imports, newest first."""
    rows: QuerySet[Import] = Import.objects.filter(pool=pool).select_related("created_by")
    return rows


def get_reports(job: Import, *, kind: str = "") -> "QuerySet[RowReport]":
    """Return the rows of an import that became no question, in the order of the file."""
    rows: QuerySet[RowReport] = RowReport.objects.filter(imported_by=job).order_by("row_number")
    return rows.filter(kind=kind) if kind else rows


@dataclass(frozen=True)
class Preview:
    """The first rows of a file, raw and as they would be read."""

    table: readers.Table
    samples: tuple[tuple[str, tuple[str, ...]], ...]  # a column with its first values

    def read_with(self, mapping: dict[str, str]) -> list[QuestionRow | Rejected]:
        """Return the first rows as questions or refusals under a mapping."""
        return [
            read_row(row, mapping, number) for number, row in islice(self.table.numbered(), PREVIEWED_ROWS)
        ]


def get_preview(path: Path, file_name: str) -> Preview:
    """Return the beginning of a file.

    Raises:
        Refusal: the file is no table.
    """
    table = readers.open_table(path, file_name)
    first = table.rows[:PREVIEWED_ROWS]
    samples = tuple((column, tuple(_shown(row.get(column)) for row in first)) for column in table.columns)
    return Preview(table, samples)


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
