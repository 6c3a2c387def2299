"""Traces first, or difficulty first: what each order of the work costs, before either is begun.

Source: m1 (arXiv 2504.00869), which asks for traces only of what a solver misses.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef

from curator.models import Attempt, Solver, Teacher, Verdict
from curator.services.asking import Estimate
from curator.services.collecting import estimate_collection, estimate_probe, missed, tried, unanswered

ALWAYS_MISSED = 0.0


@dataclass(frozen=True)
class Comparison:
    """What a teacher's next order costs by which questions it takes, and what is not known about that yet.

    `tried` and `missed` count all the project's questions that solvers have tried, and those they always missed.
    """

    everything: Estimate
    filtered: Estimate
    tried: int
    missed: int
    untried: int  # questions with a key that the teacher has not answered and no solver has tried
    without_key: int  # questions that it has not answered and that no solver can be judged by
    solver: Solver | None  # who would try what is left for the least money
    probe: Estimate | None

    @property
    def share_missed(self) -> float | None:
        """Return which share of the tried questions solvers always missed; None while none was tried."""
        return self.missed / self.tried if self.tried else None

    @property
    def expected_questions(self) -> int | None:
        """Return about how many questions the filter will leave, if solvers miss the untried as often as the tried."""
        if self.share_missed is None:
            return None
        return self.filtered.questions + round(self.untried * self.share_missed)

    @property
    def expected_usd(self) -> Decimal | None:
        """Return about what those traces will cost, and the tries that are lacking."""
        known = self.filtered if self.filtered.questions else self.everything
        if self.expected_questions is None or self.probe is None or not known.questions:
            return None
        return self.probe.usd + known.usd / known.questions * self.expected_questions


def compare_orders(*, teacher: Teacher, everything: Estimate) -> Comparison:
    """Hold an order for every question against one for what solvers miss.

    `everything` is the estimate of an order for all that the teacher has not answered.
    """
    asked = unanswered(teacher)
    attempts = Attempt.objects.filter(question=OuterRef("pk")).exclude(verdict=Verdict.UNKEYED)
    solver, probe = _cheapest_probe(teacher)
    return Comparison(
        everything=everything,
        filtered=estimate_collection(teacher=teacher, most_pass_rate=ALWAYS_MISSED),
        tried=tried(teacher.project).count(),
        missed=missed(teacher.project, ALWAYS_MISSED).count(),
        untried=asked.exclude(key="").filter(~Exists(attempts)).count(),
        without_key=asked.filter(key="").count(),
        solver=solver,
        probe=probe,
    )


def _cheapest_probe(teacher: Teacher) -> tuple[Solver | None, Estimate | None]:
    """Return the solver that tries each question once for the least money, and that price; None where none can."""
    solvers = Solver.objects.filter(project=teacher.project).exclude(base_url="").order_by("pk")
    priced = [(solver, estimate_probe(solver=solver)) for solver in solvers]
    return min(priced, key=lambda each: each[1].usd, default=(None, None))
