"""How sure a share is that was counted on a sample."""

from scipy.stats import binomtest

LEVEL = 0.05


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share, from 0 to 1.

    Source: Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    if not total:
        return 0.0, 1.0
    interval = binomtest(right, total).proportion_ci(confidence_level=1 - LEVEL, method="wilson")
    return float(interval.low), float(interval.high)
