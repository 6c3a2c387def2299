"""Criterion 2: what solvers miss, and how long the trace is.

Source: s1 (arXiv 2501.19393), section 2.2: a question stays if every solver misses it.
"""

from collections.abc import Sequence


def too_easy(*, passes: int, attempts: int, most_passed: float) -> bool | None:
    """Tell whether solvers pass a question too often; None where nobody tried it.

    `most_passed` is the largest share of attempts that may pass: 0 is s1's rule.
    """
    return None if not attempts else passes / attempts > most_passed


def bands(lengths: Sequence[int], count: int) -> list[int]:
    """Return the difficulty band of each trace, 0 for the shortest, by its length in tokens.

    The bands are equally wide between the 1st and the 99th percentile, and what lies beyond is in
    the outermost. Quantiles would not do: every band would hold as many questions as the next, and an
    even draw over them would be a random draw, with the pool's own skew.
    """
    if count < 2 or len(lengths) < 2:
        return [0] * len(lengths)
    in_order = sorted(lengths)
    outside = len(lengths) // 100
    low, high = in_order[outside], in_order[-1 - outside]
    return [min(max((length - low) * count // (high - low + 1), 0), count - 1) for length in lengths]
