"""How an item of a benchmark is judged; an answer that cannot be read is a verdict of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.core.answers import Outcome, mark

PARTLY_CREDIT = 0.5  # some right options and no wrong one: half the marks, as in the Gaokao's physics papers


@dataclass(frozen=True)
class Grade:
    """The outcome of one answer, and the share of the item's marks that it earns."""

    outcome: str
    answer: str | None
    rule: str
    credit: float


def grade(reply: str, *, key: str, options: Sequence[str] = ()) -> Grade:
    """Judge the text after the thinking against the key."""
    marked = mark(reply, key=key, options=options)
    credit = {Outcome.RIGHT: 1.0, Outcome.PARTLY: PARTLY_CREDIT}.get(marked.outcome, 0.0)
    return Grade(marked.outcome.value, marked.answer, marked.rule, credit)
