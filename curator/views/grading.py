"""Grading by an assistant: what it would cost, how it goes, and the experts' check of it without seeing the grade."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator import queries, tasks
from curator.core.agreement import GOOD_SHARE
from curator.forms import GradingForm, SpotCheckForm
from curator.models import Assistant, Attempt, Grading, Trace, Verdict
from curator.services import checking
from curator.services import grading as services
from curator.services.ordering import allowance_of
from curator.views import jobs
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
        "undecided": sum(services.undecided(kind, project).count() for kind in (Trace, Attempt)),
        "form": form,
        "can_be_asked": form.fields["assistant"].queryset.exists(),  # type: ignore[attr-defined]
        **(_priced(**form.cleaned_data) if is_confirming else {}),
        "is_confirming": is_confirming,
        "money_left": left,
        "orders": queries.get_gradings(project),
        "disagreements": queries.get_disagreements(queries.Sample(project))[:SHOWN_DISAGREEMENTS],
        **_agreement(queries.Sample(project)),
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
        **_agreement(sample),
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


@require_http_methods(["GET", "POST"])
def spot_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one graded answer without its grade, and take an expert's own verdict."""
    return _check(request, *_graded(request, pk))


@require_POST
def spot_check_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an expert's last verdict on a grade back, so that the answer is shown again."""
    return _undo(request, *_graded(request, pk))


@require_http_methods(["GET", "POST"])
def mark_check(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one answer that the rules have marked without its mark, and take an expert's own verdict."""
    return _check(request, *_marked(request, slug))


@require_POST
def mark_check_undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Take an expert's last verdict on a mark back, so that the answer is shown again."""
    return _undo(request, *_marked(request, slug))


def _graded(request: HttpRequest, pk: int) -> tuple[queries.Sample, str]:
    rows = Grading.objects.select_related("project", "assistant")
    found = get_editable(rows, request.user, right=Right.REVIEW, pk=pk)
    return queries.Sample(found.project, found), reverse("spot_check", args=[pk])


def _marked(request: HttpRequest, slug: str) -> tuple[queries.Sample, str]:
    project = get_editable(Project, request.user, right=Right.REVIEW, slug=slug)
    return queries.Sample(project), reverse("mark_check", args=[slug])


def _check(request: HttpRequest, sample: queries.Sample, here: str) -> HttpResponse:
    if request.method == "POST":
        return _take(request, sample, here)
    answer: Any = queries.get_unchecked(sample, request.user)
    context = {
        "project": sample.project,
        "rights": get_rights(sample.project, request.user),
        "grading": sample.grading,
        "here": here,
        "answer": answer,
        "kind": answer._meta.model_name if answer else "",
        "question": answer.question if answer else None,
        "done": queries.get_own_checks(sample, request.user).count(),
        **_agreement(sample),
    }
    return render(request, "curator/spot_check.html", context)


def _agreement(sample: queries.Sample) -> dict[str, Any]:
    """Return how far experts agree: with an order's grades as a whole, with the rules by what they say."""
    words = {} if sample.grading else {Verdict.RIGHT: _("Marked right"), Verdict.WRONG: _("Marked wrong")}
    return {
        "sample": queries.SAMPLE,
        "good_percent": round(100 * GOOD_SHARE),
        "checked": queries.get_agreement(sample),
        "checked_marks": [
            (word, queries.get_agreement(sample, marked=verdict)) for verdict, word in words.items()
        ],
    }


def _take(request: HttpRequest, sample: queries.Sample, here: str) -> HttpResponse:
    form = SpotCheckForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say whether the answer is right or wrong."))
        return redirect(here)
    said = form.cleaned_data
    answer = queries.get_answer(sample, said["kind"], said["answer"])
    if answer is None:
        raise Http404(_("There is no such answer to check; the question's key was changed, perhaps."))
    checking.check(answer=answer, expert=request.user, is_right=said["verdict"] == "right")
    return redirect(here)


def _undo(request: HttpRequest, sample: queries.Sample, here: str) -> HttpResponse:
    last = queries.get_own_checks(sample, request.user).first()
    if last is None:
        messages.info(request, _("You have checked nothing here that could be taken back."))
    else:
        checking.withdraw(made=last)
        messages.info(request, _("Your last verdict is taken back."))
    return redirect(here)


@require_POST
def trace_verdict(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an expert's verdict on a trace whose mark they have seen, or take it back."""
    found = get_editable(Trace.objects.select_related("question"), request.user, right=Right.REVIEW, pk=pk)
    said = request.POST.get("verdict", "")
    if said in {"right", "wrong"}:
        try:
            checking.check(answer=found, expert=request.user, is_right=said == "right", is_blind=False)
        except Refusal as refusal:
            messages.error(request, str(refusal))
    elif own := found.spot_checks.filter(expert=request.user).first():
        checking.withdraw(made=own)
    return redirect(found)
