"""Reads of questions with what is known of them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from common.models import Project
from curator.models import (
    Attempt,
    Decision,
    Leak,
    Question,
    Standing,
    Trace,
)

LATEST = 10


def get_questions(project: Project, **chosen: Any) -> "QuerySet[Question]":
    """Return a project's questions as filtered, with their numbers of traces.

    `chosen` may hold text, pool, domain, language, standing, key ("missing", "there"), and traces
    ("some", "none").
    """
    rows: QuerySet[Question] = Question.objects.filter(project=project).select_related("pool", "domain")
    for field in ("pool", "domain", "language", "standing"):
        if chosen.get(field):
            rows = rows.filter(**{field: chosen[field]})
    if chosen.get("text"):
        rows = rows.filter(Q(text__icontains=chosen["text"]) | Q(external_id=chosen["text"]))
    if chosen.get("key"):
        rows = rows.filter(key="") if chosen["key"] == "missing" else rows.exclude(key="")
    if chosen.get("traces"):
        answered = Exists(Trace.objects.filter(question=OuterRef("pk")))
        rows = rows.filter(answered) if chosen["traces"] == "some" else rows.filter(~answered)
    return rows


def with_traces(questions: Sequence[Question]) -> list[tuple[Question, dict[str, int]]]:
    """Return questions with how many traces and right traces each has, in one query for all."""
    counts = Trace.objects.filter(question__in=questions).values("question").order_by()
    by_question = {
        row["question"]: row
        for row in counts.annotate(all=Count("pk"), right=Count("pk", filter=Q(verdict="right")))
    }
    none = {"all": 0, "right": 0}
    return [(question, by_question.get(question.pk, none)) for question in questions]


def get_traces(question: Question) -> "QuerySet[Trace]":
    """Return a question's traces with their teachers and numbers of judgements."""
    rows: QuerySet[Trace] = (
        Trace.objects.filter(question=question).select_related("teacher").defer("thinking")
    )
    return rows.annotate(
        accepts=Count("reviews", filter=Q(reviews__judgement="accept")),
        rejects=Count("reviews", filter=Q(reviews__judgement="reject")),
    )


def get_attempts(question: Question) -> "QuerySet[Attempt]":
    """Return the solvers' tries at a question."""
    rows: QuerySet[Attempt] = Attempt.objects.filter(question=question).select_related("solver")
    return rows.defer("thinking").order_by("solver__name", "sample")


def get_decisions(question: Question) -> "QuerySet[Decision]":
    """Return why each selection took or left a question, the latest selection first."""
    rows: QuerySet[Decision] = Decision.objects.filter(question=question).select_related("selection")
    return rows.order_by("-selection__created_at")[:LATEST]


def get_leaks_of(question: Question) -> "QuerySet[Leak]":
    """Return the benchmark items that a question shares text with."""
    rows: QuerySet[Leak] = Leak.objects.filter(question=question).select_related("item__benchmark")
    return rows


def count_standing(project: Project) -> dict[str, int]:
    """Return how many questions an expert has pinned and banned."""
    rows = Question.objects.filter(project=project).exclude(standing=Standing.OPEN)
    return dict(rows.order_by().values_list("standing").annotate(Count("pk")))
