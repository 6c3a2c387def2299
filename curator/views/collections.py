"""Orders to teachers and solvers: what one would cost, how it goes, and what came back."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from celery import Task
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from common.access import Right, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights, get_spent_usd
from curator import charts, queries, tasks
from curator.forms import OrderForm, ProbeForm
from curator.models import Collection, Probe, Teacher, Trace, Verdict
from curator.services import collecting as services
from curator.services.ordering import allowance_of, compare_orders
from curator.views import jobs

LATEST_ANSWERS = 20


@dataclass(frozen=True)
class Ordering:
    """How a kind of model is asked from its own page."""

    form: type[forms.Form]
    start: Callable[..., Any]
    estimate: Callable[..., Any]  # of the model and what of the form changes the sum
    first: Callable[..., Any]  # of the same
    task: Task
    answers: str  # the names under which the model knows its answers and its orders
    orders: str


_ORDERINGS = {
    "teacher": Ordering(
        OrderForm,
        services.start_collection,
        services.estimate_collection,
        services.first_of_collection,
        tasks.run_collection,
        "traces",
        "collections",
    ),
    "solver": Ordering(
        ProbeForm,
        services.start_probe,
        services.estimate_probe,
        services.first_of_probe,
        tasks.run_probe,
        "attempts",
        "probes",
    ),
}


def money_left(project: Project) -> Decimal:
    """Return what of a project's money an order may still name as its limit, in whole cents."""
    left = max(Decimal(0), project.money_limit_usd - get_spent_usd(project))
    return left.quantize(Decimal("0.01"), ROUND_DOWN)


def offered(request: HttpRequest, found: Any, kind: str) -> HttpResponse | dict[str, Any]:
    """Return what a model's page shows of its orders and its answers, or the way to the order just started.

    A GET with a limit estimates; only a POST, which carries that limit, starts an order.
    """
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
            messages.success(request, _("The order is placed."))
            return redirect(order)
    return {
        **_written(getattr(found, ordering.answers).all()),
        **_priced(found, kind, form, is_confirming),
        **(compared(found) if may_compare(request, found, kind) and not is_confirming else {}),
        "form": form,
        "is_confirming": is_confirming,
        "money_left": left,
        "orders": getattr(found, ordering.orders).all()[: queries.LATEST],
    }


def _priced(found: Any, kind: str, form: forms.Form, is_confirming: bool) -> dict[str, Any]:
    """Return what an order takes, and how far its limits let it come; of a teacher, only once an order is named."""
    wanted = dict(form.cleaned_data) if is_confirming else {}
    limit = wanted.pop("max_cost_usd", None)
    if not is_confirming and kind == "teacher":
        return {}
    estimate = _ORDERINGS[kind].estimate(**{kind: found}, **wanted)
    first = _ORDERINGS[kind].first(**{kind: found}, **wanted) if is_confirming else None
    allowance = allowance_of(endpoint=found, estimate=estimate, first=first, max_cost_usd=limit)
    return {"estimate": estimate, "allowance": allowance}


def may_compare(request: HttpRequest, found: Any, kind: str) -> bool:
    """Tell whether a request wants two orders to a teacher compared, by one who may order."""
    wants = kind == "teacher" and "compare" in request.GET and bool(found.base_url)
    return wants and Right.SPEND in get_rights(found.project, request.user)


def compared(teacher: Teacher) -> dict[str, Any]:
    """Return what an order to a teacher for all questions costs, and one for what solvers miss.

    It counts over all the project's questions, so a page fetches it after it is there.
    """
    everything = services.estimate_collection(teacher=teacher)
    return {"compared": compare_orders(teacher=teacher, everything=everything)}


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
def collection_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an order rest."""
    return jobs.pause(request, Collection, pk)


@require_POST
def collection_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with an order; what was answered is not asked again."""
    return jobs.retry(request, Collection, pk, tasks.run_collection)


@require_POST
def probe_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a probe to stop."""
    return jobs.cancel(request, Probe, pk)


@require_POST
def probe_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a probe rest."""
    return jobs.pause(request, Probe, pk)


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
        "checks": queries.get_checks(found),
    }
    return render(request, "curator/trace.html", context)
