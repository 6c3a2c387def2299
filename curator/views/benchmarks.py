"""Benchmarks: held-out questions, and what of them has leaked into the pools."""

from pathlib import Path

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.forms import BenchmarkForm
from curator.models import Benchmark
from curator.services import benchmarks as services

ITEMS_A_PAGE = 50
SHOWN_LEAKS = 100


@require_http_methods(["GET", "POST"])
def benchmarks(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's benchmarks, and read one from a file."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_RESULTS
    project = get_editable(Project, request.user, right=right, slug=slug)
    form = BenchmarkForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            report = services.import_benchmark(
                project=project,
                path=Path(given["file"].temporary_file_path()),
                name=given["name"],
                licence=given["licence"],
                file_name=given["file"].name,
            )
        except Refusal as refusal:
            form.add_error("file", str(refusal))
        else:
            messages.success(
                request,
                _("%(items)s items were read; %(leaks)s overlaps with the pools were found.") % vars(report),
            )
            return redirect(report.benchmark)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "benchmarks": queries.get_benchmarks(project),
        "form": form,
    }
    return render(request, "curator/benchmarks.html", context)


@require_GET
def benchmark(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a benchmark, and its items and leaks to those who may read questions."""
    found = get_visible(Benchmark.objects.select_related("project"), request.user, pk=pk)
    rights = get_rights(found.project, request.user)
    context = {
        "project": found.project,
        "rights": rights,
        "benchmark": found,
        "item_count": found.items.count(),
        "leak_count": queries.get_leaks(found).values("question").distinct().count(),
    }
    if Right.SEE_MATERIAL in rights:
        context |= {
            "page": Paginator(queries.get_items(found), ITEMS_A_PAGE).get_page(request.GET.get("page")),
            "leaks": queries.get_leaks(found)[:SHOWN_LEAKS],
        }
    return render(request, "curator/benchmark.html", context)
