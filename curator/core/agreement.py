"""How far reviewers of the same traces agree.

Source: Krippendorff, Content Analysis, chapter 11: alpha for nominal values and missing data.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.core.intervals import wilson

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


def agreement(judgements: Sequence[Sequence[Hashable]]) -> float | None:
    """Return Krippendorff's alpha of the judgements of each trace: 1 is full, 0 is chance.

    None where no trace has two judgements, or all judgements of those that have are the same.
    """
    paired = [Counter(each) for each in judgements if len(each) > 1]
    total = sum(sum(counts.values()) for counts in paired)
    values: Counter[Hashable] = sum(paired, Counter())
    expected = total**2 - sum(count**2 for count in values.values())
    if not expected:
        return None
    observed = sum(
        (sum(counts.values()) ** 2 - sum(count**2 for count in counts.values())) / (sum(counts.values()) - 1)
        for counts in paired
    )
    return 1 - (total - 1) * observed / expected
