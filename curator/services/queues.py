"""Queues of traces that wait for reviewers."""

from django.db.models import F

from common.models import User
from curator.models import Lease, QueueItem, Trace


def judged(*, trace: Trace, reviewer: User) -> None:
    """Count a reviewer's first word on a trace in every queue that holds it, and end their lease.

    Part of a caller's transaction.
    """
    items = QueueItem.objects.filter(trace=trace, queue__is_open=True)
    items.filter(wanted__gt=0).update(wanted=F("wanted") - 1)
    Lease.objects.filter(item__in=items, reviewer=reviewer).delete()


def unjudged(*, trace: Trace, reviewer: User) -> None:
    """Let a trace wait once more in every queue that holds it: a reviewer's word was taken back.

    Part of a caller's transaction.
    """
    items = QueueItem.objects.filter(trace=trace, queue__is_open=True, wanted__lt=F("queue__overlap"))
    items.update(wanted=F("wanted") + 1)
