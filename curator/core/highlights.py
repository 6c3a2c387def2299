"""What two texts have in common and where they differ, as parts of each that a page can mark."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Indel

from common.core.text import CJK, is_cjk, ngrams, normal_form

# A word, a CJK character or a sign, with the blanks after it; blanks before the first.
_PIECE = re.compile(rf"(?:[{CJK}]|[^\W{CJK}]+|[^\w\s])\s*|^\s+")
LONG_RUN = 8  # pieces; as many words as make a shared passage
SHORT_RUN = 2
SHORT_TEXT = 40  # pieces


class Part(NamedTuple):
    """A stretch of a text, and whether it is to be marked."""

    text: str
    is_marked: bool


def readable(text: str, options: Sequence[str]) -> str:
    """Return a question's text with its options below, as they are read."""
    return "\n".join([text, *(f"{chr(65 + place % 26)}. {option}" for place, option in enumerate(options))])


def differences(one: str, other: str) -> tuple[list[Part], list[Part]]:
    """Return both texts in parts; marked is what the other lacks, word by word or CJK character by character."""
    ones, others = _pieces(one), _pieces(other)
    marked_ones, marked_others = [True] * len(ones), [True] * len(others)
    for code in Indel.opcodes(_forms(ones), _forms(others)):
        if code.tag == "equal":
            marked_ones[code.src_start : code.src_end] = [False] * (code.src_end - code.src_start)
            marked_others[code.dest_start : code.dest_end] = [False] * (code.dest_end - code.dest_start)
    return _parts(ones, marked_ones), _parts(others, marked_others)


def shared(one: str, other: str) -> tuple[list[Part], list[Part]]:
    """Return both texts in parts; marked are the passages that both have.

    A passage is a run of 8 words or 13 CJK characters, and of 2 or 3 where either text is short or
    no longer run is shared.
    """
    ones, others = _pieces(one), _pieces(other)
    size = SHORT_RUN if min(len(ones), len(others)) < SHORT_TEXT else LONG_RUN
    marked = _shared_runs(_forms(ones), _forms(others), size)
    if size == LONG_RUN and not any(marked[0]):
        marked = _shared_runs(_forms(ones), _forms(others), SHORT_RUN)
    return _parts(ones, marked[0]), _parts(others, marked[1])


def _shared_runs(ones: Sequence[str], others: Sequence[str], size: int) -> tuple[list[bool], list[bool]]:
    if sum(map(is_cjk, (form[:1] for form in ones if form))) * 2 > len(ones):
        size = round(size * 1.6)  # characters a word
    common = set(ngrams(ones, size)) & set(ngrams(others, size))
    return _covered(ones, common, size), _covered(others, common, size)


def _covered(forms: Sequence[str], common: set[tuple[str, ...]], size: int) -> list[bool]:
    marked = [False] * len(forms)
    for start, run in enumerate(ngrams(forms, size)):
        if run in common:
            marked[start : start + size] = [True] * size
    return marked


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


def _forms(pieces: Sequence[str]) -> list[str]:
    return [normal_form(piece) for piece in pieces]


def _parts(pieces: Sequence[str], marked: Sequence[bool]) -> list[Part]:
    """Join neighbouring pieces that are both marked, or both not."""
    parts: list[Part] = []
    for piece, is_marked in zip(pieces, marked, strict=True):
        if parts and parts[-1].is_marked == is_marked:
            parts[-1] = Part(parts[-1].text + piece, is_marked)
        else:
            parts.append(Part(piece, is_marked))
    return parts
