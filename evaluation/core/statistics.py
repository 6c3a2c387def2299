"""Intervals and paired tests on shares, and s1's three measures of test-time scaling."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log2, sqrt

import numpy as np
from scipy.stats import binomtest, norm

from common.core.intervals import LEVEL

_Z = float(norm.ppf(1 - LEVEL / 2))


@dataclass(frozen=True)
class Paired:
    """The same items before and after: shares from -1 to 1, `p` of the exact McNemar test."""

    gained: int
    lost: int
    difference: float
    low: float
    high: float
    p: float


def paired(before: Sequence[bool], after: Sequence[bool]) -> Paired:
    """Compare two conditions on the same items, in the same order.

    The interval is Agresti and Min's (2005), which adds half an item to each cell.

    Raises:
        ValueError: the two differ in length, or there is no item.
    """
    if len(before) != len(after) or not before:
        raise ValueError(f"paired needs the same items twice, got {len(before)} and {len(after)}")
    gained = sum(now and not then for then, now in zip(before, after, strict=True))
    lost = sum(then and not now for then, now in zip(before, after, strict=True))
    total, up, down = len(before) + 2, gained + 0.5, lost + 0.5
    centre = (up - down) / total
    spread = _Z * sqrt(max(0.0, (up + down) - (up - down) ** 2 / total)) / total
    p = float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
    return Paired(
        gained, lost, (gained - lost) / len(before), max(-1.0, centre - spread), min(1.0, centre + spread), p
    )


def bootstrap(
    before: Sequence[float], after: Sequence[float], *, rng: np.random.Generator, draws: int = 10_000
) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean gain from before to after on the same items.

    For credits and marks, where `paired` does not serve; items are drawn, so both sides move together.

    Raises:
        ValueError: the two differ in length, or there is no item.
    Source: s1 (arXiv 2501.19393), section 5, whose intervals are paired bootstraps of 10,000 draws.
    """
    if len(before) != len(after) or not before:
        raise ValueError(f"bootstrap needs the same items twice, got {len(before)} and {len(after)}")
    gains = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    means = [gains[rng.integers(len(gains), size=len(gains))].mean() for _ in range(draws)]
    low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number, in the order given.

    Source: Holm, A simple sequentially rejective multiple test procedure (1979).
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


def smallest_detectable(items: int, *, discordant: float = 0.3, power: float = 0.8) -> float:
    """Return the smallest difference, from 0 to 1, that a paired test on so many items mostly finds.

    `discordant` is the share of items on which the two conditions differ.
    Source: Connor, Sample size for testing differences in proportions for the paired design (1987).
    """
    if not items:
        return 1.0
    share = max(discordant, 1 / items)
    needed = (_Z + float(norm.ppf(power))) * sqrt(share / items)
    return min(1.0, needed)


def control(tokens: Sequence[float], *, least: float = 0.0, most: float) -> float:
    """Return s1's Control: the share of runs whose mean thinking tokens lie within the bounds.

    Source: s1 (arXiv 2501.19393), section 3.2, formula 1.
    """
    return sum(least <= spent <= most for spent in tokens) / len(tokens)


def scaling(points: Sequence[tuple[float, float]]) -> float:
    """Return s1's Scaling: the mean slope over all pairs of (thinking tokens, accuracy).

    The unit is accuracy per doubling of the tokens, in which the paper's own numbers come out.
    Source: s1 (arXiv 2501.19393), section 3.2, formula 2.
    """
    slopes = [
        (high - low) / log2(more / fewer)
        for (fewer, low), (more, high) in combinations(sorted(points), 2)
        if more > fewer
    ]
    return sum(slopes) / len(slopes)


def performance(accuracies: Sequence[float]) -> float:
    """Return s1's Performance: the best accuracy. Source: s1 (arXiv 2501.19393), section 3.2."""
    return max(accuracies)
