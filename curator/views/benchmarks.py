"""Benchmarks: held-out questions, and what of them has leaked into the pools."""

from collections.abc import Callable
from urllib.parse import urlencode

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
from curator.forms import AboutBenchmarkForm, BenchmarkForm, LeakFilterForm, OverruleForm
from curator.models import Benchmark, BenchmarkItem, Question
from curator.services import benchmarks as services
from curator.services import leaks as leak_services
from curator.views import previews

ITEMS_A_PAGE = 50
LEAKS_A_PAGE = 20


@require_http_methods(["GET", "POST"])
def benchmarks(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's benchmarks, and keep a file for its preview that is to become another."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_RESULTS
    project = get_editable(Project, request.user, right=right, slug=slug)
    form = BenchmarkForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and (preview := _kept(request, project, form)):
        return redirect(preview)
    rights = get_rights(project, request.user)
    context = {
        "project": project,
        "rights": rights,
        "benchmarks": queries.get_benchmarks(project),
        "form": form,
        "waiting": previews.of_benchmarks(project).waiting(request) if Right.CURATE in rights else [],
    }
    return render(request, "curator/benchmarks.html", context)


def _kept(request: HttpRequest, project: Project, form: BenchmarkForm) -> str:
    """Keep a file and return its preview's address; nothing where it cannot be kept, which the form then says."""
    given, sent = form.cleaned_data, previews.Sent()
    try:
        previews.keep_tables(request, previews.of_benchmarks(project), given["file"], sent)
    except Refusal as refusal:
        sent.refused.append(str(refusal))
    for sentence in sent.refused:
        form.add_error("file", sentence)
    addresses = [*sent.previews, *(address for _sentence, address in sent.misread)]
    about = {name: given[name] for name in AboutBenchmarkForm.base_fields if given[name]}
    return f"{addresses[0]}?{urlencode(about)}" if addresses else ""


@require_http_methods(["GET", "POST"])
def benchmark_preview(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Show a file's first rows with what its columns seem to mean; it becomes a benchmark once confirmed."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    about = AboutBenchmarkForm(request.POST or None, initial=request.GET.dict())

    def read_in(said: previews.Confirmed) -> HttpResponse:
        report = services.confirm_upload(
            project=project,
            upload=said.upload,
            columns=said.columns,
            mapping=said.mapping,
            reading=said.reading,
            **about.cleaned_data,
        )
        done = _("%(items)s items were read; %(leaks)s overlaps with the pools were found.")
        messages.success(request, done % vars(report))
        return redirect(report.benchmark)

    return previews.look(request, previews.of_benchmarks(project), token, read_in, about)


@require_POST
def benchmark_drop(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Remove a file that nobody wants to make a benchmark of."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    return previews.drop(request, previews.of_benchmarks(project), token)


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
            "page": Paginator(queries.get_items(found), ITEMS_A_PAGE).get_page(_page_number(request)),
            "leak_counts": queries.count_leaks(found.project, found),
        }
    return render(request, "curator/benchmark.html", context)


def _page_number(request: HttpRequest) -> int | str | None:
    """Return the page that is asked for, or the one on which the item stands that is asked for by its number."""
    page, item = request.GET.get("page"), request.GET.get("item", "")
    if page is None and item.isascii() and item.isdigit() and len(item) < 10:
        return max(0, int(item) - 1) // ITEMS_A_PAGE + 1
    return page


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
        return leak_services.restore(project=project, leaks=_marked(request), by=request.user)

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
