"""What is still open where a text ends, for the eye: one signal at the place where it began."""

from collections.abc import Iterator

from curator.core.endings import breaks_off
from curator.core.quality import Place
from curator.core.signals.signal import Sign, Signal


def endings(text: str, part: Place) -> Iterator[Signal]:
    """Yield a signal, at most one, where a text breaks off."""
    whole = text.rstrip()
    place, why = breaks_off(whole)
    if why:
        yield Signal(Sign.UNFINISHED, part, place, len(whole), why, said=whole[-40:].rpartition("\n")[2])
