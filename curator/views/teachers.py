"""Models of a project and what they are asked: who they are, what an order would cost, how it goes."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from celery import Task
from django import forms
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
from curator.models import (
    Assistant,
    Collection,
    Embedder,
    Endpoint,
    Probe,
    Solver,
    Teacher,
    Trace,
    Verdict,
)
from curator.services import teachers as services
from curator.services.traces import import_traces
from curator.views import jobs

LATEST_ANSWERS = 20
KINDS: dict[str, type[Endpoint]] = {
    "teacher": Teacher,
    "solver": Solver,
    "assistant": Assistant,
    "embedder": Embedder,
}


@dataclass(frozen=True)
class Ordering:
    """How a kind of model is asked from its own page."""

    form: type[forms.Form]
    start: Callable[..., Any]
    estimate: Callable[..., Any]  # of the model and what of the form changes the sum
    task: Task
    answers: str  # the names under which the model knows its answers and its orders
    orders: str


_ORDERINGS = {
    "teacher": Ordering(
        OrderForm,
        services.start_collection,
        services.estimate_collection,
        tasks.run_collection,
        "traces",
        "collections",
    ),
    "solver": Ordering(
        ProbeForm, services.start_probe, services.estimate_probe, tasks.run_probe, "attempts", "probes"
    ),
}


@require_GET
def teachers(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's models with what they have done, and their latest orders."""
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
        "assistants": queries.get_assistants(project),
        "embedders": queries.get_embedders(project),
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
def endpoint_new(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Make a model known."""
    project = get_editable(Project, request.user, right=Right.SPEND, slug=slug)
    form = EndpointForm(request.POST or None, kind=KINDS[kind])
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_endpoint(kind=KINDS[kind], project=project, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("%(name)s is known now. Nothing was asked yet.") % {"name": made.name}
            )
            return redirect(made)
    return _endpoint_form(request, project, form, kind)


@require_http_methods(["GET", "POST"])
def endpoint_edit(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Change how a model is reached and what it costs."""
    rows = KINDS[kind]._default_manager.select_related("project")
    found: Any = get_editable(rows, request.user, pk=pk)
    form = EndpointForm(request.POST or None, kind=KINDS[kind], endpoint=found)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_endpoint(endpoint=found, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s is changed.") % {"name": found.name})
            return redirect(found)
    return _endpoint_form(request, found.project, form, kind, found)


def _endpoint_form(
    request: HttpRequest, project: Project, form: EndpointForm, kind: str, endpoint: Any = None
) -> HttpResponse:
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "kind": kind,
        "endpoint": endpoint,
        "is_used": endpoint is not None and services.is_used(endpoint),
        "remove_url_name": f"{kind}_remove",
    }
    return render(request, "curator/endpoint_new.html", context)


@require_POST
def endpoint_remove(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Forget a model that was never asked."""
    found: Any = get_editable(KINDS[kind]._default_manager.select_related("project"), request.user, pk=pk)
    try:
        services.remove_endpoint(endpoint=found)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    messages.success(request, _("%(name)s is removed.") % {"name": found.name})
    return redirect("teachers", slug=found.project.slug)


def money_left(project: Project) -> Decimal:
    """Return what of a project's money an order may still name as its limit, in whole cents."""
    left = max(Decimal(0), project.money_limit_usd - get_spent_usd(project))
    return left.quantize(Decimal("0.01"), ROUND_DOWN)


@require_http_methods(["GET", "POST"])
def endpoint(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Show a teacher or a solver and what it wrote, and what an order to it would cost.

    A GET with a limit estimates; only a POST, which carries that limit, starts an order.
    """
    get = get_editable if request.method == "POST" else get_visible
    found: Any = get(KINDS[kind]._default_manager.select_related("project"), request.user, pk=pk)
    ordering, left = _ORDERINGS[kind], money_left(found.project)
    given = request.POST or (request.GET if "max_cost_usd" in request.GET else None)
    form = ordering.form(given, initial={"max_cost_usd": left})
    is_confirming = form.is_bound and form.is_valid()
    if request.method == "POST" and is_confirming:
        try:
            order = ordering.start(**{kind: found}, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            ordering.task.delay_on_commit(job_id=order.pk)
            messages.success(request, _("The order waits for a free worker."))
            return redirect(order)
    wanted = dict(form.cleaned_data) if is_confirming else {}
    wanted.pop("max_cost_usd", None)
    context = {
        **_facts(request, found, kind),
        **_written(getattr(found, ordering.answers).all()),
        "form": form,
        "estimate": ordering.estimate(**{kind: found}, **wanted),
        "is_confirming": is_confirming,
        "money_left": left,
        "orders": getattr(found, ordering.orders).all()[: queries.LATEST],
    }
    return render(request, "curator/endpoint.html", context)


@require_GET
def assistant(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an assistant, and what it has graded and sorted."""
    found = get_visible(Assistant.objects.select_related("project"), request.user, pk=pk)
    context = {**_facts(request, found, "assistant"), "orders": queries.get_assisting(found)}
    return render(request, "curator/endpoint.html", context)


@require_GET
def embedder(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an embedding model, and how many questions it has turned into vectors."""
    found = get_visible(Embedder.objects.select_related("project"), request.user, pk=pk)
    context = {**_facts(request, found, "embedder"), "embedded": found.embeddings.count()}
    return render(request, "curator/endpoint.html", context)


def _facts(request: HttpRequest, found: Any, kind: str) -> dict[str, Any]:
    return {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "endpoint": found,
        "kind": kind,
        "edit_url_name": f"{kind}_edit",
        "is_teacher": kind == "teacher",
    }


def _written(answers: Any) -> dict[str, Any]:
    """Return verdicts and lengths of what a teacher or solver wrote, and its latest answers."""
    verdicts, (answered, mean_tokens) = _verdicts(answers), queries.get_mean_thinking(answers)
    return {
        "answered": answered,
        "mean_tokens": mean_tokens,
        "verdicts": verdicts,
        "verdicts_figure": charts.verdicts_figure(verdicts),
        "latest": _latest(answers),
    }


def _verdicts(answers: Any) -> list[tuple[str, str, int]]:
    words = dict(Verdict.choices)
    return [(verdict, str(words[verdict]), count) for verdict, count in queries.get_verdicts(answers)]


def _latest(answers: Any) -> Any:
    return answers.select_related("question").defer("thinking").order_by("-pk")[:LATEST_ANSWERS]


@require_GET
def collection(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an order to a teacher goes, and its latest traces."""
    related = ("project", "teacher", "created_by")
    found = get_visible(Collection.objects.select_related(*related), request.user, pk=pk)
    return _order(request, found, found.teacher, found.traces.all())


@require_GET
def probe(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an order to a solver goes, and its latest tries."""
    related = ("project", "solver", "created_by")
    found = get_visible(Probe.objects.select_related(*related), request.user, pk=pk)
    return _order(request, found, found.solver, found.attempts.all())


def _order(request: HttpRequest, found: Any, endpoint: Any, answers: Any) -> HttpResponse:
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "endpoint": endpoint,
        "is_teacher": isinstance(endpoint, Teacher),
        "verdicts": _verdicts(answers),
        "latest": _latest(answers),
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
