"""What became of a text, word by word: Latin words whole, CJK characters one by one."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from rapidfuzz.distance import Indel

from common.core.text import CJK

_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+|\s+|.", re.DOTALL)


class Fate(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


class Piece(NamedTuple):
    """A run of text that stayed, went or came."""

    fate: Fate
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """Return how one text became another; what is gone stands before what is new in its place."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces: list[Piece] = []
    gone = come = ""
    for step in Indel.opcodes(old, new):
        if step.tag == "equal":
            same = "".join(old[step.src_start : step.src_end])
            pieces += [*_pieces(gone, come), Piece(Fate.SAME, same)]
            gone = come = ""
        else:
            gone += "".join(old[step.src_start : step.src_end])
            come += "".join(new[step.dest_start : step.dest_end])
    return pieces + _pieces(gone, come)


def condensed(pieces: Sequence[Piece], around: int = 60) -> list[Piece]:
    """Return differences with no more than `around` characters of what stayed beside each of them."""
    last = len(pieces) - 1
    return [_cut(piece, place > 0, place < last, around) for place, piece in enumerate(pieces)]


def _cut(piece: Piece, follows: bool, goes_on: bool, around: int) -> Piece:
    """Keep the end of a piece that a difference touches, or both."""
    kept = around * (follows + goes_on)
    if piece.fate != Fate.SAME or not kept or len(piece.text) <= kept + 1:
        return piece
    head = piece.text[:around] if follows else ""
    tail = piece.text[-around:] if goes_on else ""
    return Piece(Fate.SAME, f"{head}…{tail}")


def _pieces(gone: str, come: str) -> list[Piece]:
    return [Piece(fate, text) for fate, text in ((Fate.GONE, gone), (Fate.NEW, come)) if text]
