"""Programs' way in to evaluations: what was measured, and their stop. Nothing that costs money starts here."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Schema
from pydantic import Field

from common.access import Right
from common.api.asking import ApiRequest, editable, project_with, visible
from common.api.errors import answers
from common.api.jobs import State, WorkOut, stop, work_of
from common.api.values import Key, PageAsked, PageOut
from common.paging import Order
from evaluation.models import Evaluation
from evaluation.queries import results

router = Router(tags=[_("Evaluations")])
NEWEST = Order(is_down=True)


class EvaluationsAsked(PageAsked):
    """Which evaluations."""

    model: Key | None = Field(default=None, description=_("Number of a model."))
    benchmark: Key | None = Field(default=None, description=_("Number of a benchmark."))


class EvaluationRow(Schema):
    """An evaluation in a list."""

    id: int = Field(examples=[9])
    model: int
    model_name: str
    benchmark: int
    benchmark_name: str
    state: State
    generated_tokens: int
    created_at: datetime


class EvaluationPage(PageOut):
    """A page of evaluations."""

    items: list[EvaluationRow]


class ScoreOut(Schema):
    """What one budget policy led to."""

    policy: str = Field(examples=["1024"])
    budget: int = Field(description=_("Thinking tokens at most."))
    extensions: int = Field(description=_("How many times “Wait” was put in where the model wanted to stop."))
    accuracy: float = Field(description=_("Share of right answers, from 0 to 1."))
    low: float = Field(description=_("Lower end of its interval (Wilson, 95 %)."))
    high: float = Field(description=_("Upper end of its interval."))
    items: int
    score: float = Field(description=_("Share of all marks that was earned, from 0 to 1."))
    thinking_tokens: float = Field(description=_("Mean per item."))
    forced_ends: int = Field(description=_("How many thoughts the budget ended, and not the model."))
    outcomes: dict[str, int] = Field(examples=[{"right": 61, "wrong": 37, "unparsed": 2}])


class EvaluationOut(EvaluationRow):
    """An evaluation with its scores."""

    policies: list[dict[str, Any]]
    engine: dict[str, Any] = Field(description=_("Name, versions and number format of what generated."))
    work: WorkOut
    scores: list[ScoreOut] = Field(description=_("One for each policy, once it is done."))


@router.get(
    "/projects/{slug:slug}/evaluations",
    response=answers(EvaluationPage),
    summary=_("List evaluations"),
    description=_("The evaluations of a project, newest first."),
)
def evaluations(request: ApiRequest, slug: str, asked: Query[EvaluationsAsked]) -> EvaluationPage:
    """Return a page of evaluations."""
    project = project_with(request, slug, Right.SEE_RESULTS)
    chosen = {name: key for name in ("model", "benchmark") if (key := getattr(asked, name))}
    rows = results.get_evaluations(project).filter(**chosen)
    page = asked.page_of(rows, NEWEST, lambda found: found.select_related("model", "benchmark"))
    return EvaluationPage(items=[EvaluationRow(**_said(row)) for row in page.rows], after=page.after)


def _said(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": evaluation.pk,
        "model": evaluation.model_id,
        "model_name": evaluation.model.name,
        "benchmark": evaluation.benchmark_id,
        "benchmark_name": evaluation.benchmark.name,
        "state": evaluation.state,
        "generated_tokens": evaluation.generated_tokens,
        "created_at": evaluation.created_at,
    }


@router.get(
    "/evaluations/{int:number}",
    response=answers(EvaluationOut),
    summary=_("One evaluation"),
    description=_("How far it is, and its scores with intervals by budget policy."),
)
def evaluation(request: ApiRequest, number: int) -> EvaluationOut:
    """Return one evaluation."""
    return _whole(visible(request, Evaluation.objects.select_related("model", "benchmark"), pk=number))


def _whole(found: Evaluation) -> EvaluationOut:
    names = ScoreOut.model_fields
    scores = [
        ScoreOut(**{name: getattr(point, name) for name in names}) for point in results.points_of(found)
    ]
    return EvaluationOut(
        **_said(found),
        policies=found.policies,
        engine=found.engine,
        work=work_of(found),
        scores=scores,
    )


@router.post(
    "/evaluations/{int:number}/stop",
    response=answers(EvaluationOut),
    summary=_("Stop an evaluation"),
    description=_("It ends after its batch and can go on from there on its page."),
)
def evaluation_stop(request: ApiRequest, number: int) -> EvaluationOut:
    """Ask an evaluation to stop."""
    found = editable(request, Evaluation.objects.select_related("model", "benchmark"), pk=number)
    stop(found)
    return _whole(found)
