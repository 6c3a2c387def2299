"""Near copies: searched for, shown beside what is kept in their place, and ruled on."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator import queries, tasks
from curator.core.highlights import Part, differences, readable
from curator.forms import CopySearchForm, RulingForm
from curator.models import CopySearch, Lookalike, NearCopy, Question
from curator.services import copies as services
from curator.views import jobs

CLUSTERS_A_PAGE = 25
COPIES_A_PAGE = 10


@require_http_methods(["GET", "POST"])
def copies(request: HttpRequest, slug: str) -> HttpResponse:
    """List the clusters of near copies, and start a search for them."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    form = CopySearchForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid() and _start(request, project, form):
        return redirect("copies", slug)
    search = queries.get_copy_search(project)
    page = queries.get_keyset_page(
        queries.get_keepers(project), queries.Order(), size=CLUSTERS_A_PAGE, **_places(request)
    )
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "search": search,
        "job": search,
        "figures": queries.get_copy_figures(project, search),
        "page": page,
        "clusters": queries.get_clusters(page.rows),
    }
    return render_page(request, "curator/copies.html", context, partial="list")


def _places(request: HttpRequest) -> dict[str, queries.Cursor]:
    """Return where the page begins or ends, as far as the address names a place."""
    places = {}
    for name in ("after", "before"):
        if text := request.GET.get(name):
            try:
                places[name] = queries.read_cursor(text, queries.Order())
            except ValueError:
                continue  # an address that was cut short shows the first page
    return places


def _start(request: HttpRequest, project: Project, form: CopySearchForm) -> bool:
    given = form.cleaned_data
    try:
        search = services.start_copy_search(
            project=project,
            threshold=given["threshold"],
            embedder=given.get("embedder"),
            by=request.user,
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return False
    tasks.run_copy_search.delay_on_commit(job_id=search.pk)
    messages.success(request, _("The search waits for a free worker."))
    return True


@require_POST
def copies_cancel(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the latest search to stop."""
    project = get_visible(Project, request.user, slug=slug)
    search = queries.get_copy_search(project)
    if search is None:
        get_editable(Project, request.user, right=Right.CURATE, slug=slug)
        return redirect("copies", slug)
    return jobs.cancel(request, CopySearch, search.pk)


@require_POST
def copies_retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Run the latest search again, if it failed or was cancelled."""
    project = get_visible(Project, request.user, slug=slug)
    search = queries.get_copy_search(project)
    if search is None:
        get_editable(Project, request.user, right=Right.CURATE, slug=slug)
        return redirect("copies", slug)
    return jobs.retry(request, CopySearch, search.pk, tasks.run_copy_search)


@require_GET
def copy_cluster(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a question beside its copies, with the differences marked."""
    found = get_visible(Question.objects.select_related("project", "pool"), request.user, pk=pk)
    keeper = queries.get_keeper(found)
    if keeper is not None:
        return redirect("copy_cluster", keeper.pk)
    page = Paginator(queries.get_copies_of(found), COPIES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "keeper": found,
        "page": page,
        "compared": [_compared(found, copy) for copy in page],
    }
    return render(request, "curator/copy_cluster.html", context)


def _compared(keeper: Question, copy: NearCopy) -> dict[str, Any]:
    """Return a copy beside its keeper: the parts of both, and whether their keys differ."""
    kept, dropped = differences(
        readable(keeper.text, keeper.options), readable(copy.question.text, copy.question.options)
    )
    return {
        "copy": copy,
        "kept": kept,
        "dropped": dropped,
        "is_same": not _any_marked(kept) and not _any_marked(dropped),
        "keys_differ": queries.have_other_keys(keeper, copy.question),
    }


@require_GET
def lookalikes(request: HttpRequest, slug: str) -> HttpResponse:
    """List questions that are alike but have different keys, each pair with its differences marked."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    page = Paginator(queries.get_lookalikes(project), COPIES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "page": page,
        "compared": [
            (
                pair,
                *differences(
                    readable(pair.question.text, pair.question.options),
                    readable(pair.other.text, pair.other.options),
                ),
            )
            for pair in page
        ],
    }
    return render(request, "curator/lookalikes.html", context)


@require_POST
def lookalike_ruling(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that two questions with different keys are copies all the same, or take that back."""
    found = get_editable(Lookalike.objects.select_related("question__project", "other"), request.user, pk=pk)
    is_copy = request.POST.get("ruling") == "copy"
    services.rule_on_lookalike(pair=found, is_copy=is_copy, by=request.user)
    if is_copy:
        messages.success(request, _("The two are copies now; no selection takes both."))
    else:
        messages.success(request, _("The two are no copies; each stands for itself."))
    return redirect("lookalikes", found.question.project.slug)


@require_POST
def copy_cluster_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that none of the questions behind this one is a copy."""
    found = get_editable(Question.objects.select_related("project"), request.user, pk=pk)
    count = services.part_cluster(keeper=found, by=request.user)
    messages.success(
        request,
        ngettext(
            "%(count)s question is no copy any more.", "%(count)s questions are no copies any more.", count
        )
        % {"count": count},
    )
    return redirect("copies", found.project.slug)


def _any_marked(parts: list[Part]) -> bool:
    return any(part.is_marked for part in parts)


@require_POST
def copy_ruling(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep this question instead of its copies, say that it is no copy, or take that back."""
    found = get_editable(Question.objects.select_related("project"), request.user, pk=pk)
    form = RulingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose whether the question is kept, is no copy, or is left open."))
        return redirect("copy_cluster", found.pk)
    ruling = form.cleaned_data["ruling"]
    services.rule_on_copy(question=found, ruling=ruling, by=request.user)
    said = {
        "keeper": _("This question is kept instead of its copies; the next search keeps to that."),
        "apart": _("This question is no copy any more; the next search keeps to that."),
        "open": _("The word about this question is taken back; the next search decides."),
    }
    messages.success(request, said[ruling])
    return redirect("copy_cluster", found.pk)
