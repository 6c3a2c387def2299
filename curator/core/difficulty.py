"""Criterion 2: what solvers miss, how long the trace is, and what an expert says.

Source: s1 (arXiv 2501.19393), section 2.2: a question stays if every solver misses it, each having tried it
once. That is the largest share of passes, 0, over one attempt of each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.core.candidates import Flags, Numbers

MEASURES = ("passes", "length", "rating")


@dataclass(frozen=True)
class Easy:
    """Which questions are too easy by each measure, and which a measure cannot judge; N rows each."""

    by_measure: dict[str, Flags]
    unknown: dict[str, Flags]

    def dropped(self, *, combine: str, keep_unknown: bool) -> Flags:
        """Return who is left out: too easy by any measure, or by all of them.

        What a measure cannot judge is easy by it or not, as `keep_unknown` says.
        """
        verdicts = [
            np.where(self.unknown[measure], not keep_unknown, easy)
            for measure, easy in self.by_measure.items()
        ]
        join = np.logical_or if combine == "any" else np.logical_and
        result: Flags = join.reduce(verdicts)
        return result


def too_easy(
    *,
    measures: tuple[str, ...],
    attempts: Numbers,
    passes: Numbers,
    tokens: Numbers,
    ratings: Numbers,
    most_passed: float,
    least_tokens: int,
    least_rating: int,
) -> Easy:
    """Judge questions by solvers' passes, by the tokens of their trace, and by an expert's rating.

    `most_passed` is the largest share of attempts that may pass: 0 is s1's rule. No attempt, no trace
    (tokens below 0) and no rating (0) cannot be judged.
    """
    share = passes / np.maximum(attempts, 1)
    known: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {
        "passes": (share > most_passed, attempts == 0),
        "length": (tokens < least_tokens, tokens < 0),
        "rating": (ratings < least_rating, ratings == 0),
    }
    return Easy(
        {measure: known[measure][0] for measure in measures},
        {measure: known[measure][1] for measure in measures},
    )


def bands(lengths: Numbers, count: int) -> Numbers:
    """Return the difficulty band of each trace, 0 for the shortest, by its length in tokens.

    The bands are equally wide between the 1st and the 99th percentile, and what lies beyond is in
    the outermost. Quantiles would not do: every band would hold as many questions as the next, and an
    even draw over them would be a random draw, with the pool's own skew.
    """
    if count < 2 or len(lengths) < 2:
        return np.zeros(len(lengths), dtype=np.int64)
    in_order = np.sort(lengths)
    outside = len(lengths) // 100
    low, high = int(in_order[outside]), int(in_order[-1 - outside])
    return np.clip((lengths - low) * count // (high - low + 1), 0, count - 1)
