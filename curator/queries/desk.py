"""What a reviewer reads at the desk: a trace in steps, the answers beside it, and what was said about it."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.core.rendering import rendered, visible
from common.models import Membership, Project, User
from curator.core.best import answer_form
from curator.core.differences import Piece, condensed, differences
from curator.core.steps import Kind, Step, cut, folds, opened, title
from curator.models import Draft, Flag, Grade, Question, Remark, Trace, TraceEdit
from curator.queries.best import get_patterns
from curator.queries.desk_html import StepHtml, outline_line
from curator.queries.signals import SignalGroup, get_signals

KINDS = {
    Kind.CORRECTION: _("corrects itself"),
    Kind.CHECK: _("checks"),
    Kind.ALTERNATIVE: _("tries another way"),
    Kind.CONCLUSION: _("concludes"),
}
LONGEST_SAID = 200  # characters of a final answer
_NOTED = """SELECT EXISTS (SELECT FROM curator_review WHERE trace_id = %(trace)s),
    EXISTS (SELECT FROM curator_draft WHERE trace_id = %(trace)s AND reviewer_id = %(reader)s),
    EXISTS (SELECT FROM curator_remark WHERE trace_id = %(trace)s),
    EXISTS (SELECT FROM curator_flag WHERE trace_id = %(trace)s AND settled_at IS NULL),
    EXISTS (SELECT FROM curator_grade WHERE trace_id = %(trace)s),
    (SELECT count(*) FROM curator_traceedit WHERE trace_id = %(trace)s)"""


@dataclass(frozen=True)
class StepRow:
    """A step as the page shows it; a closed one has no text yet."""

    number: int
    start: int
    end: int
    title: str
    kind_name: str
    remarks: tuple[Remark, ...]
    html: SafeString
    bare: SafeString  # the whole step, where nothing is said about it


@dataclass(frozen=True)
class Run:
    """Steps that stand together; routine ones are folded into one line."""

    steps: tuple[StepRow, ...]
    is_folded: bool
    tokens: int

    @property
    def bare(self) -> SafeString:
        """Return all of its steps, where nothing is said about any."""
        parts = [step.bare for step in self.steps]
        return SafeString("".join(parts)) if all(parts) else SafeString()

    @property
    def first(self) -> int:
        """Return the number of its first step."""
        return self.steps[0].number

    @property
    def last(self) -> int:
        """Return the number of its last step."""
        return self.steps[-1].number

    @property
    def title(self) -> str:
        """Return how its first step begins."""
        return self.steps[0].title


@dataclass(frozen=True)
class Rival:
    """One of the traces of a question, as its answer stands beside the others."""

    trace: Trace
    name: str
    said: str
    agreeing: int
    is_shown: bool
    is_chosen: bool


@dataclass(frozen=True)
class Desk:
    """All of one trace that a reviewer reads."""

    steps: tuple[StepRow, ...]
    runs: tuple[Run, ...]
    rivals: tuple[Rival, ...]
    question_html: SafeString
    options_html: tuple[SafeString, ...]
    outline: SafeString  # a link to every step, as the lines of a list
    answer_html: SafeString
    answer_remarks: tuple[Remark, ...]
    grade: str
    earlier: int
    is_raw: bool

    @property
    def is_only(self) -> bool:
        """Tell whether the question has no other trace."""
        return len(self.rivals) < 2

    @property
    def shown(self) -> Rival:
        """Return the trace that is read."""
        return next(rival for rival in self.rivals if rival.is_shown)


@dataclass(frozen=True)
class Noted:
    """What there is about a trace; of most there is nothing, and nothing of it is asked for."""

    reviews: bool
    draft: bool  # the reader's
    remarks: bool
    flags: bool
    grade: bool
    edits: int


def get_noted(trace: Trace, reader: User) -> Noted:
    """Return what there is about a trace."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTED, {"trace": trace.pk, "reader": reader.pk})
        return Noted(*cursor.fetchone())


def get_desk(
    trace: Trace,
    question: Question,
    noted: Noted,
    *,
    is_raw: bool,
    chosen: int | None,
    blind_for: User | None = None,
) -> Desk:
    """Return all of a trace that a reviewer reads; `chosen` is the key of the one that stands for the question, if any.

    For whom it is blind does not learn which teacher wrote what, nor which trace stands.
    """
    remarks = list(get_remarks(trace)) if noted.remarks else []
    found = cut(trace.thinking)
    places = [remark.start for remark in remarks if remark.part == Remark.Part.THINKING]
    steps = _steps(trace, found, remarks, shown=opened(found, places=places), is_raw=is_raw)
    return Desk(
        steps=steps,
        runs=tuple(_runs(trace, found, steps, places)),
        rivals=tuple(get_rivals(question, shown=trace, chosen=chosen, blind_for=blind_for)),
        question_html=_html(question.text, is_raw=is_raw),
        options_html=tuple(_html(option, is_raw=is_raw) for option in question.options),
        outline=SafeString("".join(outline_line(step.number, step.title) for step in steps)),
        answer_html=_html(trace.answer, is_raw=is_raw),
        answer_remarks=tuple(remark for remark in remarks if remark.part == Remark.Part.ANSWER),
        grade=_grade(trace) if noted.grade else "",
        earlier=noted.edits,
        is_raw=is_raw,
    )


def get_trace_signals(trace: Trace, question: Question) -> tuple[SignalGroup, ...]:
    """Return what a reviewer should look at first in a trace, by kind."""
    return get_signals(trace, question, cut(trace.thinking), get_patterns(question.project))


def get_step(trace: Trace, number: int, *, is_raw: bool) -> SafeString:
    """Return the text of one step of a trace's thinking; that of a step that is not there is empty."""
    steps = cut(trace.thinking)
    if not 1 <= number <= len(steps):
        return SafeString()
    step = steps[number - 1]
    return _html(trace.thinking[step.start : step.end], is_raw=is_raw)


def get_remarks(trace: Trace) -> "QuerySet[Remark]":
    """Return the comments on a trace in the order of their places."""
    rows: QuerySet[Remark] = trace.remarks.select_related("author")
    return rows


def get_rivals(
    question: Question, *, shown: Trace, chosen: int | None, blind_for: User | None = None
) -> list[Rival]:
    """Return the traces of a question with their answers; those that no other agrees with come first.

    For whom it is blind sees letters in place of names, in an order of their own.
    """
    rows_of = Trace.objects.filter(question=question).select_related("teacher")
    traces = list(rows_of.defer("thinking", *(() if shown.answer_form is None else ("answer",))))
    forms = {trace.pk: _form(trace, question) for trace in traces}
    counts = Counter(form for form in forms.values() if form)
    rows = [
        Rival(
            trace=trace,
            name=trace.teacher.name if blind_for is None else "",
            said=forms[trace.pk][:LONGEST_SAID],
            agreeing=counts[forms[trace.pk]],
            is_shown=trace.pk == shown.pk,
            is_chosen=trace.pk == chosen and blind_for is None,
        )
        for trace in traces
    ]
    if blind_for is None:
        return sorted(rows, key=lambda row: (row.agreeing, row.name, row.trace.pk))
    shuffled = sorted(rows, key=lambda row: (row.agreeing, _shuffled(row.trace, blind_for)))
    return [
        replace(row, name=gettext("Trace %(letter)s") % {"letter": chr(65 + place % 26)})
        for place, row in enumerate(shuffled)
    ]


def _shuffled(trace: Trace, reviewer: User) -> str:
    """Return what puts traces in an order that says nothing of their teachers, another one for each reviewer."""
    return hashlib.sha256(f"{trace.pk} {reviewer.pk}".encode()).hexdigest()


def _form(trace: Trace, question: Question) -> str:
    if trace.answer_form is not None:
        return str(trace.answer_form)
    return answer_form(trace.answer, options=tuple(question.options), key=question.key)


def _grade(trace: Trace) -> str:
    grade = Grade.objects.filter(trace=trace).first()
    return str(grade) if grade else ""


def get_draft(trace: Trace, reviewer: User) -> Draft | None:
    """Return a reviewer's draft of a judgement."""
    found: Draft | None = Draft.objects.filter(trace=trace, reviewer=reviewer).first()
    return found


def get_flags(trace: Trace) -> "QuerySet[Flag]":
    """Return the flags of a trace at which nobody has looked."""
    rows: QuerySet[Flag] = Flag.objects.filter(trace=trace, settled_at=None)
    return rows.select_related("raised_by", "colleague")


def get_colleagues(project: Project, reader: User) -> list[tuple[int, str]]:
    """Return keys and names of whom a reader can ask about a trace, by name."""
    members = Membership.objects.filter(project=project).exclude(user=reader)
    rows = members.values_list("user_id", "user__name", "user__email")
    return sorted(((key, name or email) for key, name, email in rows), key=lambda row: row[1].casefold())


@dataclass(frozen=True)
class Edit:
    """One change of a trace: for each part that was changed its name and how it became what it was after."""

    row: TraceEdit
    parts: tuple[tuple[str, list[Piece]], ...]


def get_edits(trace: Trace) -> list[Edit]:
    """Return the changes of a trace, the latest first."""
    rows = list(TraceEdit.objects.filter(trace=trace).select_related("editor"))
    edits = []
    for before, after in zip(rows, [*rows[1:], trace], strict=False):
        parts = tuple(
            (name, condensed(differences(getattr(before, name), getattr(after, name)), around=200))
            for name in ("thinking", "answer")
            if getattr(before, name) != getattr(after, name)
        )
        edits.append(Edit(before, parts))
    return edits[::-1]


def located(
    trace: Trace, *, part: str, step_start: int, step_end: int | None, block_start: int | None, quote: str
) -> dict[str, Any] | None:
    """Return where in a part of a trace a quote stands that was marked in one of its steps; None where nowhere.

    `block_start` is where in the step the paragraph begins in which the mark does: the same words may stand above
    it. What was marked in a rendered formula is not found word for word: then it is from there to the step's end.
    """
    text: str = getattr(trace, part)
    end = len(text) if step_end is None else min(step_end, len(text))
    start = step_start + (block_start or 0)
    if not 0 <= start < end:
        return None
    at = text.find(quote, start, end)
    if at < 0:
        return {"part": part, "start": start, "end": end}
    return {"part": part, "start": at, "end": at + len(quote)}


def _steps(
    trace: Trace,
    found: tuple[Step, ...],
    remarks: list[Remark],
    *,
    shown: frozenset[int],
    is_raw: bool,
) -> tuple[StepRow, ...]:
    writer = StepHtml.of(trace.pk, is_raw=is_raw)
    kinds = {kind: str(name) for kind, name in KINDS.items()}
    return tuple(
        _row(
            trace,
            step,
            number,
            writer,
            kinds.get(step.kind, ""),
            remarks,
            is_open=number in shown,
            is_raw=is_raw,
        )
        for number, step in enumerate(found, 1)
    )


def _row(
    trace: Trace,
    step: Step,
    number: int,
    writer: StepHtml,
    kind: str,
    remarks: list[Remark],
    *,
    is_open: bool,
    is_raw: bool,
) -> StepRow:
    text = trace.thinking[step.start : step.end]
    heading = visible(title(text))
    html = _html(text, is_raw=is_raw) if is_open else SafeString()
    own = tuple(
        remark
        for remark in remarks
        if remark.part == Remark.Part.THINKING and step.start <= remark.start < step.end
    )
    bare = SafeString()
    if not own:
        bare = writer.bare(number, start=step.start, end=step.end, title=heading, kind=kind, html=html)
    return StepRow(
        number=number,
        start=step.start,
        end=step.end,
        title=heading,
        kind_name=kind,
        remarks=own,
        html=html,
        bare=bare,
    )


def _runs(trace: Trace, found: tuple[Step, ...], steps: tuple[StepRow, ...], places: list[int]) -> list[Run]:
    """Return the steps in runs; several routine ones that are closed are folded into one line."""
    rows = folds(found, trace.thinking, places=places)
    return [Run(steps[fold.first - 1 : fold.last], fold.is_folded, fold.tokens) for fold in rows]


def _html(text: str, *, is_raw: bool) -> SafeString:
    if is_raw:
        return SafeString(f'<div class="text">{visible(escape(text))}</div>')
    shown = rendered(text)
    note = gettext("Too long or too deeply nested to be typeset; it is shown as it was written.")
    return SafeString(f'<p class="quiet">{escape(note)}</p>{shown.html}' if shown.is_plain else shown.html)
