"""What a project's long work has cost, in money and time."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Value

from common.jobs import kinds_of_job
from common.models import Project


@dataclass(frozen=True)
class Cost:
    """What one kind of long work has cost a project."""

    kind: str
    jobs: int
    usd: Decimal
    seconds: float


def get_costs(project: Project) -> list[Cost]:
    """Return what each kind of long work has cost a project so far, in money and time, in one query."""
    rows = [
        kind._default_manager.filter(**{kind.project_path: project})  # type: ignore[attr-defined]
        .order_by()
        .values_list(Value(place), "cost_usd", "started_at", "finished_at")
        for place, kind in enumerate(kinds_of_job())
    ]
    by_kind: dict[int, list[tuple[Decimal, float]]] = {}
    for place, usd, started, finished in rows[0].union(*rows[1:], all=True):
        seconds = (finished - started).total_seconds() if started and finished else 0.0
        by_kind.setdefault(place, []).append((usd, seconds))
    names = [str(kind._meta.verbose_name) for kind in kinds_of_job()]
    return [
        Cost(names[place], len(jobs), sum((usd for usd, _s in jobs), Decimal(0)), sum(s for _usd, s in jobs))
        for place, jobs in sorted(by_kind.items())
    ]


def total_of(costs: Collection[Cost]) -> Cost:
    """Return all costs as one."""
    return Cost(
        kind="",
        jobs=sum(cost.jobs for cost in costs),
        usd=sum((cost.usd for cost in costs), Decimal(0)),
        seconds=sum(cost.seconds for cost in costs),
    )
