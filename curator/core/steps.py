"""A trace's thinking cut into the steps in which a person reads it: once, and the same on every machine.

A step begins where a paragraph does; a long paragraph is cut further where a marker of discourse begins a
sentence ("Wait", "Alternatively", 等等, 另外 …), and what is still long where a sentence does. A formula, a block
of code and a table are never cut. Bounds are characters of the text as it is stored, so that what is said
about a step stays at its place however it is shown.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

STEPS_VERSION = "1"  # goes up whenever a text would be cut in another way
SHORTEST, LONG, LONGEST = 30, 1_200, 4_000  # characters of a step
MOST_STEPS = 400
LONGEST_TITLE = 60


class Kind(StrEnum):
    """What the words with which a step begins say that it does."""

    PLAIN = "plain"
    CORRECTION = "correction"
    CHECK = "check"
    ALTERNATIVE = "alternative"
    PART = "part"
    CONCLUSION = "conclusion"


class Step(NamedTuple):
    """A stretch of a text, from `start` to before `end`, and what it does."""

    start: int
    end: int
    kind: Kind


# What begins a sentence that does this; in English with the word's end, in Chinese without.
_MARKERS = (
    (
        Kind.CORRECTION,
        (
            r"(?:but |oh,? )?(?:wait|hmm+|hold on|oops|actually|no,|not so fast|scratch that|i made a mistake|"
            r"that's (?:not right|wrong))\b"
        ),
        r"等等|等一下|不对|不，|慢着|且慢|哦不|我(?:刚才)?(?:算|弄|看|想)?错了|重新|回头|其实",
    ),
    (
        Kind.CHECK,
        (
            r"(?:let me |let's |i(?:'ll| should| need to) |to )?(?:double[- ]check|re-?check|check|verify|confirm|"
            r"test|verification)\b"
        ),
        r"(?:让)?(?:我们?|咱们)?[再来]*(?:验证|检验|检查|验算|核对|确认|代入检验)",
    ),
    (
        Kind.ALTERNATIVE,
        r"(?:alternatively|another (?:way|approach|method|idea)|or (?:maybe|perhaps)|what if|maybe|perhaps)\b",
        r"或者|另外|另一种|换一种|换个|也许|要么|如果",
    ),
    (
        Kind.PART,
        (
            r"(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|finally|lastly|step \d{1,3}|case \d{1,3}|"
            r"option [a-z]|part \(?[a-z\d])\b"
        ),
        r"首先|其次|再次|然后|接着|接下来|最后|第[一二三四五六七八九十\d]{1,3}[步种个]|情况[一二三四五六七八九十\d]",
    ),
    (
        Kind.CONCLUSION,
        r"(?:so|therefore|thus|hence|in (?:conclusion|summary)|to (?:conclude|summarize)|overall|the (?:final )?answer)\b",
        r"因此|所以|综上|总之|于是|由此|故而?|那么|答案",
    ),
)
_BEGINS = [
    (kind, re.compile(rf"(?:{english}|{chinese})", re.IGNORECASE)) for kind, english, chinese in _MARKERS
]
_ANY = "|".join(f"{english}|{chinese}" for _kind, english, chinese in _MARKERS)
_SIGNS = re.compile(r"[\s#>*_\-•·]*(?:\(?\d{1,3}[.)、]|[(（]?[一二三四五六七八九十][)）、.])?[\s*_]*")
_BLANK = re.compile(r"\n[ \t\r]*\n\s*")
_LINE = re.compile(r"\n\s*")
_SENTENCE = re.compile(
    r"(?<=[。！？!?；])[”’」』）)\"']*\s*|(?<=\.)[\"')]*\s+(?=[A-Z\"'(\u4e00-\u9fff])|\n\s*"
)
_AFTER_SENTENCE = re.compile(rf"(?:(?<=[。！？!?；\n])|(?<=[.:]\s)|(?<=[。！？]\s))(?={_ANY})", re.IGNORECASE)
_PAIRS = (("```", "```"), ("$$", "$$"), (r"\[", r"\]"), (r"\(", r"\)"), (r"\begin{", r"\end{"))
_DOLLAR = re.compile(r"\$[^$\n]{1,400}\$")
_TITLE_SIGNS = re.compile(r"[#`$\\{}]|\*\*|__")


def cut(text: str) -> tuple[Step, ...]:
    """Return the steps of a text, one after the other without a gap; none of an empty one."""
    if not text:
        return ()
    whole = _Whole(text)
    starts = [0]
    for start, end in _spans(_paragraphs(text, whole), len(text)):
        starts += _within(text, start, end, whole)
    starts = _merged(starts, text)
    return tuple(
        Step(start, end, kind_of(text[start : start + 80])) for start, end in _spans(starts, len(text))
    )


def kind_of(beginning: str) -> Kind:
    """Return what the first words of a step say that it does."""
    at = _SIGNS.match(beginning)
    begins = beginning[at.end() if at else 0 :]
    return next((kind for kind, pattern in _BEGINS if pattern.match(begins)), Kind.PLAIN)


def title(text: str) -> str:
    """Return how a step begins, on one line and without markup, for an outline."""
    plain = " ".join(_TITLE_SIGNS.sub("", text[: 4 * LONGEST_TITLE]).split())
    return plain if len(plain) <= LONGEST_TITLE else f"{plain[: LONGEST_TITLE - 1].rstrip()}…"


def number_at(steps: Sequence[Step], place: int) -> int:
    """Return the number, from 1, of the step in which a character stands."""
    return max(1, bisect_right([step.start for step in steps], place))


class _Whole:
    """The stretches of a text that are never cut: code, formulas and rows of a table."""

    def __init__(self, text: str) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in sorted([*_paired(text), *(match.span() for match in _DOLLAR.finditer(text))]):
            if not self.ends or start >= self.ends[-1]:
                self.starts.append(start)
                self.ends.append(end)

    def holds(self, place: int) -> bool:
        """Tell whether a cut before this character would part one."""
        at = bisect_right(self.starts, place) - 1
        return at >= 0 and self.starts[at] < place < self.ends[at]


def _paired(text: str) -> Iterable[tuple[int, int]]:
    for opener, closer in _PAIRS:
        at = text.find(opener)
        while at >= 0:
            end = text.find(closer, at + len(opener))
            if end < 0:
                break
            end += len(closer)
            if end - at <= 2 * LONGEST:
                yield at, end
            at = text.find(opener, end)


def _paragraphs(text: str, whole: _Whole) -> list[int]:
    """Return where paragraphs begin: after blank lines; in a text without any, after line ends."""
    blanks = [match.end() for match in _BLANK.finditer(text)]
    if not blanks:
        blanks = [match.end() for match in _LINE.finditer(text) if not _in_table(text, match.end())]
    return [0, *(place for place in blanks if 0 < place < len(text) and not whole.holds(place))]


def _in_table(text: str, place: int) -> bool:
    """Tell whether the lines on both sides of a line end are rows of a table."""
    before = text.rfind("\n", 0, max(0, place - 1))
    return text[place : place + 1] == "|" and text[before + 1 : before + 2] == "|"


def _within(text: str, start: int, end: int, whole: _Whole) -> list[int]:
    """Return where a paragraph's steps begin."""
    if end - start <= LONG:
        return [start]
    marked = [
        match.start()
        for match in _AFTER_SENTENCE.finditer(text, start, end)
        if match.start() > start and not whole.holds(match.start())
    ]
    return [
        place
        for low, high in _spans([start, *marked], end)
        for place in ([low] if high - low <= LONG else _by_sentences(text, low, high, whole))
    ]


def _by_sentences(text: str, start: int, end: int, whole: _Whole) -> list[int]:
    """Cut a long stretch at sentences into pieces of about LONG, and anywhere where none ends for too long."""
    starts = [start]
    ends = [match.end() for match in _SENTENCE.finditer(text, start, end) if not whole.holds(match.end())]
    for place, following in _spans(ends, end) if ends else ():
        while place - starts[-1] > LONGEST:
            starts.append(_anywhere(text, starts[-1] + LONGEST, whole))
        if following - starts[-1] > LONG and place > starts[-1] and place < end:
            starts.append(place)
    while end - starts[-1] > LONGEST:
        starts.append(_anywhere(text, starts[-1] + LONGEST, whole))
    return starts


def _anywhere(text: str, place: int, whole: _Whole) -> int:
    """Return a place at or before this one that parts no word, number or formula, if there is one near."""
    for near in range(place, place - 200, -1):
        parts_word = text[near - 1].isalnum() and text[near].isalnum() and text[near].isascii()
        if not parts_word and not whole.holds(near):
            return near
    return place


def _merged(starts: list[int], text: str) -> list[int]:
    """Join steps that are too short with the next, and as many as it takes for there to be few enough."""
    shortest = SHORTEST
    while True:
        kept = [0]
        for place in starts[1:]:
            if place > kept[-1] and len(text[kept[-1] : place].strip()) >= shortest:
                kept.append(place)
        if len(kept) > 1 and len(text[kept[-1] :].strip()) < shortest:
            kept.pop()
        if len(kept) <= MOST_STEPS:
            return kept
        shortest *= 2


def _spans(starts: Sequence[int], end: int) -> Iterable[tuple[int, int]]:
    return zip(starts, [*starts[1:], end], strict=True)
