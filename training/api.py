"""Programs' way in to runs: how far they are, and their stop. Nothing that costs money starts here."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Schema
from pydantic import Field

from common.access import Right
from common.api.asking import ApiRequest, editable, project_with, visible
from common.api.errors import answers
from common.api.jobs import State, WorkOut, stop, work_of
from common.api.values import PageAsked, PageOut, finite
from common.paging import Order
from training import queries
from training.models import Run

router = Router(tags=[_("Runs")])
NEWEST = Order(is_down=True)


class RunRow(Schema):
    """A run in a list."""

    id: int = Field(examples=[5])
    name: str = Field(examples=["Qwen2.5-32B + first thousand"])
    dataset: int
    base: str = Field(description=_("The base model."))
    recipe_name: str = Field(examples=["s1"])
    backend: str = Field(examples=["local"])
    state: State
    steps: int
    final_loss: float | None
    created_at: datetime


class RunPage(PageOut):
    """A page of runs."""

    items: list[RunRow]


class StepOut(Schema):
    """One optimiser step."""

    step: int
    loss: float | None = Field(description=_("Null where it is no number any more."))
    learning_rate: float | None


class RunOut(RunRow):
    """A run with its recipe and how far it is."""

    recipe: dict[str, Any] = Field(description=_("The whole recipe, as used."))
    work: WorkOut
    tokens: int
    model: int | None = Field(description=_("The model that came of it."))
    reported_steps: list[StepOut] = Field(
        description=_("The steps so far; of a long run about 600 evenly taken ones, always with the last.")
    )


@router.get(
    "/projects/{slug:slug}/runs",
    response=answers(RunPage),
    summary=_("List runs"),
    description=_("The fine-tunes of a project, newest first."),
)
def runs(request: ApiRequest, slug: str, asked: Query[PageAsked]) -> RunPage:
    """Return a page of runs."""
    project = project_with(request, slug, Right.SEE_RESULTS)
    page = asked.page_of(Run.objects.filter(project=project), NEWEST)
    return RunPage(items=[RunRow(**_said(row)) for row in page.rows], after=page.after)


def _said(run: Run) -> dict[str, Any]:
    plain = ("name", "base", "recipe_name", "backend", "state", "steps", "created_at")
    return {
        **{name: getattr(run, name) for name in plain},
        "id": run.pk,
        "dataset": run.dataset_id,
        "final_loss": finite(run.final_loss),
    }


@router.get(
    "/runs/{int:number}",
    response=answers(RunOut),
    summary=_("One run"),
    description=_(
        "How far a run is, its recipe and its loss so far. Ask again every few seconds, not faster."
    ),
)
def run(request: ApiRequest, number: int) -> RunOut:
    """Return one run."""
    return _whole(visible(request, Run, pk=number))


def _whole(found: Run) -> RunOut:
    model = queries.get_trained_model(found)
    steps = [
        StepOut(step=each.step, loss=finite(each.loss), learning_rate=finite(each.learning_rate))
        for each in queries.get_steps(found)
    ]
    return RunOut(
        **_said(found),
        recipe=found.recipe,
        work=work_of(found),
        tokens=found.tokens,
        model=model.pk if model else None,
        reported_steps=steps,
    )


@router.post(
    "/runs/{int:number}/stop",
    response=answers(RunOut),
    summary=_("Stop a run"),
    description=_(
        "It ends after its step and can go on from there on its page. An ended run stays as it is."
    ),
)
def run_stop(request: ApiRequest, number: int) -> RunOut:
    """Ask a run to stop."""
    found = editable(request, Run, pk=number)
    stop(found)
    return _whole(found)
