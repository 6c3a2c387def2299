"""The reviewer's desk: one trace at a time, a word on it, and the last word where reviewers disagree."""

from functools import partial
from typing import Any

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
from curator.forms import AdjudicationForm
from curator.models import Decision, Selection, Trace
from curator.queries.agreement import get_agreement, get_disputed, get_flagged
from curator.queries.queues import get_queues
from curator.services import reviews as services
from curator.views.reading import (
    Seat,
    Way,
    asked_trace,
    came_from,
    choose_best,
    get_reading,
    keep_blindness,
    show_next,
    take_back,
    take_word,
    to,
)


@require_GET
def reviews(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead to the queues that are open, else to the review of the latest selection, or say that there is none."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    if get_queues(project).filter(is_open=True).exists():
        return redirect("queues", slug=slug)
    latest = queries.get_latest_selection(project)
    if latest is not None:
        return redirect("review", pk=latest.pk)
    context = {"project": project, "rights": get_rights(project, request.user)}
    return render(request, "curator/reviews.html", context)


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one member's question and trace, and take a reviewer's word on it."""
    right = Right.REVIEW if request.method == "POST" else Right.SEE_MATERIAL
    selection = _selection(request, pk, right)
    if request.method == "POST":
        return _judge(request, selection)
    keep_blindness(request)
    return _shown(request, selection, _wanted(request, selection))


def _selection(request: HttpRequest, pk: int, right: Right) -> Selection:
    return get_editable(Selection.objects.select_related("project"), request.user, right=right, pk=pk)


def _wanted(request: HttpRequest, selection: Selection) -> int | None:
    """Return the place that a reader asks for: a member's own, or the next one without the reader's word."""
    at, after = request.GET.get("at", ""), request.GET.get("after", "")
    if at.isdecimal():
        return int(at[:9])
    return queries.get_unjudged_position(
        selection, request.user, after=int(after[:9]) if after.isdecimal() else -1
    )


def _shown(request: HttpRequest, selection: Selection, position: int | None, **more: Any) -> HttpResponse:
    """Show a member's trace as a page, or as the desk alone where htmx has asked for it."""
    context = _frame(request, selection, position)
    if position is not None:
        decision = queries.get_reviewed(selection, position=position)
        trace = _trace_shown(request, decision)
        if decision is None or trace is None:
            raise Http404(_("The selection has no such member."))
        context |= _member(request, decision, trace) | more
    is_part = bool(request.htmx) and position is not None  # type: ignore[attr-defined]
    template = "curator/_desk.html" if is_part else "curator/review.html"
    reply = render(request, template, context)
    if is_part:
        reply["HX-Push-Url"] = _place(selection, position)
    return reply


def _frame(request: HttpRequest, selection: Selection, position: int | None) -> dict[str, Any]:
    """Return what stands around a trace: the project, how far the review is, and the places beside this one."""
    figures = queries.get_review_figures(selection, request.user)
    at = -1 if position is None else position
    return {
        "project": selection.project,
        "rights": get_rights(selection.project, request.user),
        "selection": selection,
        "figures": figures,
        "can_undo": queries.can_undo(selection, request.user),
        "all_judged": queries.get_unjudged_position(selection, request.user) is None,
        "position": position,
        "number": at + 1,
        "way": _way(selection, at),
        "before": at - 1 if at > 0 else None,
        "after": at + 1 if at >= 0 and at + 1 < figures.members else None,
    }


def _way(selection: Selection, at: int) -> Way:
    return Way(
        judge=reverse("review", args=[selection.pk]),
        undo=reverse("review_undo", args=[selection.pk]),
        best=reverse("review_best", args=[selection.pk]),
        here=f"at={at}",
        strip="curator/_strip_members.html",
    )


def _trace_shown(request: HttpRequest, decision: Decision | None) -> Trace | None:
    """Return the trace of a member that stands, or the one of its question that the reader asks for."""
    if decision is None or not decision.standing_trace:
        return None
    return asked_trace(request, decision.question, decision.standing_trace)


def _member(request: HttpRequest, decision: Decision, trace: Trace) -> dict[str, Any]:
    reading = get_reading(
        request,
        decision.question,
        trace,
        chosen=decision.standing_trace.pk,
        is_blind=bool(request.session.get("blind")),
    )
    return {"decision": decision, **reading}


def _seat(request: HttpRequest, selection: Selection) -> Seat[int]:
    return Seat(
        find=partial(_judged, selection),
        show=partial(_shown, request, selection),
        address=partial(_place, selection),
    )


def _judged(selection: Selection, pk: int) -> tuple[int, Trace]:
    """Return the place of a trace's question among a selection's members, and the trace.

    Raises:
        Http404: no member has such a trace.
    """
    trace = Trace.objects.select_related("question__project").filter(pk=pk).first()
    position = trace and queries.get_position_of_question(selection, trace.question_id)
    if trace is None or position is None:
        raise Http404(_("The selection has no such member."))
    return position, trace


def _judge(request: HttpRequest, selection: Selection) -> HttpResponse:
    """Record a judgement and go on to the next member without one."""
    seat = _seat(request, selection)

    def go_on(position: int, *_said: Any) -> HttpResponse:
        following = queries.get_unjudged_position(selection, request.user, after=position)
        if request.htmx and following is not None:  # type: ignore[attr-defined]
            return show_next(request, seat, following)
        return to(request, _place(selection, following))

    return take_word(request, seat, go_on)


def _place(selection: Selection, position: int | None) -> str:
    query = "" if position is None else f"?at={position}"
    return reverse("review", args=[selection.pk]) + query


@require_POST
def review_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the reviewer's last judgement back, and show that trace again."""
    selection = _selection(request, pk, Right.REVIEW)

    def undo() -> int:
        trace = services.undo(reviewer=request.user, selection=selection)
        return _judged(selection, trace.pk)[0]

    return take_back(request, _seat(request, selection), undo)


@require_POST
def review_best(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the trace that is shown stand for its question."""
    return choose_best(request, _seat(request, _selection(request, pk, Right.REVIEW)))


@require_GET
def review_agreement(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a selection's reviewers agree, and every trace of which they say different things."""
    selection = _selection(request, pk, Right.SEE_MATERIAL)
    context = {
        "project": selection.project,
        "rights": get_rights(selection.project, request.user),
        "selection": selection,
        "agreement": get_agreement(selection),
        "disputed": get_disputed(selection),
        "flagged": get_flagged(selection),
    }
    return render(request, "curator/agreement.html", context)


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
    return redirect(came_from(request) or trace)
