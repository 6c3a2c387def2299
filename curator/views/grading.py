"""Grading by an assistant: what it would cost, how it goes, and how far experts agree with it and with the rules."""

from decimal import Decimal
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
from curator.forms import GradingForm
from curator.models import ANSWERS, Assistant, Grading
from curator.services import grading as services
from curator.services.ordering import allowance_of
from curator.views import jobs
from curator.views.checking import agreement_with
from curator.views.collections import money_left

LATEST_GRADES = 20
SHOWN_DISAGREEMENTS = 50


@require_http_methods(["GET", "POST"])
def gradings(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how many answers rules could not decide about, what grading them would cost, and the orders so far.

    A GET with an assistant and a limit estimates; only a POST, which carries them again, starts an order.
    """
    right = Right.SPEND if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    left = money_left(project)
    given = request.POST or (request.GET if "max_cost_usd" in request.GET else None)
    form = GradingForm(given, project=project, initial={"max_cost_usd": left})
    is_confirming = form.is_bound and form.is_valid()
    if request.method == "POST" and is_confirming:
        try:
            order = services.start_grading(by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            tasks.run_grading.delay_on_commit(job_id=order.pk)
            messages.success(request, _("The order is placed."))
            return redirect(order)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "undecided": sum(services.undecided(kind, project).count() for kind in ANSWERS),
        "form": form,
        "can_be_asked": form.fields["assistant"].queryset.exists(),  # type: ignore[attr-defined]
        **(_priced(**form.cleaned_data) if is_confirming else {}),
        "is_confirming": is_confirming,
        "money_left": left,
        "orders": queries.get_gradings(project),
        "disagreements": queries.get_disagreements(queries.Sample(project))[:SHOWN_DISAGREEMENTS],
        **agreement_with(queries.Sample(project)),
    }
    return render(request, "curator/gradings.html", context)


def _priced(assistant: Assistant, max_cost_usd: Decimal) -> dict[str, Any]:
    """Return what an order takes, and how far its limits let it come."""
    estimate = services.estimate_grading(assistant=assistant)
    first = services.first_of_grading(assistant=assistant)
    allowance = allowance_of(endpoint=assistant, estimate=estimate, first=first, max_cost_usd=max_cost_usd)
    return {"estimate": estimate, "allowance": allowance}


@require_GET
def grading(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an order goes, its latest grades, and how far experts agree with them."""
    related = ("project", "assistant", "created_by")
    found = get_visible(Grading.objects.select_related(*related), request.user, pk=pk)
    grades, sample = queries.get_grades(found), queries.Sample(found.project, found)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "right": grades.filter(is_right=True).count(),
        "wrong": grades.filter(is_right=False).count(),
        "latest": grades[:LATEST_GRADES],
        "disagreements": queries.get_disagreements(sample),
        **agreement_with(sample),
    }
    return render_page(request, "curator/grading.html", context, partial="progress")


@require_POST
def grading_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask an order to stop; grades that are on their way are stored."""
    return jobs.cancel(request, Grading, pk)


@require_POST
def grading_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a grading rest."""
    return jobs.pause(request, Grading, pk)


@require_POST
def grading_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with an order; what was graded is not asked again."""
    return jobs.retry(request, Grading, pk, tasks.run_grading)
