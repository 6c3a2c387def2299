"""Passages that a text says again: loops, and paragraphs that stand twice but for a few words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from common.core.text import CJK, count_cjk
from curator.core.quality import Place
from curator.core.signals.signal import Sign, Signal

RUN = 14  # words in a row that are looked for
LEAST_LATIN, LEAST_CJK = 30, 40  # words, or ideographs, of a passage that counts
GAP = 8  # words that may differ between two stretches of one passage
MOST_WORDS = 400_000
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")


@dataclass
class _Passage:
    """Words from `first` to before `end` that stood `back` words before."""

    first: int
    end: int
    back: int

    @property
    def said_before(self) -> tuple[int, int]:
        """Return where the words stood before; in a loop they end where they begin again."""
        return self.first - self.back, min(self.end - self.back, self.first)


def repetitions(text: str, part: Place) -> Iterator[Signal]:
    """Yield a signal for each passage that the text said before, pointing to both places."""
    found = list(_WORD.finditer(text)) if len(text) > 2 * LEAST_LATIN else []
    found = found[:MOST_WORDS]
    words = [match[0].lower() for match in found]
    for passage in _joined(list(_repeated(words))):
        shown = text[found[passage.first].start() : found[passage.end - 1].end()]
        if not _is_long(passage, shown):
            continue
        before, end = passage.said_before
        yield Signal(
            Sign.REPETITION, part, found[passage.first].start(), found[passage.end - 1].end(),
            "loop" if end == passage.first and passage.end - end >= 2 * (end - before) else "passage",
            other=(found[before].start(), found[end - 1].end()), other_part=part,
        )  # fmt: skip


def _is_long(passage: _Passage, shown: str) -> bool:
    cjk = count_cjk(shown)
    words = passage.end - passage.first
    return words >= (LEAST_CJK if 2 * cjk > words else LEAST_LATIN)


def _repeated(words: Sequence[str]) -> Iterator[_Passage]:
    """Yield the longest stretches whose every run of words stood before, each the same way back."""
    last: dict[tuple[str, ...], int] = {}
    passage: _Passage | None = None
    for place, run in enumerate(zip(*(islice(words, shift, None) for shift in range(RUN)), strict=False)):
        before = last.get(run)
        last[run] = place
        if passage is not None and before is not None and place - before == passage.back:
            passage.end = place + RUN
            continue
        if passage is not None and place < passage.end - RUN + 2 + GAP and before is None:
            continue
        if passage is not None and place >= passage.end - RUN + 1:
            yield passage
            passage = None
        if passage is None and before is not None:
            passage = _Passage(place, place + RUN, place - before)
    if passage is not None:
        yield passage


def _joined(passages: Sequence[_Passage]) -> list[_Passage]:
    """Join stretches of one passage between which a few words differ."""
    joined: list[_Passage] = []
    for passage in passages:
        before = joined[-1] if joined else None
        if (
            before is not None
            and passage.first - before.end <= GAP
            and abs(passage.back - before.back) <= GAP
        ):
            before.end = max(before.end, passage.end)
        else:
            joined.append(passage)
    return joined
