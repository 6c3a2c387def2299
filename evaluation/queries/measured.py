"""What was measured, as plain values: points, curves, comparisons, and all that a results page says.

Two policies are the same when their budget and their number of extensions are: labels are only names.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from common.core.intervals import LEVEL
from curator.models import Benchmark
from evaluation.models import MarkedAnswer
from training.models import Model

RIGHT = MarkedAnswer.Outcome.RIGHT


class PolicyKey(NamedTuple):
    """What makes two policies comparable between evaluations."""

    budget: int
    extensions: int


class Percent(NamedTuple):
    """A share or a difference with its interval, times a hundred."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """One policy's figures, as an evaluation keeps them; accuracy and interval run from 0 to 1."""

    policy: str
    budget: int
    extensions: int
    accuracy: float
    low: float
    high: float
    items: int
    thinking_tokens: float
    forced_ends: int
    outcomes: dict[str, int]
    score: float

    @property
    def key(self) -> PolicyKey:
        """Return what the point is compared by."""
        return PolicyKey(self.budget, self.extensions)

    @property
    def percent(self) -> "Percent":
        """Return accuracy and interval as percentages."""
        return Percent(100 * self.accuracy, 100 * self.low, 100 * self.high)

    @property
    def score_percent(self) -> float:
        """Return the share of all marks that was earned, as a percentage."""
        return 100 * self.score

    @property
    def right(self) -> int:
        """Return how many items were answered right."""
        return self.outcomes.get(RIGHT, 0)


class Part(StrEnum):
    """What a model is in the comparison."""

    BASE = "base"
    TUNED = "tuned"
    ARM = "arm"
    OTHER = "other"


@dataclass(frozen=True)
class Curve:
    """One model's points on one benchmark, by budget."""

    model: Model
    part: Part
    name: str
    points: tuple[Point, ...]
    extended: tuple[Point, ...]

    @property
    def all_points(self) -> tuple[Point, ...]:
        """Return every point, those with a forced extension last."""
        return (*self.points, *self.extended)

    @property
    def best(self) -> Point | None:
        """Return the point of the highest accuracy; of equals, the cheapest."""
        return max(self.points, key=lambda point: (point.accuracy, -point.budget), default=None)


class Verdict(StrEnum):
    """What a paired test lets one say."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "open"  # the interval and the test leave both ways open


@dataclass(frozen=True)
class Comparison:
    """The same items under two conditions: `first` is what was there before, `second` what is new.

    `difference`, `low` and `high` are shares (second minus first); `p` is the exact McNemar test's,
    and `adjusted_p` is corrected for all comparisons of its family.
    """

    first_name: str
    second_name: str
    budget: int
    extensions: int
    items: int
    first_right: int
    second_right: int
    gained: int
    lost: int
    difference: float
    low: float
    high: float
    p: float
    adjusted_p: float

    @property
    def verdict(self) -> Verdict:
        """Return what may be said at the level of 5 %."""
        if self.adjusted_p >= LEVEL:
            return Verdict.OPEN
        return Verdict.BETTER if self.difference > 0 else Verdict.WORSE

    @property
    def points(self) -> Percent:
        """Return difference and interval in points."""
        return Percent(100 * self.difference, 100 * self.low, 100 * self.high)

    @property
    def p_text(self) -> str:
        """Return the corrected p as it is printed."""
        return "< 0.001" if self.adjusted_p < 0.001 else f"= {self.adjusted_p:.3f}"


@dataclass(frozen=True)
class Share:
    """Right answers among items, with Wilson's interval."""

    right: int
    items: int
    low: float
    high: float

    @property
    def accuracy(self) -> float:
        """Return the share, 0 to 1."""
        return self.right / self.items

    @property
    def percent(self) -> Percent:
        """Return share and interval as percentages."""
        return Percent(100 * self.accuracy, 100 * self.low, 100 * self.high)


@dataclass(frozen=True)
class Group:
    """Some of the items (a domain, a number of marks), and each curve's share of them."""

    name: str
    items: int
    models: tuple[str, ...]
    shares: tuple[Share | None, ...]  # in the order of the models

    @property
    def by_model(self) -> list[tuple[str, Share | None]]:
        """Return each model's name with its share."""
        return list(zip(self.models, self.shares, strict=True))


@dataclass(frozen=True)
class Results:
    """All that the results page says about one benchmark."""

    benchmark: Benchmark
    items: int
    curves: tuple[Curve, ...]
    base: Curve | None
    tuned: Curve | None
    by_budget: tuple[Comparison, ...]
    against_arms: tuple[Comparison, ...]
    waits: tuple[Comparison, ...]
    not_on_base: tuple[Point, ...]
    best: Point | None
    smallest_difference: float | None
    slopes: tuple[tuple[Curve, float], ...]
    grouped: tuple[Curve, ...]  # whose shares the groups below give, in this order
    by_domain: tuple[Group, ...]
    by_marks: tuple[Group, ...]

    @property
    def at_best(self) -> Comparison | None:
        """Return base against tuned at the tuned model's best budget."""
        if self.best is None:
            return None
        wanted = self.best.key
        return next((row for row in self.by_budget if (row.budget, row.extensions) == wanted), None)

    @property
    def gains(self) -> tuple[Comparison, ...]:
        """Return the budgets at which the tuned model is better beyond chance."""
        return tuple(row for row in self.by_budget if row.verdict is Verdict.BETTER)

    @property
    def harms(self) -> tuple[Comparison, ...]:
        """Return what made answers worse beyond chance: a budget, or a forced "Wait"."""
        return tuple(row for row in (*self.by_budget, *self.waits) if row.verdict is Verdict.WORSE)

    @property
    def worst(self) -> Comparison | None:
        """Return the harm that cost the most."""
        return min(self.harms, key=lambda row: row.difference, default=None)

    @property
    def shown(self) -> Curve | None:
        """Return the curve that stands for the whole: the tuned one, or a base while there is none."""
        return self.tuned or self.base

    @property
    def checkpoints(self) -> tuple[Curve, ...]:
        """Return the tuned models among which one can choose."""
        return tuple(curve for curve in self.curves if curve.model.kind == Model.Kind.CHECKPOINT)

    @property
    def differing_percent(self) -> float:
        """Return the share of items on which base and tuned differ at the best budget, as a percentage."""
        row = self.at_best
        return 100 * (row.gained + row.lost) / row.items if row else 0.0

    @property
    def smallest_points(self) -> float | None:
        """Return the smallest difference in points."""
        return None if self.smallest_difference is None else 100 * self.smallest_difference
