"""The browser's way in to evaluations and results: parse, call one service, answer."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator.models import Benchmark
from evaluation import charts, services, tasks
from evaluation.forms import EvaluationForm, ItemFilterForm
from evaluation.models import Evaluation, Thought
from evaluation.queries import costs, items
from evaluation.queries import results as measured
from training.models import Model

ITEMS_A_PAGE = 50


@require_GET
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what was measured on one benchmark: the curves, the tests, the harm and the cost."""
    project = get_visible(Project, request.user, slug=slug)
    benchmarks = measured.get_measured_benchmarks(project)
    wanted = request.GET.get("benchmark", "")
    benchmark = next((row for row in benchmarks if str(row.pk) == wanted), next(iter(benchmarks), None))
    tuned = request.GET.get("model", "")
    found = (
        measured.get_results(benchmark, tuned=int(tuned) if tuned.isdecimal() else None)
        if benchmark
        else None
    )
    spent = costs.get_costs(project)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "benchmarks": benchmarks,
        "results": found,
        "figures": charts.results_figures(found) if found else {},
        "evaluations": measured.get_evaluations(project)[:ITEMS_A_PAGE],
        "costs": spent,
        "total_cost": costs.total_of(spent),
    }
    return render(request, "evaluation/results.html", context)


@require_http_methods(["GET", "POST"])
def evaluation_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a model, a benchmark and budgets, and start an evaluation."""
    project = get_editable(Project, request.user, right=Right.SPEND, slug=slug)
    initial = {"model": request.GET.get("model"), "benchmark": request.GET.get("benchmark")}
    form = EvaluationForm(request.POST or None, project=project, initial=_first_choice(project, initial))
    if form.is_valid() and (made := _start(request, form)):
        return redirect(made)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "bases_unmeasured": measured.get_unmeasured_bases(project),
        "can_start": form.fields["model"].queryset.exists() and form.fields["benchmark"].queryset.exists(),
    }
    return render(request, "evaluation/evaluation_new.html", context)


def _first_choice(project: Project, given: dict[str, str | None]) -> dict[str, Any]:
    """Return what the form begins with: what the address names, else a base and the only benchmark."""
    base = Model.objects.filter(project=project, kind=Model.Kind.BASE).first()
    benchmark = Benchmark.objects.filter(project=project, is_exam=False).first()
    return {"model": given["model"] or base, "benchmark": given["benchmark"] or benchmark}


def _start(request: HttpRequest, form: EvaluationForm) -> Evaluation | None:
    """Start the evaluation that a form asks for; a refusal becomes the form's error."""
    fields = {name: form.cleaned_data[name] for name in ("model", "benchmark", "policies")}
    try:
        made = services.start_evaluation(**fields, by=request.user)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    tasks.run_evaluation.delay_on_commit(job_id=made.pk)
    messages.success(request, _("The evaluation waits for a free worker."))
    return made


@require_GET
def evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one evaluation: its progress, its scores by policy, and its items to those who may read them."""
    related = ("project", "model__base", "benchmark", "created_by")
    found = get_visible(Evaluation.objects.select_related(*related), request.user, pk=pk)
    rights = get_rights(found.project, request.user)
    points = measured.points_of(found)
    labels = [policy["label"] for policy in found.policies]
    context = {
        "project": found.project,
        "evaluation": found,
        "job": found,
        "rights": rights,
        "points": points,
        "labels": labels,
        "figure": charts.evaluation_figure(found, points) if points else None,
        **(_items(request, found, labels) if points and Right.SEE_MATERIAL in rights else {}),
    }
    return render_page(request, "evaluation/evaluation.html", context, partial="progress")


def _items(request: HttpRequest, found: Evaluation, labels: list[str]) -> dict[str, Any]:
    """Return one page of an evaluation's items, filtered as the address asks."""
    form = ItemFilterForm(request.GET, policies=labels)
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = items.get_marked_items(found, **chosen)
    page = Paginator(rows, ITEMS_A_PAGE).get_page(request.GET.get("page"))
    lines = [(thought, {answer.policy: answer for answer in thought.answers.all()}) for thought in page]
    table = [(thought, [(label, by_policy.get(label)) for label in labels]) for thought, by_policy in lines]
    return {"filter_form": form, "page": page, "items": table}


@require_GET
def evaluation_item(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """Show one item: the question, the thinking with every cut and forced token, and each answer's mark."""
    related = ("item", "evaluation__model", "evaluation__project", "evaluation__benchmark")
    thought = get_visible(
        Thought.objects.select_related(*related), request.user, evaluation_id=pk, item__position=position
    )
    answers = items.in_order_of_policies(thought)
    before, after = items.get_neighbours(thought)
    decode = items.get_decoder(thought.evaluation.model)
    context = {
        "project": thought.evaluation.project,
        "rights": get_rights(thought.evaluation.project, request.user),
        "evaluation": thought.evaluation,
        "heading": _("Item %(number)s") % {"number": thought.item.position + 1},
        "thought": thought,
        "item": thought.item,
        "marks": measured.group_name(thought.item.marks),
        "answers": answers,
        "before": before,
        "after": after,
        "segments": items.segments(thought, {row.policy: row.cut_at for row in answers}, decode)
        if decode
        else None,
    }
    return render(request, "evaluation/evaluation_item.html", context)


@require_POST
def evaluation_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask an evaluation to stop."""
    found = get_editable(Evaluation, request.user, pk=pk)
    found.request_cancel(now=timezone.now())
    messages.info(
        request, _("The evaluation stops after its batch; the thoughts so far are kept to go on from.")
    )
    return redirect(found)


@require_POST
def evaluation_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an ended evaluation back into the queue; it goes on from the thoughts it has."""
    found = get_editable(Evaluation, request.user, pk=pk)
    if found.requeue(now=timezone.now()):
        tasks.run_evaluation.delay_on_commit(job_id=found.pk)
        messages.success(request, _("The evaluation goes on where it stopped."))
    else:
        messages.error(request, _("Only an evaluation that failed or was cancelled can go on."))
    return redirect(found)
