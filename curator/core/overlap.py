"""Leaks: questions of a pool that a benchmark contains, wholly or in part.

Latin text is compared by s1's runs of 8 words. Chinese writes no spaces and has about 1.6 characters
a word, so 8 words are 13 characters. Two things keep this from dropping a pool wholesale, as s1's code
would: a run that stands in many pool questions is a stem ("which of the following is the most …") and
proves nothing, and a shared run counts only where runs make up a good part of the shorter text. Texts
too short for a run are compared whole, with their options: 下列说法正确的是 alone is no question.

The order of neither side decides anything, unlike in s1's code.

Source: s1 (arXiv 2501.19393), appendix C.5, and its data/decontaminate_util.py.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from common.core.text import CJK, count_cjk, is_cjk, ngrams, normal_form

LATIN_RUN = 8
CJK_RUN = 13
BOILERPLATE_POOL_SHARE = 0.0005  # of the pool's questions; a run in more than this share is a stem
BOILERPLATE_LEAST = 12  # but a run that so few pool questions share is never one
LEAST_SHARE = 0.25  # of the shorter text's runs; 0 is s1's rule, by which a single run is enough
LEAST_RUNS = 3  # unless the shorter text has fewer
SHOWN_CHARACTERS = 300

# Latin words as s1 splits them, at white space alone, so that a formula is a few words and not dozens.
_TOKEN = re.compile(rf"[{CJK}]|[^\s{CJK}]+")
# What varies between prints of the same question; signs that mean something in a formula stay.
_LOOSE = re.compile(r"\(\s*\)|[.,:](?!\d)|[\s。、;?_\"'“”‘’$]+")

Run = tuple[str, ...]


class Passage(NamedTuple):
    """A question as it is compared."""

    id: str
    text: str
    options: Sequence[str] = ()


@dataclass(frozen=True)
class Hit:
    """A pool question and the benchmark item with which it shares most, with a part of what they share."""

    question: str
    item: str
    shared: str


def runs(text: str) -> list[Run]:
    """Return the comparable runs of a text in order: 8 words, or 13 characters where most are CJK."""
    return _runs(normal_form(text))


def _runs(normal: str) -> list[Run]:
    tokens = _TOKEN.findall(normal)
    if 2 * count_cjk(normal) <= len(tokens):
        return list(ngrams(tokens, LATIN_RUN))
    # Chinese punctuation varies from print to print.
    spoken = [token for token in tokens if any(map(str.isalnum, token))]
    return list(ngrams(spoken, CJK_RUN))


def leaks(
    questions: Iterable[Passage], items: Iterable[Passage], *, least_share: float = LEAST_SHARE
) -> list[Hit]:
    """Return a hit for every pool question that shares its text with a benchmark item, in pool order.

    `least_share` is the part of the shorter text's runs that must be shared, stems not counted.
    """
    index = _Index(items)
    suspects: list[_Suspect] = []
    pool_frequency: Counter[Run] = Counter()
    total = 0
    for total, question in enumerate(questions, start=1):  # noqa: B007 - the last one is the count
        suspect = index.suspect(question)
        if suspect is not None:
            pool_frequency.update(suspect.shared)
            suspects.append(suspect)
    most = max(BOILERPLATE_LEAST, total * BOILERPLATE_POOL_SHARE)
    hits = (index.hit(suspect, pool_frequency, most, least_share) for suspect in suspects)
    return [hit for hit in hits if hit is not None]


@dataclass(frozen=True)
class _Suspect:
    question: Passage
    whole: str  # the item that says the same, or ""
    shared: AbstractSet[Run]
    run_count: int


class _Index:
    """The benchmark items by their runs and by their whole text."""

    def __init__(self, items: Iterable[Passage]) -> None:
        self.whole: defaultdict[str, dict[Run, str]] = defaultdict(dict)  # by text, then by options
        self.by_run: defaultdict[Run, set[str]] = defaultdict(set)
        self.run_count: dict[str, int] = {}
        for item in sorted(items, key=lambda each: each.id):
            normal = normal_form(item.text)
            self.whole[_loose(normal)].setdefault(_options(item), item.id)
            distinct = set(_runs(normal))
            self.run_count[item.id] = len(distinct)
            for run in distinct:
                self.by_run[run].add(item.id)

    def suspect(self, question: Passage) -> _Suspect | None:
        """Return what a question shares with any item, or None."""
        normal = normal_form(question.text)
        distinct = set(_runs(normal))
        alike = self.whole.get(_loose(normal))
        whole = alike.get(_options(question), "") if alike else ""
        shared = {run for run in distinct if run in self.by_run}
        return _Suspect(question, whole, shared, len(distinct)) if whole or shared else None

    def hit(
        self, suspect: _Suspect, pool_frequency: Mapping[Run, int], most: float, least_share: float
    ) -> Hit | None:
        """Return the item that a suspect shares enough with, or None; the same text outranks runs."""
        question = suspect.question
        if suspect.whole:
            return Hit(question.id, suspect.whole, question.text[:SHOWN_CHARACTERS])
        telling = {run for run in suspect.shared if pool_frequency[run] <= most}
        votes = Counter(item for run in telling for item in self.by_run[run])
        if not votes:
            return None
        most_runs = {item: min(suspect.run_count, self.run_count[item]) for item in votes}
        item = min(votes, key=lambda candidate: (-votes[candidate] / most_runs[candidate], candidate))
        least = max(least_share * most_runs[item], min(LEAST_RUNS, most_runs[item]) if least_share else 1)
        if votes[item] < least:
            return None
        return Hit(question.id, item, self._shared_text(question.text, item, telling))

    def _shared_text(self, text: str, item: str, telling: AbstractSet[Run]) -> str:
        """Return the longest stretch of a text that consists of runs shared with an item."""
        best: list[str] = []
        stretch: list[str] = []
        for run in runs(text):
            if run in telling and item in self.by_run[run]:
                stretch = [*stretch, run[-1]] if stretch else list(run)
                best = max(best, stretch, key=len)
            else:
                stretch = []
        return _joined(best)[:SHOWN_CHARACTERS]


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
