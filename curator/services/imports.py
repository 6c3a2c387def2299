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
from django.db.models import Q
from django.utils.translation import gettext as _

from common.core.answers import Outcome, mark, normal_answer
from common.core.refusal import Refusal
from common.jobs import ClaimLost, JobState, Pulse, Watch, beside, carried, unwatched
from curator import readers
from curator.core.rows import QuestionRow, Rejected, full_mapping, read_table
from curator.core.rows.cells import kept
from curator.exports import cell_without_mark
from curator.models import Import, Question, RowReport
from curator.services import leaks, marking
from curator.services.copying import Writer, writing

ROWS_AT_ONCE = 4096
SHOWN_TEXT = 200  # characters of a repeated question that its report shows
LOCK = 7_013  # of imports, in the space of PostgreSQL's advisory locks; the second number is the project's
LOCK_POLL_SECONDS = 0.2
# The columns that a report adds to a file's own; in both languages at once, so that they are known again,
# and left out, when the corrected spreadsheet comes back.
REPORT_COLUMNS = ("row / 行号", "reason / 原因")


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
        with _uncollected(), transaction.atomic():
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
    return readers.open_table(path, job.file_name)


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
    _fill_keys(job, sorting.filled)
    _copy_reports(job, sorting.reports)
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
        writer.wait()
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
    """What the report says of one row, in the order of its columns; the last is of the question it repeats."""

    kind: RowReport.Kind
    row_number: int
    column: str
    reason: str
    text: str
    cells: Mapping[str, str]
    content_hash: str


@dataclass
class _Sorting:
    """A file's rows sorted into what becomes of them; it knows every question met so far, with its key."""

    job: Import
    columns: Mapping[str, Sequence[Any]]
    first_row: int
    known: dict[str, str] = field(default_factory=dict)
    row_of: dict[str, int] = field(default_factory=dict)
    reports: list[_Report] = field(default_factory=list)
    rows_read: int = 0
    rows_new: int = 0
    rows_neutralised: int = 0

    def __post_init__(self) -> None:
        self.project_id = self.job.pool.project_id
        self.project_is_empty = not Question.objects.filter(project=self.project_id).exists()

    @property
    def filled(self) -> list[_Report]:
        """Return the rows that gave a question its key."""
        return [report for report in self.reports if report.kind == RowReport.Kind.FILLED]

    def take(self, rows: Sequence[QuestionRow | Rejected], writer: Writer) -> list[QuestionRow]:
        """Return the rows that are new questions, and keep a report of every other one."""
        read = [row for row in rows if isinstance(row, QuestionRow)]
        if not self.project_is_empty:
            writer.wait()
            self._learn([row.content_hash for row in read])
        new = []
        for row in rows:
            if isinstance(row, Rejected):
                self.reports.append(self._rejected(row))
            elif row.content_hash in self.known:
                self.reports.append(self._repeated(row, self.known[row.content_hash]))
            else:
                self.known[row.content_hash], self.row_of[row.content_hash] = row.key, row.row_number
                new.append(row)
        self.rows_read += len(rows)
        self.rows_new += len(new)
        self.rows_neutralised += sum(row.neutralised for row in new)
        return new

    def _learn(self, hashes: Sequence[str]) -> None:
        unknown = [content_hash for content_hash in hashes if content_hash not in self.known]
        there = Question.objects.filter(project=self.project_id, content_hash__in=unknown)
        self.known.update(there.values_list("content_hash", "key"))

    def _rejected(self, row: Rejected) -> _Report:
        cells = _without_report(row.cells)
        return _Report(
            RowReport.Kind.REJECTED, row.row_number, row.column[:200], row.reason, row.text, cells, ""
        )

    def _repeated(self, row: QuestionRow, key: str) -> _Report:
        """Return what a row adds to the question that it repeats: nothing, its key, or another key."""
        if row.key and not key:
            self.known[row.content_hash] = row.key
            reason = _("The question was there without a key; this row gave it one.")
            return self._of(row, RowReport.Kind.FILLED, reason, row.key)
        if row.key and not _is_same_key(row, key):
            reason = _(
                "The question is there with the key “%(there)s”, which stays; this row says “%(here)s”."
            )
            shown = {"there": key[:SHOWN_TEXT], "here": row.key[:SHOWN_TEXT]}
            return self._of(row, RowReport.Kind.CONFLICT, reason % shown, row.text[:SHOWN_TEXT])
        return self._of(row, RowReport.Kind.DUPLICATE, self._where(row), row.text[:SHOWN_TEXT])

    def _where(self, row: QuestionRow) -> str:
        earlier = self.row_of.get(row.content_hash)
        if earlier is None:
            return _("The same question is there already.")
        return _("The same question stands in row %(row)s of this file.") % {"row": earlier}

    def _of(self, row: QuestionRow, kind: RowReport.Kind, reason: str, text: str) -> _Report:
        cells = self._cells(row.row_number) if kind == RowReport.Kind.CONFLICT else {}
        return _Report(kind, row.row_number, "", reason, text, cells, row.content_hash)

    def _cells(self, row_number: int) -> dict[str, str]:
        place = row_number - self.first_row
        return _without_report(kept({name: cells[place] for name, cells in self.columns.items()}))


def _without_report(cells: Mapping[str, str]) -> dict[str, str]:
    """Return a row as it stood in the file, but for what an earlier report had added to it."""
    return {column: cell for column, cell in cells.items() if column not in REPORT_COLUMNS}


def _is_same_key(row: QuestionRow, key: str) -> bool:
    """Tell whether a row's key says what another does: "1/2" is 0.5, as the marker has it."""
    if normal_answer(row.key) == normal_answer(key):
        return True
    return mark(row.key, key=key, options=row.options).outcome == Outcome.RIGHT


def _fill_keys(job: Import, filled: Sequence[_Report]) -> None:
    """Give questions the keys that rows brought, and mark again what models have answered."""
    if not filled:
        return
    keys = {report.content_hash: report.text for report in filled}
    with connection.cursor() as cursor:
        cursor.execute(
            "update curator_question set key = given.key, changed_at = now() "
            "from unnest(%s::text[], %s::text[]) as given (hash, key) "
            "where project_id = %s and content_hash = given.hash and curator_question.key = ''",
            [list(keys), list(keys.values()), job.pool.project_id],
        )
    questions = Question.objects.filter(project=job.pool.project_id, content_hash__in=keys)
    for question in questions.filter(Q(traces__isnull=False) | Q(attempts__isnull=False)).distinct():
        marking.mark_again(question)


def _copy_reports(job: Import, reports: Sequence[_Report]) -> None:
    hashes = {report.content_hash for report in reports if report.content_hash}
    originals = dict(
        Question.objects.filter(project=job.pool.project_id, content_hash__in=hashes).values_list(
            "content_hash", "pk"
        )
    )
    columns = 'imported_by_id, kind, row_number, "column", reason, text, cells, duplicate_of_id'
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"copy curator_rowreport ({columns}) from stdin") as copy,
    ):
        for report in reports:
            cells = orjson.dumps(report.cells).decode()
            original = originals[report.content_hash] if report.content_hash else None
            copy.write_row((job.pk, report.kind.value, *report[1:5], cells, original))


def _finish(job: Import, table: readers.Table, mapping: Mapping[str, str], sorting: _Sorting) -> None:
    """Record how the file was read and what came of it.

    Raises:
        ClaimLost: the job was given to another worker; nothing of this one's stays.
    """
    rejected = sum(report.kind == RowReport.Kind.REJECTED for report in sorting.reports)
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
        "rows_duplicate": len(sorting.reports) - rejected,
        "rows_rejected": rejected,
        "rows_without_key": Question.objects.filter(imported_by=job, key="").count(),
        "rows_neutralised": sorting.rows_neutralised,
        "rows_filled": len(sorting.filled),
    }
    running = Import.objects.filter(pk=job.pk, state=JobState.RUNNING, claims=job.claims)
    if not running.update(**facts):
        raise ClaimLost(job)
    for name, value in facts.items():
        setattr(job, name, value)
