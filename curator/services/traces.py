"""Traces made elsewhere, matched to questions by id or by content."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.core.text import content_hash, estimate_tokens, neutralise
from common.models import Project
from curator import readers
from curator.core.dataset import trace_hash
from curator.core.rows import QuestionRow, read_row
from curator.models import Question, Teacher, Trace
from curator.services.marking import verdict_of

_QUESTION = {"question": "question", "options": "options", "external_id": "id"}
_THINKING = ("thinking", "reasoning", "reasoning_content", "thinking_trajectories", "trace", "思考")
_ANSWER = ("answer", "attempt", "content", "response", "回答")


@dataclass(frozen=True)
class TraceReport:
    """What became of a file of traces."""

    read: int
    stored: int
    duplicates: int
    unmatched: int
    failed: int  # rows with neither thinking nor answer


@transaction.atomic
def import_traces(*, project: Project, teacher_name: str, path: Path, file_name: str = "") -> TraceReport:
    """Store the traces whose question is in the project; the same trace again adds nothing.

    The teacher is made if the project has none of that name; it then has no address to be asked at.

    Raises:
        Refusal: no table, a missing column, or a name that no teacher can have.
    """
    checked(Teacher(name=teacher_name), "name")
    table = readers.open_table(path, file_name)
    file_name = file_name or path.name
    thinking, answer = _column(table, _THINKING, file_name), _column(table, _ANSWER, file_name)
    if not {"question", "id"} & set(table.columns):
        raise Refusal(
            _(
                "%(file)s has neither a column question nor a column id; name the one that says which question."
            )
            % {"file": file_name}
        )
    Project.objects.select_for_update().get(pk=project.pk)
    teacher, _made = Teacher.objects.get_or_create(project=project, name=teacher_name)
    questions = _Finder(project)
    known = set(Trace.objects.filter(teacher=teacher).values_list("question_id", "content_hash"))
    samples: Counter[int] = Counter(
        Trace.objects.filter(teacher=teacher).values_list("question_id", flat=True)
    )
    traces: list[Trace] = []
    duplicates = unmatched = failed = 0
    for number, row in enumerate(table.rows, start=table.first_row):
        question = questions.find(row, number)
        if question is None:
            unmatched += 1
            continue
        trace = _trace(
            question, teacher, _text(row.get(thinking)), _text(row.get(answer)), samples[question.pk]
        )
        if not trace.thinking.strip() and not trace.answer.strip():
            failed += 1
            continue
        if (question.pk, trace.content_hash) in known:
            duplicates += 1
            continue
        known.add((question.pk, trace.content_hash))
        samples[question.pk] += 1
        traces.append(trace)
    Trace.objects.bulk_create(traces, batch_size=500)
    return TraceReport(len(table.rows), len(traces), duplicates, unmatched, failed)


def _column(table: readers.Table, names: tuple[str, ...], file_name: str) -> str:
    found = next((name for name in names if name in table.columns), None)
    if found is None:
        raise Refusal(
            _("%(file)s has no column %(wanted)s; it has %(columns)s.")
            % {"file": file_name, "wanted": " / ".join(names), "columns": ", ".join(table.columns)}
        )
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "\n\n".join(str(part) for part in value)
    return "" if value is None else str(value)


class _Finder:
    """Finds the question that a row of traces speaks of: by the hash of its content, else by its id."""

    def __init__(self, project: Project) -> None:
        rows: list[Question] = list(
            Question.objects.filter(project=project).only("content_hash", "external_id", "key", "options")
        )
        self.by_hash = {question.content_hash: question for question in rows}
        self.by_id = {question.external_id: question for question in rows if question.external_id}

    def find(self, row: dict[str, Any], number: int) -> Question | None:
        mapping = {field: column for field, column in _QUESTION.items() if column in row}
        read = read_row(row, mapping, number)
        if isinstance(read, QuestionRow):
            for identity in (read.content_hash, content_hash(read.text)):
                if identity in self.by_hash:
                    return self.by_hash[identity]
        given = row.get("id")
        # A spreadsheet's 7.0 is the id 7, and an id may be 0.
        given = int(given) if isinstance(given, float) and given.is_integer() else given
        return None if given is None else self.by_id.get(str(given).strip())


def _trace(question: Question, teacher: Teacher, thinking: str, answer: str, sample: int) -> Trace:
    clean_thinking, thinking_changed = neutralise(thinking)
    clean_answer, answer_changed = neutralise(answer)
    return Trace(
        question=question,
        teacher=teacher,
        sample=sample,
        thinking=clean_thinking,
        answer=clean_answer,
        thinking_tokens=estimate_tokens(clean_thinking),
        answer_tokens=estimate_tokens(clean_answer),
        finish_reason="stop",
        content_hash=trace_hash(clean_thinking, clean_answer),
        neutralised=thinking_changed or answer_changed,
        **verdict_of(question, clean_answer),
    )
