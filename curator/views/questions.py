"""Questions: the list with its filters, one of them with all that is known of it, its key and standing."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from common.access import Right, get_editable, get_visible
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.forms import KeyForm, QuestionFilterForm, StandingForm
from curator.models import Question
from curator.services import pools as services


@require_GET
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's questions, fifty a page, as filtered."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    form = QuestionFilterForm(request.GET, project=project)
    chosen = dict(form.cleaned_data) if form.is_valid() else {}
    after, before = chosen.pop("after", None), chosen.pop("before", None)
    found = queries.get_questions(project, **chosen)
    page = queries.get_keyset_page(found, after=after, before=before)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "is_filtered": any(chosen.values()),
        "total": found.count(),
        "page": page,
        "rows": queries.with_traces(page.rows),
    }
    return render_page(request, "curator/questions.html", context, partial="list")


@require_GET
def question(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one question with its traces, attempts, leaks, and why selections took or left it."""
    related = ("project", "pool", "domain", "imported_by")
    found = get_visible(Question.objects.select_related(*related), request.user, pk=pk)
    return render(
        request, "curator/question.html", _context(request, found, KeyForm(initial={"key": found.key}))
    )


def _context(request: HttpRequest, found: Question, form: KeyForm) -> dict[str, object]:
    return {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "question": found,
        "traces": queries.get_traces(found),
        "attempts": queries.get_attempts(found),
        "leaks": queries.get_leaks_of(found),
        "decisions": queries.get_decisions(found),
        "form": form,
    }


@require_POST
def question_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a question its key; its traces and attempts are marked anew."""
    found = get_editable(Question.objects.select_related("project", "pool", "domain"), request.user, pk=pk)
    form = KeyForm(request.POST)
    if not form.is_valid():
        return render(request, "curator/question.html", _context(request, found, form))
    services.set_key(question=found, key=form.cleaned_data["key"])
    messages.success(request, _("The key is saved; traces and attempts were marked against it."))
    return redirect(found)


@require_POST
def question_standing(request: HttpRequest, pk: int) -> HttpResponse:
    """Pin a question, ban it, or leave it to the criteria."""
    found = get_editable(Question, request.user, pk=pk)
    form = StandingForm(request.POST)
    if form.is_valid():
        services.set_standing(question=found, standing=form.cleaned_data["standing"])
        messages.success(request, _("Saved; it counts from the next selection on."))
    else:
        messages.error(request, _("There is no such standing."))
    return redirect(found)
