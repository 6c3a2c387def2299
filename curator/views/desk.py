"""What a reviewer does at the desk beside judging: drafts, comments, flags, the best of several, a trace put right."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator.forms import FlagForm, ReasonForm, RemarkForm, RewriteForm, ScaleForm
from curator.models import Flag, Question, Reason, Remark, Scale, Trace
from curator.queries.beside import get_beside
from curator.queries.desk import get_edits, get_step, get_trace_signals, located
from curator.services import desk as services
from curator.services import rubrics
from curator.views.reading import came_from


def _trace(request: HttpRequest, pk: int) -> Trace:
    rows = Trace.objects.select_related("question__project", "teacher")
    return get_editable(rows, request.user, right=Right.REVIEW, pk=pk)


@require_GET
def trace_step(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show the text of one step of a trace."""
    trace = get_visible(Trace.objects.select_related("question"), request.user, pk=pk)
    return HttpResponse(get_step(trace, number, is_raw="raw" in request.GET))


@require_GET
def trace_signals(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a reviewer should look at first in a long trace, after its page."""
    trace = get_visible(Trace.objects.select_related("question__project"), request.user, pk=pk)
    context = {"trace": trace, "signals": get_trace_signals(trace, trace.question)}
    return render(request, "curator/_signals.html", context)


@require_GET
def beside(request: HttpRequest, pk: int) -> HttpResponse:
    """Show two traces of a question beside each other."""
    rows = Question.objects.select_related("project", "pool", "domain")
    question = get_editable(rows, request.user, right=Right.SEE_MATERIAL, pk=pk)
    keys = {name: request.GET.get(name, "") for name in ("left", "right")}
    asked = {name: int(key[:18]) if key.isdecimal() else None for name, key in keys.items()}
    is_blind = "blind" in request.GET or bool(request.session.get("blind"))
    context = {
        "project": question.project,
        "rights": get_rights(question.project, request.user),
        "question": question,
        "beside": get_beside(question, **asked, blind_for=request.user if is_blind else None),
        "is_blind": is_blind,
        "back": came_from(request),
    }
    return render(request, "curator/beside.html", context)


@require_POST
def trace_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a judgement on its way; the answer says which draft is kept now."""
    trace = _trace(request, pk)
    try:
        content = json.loads(request.POST.get("content", ""))
        seen = int(request.POST.get("seen", "0")[:9])
    except ValueError:
        return HttpResponseBadRequest(_("That is no draft."))
    if not isinstance(content, dict):
        return HttpResponseBadRequest(_("That is no draft."))
    try:
        saved = services.save_draft(trace=trace, reviewer=request.user, content=content, seen=seen)
    except Refusal as refusal:
        return HttpResponseBadRequest(str(refusal))
    return JsonResponse({"content": saved.content, "version": saved.version, "is_mine": saved.is_mine})


@require_POST
def trace_remark(request: HttpRequest, pk: int) -> HttpResponse:
    """Comment on what was marked in a step."""
    trace = _trace(request, pk)
    form = RemarkForm(request.POST)
    given = form.cleaned_data if form.is_valid() else {}
    text = given.pop("text", "")
    place = located(trace, **given) if given else None
    if place is None:
        messages.error(request, _("Mark a stretch of one step, and say something about it."))
    else:
        try:
            services.remark(trace=trace, author=request.user, text=text, **place)
        except Refusal as refusal:
            messages.error(request, str(refusal))
    return _back(request, trace)


@require_POST
def remark_erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a comment of one's own away."""
    rows = Remark.objects.select_related("trace")
    found = get_editable(rows, request.user, pk=pk)
    try:
        services.erase_remark(remark=found, by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse()
    return _back(request, found.trace)


@require_POST
def trace_flag(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a colleague to look at a trace."""
    trace = _trace(request, pk)
    form = FlagForm(request.POST, project=trace.question.project)
    if form.is_valid():
        services.flag(trace=trace, by=request.user, **form.cleaned_data)
        messages.success(
            request,
            _("Flagged; it stands on the page of the reviewers' agreement until somebody has looked."),
        )
    else:
        messages.error(request, _("Choose a member of the project; a note has at most 5,000 characters."))
    return _back(request, trace)


@require_POST
def flag_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a flagged trace was looked at."""
    found = get_editable(Flag.objects.select_related("trace"), request.user, pk=pk)
    services.settle_flag(flag=found, by=request.user)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse()
    return _back(request, found.trace)


@require_http_methods(["GET", "POST"])
def trace_rewrite(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a trace right; what it said before is kept, and shown beside."""
    trace = _trace(request, pk)
    form = RewriteForm(request.POST or None, initial=_wording(trace))
    if request.method == "POST" and form.is_valid():
        try:
            services.rewrite(trace=trace, editor=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("Saved; the answer was marked anew, and what was there before is kept.")
            )
            return _back(request, trace)
    context = {
        "project": trace.question.project,
        "rights": get_rights(trace.question.project, request.user),
        "trace": trace,
        "question": trace.question,
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "curator/trace_rewrite.html", context)


def _wording(trace: Trace) -> dict[str, Any]:
    return {"thinking": trace.thinking, "answer": trace.answer, "seen": trace.content_hash}


@require_GET
def trace_edits(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a trace said before each change, word by word."""
    trace = get_visible(Trace.objects.select_related("question__project", "teacher"), request.user, pk=pk)
    context = {
        "project": trace.question.project,
        "rights": get_rights(trace.question.project, request.user),
        "trace": trace,
        "question": trace.question,
        "edits": get_edits(trace),
    }
    return render(request, "curator/trace_edits.html", context)


def _back(request: HttpRequest, trace: Trace) -> HttpResponse:
    """Lead to where the reader came from, if that is a page of ours."""
    return redirect(came_from(request) or trace)


@require_http_methods(["GET", "POST"])
def rubric(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and change what reviewers judge by."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    adds_scale = "steps" in request.POST
    reason_form = ReasonForm(None if adds_scale else request.POST or None)
    scale_form = ScaleForm(request.POST if adds_scale else None)
    form = scale_form if adds_scale else reason_form
    if request.method == "POST" and form.is_valid():
        add = rubrics.add_scale if adds_scale else rubrics.add_reason
        try:
            add(project=project, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, _("Added; reviewers see it from their next trace on."))
            return redirect("rubric", slug=slug)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "reasons": rubrics.reasons_of(project),
        "scales": rubrics.scales_of(project),
        "reason_form": reason_form,
        "scale_form": scale_form,
    }
    return render(request, "curator/rubric.html", context)


@require_POST
def reason_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a reason no more."""
    found = get_editable(Reason.objects.select_related("project"), request.user, pk=pk)
    rubrics.retire_reason(reason=found)
    messages.success(
        request, _("Retired; judgements that name it keep it. Add it by the same name to have it back.")
    )
    return redirect("rubric", slug=found.project.slug)


@require_POST
def scale_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a scale no more."""
    found = get_editable(Scale.objects.select_related("project"), request.user, pk=pk)
    rubrics.retire_scale(scale=found)
    messages.success(request, _("Retired; scores that were given stay."))
    return redirect("rubric", slug=found.project.slug)
