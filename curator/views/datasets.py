"""Datasets: the frozen versions, their cards, rows and files."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.downloads import sent
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator import exports, queries
from curator.core.card import readme
from curator.forms import FORMAT_WORDS, ExportForm, FreezeForm
from curator.models import Dataset
from curator.services import datasets as services
from curator.services import versions

ROWS_A_PAGE = 50
RELATED = ("project", "selection", "parent", "created_by")


@require_GET
def datasets(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's datasets, and the selections that could be frozen."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "datasets": queries.get_datasets(project),
        "freezable": queries.get_freezable(project)[: queries.LATEST],
    }
    return render(request, "curator/datasets.html", context)


@require_GET
def dataset(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a dataset's card, its rows, and the formats in which it can be had."""
    found = get_visible(Dataset.objects.select_related(*RELATED), request.user, pk=pk)
    described = queries.get_described(found)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "dataset": found,
        "card": found.card,
        "together": described.together,
        "conditions": [
            (queries.CONDITION_WORDS[condition], described.together.asking(condition))
            for condition in described.together.conditions
        ],
        "readme": readme(described),
        "form": ExportForm(),
        "formats": FORMAT_WORDS,
        "others": queries.get_other_versions(found)[: queries.LATEST],
        "branches": found.branches.order_by("-created_at"),
        "page": Paginator(found.rows.order_by("position"), ROWS_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "curator/dataset.html", context)


@require_GET
def dataset_download(request: HttpRequest, pk: int, file_format: str) -> HttpResponse:
    """Send a dataset as a file, or as a zipped folder, for the purpose that a form names."""
    found = get_visible(Dataset.objects.select_related(*RELATED), request.user, pk=pk)
    form = ExportForm(request.GET)
    if file_format not in exports.FORMATS or not form.is_valid():
        raise Http404(_("There is no such format."))
    with TemporaryDirectory(prefix="qianti-") as folder:
        try:
            path = services.export_to_one_file(
                dataset=found,
                file_format=file_format,
                folder=Path(folder),
                purpose=form.cleaned_data["purpose"],
            )
        except Refusal as refusal:
            messages.error(request, str(refusal))
            return redirect(found)
        return sent(path)


@require_POST
def dataset_current(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark a dataset as the one that its project works with."""
    found = get_editable(Dataset, request.user, pk=pk)
    versions.mark_current(dataset=found)
    messages.success(request, _("%(name)s is the current version now.") % {"name": found.name})
    return redirect(found)


@require_POST
def dataset_current_undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the mark back to the dataset that had it before."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    try:
        before = versions.undo_current(project=project)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("datasets", slug=slug)
    said = (
        _("%(name)s is the current version again.") % {"name": before.name}
        if before
        else _("No version is marked as current now.")
    )
    messages.success(request, said)
    return redirect("datasets", slug=slug)


@require_POST
def dataset_branch(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a draft with the questions and traces of a version."""
    found = get_editable(Dataset.objects.select_related(*RELATED), request.user, pk=pk)
    form = FreezeForm(request.POST)
    name = form.cleaned_data["name"] if form.is_valid() else ""
    try:
        made = versions.branch(dataset=found, name=name, by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    messages.success(
        request, _("%(name)s is a draft now: review it and freeze it.") % {"name": made.selection.name}
    )
    if made.gone:
        gone = ngettext(
            "%(count)s row is left out: its question or trace has been changed or removed since.",
            "%(count)s rows are left out: their questions or traces have been changed or removed since.",
            made.gone,
        )
        messages.warning(request, gone % {"count": made.gone})
    return redirect(made.selection)


@require_GET
def dataset_compared(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to the comparison with the version that a form names."""
    found = get_visible(Dataset, request.user, pk=pk)
    other = request.GET.get("with", "")
    if not other.isdecimal():
        messages.error(request, _("Choose a version to compare with."))
        return redirect(found)
    return redirect("dataset_compare", pk=pk, other=int(other))


@require_GET
def dataset_compare(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Show what a version has that an older one has not: rows added, removed, and with another trace."""
    newer = get_visible(Dataset.objects.select_related("project"), request.user, pk=pk)
    older = get_visible(newer.project.datasets.all(), request.user, pk=other)
    found = queries.compare_versions(older, newer)
    side = request.GET.get("side", "")
    side = side if side in ("removed", "changed") else "added"
    page = Paginator(getattr(found, side), ROWS_A_PAGE).get_page(request.GET.get("page"))
    here = queries.get_version_rows(older if side == "removed" else newer, page.object_list)
    before = queries.get_version_rows(older, page.object_list) if side == "changed" else [None] * len(here)
    context = {
        "project": newer.project,
        "rights": get_rights(newer.project, request.user),
        "newer": newer,
        "older": older,
        "side": side,
        "comparison": found,
        "names": dict(newer.project.domains.values_list("code", "name")),
        "page": page,
        "rows": list(zip(here, before, strict=True)),
    }
    return render_page(request, "curator/dataset_compare.html", context, partial="list")
