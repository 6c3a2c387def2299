"""Reads of teachers, solvers and what they wrote."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet

from common.models import Project
from curator.core.quality import PATTERNS, Pattern, Specimen
from curator.models import (
    Attempt,
    Collection,
    Probe,
    Solver,
    Teacher,
    Trace,
)
from curator.queries.questions import LATEST


@dataclass(frozen=True)
class EndpointFigures:
    """A teacher or solver with what it has answered."""

    endpoint: Any
    answered: int
    right: int
    unkeyed: int
    last: Any

    @property
    def keyed(self) -> int:
        """Return how many of its answers could be marked."""
        return self.answered - self.unkeyed


def get_teachers(project: Project) -> list[EndpointFigures]:
    """Return a project's teachers with the numbers of their traces."""
    counts = Trace.objects.filter(question__project=project).order_by().values(of=F("teacher"))
    return _figures(Teacher.objects.filter(project=project), counts)


def get_solvers(project: Project) -> list[EndpointFigures]:
    """Return a project's solvers with the numbers of their attempts."""
    counts = Attempt.objects.filter(question__project=project).order_by().values(of=F("solver"))
    return _figures(Solver.objects.filter(project=project), counts)


def _figures(endpoints: Iterable[Any], counts: "QuerySet[Any, Any]") -> list[EndpointFigures]:
    by_id = {
        row["of"]: row
        for row in counts.annotate(
            answered=Count("pk"),
            right=Count("pk", filter=Q(verdict="right")),
            unkeyed=Count("pk", filter=Q(verdict="unkeyed")),
            last=Max("created_at"),
        )
    }
    none = {"answered": 0, "right": 0, "unkeyed": 0, "last": None}
    return [
        EndpointFigures(each, **{name: by_id.get(each.pk, none)[name] for name in none}) for each in endpoints
    ]


def get_orders(project: Project) -> list[Collection | Probe]:
    """Return a project's latest orders to teachers and solvers, newest first."""
    orders: list[Any] = [
        *Collection.objects.filter(project=project).select_related("teacher")[:LATEST],
        *Probe.objects.filter(project=project).select_related("solver")[:LATEST],
    ]
    return sorted(orders, key=lambda order: order.created_at, reverse=True)[:LATEST]


def get_verdicts(rows: "QuerySet[Any]") -> list[tuple[str, int]]:
    """Return how many answers got which verdict, the most frequent first."""
    return list(rows.order_by().values_list("verdict").annotate(Count("pk")).order_by("-pk__count"))


def get_lengths(rows: "QuerySet[Any]") -> list[int]:
    """Return the thinking tokens of answers."""
    return list(rows.order_by().values_list("thinking_tokens", flat=True))


def flaws_of(trace: Trace) -> list[Pattern]:
    """Return every sign of bad quality that a trace shows, as a hint to who reads it."""
    question = trace.question
    specimen = Specimen(question.text, trace.thinking, trace.answer, trace.finish_reason, question.pool.name)
    return [pattern for pattern in PATTERNS if pattern.found_in(specimen)]
