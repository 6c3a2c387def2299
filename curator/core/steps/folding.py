"""Which steps of a trace are shown at first, and which fold into one line."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import NamedTuple

from common.core.text import estimate_tokens
from curator.core.steps.cutting import Step, number_at

AT_ONCE = 6_000  # characters from the beginning that are open at first
RUN = 12  # steps that fold into one line at most


class Fold(NamedTuple):
    """Steps that stand together, by their numbers from 1; `tokens` is about how long they are."""

    first: int
    last: int
    is_folded: bool
    tokens: int


def opened(steps: Sequence[Step], *, places: Collection[int] = (), at_once: int = AT_ONCE) -> frozenset[int]:
    """Return the numbers of the steps that are open at first.

    They are as many from the beginning as have `at_once` characters, at least one; the last; and those in which
    one of `places` stands: a signal, a comment, a judge's doubt.
    """
    if not steps:
        return frozenset()
    early = (number for number, step in enumerate(steps, 1) if step.end <= at_once)
    return frozenset({1, len(steps), *early, *(number_at(steps, place) for place in places)})


def folds(
    steps: Sequence[Step], text: str, *, places: Collection[int] = (), at_once: int = AT_ONCE
) -> tuple[Fold, ...]:
    """Return the steps of a text in order, in folds: an open step is one, several routine ones are one line."""
    shown = opened(steps, places=places, at_once=at_once)
    found = []
    for is_open, group in groupby(range(1, len(steps) + 1), key=shown.__contains__):
        numbers = list(group)
        length = 1 if is_open else RUN
        for part in (numbers[place : place + length] for place in range(0, len(numbers), length)):
            tokens = estimate_tokens(text[steps[part[0] - 1].start : steps[part[-1] - 1].end])
            found.append(Fold(part[0], part[-1], len(part) > 1, tokens))
    return tuple(found)
