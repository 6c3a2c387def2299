"""Two traces of one question beside each other: their steps, their answers, and what nobody else says."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from common.core.rendering import rendered
from common.models import User
from curator.core.steps import cut
from curator.models import Question, Trace
from curator.queries.best import get_chosen
from curator.queries.desk import Rival, get_rivals

LONGEST = 60_000  # characters of a trace's thinking that one page shows


@dataclass(frozen=True)
class Column:
    """One of two traces; `rest` is how many characters of its thinking the page leaves out."""

    rival: Rival
    steps: tuple[SafeString, ...]
    answer: SafeString
    rest: int


@dataclass(frozen=True)
class Beside:
    """Two traces, and all of the question's to choose from."""

    columns: tuple[Column, ...]
    rivals: tuple[Rival, ...]

    @property
    def differ(self) -> bool:
        """Tell whether the two name different answers."""
        said = [column.rival.said for column in self.columns]
        return len(set(said)) > 1


def get_beside(
    question: Question, *, left: int | None, right: int | None, blind_for: User | None = None
) -> Beside:
    """Return two traces of a question, those asked for by key, else the two that most others disagree with."""
    chosen = get_chosen(question)
    known = list(Trace.objects.filter(question=question).defer("thinking")[:1])
    if not known:
        return Beside((), ())
    rivals = get_rivals(
        question, shown=known[0], chosen=chosen.trace_id if chosen else None, blind_for=blind_for
    )
    by_key = {rival.trace.pk: rival for rival in rivals}
    wanted = [key for key in (left, right) if key in by_key]
    wanted += [rival.trace.pk for rival in rivals if rival.trace.pk not in wanted]
    return Beside(tuple(_column(by_key[key]) for key in wanted[:2]), tuple(rivals))


def _column(rival: Rival) -> Column:
    trace = Trace.objects.get(pk=rival.trace.pk)
    text = trace.thinking[:LONGEST]
    steps = tuple(SafeString(rendered(text[step.start : step.end]).html) for step in cut(text))
    answer = SafeString(rendered(trace.answer).html)
    return Column(rival, steps, answer, max(len(trace.thinking) - LONGEST, 0))
