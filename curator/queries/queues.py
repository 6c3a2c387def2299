"""Reads of queues: what is in them, how far they are, who works on them and how fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from common.models import Project, User
from common.queries import get_kept
from curator.models import (
    ChosenTrace,
    Lease,
    Question,
    Queue,
    QueueItem,
    QueueMember,
    Review,
    ReviewChange,
    Selection,
    Standing,
    Trace,
    Verdict,
)
from curator.queries.best import with_standing

KEPT_SECONDS = 60  # the share of right answers in a queue
RECENT = 50  # judgements by which a pace is measured
_PATHS = {"verdict": "verdict", "teacher": "teacher", "pool": "question__pool", "domain": "question__domain"}


def get_queue_traces(
    project: Project, selection: Selection | None, filters: Mapping[str, Any]
) -> "QuerySet[Any, Any]":
    """Return the traces that belong into a queue as rows of key and place, for an INSERT.

    `filters` has lists of keys by `verdict`, `teacher`, `pool` and `domain`; what is not there asks for all.
    """
    if selection is not None:
        members = selection.decisions.filter(position__isnull=False, question__project=project)
        rows = with_standing(members).filter(stands__isnull=False).order_by()
        if verdicts := filters.get("verdict"):
            rows = rows.filter(stands__in=Trace.objects.filter(verdict__in=verdicts).values("pk"))
        return rows.values_list("stands", "position")
    traces = Trace.objects.filter(question__project=project).exclude(question__standing=Standing.BANNED)
    for name, path in _PATHS.items():
        if wanted := filters.get(name):
            traces = traces.filter(**{f"{path}__in": wanted})
    place = Window(RowNumber(), order_by=[F("question_id").asc(), F("pk").asc()])
    found: QuerySet[Any, Any] = traces.order_by().annotate(place=place).values_list("pk", "place")
    return found


def get_queues(project: Project) -> "QuerySet[Queue]":
    """Return a project's queues, the open ones first."""
    rows: QuerySet[Queue] = Queue.objects.filter(project=project).select_related("selection", "project")
    return rows


def get_item(queue: Queue, pk: int) -> QueueItem | None:
    """Return one trace of a queue with all that a reviewer reads."""
    rows = QueueItem.objects.filter(queue=queue, pk=pk).select_related(
        "trace__teacher", "trace__adjudication", "trace__question__pool", "trace__question__domain"
    )
    found: QueueItem | None = next(iter(rows[:1]), None)
    if found is not None:
        found.queue = queue
        found.trace.question.project = queue.project
    return found


def get_chosen_key(question: Question) -> int | None:
    """Return the key of the trace that an expert chose for a question."""
    return next(iter(ChosenTrace.objects.filter(question=question).values_list("trace_id", flat=True)), None)


def get_share_right(queue: Queue) -> tuple[int, int]:
    """Return how many traces of a queue are right, and how many there are, without those thrown out.

    Counted once a minute: a queue may hold a quarter of a million.
    """
    return get_kept(f"queue-right-{queue.pk}", KEPT_SECONDS, lambda: _share_right(queue))


def _share_right(queue: Queue) -> tuple[int, int]:
    thrown_out = Review.objects.filter(
        trace__queue_items__queue=queue, judgement__in=[Review.Judgement.REJECT, Review.Judgement.QUESTION]
    )
    stays = QueueItem.objects.filter(queue=queue).exclude(trace__in=thrown_out.values("trace"))
    sums = stays.aggregate(right=Count("pk", filter=Q(trace__verdict=Verdict.RIGHT)), all=Count("pk"))
    return sums["right"], sums["all"]


def get_last_word(queue: Queue, reviewer: User) -> ReviewChange | None:
    """Return a reviewer's latest change of a judgement in a queue: what an undo takes back."""
    changes = ReviewChange.objects.filter(reviewer=reviewer, trace__queue_items__queue=queue)
    found: ReviewChange | None = changes.order_by("-pk").first()
    return found


@dataclass(frozen=True)
class QueueFigures:
    """How far a queue is, and how fast one reviewer works through it."""

    total: int  # traces to judge: all of them, or the target
    done: int
    waiting: int  # judgements that are still wanted
    mine: int
    seconds: float | None  # a trace takes the reviewer, in the middle of the latest ones
    reviewers: int  # who hold a trace now
    warm_up: int  # traces
    warmed_up: int  # of them judged by the reviewer

    @property
    def share(self) -> float:
        """Return which share of the traces is done, from 0 to 1."""
        return min(self.done / self.total, 1) if self.total else 1.0

    @property
    def per_hour(self) -> float | None:
        """Return how many traces the reviewer judges in an hour."""
        return 3600 / self.seconds if self.seconds else None

    @property
    def left(self) -> timedelta | None:
        """Return how long the rest takes at this pace, shared among those who work on it now."""
        if self.seconds is None:
            return None
        return timedelta(seconds=self.waiting * self.seconds / max(self.reviewers, 1))


def get_queue_figures(queue: Queue, reviewer: User, *, now: datetime | None = None) -> QueueFigures:
    """Return how far a queue is; a handful of rows is read, however long the queue is."""
    moment = now or timezone.now()
    own = QueueMember.objects.filter(queue=queue, reviewer=reviewer).first()
    live = Lease.objects.filter(queue=queue, until__gt=moment)
    warm_up = QueueItem.objects.filter(queue=queue, known__isnull=False)
    mine = Count("pk", filter=Q(trace__reviews__reviewer=reviewer), distinct=True)
    sums = warm_up.aggregate(traces=Count("pk", distinct=True), mine=mine)
    total = queue.total if queue.target is None else min(queue.target, queue.total)
    return QueueFigures(
        total=total,
        done=min(queue.done, total),
        waiting=max(queue.waiting - (queue.total - total) * queue.overlap, 0),
        mine=own.judged if own else 0,
        seconds=_seconds(queue, reviewer),
        reviewers=live.order_by().values("reviewer").distinct().count(),
        warm_up=sums["traces"],
        warmed_up=sums["mine"],
    )


def _seconds(queue: Queue, reviewer: User) -> float | None:
    """Return how long a trace takes a reviewer, in the middle of the latest ones; None before the first."""
    words = Review.objects.filter(reviewer=reviewer, trace__queue_items__queue=queue, seconds__gt=0)
    latest = list(words.order_by("-changed_at").values_list("seconds", flat=True)[:RECENT])
    return float(median(latest)) if latest else None


@dataclass(frozen=True)
class QueueReviewer:
    """One reviewer of a queue, as its owner sees them."""

    reviewer: User
    judged: int
    seconds: float | None
    seen_at: datetime | None
    holding: int
    assigned: int
    warmed_up: int
    agreed: int  # of the warm-up traces judged, with the known judgement

    @property
    def per_hour(self) -> float | None:
        """Return how many traces they judge in an hour."""
        return 3600 / self.seconds if self.seconds else None


def get_queue_reviewers(queue: Queue, *, now: datetime | None = None) -> list[QueueReviewer]:
    """Return who has worked on a queue or is to, the busiest first."""
    moment = now or timezone.now()
    members = {
        row.reviewer_id: row for row in QueueMember.objects.filter(queue=queue).select_related("reviewer")
    }
    holding = _counts(Lease.objects.filter(queue=queue, until__gt=moment), "reviewer")
    assigned = _counts(queue.items.filter(assigned_to__isnull=False, wanted__gt=0), "assigned_to")
    warm = get_warm_up_words(queue)
    people = User.objects.in_bulk([*members, *assigned, *warm])
    rows = [
        QueueReviewer(
            reviewer=person,
            judged=members[key].judged if key in members else 0,
            seconds=_seconds(queue, person),
            seen_at=members[key].seen_at if key in members else None,
            holding=holding.get(key, 0),
            assigned=assigned.get(key, 0),
            warmed_up=len(warm.get(key, ())),
            agreed=sum(said == known for known, said in warm.get(key, ())),
        )
        for key, person in people.items()
    ]
    return sorted(rows, key=lambda row: (-row.judged, str(row.reviewer)))


def _counts(rows: "QuerySet[Any]", name: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(name).annotate(count=Count("pk")))


def get_warm_up_words(queue: Queue) -> dict[int, list[tuple[str, str]]]:
    """Return for each reviewer what is known of the warm-up traces that they judged, and what they said."""
    rows = queue.items.filter(known__isnull=False, trace__reviews__isnull=False).values_list(
        "trace__reviews__reviewer", "known__judgement", "trace__reviews__judgement"
    )
    words: dict[int, list[tuple[str, str]]] = {}
    for reviewer, known, said in rows:
        words.setdefault(reviewer, []).append((known, said))
    return words
