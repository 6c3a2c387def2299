"""Reads of teachers, solvers and what they wrote."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, F, Max, Q, QuerySet

from common.models import Project
from curator.core.quality import PATTERNS, Pattern, Specimen
from curator.models import (
    Assistant,
    Attempt,
    Classification,
    Collection,
    Embedder,
    Grading,
    Probe,
    Question,
    Solver,
    Standing,
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


def get_assistants(project: Project) -> "QuerySet[Assistant]":
    """Return a project's assistants with the numbers of their grades."""
    rows: QuerySet[Assistant] = Assistant.objects.filter(project=project)
    return rows.annotate(graded=Count("gradings__grades"))


def get_embedders(project: Project) -> "QuerySet[Embedder]":
    """Return a project's embedding models with the numbers of their vectors."""
    rows: QuerySet[Embedder] = Embedder.objects.filter(project=project)
    return rows.annotate(embedded=Count("embeddings"))


def get_orders(project: Project) -> list[Any]:
    """Return a project's latest orders to teachers, solvers and assistants, newest first."""
    return _latest(
        Collection.objects.filter(project=project).select_related("teacher"),
        Probe.objects.filter(project=project).select_related("solver"),
        Grading.objects.filter(project=project).select_related("assistant"),
    )


def get_assisting(assistant: Assistant) -> list[Any]:
    """Return an assistant's latest orders, to grade and to sort, newest first."""
    return _latest(
        Grading.objects.filter(assistant=assistant).select_related("assistant"),
        Classification.objects.filter(assistant=assistant),
    )


def get_question_to_try(project: Project, *, after: str = "") -> Question | None:
    """Return a question to try a model with: the first that is not banned, or the next after a key; then the first."""
    rows: QuerySet[Question] = Question.objects.filter(project=project).exclude(standing=Standing.BANNED)
    rows = rows.order_by("pk")
    later = rows.filter(pk__gt=int(after)).first() if after.isdecimal() and len(after) < 19 else None
    return later or rows.first()


def _latest(*kinds: "QuerySet[Any]") -> list[Any]:
    orders = [order for rows in kinds for order in rows.order_by("-created_at")[:LATEST]]
    return sorted(orders, key=lambda order: order.created_at, reverse=True)[:LATEST]


def get_verdicts(rows: "QuerySet[Any]") -> list[tuple[str, int]]:
    """Return how many answers got which verdict, the most frequent first."""
    return list(rows.order_by().values_list("verdict").annotate(Count("pk")).order_by("-pk__count"))


def get_mean_thinking(rows: "QuerySet[Any]") -> tuple[int, float | None]:
    """Return how many answers there are, and their thinking tokens on average."""
    found = rows.order_by().aggregate(count=Count("pk"), mean=Avg("thinking_tokens"))
    return found["count"], found["mean"]


def flaws_of(trace: Trace) -> list[Pattern]:
    """Return every sign of bad quality that a trace shows, as a hint to who reads it."""
    question = trace.question
    specimen = Specimen(
        question.text,
        trace.thinking,
        trace.answer,
        trace.finish_reason,
        question.pool.name,
        question.language,
        question.key,
        question.options,
    )
    return [pattern for pattern in PATTERNS if pattern.found_in(specimen)]
