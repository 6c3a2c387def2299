"""How far reviewers of the same traces agree.

Source: Krippendorff, Content Analysis, chapter 11: alpha for nominal values and missing data.
"""

from collections import Counter
from collections.abc import Hashable, Sequence


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
