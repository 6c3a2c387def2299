"""How far reviewers of the same traces agree.

Source: Krippendorff, Content Analysis, chapter 11: alpha for nominal values and missing data.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import krippendorff
import numpy as np
from numpy.typing import NDArray

from common.core.intervals import wilson

LEAST_FOR_INTERVAL = 10  # things; an interval of fewer says nothing
RESAMPLES = 500
Counts = NDArray[np.float64]  # things by values
GOOD_SHARE = 0.9  # of an assistant's grades that experts have to agree with, for them to be relied on


class Reliance(StrEnum):
    """What a spot check says of an assistant's grades."""

    GOOD = "good"  # the whole interval lies at or above GOOD_SHARE
    OPEN = "open"  # it reaches to both sides: too few were checked to tell
    POOR = "poor"  # the whole interval lies below


@dataclass(frozen=True)
class SpotChecked:
    """How many of the grades that experts checked blindly they agree with."""

    agreed: int
    total: int

    @property
    def share(self) -> float | None:
        """Return the rate of agreement, from 0 to 1, or None before the first check."""
        return self.agreed / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """Return its 95 % Wilson interval."""
        return wilson(self.agreed, self.total)

    @property
    def reliance(self) -> Reliance:
        """Return what the interval allows one to say."""
        low, high = self.interval
        return Reliance.GOOD if low >= GOOD_SHARE else Reliance.POOR if high < GOOD_SHARE else Reliance.OPEN


@dataclass(frozen=True)
class Agreement:
    """How far reviewers agree about the things that several of them judged; None where nothing can be said.

    `percent` is the share of pairs of judgements of one thing that are the same, with its 95 % Wilson interval;
    `kappa` Cohen's, of each two reviewers over what both judged, weighted by how much that is; `alpha`
    Krippendorff's for nominal values, with the 95 % interval of a bootstrap over things.
    """

    things: int
    pairs: int
    same: int
    kappa: float | None
    alpha: float | None
    alpha_interval: tuple[float, float] | None

    @property
    def percent(self) -> float | None:
        """Return the share of pairs that agree, from 0 to 1."""
        return self.same / self.pairs if self.pairs else None

    @property
    def percent_interval(self) -> tuple[float, float]:
        """Return its 95 % Wilson interval."""
        return wilson(self.same, self.pairs)


def agreement_between(words: Sequence[Mapping[Hashable, Hashable]]) -> Agreement:
    """Return how far reviewers agree; each element holds, by reviewer, what was said of one thing."""
    judged = [said for said in words if len(said) > 1]
    pairs = [pair for said in judged for pair in combinations(said.values(), 2)]
    units = [tuple(said.values()) for said in judged]
    return Agreement(
        things=len(judged),
        pairs=len(pairs),
        same=sum(one == other for one, other in pairs),
        kappa=_kappa(judged),
        alpha=agreement(units),
        alpha_interval=_bootstrapped(units),
    )


def agreement(judgements: Sequence[Sequence[Hashable]]) -> float | None:
    """Return Krippendorff's alpha of the judgements of each trace: 1 is full, 0 is chance.

    None where no trace has two judgements, or all judgements of those that have are the same.
    """
    counts = _counted(judgements)
    return _alpha(counts) if len(counts) else None


def _counted(judgements: Sequence[Sequence[Hashable]]) -> Counts:
    """Return how often each value was given to each thing, of those with two values or more: things by values."""
    paired = [Counter(each) for each in judgements if len(each) > 1]
    values = list(dict.fromkeys(value for counts in paired for value in counts))
    return np.array([[counts[value] for value in values] for counts in paired], np.float64)


def _alpha(counts: Counts) -> float | None:
    if (counts.sum(axis=0) > 0).sum() < 2:
        return None
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def _bootstrapped(judgements: Sequence[Sequence[Hashable]]) -> tuple[float, float] | None:
    """Return the 95 % interval of alpha when things are drawn anew; the same things give the same interval."""
    counts = _counted(judgements)
    if len(counts) < LEAST_FOR_INTERVAL or _alpha(counts) is None:
        return None
    rng = np.random.default_rng(0)
    drawn = (counts[rng.integers(0, len(counts), len(counts))] for _each in range(RESAMPLES))
    alphas = [alpha for sample in drawn if (alpha := _alpha(sample)) is not None]
    low, high = np.quantile(alphas, [0.025, 0.975])
    return float(low), float(high)


def _kappa(words: Sequence[Mapping[Hashable, Hashable]]) -> float | None:
    """Return Cohen's kappa of every two reviewers, weighted by how many things both judged.

    Source: Cohen (1960), A coefficient of agreement for nominal scales.
    """
    both: dict[tuple[Hashable, ...], list[tuple[Hashable, Hashable]]] = defaultdict(list)
    for said in words:
        for one, other in combinations(sorted(said, key=str), 2):
            both[one, other].append((said[one], said[other]))
    known = [(len(pairs), kappa) for pairs in both.values() if (kappa := _cohen(pairs)) is not None]
    total = sum(weight for weight, _kappa in known)
    return sum(weight * kappa for weight, kappa in known) / total if total else None


def _cohen(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    ones, others = Counter(one for one, _other in pairs), Counter(other for _one, other in pairs)
    by_chance = sum(ones[value] * others[value] for value in ones) / len(pairs) ** 2
    observed = sum(one == other for one, other in pairs) / len(pairs)
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)
