"""Benchmarks: held-out questions, and what of them has leaked into the pools."""

from collections.abc import Callable
from pathlib import Path

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.core.highlights import readable, shared
from curator.core.rows import MissingColumn
from curator.forms import BenchmarkForm, LeakFilterForm, OverruleForm
from curator.models import Benchmark, BenchmarkItem, Question
from curator.services import benchmarks as services
from curator.services import leaks as leak_services

ITEMS_A_PAGE = 50
LEAKS_A_PAGE = 20


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
                is_exam=given["is_exam"],
                mapping=form.mapping(),
            )
        except MissingColumn as missing:
            form.add_error("question_column", f"{missing} {_('Name that column here.')}")
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
            "leak_counts": queries.count_leaks(found.project, found),
        }
    return render(request, "curator/benchmark.html", context)


@require_GET
def leaks(request: HttpRequest, slug: str) -> HttpResponse:
    """List what pools share with benchmarks, each with the shared passages marked in both texts."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    form = LeakFilterForm(request.GET, project=project)
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = queries.get_project_leaks(project, **chosen).order_by(
        "item__benchmark__name", "item__position", "pk"
    )
    page = Paginator(rows, LEAKS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "overrule_form": OverruleForm(),
        "counts": queries.count_leaks(project, chosen.get("benchmark")),
        "page": page,
        "rows": [(leak, *shared(_readable(leak.question), _readable(leak.item))) for leak in page],
        "query": request.GET.urlencode(),
    }
    return render(request, "curator/leaks.html", context)


def _readable(row: Question | BenchmarkItem) -> str:
    return readable(row.text, row.options)


@require_POST
def leaks_overrule(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the marked questions be taken although a benchmark has them too; the reason is kept."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    form = OverruleForm(request.POST)
    why = form.cleaned_data["why"] if form.is_valid() else ""

    def act() -> int:
        return leak_services.overrule(
            project=project, leaks=_marked(request), why=why, by=request.user, now=timezone.now()
        )

    def said(count: int) -> str:
        return ngettext("%(count)s overlap is overruled.", "%(count)s overlaps are overruled.", count)

    return _done(request, project, act, said)


@require_POST
def leaks_restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the marked questions out again."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)

    def act() -> int:
        return leak_services.restore(project=project, leaks=_marked(request))

    def said(count: int) -> str:
        return ngettext("%(count)s overlap counts again.", "%(count)s overlaps count again.", count)

    return _done(request, project, act, said)


@require_POST
def leaks_search(request: HttpRequest, slug: str) -> HttpResponse:
    """Hold every question against every benchmark again; what was overruled stays so."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)

    def act() -> int:
        return leak_services.find_again(project=project)

    def said(count: int) -> str:
        return ngettext("%(count)s overlap was found.", "%(count)s overlaps were found.", count)

    return _done(request, project, act, said)


def _marked(request: HttpRequest) -> list[int]:
    return [int(pk) for pk in request.POST.getlist("leak") if pk.isascii() and pk.isdigit() and len(pk) < 19]


def _done(
    request: HttpRequest, project: Project, act: Callable[[], int], said: Callable[[int], str]
) -> HttpResponse:
    """Do it, say how many overlaps it concerned, and go back to the list as it was."""
    try:
        count = act()
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said(count) % {"count": count})
    query = request.POST.get("query", "")
    return redirect(reverse("leaks", args=[project.slug]) + (f"?{query}" if query else ""))
