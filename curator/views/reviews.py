"""The reviewer's desk: one trace at a time, a word on it, and the last word where reviewers disagree."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.forms import AdjudicationForm, JudgementForm
from curator.models import Selection, Trace
from curator.services import reviews as services


@require_GET
def reviews(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead to the review of the latest selection, or say that there is none."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    latest = queries.get_latest_selection(project)
    if latest is not None:
        return redirect("review", pk=latest.pk)
    context = {"project": project, "rights": get_rights(project, request.user)}
    return render(request, "curator/reviews.html", context)


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one member's question and trace, and take a reviewer's word on it."""
    right = Right.REVIEW if request.method == "POST" else Right.SEE_MATERIAL
    selection = get_editable(Selection.objects.select_related("project"), request.user, right=right, pk=pk)
    if request.method == "POST":
        return _judge(request, selection)
    wanted = request.GET.get("at", "")
    unjudged = queries.get_unjudged_position(selection, request.user)
    position = int(wanted) if wanted.isdecimal() else unjudged
    context = {
        "project": selection.project,
        "rights": get_rights(selection.project, request.user),
        "selection": selection,
        "figures": queries.get_review_figures(selection, request.user),
        "last_review": queries.get_last_review(selection, request.user),
        "all_judged": unjudged is None,
    }
    if position is None:
        return render(request, "curator/review.html", context)
    decision = queries.get_reviewed(selection, position=position)
    trace = decision.standing_trace if decision else None
    if decision is None or trace is None:
        raise Http404(_("The selection has no such member."))
    given = list(queries.get_reviews(trace))
    context |= {
        "decision": decision,
        "question": decision.question,
        "trace": trace,
        "flaws": queries.flaws_of(trace),
        "reviews": given,
        "mine": next((row for row in given if row.reviewer_id == request.user.pk), None),
        "position": position,
        "number": position + 1,
        "before": position - 1 if position > 0 else None,
        "after": position + 1 if position + 1 < context["figures"].members else None,
    }
    return render(request, "curator/review.html", context)


def _judge(request: HttpRequest, selection: Selection) -> HttpResponse:
    """Record a judgement and go on to the next member without one."""
    form = JudgementForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Accept the trace or reject it; a note has at most 5,000 characters."))
        return redirect("review", pk=selection.pk)
    position = queries.get_position(selection, form.cleaned_data["trace"])
    if position is None:
        raise Http404(_("The selection has no such member."))
    trace = Trace.objects.get(pk=form.cleaned_data["trace"])
    try:
        services.judge(
            trace=trace,
            reviewer=request.user,
            word=form.word(),
            seen=form.cleaned_data["seen"],
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(_place(selection, position))
    following = queries.get_unjudged_position(selection, request.user, after=position)
    return redirect(_place(selection, following))


def _place(selection: Selection, position: int | None) -> str:
    query = "" if position is None else f"?at={position}"
    return reverse("review", args=[selection.pk]) + query


@require_POST
def review_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the reviewer's last judgement back, and show that trace again."""
    selection = get_editable(Selection, request.user, right=Right.REVIEW, pk=pk)
    try:
        trace = services.undo(reviewer=request.user, selection=selection)
    except Refusal as refusal:
        messages.info(request, str(refusal))
        return redirect(_place(selection, None))
    messages.info(request, _("Your last judgement is taken back."))
    return redirect(_place(selection, queries.get_position(selection, trace.pk)))


@require_POST
def adjudicate(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the last word on a trace whose reviewers disagree."""
    trace = get_editable(Trace, request.user, right=Right.CURATE, pk=pk)
    form = AdjudicationForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Accept the trace or reject it; a note has at most 5,000 characters."))
        return redirect(trace)
    try:
        services.adjudicate(trace=trace, by=request.user, **form.cleaned_data)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your word is the last one; datasets frozen from now on follow it."))
    return redirect(trace)
