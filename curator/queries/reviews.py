"""Reads of judgements."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from common.models import User
from common.queries import get_kept
from curator.core.agreement import agreement
from curator.models import (
    Decision,
    Doubt,
    Question,
    Review,
    ReviewChange,
    Selection,
    Trace,
    Verdict,
)
from curator.queries.best import standing, with_standing

COUNTED_AT_ONCE = 5_000  # members; the share of right answers among more is counted every half a minute
KEPT_SECONDS = 30


@dataclass(frozen=True)
class ReviewFigures:
    """How far the review of a selection has come."""

    members: int
    judged: int
    mine: int
    accepted: int
    rejected: int
    doubted: int  # judgements that say that the question or its key is wrong
    unsure: int
    instructive: int  # traces that a reviewer accepted though their answers are wrong
    scripted: int
    disputed: int
    right: int  # members whose trace has the right answer, of those that nobody has thrown out
    standing: int  # members that nobody has thrown out
    agreement: float | None

    @property
    def share_right(self) -> float | None:
        """Return which share of the set has right answers, from 0 to 1; None where nothing is left of it."""
        return self.right / self.standing if self.standing else None

    @property
    def people(self) -> int:
        """Return how many judgements came from people."""
        return self.accepted + self.rejected + self.doubted + self.unsure - self.scripted


def get_review_figures(selection: Selection, reviewer: User) -> ReviewFigures:
    """Return how many members were judged, by whom, and how far the reviewers agree."""
    members = Decision.objects.filter(selection=selection, position__isnull=False)
    # From the few that were judged, not from the many that may be members.
    project = Review.objects.filter(trace__question__project=selection.project)
    rows = project.filter(trace__in=standing(members)) if project.exists() else Review.objects.none()
    judged = list(rows.values_list("trace_id", "judgement", "reviewer_id", "is_scripted", "trace__verdict"))
    by_trace: dict[int, list[str]] = {}
    for trace, judgement, *_rest in judged:
        by_trace.setdefault(trace, []).append(judgement)
    said = Counter(row[1] for row in judged)
    count = members.count()
    if count > COUNTED_AT_ONCE:
        key = f"right-{selection.pk}-{len(judged)}"
        found = get_kept(key, KEPT_SECONDS, lambda: _share_right(members, by_trace))
    else:
        found = _share_right(members, by_trace)
    right, stays = found
    return ReviewFigures(
        members=count,
        judged=len(by_trace),
        mine=sum(row[2] == reviewer.pk for row in judged),
        accepted=said["accept"],
        rejected=said["reject"],
        doubted=said["question"],
        unsure=said["unsure"],
        instructive=len({row[0] for row in judged if row[1] == "accept" and row[4] == Verdict.WRONG}),
        scripted=sum(row[3] for row in judged),
        right=right,
        standing=stays,
        disputed=sum(len(set(words)) > 1 for words in by_trace.values()),
        agreement=agreement(list(by_trace.values())),
    )


def _share_right(members: "QuerySet[Decision]", words: Mapping[int, Sequence[str]]) -> tuple[int, int]:
    """Return how many members' traces are right, and how many there are, without those that were thrown out."""
    thrown_out = [trace for trace, said in words.items() if {"reject", "question"} & set(said)]
    verdicts = Trace.objects.filter(pk=OuterRef("stands"))
    stays = with_standing(members).filter(stands__isnull=False).exclude(stands__in=thrown_out).order_by()
    right = stays.filter(Exists(verdicts.filter(verdict=Verdict.RIGHT)))
    return right.count(), stays.count()


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


def can_undo(selection: Selection, reviewer: User) -> bool:
    """Tell whether a reviewer has changed a judgement of a selection's members."""
    members = Decision.objects.filter(selection=selection, position__isnull=False)
    return ReviewChange.objects.filter(reviewer=reviewer, trace__in=standing(members)).exists()


def get_position_of_question(selection: Selection, question_id: int) -> int | None:
    """Return the place of a question among a selection's members."""
    rows = Decision.objects.filter(selection=selection, position__isnull=False, question=question_id)
    return rows.values_list("position", flat=True).first()
