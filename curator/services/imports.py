"""A file becomes questions: read, compared with what is there, and written, all of it or nothing."""

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.jobs import ClaimLost, JobState, Pulse, Watch, beside, carried, unwatched
from common.turns import quick_turns
from curator import readers
from curator.core.rows import Column, QuestionRow, Rejected, full_mapping, read_table
from curator.core.rows.cells import kept
from curator.exports import cell_without_mark
from curator.models import Import, Question, RowReport
from curator.queries.among import among_hashes
from curator.services import leaks, repeats
from curator.services.copying import Writer, without_look_ups, writing

ROWS_AT_ONCE = 4096
LOCK = 7_013  # of imports, in the space of PostgreSQL's advisory locks; the second number is the project's
LOCK_POLL_SECONDS = 0.2
# The columns that a report adds to a file's own; in both languages at once, so that they are known again,
# and left out, when the corrected spreadsheet comes back.
REPORT_COLUMNS = ("row / 行号", "reason / 原因", "column / 列", "text / 原文", "same as / 重复于")


def run_import(*, job: Import, watch: Watch = unwatched) -> None:
    """Read the file, compare it with the project's questions, and write what is new in one transaction.

    Raises:
        AlreadyClaimed: another worker has it.
        Refusal: the file is no table, or has no column of questions.
    """
    with carried(job), beside() as using:
        if _is_written(job):
            return  # by a worker that died before it could say so
        pulse = Pulse(job, watch, using=using)
        pulse(0, phase=_("reading"))
        table = _opened(job)
        mapping = full_mapping(table.columns, job.mapping)
        with _uncollected(), quick_turns(), transaction.atomic():
            _wait_for_others(job, pulse)
            if _is_written(job):
                return
            _write(job, table, mapping, pulse)
        Path(job.file_path).unlink(missing_ok=True)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking through a file's rows again and again: a tenth of an import."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _is_written(job: Import) -> bool:
    return job.reports.exists() or job.questions.exists()


def _opened(job: Import) -> readers.Table:
    path = Path(job.file_path)
    if not path.is_file():
        raise Refusal(_("%(file)s is not kept any more; choose the file again.") % {"file": job.file_name})
    return readers.open_table(path, job.file_name, reading=readers.Reading(**job.reading))


def _wait_for_others(job: Import, pulse: Pulse) -> None:
    """Let one import at a time write into a project, so that each sees the questions of the one before."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [LOCK, job.pool.project_id])
            if cursor.fetchone()[0]:
                return
            pulse(0, phase=_("waiting for another import"))
            time.sleep(LOCK_POLL_SECONDS)


def _write(job: Import, table: readers.Table, mapping: Mapping[str, str], pulse: Pulse) -> None:
    """Store new questions, and a report of every row that became none."""
    sorting = _store_new(job, table, mapping, pulse)
    pulse(sorting.rows_read, table.rows_total, phase=_("writing the report"))
    _copy_reports(job, sorting.rejected)
    pulse(sorting.rows_read, table.rows_total, phase=_("looking for what benchmarks hold"))
    leaks.find_in_import(job)
    _finish(job, table, mapping, sorting)


def _store_new(job: Import, table: readers.Table, mapping: Mapping[str, str], pulse: Pulse) -> "_Sorting":
    """Read row by row and store what is new; return what became of every row."""
    columns = _columns(table)
    sorting = _Sorting(job, columns, table.first_row)
    with writing(job) as writer:
        for rows in _parts(read_table(columns, mapping, table.first_row)):
            writer.send(sorting.take(rows, writer))
            pulse(sorting.rows_read, table.rows_total, phase=_("comparing and writing"))
            if len(sorting.repeating) >= repeats.AT_ONCE:
                sorting.take_repeats(writer)
        sorting.take_repeats(writer)
    return sorting


def _columns(table: readers.Table) -> dict[str, Sequence[Any]]:
    """Return a table's columns; those of a report lose the marks that kept them from being formulas."""
    columns: dict[str, Sequence[Any]] = {column: table.column(column) for column in table.columns}
    if columns.keys().isdisjoint(REPORT_COLUMNS):
        return columns
    return {column: [cell_without_mark(cell) for cell in cells] for column, cells in columns.items()}


def _parts(rows: Iterator[QuestionRow | Rejected]) -> Iterator[list[QuestionRow | Rejected]]:
    while part := list(islice(rows, ROWS_AT_ONCE)):
        yield part


class _Report(NamedTuple):
    """What the report says of one row, in the order of its columns; the last three are of what it repeats."""

    kind: RowReport.Kind
    row_number: int
    column: str
    reason: str
    text: str
    cells: Mapping[str, str]
    said: Mapping[str, Any]
    external_id: str
    question_id: int | None


@dataclass
class _Sorting:
    """A file's rows sorted into what becomes of them; it knows every question met so far.

    `row_of` is the row of this file in which a question stands, by its hash, or 0 where it was there before.
    """

    job: Import
    columns: Mapping[str, Sequence[Any]]
    first_row: int
    row_of: dict[str, int] = field(default_factory=dict)
    rejected: list[_Report] = field(default_factory=list)
    repeating: list[QuestionRow] = field(default_factory=list)
    rows_read: int = 0
    rows_new: int = 0
    rows_repeated: int = 0
    rows_filled: int = 0
    rows_neutralised: int = 0

    def __post_init__(self) -> None:
        self.project_id = self.job.pool.project_id
        self.project_is_empty = not Question.objects.filter(project=self.project_id).exists()

    def take(self, rows: Sequence[QuestionRow | Rejected], writer: Writer) -> list[QuestionRow]:
        """Return the rows that are new questions, and keep every other one."""
        read = [row for row in rows if isinstance(row, QuestionRow)]
        if not self.project_is_empty:
            writer.wait()
            self._learn([row.content_hash for row in read])
        new = []
        for row in rows:
            if isinstance(row, Rejected):
                self.rejected.append(_rejected(row))
            elif row.content_hash in self.row_of:
                self.repeating.append(row)
            else:
                self.row_of[row.content_hash] = row.row_number
                new.append(row)
        self.rows_read += len(rows)
        self.rows_new += len(new)
        self.rows_neutralised += sum(row.neutralised for row in new)
        return new

    def _learn(self, hashes: Sequence[str]) -> None:
        unknown = [content_hash for content_hash in hashes if content_hash not in self.row_of]
        there = Question.objects.filter(among_hashes("content_hash", unknown), project=self.project_id)
        self.row_of.update(dict.fromkeys(there.values_list("content_hash", flat=True), 0))

    def take_repeats(self, writer: Writer) -> None:
        """Add to the questions what the rows that repeat them say, and report each."""
        writer.wait()
        for part in repeats.take_repeats(job=self.job, rows=self.repeating, row_of=self.row_of):
            with without_look_ups():  # the import and the questions are locked
                _copy_reports(self.job, self._repeated(part))
            self.rows_repeated += len(part)
            self.rows_filled += sum(repeat.kind == RowReport.Kind.FILLED for repeat in part)
        self.repeating.clear()

    def _repeated(self, part: Sequence[repeats.Repeat]) -> list[_Report]:
        rows = self._rows([repeat.row.row_number - self.first_row for repeat in part])
        return [
            _Report(
                each.kind,
                each.row.row_number,
                "",
                each.reason,
                each.text,
                kept(row),
                each.said,
                each.row.external_id,
                each.question_id,
            )
            for each, row in zip(part, rows, strict=True)
        ]

    def _rows(self, places: list[int]) -> list[dict[str, Any]]:
        """Return rows as they stood in the file, but for what an earlier report had added to them."""
        names = [name for name in self.columns if name not in REPORT_COLUMNS]
        cells = [_at(self.columns[name], places) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def _at(cells: Sequence[Any], places: list[int]) -> list[Any]:
    if isinstance(cells, Column):
        return cells.series.gather(places).to_list()
    return [cells[place] for place in places]


def _without_report(cells: Mapping[str, str]) -> dict[str, str]:
    """Return a row as it stood in the file, but for what an earlier report had added to it."""
    return {column: cell for column, cell in cells.items() if column not in REPORT_COLUMNS}


def _rejected(row: Rejected) -> _Report:
    cells = _without_report(row.cells)
    kind = RowReport.Kind.REJECTED
    return _Report(kind, row.row_number, row.column[:200], row.reason, row.text, cells, {}, "", None)


def _copy_reports(job: Import, reports: Sequence[_Report]) -> None:
    columns = (
        'imported_by_id, kind, row_number, "column", reason, text, cells, said, external_id, duplicate_of_id'
    )
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"copy curator_rowreport ({columns}) from stdin") as copy,
    ):
        for report in reports:
            cells, said = orjson.dumps(report.cells).decode(), orjson.dumps(report.said).decode()
            copy.write_row((job.pk, report.kind.value, *report[1:5], cells, said, *report[7:]))


def _finish(job: Import, table: readers.Table, mapping: Mapping[str, str], sorting: _Sorting) -> None:
    """Record how the file was read and what came of it.

    Raises:
        ClaimLost: the job was given to another worker; nothing of this one's stays.
    """
    facts = {
        "mapping": dict(mapping),
        "kind": table.kind[:40],
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "header_row": table.header_row or None,
        "note": table.note,
        "columns": [column for column in table.columns if column not in REPORT_COLUMNS],
        "rows_read": sorting.rows_read,
        "rows_imported": sorting.rows_new,
        "rows_duplicate": sorting.rows_repeated,
        "rows_rejected": len(sorting.rejected),
        "rows_without_key": Question.objects.filter(imported_by=job, key="").count(),
        "rows_neutralised": sorting.rows_neutralised,
        "rows_filled": sorting.rows_filled,
    }
    running = Import.objects.filter(pk=job.pk, state=JobState.RUNNING, claims=job.claims)
    if not running.update(**facts):
        raise ClaimLost(job)
    for name, value in facts.items():
        setattr(job, name, value)
