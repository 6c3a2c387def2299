"""Many texts at once as arrays of hashed tokens and of runs of them; no Python object a token.

A token's hash depends on its characters alone, so that it is the same on every machine and in every batch.
Axes: C characters of a batch, N its tokens, R its runs.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from common.core.text import CJK

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = min(4, os.cpu_count() or 1)
TEXTS_AT_ONCE = 1000
CHARACTERS_AT_ONCE = 150_000  # arrays of so many numbers stay in a processor's cache

_CODE_POINTS = 0x110000
_LETTERS_END = 0x40000  # there are no letters and digits behind
_LINE_END = 10
# What a character is, as bits: part of a longer token, a token alone, or neither and so a gap.
_JOINED, _SINGLE, _ALNUM, _CJK, _DIGIT, _SIGN, _INSIDE_NUMBER = (np.uint8(1 << bit) for bit in range(7))
_BASE = 0x9E3779B97F4A7C15 | 1  # odd, and so with an inverse modulo 2**64
_RUN_BASE = 0xD1342543DE82EF95
# Signs that change what a formula says, each with the prints that mean the same.
_SIGNS = {
    "+": "+",
    "-": "-‐‑‒–—−",
    "*": "*×·∗⋅",
    "/": "/÷∕",
    "=": "=",
    "<": "<",
    ">": ">",
    "≤": "≤⩽",
    "≥": "≥⩾",
}
_SIGNS |= {sign: sign for sign in "^!%|~&√∫∑∈∉⊂∪∩→¬≠±∞∠⊥°"}
_INSIDE_NUMBERS = ".,:"
_CHINESE_NUMERALS = "零〇一二两三四五六七八九十百千万亿半"
_ENGLISH_NUMBERS = (
    *(
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty"),
    *("forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million", "billion"),
    *(
        "half",
        "third",
        "quarter",
        "twice",
        "first",
        "second",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
    ),
    *("ninth", "tenth"),
)


@dataclass(frozen=True)
class Tokens:
    """The tokens of some texts in order, each with the row of its text."""

    hashes: Hashes  # N
    rows: Rows  # N, ascending
    row_count: int
    flags: NDArray[np.uint8]  # C; what each character is
    starts: NDArray[np.int64]  # N; its first character
    ends: NDArray[np.int64]  # N; the one behind its last

    def of(self, chosen: Flags) -> "Tokens":
        """Return the chosen tokens alone."""
        return Tokens(
            self.hashes[chosen],
            self.rows[chosen],
            self.row_count,
            self.flags,
            self.starts[chosen],
            self.ends[chosen],
        )

    def are_spoken(self) -> Flags:
        """Return which tokens hold a letter or a digit."""
        return self._hold(_ALNUM)

    def are_figures(self) -> Flags:
        """Return which tokens are numbers, numerals or signs of a formula."""
        is_sign = self.flags.take(self.starts) & _SIGN > 0
        found = self._hold(_DIGIT) | (is_sign & (self.ends - self.starts == 1))
        found[_number_words().places(self.hashes)[0]] = True
        return np.asarray(found)

    def _hold(self, flag: np.uint8) -> Flags:
        counts = np.zeros(len(self.flags) + 1, np.int32)
        np.cumsum(self.flags & flag > 0, out=counts[1:])
        return np.asarray(counts.take(self.ends) > counts.take(self.starts))

    def cjk_rows(self) -> Flags:
        """Return which rows are CJK for the most part."""
        is_cjk = self.flags.take(self.starts) & _CJK > 0
        cjk = np.bincount(self.rows[is_cjk], minlength=self.row_count)
        return np.asarray(2 * cjk > np.bincount(self.rows, minlength=self.row_count))


def batches(items: Iterable[Item], text_of: Callable[[Item], str]) -> Iterator[list[Item]]:
    """Yield items in lists that are short enough for one step, by the number and the length of their texts."""
    batch: list[Item] = []
    characters = 0
    for item in items:
        batch.append(item)
        characters += len(text_of(item))
        if characters >= CHARACTERS_AT_ONCE or len(batch) == TEXTS_AT_ONCE:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield what `work` makes of each item, in order; items are fetched as they are needed.

    Arrays are worked on outside the interpreter's lock, so that threads use several cores.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(THREADS) as threads:
        for item in items:
            waiting.append(threads.submit(work, item))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class Characters:
    """The characters of some texts in normal form, or folded to a line, which can be read in several ways."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.codes = _codes(lines)  # C; of each text, and a line end behind it
        self.line_ends = np.flatnonzero(self.codes == _LINE_END)  # one for each text
        self.line_starts = np.concatenate([[0], self.line_ends + 1])[: len(self.line_ends)]

    def written(self) -> Tokens:
        """Return the texts as CJK characters and what stands between blanks."""
        return self._tokens(_written_flags(), _spread())

    def said(self) -> Tokens:
        """Return the texts as CJK characters, words, numbers and signs of formulae."""
        return self._tokens(_said_flags(), _spread_signs())

    def letters(self) -> tuple[Hashes, Rows]:
        """Return for each text a hash of its letters and digits alone, in whatever order, and its row."""
        return self._sums(_spread_letters()), np.arange(len(self.line_ends))

    def digits(self) -> Hashes:
        """Return for each text a hash of its digits alone, in whatever order."""
        return self._sums(_spread_digits())

    def first(self, sign: str) -> NDArray[np.int64]:
        """Return for each text where a sign stands first among all characters, or -1 where it is not."""
        places = np.flatnonzero(self.codes == ord(sign))
        rows, firsts = np.unique(np.searchsorted(self.line_ends, places), return_index=True)
        found = np.full(len(self.line_ends), -1)
        found[rows] = places[firsts]
        return found

    def _tokens(self, flags: NDArray[np.uint8], spread: Hashes) -> Tokens:
        flags_C = _flags_in_place(flags.take(self.codes))
        starts_N, ends_N = _bounds(flags_C)
        hashes_N = _hashes(spread.take(self.codes), starts_N, ends_N)
        sizes = np.diff(np.searchsorted(starts_N, self.line_ends), prepend=0)
        rows_N = np.repeat(np.arange(len(sizes)), sizes)
        return Tokens(hashes_N, rows_N, len(sizes), flags_C, starts_N, ends_N)

    def _sums(self, spread: Hashes) -> Hashes:
        return np.asarray(np.add.reduceat(spread.take(self.codes), self.line_starts))


def said_tokens(lines: Sequence[str]) -> Tokens:
    """Return texts as `Characters.said` reads them."""
    return Characters(lines).said()


def read_all(lines: Sequence[str], read: Callable[[Characters], tuple[Hashes, Rows]]) -> tuple[Hashes, Rows]:
    """Return what is read in many texts, each hash with its row, in order; a part of them is read at a time."""
    hashes, rows = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    done = 0
    for size, found in in_threads(lambda batch: (len(batch), read(Characters(batch))), batches(lines, str)):
        hashes.append(found[0])
        rows.append(found[1] + done)
        done += size
    return np.concatenate(hashes), np.concatenate(rows)


def runs_of(tokens: Tokens, sizes: Rows) -> tuple[Hashes, Rows]:
    """Return the hash of every run of tokens inside one text, with its row; both in order.

    `sizes` says for each row how many tokens make a run.
    """
    hashes = np.zeros(len(tokens.hashes), np.uint64)
    are_runs = np.zeros(len(hashes), bool)
    sizes_N = sizes.take(tokens.rows)
    for size in np.unique(sizes).tolist():
        chained = _chained(tokens.hashes, size)
        count = len(chained)
        fit = (sizes_N[:count] == size) & (tokens.rows[:count] == tokens.rows[len(hashes) - count :])
        np.copyto(hashes[:count], chained, where=fit)
        are_runs[:count] |= fit
    return _mixed(hashes[are_runs]), tokens.rows[are_runs]


def _chained(hashes: Hashes, size: int) -> Hashes:
    """Return a polynomial modulo 2**64 of every `size` hashes in a row, put together from halves."""
    if size == 1:
        return hashes
    half = size // 2
    halves = _chained(hashes, half)
    chained = halves[:-half] * np.uint64(pow(_RUN_BASE, half, 1 << 64)) + halves[half:]
    if size % 2:
        chained = chained[:-1] * np.uint64(_RUN_BASE) + hashes[size - 1 :]
    return np.asarray(chained)


def runs_by_script(tokens: Tokens, *, latin: int, cjk: int) -> tuple[Hashes, Rows]:
    """Return the runs of all rows in order: `latin` tokens, or `cjk` spoken ones where most are CJK."""
    in_cjk = tokens.cjk_rows()
    if in_cjk.any():
        # Chinese punctuation varies from print to print.
        tokens = tokens.of(tokens.are_spoken() | ~in_cjk[tokens.rows])
    return runs_of(tokens, np.where(in_cjk, cjk, latin))


def distinct(hashes: Hashes, rows: Rows) -> tuple[Hashes, Rows]:
    """Return each hash once a row, ordered by row and then by hash."""
    bits = max(1, int(rows.max(initial=0)).bit_length())
    keys = (rows.astype(np.uint64) << np.uint64(64 - bits)) | (hashes >> np.uint64(bits))
    order = np.argsort(keys)
    hashes, rows = hashes[order], rows[order]
    fresh = np.ones(len(hashes), bool)
    fresh[1:] = (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1])
    return hashes[fresh], rows[fresh]


def offsets(rows: Rows, row_count: int) -> NDArray[np.int64]:
    """Return where each row's part of an array begins that is ordered by row, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=row_count))])


def spans(starts: Rows, ends: Rows) -> tuple[Rows, Rows]:
    """Return all places from each start up to its end, one span after the other, with the number of the span."""
    sizes = ends - starts
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    return numbers, np.arange(len(numbers)) - np.repeat(np.cumsum(sizes) - sizes - starts, sizes)


def in_row(hashes: Hashes, rows: Rows) -> Hashes:
    """Return hashes that differ between rows too."""
    return hashes ^ _mixed(rows.astype(np.uint64))


class Known:
    """A set of hashes, each with its place, in which many are looked up at once."""

    def __init__(self, hashes: Hashes) -> None:
        in_order = np.sort(hashes)  # faster on these than np.unique
        self.hashes = in_order[np.concatenate([[True], in_order[1:] != in_order[:-1]])[: len(in_order)]]
        # Each hash has the slot that its last bits name; of those with the same bits, one has it.
        bits = max(10, len(self.hashes).bit_length() + 3)
        self.mask = np.uint64((1 << bits) - 1)
        self.slots = np.full(1 << bits, -1, np.int32)
        named = (self.hashes & self.mask).view(np.int64)
        self.slots[named] = np.arange(len(self.hashes), dtype=np.int32)
        holders = self.slots.take(named)
        self.crowded_out = np.flatnonzero(holders != np.arange(len(self.hashes)))
        self.is_shared = np.zeros(len(self.hashes), bool)  # whether others are crowded out of the same slot
        self.is_shared[holders[self.crowded_out]] = True

    def places(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the positions of those hashes that are known, and the place of each in `self.hashes`."""
        found = self.slots.take((hashes & self.mask).view(np.int64))
        likely = np.flatnonzero(found >= 0)
        found, sought = found[likely].astype(np.int64), hashes[likely]
        same = self.hashes.take(found) == sought
        if len(self.crowded_out):
            others = np.flatnonzero(~same & self.is_shared.take(found))
            at = np.searchsorted(self.hashes[self.crowded_out], sought[others])
            found[others] = self.crowded_out.take(np.minimum(at, len(self.crowded_out) - 1))
            same[others] = self.hashes.take(found[others]) == sought[others]
        return likely[same], found[same]


def _codes(lines: Sequence[str]) -> NDArray[np.uint32]:
    """Return the code points of texts, each text ended by a line end, which none holds itself."""
    joined = "\n".join([*lines, ""])
    return np.frombuffer(joined.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)


def _flags_in_place(flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Join a point, comma or colon between digits to the number."""
    inside = np.flatnonzero(flags & (_INSIDE_NUMBER | _JOINED) == _INSIDE_NUMBER)
    inside = inside[(inside > 0) & (inside < len(flags) - 1)]
    between = inside[(flags[inside - 1] & flags[inside + 1] & _DIGIT) > 0]
    flags[between] |= _JOINED
    return flags


def _bounds(flags: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where tokens begin and end: joined characters in a row, and every single one."""
    joined = flags & _JOINED > 0
    single = flags & _SINGLE > 0
    starts, ends = single | joined, single | joined
    starts[1:] &= single[1:] | ~joined[:-1]
    ends[:-1] &= single[:-1] | ~joined[1:]
    return np.flatnonzero(starts), np.flatnonzero(ends) + 1


def _hashes(spread_C: Hashes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Hashes:
    """Return the hash of every stretch of characters: a polynomial modulo 2**64, whatever its place."""
    powers, inverses = _powers(1 << max(16, len(spread_C).bit_length()))
    prefix = np.zeros(len(spread_C) + 1, np.uint64)
    np.cumsum(spread_C * powers[: len(spread_C)], out=prefix[1:])
    return _mixed((prefix.take(ends) - prefix.take(starts)) * inverses.take(starts))


@cache
def _powers(size: int) -> tuple[Hashes, Hashes]:
    def of(base: int) -> Hashes:
        powers = np.full(size, base, np.uint64)
        powers[0] = 1
        return np.cumprod(powers, dtype=np.uint64)

    return of(_BASE), of(pow(_BASE, -1, 1 << 64))


def _mixed(numbers: Hashes) -> Hashes:
    """Spread numbers over all 64 bits, one to one.

    Source: Steele et al., "Fast splittable pseudorandom number generators" (2014), the finaliser.
    """
    mixed = np.asarray(numbers + np.uint64(0x9E3779B97F4A7C15))
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _table(characters: Iterable[str]) -> Flags:
    table = np.zeros(_CODE_POINTS, bool)
    table[[ord(character) for character in characters]] = True
    return table


def _is_space(code: int) -> bool:
    return chr(code).isspace()


@cache
def _properties() -> NDArray[np.uint8]:
    """Return for every code point what it is, whatever it stands beside."""
    alnum = np.zeros(_CODE_POINTS, bool)
    alnum[:_LETTERS_END] = np.fromiter(map(str.isalnum, map(chr, range(_LETTERS_END))), bool, _LETTERS_END)
    flags = np.where(alnum, _ALNUM, 0).astype(np.uint8)
    for low, high in (CJK[start : start + 3].split("-") for start in range(0, len(CJK), 3)):
        flags[ord(low) : ord(high) + 1] |= _CJK
    flags[_table("0123456789")] |= _DIGIT
    flags[_table(_INSIDE_NUMBERS)] |= _INSIDE_NUMBER
    flags[_table("".join(_SIGNS.values()) + _CHINESE_NUMERALS)] |= _SIGN
    return flags


@cache
def _written_flags() -> NDArray[np.uint8]:
    flags = _properties().copy()
    is_cjk = flags & _CJK > 0
    flags[is_cjk] |= _SINGLE
    flags[~is_cjk] |= _JOINED
    flags[_table(map(chr, filter(_is_space, range(_LETTERS_END))))] &= ~_JOINED
    return flags


@cache
def _said_flags() -> NDArray[np.uint8]:
    flags = _properties().copy()
    is_single = flags & (_CJK | _SIGN) > 0
    flags[is_single] |= _SINGLE
    flags[~is_single & (flags & _ALNUM > 0)] |= _JOINED
    return flags


@cache
def _spread() -> Hashes:
    return _mixed(np.arange(_CODE_POINTS, dtype=np.uint64))


@cache
def _spread_signs() -> Hashes:
    """Return a number for every code point, the same one for all prints of a sign."""
    table = _spread().copy()
    for sign, prints in _SIGNS.items():
        table[[ord(each) for each in prints]] = table[ord(sign)]
    return table


@cache
def _spread_letters() -> Hashes:
    return np.where(_properties() & _ALNUM > 0, _spread(), np.uint64(0))


@cache
def _spread_digits() -> Hashes:
    return np.where(_properties() & _DIGIT > 0, _spread(), np.uint64(0))


@cache
def _number_words() -> Known:
    codes = _codes(_ENGLISH_NUMBERS)
    ends = np.flatnonzero(codes == _LINE_END)
    starts = np.concatenate([[0], ends[:-1] + 1])
    return Known(_hashes(_spread_signs().take(codes), starts, ends))
