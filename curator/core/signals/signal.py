"""What a signal is: a kind, a place in a trace, and the facts that a sentence about it is made of."""

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from curator.core.quality import Place


class Sign(StrEnum):
    """The kinds of signals."""

    CONTRADICTION = "contradiction"
    ARITHMETIC = "arithmetic"
    REPETITION = "repetition"
    LANGUAGE = "language"
    CORRECTION = "correction"
    UNFINISHED = "unfinished"
    QUALITY = "quality"


@dataclass(frozen=True)
class Signal:
    """A stretch of the thinking or the answer at which an expert should look, and why.

    `why` is a rule's name, never a sentence. What the other facts are goes by the kind:
    contradiction: `said` here, `held` elsewhere (`other`, in `other_part`; `why` is "final answer" or "earlier
    answer"), `keyed` is which of both agrees with the key: "said", "held" or "";
    arithmetic: `expression`, `said` of it (`why` is the sign between them) and its value in `held`;
    repetition: `other` is where the passage stood before; language: `said` is this passage's, `held` the question's;
    correction: `said` is how the sentence begins; unfinished: `why` is what is open; quality: `why` is the flag.
    """

    kind: Sign
    part: Place
    start: int
    end: int
    why: str = ""
    said: str = ""
    held: str = ""
    expression: str = ""
    keyed: str = ""
    other: tuple[int, int] | None = None
    other_part: Place | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Return what signals are sorted by: the thinking before the answer, then the place."""
        return (self.part != Place.THINKING, self.start, self.end, self.kind, self.why, self.said)


@dataclass(frozen=True)
class Signals:
    """The signals of one trace by place, and by kind how many more there were than are given."""

    found: tuple[Signal, ...] = ()
    left_out: MappingProxyType[Sign, int] = field(default_factory=lambda: MappingProxyType({}))
