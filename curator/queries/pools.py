"""Reads of pools, their files and reports."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from common.models import Project
from curator import readers
from curator.core.rows import QuestionRow, Rejected, read_row
from curator.models import Import, Pool, RememberedMapping, RowReport

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


def get_report_counts(job: Import) -> dict[str, int]:
    """Return how many rows of an import became what, by kind; only kinds that there are."""
    rows = RowReport.objects.filter(imported_by=job).order_by().values_list("kind")
    return dict(rows.annotate(rows=Count("pk")))


def columns_hash(columns: Sequence[str]) -> str:
    """Return by what a file's columns are known again: their names, in their order."""
    return hashlib.sha256("\x1f".join(columns).encode(errors="surrogatepass")).hexdigest()


def get_remembered(project: Project, columns: Sequence[str]) -> dict[str, str] | None:
    """Return what a person last said that these columns mean, or None."""
    found = RememberedMapping.objects.filter(project=project, columns_hash=columns_hash(columns)).first()
    return dict(found.mapping) if found and found.mapping else None


def get_remembered_reading(project: Project, path: Path, file_name: str) -> readers.Reading:
    """Return what a person last said of how a file is written in which the same columns are found.

    It says nothing where there was no such file, or where it does not fit this one.
    """
    columns = get_columns(path, file_name) or ()
    found = RememberedMapping.objects.filter(project=project, columns_hash=columns_hash(columns)).first()
    if found is None or not found.reading:
        return readers.AS_FOUND
    reading = readers.Reading(**found.reading)
    return readers.AS_FOUND if get_columns(path, file_name, reading) is None else reading


def get_columns(
    path: Path, file_name: str, reading: readers.Reading = readers.AS_FOUND
) -> tuple[str, ...] | None:
    """Return the columns that a file has when it is read so; None where it cannot be."""
    try:
        return readers.peek(path, file_name, rows=1, reading=reading).columns
    except readers.NoTable:
        return None


@dataclass(frozen=True)
class Preview:
    """The first rows of a file, raw and as they would be read."""

    table: readers.Table
    samples: Mapping[str, tuple[str, ...]]  # the first values of each column

    def read_with(self, mapping: dict[str, str]) -> list[QuestionRow | Rejected]:
        """Return the first rows as questions or refusals under a mapping."""
        return [
            read_row(row, mapping, number) for number, row in islice(self.table.numbered(), PREVIEWED_ROWS)
        ]


def get_preview(path: Path, file_name: str, reading: readers.Reading = readers.AS_FOUND) -> Preview:
    """Return the beginning of a file, or of the first table of an archive; the rest is not read.

    Raises:
        Refusal: the file is no table, or is not written as `reading` says.
    """
    member = readers.members(path, file_name)[0]
    table = readers.peek(path, file_name, member=member, rows=PREVIEWED_ROWS, reading=reading)
    first = [row for _number, row in islice(table.numbered(), PREVIEWED_ROWS)]
    samples = {column: tuple(_shown(row.get(column)) for row in first) for column in table.columns}
    return Preview(table, samples)


def get_kind(path: Path, file_name: str) -> str:
    """Return the kind of file that its first bytes tell: XLSX, Parquet, JSON or text; nothing where it is damaged."""
    try:
        return readers.kind(path, file_name)
    except readers.NoTable:
        return ""


def get_sheets(path: Path, file_name: str) -> tuple[str, ...]:
    """Return the names of a workbook's sheets; none for what is no workbook, or none that can be opened."""
    try:
        return readers.sheets(path, file_name)
    except readers.NoTable:
        return ()


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
