"""Long work as the API shows it, and how it is stopped: the same for every kind."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import Field

from common.jobs import Job

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "paused"]


class WorkOut(Schema):
    """How far long work is."""

    state: State
    done: int = Field(description=_("How much is done, in the unit of the work."))
    total: int = Field(description=_("How much there is to do; 0 while that is not known."))
    phase: str
    cost_usd: Decimal = Field(examples=["0.000000"])
    failure: str = Field(description=_("Why it failed, as a sentence; else empty."))
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds_left: float | None = Field(description=_("Estimated from the rate so far."))


def work_of(job: Job) -> WorkOut:
    """Return how far a job is."""
    return WorkOut(
        state=_state(job),
        done=job.shown_done,
        total=job.shown_total,
        phase=job.phase,
        cost_usd=job.cost_usd,
        failure=job.failure,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        seconds_left=job.seconds_left,
    )


def _state(job: Job) -> Any:
    return str(job.state)


def stop(job: Job) -> None:
    """Ask a job to stop: one that waits ends at once, a running one at its next step, an ended one stays."""
    job.request_cancel(now=timezone.now())
