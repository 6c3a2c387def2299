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


def why_best(traces: Sequence[RankedTrace]) -> str:
    """Return the sentence that says why the best of a question's traces is the best."""
    best = best_trace(traces)
    if best is None:
        return "No teacher has answered the question."
    if len(traces) == 1:
        return "It is the only trace."
    equals = [it for it in traces if (it.is_right, bool(it.flaw)) == (best.is_right, bool(best.flaw))]
    right = "agrees with the key" if best.is_right else "does not agree with the key, as no other does"
    flaw = "shows a flaw" if best.flaw else "shows no flaw"
    if len(equals) == 1:
        return f"Of {len(traces)} traces it alone {right} and {flaw}."
    return f"Of {len(traces)} traces it {right}, {flaw}, and is the longest of {len(equals)} such."
