"""Sorting questions into domains: what it would take, how it goes, and stopping it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator import queries, tasks
from curator.forms import ClassificationForm
from curator.models import Classification
from curator.services import classification as services
from curator.services.ordering import allowance_for
from curator.views import jobs
from curator.views.collections import money_left


@require_http_methods(["GET", "POST"])
def classification_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a way of sorting would take, and start it.

    A GET with the form's values estimates; only a POST, which carries them again, starts an order.
    """
    way = _way(request)
    asks_a_model = way != Classification.Way.RULES
    right = Right.SPEND if request.method == "POST" and asks_a_model else Right.CURATE
    project = get_editable(Project, request.user, right=right, slug=slug)
    left = money_left(project)
    given = request.POST or (request.GET if "only_unlabelled" in request.GET else None)
    form = ClassificationForm(given, project=project, way=way, initial={"max_cost_usd": left})
    priced: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        try:
            if request.method == "POST":
                order = services.start_classification(project=project, by=request.user, **form.cleaned_data)
                tasks.run_classification.delay_on_commit(job_id=order.pk)
                messages.success(request, _("The sorting waits for a free worker."))
                return redirect(order)
            priced = _priced(project, form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "way": way,
        "ways": Classification.Way.choices,
        "asks_a_model": asks_a_model,
        "models": {"nearest": project.embedders, "assistant": project.assistants}.get(way),
        "form": form,
        **priced,
        "money_left": left,
        "orders": queries.get_classifications(project),
    }
    return render(request, "curator/classification_new.html", context)


def _priced(project: Project, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a sorting takes and, of one that asks a model, how far its limits let it come."""
    sorting = services.estimate_classification(project=project, **given)
    models = {name: given.get(name) for name in ("assistant", "embedder")}
    endpoint = models["assistant"] or models["embedder"]
    if endpoint is None:
        return {"sorting": sorting}
    order = Classification(
        project=project, way=given["way"], only_unlabelled=given["only_unlabelled"], **models
    )
    allowance = allowance_for(
        endpoint=endpoint,
        estimate=sorting.asked,
        first_usd=services.first_usd(order),
        max_cost_usd=given["max_cost_usd"],
    )
    return {"sorting": sorting, "estimate": sorting.asked, "allowance": allowance}


def _way(request: HttpRequest) -> str:
    wanted = request.POST.get("way") or request.GET.get("way")
    return wanted if wanted in Classification.Way.values else Classification.Way.RULES.value


@require_GET
def classification(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how a sorting goes."""
    related = ("project", "assistant", "embedder", "created_by")
    found = get_visible(Classification.objects.select_related(*related), request.user, pk=pk)
    context: dict[str, Any] = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "endpoint": found.assistant or found.embedder,
        "unlabelled": queries.count_unlabelled(found.project),
        "branches": [branch for branch in queries.get_taxonomy(found.project) if branch.own.machine],
    }
    return render_page(request, "curator/classification.html", context, partial="progress")


@require_POST
def classification_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a sorting to stop; labels that are stored stay."""
    return jobs.cancel(request, Classification, pk)


@require_POST
def classification_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a classification rest."""
    return jobs.pause(request, Classification, pk)


@require_POST
def classification_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a sorting; one that asks a model needs the right to spend."""
    found = get_editable(Classification, request.user, pk=pk)
    if found.way != Classification.Way.RULES:
        get_editable(Classification, request.user, right=Right.SPEND, pk=pk)
    return jobs.retry(request, Classification, pk, tasks.run_classification)
