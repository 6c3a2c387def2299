"""Reads for programs: traces and reviews of a whole project, and questions with all that a row of them says."""

from typing import Any

from django.db.models import Q, QuerySet

from common.access import Right
from common.models import Project, User
from common.queries import get_rights
from curator.models import Decision, Question, Review, Selection, Trace
from curator.queries.best import standing


def as_rows(questions: "QuerySet[Question]") -> "QuerySet[Question]":
    """Return questions with what a row of a list says of them, without their solutions."""
    return questions.select_related("pool", "domain").defer("solution", "own_row")


def get_project_traces(project: Project, **chosen: Any) -> "QuerySet[Trace]":
    """Return a project's traces; `chosen` may hold question, teacher (its name), verdict and selection."""
    rows: QuerySet[Trace] = Trace.objects.filter(question__project=project)
    if question := chosen.get("question"):
        rows = rows.filter(question=question)
    if teacher := chosen.get("teacher"):
        rows = rows.filter(teacher__name=teacher)
    if verdict := chosen.get("verdict"):
        rows = rows.filter(verdict=verdict)
    if selection := chosen.get("selection"):
        rows = rows.filter(pk__in=_standing_in(project, selection))
    return rows


def without_texts(traces: "QuerySet[Trace]") -> "QuerySet[Trace]":
    """Return traces without what they say, which may be megabytes each."""
    return traces.select_related("teacher").defer("thinking", "answer")


def get_project_reviews(project: Project, reader: User, **chosen: Any) -> "QuerySet[Review]":
    """Return a project's judgements as far as they may not lead the reader.

    What colleagues say of a trace is shown once the reader has judged it, or to those who curate. `chosen` may
    hold trace, judgement, selection, and `mine` for the reader's own only.
    """
    rows: QuerySet[Review] = Review.objects.filter(trace__question__project=project)
    own = Review.objects.filter(reviewer=reader)
    if chosen.get("mine"):
        rows = rows.filter(reviewer=reader)
    elif Right.CURATE not in get_rights(project, reader):
        rows = rows.filter(Q(reviewer=reader) | Q(trace__in=own.values("trace")))
    if trace := chosen.get("trace"):
        rows = rows.filter(trace=trace)
    if judgement := chosen.get("judgement"):
        rows = rows.filter(judgement=judgement)
    if selection := chosen.get("selection"):
        rows = rows.filter(trace__in=_standing_in(project, selection))
    return rows


def _standing_in(project: Project, selection: int) -> "QuerySet[Any, Any]":
    """Return the keys of the traces that stand for a selection's members; none of another project's."""
    chosen = Selection.objects.filter(project=project, pk=selection)
    return standing(Decision.objects.filter(selection__in=chosen, position__isnull=False))
