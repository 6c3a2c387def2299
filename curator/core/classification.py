"""Putting questions into domains without asking a model: by words, or by the nearest labelled examples."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import re2
from numpy.typing import NDArray

from common.core.text import is_cjk, normal_form

OTHER = "other"  # the code of the bucket for what belongs to no domain of the taxonomy
BLOCK_BYTES = 32 * 1024**2  # of likenesses at once, so that memory does not grow with the questions
MOST_PHRASES = (
    5000  # looked for at once; as many were seen to fit into the automaton's memory many times over
)
_AUTOMATON_BYTES = 256 * 1024**2
_SEPARATORS = re.compile(r"[,，、;；\n]+")

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Label:
    """A domain, by its key, and how much of what is known speaks for it, from 0 to 1."""

    domain: int
    confidence: float


def full_text(text: str, options: Sequence[str]) -> str:
    """Return all that a question says: its text, and its options line by line."""
    return "\n".join([text, *options])


def phrases_of(words: str) -> tuple[str, ...]:
    """Return the phrases of a typed list, in normal form and without repetition.

    Commas, semicolons (of both scripts), 、 and line ends part them. What holds no letter and no digit
    is left out, as it would stand in every text.
    """
    parts = (normal_form(part) for part in _SEPARATORS.split(words))
    return tuple(dict.fromkeys(part for part in parts if any(map(str.isalnum, part))))


class RuleBook:
    """Phrases and the domains that they stand for, ready to be looked for in many texts at once.

    A phrase in letters is matched as whole words, one in CJK characters anywhere; a phrase that ends in
    `*` goes on as it likes. All are looked for in one pass, whatever their number.
    """

    def __init__(self, phrases: Sequence[tuple[str, int]]) -> None:
        """Take phrases in normal form, each with its domain's key."""
        self.phrases = tuple(dict.fromkeys(phrases))
        self._literals = [phrase.rstrip("*").rstrip() for phrase, _domain in self.phrases]
        options = re2.Options()
        options.literal, options.never_capture, options.max_mem = True, True, _AUTOMATON_BYTES
        self._set = re2.Set.SearchSet(options)
        for literal in self._literals:
            self._set.Add(literal)
        if self.phrases:
            self._set.Compile()

    def hits(self, text: str) -> list[tuple[int, int]]:
        """Return which phrases stand in a text: the place of each in `phrases`, and where it begins."""
        if not self.phrases:
            return []
        normal = normal_form(text)
        found = [(place, self._find(normal, place)) for place in self._set.Match(normal) or ()]
        return sorted(hit for hit in found if hit[1] >= 0)

    def _find(self, text: str, place: int) -> int:
        literal, is_open = self._literals[place], self.phrases[place][0].endswith("*")
        start = text.find(literal)
        while start >= 0 and not _is_whole(text, start, start + len(literal), is_open):
            start = text.find(literal, start + 1)
        return start

    def label(self, text: str) -> Label | None:
        """Return the domain of the longest phrase in a text, or None where none stands in it.

        Of phrases as long as each other the first in the text decides. The confidence is the share of the
        matched characters that speak for the domain; a phrase inside the deciding one does not count.
        """
        hits = self.hits(text)
        if not hits:
            return None
        best, _start = min(hits, key=lambda hit: (-len(self._literals[hit[0]]), hit[1], hit[0]))
        winner, domain = self._literals[best], self.phrases[best][1]
        lengths: dict[bool, int] = {True: 0, False: 0}
        for place, _start in hits:
            if place == best or self._literals[place] not in winner:
                lengths[self.phrases[place][1] == domain] += len(self._literals[place])
        return Label(domain, lengths[True] / (lengths[True] + lengths[False]))


def _is_whole(text: str, start: int, end: int, is_open: bool) -> bool:
    """Tell whether no word goes on over either end; a CJK character is a word of its own."""
    parted_before = start == 0 or not (_joins(text[start - 1]) and _joins(text[start]))
    parted_after = is_open or end == len(text) or not (_joins(text[end - 1]) and _joins(text[end]))
    return parted_before and parted_after


def _joins(character: str) -> bool:
    return character.isalnum() and not is_cjk(character)


@dataclass(frozen=True)
class Votes:
    """What the nearest examples say of a run of questions, the first of which is number `start`."""

    start: int
    domains: NDArray[np.int64]  # the keys of the domains with the most votes
    shares: NDArray[np.float64]  # of the votes, from 0 to 1


def nearest_votes(
    questions: Vectors, examples: Vectors, domains: Sequence[int], *, neighbours: int
) -> Iterator[Votes]:
    """Yield, run by run, the domain that most of each question's nearest examples have.

    `questions` (N × D) and `examples` (M × D) are unit vectors, `domains` the M examples' domains; with
    fewer examples than `neighbours` all of them vote. Of domains with as many votes as each other the one
    whose examples are nearer wins, then the one of the smaller key.
    """
    known, labels = np.unique(np.asarray(domains, dtype=np.int64), return_inverse=True)
    voters = min(neighbours, len(examples))
    block = max(1, BLOCK_BYTES // (4 * max(1, len(examples))))
    for start in range(0, len(questions) if voters else 0, block):
        places, likeness = _nearest(questions[start : start + block], examples, voters)
        votes = np.zeros((len(places), len(known)))
        nearness = np.zeros_like(votes)
        rows = np.arange(len(places))[:, None]
        np.add.at(votes, (rows, labels[places]), 1)
        np.add.at(nearness, (rows, labels[places]), likeness)
        # A sum of likenesses lies between -voters and voters, so it decides between equals and never else.
        best = np.argmax(votes + nearness / (2 * voters + 1), axis=1)
        yield Votes(start, known[best], votes[rows[:, 0], best] / voters)


def _nearest(questions: Vectors, examples: Vectors, voters: int) -> tuple[NDArray[np.intp], Vectors]:
    """Return the places of the nearest examples of each question, and how like they are."""
    likeness = questions @ examples.T
    if voters == len(examples):
        places = np.broadcast_to(np.arange(voters), likeness.shape)
        return places, likeness
    places = np.argpartition(likeness, -voters, axis=1)[:, -voters:]
    return places, np.take_along_axis(likeness, places, axis=1)
