"""Leaks: questions of a pool that a benchmark contains, wholly, in part, or in other words.

Latin text is compared by s1's runs of 8 words. Chinese writes no spaces and has about 1.6 characters
a word, so 8 words are 13 characters. Two things keep this from dropping a pool wholesale, as s1's code
would: a run that stands in many pool questions is a stem ("which of the following is the most …") and
proves nothing, and a shared run counts only where runs make up a good part of the shorter text. Texts
too short for a run are compared whole, with their options: 下列说法正确的是 alone is no question.

What shares no run may still be the same question, short or reworded. Where two texts share enough of their rare
words, they are held against each other letter by letter, in the order written and in the order of the
alphabet, and by what they speak of; where their numbers or signs are not the same they are two exercises of one
template.

The order of neither side decides anything, unlike in s1's code.

Source: s1 (arXiv 2501.19393), appendix C.5, and its data/decontaminate_util.py; m1 (arXiv 2504.00869)
and OpenThoughts for the share of letters.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from common.core.text import CJK, count_cjk, folded_line, is_cjk, ngrams, normal_form
from curator.core.copies import same_figures
from curator.core.rewording import words_alike
from curator.core.shingles import (
    Characters,
    Hashes,
    Known,
    Rows,
    Tokens,
    batches,
    distinct,
    in_row,
    in_threads,
    offsets,
    read_all,
    runs_by_script,
    said_tokens,
    spans,
)

LATIN_RUN = 8
CJK_RUN = 13
BOILERPLATE_POOL_SHARE = 0.0005  # of the pool's questions; a run in more than this share is a stem
BOILERPLATE_LEAST = 12  # but a run that so few pool questions share is never one
LEAST_SHARE = 0.25  # of the shorter text's runs; 0 is s1's rule, by which a single run is enough
LEAST_RUNS = 3  # unless the shorter text has fewer
SHOWN_CHARACTERS = 300

# Fuzzy: words in Latin text, pairs of characters in CJK; a term counts by the logarithm of its rarity.
LATIN_TERM = 1
CJK_TERM = 2
COMMON_TERM = 0.02  # of the items; what stands in more of them finds no pairs
LEAST_COMMON_TERMS = 20  # but a term in so few items is never too common
LEAST_SHARED_RARITY = 0.35  # of the text with more of it
LEAST_SHARED_FOR_LETTERS = 0.5  # below it, likeness by letters is that of a template
ROUNDING = 1e-9  # a sum in another order is another by less than this share
LEAST_LIKENESS = 0.92  # m1 asks for 0.95; in the real pools everything from 0.92 on is the same question
LEAST_LIKENESS_BY_NUMBERS = 0.8  # where both have the same numbers, which are enough to know a question by
LEAST_NUMBERS, LEAST_LONG_NUMBERS = 3, 2  # so many, and so many of them of more than one digit
MOST_FUZZY_CHARACTERS = 1000  # in a longer text a reworded one shares runs

# Latin words as s1 splits them, at white space alone, so that a formula is a few words and not dozens.
_TOKEN = re.compile(rf"[{CJK}]|[^\s{CJK}]+")
# What varies between prints of the same question; signs that mean something in a formula stay.
_NUMBERING = re.compile(r"^[(\[]?\d{1,3}[)\].、]+ ?(?!\d)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LOOSE = re.compile(r"\(\s*\)|[.,:](?!\d)|[\s。、;?_\"'“”‘’$]+")

Run = tuple[str, ...]
Places = NDArray[np.int64]
Sums = NDArray[np.float64]


class Kind(StrEnum):
    """How a question and an item were found to be the same."""

    WHOLE = "whole"
    RUNS = "runs"
    FUZZY = "fuzzy"


class Passage(NamedTuple):
    """A question as it is compared; an item names the `group` of items that it belongs to."""

    id: str
    text: str
    options: Sequence[str] = ()
    group: str = ""


@dataclass(frozen=True)
class Hit:
    """A pool question and the item of a group with which it shares most, with a part of what they share.

    `likeness` is the share that both have, from 0 to 1: of the shorter text's runs, or of all letters.
    """

    question: str
    item: str
    shared: str
    kind: Kind = Kind.RUNS
    likeness: float = 1.0


def runs(text: str) -> list[Run]:
    """Return the comparable runs of a text in order: 8 words, or 13 characters where most are CJK."""
    return list(ngrams(*_tokens(text)))


def _tokens(text: str) -> tuple[list[str], int]:
    """Return what the runs of a text are made of, and how many make one."""
    normal = normal_form(text)
    tokens = _TOKEN.findall(normal)
    if 2 * count_cjk(normal) <= len(tokens):
        return tokens, LATIN_RUN
    # Chinese punctuation varies from print to print.
    return [token for token in tokens if any(map(str.isalnum, token))], CJK_RUN


def leaks(
    questions: Iterable[Passage], items: Iterable[Passage], *, least_share: float = LEAST_SHARE
) -> list[Hit]:
    """Return a hit for every pool question and every group of items that share text, in pool order.

    `least_share` is the part of the shorter text's runs that must be shared, stems not counted.
    Questions are read once, in batches, and only those that share something are kept.
    """
    index = _Index(list(items))
    suspects: list[_Suspect] = []
    total = 0
    for size, found in in_threads(
        lambda batch: (len(batch), index.suspects(batch)), batches(questions, attrgetter("text"))
    ):
        suspects += found
        total += size
    frequency = np.bincount(
        np.concatenate([suspect.runs for suspect in suspects]) if suspects else np.empty(0, np.int64),
        minlength=len(index.known.hashes),
    )
    is_telling = frequency <= max(BOILERPLATE_LEAST, total * BOILERPLATE_POOL_SHARE)
    return [hit for suspect in suspects for hit in index.hits(suspect, is_telling, least_share)]


@dataclass(frozen=True)
class _Suspect:
    question: Passage
    whole: Mapping[str, int]  # by group, the row of the item that says the same
    runs: Places  # those that stand in an item too, each once, as places among the known
    run_count: int
    positions: Places  # where in the text such runs stand, and which ones
    places: Places
    fuzzy: Mapping[str, tuple[float, int]]  # by group, how like, and the row of which item


class _Index:
    """The benchmark items by their runs, by their whole text and by their rare terms."""

    def __init__(self, items: Sequence[Passage]) -> None:
        self.items = sorted(items, key=lambda each: each.id)
        self.normals = [normal_form(item.text) for item in self.items]
        hashes, rows = read_all(self.normals, Characters.letters)
        self.letters = Known(hashes)
        self.with_letters = _Holders(self.letters, hashes, rows)
        hashes, rows = distinct(*read_all(self.normals, _runs))
        self.run_count = np.bincount(rows, minlength=len(self.items))
        self.known = Known(hashes)
        self.holders = _Holders(self.known, hashes, rows)
        self.fuzzy = _FuzzyIndex(self.items, self.normals)

    def suspects(self, batch: Sequence[Passage]) -> list[_Suspect]:
        """Return what questions share with any item, for those that share something."""
        lines = [folded_line(question.text) for question in batch]
        characters = Characters(lines)
        hashes, rows = _runs(characters)
        positions, places = self.known.places(hashes)
        alike = (each.tolist() for each in self.letters.places(characters.letters()[0]))
        whole = {row: self._whole(batch[row], lines[row], place) for row, place in zip(*alike, strict=True)}
        fuzzy = self.fuzzy.best(batch, lines)
        found = {row for row in whole if whole[row]} | fuzzy.keys() | set(rows[positions].tolist())
        bounds, known_bounds = offsets(rows, len(batch)), offsets(rows[positions], len(batch))
        suspects = []
        for row in sorted(found):
            start, end = bounds[row : row + 2]
            mine = slice(*known_bounds[row : row + 2])
            suspects.append(
                _Suspect(
                    question=batch[row],
                    whole=whole.get(row, {}),
                    runs=np.array(sorted(set(places[mine].tolist())), np.int64),
                    run_count=len(set(hashes[start:end].tolist())),
                    positions=positions[mine] - start,
                    places=places[mine],
                    fuzzy=fuzzy.get(row, {}),
                )
            )
        return suspects

    def _whole(self, question: Passage, line: str, letters: int) -> Mapping[str, int]:
        """Return by group the first of the items with certain letters that says the same as a question."""
        said = _loose(line), _options(question)
        found: dict[str, int] = {}
        for row in self.with_letters.of(letters):
            if (_loose(self.normals[row]), _options(self.items[row])) == said:
                found.setdefault(self.items[row].group, row)
        return found

    def hits(self, suspect: _Suspect, is_telling: NDArray[np.bool_], least_share: float) -> Iterator[Hit]:
        """Yield for each group the item that a suspect shares enough with; the same text outranks runs."""
        question, shown = suspect.question, suspect.question.text[:SHOWN_CHARACTERS]
        telling = suspect.runs[is_telling[suspect.runs]]
        by_runs = self._most_shared(telling, suspect.run_count, least_share)
        for group in sorted({*suspect.whole, *by_runs, *suspect.fuzzy}):
            if group in suspect.whole:
                yield Hit(question.id, self.items[suspect.whole[group]].id, shown, Kind.WHOLE)
            elif group in by_runs:
                share, row = by_runs[group]
                shared = self._shared_text(suspect, row, telling)
                yield Hit(question.id, self.items[row].id, shared, Kind.RUNS, share)
            else:
                alike, row = suspect.fuzzy[group]
                yield Hit(question.id, self.items[row].id, shown, Kind.FUZZY, alike)

    def _most_shared(
        self, telling: Places, run_count: int, least_share: float
    ) -> dict[str, tuple[float, int]]:
        """Return by group the share and the row of the item that shares most, where that is enough."""
        votes = Counter(self.holders.of_all(telling).tolist())
        most = {row: min(run_count, int(self.run_count[row])) for row in votes}
        best: dict[str, tuple[float, int]] = {}
        for row in sorted(votes):
            group, share = self.items[row].group, votes[row] / most[row]
            if group not in best or share > best[group][0]:
                best[group] = (share, row)
        return {
            group: (share, row)
            for group, (share, row) in best.items()
            if votes[row] >= max(least_share * most[row], min(LEAST_RUNS, most[row]) if least_share else 1)
        }

    def _shared_text(self, suspect: _Suspect, item: int, telling: Places) -> str:
        """Return the longest stretch of a question that consists of runs shared with an item."""
        counts = self.holders.counts[telling]
        shared = np.repeat(telling, counts)[self.holders.of_all(telling) == item]
        marked = suspect.positions[np.isin(suspect.places, shared)]
        stretches = np.split(marked, np.flatnonzero(np.diff(marked) > 1) + 1)
        longest = max(stretches, key=len).tolist()
        tokens, size = _tokens(suspect.question.text)
        return _joined(tokens[longest[0] : longest[-1] + size])[:SHOWN_CHARACTERS]


class _Holders:
    """Which rows hold each known hash."""

    def __init__(self, known: Known, hashes: Hashes, rows: Rows) -> None:
        places = known.places(hashes)[1]
        self.rows = np.sort(places << 32 | rows) & 0xFFFFFFFF
        self.bounds = offsets(places, len(known.hashes))
        self.counts = np.diff(self.bounds)

    def of(self, place: int) -> list[int]:
        """Return the rows that hold the hash at a place."""
        found: list[int] = self.rows[self.bounds[place] : self.bounds[place + 1]].tolist()
        return found

    def of_all(self, places: Places) -> Places:
        """Return the rows that hold each of several hashes, one after the other."""
        return np.asarray(self.rows[spans(self.bounds[places], self.bounds[places + 1])[1]])


class _FuzzyIndex:
    """The benchmark items by their rare terms."""

    def __init__(self, items: Sequence[Passage], normals: Sequence[str]) -> None:
        self.items = items
        self.unnumbered = [_unnumbered(normal) for normal in normals]
        hashes, rows = read_all(normals, lambda characters: _terms(characters.said()))
        self.known = Known(hashes)
        self.holders = _Holders(self.known, *distinct(hashes, rows))
        counts = self.holders.counts
        self.held = Known(in_row(hashes, rows))
        self.rarest = float(np.log(len(items) + 1))
        is_rare = counts <= max(LEAST_COMMON_TERMS, COMMON_TERM * len(items))
        self.weights = np.where(is_rare, self.rarest - np.log(np.maximum(counts, 1)), 0.0)
        self.rarity = np.bincount(rows, self.weights[self.known.places(hashes)[1]], minlength=len(items))

    def best(self, batch: Sequence[Passage], lines: Sequence[str]) -> dict[int, dict[str, tuple[float, int]]]:
        """Return for each row and group how like an item it is that it is most like, and that item's row."""
        found: dict[int, dict[str, tuple[float, int]]] = {}
        short = [line if len(line) <= MOST_FUZZY_CHARACTERS else "" for line in lines]
        close = list(self._close(batch, lines, self._candidates(said_tokens(short))))
        are_same = same_figures([each.one for each in close], [each.other for each in close])
        for row, place, alike, _one, _other in compress(close, are_same):
            best = found.setdefault(row, {})
            group = self.items[place].group
            if group not in best or alike > best[group][0]:
                best[group] = (alike, place)
        return found

    def _close(
        self, batch: Sequence[Passage], lines: Sequence[str], candidates: Sequence[tuple[int, int, float]]
    ) -> "Iterator[_Close]":
        """Yield those pairs of a row and an item that are alike letter by letter, or in what they speak of."""
        ones = {
            row: _unnumbered(normal_form(lines[row])) for row in {row for row, _place, _share in candidates}
        }
        for row, place, share in candidates:
            one, other = ones[row], self.unnumbered[place]
            if batch[row].options and self.items[place].options:
                one, other = _with_options(one, batch[row]), _with_options(other, self.items[place])
            by_letters = _letters_alike(one, other) if share >= LEAST_SHARED_FOR_LETTERS else 0.0
            if alike := by_letters or words_alike(one, other):
                yield _Close(row, place, alike, one, other)

    def _candidates(self, tokens: Tokens) -> list[tuple[int, int, float]]:
        """Return pairs of a row and an item that share enough of their rare terms, in order, with that share.

        A term counts as often as the row says it.

        Source: Bayardo, Ma, Srikant, "Scaling up all pairs similarity search" (WWW 2007): an item that shares
        none of a row's rarest terms cannot share enough of the others.
        """
        hashes, rows = _terms(tokens)
        positions, places = self.known.places(hashes)
        weights = np.full(len(hashes), self.rarest)
        weights[positions] = self.weights[places]
        rarity: Sums = np.bincount(rows, weights, minlength=tokens.row_count)  # type: ignore[assignment]
        is_rare = self.weights[places] > 0
        rare = _RareTerms.of(rows[positions[is_rare]], places[is_rare], self.weights)
        found_rows, found_items = self._possible(rare, rarity)
        shared = self._shared_rarity(rare, found_rows, found_items, tokens.row_count)
        most = np.maximum(rarity[found_rows], self.rarity[found_items])
        enough = shared >= LEAST_SHARED_RARITY * most
        shares = np.divide(shared, most, out=np.ones(len(most)), where=most > 0)[enough]
        return list(
            zip(found_rows[enough].tolist(), found_items[enough].tolist(), shares.tolist(), strict=True)
        )

    def _possible(self, rare: "_RareTerms", rarity: Sums) -> tuple[Places, Places]:
        """Return each row with the items that could share enough, by how many of its rarest terms they hold."""
        is_first = rare.left >= (1 - ROUNDING) * LEAST_SHARED_RARITY * rarity[rare.rows]
        behind = np.bincount(rare.rows[~is_first], self.weights[rare.places[~is_first]], len(rarity))
        rows, places = rare.rows[is_first], rare.places[is_first]
        counts = self.holders.counts[places]
        pairs = np.repeat(rows, counts) * len(self.items) + self.holders.of_all(places)
        pairs, numbers = np.unique(pairs, return_inverse=True)
        shared = np.bincount(numbers, np.repeat(self.weights[places], counts), len(pairs))
        rows, items = np.divmod(pairs, max(1, len(self.items)))
        needed = (1 - ROUNDING) * LEAST_SHARED_RARITY * np.maximum(rarity[rows], self.rarity[items])
        possible = shared + behind[rows] >= needed
        return rows[possible], items[possible]

    def _shared_rarity(self, rare: "_RareTerms", rows: Places, items: Places, row_count: int) -> Sums:
        """Return for each pair of a row and an item the rarity of the row's terms that the item holds."""
        bounds = offsets(rare.rows, row_count)
        pairs, terms = spans(bounds[rows], bounds[rows + 1])
        held = in_row(self.known.hashes[rare.places[terms]], items[pairs])
        found, _places = self.held.places(held)
        weights = self.weights[rare.places[terms[found]]]
        shared: Sums = np.bincount(pairs[found], weights, minlength=len(rows))  # type: ignore[assignment]
        return shared


class _Close(NamedTuple):
    """A question's row and an item's place, how alike they are, and the texts that were compared."""

    row: int
    place: int
    likeness: float
    one: str
    other: str


class _RareTerms(NamedTuple):
    """The terms by which rows may be found, of each row the rarest first."""

    rows: Places
    places: Places  # among the known
    left: Sums  # the rarity of each and of those behind it in its row

    @classmethod
    def of(cls, rows: Places, places: Places, weights: Sums) -> "_RareTerms":
        """Put terms in order."""
        order = np.lexsort((-weights[places], rows))
        rows, places = rows[order], places[order]
        totals = np.bincount(rows, weights[places])
        up_to = np.cumsum(weights[places])
        left = np.cumsum(totals)[rows] - up_to + weights[places]
        return cls(rows, places, left)


def _runs(characters: Characters) -> tuple[Hashes, Rows]:
    return runs_by_script(characters.written(), latin=LATIN_RUN, cjk=CJK_RUN)


def _terms(tokens: Tokens) -> tuple[Hashes, Rows]:
    return runs_by_script(tokens, latin=LATIN_TERM, cjk=CJK_TERM)


def _letters_alike(one: str, other: str) -> float:
    """Return the share of letters that two texts have in common, or 0 where it is too little."""
    likely = 100 * min(LEAST_LIKENESS, LEAST_LIKENESS_BY_NUMBERS)
    as_written = fuzz.ratio(one, other, score_cutoff=likely)
    by_alphabet = fuzz.token_sort_ratio(one, other, score_cutoff=likely)
    if not as_written and not by_alphabet:
        return 0.0
    numbers = sorted(_NUMBER.findall(one))
    by_numbers = _are_telling(numbers) and numbers == sorted(_NUMBER.findall(other))
    least = 100 * (LEAST_LIKENESS_BY_NUMBERS if by_numbers else LEAST_LIKENESS)
    return next((found / 100 for found in (as_written, by_alphabet) if found >= least), 0.0)


def _are_telling(numbers: Sequence[str]) -> bool:
    """Tell whether a question is known by its numbers; "scenario 1" and "scenario 2" stand in many."""
    return len(numbers) >= LEAST_NUMBERS and sum(len(number) > 1 for number in numbers) >= LEAST_LONG_NUMBERS


def _unnumbered(normal: str) -> str:
    numbering = _NUMBERING.match(normal)
    return normal[numbering.end() :] if numbering else normal


def _with_options(normal: str, passage: Passage) -> str:
    return " ".join([normal, *sorted(map(normal_form, passage.options))])


def _loose(normal: str) -> str:
    return _LOOSE.sub("", normal)


def _options(passage: Passage) -> Run:
    return tuple(sorted(_loose(normal_form(option)) for option in passage.options))


def _joined(tokens: Sequence[str]) -> str:
    """Return tokens as text: a space between Latin words, none beside a CJK character."""
    text = ""
    for token in tokens:
        glue = " " if text and not is_cjk(text[-1]) and not is_cjk(token[0]) else ""
        text += glue + token
    return text
