"""How often the threads of a process take turns."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.0002


@contextmanager
def quick_turns() -> Iterator[None]:
    """Let threads take turns 25 times as often as Python would, for as long as this lasts.

    A thread that reads or writes a socket needs many short turns. Beside one that computes it waits a whole turn,
    5 ms, for each, and what is at the other end of the socket waits with it.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
