"""A measured time beside that of its baseline, and whether it keeps within its limit."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024


@dataclass(frozen=True)
class Figure:
    """One measurement; `ratio` and `limit` say together what was promised of it."""

    name: str
    seconds: float
    baseline: str = ""
    baseline_seconds: float | None = None
    ratio: float | None = None
    limit: str = ""  # as a person reads it: "at most 3"
    note: str = ""
    kept: bool | None = None  # None: nothing was promised


def at_most(
    name: str, seconds: float, baseline: str, baseline_seconds: float, limit: float, note: str = ""
) -> Figure:
    """Return the figure of what may take at most `limit` times as long as its baseline."""
    ratio = seconds / baseline_seconds
    return Figure(
        name, seconds, baseline, baseline_seconds, ratio, f"at most {limit:g}", note, kept=ratio <= limit
    )


def faster(
    name: str, seconds: float, baseline: str, baseline_seconds: float, limit: float, note: str = ""
) -> Figure:
    """Return the figure of what must be at least `limit` times as fast as its baseline."""
    ratio = baseline_seconds / seconds
    promise = f"at least {limit:g} times faster"
    return Figure(name, seconds, baseline, baseline_seconds, ratio, promise, note, kept=ratio >= limit)


def within(name: str, seconds: float, limit: float, note: str = "") -> Figure:
    """Return the figure of what may take at most `limit` seconds."""
    return Figure(name, seconds, limit=f"at most {limit:g} s", note=note, kept=seconds <= limit)


class Clock:
    """The wall time of a block, in seconds, once it is over."""

    seconds = 0.0


@contextmanager
def timed() -> Iterator[Clock]:
    """Time a block."""
    clock, began = Clock(), time.perf_counter()
    yield clock
    clock.seconds = time.perf_counter() - began


def fastest(work: Callable[[], Any], times: int = 3) -> float:
    """Return the shortest of several times, the one that other work on the machine disturbed least."""
    taken = []
    for _ in range(times):
        with timed() as clock:
            work()
        taken.append(clock.seconds)
    return min(taken)


def peak_bytes() -> int:
    """Return the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
