"""Reads of judgements."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from common.models import User
from curator.core.agreement import agreement
from curator.models import (
    Decision,
    Doubt,
    Question,
    Review,
    Selection,
    Trace,
)
from curator.queries.best import standing, with_standing


@dataclass(frozen=True)
class ReviewFigures:
    """How far the review of a selection has come."""

    members: int
    judged: int
    mine: int
    accepted: int
    rejected: int
    scripted: int
    disputed: int
    agreement: float | None

    @property
    def people(self) -> int:
        """Return how many judgements came from people."""
        return self.accepted + self.rejected - self.scripted


def get_review_figures(selection: Selection, reviewer: User) -> ReviewFigures:
    """Return how many members were judged, by whom, and how far the reviewers agree."""
    members = Decision.objects.filter(selection=selection, position__isnull=False)
    rows = Review.objects.filter(trace__in=standing(members))
    judged = list(rows.values_list("trace_id", "judgement", "reviewer_id", "is_scripted"))
    by_trace: dict[int, list[str]] = {}
    for trace, judgement, _reviewer, _scripted in judged:
        by_trace.setdefault(trace, []).append(judgement)
    return ReviewFigures(
        members=members.count(),
        judged=len(by_trace),
        mine=sum(row[2] == reviewer.pk for row in judged),
        accepted=sum(row[1] == "accept" for row in judged),
        rejected=sum(row[1] == "reject" for row in judged),
        scripted=sum(row[3] for row in judged),
        disputed=sum(len(set(words)) > 1 for words in by_trace.values()),
        agreement=agreement(list(by_trace.values())),
    )


def get_reviews(trace: Trace) -> "QuerySet[Review]":
    """Return the judgements of a trace."""
    rows: QuerySet[Review] = Review.objects.filter(trace=trace).select_related("reviewer")
    return rows


def get_doubts(question: Question) -> "QuerySet[Doubt]":
    """Return the open doubts about a question."""
    rows: QuerySet[Doubt] = Doubt.objects.filter(question=question, settled_at=None)
    return rows.select_related("raised_by", "trace")


def get_reviewed(selection: Selection, *, position: int) -> Decision | None:
    """Return the member at a place, with all that a reviewer reads."""
    found: Decision | None = (
        Decision.objects.filter(selection=selection, position=position)
        .select_related(
            *("question__pool", "question__domain", "trace__teacher", "trace__adjudication"),
            *(f"question__chosen_trace__trace__{each}" for each in ("teacher", "adjudication")),
        )
        .first()
    )
    return found


def get_unjudged_position(selection: Selection, reviewer: User, *, after: int = -1) -> int | None:
    """Return the place of the next member that a reviewer has not judged, from the start at the end."""
    judged = Review.objects.filter(trace=OuterRef("stands"), reviewer=reviewer)
    members = with_standing(Decision.objects.filter(selection=selection, position__isnull=False))
    left = members.filter(~Exists(judged))
    places = left.order_by("position").values_list("position", flat=True)
    found: int | None = places.filter(position__gt=after).first()
    return found if found is not None else places.first()


def get_last_review(selection: Selection, reviewer: User) -> Review | None:
    """Return a reviewer's latest judgement of a member."""
    members = Decision.objects.filter(selection=selection, position__isnull=False)
    rows = Review.objects.filter(reviewer=reviewer, trace__in=standing(members))
    found: Review | None = rows.order_by("-changed_at").first()
    return found


def get_position(selection: Selection, trace_id: int) -> int | None:
    """Return the place of a trace among a selection's members."""
    rows = with_standing(Decision.objects.filter(selection=selection, position__isnull=False))
    rows = rows.filter(stands=trace_id)
    return rows.values_list("position", flat=True).first()
