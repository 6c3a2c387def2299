"""The best trace of a question, by a stated rule: right, then without a flaw, then the longer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RankedTrace:
    """What a trace is ranked by."""

    id: int
    is_right: bool
    flaw: str
    tokens: int


def best_trace(traces: Sequence[RankedTrace]) -> RankedTrace | None:
    """Return the best of a question's traces, or None where there is none."""
    return min(traces, key=lambda it: (not it.is_right, bool(it.flaw), -it.tokens, it.id), default=None)
