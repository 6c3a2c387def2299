"""Selections: made, followed, explained, held against control arms, and frozen."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.jobs import JobState
from common.models import Project
from common.queries import get_rights
from curator import charts, queries, tasks
from curator.core.selection import Result, Verdict
from curator.core.spread import flaw_counts, lengths
from curator.forms import METHOD_WORDS, FreezeForm, SelectionForm, TryForm, knobs_of
from curator.models import BenchmarkItem, Question, Selection, Standing
from curator.queries.benchmarks import get_named_items, with_named_items
from curator.queries.caveats import get_caveats, get_selection_caveats, pinned_out
from curator.services import datasets as dataset_services
from curator.services import selections as services
from curator.services.candidates import table_of
from curator.views import jobs

MEMBERS_A_PAGE = 50


@require_http_methods(["GET", "POST"])
def selections(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's selections, and start one."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    form = SelectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := _start(request, project, form)):
        return redirect(made)
    rows = queries.get_selections(project)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "selections": rows,
        "any_active": any(row.is_active for row in rows),
        "standing": queries.count_standing(project),
        "lack": services.said_lack(project),
        "form": form,
    }
    return render_page(request, "curator/selections.html", context, partial="list")


def _start(request: HttpRequest, project: Project, form: SelectionForm) -> Selection | None:
    """Start the selection that a form asks for; a refusal becomes the form's error."""
    given = form.cleaned_data
    try:
        made = services.start_selection(
            project=project,
            method=given["own_method"] or given["method"],
            size=given["size"],
            seed=given["seed"],
            name=given["name"],
            by=request.user,
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    tasks.run_selection.delay_on_commit(job_id=made.pk)
    return made


@require_GET
def selection(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how a selection goes, and then its funnel, members, reasons, spread and arms."""
    related = ("project", "created_by", "arm_of")
    found = get_visible(Selection.objects.select_related(*related), request.user, pk=pk)
    context: dict[str, Any] = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "selection": found,
        "job": found,
        **(_outcome(request, found) if found.state == JobState.SUCCEEDED else {}),
    }
    return render_page(request, "curator/selection.html", context, partial="progress")


def _outcome(request: HttpRequest, found: Selection) -> dict[str, Any]:
    """Return what a selection that is done has to show."""
    spread = queries.get_domains(found)
    members, others = queries.get_trace_lengths(found)
    stage = request.GET.get("stage", "")
    page = _pages(found, stage).get_page(request.GET.get("page"))
    page.object_list = with_named_items(page.object_list)
    arms = queries.get_arms(found)
    return {
        "funnel": found.funnel,
        "caveats": get_selection_caveats(found),
        "pool_size": found.funnel[0]["kept"] if found.funnel else 0,
        "member_count": len(members),
        "reasons": queries.get_reasons(found),
        "spread": spread,
        "domains_figure": charts.domains_figure(spread),
        "lengths_figure": charts.lengths_figure(members, others),
        "lengths": charts.counted_lengths(members, others),
        "stage": stage,
        "page": page,
        "arms": arms,
        "arms_active": any(arm.is_active for arm, *_counts in arms),
        "review": queries.get_review_figures(found, request.user),
        "freeze_form": FreezeForm(),
        "datasets": found.datasets.all(),
        "comparable": queries.get_comparable(found),
        "trial": _trial(
            found.project.slug, knobs_of(found.method) | {"size": found.size, "seed": found.seed}
        ),
    }


def _pages(found: Selection, stage: str) -> "Paginator[Any]":
    """Return a selection's members by the page, or what one stage has left out."""
    if stage:
        return Paginator(queries.LeftOutRows(queries.get_left_out(found, stage=stage)), MEMBERS_A_PAGE)
    return Paginator(queries.MemberRows(queries.get_members(found)), MEMBERS_A_PAGE)


@require_GET
def selection_why(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why the questions that a person asks for are in a selection, or out of it."""
    found = get_visible(Selection.objects.select_related("project"), request.user, pk=pk)
    asked = request.GET.get("question", "").strip()
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "selection": found,
        "asked": asked,
        "whys": with_named_items(queries.get_why(found, asked)) if asked else [],
    }
    return render_page(request, "curator/selection_why.html", context, partial="answer")


@require_GET
def selection_try(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw by a method as its knobs stand, and store nothing."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    table = table_of(project)
    form = TryForm(request.GET, patterns=flaw_counts(table))
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "method_words": METHOD_WORDS,
        "asked": request.GET.get("question", "").strip(),
        **_tried(project, form, request.GET.get("question", "").strip()),
    }
    partial = "outcome" if request.headers.get("HX-Target") == "outcome" else "trial"
    return render_page(request, "curator/selection_try.html", context, partial=partial)


def _caveats(project: Project, method: dict[str, Any], result: Result) -> list[str]:
    """Return what the funnel of a trial draw does not say of itself."""
    out = Question.objects.filter(project=project, standing=Standing.PINNED).count() - result.pinned
    return [*get_caveats(project, method), *([pinned_out(out)] if out > 0 else [])]


def _tried(project: Project, form: TryForm, asked: str) -> dict[str, Any]:
    """Return what a draw has to show, or the sentence that refuses it."""
    if not form.is_valid():
        return {}
    given = form.cleaned_data
    try:
        result = services.try_method(
            project=project, method=given["made"], size=given["size"], seed=given["seed"]
        )
    except Refusal as refusal:
        return {"refusal": str(refusal), "lack": services.said_lack(project)}
    spread = queries.get_spread(project, result)
    members, others = lengths(result)
    return {
        "result": result,
        "caveats": _caveats(project, given["made"], result),
        "pool_size": len(result.candidates),
        "unread": services.count_unread(project),
        "spread": spread,
        "domains_figure": charts.domains_figure(spread),
        "lengths_figure": charts.lengths_figure(members.tolist(), others.tolist()),
        "lengths": charts.counted_lengths(members.tolist(), others.tolist()),
        "whys": _whys(project, result, asked) if asked else [],
    }


def _whys(
    project: Project, result: Result, asked: str
) -> list[tuple[Question, bool, Verdict, BenchmarkItem | None]]:
    """Return the questions that a person asks for, whether each is in, why, and the item that this names."""
    rows = result.candidates.row_of_pk
    asked_for = [question for question in queries.find_questions(project, asked) if question.pk in rows]
    verdicts = [result.verdict_at(rows[question.pk]) for question in asked_for]
    items = get_named_items(question.pk for question in asked_for)
    return [
        (question, rows[question.pk] in result.position_of, verdict, items.get((question.pk, verdict.reason)))
        for question, verdict in zip(asked_for, verdicts, strict=True)
    ]


@require_POST
def selection_keep(request: HttpRequest, slug: str) -> HttpResponse:
    """Make the selection that was tried out."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    form = TryForm(request.POST, patterns=flaw_counts(table_of(project)))
    if not form.is_valid():
        messages.error(request, _("These settings cannot be used; see what the page says of them."))
        return redirect(_trial(slug, form.settings))
    given = form.cleaned_data
    try:
        made = services.start_selection(
            project=project, method=given["made"], size=given["size"], seed=given["seed"], by=request.user
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(_trial(slug, form.settings))
    tasks.run_selection.delay_on_commit(job_id=made.pk)
    return redirect(made)


def _trial(slug: str, settings: Any) -> str:
    return f"{reverse('selection_try', args=[slug])}?{urlencode(settings, doseq=True)}"


@require_GET
def selection_compare(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Hold the members of one selection against those of another."""
    one = get_visible(Selection.objects.select_related("project"), request.user, pk=pk)
    two = get_visible(one.project.selections.all(), request.user, pk=other)
    if JobState.SUCCEEDED not in (one.state, two.state) or one.state != two.state:
        messages.error(request, _("A selection that is not done yet cannot be compared."))
        return redirect(one)
    side = "other" if request.GET.get("side") == "other" else "one"
    first, second = (two, one) if side == "other" else (one, two)
    rows = queries.get_only_in(first, second)
    context = {
        "project": one.project,
        "rights": get_rights(one.project, request.user),
        "one": one,
        "other": two,
        "side": side,
        "comparison": queries.compare(one, two),
        "page": Paginator(rows, MEMBERS_A_PAGE).get_page(request.GET.get("page")),
    }
    return render_page(request, "curator/selection_compare.html", context, partial="list")


@require_GET
def selection_compared(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to the comparison with the selection that a form names."""
    found = get_visible(Selection, request.user, pk=pk)
    other = request.GET.get("with", "")
    if not other.isdecimal():
        messages.error(request, _("Choose a selection to compare with."))
        return redirect(found)
    return redirect("selection_compare", pk=pk, other=int(other))


@require_http_methods(["GET", "POST"])
def selection_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a selection with its arms, once that was confirmed."""
    found = get_editable(Selection.objects.select_related("project"), request.user, right=Right.CURATE, pk=pk)
    if request.method == "GET":
        context = {
            "project": found.project,
            "rights": get_rights(found.project, request.user),
            "selection": found,
        }
        return render_page(request, "curator/selection_delete.html", context, partial="form")
    try:
        services.delete_selection(selection=found)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    messages.success(request, _("%(name)s is gone.") % {"name": found.name})
    return redirect("selections", slug=found.project.slug)


@require_POST
def selection_arms(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the control arms that a selection does not have yet."""
    found = get_editable(Selection.objects.select_related("project"), request.user, pk=pk)
    try:
        arms = services.start_arms(selection=found, by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    waiting = [arm for arm in arms if arm.state == JobState.QUEUED]
    for arm in waiting:
        tasks.run_selection.delay_on_commit(job_id=arm.pk)
    started = ngettext(
        "%(count)s arm waits for a free worker.", "%(count)s arms wait for a free worker.", len(waiting)
    )
    messages.success(request, started % {"count": len(waiting)})
    return redirect(found)


@require_POST
def selection_freeze(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze a selection, as reviewed, into a dataset."""
    found = get_editable(Selection.objects.select_related("project"), request.user, pk=pk)
    form = FreezeForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This name cannot be used."))
        return redirect(found)
    try:
        made = dataset_services.freeze(selection=found, name=form.cleaned_data["name"], by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    messages.success(request, _("The dataset %(name)s is frozen.") % {"name": made.name})
    return redirect(made)


@require_POST
def selection_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a selection to stop."""
    return jobs.cancel(request, Selection, pk)


@require_POST
def selection_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Run a selection again that failed or was cancelled."""
    return jobs.retry(request, Selection, pk, tasks.run_selection)
