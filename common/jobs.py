"""A job is a database row that remembers where a long piece of work stands.

The row is the truth and a message only a nudge: it may come twice or never. Of two workers that
want a job, a conditional UPDATE lets one through. A worker renews the heartbeat as it goes; one
periodic task sends again what waited too long and gives silent jobs to someone else, and a worker
that comes back after that finds that its claim is gone.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

BEAT_SECONDS = 1.0
BESIDE = "beside"


class JobState(models.TextChoices):
    """Where a job stands; the database refuses every move that is not in TRANSITIONS."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    PAUSED = "paused", _("paused")


ACTIVE = (JobState.QUEUED, JobState.RUNNING)
TRANSITIONS = (
    "queued:running",
    "queued:failed",
    "queued:cancelled",
    "queued:paused",
    "running:succeeded",
    "running:failed",
    "running:cancelled",
    "running:paused",
    "running:queued",  # its worker fell silent
    "paused:queued",
    "paused:cancelled",
    "failed:queued",  # a person tries again
    "cancelled:queued",
)


class AlreadyClaimed(Exception):
    """Another worker is doing this job, or has done it."""


class ClaimLost(Exception):
    """This worker was silent for so long that the job was given to another."""


class Cancelled(Exception):
    """A person asked for this job to stop."""


class Paused(Exception):
    """The work rests until a person lets it go on; the sentence, if any, says what is to be mended first."""


class Job(models.Model):
    """Long work: a state, a progress, a heartbeat, an owner, a cost and, if it failed, a sentence."""

    can_pause: ClassVar[bool] = False
    # The task that carries this kind of job; the sweep sends it with `job_id`.
    task_name: ClassVar[str]

    state = models.CharField(
        _("state"), max_length=9, choices=JobState, default=JobState.QUEUED, db_index=True
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("started by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True)
    claims = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    pause_requested = models.BooleanField(default=False)
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_total = models.PositiveBigIntegerField(default=0)
    phase = models.CharField(max_length=100, blank=True)
    cost_usd = models.DecimalField(_("cost (USD)"), max_digits=12, decimal_places=6, default=Decimal(0))
    # What calls in flight may cost at their dearest; it counts as spent until they are settled.
    reserved_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    max_cost_usd = models.DecimalField(
        _("limit (USD)"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    failure = models.TextField(_("failure"), blank=True)

    class Meta:
        abstract = True
        triggers = [
            pgtrigger.FSM(
                name="job_state",
                field="state",
                transitions=[tuple(move.split(":")) for move in TRANSITIONS],
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="%(class)s_state_known"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(started_at__isnull=False, heartbeat_at__isnull=False),
                name="%(class)s_running_has_start",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*ACTIVE, "paused"], finished_at__isnull=True)
                | Q(state__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False),
                name="%(class)s_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state="paused") | Q(state="failed") ^ Q(failure=""),
                name="%(class)s_failure_has_sentence",
            ),
            models.CheckConstraint(
                condition=Q(cost_usd__gte=0, reserved_usd__gte=0), name="%(class)s_cost_not_negative"
            ),
        ]

    @property
    def is_active(self) -> bool:
        """Tell whether the job waits or runs."""
        return self.state in ACTIVE

    @property
    def shown_done(self) -> int:
        """Return how much is done, as pages show it; what takes up where another stopped counts that too."""
        return self.progress_done

    @property
    def shown_total(self) -> int:
        """Return how much there is to do in all, as pages show it; 0 while that is not known."""
        return self.progress_total

    @property
    def share_done(self) -> float | None:
        """Return the progress from 0 to 1, or None while the total is not known."""
        return min(1.0, self.shown_done / self.shown_total) if self.shown_total else None

    @property
    def rate_per_second(self) -> float | None:
        """Return how many units a second were done since the start."""
        if not self.started_at or not self.progress_done:
            return None
        seconds = ((self.finished_at or timezone.now()) - self.started_at).total_seconds()
        return self.progress_done / seconds if seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Return the estimated time to the end, from the rate so far."""
        if not self.is_active or not self.rate_per_second or not self.progress_total:
            return None
        return max(0, self.progress_total - self.progress_done) / self.rate_per_second

    @property
    def seconds_taken(self) -> float | None:
        """Return the time from start to end, or until now."""
        if not self.started_at:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    def claim(self, *, now: datetime) -> None:
        """Move from queued to running; of two workers exactly one succeeds.

        Raises:
            AlreadyClaimed: the job was not queued any more.
        """
        queued = type(self)._default_manager.filter(pk=self.pk, state=JobState.QUEUED)
        claimed = queued.update(
            state=JobState.RUNNING,
            started_at=now,
            heartbeat_at=now,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            claims=F("claims") + 1,
        )
        if not claimed:
            raise AlreadyClaimed(self)
        self.refresh_from_db()

    def _mine(self, using: str = DEFAULT_DB_ALIAS) -> "models.QuerySet[Any]":
        """Return this row as long as it is still this worker's: the claim count is the fence."""
        rows = type(self)._default_manager.using(using)
        return rows.filter(pk=self.pk, state=JobState.RUNNING, claims=self.claims)

    def beat(
        self,
        *,
        now: datetime,
        done: int | None = None,
        total: int | None = None,
        phase: str | None = None,
        cost_usd: Decimal | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Renew the heartbeat and record the progress, over the connection `using`.

        Raises:
            ClaimLost: the job was given to another worker.
            Cancelled, Paused: a person asked for it to stop, or to rest.
        """
        named = {"progress_done": done, "progress_total": total, "phase": phase, "cost_usd": cost_usd}
        changes = {field: value for field, value in named.items() if value is not None}
        for field, value in changes.items():
            setattr(self, field, value)
        if not self._mine(using).update(heartbeat_at=now, **changes):
            raise ClaimLost(self)
        asked_to = self._mine(using).values_list("cancel_requested", "pause_requested").first()
        if asked_to and asked_to[0]:
            raise Cancelled(self)
        if asked_to and asked_to[1]:
            raise Paused

    def finish(self, *, state: JobState, now: datetime, failure: str = "") -> None:
        """Move from running to an end state, or to rest.

        Raises:
            ClaimLost: the job was given to another worker.
        """
        ended = None if state == JobState.PAUSED else now
        if not self._mine().update(
            state=state, finished_at=ended, heartbeat_at=now, failure=failure, reserved_usd=0
        ):
            raise ClaimLost(self)
        self.refresh_from_db()

    def request_cancel(self, *, now: datetime) -> None:
        """Ask for the end: a job that waits or rests ends at once, a running one at its next beat."""
        rows = type(self)._default_manager.filter(pk=self.pk)
        waiting = rows.filter(state__in=[JobState.QUEUED, JobState.PAUSED])
        if not waiting.update(state=JobState.CANCELLED, finished_at=now, failure=""):
            rows.filter(state=JobState.RUNNING).update(cancel_requested=True)
        self.refresh_from_db()

    def request_pause(self) -> None:
        """Ask for a rest: a waiting job rests at once, a running one from its next beat."""
        rows = type(self)._default_manager.filter(pk=self.pk)
        if not rows.filter(state=JobState.QUEUED).update(state=JobState.PAUSED):
            rows.filter(state=JobState.RUNNING).update(pause_requested=True)
        self.refresh_from_db()

    def requeue(self, *, now: datetime) -> bool:
        """Put a failed, cancelled or resting job back into the queue; return whether it was one."""
        ended = type(self)._default_manager.filter(
            pk=self.pk, state__in=[JobState.FAILED, JobState.CANCELLED, JobState.PAUSED]
        )
        moved = ended.update(
            state=JobState.QUEUED,
            queued_at=now,
            finished_at=None,
            failure="",
            cancel_requested=False,
            pause_requested=False,
        )
        self.refresh_from_db()
        return bool(moved)

    @classmethod
    def requeue_silent(cls, *, now: datetime) -> list[int]:
        """Put running jobs that fell silent back into the queue; return their ids."""
        silent = cls._default_manager.filter(
            state=JobState.RUNNING, heartbeat_at__lt=now - timedelta(seconds=settings.JOB_SILENCE_SECONDS)
        )
        ids = list(silent.values_list("pk", flat=True))
        return [pk for pk in ids if silent.filter(pk=pk).update(state=JobState.QUEUED, queued_at=now)]

    @classmethod
    def renudge(cls, *, now: datetime, seconds: float) -> list[int]:
        """Return the ids of jobs queued for longer than `seconds`, whose message may be lost.

        Their waiting counts anew from now, so that a busy worker is not buried in messages.
        """
        late = cls._default_manager.filter(
            state=JobState.QUEUED, queued_at__lt=now - timedelta(seconds=seconds)
        )
        ids = list(late.values_list("pk", flat=True))
        return [pk for pk in ids if late.filter(pk=pk).update(queued_at=now)]


@contextmanager
def carried(job: Job) -> Iterator[None]:
    """Claim a job for the work inside; end it as done, cancelled, resting or failed with the reason.

    Raises:
        AlreadyClaimed: nothing was begun.
        Exception: what the work raised, after the row has recorded it.
    """
    job.claim(now=timezone.now())
    try:
        yield
    except Cancelled:
        job.finish(state=JobState.CANCELLED, now=timezone.now())
    except Paused as pause:
        job.finish(state=JobState.PAUSED, now=timezone.now(), failure=str(pause))
    except ClaimLost:
        raise
    except BaseException as failure:
        sentence = (
            _("It was interrupted.") if isinstance(failure, KeyboardInterrupt) else str(failure).strip()
        )
        sentence = str(sentence) or type(failure).__name__
        job.finish(state=JobState.FAILED, now=timezone.now(), failure=sentence)
        raise
    else:
        job.finish(state=JobState.SUCCEEDED, now=timezone.now())


@contextmanager
def beside() -> Iterator[str]:
    """Yield the alias of a second connection, over which a job beats while its work is one transaction.

    What beats inside that transaction, nobody sees before its end. Where one is open already, there is no
    beside, and its own connection is yielded.
    """
    if connection.in_atomic_block:
        yield DEFAULT_DB_ALIAS
        return
    connections[BESIDE] = connection.copy(BESIDE)
    try:
        yield BESIDE
    finally:
        connections[BESIDE].close()
        del connections[BESIDE]


Watch = Callable[[Job], None]


def unwatched(job: Job) -> None:
    """Watch nothing: what a worker passes, whose row is read by others."""


class Pulse:
    """Beats for a job as its work goes on, at most once a second, so that counting stays cheap."""

    def __init__(self, job: Job, watch: Watch = unwatched, *, using: str = DEFAULT_DB_ALIAS) -> None:
        self.job = job
        self.watch = watch
        self.using = using
        self.last = 0.0

    def __call__(self, done: int, total: int | None = None, *, phase: str | None = None, **more: Any) -> None:
        """Record the progress if the last record is old enough, the phase new, or the work complete."""
        fresh = time.monotonic() - self.last < BEAT_SECONDS
        if fresh and done != total and phase in (None, self.job.phase):
            return
        self.last = time.monotonic()
        self.job.beat(now=timezone.now(), done=done, total=total, phase=phase, using=self.using, **more)
        self.watch(self.job)


def kinds_of_job() -> list[type[Job]]:
    """Return every kind of long work in the product."""

    def below(parent: type[Job]) -> list[type[Job]]:
        kinds = [kind for child in parent.__subclasses__() for kind in [child, *below(child)]]
        return [kind for kind in kinds if not kind._meta.abstract]

    return [kind for kind in below(Job) if not kind._meta.abstract]  # type: ignore[type-abstract]
