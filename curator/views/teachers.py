"""Teachers and solvers: who they are, what an order would cost, how it goes, and what they wrote."""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights, get_spent_usd
from curator import charts, queries, tasks
from curator.forms import EndpointForm, OrderForm, ProbeForm, TraceFileForm
from curator.models import Attempt, Collection, Probe, Solver, Teacher, Trace, Verdict
from curator.services import teachers as services
from curator.services.traces import import_traces
from curator.views import jobs

LATEST_ANSWERS = 20


@require_GET
def teachers(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's teachers and solvers with what they have answered, and their latest orders."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    return render_page(
        request, "curator/teachers.html", _teachers(request, project, TraceFileForm()), partial="orders"
    )


def _teachers(request: HttpRequest, project: Project, form: TraceFileForm) -> dict[str, Any]:
    orders = queries.get_orders(project)
    return {
        "project": project,
        "rights": get_rights(project, request.user),
        "teachers": queries.get_teachers(project),
        "solvers": queries.get_solvers(project),
        "orders": orders,
        "any_active": any(order.is_active for order in orders),
        "form": form,
    }


@require_POST
def traces_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Store traces that were made elsewhere."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    form = TraceFileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            report = import_traces(
                project=project,
                teacher_name=form.cleaned_data["teacher_name"],
                path=Path(file.temporary_file_path()),
                file_name=file.name,
            )
        except Refusal as refusal:
            form.add_error("file", str(refusal))
        else:
            messages.success(
                request,
                _(
                    "%(read)s read: %(stored)s stored, %(duplicates)s there already, "
                    "%(unmatched)s match no question, %(failed)s hold nothing."
                )
                % vars(report),
            )
            return redirect("teachers", slug=slug)
    return render(request, "curator/teachers.html", _teachers(request, project, form))


@require_http_methods(["GET", "POST"])
def teacher_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a teacher known."""
    return _endpoint_new(request, slug, services.create_teacher, "teacher")


@require_http_methods(["GET", "POST"])
def solver_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a solver known."""
    return _endpoint_new(request, slug, services.create_solver, "solver")


def _endpoint_new(request: HttpRequest, slug: str, create: Callable[..., Any], kind: str) -> HttpResponse:
    project = get_editable(Project, request.user, right=Right.SPEND, slug=slug)
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create(project=project, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("%(name)s is known now. Nothing was asked yet.") % {"name": made.name}
            )
            return redirect(kind, pk=made.pk)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "is_teacher": kind == "teacher",
    }
    return render(request, "curator/endpoint_new.html", context)


def _money_left(project: Project) -> Decimal:
    left = max(Decimal(0), project.money_limit_usd - get_spent_usd(project))
    return left.quantize(Decimal("0.01"), ROUND_DOWN)


@require_http_methods(["GET", "POST"])
def teacher(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a teacher and its traces, and what an order to it would cost.

    A GET with a limit estimates; only a POST, which carries that limit, starts an order.
    """
    get = get_editable if request.method == "POST" else get_visible
    found = get(Teacher.objects.select_related("project"), request.user, pk=pk)
    left = _money_left(found.project)
    given = request.POST or (request.GET if "max_cost_usd" in request.GET else None)
    form = OrderForm(given, initial={"max_cost_usd": left})
    if request.method == "POST" and form.is_valid():
        try:
            order = services.start_collection(teacher=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            tasks.run_collection.delay_on_commit(job_id=order.pk)
            messages.success(request, _("The order waits for a free worker."))
            return redirect(order)
    limit = form.cleaned_data.get("question_limit") if form.is_bound and form.is_valid() else None
    traces = Trace.objects.filter(teacher=found)
    context = {
        **_endpoint(request, found, traces, form),
        "is_teacher": True,
        "estimate": services.estimate_collection(teacher=found, question_limit=limit),
        "is_confirming": form.is_bound and form.is_valid(),
        "money_left": left,
        "orders": found.collections.all()[: queries.LATEST],
    }
    return render(request, "curator/endpoint.html", context)


@require_http_methods(["GET", "POST"])
def solver(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a solver and its tries, and what an order to it would take; as `teacher`."""
    get = get_editable if request.method == "POST" else get_visible
    found = get(Solver.objects.select_related("project"), request.user, pk=pk)
    left = _money_left(found.project)
    given = request.POST or (request.GET if "max_cost_usd" in request.GET else None)
    form = ProbeForm(given, initial={"max_cost_usd": left})
    if request.method == "POST" and form.is_valid():
        try:
            order = services.start_probe(solver=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            tasks.run_probe.delay_on_commit(job_id=order.pk)
            messages.success(request, _("The order waits for a free worker."))
            return redirect(order)
    samples = form.cleaned_data["samples"] if form.is_bound and form.is_valid() else 1
    context = {
        **_endpoint(request, found, Attempt.objects.filter(solver=found), form),
        "is_teacher": False,
        "tries": samples * services.unattempted(found, samples).count(),
        "is_confirming": form.is_bound and form.is_valid(),
        "money_left": left,
        "orders": found.probes.all()[: queries.LATEST],
    }
    return render(request, "curator/endpoint.html", context)


def _endpoint(request: HttpRequest, found: Any, answers: Any, form: Any) -> dict[str, Any]:
    """Return what the pages of teachers and solvers share: facts, verdicts and lengths."""
    words = dict(Verdict.choices)
    verdicts = [(verdict, str(words[verdict]), count) for verdict, count in queries.get_verdicts(answers)]
    lengths = queries.get_lengths(answers)
    return {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "endpoint": found,
        "form": form,
        "answered": len(lengths),
        "mean_tokens": sum(lengths) / len(lengths) if lengths else None,
        "verdicts": verdicts,
        "verdicts_figure": charts.verdicts_figure(verdicts),
        "latest": answers.select_related("question").defer("thinking").order_by("-pk")[:LATEST_ANSWERS],
    }


@require_GET
def collection(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an order to a teacher goes, and its latest traces."""
    related = ("project", "teacher", "created_by")
    found = get_visible(Collection.objects.select_related(*related), request.user, pk=pk)
    return _order(request, found, found.teacher, found.traces)


@require_GET
def probe(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an order to a solver goes, and its latest tries."""
    related = ("project", "solver", "created_by")
    found = get_visible(Probe.objects.select_related(*related), request.user, pk=pk)
    return _order(request, found, found.solver, found.attempts)


def _order(request: HttpRequest, found: Any, endpoint: Any, answers: Any) -> HttpResponse:
    words = dict(Verdict.choices)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "endpoint": endpoint,
        "is_teacher": isinstance(endpoint, Teacher),
        "verdicts": [
            (verdict, str(words[verdict]), count) for verdict, count in queries.get_verdicts(answers.all())
        ],
        "latest": answers.select_related("question").defer("thinking").order_by("-pk")[:LATEST_ANSWERS],
    }
    return render_page(request, "curator/order.html", context, partial="progress")


@require_POST
def collection_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask an order to stop; answers that are on their way are stored."""
    return jobs.cancel(request, Collection, pk)


@require_POST
def collection_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with an order; what was answered is not asked again."""
    return jobs.retry(request, Collection, pk, tasks.run_collection)


@require_POST
def probe_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a probe to stop."""
    return jobs.cancel(request, Probe, pk)


@require_POST
def probe_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a probe."""
    return jobs.retry(request, Probe, pk, tasks.run_probe)


@require_GET
def trace(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one trace with its question, its verdict, the signs of bad quality, and its judgements."""
    related = (
        "question__project",
        "question__pool",
        "question__domain",
        "teacher",
        "adjudication__decided_by",
    )
    found = get_visible(Trace.objects.select_related(*related), request.user, pk=pk)
    reviews = list(queries.get_reviews(found))
    context = {
        "project": found.question.project,
        "rights": get_rights(found.question.project, request.user),
        "trace": found,
        "question": found.question,
        "flaws": queries.flaws_of(found),
        "reviews": reviews,
        "disputed": len({review.judgement for review in reviews}) > 1,
        "adjudication": getattr(found, "adjudication", None),
    }
    return render(request, "curator/trace.html", context)
