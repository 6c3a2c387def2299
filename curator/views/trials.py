"""Trying a model with one question."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import get_editable, get_visible
from common.core.refusal import Refusal
from common.endpoints import is_at
from common.htmx import render_page
from common.queries import get_rights
from curator import queries, tasks
from curator.forms import TrialForm
from curator.forms.endpoints import OWN_ADDRESS
from curator.models import Trial
from curator.services import trials as services
from curator.views import jobs
from curator.views.collections import money_left
from curator.views.teachers import KINDS, own_places

EXAMPLE = "A shop sells pens at 3 for $4. How much do 12 pens cost? End with “Final Answer:”."


@require_http_methods(["GET", "POST"])
def endpoint_try(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Show what one question to a model can cost at most; a POST, which carries that sum, asks it."""
    found: Any = get_editable(KINDS[kind]._default_manager.select_related("project"), request.user, pk=pk)
    another = queries.get_question_to_try(found.project, after=request.GET.get("after", ""))
    given = request.POST.get("question") or (another.text if another else EXAMPLE)
    dearest = services.dearest_usd(found, given)
    form = TrialForm(request.POST or None, initial={"question": given, "agreed_usd": dearest})
    if is_at(found.base_url, own_places(request)):
        messages.error(request, OWN_ADDRESS)
        return redirect(f"{found._meta.model_name}_edit", pk=found.pk)
    if request.method == "POST" and form.is_valid():
        try:
            trial = services.start_trial(endpoint=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form = TrialForm(initial={"question": given, "agreed_usd": dearest})
            messages.error(request, str(refusal))
        else:
            tasks.run_trial.delay_on_commit(job_id=trial.pk)
            return redirect(trial)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "endpoint": found,
        "form": form,
        "dearest_usd": dearest,
        "money_left": money_left(found.project),
        "after": another.pk if another else None,
        "trials": found.trials.all()[: queries.LATEST],
    }
    return render(request, "curator/endpoint_try.html", context)


@require_GET
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a model sent back, as it came and as it was read."""
    related = ("project", "teacher", "solver", "assistant", "created_by")
    found = get_visible(Trial.objects.select_related(*related), request.user, pk=pk)
    endpoint: Any = found.endpoint
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "endpoint": endpoint,
        "try_url_name": f"{endpoint._meta.model_name}_try" if endpoint else "",
        "edit_url_name": f"{endpoint._meta.model_name}_edit" if endpoint else "",
    }
    return render_page(request, "curator/trial.html", context, partial="progress")


@require_POST
def trial_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a trial to stop."""
    return jobs.cancel(request, Trial, pk)


@require_POST
def trial_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the same question anew."""
    return jobs.retry(request, Trial, pk, tasks.run_trial)
