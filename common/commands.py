"""The frame of every command: progress for people on stderr, one JSON object on stdout with --json."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from time import monotonic, sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from common.access import Role
from common.core.refusal import Refusal
from common.jobs import BEAT_SECONDS, Job, JobState, Watch
from common.models import Project, User


class StageCommand(BaseCommand):
    """A command that does what a page can do; a refusal ends it with status 1 and its sentence."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--json`; subclasses add their own in `arguments`."""
        parser.add_argument("--json", action="store_true", help="print exactly one JSON object on stdout")
        self.arguments(parser)

    def arguments(self, parser: ArgumentParser) -> None:
        """Add what this command takes."""

    def carry_out(self, **options: Any) -> dict[str, Any]:
        """Do the work and return the JSON object."""
        raise NotImplementedError

    def handle(self, *_args: Any, **options: Any) -> None:
        """Carry out, time it and print the outcome."""
        began = monotonic()
        try:
            outcome = self.carry_out(**options)
        except (Refusal, OSError) as error:
            sentence = _sentence(error)
            if options["json"]:
                self.stdout.write(json.dumps({"error": sentence}, ensure_ascii=False))
            raise CommandError(sentence, returncode=1) from error
        outcome.setdefault("seconds", round(monotonic() - began, 3))
        if options["json"]:
            self.stdout.write(json.dumps(outcome, ensure_ascii=False, default=_plain))
        else:
            self.stdout.write("\n".join(f"{key}: {_shown(value)}" for key, value in outcome.items()))


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
    return str(error)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def _shown(value: Any) -> str:
    return (
        json.dumps(value, ensure_ascii=False, default=_plain)
        if isinstance(value, list | dict)
        else str(value)
    )


@contextmanager
def progress_bar(description: str) -> Iterator[Watch]:
    """Show a job's progress on stderr, with its rate and the time left; yield what watches the job."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=False) as progress:
        shown = progress.add_task(description, total=None, rate="")

        def watch(job: Job) -> None:
            rate = f"{job.rate_per_second:.1f}/s" if job.rate_per_second else ""
            label = f"{description}: {job.phase}" if job.phase else description
            progress.update(
                shown,
                completed=job.shown_done,
                total=job.shown_total or None,
                rate=rate,
                description=label,
            )

        yield watch


def taken_up(jobs: "QuerySet[Any]", say: Callable[[str], Any], *, max_cost_usd: Decimal | None) -> Any:
    """Return the job that an earlier call has left, ready to be claimed again, or None.

    One that waits or rests is taken at once. One that a worker seems to have is taken when that worker has been
    silent for so long that it is dead; while it gives signs of life the job is its own. A job that has a lower
    limit than this call names goes on with this one; a job that may spend more, or where only one of both has a
    limit, is another.
    """
    is_within = {"max_cost_usd": None} if max_cost_usd is None else {"max_cost_usd__lte": max_cost_usd}
    jobs = jobs.filter(**is_within)
    while job := jobs.filter(state__in=[JobState.QUEUED, JobState.RUNNING, JobState.PAUSED]).first():
        if job.state != JobState.RUNNING:
            jobs.filter(pk=job.pk).update(max_cost_usd=max_cost_usd)
            job.requeue(now=timezone.now())
            say(f"Going on with what was begun at {timezone.localtime(job.created_at):%Y-%m-%d %H:%M}.")
            return job
        say("It seems to be under way already; looking whether its worker is alive …")
        if not _falls_silent(job):
            return None
    return None


def _falls_silent(job: Job) -> bool:
    """Wait for a sign of life from a job's worker; return True once there was none for too long."""
    known = job.heartbeat_at
    while not type(job).requeue_silent(now=timezone.now()):
        sleep(BEAT_SECONDS)
        job.refresh_from_db()
        if job.heartbeat_at != known or job.state != JobState.RUNNING:
            return False
    return True


def refuse_if_resting(job: Job, stored: int) -> None:
    """End a command whose job was paused, by a person or by what only a person can mend.

    Raises:
        Refusal: it rests.
    """
    if job.state == JobState.PAUSED:
        why = job.failure or "a person has paused it."
        again = "Run this again to go on"
        if job.max_cost_usd is not None:
            again += ", with a higher --max-cost where the order's limit is what stopped it"
        raise Refusal(f"{stored} answers are stored, and the order rests: {why} {again}.")


def named_project(slug: str) -> Project:
    """Return the project of a short name.

    Raises:
        Refusal: there is none.
    """
    project: Project | None = Project.objects.filter(slug=slug).first()
    if project is None:
        raise Refusal(
            f"There is no project {slug!r}; `manage.py create_project {slug} --name … --owner …` makes one."
        )
    return project


def owner_of(project: Project) -> User:
    """Return the owner in whose name a command acts."""
    return User.objects.filter(membership__project=project, membership__role=Role.OWNER).earliest(
        "membership__pk"
    )
