"""Datasets: the frozen versions, their cards, rows and files."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from common.access import Right, get_editable, get_visible
from common.models import Project
from common.queries import get_rights
from curator import exports, queries
from curator.models import Dataset

ROWS_A_PAGE = 50


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
    related = ("project", "selection", "created_by")
    found = get_visible(Dataset.objects.select_related(*related), request.user, pk=pk)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "dataset": found,
        "card": found.card,
        "formats": exports.FORMATS,
        "page": Paginator(found.rows.order_by("position"), ROWS_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "curator/dataset.html", context)


@require_GET
def dataset_download(request: HttpRequest, pk: int, file_format: str) -> HttpResponse:
    """Send a dataset as a file."""
    found = get_visible(Dataset, request.user, pk=pk)
    if file_format not in exports.FORMATS:
        raise Http404(_("There is no such format."))
    rows = list(found.rows.order_by("position").values_list("content", flat=True))
    body, ending = exports.content(rows, file_format)
    response = HttpResponse(body, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{found.content_hash[:12]}.{ending}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
