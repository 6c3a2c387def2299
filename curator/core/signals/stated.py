"""Sentences with their places, and the answers that they state."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from common.core.final_answers import answer_in
from common.core.text import sentences
from curator.core.quality import Place

LONGEST_CLAIM = 400  # characters that are read of a sentence that states an answer
MOST_CLAIMS = 400  # of a text: the last ones count
_CLAIMS = re.compile(
    r"\\boxed\s?\{|\b(?:final|correct|right) (?:answer|choice|option)\b|\banswer\b(?=[\s*_\"”]{0,4}(?:is\b|[:：=]))"
    r"|答案\s{0,2}(?:应该|应当|应)?[是为:：选]|(?:因此|所以|故|综上|应|正确)[,，]?(?:本题)?选择?(?:项)?\s?[(（]?[A-Z]"
    r"|<answer>",
    re.IGNORECASE,
)
# A sentence that supposes, denies, asks, quotes or plans states nothing.
_NOT_STATED = re.compile(
    r"\b(?:if|suppos\w*|assum\w*|maybe|perhaps|might|could|would|whether|unless|unlikely|not|isn't|wrong|incorrect|neither|"
    r"user\w*|hint\w*|claim\w*|told|says?|said|suggest\w*|prompt\w*|instruct\w*|format\w*|letter|placeholder|output|exactly|"
    r"must be|should be|needs? to|likely|probably|possib\w*|seems?|appears?|either|thinks?|believ\w*|opinion|leak\w*|"
    r"alleged\w*|provided|intended|expected|typical\w*|similar|where|once|think|or)\b|n't\b|[?？]"
    r"|如果|若|假如|假设|是否|也许|可能|或许|不是|不对|不能|不选|不应|错|难道|似乎|应该是|用户|格式|要求",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"^[<\[{(]|\b(?:the|letter|your|xyz?|number|choice)\b|^[.…_?X]+$", re.IGNORECASE)


_STOP = re.compile(r"(?<=[\w)}*\"'”])[.!?](?=[\s*\"'”]|\Z)|[。！？]|\n")


class Sentence(NamedTuple):
    """A sentence and where it stands."""

    start: int
    end: int
    text: str


class Claim(NamedTuple):
    """An answer that a text states, and where."""

    part: Place
    start: int
    end: int
    said: str


def sentences_of(text: str) -> list[Sentence]:
    """Return the sentences of a text with their places."""
    found, at = [], 0
    for sentence in sentences(text):
        start = text.index(sentence, at)
        at = start + len(sentence)
        found.append(Sentence(start, at, sentence))
    return found


def claims(text: str, part: Place) -> Iterator[Claim]:
    """Yield the answers that a text states as such, the last `MOST_CLAIMS` of them, in order."""
    places = [found.start() for found in _CLAIMS.finditer(text)]
    end = 0
    for place in places[-MOST_CLAIMS:]:
        if place < end:
            continue
        start, end = _bounds(text, place)
        said = _stated(text[start:end], place - start)
        if said:
            yield Claim(part, start, end, said)


def _bounds(text: str, place: int) -> tuple[int, int]:
    """Return where the line, or the sentence in it, begins and ends that states an answer at a place."""
    low = max(text.rfind("\n", 0, place) + 1, place - LONGEST_CLAIM)
    for stop in (". ", "。", "！", "? ", "？", "；", "! "):
        low = max(low, text.rfind(stop, low, place) + len(stop) if text.rfind(stop, low, place) >= 0 else low)
    stopped = _STOP.search(text, place, place + LONGEST_CLAIM)
    high = stopped.start() + 1 if stopped else -1
    high = min(high if high >= 0 else len(text), place + LONGEST_CLAIM)
    if (
        text[place:high].rstrip(" *_:：").lower().endswith(("answer", "答案"))
    ):  # a heading: the next line says it
        after = text.find("\n", high + 1)
        high = min(after if after >= 0 else len(text), high + LONGEST_CLAIM)
    return low, high


def _stated(sentence: str, place: int) -> str:
    """Return the answer that a sentence states from a place on; "" where it only speaks of one."""
    first = re.split(r"(?<=[a-zA-Z0-9)}])\.\s|[。！]", sentence[place:], maxsplit=1)[0]
    if _NOT_STATED.search(sentence[:place] + _without_box(first)):
        return ""
    said = (answer_in(first) or "").strip("'’‘")
    return "" if len(said) > 200 or _PLACEHOLDER.search(said) else said


def _without_box(text: str) -> str:
    return re.sub(r"\\boxed\s?\{[^{}]*\}", "", text)
