"""Near copies: questions that say the same with other words here and there, and which of them to keep.

MinHash bands find pairs that may be alike, and the exact share of common shingles (2 words, or 3 characters
where most are CJK; options included) decides. Numbers and signs are the point of an exercise: where each of
two texts has a figure that the other lacks, they are two exercises of one template and no copies. Several
questions about one passage are none either: what is asked below a passage must be alike by itself.

Every copy is like its keeper itself, never only like another copy of it, so that the page can show what
a question was dropped for. Keepers are taken in an order of merit, and nothing hangs on the order of import.

Axes: B bands, T texts, S shingles of a batch, P pairs, E shingles of the left sides of pairs.
"""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rensa import RMinHash

from common.core.answers import Outcome, mark
from common.core.text import count_cjk, folded_line, normal_form, sentences
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
    runs_of,
    said_tokens,
    spans,
)

LATIN_SHINGLE = 2
CJK_SHINGLE = 3
PERMUTATIONS = 128
SEED = 1
LEAST_RECALL = 0.995  # of pairs that are just as alike as the threshold asks
BATCH = 1000  # vectors, held against four times as many
MOST_IN_BUCKET = 200  # in a larger one, only questions with the same figures are compared
PAIRS_AT_ONCE = 250
GUESSED_WITHIN = 0.12  # about three times the deviation of a likeness that is guessed from 128 hashes
LONG_KEY, ALIKE_KEYS = 40, 0.9  # characters of keys that explain; how like they are for them to say the same
# What TeX and printers put around what is said; a sign and a decimal point are none of it.
_DRESS = re.compile(r"[\s$~{}]|\\(?:mathrm|text(?:bf|it|rm)?|left|right|displaystyle|q?quad|[,;!: ])")
PASSAGE = 300  # Latin characters, or half as many CJK ones; with so much before it a question has a passage
_ASKED = "\x1f"  # stands between a passage and what is asked about it; nothing that was neutralised holds it

Ids = NDArray[np.int64]
Likeness = NDArray[np.float64]
TextsOf = Callable[[Sequence[int]], Mapping[int, str]]
Tick = Callable[[int], None]

_SPREAD = np.uint64(0xFF51AFD7ED558CCD)
_HALF = np.uint64(32)


class Pairs(NamedTuple):
    """Pairs of questions that are alike, each once."""

    left: Ids  # P
    right: Ids  # P
    likeness: Likeness  # P; from 0 to 1
    by_meaning: bool = False


@dataclass(frozen=True)
class Merit:
    """What decides whether a question is kept rather than its copies."""

    id: int
    content_hash: str
    has_key: bool = False
    solution_length: int = 0
    is_chosen: bool = False  # an expert: keep this one
    is_apart: bool = False  # an expert: this is no copy of any
    is_pinned: bool = False
    is_banned: bool = False

    def rank(self) -> tuple[bool, bool, bool, bool, int, str]:
        """Return what sorts the better question first."""
        return (
            not self.is_chosen,
            not self.is_pinned,
            self.is_banned,
            not self.has_key,
            -self.solution_length,
            self.content_hash,
        )


class Copy(NamedTuple):
    """A question, and the one that is kept in its place."""

    id: int
    keeper: int
    likeness: float
    by_meaning: bool


class _Sketches(NamedTuple):
    """What is kept of each text of a batch: enough to find pairs, too little to judge them."""

    ids: Ids  # T
    keys: NDArray[np.uint32]  # B x T
    figures: Hashes  # T; the same for texts with the same digits
    contents: Hashes  # T; the same for texts with the same tokens, in whatever order
    digests: NDArray[np.uint8]  # T x PERMUTATIONS; the lowest byte of each hash, to guess a likeness by


def compared(text: str, options: Sequence[str] = ()) -> str:
    """Return a question as its copies are looked for; the order of its options does not matter."""
    passage, asked = _parted(text)
    line = folded_line(" ".join([asked, *sorted(options)]))
    return f"{folded_line(passage)} {_ASKED} {line}" if passage else line


def _parted(text: str) -> tuple[str, str]:
    """Return the passage of a question, "" if it has none, and what is asked: its last line or sentence."""
    if not _is_passage(text):
        return "", text
    passage, _line_end, asked = text.rstrip().rpartition("\n")
    if not passage:
        asked = _last_sentence(text)
        passage = text[: text.rindex(asked)]
    return (passage, asked) if _is_passage(passage) else ("", text)


def _is_passage(text: str) -> bool:
    return len(text) >= PASSAGE or (2 * len(text) >= PASSAGE and len(text) + count_cjk(text) >= PASSAGE)


def _last_sentence(text: str) -> str:
    """Return the last of a text's sentences, which is mostly found without a look at those before it."""
    last = sentences(text[-PASSAGE:])
    return (last if len(last) > 1 else sentences(text))[-1]


def near_pairs(
    texts: Iterable[tuple[int, str]], texts_of: TextsOf, *, threshold: float, tick: Tick = lambda _done: None
) -> Pairs:
    """Return the pairs of questions of which at least `threshold` is the same.

    `texts` yields ids with `compared` texts and is read once, in batches; `texts_of` returns
    those of some ids again. `tick` hears how many texts were read so far.
    """
    bands, rows = bands_for(threshold)
    sketches: list[_Sketches] = []
    done = 0
    for sketched in in_threads(lambda batch: _sketched(batch, bands, rows), batches(texts, itemgetter(1))):
        sketches.append(sketched)
        done += len(sketched.ids)
        tick(done)
    if not sketches:
        return _joined([])
    ids_T = np.concatenate([batch.ids for batch in sketches])
    left, right = _likely(sketches, *_candidates(sketches, bands), threshold)
    return _verified(ids_T[left], ids_T[right], texts_of, threshold)


def meaning_pairs(
    ids: Sequence[int], vectors: NDArray[np.float32], texts_of: TextsOf, *, threshold: float
) -> Pairs:
    """Return the pairs whose unit vectors have a cosine of at least `threshold`, and no other figures.

    `vectors` has a row for each id; blocks of them are multiplied, so that memory stays bounded.
    """
    ids_T = np.asarray(ids, dtype=np.int64)
    found: list[tuple[Ids, Ids, Likeness]] = []
    for low in range(0, len(ids_T), BATCH):
        for high in range(low, len(ids_T), 4 * BATCH):
            cosines = vectors[low : low + BATCH] @ vectors[high : high + 4 * BATCH].T
            left, right = np.nonzero(cosines >= threshold)
            once = left + low < right + high
            left, right = left[once], right[once]
            alike = np.clip(cosines[left, right].astype(np.float64), 0, 1)
            found.append((ids_T[left + low], ids_T[right + high], alike))
    pairs = _joined(found)
    parts = _texts_by_part(pairs.left, pairs.right, texts_of)
    told_apart = [texts.figures_differ(np.ones(len(texts.left), bool)) for texts in parts]
    kept = ~np.concatenate([np.empty(0, bool), *told_apart])
    return Pairs(pairs.left[kept], pairs.right[kept], pairs.likeness[kept], by_meaning=True)


def clusters(found: Sequence[Pairs], merits: Iterable[Merit]) -> list[Copy]:
    """Return the copies among questions, each with its keeper; what stands first in `found` counts first.

    A pair of which a question has no merit is passed over: the question is gone.
    """
    by_id = {merit.id: merit for merit in merits}
    related = {merit.id for merit in by_id.values() if not merit.is_apart}
    neighbours: defaultdict[int, dict[int, tuple[float, bool]]] = defaultdict(dict)
    for pairs in found:
        for left, right, alike in zip(
            pairs.left.tolist(), pairs.right.tolist(), pairs.likeness.tolist(), strict=True
        ):
            if left in related and right in related:
                neighbours[left].setdefault(right, (alike, pairs.by_meaning))
                neighbours[right].setdefault(left, (alike, pairs.by_meaning))
    copies: list[Copy] = []
    settled: set[int] = set()
    for keeper in sorted(neighbours, key=lambda each: by_id[each].rank()):
        if keeper not in settled:
            mine = sorted(neighbours[keeper].keys() - settled, key=lambda each: by_id[each].rank())
            settled.update(mine)
            copies += [Copy(each, keeper, *neighbours[keeper][each]) for each in mine]
    return copies


def keys_differ(key: str, options: Sequence[str], other: str, other_options: Sequence[str]) -> bool:
    """Tell whether two keys say different things; letters stand for the options that they name."""
    said, other_said = _said(key, options), _said(other, other_options)
    if not said or not other_said or said == other_said or _are_long_and_alike(said, other_said):
        return False
    # One half and 0.5 are the same: where nothing names an option, the marker has the word.
    return bool(options or other_options) or mark(key, key=other).outcome is not Outcome.RIGHT


def _said(key: str, options: Sequence[str]) -> set[str]:
    letters = [letter for letter in key.upper() if letter.isalpha()]
    named = [ord(letter) - ord("A") for letter in letters]
    if options and letters and all(0 <= place < len(options) for place in named):
        return {_bare(options[place]) for place in named} - {""}
    return {_bare(key)} - {""}


def _bare(text: str) -> str:
    """Return what a key says, without blanks, TeX's dress and the stop at its end."""
    return _DRESS.sub("", normal_form(text)).strip(".,;:。、")


def _are_long_and_alike(said: set[str], other: set[str]) -> bool:
    """Tell whether two keys are explanations that differ in print or in a word."""
    one, two = " ".join(sorted(said)), " ".join(sorted(other))
    return min(len(one), len(two)) >= LONG_KEY and fuzz.ratio(one, two) >= 100 * ALIKE_KEYS


def bands_for(threshold: float) -> tuple[int, int]:
    """Return how many bands of how many hashes find pairs at the threshold, and few below it."""
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= LEAST_RECALL:
            return bands, rows
    return PERMUTATIONS, 1


def likeness(one: str, other: str) -> float:
    """Return the share of all shingles that two compared texts have in common, from 0 to 1."""
    return float(_pair(one, other).likeness()[0])


def figures_differ(one: str, other: str) -> bool:
    """Tell whether each of two compared texts has a number or a sign that the other lacks."""
    return bool(_pair(one, other).figures_differ(np.ones(1, bool))[0])


def same_figures(ones: Sequence[str], others: Sequence[str]) -> list[bool]:
    """Tell for each two texts in normal form whether they have the same numbers and signs, each as often.

    "One" may stand on one side alone, since it is an article too: 下列哪一说法, which one of these.
    """
    *figures, articles = _figures(said_tokens([*ones, *others, "one 一"]))
    found = []
    for one, other in zip(figures[: len(ones)], figures[len(ones) :], strict=True):
        lost, added = Counter(one) - Counter(other), Counter(other) - Counter(one)
        found.append(not (lost and added) and {*lost, *added}.issubset(articles))
    return found


def _figures(tokens: Tokens) -> list[list[int]]:
    """Return the hashes of each row's numbers and signs."""
    figures = tokens.of(tokens.are_figures())
    hashes, bounds = figures.hashes.tolist(), offsets(figures.rows, figures.row_count).tolist()
    return [hashes[start:end] for start, end in pairwise(bounds)]


def _pair(one: str, other: str) -> "_Texts":
    return _Texts(np.array([0]), np.array([1]), {0: one, 1: other})


def _shingles(tokens: Tokens) -> tuple[Hashes, Rows]:
    """Return each row's shingles in row order; a text too short for one is its tokens."""
    sizes = np.where(tokens.cjk_rows(), CJK_SHINGLE, LATIN_SHINGLE)
    is_short = np.bincount(tokens.rows, minlength=tokens.row_count) < sizes
    return runs_of(tokens, np.where(is_short, 1, sizes))


def _sketched(batch: Sequence[tuple[int, str]], bands: int, rows: int) -> _Sketches:
    """Return a key for every text and band, and what tells texts of a large bucket apart."""
    texts = [text for _id, text in batch]
    characters = Characters(texts)
    hashes_S, rows_S = _shingles(characters.said())
    bounds = offsets(rows_S, len(texts))
    digests_T_H = _digests(hashes_S, bounds)
    keys = np.zeros((bands, len(texts)), np.uint64)
    for place in range(rows):
        keys = (keys ^ digests_T_H[:, place : bands * rows : rows].T) * _SPREAD
        keys ^= keys >> np.uint64(32)
    return _Sketches(
        np.array([each for each, _text in batch], dtype=np.int64),
        keys.astype(np.uint32),
        characters.digits(),
        _sums(hashes_S, bounds),
        digests_T_H.astype(np.uint8),
    )


def _digests(hashes: Hashes, bounds: Ids) -> NDArray[np.uintc]:
    """Return the MinHash digest of each row, T x PERMUTATIONS."""
    digests = RMinHash.digest_matrix_from_flat_token_hashes(
        hashes, bounds.astype(np.uint64), PERMUTATIONS, SEED
    )
    numbers = array("I")
    for row in digests.to_rows():
        numbers.fromlist(row)  # numpy takes three times as long for lists
    return np.frombuffer(numbers, np.uintc).reshape(-1, PERMUTATIONS)


def _sums(hashes: Hashes, bounds: Ids) -> Hashes:
    """Return the sum of each row's hashes, modulo 2**64."""
    prefix = np.zeros(len(hashes) + 1, np.uint64)
    np.cumsum(hashes, out=prefix[1:])
    return prefix[bounds[1:]] - prefix[bounds[:-1]]


def _candidates(sketches: list[_Sketches], bands: int) -> tuple[Ids, Ids]:
    """Return the rows of pairs that share a band's key, each pair once."""
    figures_T = np.concatenate([batch.figures for batch in sketches])
    contents_T = np.concatenate([batch.contents for batch in sketches])
    found = np.empty(0, np.uint64)
    for band in range(bands):
        keys_T = np.concatenate([batch.keys[band] for batch in sketches])
        pairs = np.concatenate([found, _pairs_in_buckets(keys_T, figures_T, contents_T)])
        pairs.sort(kind="stable")  # what is in order already costs little
        found = pairs[np.diff(pairs, prepend=~pairs[:1]) != 0]
    return (found >> _HALF).astype(np.int64), (found & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _likely(sketches: list[_Sketches], left: Ids, right: Ids, threshold: float) -> tuple[Ids, Ids]:
    """Drop the pairs whose hashes agree so seldom that the threshold is out of reach."""
    digests = np.concatenate([batch.digests for batch in sketches])
    least = PERMUTATIONS * (threshold - GUESSED_WITHIN)
    kept = np.empty(len(left), bool)
    for low in range(0, len(left), PAIRS_AT_ONCE):
        part = slice(low, low + PAIRS_AT_ONCE)
        agreed = np.count_nonzero(digests[left[part]] == digests[right[part]], axis=1)
        kept[part] = agreed >= least
    return left[kept], right[kept]


def _pairs_in_buckets(keys: NDArray[np.uint32], figures: Hashes, contents: Hashes) -> Hashes:
    """Return the pairs of rows with the same key, as one number each.

    In a bucket of more than MOST_IN_BUCKET a row is held against as many others with the same figures,
    those that follow it in an order that hangs on the texts alone.
    """
    _keys, places, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    sizes_T = sizes[places]
    small = np.flatnonzero((sizes_T > 1) & (sizes_T <= MOST_IN_BUCKET))
    small = small[np.argsort(keys[small], kind="stable")]
    large = np.flatnonzero(sizes_T > MOST_IN_BUCKET)
    large = large[np.lexsort((contents[large], figures[large], keys[large]))]
    same_figures = figures[large] ^ (keys[large].astype(np.uint64) * _SPREAD)
    return np.concatenate([_neighbours(small, keys[small]), _neighbours(large, same_figures)])


def _neighbours(rows: Ids, keys: NDArray[Any]) -> Hashes:
    """Return the pairs of rows with equal keys that stand at most MOST_IN_BUCKET apart."""
    found = [np.empty(0, np.uint64)]
    for distance in range(1, min(len(rows), MOST_IN_BUCKET)):
        same = keys[distance:] == keys[:-distance]
        if not same.any():
            break
        one, other = rows[:-distance][same], rows[distance:][same]
        low, high = np.minimum(one, other), np.maximum(one, other)
        found.append((low.astype(np.uint64) << _HALF) | high.astype(np.uint64))
    return np.concatenate(found)


def _verified(left: Ids, right: Ids, texts_of: TextsOf, threshold: float) -> Pairs:
    """Return those candidates that are alike by exact count, and differ in no figure."""
    found = in_threads(lambda texts: texts.verified(threshold), _texts_by_part(left, right, texts_of))
    return _joined(list(found))


def _texts_by_part(left: Ids, right: Ids, texts_of: TextsOf) -> "Iterator[_Texts]":
    for low in range(0, len(left), PAIRS_AT_ONCE):
        part = slice(low, low + PAIRS_AT_ONCE)
        ids = np.unique(np.concatenate([left[part], right[part]]))
        yield _Texts(left[part], right[part], texts_of(ids.tolist()))


def _joined(parts: Sequence[tuple[Ids, Ids, Likeness]]) -> Pairs:
    if not parts:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    left, right, alike = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Pairs(left, right, alike)


class _Texts:
    """The texts of some pairs, tokenised once each."""

    def __init__(self, left: Ids, right: Ids, texts: Mapping[int, str]) -> None:
        self.pairs = (left, right)  # P
        ids, places = np.unique(np.concatenate([left, right]), return_inverse=True)
        self.left, self.right = places[: len(left)], places[len(left) :]  # P; places among the texts
        # A question that is gone by now is like none.
        self.texts = [texts.get(each, "") for each in ids.tolist()]

    @cached_property
    def characters(self) -> Characters:
        """Return the characters of all texts."""
        return Characters(self.texts)

    @cached_property
    def tokens(self) -> Tokens:
        """Return the tokens of all texts."""
        return self.characters.said()

    @cached_property
    def shingles(self) -> "_Grouped":
        """Return the shingles of all texts."""
        return self._grouped(self.tokens)

    @staticmethod
    def _grouped(tokens: Tokens) -> "_Grouped":
        return _Grouped(*_shingles(tokens), tokens.row_count)

    def verified(self, threshold: float) -> tuple[Ids, Ids, Likeness]:
        """Return the pairs that are copies, and how alike they are."""
        alike = self.likeness()
        kept = alike >= threshold
        kept &= self.ask_alike(kept, (1 + threshold) / 2)
        kept &= ~self.figures_differ(kept)
        return self.pairs[0][kept], self.pairs[1][kept], alike[kept]

    def likeness(self) -> Likeness:
        """Return for each pair the share of all shingles that both have."""
        counts = self.shingles.counts
        shared, _all = self.shingles.held(self.left, self.shingles, self.right)
        union = counts[self.left] + counts[self.right] - shared
        return np.asarray(np.where(union > 0, shared / np.maximum(union, 1), 0.0))

    def figures_differ(self, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell for each pair asked about whether either side has a figure that the other lacks."""
        figures = _figures(self.tokens)
        differ = np.zeros(len(self.left), bool)
        for pair in np.flatnonzero(asked).tolist():
            one, other = figures[self.left[pair]], figures[self.right[pair]]
            if one != other:
                lost, added = Counter(one) - Counter(other), Counter(other) - Counter(one)
                differ[pair] = bool(lost and added)
        return differ

    def ask_alike(self, pairs: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
        """Tell for each of some pairs whether each side holds what is asked by the other below a passage.

        `least` is the share that it must hold of those shingles that the other's own passage lacks.
        """
        left, right = self.left[pairs], self.right[pairs]
        is_meant = np.zeros(len(self.texts), bool)
        is_meant[left] = is_meant[right] = True
        marks = self.characters.first(_ASKED)
        tokens = self.tokens.of((is_meant & (marks >= 0))[self.tokens.rows])
        is_asked = tokens.starts > marks[tokens.rows]
        own = self._grouped(tokens.of(is_asked)).without(self._grouped(tokens.of(~is_asked)))
        alike = np.ones(len(left), bool)
        for one, other in ((left, right), (right, left)):
            held, wanted = own.held(one, self.shingles, other)
            alike &= held >= least * wanted
        found = np.ones(len(self.left), bool)
        found[pairs] = alike
        return found


class _Grouped:
    """The distinct shingles of each text."""

    def __init__(self, hashes: Hashes, rows: Rows, row_count: int) -> None:
        self.hashes, self.rows = distinct(hashes, rows)
        self.row_count = row_count
        self.bounds = offsets(self.rows, row_count)
        self.counts = np.diff(self.bounds)

    def held(self, mine: Ids, others: "_Grouped", theirs: Ids) -> tuple[Ids, Ids]:
        """Return for each pair of a row here and one there how many shingles it shares, of how many."""
        pairs_E, places_E = spans(self.bounds[mine], self.bounds[mine + 1])
        found_E = others.has(self.hashes[places_E], theirs[pairs_E])
        return np.bincount(pairs_E[found_E], minlength=len(mine)), self.counts[mine]

    def has(self, hashes: Hashes, rows: Rows) -> NDArray[np.bool_]:
        """Tell for each shingle whether the row beside it holds it."""
        found = np.zeros(len(hashes), bool)
        found[self.known.places(in_row(hashes, rows))[0]] = True
        return found

    @cached_property
    def known(self) -> Known:
        """Return each shingle as one of its row."""
        return Known(in_row(self.hashes, self.rows))

    def without(self, others: "_Grouped") -> "_Grouped":
        """Return the shingles that the same row elsewhere lacks."""
        kept = ~others.has(self.hashes, self.rows)
        return _Grouped(self.hashes[kept], self.rows[kept], self.row_count)
