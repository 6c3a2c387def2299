"""Selections: what was drawn, how, and for a reviewer's program its members in the order drawn; frozen to a version."""

from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Schema
from pydantic import Field

from common.access import Right
from common.api.asking import ApiRequest, editable, project_with, visible
from common.api.errors import answers
from common.api.jobs import State, WorkOut, work_of
from common.api.values import Given, PageAsked, PageOut, Text
from common.paging import Order
from curator.api.datasets import DatasetOut, dataset_said
from curator.models import Decision, Selection
from curator.queries.best import with_standing
from curator.services import datasets as services

router = Router(tags=[_("Selections")])
NEWEST = Order(is_down=True)
AS_DRAWN = Order(F("position"), read=int)


class SelectionRow(Schema):
    """A selection in a list."""

    id: int = Field(examples=[12])
    name: str = Field(examples=["first thousand"])
    method: str = Field(examples=["s1-paper"])
    size: int = Field(description=_("How many questions were wanted."), examples=[1000])
    seed: int
    arm_of: int | None = Field(description=_("The selection beside which it stands as a control."))
    state: State
    members_hash: str = Field(description=_("Of its members in the order drawn; equal for equal inputs."))
    created_at: datetime


class SelectionPage(PageOut):
    """A page of selections."""

    items: list[SelectionRow]


class Stage(Schema):
    """One stage of the funnel."""

    stage: str = Field(examples=["quality"])
    kept: int
    dropped: int


class SelectionOut(SelectionRow):
    """A selection with its method and funnel."""

    settings: dict[str, Any] = Field(description=_("The whole method, as data."))
    funnel: list[Stage]
    shortfall: str = Field(description=_("Why it has fewer members than were wanted; else empty."))
    work: WorkOut


class MemberOut(Schema):
    """A member of a selection."""

    position: int = Field(description=_("In the order drawn, from 0."))
    question: int
    trace: int = Field(
        description=_("The trace that stands for the question: chosen by an expert, or drawn.")
    )
    reason: str = Field(description=_("Why it is in."))


class MemberPage(PageOut):
    """A page of members."""

    items: list[MemberOut]


class FreezeGiven(Given):
    """A new version."""

    name: Text = Field(default="", max_length=200, description=_("Empty: the selection's, with the hash."))


@router.get(
    "/projects/{slug:slug}/selections",
    response=answers(SelectionPage),
    summary=_("List selections"),
    description=_("The selections of a project, control arms among them, newest first."),
)
def selections(request: ApiRequest, slug: str, asked: Query[PageAsked]) -> SelectionPage:
    """Return a page of selections."""
    project = project_with(request, slug, Right.SEE_MATERIAL)
    page = asked.page_of(Selection.objects.filter(project=project), NEWEST)
    return SelectionPage(items=[SelectionRow(**_said(row)) for row in page.rows], after=page.after)


def _said(selection: Selection) -> dict[str, Any]:
    plain = ("name", "size", "seed", "state", "members_hash", "created_at")
    return {
        **{name: getattr(selection, name) for name in plain},
        "id": selection.pk,
        "method": selection.method_name,
        "arm_of": selection.arm_of_id,
    }


@router.get(
    "/selections/{int:number}",
    response=answers(SelectionOut),
    summary=_("One selection"),
    description=_("Method, seed and funnel of a selection: how many questions each stage kept and left out."),
)
def selection(request: ApiRequest, number: int) -> SelectionOut:
    """Return one selection."""
    found = visible(request, Selection, pk=number)
    return SelectionOut(
        **_said(found),
        settings=found.method,
        funnel=[Stage(stage=row["stage"], kept=row["kept"], dropped=row["dropped"]) for row in found.funnel],
        shortfall=found.shortfall,
        work=work_of(found),
    )


@router.get(
    "/selections/{int:number}/members",
    response=answers(MemberPage),
    summary=_("List a selection's members"),
    description=_("In the order drawn, each with the trace that stands for it."),
)
def selection_members(request: ApiRequest, number: int, asked: Query[PageAsked]) -> MemberPage:
    """Return a page of members."""
    found = visible(request, Selection, pk=number)
    rows = Decision.objects.filter(selection=found, position__isnull=False)
    page = asked.page_of(rows, AS_DRAWN, with_standing)
    items = [
        MemberOut(position=row.position, question=row.question_id, trace=row.stands, reason=row.reason)
        for row in page.rows
    ]
    return MemberPage(items=items, after=page.after)


@router.post(
    "/selections/{int:number}/datasets",
    response=answers(DatasetOut),
    summary=_("Freeze a selection"),
    description=_(
        "Copies the members, as reviewed, into an immutable version. The same content frozen again is the version "
        "that is there."
    ),
)
def selection_freeze(request: ApiRequest, number: int, given: FreezeGiven) -> DatasetOut:
    """Freeze a selection into a dataset."""
    found = editable(request, Selection.objects.select_related("project"), pk=number)
    return dataset_said(services.freeze(selection=found, name=given.name, by=request.auth.user))
