"""Which trace of a queue a reviewer gets next: one statement, however long the queue and whoever else asks."""

# ruff: noqa: S608  # the statements are put together from our own words; all values are parameters

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from common.models import User
from curator.models import Queue

# A judgement takes milliseconds; who asks meanwhile waits for it, but never for longer than a second.
_WAIT_SECONDS, _MOST_LOOKS = 0.01, 100

# Who joins a queue is written down once. `seen_at` says that they are there. A lease that a crash of the database
# loses costs nothing: nobody waits until it has reached the disk.
_JOIN = """
    SET LOCAL synchronous_commit TO off;
    INSERT INTO curator_queuemember (queue_id, reviewer_id, last_position, judged, seen_at)
    VALUES (%(queue)s, %(reviewer)s, -1, 0, %(now)s)
    ON CONFLICT (queue_id, reviewer_id) DO UPDATE SET seen_at = excluded.seen_at
"""
_UNSAID = """item.queue_id = %(queue)s AND item.wanted > 0 AND item.id <> ALL(%(passed)s)
    AND NOT EXISTS (SELECT FROM curator_review r WHERE r.trace_id = item.trace_id AND r.reviewer_id = %(reviewer)s)"""
_ROOM = """item.wanted > (SELECT count(*) FROM curator_lease l
    WHERE l.item_id = item.id AND l.until > %(now)s AND l.reviewer_id <> %(reviewer)s)"""
_FREE = f"{_UNSAID} AND item.known IS NULL AND NOT %(is_over)s AND {_ROOM}"
_OPEN = f"{_FREE} AND (item.assigned_to_id IS NULL OR item.assigned_to_id = %(reviewer)s)"
_FIRST = "ORDER BY item.position, item.id LIMIT 1"
_CHOICES = (
    # What they hold already, or held: nobody else has taken it.
    f"""SELECT item.id FROM curator_queueitem item
        JOIN curator_lease own ON own.item_id = item.id AND own.reviewer_id = %(reviewer)s
        WHERE own.queue_id = %(queue)s AND {_UNSAID} AND (item.known IS NOT NULL OR {_ROOM}) {_FIRST}""",
    f"SELECT item.id FROM curator_queueitem item WHERE item.known IS NOT NULL AND {_UNSAID} {_FIRST}",
    f"SELECT item.id FROM curator_queueitem item WHERE item.assigned_to_id = %(reviewer)s AND {_FREE} {_FIRST}",
    # What others have let lapse comes before the rest.
    f"""SELECT item.id FROM curator_queueitem item
        JOIN curator_lease old ON old.item_id = item.id AND old.reviewer_id <> %(reviewer)s
        WHERE old.queue_id = %(queue)s AND old.until <= %(now)s AND {_OPEN} {_FIRST}""",
    f"""SELECT item.id FROM curator_queueitem item
        WHERE item.position > (SELECT last_position FROM curator_queuemember
            WHERE queue_id = %(queue)s AND reviewer_id = %(reviewer)s) AND {_OPEN} {_FIRST}""",
    f"SELECT item.id FROM curator_queueitem item WHERE {_OPEN} {_FIRST}",
)
# Each is looked for only where the ones before it found nothing.
_FIND = "SELECT coalesce(" + ", ".join(f"({each} FOR UPDATE OF item SKIP LOCKED)" for each in _CHOICES) + ")"
# What is passed over there because somebody judges or takes it at this moment is not gone: it may be left after it.
_FIND_LOCKED = "SELECT coalesce(" + ", ".join(f"({each})" for each in _CHOICES) + ")"
_HOLD = """
    INSERT INTO curator_lease (item_id, reviewer_id, queue_id, until, taken_at)
    SELECT item.id, %(reviewer)s, %(queue)s, %(until)s, %(now)s FROM curator_queueitem item
    WHERE item.id = %(item)s AND (item.known IS NOT NULL OR item.wanted > (
        SELECT count(*) FROM curator_lease l
        WHERE l.item_id = item.id AND l.until > %(now)s AND l.reviewer_id <> %(reviewer)s))
    ON CONFLICT (item_id, reviewer_id) DO UPDATE SET until = excluded.until
"""
_MOVE_ON = """
    WITH gone AS (
        DELETE FROM curator_lease WHERE item_id = %(item)s AND until <= %(now)s AND reviewer_id <> %(reviewer)s
    )
    UPDATE curator_queuemember SET last_position = item.position FROM curator_queueitem item
    WHERE item.id = %(item)s AND item.known IS NULL
        AND curator_queuemember.queue_id = %(queue)s AND curator_queuemember.reviewer_id = %(reviewer)s
"""


def handed_out(queue: Queue, reviewer: User, now: datetime) -> int | None:
    """Hold the next trace of a queue for a reviewer; return the key of its item, None where none is left.

    First what they hold already, then warm-up traces, what was assigned to them, what others have let lapse, and
    the rest in order from where they are. Part of a caller's transaction.
    """
    passed: list[int] = []
    asked: dict[str, Any] = {"queue": queue.pk, "reviewer": reviewer.pk, "now": now, "passed": passed}
    asked["until"] = now + timedelta(minutes=queue.lease_minutes)
    asked["is_over"] = queue.target is not None and queue.done >= queue.target
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, asked)
        while True:
            found = _found(cursor, asked)
            if found is None:
                return None
            # Leases that were made between the search and the lock are seen only now.
            cursor.execute(_HOLD, asked | {"item": found})
            if cursor.rowcount:
                cursor.execute(_MOVE_ON, asked | {"item": found})
                return found
            passed.append(found)


def _found(cursor: CursorWrapper, asked: dict[str, Any]) -> int | None:
    """Find the next trace and lock it. One that is only locked by others is looked for again: that cannot end in a deadlock."""
    for _look in range(_MOST_LOOKS):
        cursor.execute(_FIND, asked)
        found: int | None = cursor.fetchone()[0]
        if found is not None:
            return found
        cursor.execute(_FIND_LOCKED, asked)
        if cursor.fetchone()[0] is None:
            return None
        time.sleep(_WAIT_SECONDS)
    return None
