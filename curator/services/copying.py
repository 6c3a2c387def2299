"""Questions on their way into PostgreSQL: one part is stored while the next is being read.

A thread of its own hands the server one COPY after the other, inside the transaction of the import.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from curator.core.rows import QuestionRow
from curator.models import CopyRuling, Domain, DomainSource, Import, Standing

# Between fields, between rows, and for what is not known. None of them occurs in a question: every text of a
# row was neutralised, which takes control characters away. So a backslash and a line feed are all to escape.
_FIELD, _ROW, _NULL = "\x1f", "\x1e", "\x1c"
_COLUMNS = (
    "project_id, pool_id, imported_by_id, created_at, changed_at, copy_ruling, standing, content_hash, "
    "external_id, text, options, key, solution, marks, language, domain_id, domain_source, rating, tags, "
    "neutralised"
)
_WITHOUT_TRIGGERS = "set local session_replication_role = replica"
_WITH_TRIGGERS = "set local session_replication_role = origin"
_COPY = f"copy curator_question ({_COLUMNS}) from stdin (delimiter E'\\x1f', null E'\\x1c')"


@contextmanager
def writing(job: Import) -> Iterator["Writer"]:
    """Yield what stores an import's questions, inside the transaction that is open."""
    _hold_parents(job)
    skips = _may_skip_look_ups()
    with connection.cursor() as cursor, ThreadPoolExecutor(max_workers=1) as thread:
        # Where every key is looked up, that is done after each COPY while the next rows are being read.
        cursor.execute("set constraints all immediate")
        yield Writer(job, thread, skips_look_ups=skips)
        cursor.execute("set constraints all deferred")


def _hold_parents(job: Import) -> None:
    """Lock the project, the pool and the import, as a foreign key would: they can change, and cannot go."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select from common_project project, curator_pool pool, curator_import import "
            "where import.id = %s and pool.id = import.pool_id and project.id = pool.project_id "
            "for key share",
            [job.pk],
        )


def _may_skip_look_ups() -> bool:
    """Tell whether our database role may leave out triggers; the embedded and the composed one may."""
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('is_superuser') = 'on'")
        allowed: bool = cursor.fetchone()[0]
        return allowed


@contextmanager
def without_look_ups() -> Iterator[None]:
    """Let rows be stored inside without a look-up of each key that they name, where our role may leave it out.

    The caller has locked all that the rows refer to. Inside the transaction of the import.
    """
    if not _may_skip_look_ups():
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_TRIGGERS)
        yield
        cursor.execute(_WITH_TRIGGERS)


class Writer:
    """Copies questions on a thread of its own; the database does one thing at a time.

    A foreign key costs a look-up and a lock for each row, for the same few rows over and over, and the four
    of a question cost more than all its indexes together. All that an import's rows refer to is locked here
    beforehand, and `skips_look_ups` leaves them out; a test holds that no other trigger is left out with them.
    """

    def __init__(self, job: Import, thread: Executor, *, skips_look_ups: bool) -> None:
        self.thread = thread
        self.sent: Future[None] | None = None
        self.domains = _Domains(job.pool.project_id)
        self.head = _head(job, timezone.now())
        self.copy = _copy_without_look_ups if skips_look_ups else _copy

    def wait(self) -> None:
        """Wait for what was sent last, and raise what became of it."""
        sent, self.sent = self.sent, None
        if sent is not None:
            with connection.wrap_database_errors:
                sent.result()

    def send(self, rows: Sequence[QuestionRow]) -> None:
        """Hand over rows to be stored, once those before are."""
        if {row.domain for row in rows} - self.domains.keys():
            self.wait()
            self.domains.add(rows)
        block = _block(rows, self.head, self.domains)
        self.wait()
        if rows:
            self.sent = self.thread.submit(self.copy, connection.connection, block)


class _Domains(dict[str, int | None]):
    """The keys of a project's domains by the name or code that a file gives them."""

    def __init__(self, project_id: int) -> None:
        super().__init__({"": None})
        self.project_id = project_id

    def add(self, rows: Iterable[QuestionRow]) -> None:
        """Learn the domains that rows name; unknown ones join the taxonomy."""
        named = {row.domain for row in rows} - self.keys()
        known = Domain.objects.filter(project=self.project_id)
        by_name = {name: code for code, name in known.values_list("code", "name")}
        made = [
            Domain(project_id=self.project_id, code=name[:100], name=name)
            for name in sorted(named - by_name.keys())
        ]
        Domain.objects.bulk_create(made, ignore_conflicts=True)
        keys = self._held()
        self.update({name: keys[by_name.get(name, name[:100])] for name in named})

    def _held(self) -> dict[str, int]:
        """Return the keys by code, of rows that cannot go before the transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select code, id from curator_domain where project_id = %s for key share", [self.project_id]
            )
            return dict(cursor.fetchall())


def _head(job: Import, now: datetime) -> str:
    """Return the fields that all questions of an import share, the first of each row."""
    shared = (job.pool.project_id, job.pool_id, job.pk, now, now, CopyRuling.OPEN.value, Standing.OPEN.value)
    return _FIELD.join(map(str, shared))


def _block(rows: Sequence[QuestionRow], head: str, domains: Mapping[str, int | None]) -> bytes:
    """Return rows as COPY reads them.

    Raises:
        ValueError: a text holds a control character that marks the end of a field or row.
    """
    lines = _ROW.join([_FIELD.join((head, *_fields(row, domains))) for row in rows]).encode()
    fields, ends = lines.count(_FIELD.encode()), lines.count(_ROW.encode())
    if fields != len(rows) * _COLUMNS.count(",") or ends != max(len(rows) - 1, 0):
        raise ValueError("A control character is left in a row's text.")
    return lines.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(_ROW.encode(), b"\n") + b"\n"


def _fields(row: QuestionRow, domains: Mapping[str, int | None]) -> tuple[str, ...]:
    return (
        row.content_hash,
        row.external_id,
        row.text,
        _array(row.options),
        row.key,
        row.solution,
        _NULL if row.marks is None else str(row.marks),
        row.language,
        str(domains[row.domain]) if row.domain else _NULL,
        DomainSource.FILE.value if row.domain else "",
        _NULL if row.rating is None else str(row.rating),
        _array(row.tags),
        "t" if row.neutralised else "f",
    )


def _array(texts: Sequence[str]) -> str:
    """Return texts as PostgreSQL writes an array."""
    if not texts:
        return "{}"
    escaped = _ROW.join(texts).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + escaped.replace(_ROW, '","') + '"}'


def _copy(raw: psycopg.Connection[Any], block: bytes) -> None:
    with raw.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(block)


def _copy_without_look_ups(raw: psycopg.Connection[Any], block: bytes) -> None:
    with raw.cursor() as cursor:
        cursor.execute(_WITHOUT_TRIGGERS)
        _copy(raw, block)
        cursor.execute(_WITH_TRIGGERS)
