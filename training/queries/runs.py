"""Reads for the pages: runs and their steps, models, and the end of a program's log."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Count, F, Func, IntegerField, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from common.jobs import JobState
from common.models import Project
from curator.models import Dataset, DatasetRow
from training.core.plan import Plan, plan_for_32b
from training.core.recipe import Recipe
from training.models import Model, Run, RunStep

LOG_BYTES = 16_384
LOG_LINES = 40
MOST_POINTS = 600
BYTES_PER_TOKEN = 3.5  # of UTF-8: an English token has about 4, a Chinese character 3


def get_runs(project: Project) -> "QuerySet[Run]":
    """Return a project's runs, newest first, with what their rows show."""
    return Run.objects.filter(project=project).select_related("dataset", "model")


def get_models(project: Project) -> "QuerySet[Model]":
    """Return a project's models with their base, run and number of ended evaluations; bases come first."""
    ended = Count("evaluations", filter=Q(evaluations__state=JobState.SUCCEEDED))
    rows = Model.objects.filter(project=project).select_related("base", "run__dataset")
    counted: QuerySet[Model] = rows.annotate(measured=ended).order_by("kind", "name")
    return counted


@dataclass(frozen=True)
class StepPoint:
    """One reported optimiser step."""

    step: int
    loss: float
    learning_rate: float


def get_steps(run: Run) -> list[StepPoint]:
    """Return a run's reported steps in order; of a long run evenly thinned ones, always with the last."""
    rows = RunStep.objects.filter(run=run).order_by("step").values_list("step", "loss", "learning_rate")
    return thinned([StepPoint(*row) for row in rows], most=MOST_POINTS)


def thinned(points: Sequence[StepPoint], *, most: int) -> list[StepPoint]:
    """Return about `most` points, evenly taken, the last always among them."""
    stride = -(-len(points) // most) or 1
    kept = list(points[::stride])
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]


def get_log_tail(run: Run) -> str:
    """Return the last lines that a run's program wrote; nothing before it started."""
    path = Path(run.folder) / "log.txt" if run.folder else None
    if path is None or not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    # A progress bar rewrites its line with carriage returns; what stood last is what counts.
    lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").rstrip("\r\n").split("\n")]
    return "\n".join(lines[-LOG_LINES:])


def get_base(run: Run) -> Model | None:
    """Return the base model that a run started from, while its project still knows it."""
    return Model.objects.filter(project=run.project_id, kind=Model.Kind.BASE, location=run.base).first()


def is_measured(model: Model) -> bool:
    """Return whether an evaluation of this model has ended well."""
    return Model.objects.filter(pk=model.pk, evaluations__state=JobState.SUCCEEDED).exists()


def get_trained_model(run: Run) -> Model | None:
    """Return the model that came of a run, once there is one."""
    return Model.objects.filter(run=run).select_related("base").first()


@dataclass(frozen=True)
class Estimate:
    """What a run would take, before it is started.

    `plan` is for a 32B model on 16 H100, at the pace of s1's own run. `seconds_here` is for this base
    on this machine, at the pace of `measured`, the last run of that base; both None before the first.
    """

    plan: Plan
    seconds_here: float | None
    measured: Run | None
    too_long: int  # rows that are probably over the recipe's longest row

    @property
    def seconds_32b(self) -> float:
        """Return the plan's time in seconds."""
        return 3600 * self.plan.hours


def get_estimate(dataset: Dataset, base: Model, recipe: Recipe) -> Estimate:
    """Return what a fine-tune would take; tokens are estimated from the bytes of the texts."""
    row_tokens = [round(size / BYTES_PER_TOKEN) for size in _row_bytes(dataset)]
    plan = plan_for_32b(row_tokens, recipe)
    measured = Run.objects.filter(
        base=base.location, state=JobState.SUCCEEDED, tokens__gt=0, project=dataset.project
    )
    last = measured.order_by("-finished_at").first()
    pace = last.tokens / last.seconds_taken if last and last.seconds_taken else None
    return Estimate(
        plan=plan,
        seconds_here=plan.tokens / pace if pace else None,
        measured=last,
        too_long=sum(tokens > recipe.max_length for tokens in row_tokens),
    )


def _row_bytes(dataset: Dataset) -> list[int]:
    """Return the bytes of each row's question, thinking and answer in order, without loading the texts."""

    def size(key: str) -> Func:
        return Func(KeyTextTransform(key, "content"), function="octet_length", output_field=IntegerField())

    rows = DatasetRow.objects.filter(dataset=dataset).annotate(
        question_bytes=size("question"), thinking_bytes=size("thinking"), answer_bytes=size("answer")
    )
    total = F("question_bytes") + F("thinking_bytes") + F("answer_bytes")
    return list(rows.order_by("position").values_list(total, flat=True))
