"""Experts say of marked answers whether they are right: of a drawn sample without seeing the mark, or of any trace."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from common.access import Right, get_editable
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.core.agreement import GOOD_SHARE
from curator.forms import SpotCheckForm
from curator.models import Grading, Trace, Verdict
from curator.services import checking as services


def agreement_with(sample: queries.Sample) -> dict[str, Any]:
    """Return how far experts agree with the marks of a sample: of an order's grades in all, of the rules by what they say."""
    if sample.grading:
        agreements = [("", queries.get_agreement(sample))]
    else:
        words = {Verdict.RIGHT: _("Marked right"), Verdict.WRONG: _("Marked wrong")}
        agreements = [(word, queries.get_agreement(sample, marked=said)) for said, word in words.items()]
    return {
        "grading": sample.grading,
        "enough": queries.SAMPLE * len(agreements),
        "good_percent": round(100 * GOOD_SHARE),
        "agreements": agreements,
        "is_checked": any(found.total for _word, found in agreements),
    }


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
        "here": here,
        "back": sample.grading.get_absolute_url()
        if sample.grading
        else reverse("gradings", args=[sample.project.slug]),
        "answer": answer,
        "kind": answer._meta.model_name if answer else "",
        "question": answer.question if answer else None,
        "done": queries.get_own_checks(sample, request.user).count(),
        **agreement_with(sample),
    }
    return render(request, "curator/spot_check.html", context)


def _take(request: HttpRequest, sample: queries.Sample, here: str) -> HttpResponse:
    form = SpotCheckForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say whether the answer is right or wrong."))
        return redirect(here)
    said = form.cleaned_data
    answer = queries.get_answer(sample, said["kind"], said["answer"])
    if answer is None:
        raise Http404(_("There is no such answer to check; the question's key was changed, perhaps."))
    services.check(answer=answer, expert=request.user, is_right=said["verdict"] == "right")
    return redirect(here)


def _undo(request: HttpRequest, sample: queries.Sample, here: str) -> HttpResponse:
    last = queries.get_own_checks(sample, request.user).first()
    if last is None:
        messages.info(request, _("You have checked nothing here that could be taken back."))
    else:
        services.withdraw(made=last)
        messages.info(request, _("Your last verdict is taken back."))
    return redirect(here)


@require_POST
def trace_verdict(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an expert's verdict on a trace whose mark they have seen, or take it back."""
    found = get_editable(Trace.objects.select_related("question"), request.user, right=Right.REVIEW, pk=pk)
    said = request.POST.get("verdict", "")
    if said in {"right", "wrong"}:
        try:
            services.check(answer=found, expert=request.user, is_right=said == "right", is_blind=False)
        except Refusal as refusal:
            messages.error(request, str(refusal))
    elif own := found.spot_checks.filter(expert=request.user).first():
        services.withdraw(made=own)
    return redirect(found)
