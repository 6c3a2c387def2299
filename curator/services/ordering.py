"""What an order would cost, before it is begun: what its limits allow, and traces first or difficulty first.

Source: m1 (arXiv 2504.00869), which asks for traces only of what a solver misses.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.endpoints import Prompt
from curator.models import Attempt, Endpoint, Solver, Teacher, Verdict
from curator.models.orders import Order
from curator.services.asking import Estimate
from curator.services.collecting import estimate_collection, estimate_probe, missed, tried, unanswered
from curator.services.purse import LimitReached, dearest_usd, refuse_without_room_for, tightest_limit

ALWAYS_MISSED = 0.0


@dataclass(frozen=True)
class Allowance:
    """What the limits over an order allow: its money, and how many of its questions that will do for."""

    usd: Decimal
    payable: int | None  # about, by the estimate; None: all of them
    refusal: str  # why not even one can be paid for, "" where that is so


def allowance_of(
    *, endpoint: Endpoint, estimate: Estimate, first: Prompt | None, max_cost_usd: Decimal | None
) -> Allowance:
    """Return how far an order would come that begins with a prompt; None: there is nothing to ask."""
    usd = dearest_usd(endpoint, first) if first else Decimal(0)
    return allowance_for(endpoint=endpoint, estimate=estimate, first_usd=usd, max_cost_usd=max_cost_usd)


def allowance_for(
    *, endpoint: Endpoint, estimate: Estimate, first_usd: Decimal, max_cost_usd: Decimal | None
) -> Allowance:
    """Return how far an order would come with what its own limit, the model's and the project's leave.

    `first_usd` is what the first that it asks may cost.
    """
    usd = max(Decimal(0), tightest_limit(endpoint, max_cost_usd).left_usd)
    suffices = estimate.usd <= usd
    payable = None if suffices else int(estimate.questions * usd / estimate.usd)
    try:
        refuse_without_room_for(endpoint=endpoint, usd=first_usd, max_cost_usd=max_cost_usd)
    except LimitReached as reached:
        return Allowance(usd, payable, str(reached))
    return Allowance(usd, payable, "")


def change_limit(*, order: Order, max_cost_usd: Decimal) -> None:
    """Give an order another limit; one that runs keeps to it from its next answers on.

    Raises:
        Refusal: it is no sum, or the order has cost as much already.
    """
    checked(type(order)(max_cost_usd=max_cost_usd), "max_cost_usd")
    if max_cost_usd <= order.cost_usd and order.cost_usd:
        raise Refusal(
            _("The order has cost %(cost)s USD already; give it a limit above that.")
            % {"cost": f"{order.cost_usd:.4f}"}
        )
    type(order)._default_manager.filter(pk=order.pk).update(max_cost_usd=max_cost_usd)


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
