"""Files of traces made elsewhere: read a part at a time, each trace brought to its question, all or nothing."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.utils import validate_file_name
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.checks import checked
from common.core.refusal import Refusal
from common.core.text import estimate_tokens, neutralise
from common.jobs import ClaimLost, JobState, Pulse, Watch, beside, carried, unwatched
from common.models import Project, User
from curator import readers
from curator.core.dataset import trace_hash
from curator.core.layouts import (
    Fault,
    NoTrace,
    Recognised,
    Sample,
    TraceRow,
    complete_mapping,
    read_trace_row,
    recognise,
)
from curator.models import Question, Teacher, Trace, TraceImport
from curator.services import uploads
from curator.services.finding import Finder, Missing
from curator.services.marking import verdict_of
from curator.services.pools import keep_file

ROWS_AT_ONCE = 500
CHARACTERS_AT_ONCE = 8_000_000
KEPT_FAULTS = 1000  # rows that a report names one by one; all are counted
LOCK = 7_017  # of imports of traces, as imports.LOCK is of questions
LOCK_POLL_SECONDS = 0.2
TRIES = 3  # at storing a part beside an order that stores traces of the same teacher
NO_TEACHER = "no_teacher"
SENTENCES: dict[str, Any] = {
    Fault.EMPTY: gettext_lazy("It holds neither thinking nor an answer."),
    Fault.NO_QUESTION: gettext_lazy("It holds neither a question nor an id."),
    Fault.NO_REPLY: gettext_lazy("It holds no reply."),
    Fault.NO_CONVERSATION: gettext_lazy("The cell is no list of messages."),
    Fault.SEVERAL_TURNS: gettext_lazy("It is a conversation of several turns; a trace answers one question."),
    Fault.UNEVEN: gettext_lazy("It has more answers than thoughts, or fewer; they cannot be paired."),
    Missing.NOWHERE: gettext_lazy(
        "No question of this project has its content or its id; upload these questions as a pool first."
    ),
    Missing.SEVERAL_IDS: gettext_lazy("Several questions of this project have its id, and none its content."),
    Missing.SEVERAL_STEMS: gettext_lazy(
        "Several questions have its text and differ in their options, which the row does not give."
    ),
    NO_TEACHER: gettext_lazy("It names no teacher, and none was given for the whole file."),
}


def start_import(
    *,
    project: Project,
    content: BinaryIO | Path,
    file_name: str,
    teacher_name: str,
    by: User | None,
    mapping: Mapping[str, str] | None = None,
    maker: str = "",
    terms: str = "",
    is_summary: bool = False,
) -> TraceImport:
    """Keep a file of traces and queue its reading.

    `mapping` says which column holds which field; what it leaves open is found out, and a field given as
    empty has none. `maker` says whose replies are read where several stand side by side.

    Raises:
        Refusal: a name that no teacher can have, a file that is too large, or a disk that does not take it.
    """
    teacher_name, mapping = teacher_name.strip(), dict(mapping or {})
    if teacher_name or not mapping.get("teacher"):
        checked(Teacher(name=teacher_name), "name")
    file_name = str(validate_file_name(Path(file_name).name or "upload"))[:255]
    path, digest = keep_file(content, file_name)
    job: TraceImport = TraceImport.objects.create(
        project=project,
        file_name=file_name,
        file_path=str(path),
        file_hash=digest,
        teacher_name=teacher_name,
        mapping=mapping,
        maker=maker[:100],
        terms=terms.strip(),
        is_summary=is_summary,
        created_by=by,
    )
    return job


@transaction.atomic
def confirm_upload(
    *,
    project: Project,
    upload: uploads.Upload,
    mapping: Mapping[str, str],
    teacher_name: str,
    terms: str,
    is_summary: bool,
    by: User,
) -> TraceImport:
    """Queue the reading of an upload whose columns a person has looked at.

    Raises:
        Refusal: as from `start_import`, or the columns do not say where the traces are.
    """
    columns = readers.peek(upload.path, upload.file_name, rows=1).columns
    complete_mapping(columns, mapping, file_name=upload.file_name)
    job = start_import(
        project=project,
        content=upload.path,
        file_name=upload.file_name,
        teacher_name=teacher_name,
        mapping=mapping,
        terms=terms,
        is_summary=is_summary,
        by=by,
    )
    transaction.on_commit(lambda: uploads.drop(upload=upload))
    return job


def teacher_column(path: Path, file_name: str) -> str:
    """Return the column of a file that names the teacher of each row, or nothing.

    Raises:
        Refusal: it is no table.
    """
    return recognise(readers.peek(path, file_name, rows=1).columns).mapping.get("teacher", "")


def discard(*, job: TraceImport) -> None:
    """Forget an import that was refused, with its file."""
    if job.file_path:
        Path(job.file_path).unlink(missing_ok=True)
    job.delete()


def run_import(*, job: TraceImport, watch: Watch = unwatched) -> None:
    """Read the file and store its traces in one transaction; the same trace again adds nothing.

    A teacher is made if the project has none of its name; it then has no address to be asked at.

    Raises:
        AlreadyClaimed: another worker has it.
        Refusal: the file is no table, or its columns do not say where its traces are.
    """
    with carried(job), beside() as using:
        if _is_written(job):
            return  # written by a worker that died before it could say so
        pulse = Pulse(job, watch, using=using)
        pulse(0, phase=_("reading"))
        table = _opened(job)
        found = complete_mapping(
            table.columns, job.mapping, maker=job.maker, teacher=job.teacher_name, file_name=job.file_name
        )
        with transaction.atomic():
            _wait_for_others(job, pulse)
            if _is_written(job):
                return
            storing = _Storing(job, Finder(job.project))
            for part in _parts(table, found.mapping):
                storing.take(part)
                pulse(storing.rows_read, table.rows_total, phase=_("comparing and writing"))
            _finish(job, found, storing)
        Path(job.file_path).unlink(missing_ok=True)


def _is_written(job: TraceImport) -> bool:
    return TraceImport.objects.filter(pk=job.pk, rows_read__gt=0).exists()


def _opened(job: TraceImport) -> readers.Stream:
    path = Path(job.file_path)
    if not path.is_file():
        raise Refusal(_("%(file)s is not kept any more; choose the file again.") % {"file": job.file_name})
    return readers.stream_table(path, job.file_name)


def _wait_for_others(job: TraceImport, pulse: Pulse) -> None:
    """Let one import of traces at a time write into a project, so that each sees those of the one before."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [LOCK, job.project_id])
            if cursor.fetchone()[0]:
                return
            pulse(0, phase=_("waiting for another import"))
            time.sleep(LOCK_POLL_SECONDS)


_Part = list[tuple[int, TraceRow | NoTrace]]


def _parts(table: readers.Stream, mapping: Mapping[str, str]) -> Iterator[_Part]:
    """Yield the rows of a table with their numbers, so many at a time that they fit into little memory."""
    part: _Part = []
    characters = 0
    for number, row in table.numbered():
        read = read_trace_row(row, mapping)
        part.append((number, read))
        if isinstance(read, TraceRow):
            characters += sum(len(sample.thinking) + len(sample.answer) for sample in read.samples)
        if len(part) == ROWS_AT_ONCE or characters > CHARACTERS_AT_ONCE:
            yield part
            part, characters = [], 0
    if part:
        yield part


@dataclass
class _Storing:
    """The traces of an import on their way into the database, with what became of every row."""

    job: TraceImport
    finder: Finder
    rows_read: int = 0
    stored: int = 0
    duplicates: int = 0
    unmatched: int = 0
    failed: int = 0
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    fault_counts: Counter[str] = field(default_factory=Counter)
    teachers: dict[str, Teacher] = field(default_factory=dict)

    def take(self, part: _Part) -> None:
        """Store the traces of some rows that are not there yet."""
        found = self.finder.find([row for _number, row in part if isinstance(row, TraceRow)])
        traces: list[Trace] = []
        for number, row in part:
            if isinstance(row, NoTrace):
                self._fail(number, row.fault, row.question)
            elif isinstance(question := found[id(row)], Missing):
                self.unmatched += 1
                self._note(number, question, row.question or row.external_id)
            else:
                traces += self._traces(number, row, question)
        self._store(traces)
        self.rows_read += len(part)

    def _fail(self, number: int, fault: str, text: str) -> None:
        self.failed += 1
        self._note(number, fault, text)

    def _note(self, number: int, fault: str, text: str) -> None:
        self.fault_counts[str(fault)] += 1
        if len(self.faults) < KEPT_FAULTS:
            self.faults.append((number, str(fault), neutralise(text)[0]))

    def _traces(self, number: int, row: TraceRow, question: Question) -> Iterator[Trace]:
        teacher = self._teacher(row.teacher)
        for sample in row.samples:
            if teacher is None:
                self._fail(number, NO_TEACHER, row.question)
            elif sample.is_empty:
                self._fail(number, Fault.EMPTY, row.question)
            else:
                yield _trace(self.job, question, teacher, sample, row.licence)

    def _teacher(self, name: str) -> Teacher | None:
        name = name or self.job.teacher_name
        if name not in self.teachers and name:
            checked(Teacher(name=name), "name")
            self.teachers[name], _made = Teacher.objects.get_or_create(project=self.job.project, name=name)
        return self.teachers.get(name)

    def _store(self, traces: list[Trace]) -> None:
        for tried in range(1, TRIES + 1):
            new = _new(traces)
            _mark(new)
            try:
                with transaction.atomic():
                    Trace.objects.bulk_create(new)
            except IntegrityError:
                # An order to the same teacher has stored one meanwhile; what it stored is seen now.
                if tried == TRIES:
                    raise
            else:
                self.stored += len(new)
                self.duplicates += len(traces) - len(new)
                return


def _new(traces: list[Trace]) -> list[Trace]:
    """Return the traces that are not there yet, each numbered after its teacher's earlier ones."""
    questions = {trace.question_id for trace in traces}
    teachers = {trace.teacher_id for trace in traces}
    there = Trace.objects.filter(question__in=questions, teacher__in=teachers).order_by()
    known = set(there.values_list("question_id", "teacher_id", "content_hash"))
    last = {
        (question, teacher): sample
        for question, teacher, sample in there.values_list("question_id", "teacher_id").annotate(
            Max("sample")
        )
    }
    new = []
    for trace in traces:
        pair = (trace.question_id, trace.teacher_id)
        if (*pair, trace.content_hash) in known:
            continue
        known.add((*pair, trace.content_hash))
        trace.sample = last[pair] = last.get(pair, -1) + 1
        new.append(trace)
    return new


def _mark(traces: Iterable[Trace]) -> None:
    """Mark answers against their questions' keys: the dearest step, so that none is marked that is there."""
    for trace in traces:
        for column, value in verdict_of(trace.question, trace.answer).items():
            setattr(trace, column, value)


def _trace(job: TraceImport, question: Question, teacher: Teacher, sample: Sample, licence: str) -> Trace:
    thinking, thinking_changed = neutralise(sample.thinking)
    answer, answer_changed = neutralise(sample.answer)
    said = neutralise("\n".join(filter(None, (job.terms, licence))))[0]
    return Trace(
        question=question,
        teacher=teacher,
        imported_by=job,
        thinking=thinking,
        answer=answer,
        thinking_tokens=estimate_tokens(thinking),
        answer_tokens=estimate_tokens(answer),
        finish_reason=neutralise(sample.finish_reason)[0],
        content_hash=trace_hash(thinking, answer),
        neutralised=thinking_changed or answer_changed,
        is_summary=job.is_summary or sample.is_summary,
        terms=said or teacher.terms,
    )


def _finish(job: TraceImport, found: Recognised, storing: _Storing) -> None:
    """Record how the file was read and what came of it.

    Raises:
        ClaimLost: the job was given to another worker; nothing of this one's stays.
    """
    facts = {
        "layout": found.layout,
        "mapping": dict(found.mapping),
        "rows_read": storing.rows_read,
        "stored": storing.stored,
        "duplicates": storing.duplicates,
        "unmatched": storing.unmatched,
        "failed": storing.failed,
        "faults": storing.faults,
        "fault_counts": dict(storing.fault_counts),
    }
    running = TraceImport.objects.filter(pk=job.pk, state=JobState.RUNNING, claims=job.claims)
    if not running.update(**facts):
        raise ClaimLost(job)
    for name, value in facts.items():
        setattr(job, name, value)


@dataclass(frozen=True)
class Left:
    """A row, or a reply in it, that became no trace: why, and the beginning of its question."""

    row_number: int
    reason: str
    text: str


def left_out(job: TraceImport) -> list[Left]:
    """Return the first rows of an import that became no trace, in the order of the file."""
    return [Left(number, str(SENTENCES[fault]), text) for number, fault, text in job.faults]


def reasons(job: TraceImport) -> list[tuple[str, int]]:
    """Return why rows became no trace, with how many there are of each, the most first."""
    counted = sorted(job.fault_counts.items(), key=lambda each: -each[1])
    return [(str(SENTENCES[fault]), rows) for fault, rows in counted]


def summary(job: TraceImport) -> dict[str, Any]:
    """Return what an import did, as its command and page report it."""
    return {
        "read": job.rows_read,
        "stored": job.stored,
        "duplicates": job.duplicates,
        "unmatched": job.unmatched,
        "failed": job.failed,
    }
