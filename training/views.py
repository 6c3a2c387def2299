"""The browser's way in to runs and models: parse, call one service, answer."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator.models import Dataset
from training import charts, queries, services, tasks
from training.core.recipe import Recipe, as_dict
from training.forms import LAYOUT_WORDS, WEIGHTING_WORDS, BaseForm, RunForm
from training.models import Model, Run

RUNS_A_PAGE = 50
STEPS_IN_TABLE = 40
RECIPE_LABELS = {
    "learning_rate": gettext_lazy("learning rate"),
    "epochs": gettext_lazy("epochs"),
    "batch_size": gettext_lazy("rows per step"),
    "rows_per_card": gettext_lazy("rows per pass"),
    "warmup_share": gettext_lazy("share of steps to warm up"),
    "adam_beta1": gettext_lazy("Adam, first beta"),
    "adam_beta2": gettext_lazy("Adam, second beta"),
    "weight_decay": gettext_lazy("weight decay"),
    "max_grad_norm": gettext_lazy("largest gradient norm"),
    "max_length": gettext_lazy("longest row (tokens)"),
    "precision": gettext_lazy("precision"),
    "gradient_checkpointing": gettext_lazy("gradient checkpointing"),
    "zero3": gettext_lazy("sharded over cards (ZeRO-3)"),
    "loss_weighting": gettext_lazy("what a step's loss is the mean of"),
    "layout": gettext_lazy("how a step's rows are laid out on the cards"),
    "sequence_parallel": gettext_lazy("cards that share a pack"),
    "markup": gettext_lazy("markup"),
    "seed": gettext_lazy("seed"),
}


@require_GET
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's runs and what can be fine-tuned next."""
    project = get_visible(Project, request.user, slug=slug)
    rights = get_rights(project, request.user)
    page = Paginator(queries.get_runs(project), RUNS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "page": page,
        "rights": rights,
        "any_active": any(row.is_active for row in page),
        "datasets": Dataset.objects.filter(project=project) if Right.SEE_MATERIAL in rights else [],
    }
    return render_page(request, "training/runs.html", context, partial="list")


@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one run: its loss so far, its recipe, the end of its log, and what came of it."""
    found = get_visible(Run.objects.select_related("project", "dataset", "created_by"), request.user, pk=pk)
    rights = get_rights(found.project, request.user)
    steps = queries.get_steps(found)
    context = {
        "project": found.project,
        "run": found,
        "job": found,
        "rights": rights,
        "steps": steps,
        "few_steps": queries.thinned(steps, most=STEPS_IN_TABLE),
        "figure": charts.loss_figure(steps),
        "log": queries.get_log_tail(found) if Right.SEE_MATERIAL in rights else "",
        "model": queries.get_trained_model(found),
        "base": queries.get_base(found),
        "recipe": _recipe_lines(found),
    }
    return render_page(request, "training/run.html", context, partial="progress")


def _recipe_lines(found: Run) -> list[tuple[Any, Any]]:
    """Return a run's recipe in the order of the labels, with what has none behind."""
    names = [*RECIPE_LABELS, *(found.recipe.keys() - RECIPE_LABELS.keys())]
    return [
        (RECIPE_LABELS.get(name, name), _shown(found.recipe[name])) for name in names if name in found.recipe
    ]


def _shown(value: Any) -> Any:
    """Return a recipe's value as a person reads it."""
    if isinstance(value, bool):
        return {True: _("yes"), False: _("no")}[value]
    return dict((*WEIGHTING_WORDS, *LAYOUT_WORDS)).get(value, value)


@require_http_methods(["GET", "POST"])
def run_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a fine-tune would take, and start it once that was confirmed.

    A GET with values estimates; only a POST starts anything.
    """
    dataset = get_editable(Dataset.objects.select_related("project"), request.user, right=Right.SPEND, pk=pk)
    given = request.POST if request.method == "POST" else request.GET if "recipe" in request.GET else None
    base = Model.objects.filter(project=dataset.project, kind=Model.Kind.BASE).first()
    initial = {"base": base, "recipe": "tiny-cpu" if base and base.markup == "bare" else "s1"}
    form = RunForm(given, project=dataset.project, initial=initial)
    if request.method == "POST" and form.is_valid() and (made := _start(request, dataset, form)):
        return redirect(made)
    estimate = (
        queries.get_estimate(dataset, form.cleaned_data["base"], form.made) if form.is_valid() else None
    )
    context = {
        "project": dataset.project,
        "rights": get_rights(dataset.project, request.user),
        "dataset": dataset,
        "form": form,
        "base": base,
        "estimate": estimate,
        "address": _without(given, "csrfmiddlewaretoken") if given else "",
        "base_is_measured": estimate is not None and queries.is_measured(form.cleaned_data["base"]),
    }
    return render_page(request, "training/run_new.html", context, partial="estimate")


@require_GET
def run_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a base model would learn of a dataset, token by token; with `check` what was found of all rows."""
    rows = Dataset.objects.select_related("project")
    dataset = get_editable(rows, request.user, right=Right.SPEND, pk=pk)
    form = RunForm(request.GET, project=dataset.project)
    context = {
        "project": dataset.project,
        "rights": get_rights(dataset.project, request.user),
        "dataset": dataset,
        "form": form,
        "asked": request.GET.get("row", ""),
        "address": _without(request.GET, "row", "whole", "check"),
    }
    if form.is_valid():
        base, recipe = form.cleaned_data["base"], form.made
        context |= {"base": base, "recipe": recipe}
        try:
            context |= _taught(request, dataset, base, recipe)
        except Refusal as refusal:
            context["refused"] = str(refusal)
    return render_page(request, "training/rows.html", context, partial="checked")


def _taught(request: HttpRequest, dataset: Dataset, base: Model, recipe: Recipe) -> dict[str, Any]:
    """Return the row that is asked for by its number; with `check` what was found of all, and three of them."""
    asked, is_whole = request.GET.get("row", ""), "whole" in request.GET
    if asked.isdecimal():
        return {
            "lessons": queries.get_lessons(dataset, base, recipe, [int(asked[:9]) - 1], is_whole=is_whole)
        }
    if "check" not in request.GET:
        return {"waits": True}
    checked = queries.check_dataset(dataset, base, recipe)
    return {"checked": checked, "lessons": queries.get_lessons(dataset, base, recipe, checked.landmarks)}


def _without(given: QueryDict, *names: str) -> str:
    kept = given.copy()
    for name in names:
        kept.pop(name, None)
    return kept.urlencode()


def _start(request: HttpRequest, dataset: Dataset, form: RunForm) -> Run | None:
    """Start the run that a form asks for; a refusal becomes the form's error."""
    try:
        made = services.start_run(
            dataset=dataset,
            base=form.cleaned_data["base"],
            recipe=as_dict(form.made),
            name=form.cleaned_data["name"],
            by=request.user,
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    tasks.run_training.delay_on_commit(job_id=made.pk)
    messages.success(request, _("The fine-tune waits for a free worker."))
    return made


@require_POST
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a run to stop."""
    found = get_editable(Run, request.user, pk=pk)
    found.request_cancel(now=timezone.now())
    messages.info(
        request, _("The run stops at the end of its step; what it has learnt so far is kept to go on from.")
    )
    return redirect(found)


@require_POST
def run_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an ended run back into the queue; it goes on from its last complete state."""
    found = get_editable(Run, request.user, pk=pk)
    if found.requeue(now=timezone.now()):
        tasks.run_training.delay_on_commit(job_id=found.pk)
        messages.success(request, _("The run goes on where it stopped."))
    else:
        messages.error(request, _("Only a run that failed or was cancelled can go on."))
    return redirect(found)


@require_http_methods(["GET", "POST"])
def models(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's models and register a base."""
    posted = request.method == "POST"
    project = (
        get_editable(Project, request.user, right=Right.SPEND, slug=slug)
        if posted
        else get_visible(Project, request.user, slug=slug)
    )
    form = BaseForm(request.POST if posted else None, initial={"markup": "qwen2.5"})
    if posted and form.is_valid():
        try:
            services.register_base(project=project, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The base model is registered; evaluate it before you tune it."))
            return redirect("models", slug=slug)
    context = {
        "project": project,
        "models": queries.get_models(project),
        "rights": get_rights(project, request.user),
        "form": form,
    }
    return render(request, "training/models.html", context)
