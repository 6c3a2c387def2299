"""What questions and traces show of bad quality: read once, and kept beside them.

Null means not read yet. A method chooses among the names that are kept, so that a draw reads no text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from psycopg import sql

from common.checks import checked
from common.core.refusal import Refusal
from common.jobs import Pulse
from common.models import Project
from curator.core.best import answer_form
from curator.core.quality import (
    PATTERNS,
    Pattern,
    Place,
    Specimen,
    compiled,
    own_pattern,
    question_flaws,
    trace_flaws,
)
from curator.models import QualityPattern, Question, Trace
from curator.queries.repeats import counted_source

MOST_OWN_PATTERNS = 40  # with the built-in ones they fit into the bits of one number
QUESTIONS_AT_ONCE, TRACES_AT_ONCE = 5_000, 500
SAMPLED_TRACES = 1_000
EXAMPLES = 3


def patterns_of(project: Project) -> tuple[Pattern, ...]:
    """Return the patterns that a project looks for: the built-in ones, then its own."""
    own = [
        own_pattern(name=row.name, place=row.place, expression=row.expression, reason=row.reason)
        for row in QualityPattern.objects.filter(project=project)
    ]
    return (*PATTERNS, *own)


def read_missing_flaws(project: Project, pulse: Pulse) -> None:
    """Read every question and trace that was not read since the patterns last changed.

    What was read is kept batch by batch, so a worker that takes over goes on from there.
    """
    patterns = patterns_of(project)
    questions = Question.objects.filter(project=project, flaws__isnull=True)
    traces = unread_traces(project)
    total, done = questions.count() + traces.count(), 0
    for read in (_read_questions(questions, patterns), _read_traces(traces, patterns)):
        for count in read:
            done += count
            pulse(done, max(total, done), phase=_("reading"))


def unread_traces(project: Project) -> "QuerySet[Trace]":
    """Return the traces whose flaws or whose answer were not read since the patterns last changed."""
    rows: QuerySet[Trace] = Trace.objects.filter(question__project=project)
    return rows.filter(Q(flaws__isnull=True) | Q(answer_form__isnull=True))


def _read_questions(rows: "QuerySet[Question]", patterns: Sequence[Pattern]) -> Iterable[int]:
    columns = rows.annotate(source=counted_source()).values_list("pk", "text", "language", "source")
    for batch in _batches(columns, QUESTIONS_AT_ONCE):
        _keep(
            Question,
            [
                (pk, question_flaws(Specimen(text, source=source, language=language), patterns))
                for pk, text, language, source in batch
            ],
        )
        yield len(batch)


def _read_traces(rows: "QuerySet[Trace]", patterns: Sequence[Pattern]) -> Iterable[int]:
    columns = rows.annotate(
        language=F("question__language"), options=F("question__options"), key=F("question__key")
    ).values_list("pk", "thinking", "answer", "finish_reason", "language", "options", "key")
    for batch in _batches(columns, TRACES_AT_ONCE):
        _keep(
            Trace,
            [
                (
                    pk,
                    trace_flaws(Specimen("", thinking, answer, finish, "", language, key, options), patterns),
                )
                for pk, thinking, answer, finish, language, options, key in batch
            ],
        )
        _keep_forms([(row[0], answer_form(row[2], options=tuple(row[5]), key=row[6])) for row in batch])
        yield len(batch)


def _keep_forms(read: Sequence[tuple[int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update curator_trace as kept set answer_form = read.form"
            " from unnest(%s::bigint[], %s::text[]) as read(id, form) where kept.id = read.id",
            [[pk for pk, _form in read], [form for _pk, form in read]],
        )


def _batches(rows: "QuerySet[Any, Any]", size: int) -> Iterable[list[tuple[Any, ...]]]:
    """Yield rows, each once, by key, while their flaws are being written."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield batch
        last = batch[-1][0]


def _keep(table: type[Question] | type[Trace], found: Sequence[tuple[int, list[str]]]) -> None:
    update = sql.SQL(
        "update {} as kept set flaws = string_to_array(read.flaws, ',')"
        " from unnest(%s::bigint[], %s::text[]) as read(id, flaws) where kept.id = read.id"
    ).format(sql.Identifier(table._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(update, [[pk for pk, _flaws in found], [",".join(flaws) for _pk, flaws in found]])


@dataclass(frozen=True)
class LiveCount:
    """How many texts an expression is found in, of how many that were looked at, of how many there are."""

    hits: int
    seen: int
    total: int
    examples: tuple[tuple[int, str], ...]  # the key of a question, and its text or its trace's

    @property
    def is_sample(self) -> bool:
        """Tell whether only a part was looked at."""
        return self.seen < self.total


def live_count(*, project: Project, place: str, expression: str) -> LiveCount:
    """Return what an expression would find: in all questions, or in a sample of the traces.

    Raises:
        BadPattern: the expression cannot be used.
    """
    search = compiled(expression)
    if place == Place.QUESTION:
        rows = Question.objects.filter(project=project).order_by("pk").values_list("pk", "text")
        return _counted(rows, search, rows.count())
    keys = list(Trace.objects.filter(question__project=project).order_by("pk").values_list("pk", flat=True))
    sample = Random(len(keys)).sample(keys, min(SAMPLED_TRACES, len(keys)))
    column = "thinking" if place == Place.THINKING else "answer"
    traces = Trace.objects.filter(pk__in=sample).order_by("pk").values_list("question_id", column)
    return _counted(traces, search, len(keys))


def _counted(rows: "QuerySet[Any, Any]", search: Callable[[str], bool], total: int) -> LiveCount:
    hits = seen = 0
    examples: list[tuple[int, str]] = []
    for pk, text in rows.iterator(chunk_size=QUESTIONS_AT_ONCE):
        seen += 1
        if search(text):
            hits += 1
            if len(examples) < EXAMPLES:
                examples.append((pk, text))
    return LiveCount(hits, seen, total, tuple(examples))


@transaction.atomic
def save_pattern(
    *,
    project: Project,
    name: str,
    place: str,
    expression: str,
    reason: str,
    pattern: QualityPattern | None = None,
) -> QualityPattern:
    """Add a project's own pattern, or change one; what it looks at is read again by the next selection.

    Raises:
        Refusal: the expression or the name cannot be used, or there are too many.
    """
    own_pattern(name=name, place=place, expression=expression, reason=reason)
    changed = pattern or QualityPattern(project=project)
    places = {place} | ({pattern.place} if pattern else set())
    changed.name, changed.place, changed.expression, changed.reason = name, place, expression, reason
    checked(changed, "name", "place", "expression", "reason")
    if pattern is None and project.quality_patterns.count() >= MOST_OWN_PATTERNS:
        raise Refusal(
            _("A project has %(most)s patterns of its own at most; remove one.") % {"most": MOST_OWN_PATTERNS}
        )
    try:
        with transaction.atomic():
            changed.save()
    except IntegrityError as error:
        raise Refusal(
            _("There is a pattern named %(name)s already; choose another name.") % {"name": name}
        ) from error
    _forget(project, places)
    return changed


@transaction.atomic
def remove_pattern(*, pattern: QualityPattern) -> None:
    """Remove a project's own pattern; what it found counts no more."""
    pattern.delete()


def _forget(project: Project, places: set[str]) -> None:
    if Place.QUESTION in places:
        Question.objects.filter(project=project).update(flaws=None)
    if places - {Place.QUESTION}:
        Trace.objects.filter(question__project=project).update(flaws=None)
