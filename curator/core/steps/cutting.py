"""Cut a trace's thinking into steps.

A step begins where a paragraph does, or a line in a text without paragraphs. A paragraph that is too short to
be a thought of its own joins its neighbour: a formula the sentence that announces it, a line of a list the list.
A paragraph of some length is cut where the thinking turns ("Wait", "Alternatively", 等等, 另外 …), a long one
where any marker begins a sentence, and what is still long where a sentence does. Formulas, code and tables are
never cut. Bounds are characters of the text as it is stored, so that what is said about a step stays at its
place however it is shown.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from common.core.notation import without_tex
from common.core.text import count_cjk
from curator.core.steps.kinds import MARKS, READ, TURNS, Kind, beginning_of, kind_of
from curator.core.steps.wholes import Wholes

STEPS_VERSION = "2"  # goes up whenever a text would be cut in another way
SHORTEST, LONGEST = 30, 4_000  # characters of a step
CJK_WEIGHT = 3  # Latin letters that say as much as one ideograph
MOST_STEPS, MOST_PARAGRAPHS = 400, 20_000
LONGEST_TITLE = 60
COLONS = (":", "：")

_BLANK = re.compile(r"\n[ \t\r]*\n(?:[ \t\r]*\n)*")
_LINE = re.compile(r"\n(?:[ \t\r]*\n)*")
_SENTENCE = re.compile(r"[。！？!?；][”’」』）)\"']*[ \t]*|\.[\"')]*[ \t]+(?=[A-Z\"'(\u4e00-\u9fff])|\n")
_HEADING = re.compile(r"#{1,6} .*|(?:\d{1,3}[.)、]\s*)?\*\*[^*\n]+\*\*[:：]?")
_BOXED = re.compile(r"\\(?:boxed|fbox)\{([^{}]*)\}")
_TITLE_SIGNS = re.compile(r"[#`$\\{}|]|\*\*|__")
_JOINING = frozenset("\u200d\ufe0e\ufe0f")


class Step(NamedTuple):
    """A stretch of a text, from `start` to before `end`, and what it does."""

    start: int
    end: int
    kind: Kind


class _Limits(NamedTuple):
    """What is long and short, in characters of a text that is all Latin letters."""

    thought: float = 160  # a paragraph that stands alone
    remark: float = 100  # one that does not
    gathered: float = 600  # short ones together
    paragraph: float = 500  # one that is cut where the thinking turns
    apart: float = 120  # how far the cuts in it are
    long: float = 1_200  # a step that is cut where it can be


class _Unit(NamedTuple):
    """What is not cut any further: a paragraph, or a part of one (`is_part`)."""

    start: int
    end: int
    is_part: bool


def cut(text: str) -> tuple[Step, ...]:
    """Return the steps of a text, one after the other without a gap; none of an empty one."""
    if not text:
        return ()
    wholes, limits = Wholes(text), _limits_for(text)
    units = list(_units(text, wholes, limits))
    starts = _gathered(text, units, wholes, limits, shortest=SHORTEST)
    if len(starts) > MOST_STEPS:
        shortest = max(int(limits.gathered), len(text) // MOST_STEPS)
        starts = _gathered(text, units, wholes, limits, shortest=shortest)
    return tuple(
        Step(start, end, kind_of(text[start : start + READ])) for start, end in _spans(starts, len(text))
    )


def title(text: str) -> str:
    """Return how a step begins, on one line and without markup, for an outline."""
    unboxed = _BOXED.sub(r"\1", text[: 5 * LONGEST_TITLE])
    plain = " ".join(_TITLE_SIGNS.sub("", without_tex(unboxed)).split())
    return plain if len(plain) <= LONGEST_TITLE else f"{plain[: LONGEST_TITLE - 1].rstrip()}…"


def number_at(steps: Sequence[Step], place: int) -> int:
    """Return the number, from 1, of the step in which a character stands."""
    return max(1, bisect_right([step.start for step in steps], place))


def _limits_for(text: str) -> _Limits:
    weight = 1 + (CJK_WEIGHT - 1) * count_cjk(text) / len(text)
    return _Limits(*(limit / weight for limit in _Limits()))


def _units(text: str, wholes: Wholes, limits: _Limits) -> Iterator[_Unit]:
    for start, end in _spans(_paragraphs(text, wholes), len(text)):
        for number, (low, high) in enumerate(_spans(_within(text, start, end, wholes, limits), end)):
            yield _Unit(low, high, number > 0)


def _paragraphs(text: str, wholes: Wholes) -> list[int]:
    """Return where paragraphs begin: after blank lines; in a text without any, after line ends."""
    breaks = [found.end() for found in _BLANK.finditer(text)] or [
        found.end() for found in _LINE.finditer(text)
    ]
    some = breaks[:: len(breaks) // MOST_PARAGRAPHS + 1]
    return [0, *(place for place in some if place < len(text) and not wholes.holds(place))]


def _within(text: str, start: int, end: int, wholes: Wholes, limits: _Limits) -> list[int]:
    """Return where a paragraph's parts begin."""
    end = start + len(text[start:end].rstrip())
    if end - start <= limits.paragraph:
        return [start]
    places = _marked(text, start, end, wholes, pattern=TURNS, apart=limits.apart)
    for low, high in list(_spans(places, end)):
        if high - low > limits.long:
            places += _marked(text, low, high, wholes, pattern=MARKS, apart=limits.apart)[1:]
    places.sort()
    for low, high in list(_spans(places, end)):
        if high - low > limits.long:
            places += _by_sentences(text, low, high, wholes, long=limits.long)[1:]
    return sorted(places)


def _marked(
    text: str, start: int, end: int, wholes: Wholes, *, pattern: re.Pattern[str], apart: float
) -> list[int]:
    """Return where a stretch begins and where marked sentences in it do that are far enough apart."""
    places = [start]
    words = end - len(text[start:end].lstrip())
    for found in pattern.finditer(text, words, end):
        place = found.start() + 1 if found[0][0] == "\n" else found.end()
        if min(place - places[-1], end - place) >= apart and not wholes.holds(place):
            places.append(place)
    return places


def _by_sentences(text: str, start: int, end: int, wholes: Wholes, *, long: float) -> list[int]:
    """Cut a long stretch at sentences into pieces of about `long`, and anywhere where none ends for too long."""
    starts = [start]
    ends = [found.end() for found in _SENTENCE.finditer(text, start, end) if not wholes.holds(found.end())]
    for place, following in pairwise([*(each for each in ends if each < end), end]):
        starts += _forced(text, starts[-1], place, wholes)
        if following - starts[-1] > long and place > starts[-1]:
            starts.append(place)
    return starts + list(_forced(text, starts[-1], end, wholes))


def _forced(text: str, start: int, end: int, wholes: Wholes) -> Iterator[int]:
    while end - start > LONGEST:
        start = _anywhere(text, start + LONGEST, wholes)
        yield start


def _anywhere(text: str, place: int, wholes: Wholes) -> int:
    """Return a place at or before this one that parts no word, number, sign or formula, if there is one near."""
    nearby = range(place, place - 200, -1)
    free = [near for near in nearby if not wholes.holds(near) and text[near] not in _JOINING]
    after_space = (near for near in free if text[near - 1].isspace())
    between_signs = (near for near in free if not _is_dense(text[near - 1]) or not _is_dense(text[near]))
    return next(after_space, None) or next(between_signs, None) or place


def _is_dense(sign: str) -> bool:
    """Tell whether a sign may be in the middle of a word or a number."""
    return sign.isascii() and (sign.isalnum() or sign in ".,_-/\\^{}")


def _gathered(
    text: str, units: Sequence[_Unit], wholes: Wholes, limits: _Limits, *, shortest: int
) -> list[int]:
    """Return where steps begin once units that are no thought of their own have joined their neighbours."""
    starts = [0]
    for unit in units[1:]:
        current = text[starts[-1] : unit.start].strip()
        if len(current) < shortest:
            continue
        if unit.is_part or not _joins(current, text, unit, wholes, limits):
            starts.append(unit.start)
    if len(starts) > 1 and len(text[starts[-1] :].strip()) < shortest:
        starts.pop()
    return starts


def _joins(current: str, text: str, unit: _Unit, wholes: Wholes, limits: _Limits) -> bool:
    """Tell whether a paragraph goes on with the step before it, `current`."""
    length = unit.end - unit.start
    if len(current) + length > limits.long:
        return False
    upcoming = text[unit.start : unit.end].strip()
    begins = beginning_of(upcoming)
    if _HEADING.fullmatch(current) or wholes.fill(text, unit.start, unit.end):
        return True
    if begins.is_named or begins.is_turn or _HEADING.fullmatch(upcoming):
        return False
    is_little = length < limits.remark and len(current) + length <= limits.gathered
    if begins.is_numbered:
        return is_little and upcoming[-1:] not in COLONS
    if current[-1] in COLONS or upcoming[:1].islower():
        return True
    if begins.kind is not Kind.PLAIN:
        return len(current) < limits.apart
    is_open = len(current) < limits.thought and kind_of(current) is not Kind.CONCLUSION
    return is_little or (is_open and len(current) + length <= limits.gathered)


def _spans(starts: Sequence[int], end: int) -> Iterable[tuple[int, int]]:
    return zip(starts, [*starts[1:], end], strict=True)
