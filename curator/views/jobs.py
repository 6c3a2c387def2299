"""Stop and go on: the same for every kind of long work."""

from typing import Any

from celery import Task
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import Right, get_editable
from common.core.refusal import Refusal
from common.jobs import Job, JobState
from curator.forms import LimitForm
from curator.models.orders import Order
from curator.services.ordering import change_limit


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
    """Put an ended or resting job back into the queue, with the limit that came along, and go back to it."""
    job: Any = get_editable(kind, request.user, pk=pk)
    if isinstance(job, Order) and "max_cost_usd" in request.POST:
        order: Any = get_editable(kind, request.user, right=Right.SPEND, pk=pk)
        try:
            change_limit(order=order, **_checked(LimitForm(request.POST)))
        except Refusal as refusal:
            messages.error(request, str(refusal))
            return redirect(job)
    if job.requeue(now=timezone.now()):
        task.delay_on_commit(job_id=job.pk)
        messages.success(request, _("It goes on from what is stored, as soon as a worker is free."))
    else:
        messages.error(request, _("Only work that rests, failed or was cancelled can go on."))
    return redirect(job)


def _checked(form: Form) -> dict[str, Any]:
    """Return what a form of one field holds.

    Raises:
        Refusal: nothing that can be used.
    """
    if not form.is_valid():
        ((field, errors),) = form.errors.items()
        raise Refusal(f"{form.fields[field].label}: {errors[0]}")
    return form.cleaned_data
