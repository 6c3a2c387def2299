"""The first rows of a file of traces as they would be stored, before any of them is."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from common.core.text import content_hash
from common.models import Project
from curator import readers
from curator.core.layouts import NoTrace, Sample, TraceRow, read_trace_row
from curator.models import Question
from curator.services.finding import Finder, Missing
from curator.services.traces import SENTENCES
from curator.services.uploads import Upload

PREVIEWED_ROWS = 5


@dataclass(frozen=True)
class Previewed:
    """One row as it would be read: its replies and the question they are to, or why it is left out.

    `is_same` tells that the question was found by what it says, and not by its id alone.
    """

    row_number: int
    text: str
    question: Question | None = None
    samples: tuple[Sample, ...] = ()
    reason: str = ""
    is_same: bool = False


def first_rows(upload: Upload) -> readers.Table:
    """Return the beginning of an upload; the rest is not read.

    Raises:
        Refusal: it is no table.
    """
    return readers.peek(upload.path, upload.file_name, rows=PREVIEWED_ROWS)


def samples_of(table: readers.Table) -> dict[str, tuple[str, ...]]:
    """Return the first values of each column, as text."""
    rows = [row for _number, row in islice(table.numbered(), PREVIEWED_ROWS)]
    return {
        column: tuple("" if row.get(column) is None else str(row[column]) for row in rows)
        for column in table.columns
    }


def preview(project: Project, table: readers.Table, mapping: Mapping[str, str]) -> list[Previewed]:
    """Return the first rows as they would be read under a complete mapping."""
    read = [
        (number, read_trace_row(row, mapping)) for number, row in islice(table.numbered(), PREVIEWED_ROWS)
    ]
    found = Finder(project).find([row for _number, row in read if isinstance(row, TraceRow)])
    return [_previewed(number, row, found) for number, row in read]


def _previewed(number: int, row: TraceRow | NoTrace, found: Mapping[int, Question | Missing]) -> Previewed:
    if isinstance(row, NoTrace):
        return Previewed(number, row.question, reason=str(SENTENCES[row.fault]))
    question = found[id(row)]
    text = row.question or row.external_id
    if isinstance(question, Missing):
        return Previewed(number, text, samples=row.samples, reason=str(SENTENCES[question]))
    is_same = not row.identities or _hashes(question) & set(row.identities) != set()
    return Previewed(number, text, question, row.samples, is_same=is_same)


def _hashes(question: Question) -> set[str]:
    """Return the hashes of a question as it stands, and of its text without options."""
    return {question.content_hash, content_hash(question.text)}
