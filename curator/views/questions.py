"""Questions: the list with its filters, what is done to many of them, and one with all that is known of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator import queries, tasks
from curator.forms import (
    ChangeForm,
    KeyForm,
    QuestionFilterForm,
    QuestionForm,
    RankingForm,
    StandingForm,
    read_keys,
)
from curator.models import Question, QuestionEdit
from curator.queries.benchmarks import with_named_items
from curator.queries.best import get_chosen, get_ranked
from curator.queries.repeats import get_other_ids, get_other_pools, get_said_keys
from curator.services import questions as services
from curator.services.classification import set_domains
from curator.services.labels import Changed
from curator.services.reviews import settle_doubts
from curator.views.reading import came_from

_UNDO = "undo_questions"  # where the session keeps the last change of many
_PLACES = ("after", "before")


@require_GET
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's questions, fifty a page, as filtered and ordered."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    form = QuestionFilterForm(request.GET, project=project)
    form.is_valid()  # a filter that cannot be is shown with its error, and the others hold
    chosen = form.chosen
    found = queries.get_questions(project, **chosen)
    page = _page(found, form)
    rights = get_rights(project, request.user)
    context = {
        "project": project,
        "rights": rights,
        "form": form,
        "is_filtered": bool(chosen),
        "filters": _filters(request.GET),
        "total": found.count(),
        "page": page,
        "rows": queries.get_listed(page.rows),
        "fills": chosen.get("key") == "missing" and Right.CURATE in rights,
        "undo": offered_undo(request),
    }
    return render_page(request, "curator/questions.html", context, partial="list")


def _page(found: "QuerySet[Question]", form: QuestionFilterForm) -> queries.KeysetPage:
    order = form.sorting
    places = {name: form.cleaned_data[name] for name in _PLACES}
    page = queries.get_keyset_page(found, order, **places, shown=queries.as_listed)
    if not page.rows and any(places.values()):  # what stood there is gone: the first page instead
        page = queries.get_keyset_page(found, order, shown=queries.as_listed)
    return page


def _filters(given: QueryDict) -> str:
    """Return an address's filters and order without the place in the list."""
    kept = QueryDict(mutable=True)
    for name, values in given.lists():
        if name not in _PLACES and any(values):
            kept.setlist(name, values)
    return kept.urlencode()


def _list_url(project: Project, filters: str) -> str:
    url = reverse("questions", args=[project.slug])
    return f"{url}?{_filters(QueryDict(filters))}" if filters else url


@require_POST
def questions_change(request: HttpRequest, slug: str) -> HttpResponse:
    """Do something to the chosen questions, or to all that the filters find.

    More than a page of them, and what needs a value, is asked for on a page of its own first.
    """
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    form = ChangeForm(request.POST, project=project)
    url = _list_url(project, request.POST.get("filters", ""))
    if "action" not in request.POST or not form.is_valid():
        if "confirm" not in request.POST or "action" in form.errors:
            messages.error(request, _("Choose questions, and what to do with them."))
            return redirect(url)
        return _ask(request, project, form, form.cleaned_data.get("count") or 0)
    chosen = _chosen(project, form)
    count = chosen.count()
    if not count:
        messages.error(request, _("Choose at least one question."))
        return redirect(url)
    if not _is_sure(request, form, count):
        return _ask(request, project, form, count)
    changed = _ACTIONS[form.cleaned_data["action"]](chosen, form.cleaned_data, request.user)
    said = ngettext("%(count)s question is changed.", "%(count)s questions are changed.", changed.count)
    messages.success(request, said % {"count": changed.count})
    keep_undo(request, changed)
    return redirect(url)


def keep_undo(request: HttpRequest, changed: Changed) -> None:
    """Offer on the next page that a change of many be undone."""
    if changed.count:
        request.session[_UNDO] = {
            "field": changed.field,
            "at": changed.at.isoformat(),
            "count": changed.count,
        }


def offered_undo(request: HttpRequest) -> dict[str, Any] | None:
    """Return the change that a page offers to undo; it is offered once."""
    found: dict[str, Any] | None = request.session.pop(_UNDO, None) if _UNDO in request.session else None
    return found


def _chosen(project: Project, form: ChangeForm) -> "QuerySet[Question]":
    if not form.cleaned_data["all"]:
        return Question.objects.filter(project=project, pk__in=form.cleaned_data["question"])
    filters = QuestionFilterForm(
        QueryDict(_filters(QueryDict(form.cleaned_data["filters"]))), project=project
    )
    if not filters.is_valid():
        return Question.objects.none()
    return queries.get_questions(project, **filters.chosen)


def _is_sure(request: HttpRequest, form: ChangeForm, count: int) -> bool:
    """Tell whether an action can be carried out: it has its value, and a person has seen how many it is for."""
    if "confirm" in request.POST:
        return form.is_whole and form.cleaned_data["count"] == count
    return form.cleaned_data["action"] in ChangeForm.AT_ONCE and count <= queries.QUESTIONS_A_PAGE


def _ask(request: HttpRequest, project: Project, form: ChangeForm, count: int) -> HttpResponse:
    seen = request.POST.get("count") if "confirm" in request.POST else None
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "heading": ChangeForm.ACTIONS[form.data["action"]],
        "count": count,
        "is_other": seen is not None and seen != str(count),
        "lacks_value": "confirm" in request.POST and form.is_valid() and not form.is_whole,
        "chosen": form.data.getlist("question") if not form.data.get("all") else [],
        "list_url": _list_url(project, form.data.get("filters", "")),
    }
    return render(request, "curator/questions_change.html", context)


Action = Callable[["QuerySet[Question]", dict[str, Any], Any], Changed]


def _stand(standing: str) -> Action:
    return lambda chosen, _given, by: services.set_standings(questions=chosen, standing=standing, by=by)


_ACTIONS: dict[str, Action] = {
    "pin": _stand("pinned"),
    "ban": _stand("banned"),
    "open": _stand("open"),
    "tag": lambda chosen, given, by: services.tag_questions(
        questions=chosen, add=given["add"], remove=given["remove"], by=by
    ),
    "move": lambda chosen, given, by: services.move_questions(questions=chosen, pool=given["pool"], by=by),
    "rate": lambda chosen, given, by: services.rate_questions(
        questions=chosen, rating=given["rating"], by=by
    ),
    "domain": lambda chosen, given, by: set_domains(questions=chosen, domain=given["domain"], by=by),
}


@require_POST
def questions_undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Take back a change of many questions that the same person made."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    url = came_from(request) or _list_url(project, request.POST.get("filters", ""))
    try:
        at = datetime.fromisoformat(request.POST.get("at", ""))
    except ValueError:
        messages.error(request, _("There is nothing to undo."))
        return redirect(url)
    try:
        changed = services.undo_change(
            project=project, field=request.POST.get("field", ""), at=at, by=request.user
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        said = ngettext(
            "%(count)s question is as before.", "%(count)s questions are as before.", changed.count
        )
        messages.success(request, said % {"count": changed.count})
    return redirect(url)


@require_POST
def questions_keys(request: HttpRequest, slug: str) -> HttpResponse:
    """Save the keys that were typed into a list of questions."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    try:
        count = services.set_keys(project=project, keys=read_keys(request.POST), by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        said = ngettext("%(count)s key is saved.", "%(count)s keys are saved.", count)
        messages.success(request, said % {"count": count})
    return redirect(_list_url(project, request.POST.get("filters", "")))


@require_GET
def question(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one question with its traces, attempts, leaks, history, and why selections took or left it."""
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
        "ranked": get_ranked(found, RankingForm(request.GET).chosen),
        "ranking_form": RankingForm(request.GET),
        "chosen": get_chosen(found),
        "attempts": queries.get_attempts(found),
        "leaks": queries.get_leaks_of(found),
        "decisions": with_named_items(queries.get_decisions(found)),
        "changes": queries.get_changes(found),
        "doubts": queries.get_doubts(found),
        "said_keys": get_said_keys(found) if found.key_disputed else (),
        "other_pools": get_other_pools(found),
        "other_ids": get_other_ids(found),
        "form": form,
    }


@require_POST
def question_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a question its key; its traces and attempts are marked anew.

    From a list the answer is the cell with what became of it.
    """
    found = get_editable(Question.objects.select_related("project", "pool", "domain"), request.user, pk=pk)
    in_list = bool(request.htmx)  # type: ignore[attr-defined]
    form = KeyForm(request.POST, prefix=str(pk) if in_list else None)
    if form.is_valid():
        try:
            services.set_key(question=found, key=form.cleaned_data["key"], by=request.user)
        except Refusal as refusal:
            form.add_error("key", str(refusal))
    if in_list:
        found.refresh_from_db()
        return render(request, "curator/_question_key.html", {"question": found, "form": form})
    if not form.is_valid():
        return render(request, "curator/question.html", _context(request, found, form))
    messages.success(request, _("The key is saved; traces and attempts were marked against it."))
    return redirect(found)


@require_POST
def question_doubts(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a question and its key are right after all; what was said of its traces is to be judged anew."""
    found = get_editable(Question, request.user, pk=pk)
    if settle_doubts(question=found, by=request.user):
        messages.success(request, _("The doubt is settled; its traces wait for reviewers again."))
    return redirect(found)


@require_POST
def question_standing(request: HttpRequest, pk: int) -> HttpResponse:
    """Pin a question, ban it, or leave it to the criteria."""
    found = get_editable(Question, request.user, pk=pk)
    form = StandingForm(request.POST)
    if form.is_valid():
        services.set_standing(question=found, standing=form.cleaned_data["standing"], by=request.user)
        messages.success(request, _("Saved; it counts from the next selection on."))
    else:
        messages.error(request, _("There is no such standing."))
    return redirect(found)


@require_http_methods(["GET", "POST"])
def question_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a question; every change is kept in its history."""
    related = ("project", "pool", "domain")
    found = get_editable(Question.objects.select_related(*related), request.user, pk=pk)
    form = QuestionForm(request.POST or None, question=found, seen=services.version_of(found))
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        try:
            changed = services.edit_question(
                question=found, seen=values.pop("seen"), values=values, by=request.user
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            if {"text", "options"} & set(changed):
                tasks.write_words.delay_on_commit()
            done = _("The question is changed.") if changed else _("Nothing was changed.")
            messages.success(request, done)
            return redirect(found)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "question": found,
        "form": form,
    }
    return render(request, "curator/question_edit.html", context)


@require_POST
def edit_revert(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a field back what it said before a change."""
    found = get_editable(QuestionEdit.objects.select_related("question"), request.user, pk=pk)
    try:
        services.revert_edit(edit=found, by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        if found.field in ("text", "options"):
            tasks.write_words.delay_on_commit()
        messages.success(request, _("The change is taken back."))
    return redirect(found.question)
