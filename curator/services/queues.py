"""Queues: opened over a selection or a filter, handed out one trace at a time, given back, assigned, changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import Project, User
from curator.models import Adjudication, Lease, Queue, QueueItem, QueueMember, Review, Selection, Trace
from curator.queries.queues import get_item, get_queue_traces
from curator.services.handing_out import handed_out

MOST_WARM_UP = 50  # traces that a new reviewer begins with

# A warm-up trace waits for everybody; any other for as many reviewers as have not judged it yet.
_RECOUNT_ITEMS = """
    UPDATE curator_queueitem item
    SET wanted = CASE WHEN item.known IS NOT NULL THEN 1 ELSE GREATEST(queue.overlap - said.words, 0) END
    FROM curator_queue queue,
         (SELECT own.id, count(review.id) AS words FROM curator_queueitem own
          LEFT JOIN curator_review review ON review.trace_id = own.trace_id
          WHERE own.queue_id = %(queue)s GROUP BY own.id) said
    WHERE item.queue_id = %(queue)s AND queue.id = %(queue)s AND said.id = item.id
"""
_RECOUNT_QUEUE = """
    UPDATE curator_queue queue SET total = own.total, done = own.done, waiting = own.waiting
    FROM (SELECT count(*) FILTER (WHERE known IS NULL) AS total,
                 count(*) FILTER (WHERE known IS NULL AND wanted = 0) AS done,
                 coalesce(sum(wanted) FILTER (WHERE known IS NULL), 0) AS waiting
          FROM curator_queueitem WHERE queue_id = %(queue)s) own
    WHERE queue.id = %(queue)s
"""


@dataclass(frozen=True)
class QueueSettings:
    """How a queue is worked off: reviewers a trace, how many traces (None: all), names hidden, minutes of a lease."""

    overlap: int = 1
    target: int | None = None
    is_blind: bool = True
    lease_minutes: int = 15


@transaction.atomic
def open_queue(
    *,
    project: Project,
    name: str,
    by: User | None,
    selection: Selection | None = None,
    filters: Mapping[str, Any] | None = None,
    settings: QueueSettings | None = None,
) -> Queue:
    """Open a queue of the traces that stand for a selection's members, or of those that a filter finds.

    Raises:
        Refusal: the name is taken, or there is no such trace.
    """
    given = settings or QueueSettings()
    try:
        with transaction.atomic():
            queue: Queue = Queue.objects.create(
                project=project,
                selection=selection,
                name=name,
                filters=dict(filters or {}),
                overlap=given.overlap,
                target=given.target,
                is_blind=given.is_blind,
                lease_minutes=given.lease_minutes,
                created_by=by,
            )
    except IntegrityError as error:
        raise Refusal(
            _("The project has a queue “%(name)s” already; choose another name.") % {"name": name}
        ) from error
    if not take_in(queue=queue):
        raise Refusal(_("No trace is like that, so there is nothing to judge; widen the filter."))
    return queue


@transaction.atomic
def take_in(*, queue: Queue) -> int:
    """Put the traces behind a queue that have come since; return how many."""
    sql, values = get_queue_traces(queue.project, queue.selection, queue.filters).query.sql_with_params()
    start = queue.items.count()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO curator_queueitem (queue_id, trace_id, position, wanted)"  # noqa: S608  # Django wrote it
            f" SELECT %s, found.trace, %s + row_number() OVER (ORDER BY found.place, found.trace), 1 FROM ({sql})"
            " AS found(trace, place) ON CONFLICT DO NOTHING",
            [queue.pk, start, *values],
        )
        added = int(cursor.rowcount)
    recount(queue=queue)
    return added


def recount(*, queue: Queue) -> None:
    """Count anew for how many reviewers each trace of a queue waits, and keep the sums with the queue."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT_ITEMS, {"queue": queue.pk})
        cursor.execute(_RECOUNT_QUEUE, {"queue": queue.pk})
    queue.refresh_from_db(fields=["total", "done", "waiting"])


@transaction.atomic
def take(*, queue: Queue, reviewer: User, now: datetime | None = None) -> QueueItem | None:
    """Hand a reviewer the next trace of a queue and hold it for them; None where none is left for them.

    First what they hold already, then warm-up traces, what was assigned to them, what others have let lapse, and
    the rest in order from where they are.
    """
    if not queue.is_open:
        return None
    found = handed_out(queue, reviewer, now or timezone.now())
    return None if found is None else get_item(queue, found)


@transaction.atomic
def hold(*, item: QueueItem, reviewer: User, now: datetime | None = None) -> bool:
    """Put the end of a reviewer's lease off; tell whether the trace is still theirs."""
    until = (now or timezone.now()) + timedelta(minutes=item.queue.lease_minutes)
    QueueMember.objects.filter(queue=item.queue_id, reviewer=reviewer).update(seen_at=timezone.now())
    return bool(Lease.objects.filter(item=item, reviewer=reviewer).update(until=until))


@transaction.atomic
def pass_over(*, item: QueueItem, reviewer: User) -> None:
    """Give a trace back; the reviewer gets it again when all the others have been gone through."""
    Lease.objects.filter(item=item, reviewer=reviewer).delete()


@transaction.atomic
def hold_again(*, item: QueueItem, reviewer: User) -> None:
    """Hold a trace whose judgement a reviewer has taken back."""
    until = timezone.now() + timedelta(minutes=item.queue.lease_minutes)
    Lease.objects.update_or_create(
        item=item, reviewer=reviewer, defaults={"until": until, "queue": item.queue}
    )


def recounted(*, trace: Trace, reviewer: User, change: int) -> None:
    """Count a reviewer's word on a trace, or that it was taken back, in every queue that holds the trace.

    `change` is 1 for a first word, -1 for none any more. Part of a caller's transaction.
    """
    items = QueueItem.objects.filter(trace=trace).select_related("queue").order_by("pk")
    rows = list(items.select_for_update(of=("self",)))
    if not rows:
        return
    words = Review.objects.filter(trace=trace).count()
    Lease.objects.filter(item__in=rows, reviewer=reviewer).delete()
    for item in rows:
        if item.known is None:
            _recount_item(item, words)
            _count_for(item, reviewer, change)


def _recount_item(item: QueueItem, words: int) -> None:
    wanted = max(item.queue.overlap - words, 0)
    if wanted == item.wanted:
        return
    Queue.objects.filter(pk=item.queue_id).update(
        done=F("done") + int(wanted == 0) - int(item.wanted == 0), waiting=F("waiting") + wanted - item.wanted
    )
    QueueItem.objects.filter(pk=item.pk).update(wanted=wanted)


def _count_for(item: QueueItem, reviewer: User, change: int) -> None:
    own = QueueMember.objects.filter(queue=item.queue_id, reviewer=reviewer)
    if change < 0:
        own.filter(judged__gt=0).update(judged=F("judged") - 1)
    elif not own.update(judged=F("judged") + 1, seen_at=timezone.now()):
        QueueMember.objects.create(queue=item.queue, reviewer=reviewer, judged=1)


@transaction.atomic
def change_settings(*, queue: Queue, name: str, settings: QueueSettings) -> Queue:
    """Change how a queue is worked off; what was judged stays judged.

    Raises:
        Refusal: another queue of the project has the name.
    """
    if Queue.objects.filter(project=queue.project, name=name).exclude(pk=queue.pk).exists():
        raise Refusal(_("The project has a queue “%(name)s” already; choose another name.") % {"name": name})
    had = queue.overlap
    queue.name, queue.overlap, queue.target = name, settings.overlap, settings.target
    queue.is_blind, queue.lease_minutes = settings.is_blind, settings.lease_minutes
    queue.save(update_fields=["name", "overlap", "target", "is_blind", "lease_minutes"])
    if queue.overlap != had:
        recount(queue=queue)
    return queue


def set_open(*, queue: Queue, is_open: bool) -> None:
    """Close a queue, so that it hands nothing out, or open it again."""
    queue.is_open = is_open
    queue.save(update_fields=["is_open"])
    if not is_open:
        Lease.objects.filter(queue=queue).delete()


@transaction.atomic
def assign(*, queue: Queue, reviewer: User, count: int) -> int:
    """Keep the next traces of a queue for one reviewer; return how many there were."""
    said = Review.objects.filter(trace=OuterRef("trace"), reviewer=reviewer)
    free = queue.items.filter(~Exists(said), known__isnull=True, wanted__gt=0, assigned_to__isnull=True)
    chosen = free.order_by("position", "pk").values("pk")[:count]
    return int(
        queue.items.filter(pk__in=list(chosen.values_list("pk", flat=True))).update(assigned_to=reviewer)
    )


def unassign(*, queue: Queue, reviewer: User) -> int:
    """Give what was kept for a reviewer, and is not judged, to whoever comes; return how many traces."""
    return int(queue.items.filter(assigned_to=reviewer, wanted__gt=0).update(assigned_to=None))


@transaction.atomic
def set_warm_up(*, queue: Queue, count: int) -> int:
    """Let every reviewer of a queue begin with traces on which somebody has had the last word; return how many.

    They are the ones decided last. None takes the warm-up away; what was judged in it stays.
    """
    queue.items.filter(known__is_extra=True).delete()
    queue.items.filter(known__isnull=False).update(known=None)
    decided = Adjudication.objects.filter(trace__question__project=queue.project).order_by(
        "-created_at", "-pk"
    )
    chosen = list(decided[: min(count, MOST_WARM_UP)])
    for place, adjudication in enumerate(chosen):
        known = {"judgement": adjudication.judgement, "note": adjudication.note}
        QueueItem.objects.update_or_create(
            queue=queue,
            trace_id=adjudication.trace_id,
            defaults={"known": known | {"is_extra": False}},
            create_defaults={"known": known | {"is_extra": True}, "position": place, "wanted": 1},
        )
    recount(queue=queue)
    return len(chosen)
