"""Stop and go on: the same for every kind of long work."""

from typing import Any

from celery import Task
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import get_editable
from common.jobs import Job, JobState


def cancel(request: HttpRequest, kind: type[Job], pk: int) -> HttpResponse:
    """Ask a job to stop, and go back to it."""
    job: Any = get_editable(kind, request.user, pk=pk)
    job.request_cancel(now=timezone.now())
    messages.info(request, _("It stops as soon as it can; what is stored stays."))
    return redirect(job)


def pause(request: HttpRequest, kind: type[Job], pk: int) -> HttpResponse:
    """Ask a job to rest, and go back to it."""
    job: Any = get_editable(kind, request.user, pk=pk)
    job.request_pause()
    if job.state == JobState.PAUSED or job.is_active:
        messages.info(
            request, _("It rests as soon as the answers on their way are there; let it go on at any time.")
        )
    else:
        messages.error(request, _("Only work that waits or runs can rest."))
    return redirect(job)


def retry(request: HttpRequest, kind: type[Job], pk: int, task: Task) -> HttpResponse:
    """Put an ended or resting job back into the queue, and go back to it."""
    job: Any = get_editable(kind, request.user, pk=pk)
    if job.requeue(now=timezone.now()):
        task.delay_on_commit(job_id=job.pk)
        messages.success(request, _("It waits for a free worker and goes on from what is stored."))
    else:
        messages.error(request, _("Only work that rests, failed or was cancelled can go on."))
    return redirect(job)
