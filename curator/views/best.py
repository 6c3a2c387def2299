"""The teachers beside one another, and an expert's choice among the traces of a question."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from common.access import Right, get_editable
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator.forms import RankingForm, TakeForm
from curator.models import Question, Trace
from curator.services import best as services
from curator.services.selections import count_unread
from curator.views.reading import came_from


@require_GET
def teachers_compared(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what each teacher wrote, how good and how dear it was, and who agrees with whom."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    form = RankingForm(request.GET)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "ranking_form": form,
        "compared": services.compare_teachers(project=project, ranking=form.chosen),
        "unread": count_unread(project),
    }
    return render(request, "curator/best_teachers.html", context)


@require_POST
def trace_take(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a trace before the one that the rule would take."""
    trace = get_editable(Trace.objects.select_related("question"), request.user, right=Right.REVIEW, pk=pk)
    form = TakeForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say in a few words why this trace is to be taken instead."))
        return redirect(came_from(request) or trace.question)
    services.choose_trace(trace=trace, reason=form.cleaned_data["reason"], by=request.user)
    messages.success(
        request, _("Taken; it stands for the question in every selection, review and dataset from now on.")
    )
    return redirect(came_from(request) or trace.question)


@require_POST
def trace_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an expert's choice back, so that the rule decides again."""
    found = get_editable(Question, request.user, right=Right.REVIEW, pk=pk)
    try:
        services.release_trace(question=found)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The choice is taken back; the rule decides again."))
    return redirect(found)
