"""Reads of queues: what is in them, how far they are, who works on them and how fast."""

# ruff: noqa: S608  # the statements are put together from our own words; all values are parameters

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
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
    Selection,
    Standing,
    Trace,
    Verdict,
)
from curator.queries.best import with_standing

KEPT_SECONDS = 60  # the share of right answers in a queue
RECENT = 50  # judgements by which a pace is measured
# How long a trace takes a reviewer, in the middle of the latest ones.
_PACE = """(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.seconds) FROM (
    SELECT r.seconds FROM curator_review r
    JOIN curator_queueitem i ON i.trace_id = r.trace_id AND i.queue_id = %(queue)s
    WHERE r.reviewer_id = {reviewer} AND r.seconds > 0 ORDER BY r.changed_at DESC LIMIT %(recent)s) latest)"""
_PACES = f"SELECT person, {_PACE.format(reviewer='person')} FROM unnest(%(people)s::bigint[]) person"
# All that the desk says of its queue, at once: it is asked for with every trace.
_FIGURES = f"""SELECT
    (SELECT judged FROM curator_queuemember WHERE queue_id = %(queue)s AND reviewer_id = %(reviewer)s),
    {_PACE.format(reviewer="%(reviewer)s")},
    (SELECT count(DISTINCT reviewer_id) FROM curator_lease WHERE queue_id = %(queue)s AND until > %(now)s),
    (SELECT count(*) FROM curator_queueitem WHERE queue_id = %(queue)s AND known IS NOT NULL),
    (SELECT count(*) FROM curator_queueitem i WHERE i.queue_id = %(queue)s AND i.known IS NOT NULL
        AND EXISTS (SELECT FROM curator_review r
            WHERE r.trace_id = i.trace_id AND r.reviewer_id = %(reviewer)s)),
    EXISTS (SELECT FROM curator_reviewchange c
        JOIN curator_queueitem i ON i.trace_id = c.trace_id AND i.queue_id = %(queue)s
        WHERE c.reviewer_id = %(reviewer)s)"""
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
        "trace__teacher", "trace__question__pool", "trace__question__domain"
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
    can_undo: bool  # the reviewer has said a word in this queue

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
    asked: dict[str, Any] = {
        "queue": queue.pk,
        "reviewer": reviewer.pk,
        "now": now or timezone.now(),
        "recent": RECENT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, asked)
        mine, seconds, reviewers, warm_up, warmed_up, can_undo = cursor.fetchone()
    total = queue.total if queue.target is None else min(queue.target, queue.total)
    return QueueFigures(
        total=total,
        done=min(queue.done, total),
        waiting=max(queue.waiting - (queue.total - total) * queue.overlap, 0),
        mine=mine or 0,
        seconds=seconds,
        reviewers=reviewers,
        warm_up=warm_up,
        warmed_up=warmed_up,
        can_undo=can_undo,
    )


def _seconds(queue: Queue, people: Iterable[int]) -> dict[int, float | None]:
    """Return how long a trace takes each of these reviewers; None before the first."""
    asked: dict[str, Any] = {"queue": queue.pk, "people": list(people), "recent": RECENT}
    with connection.cursor() as cursor:
        cursor.execute(_PACES, asked)
        return dict(cursor.fetchall())


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
    seconds = _seconds(queue, people)
    rows = [
        QueueReviewer(
            reviewer=person,
            judged=members[key].judged if key in members else 0,
            seconds=seconds[key],
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
