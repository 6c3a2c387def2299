"""Reviews: a member's own word on a trace, undone, decided; what colleagues say comes after one's own word."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from common.access import Right
from common.api.asking import ApiRequest, editable, project_with
from common.api.errors import answers
from common.api.values import Given, Key, PageAsked, PageOut, Text
from common.core.refusal import Conflict
from common.paging import Order
from curator.models import Adjudication, Review, Selection, Trace
from curator.queries.lists import get_project_reviews
from curator.services import reviews as services

router = Router(tags=[_("Reviews")])
BY_KEY = Order()
LONGEST_NOTE = 5_000  # characters
LARGEST = 2**31 - 1
Judgement = Literal["accept", "reject", "question", "unsure"]
Code = Annotated[Text, Field(min_length=1, max_length=40)]
Note = Annotated[Text, Field(max_length=LONGEST_NOTE)]


class ReviewsAsked(PageAsked):
    """Which judgements."""

    trace: Key | None = None
    selection: Key | None = Field(
        default=None, description=_("Only of the traces that stand for its members.")
    )
    judgement: Judgement | None = None
    mine: bool = Field(default=False, description=_("Only your own."))


class ReviewOut(Schema):
    """One member's judgement of one trace."""

    trace: int = Field(examples=[311])
    reviewer: str = Field(examples=["lin@school.example"])
    judgement: Judgement
    note: str
    reasons: list[str] = Field(description=_("Codes of the project's reasons."), examples=[["wrong-step"]])
    first_wrong: int | None = Field(
        description=_("Where the first wrong step begins, in characters of the thinking.")
    )
    scores: dict[str, int] = Field(
        description=_("By the code of the project's scales."), examples=[{"clarity": 4}]
    )
    is_scripted: bool = Field(description=_("A program stood in for the expert."))
    version: int = Field(description=_("Goes up by one at every change; send it as “seen” with the next."))
    is_current: bool = Field(description=_("The trace still says what was judged."))
    changed_at: datetime


class ReviewPage(PageOut):
    """A page of judgements."""

    items: list[ReviewOut]


class JudgementGiven(Given):
    """A word on a trace."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "judgement": "reject",
                    "seen": 0,
                    "note": "…",
                    "reasons": ["wrong-step"],
                    "is_scripted": False,
                }
            ]
        }
    )

    judgement: Judgement
    seen: int = Field(
        ge=0,
        le=LARGEST,
        description=_("“version” of your own word that you know of, 0 for none; another one is refused."),
    )
    note: Note = ""
    reasons: list[Code] = Field(default=[], max_length=50)
    first_wrong: int | None = Field(default=None, ge=0, le=LARGEST)
    scores: dict[Code, int] = Field(default={}, max_length=50)
    seconds: int | None = Field(default=None, ge=0, le=86_400, description=_("For how long it was read."))
    is_scripted: bool = Field(
        description=_("True where a program judged and no expert; pages and cards then say so.")
    )


class LastWordGiven(Given):
    """The last word on a trace."""

    judgement: Literal["accept", "reject", "question"]
    note: Note = ""


class LastWordOut(Schema):
    """The last word on a trace, as it is kept."""

    trace: int
    judgement: Literal["accept", "reject", "question"]
    note: str
    decided_by: str


class UndoneOut(Schema):
    """What was undone."""

    trace: int = Field(description=_("The trace whose judgement is as before."))


@router.get(
    "/projects/{slug:slug}/reviews",
    response=answers(ReviewPage),
    summary=_("List reviews"),
    description=_(
        "The judgements of a project, oldest first. A reviewer is shown what colleagues say of a trace after "
        "judging it; who curates is shown all."
    ),
)
def reviews(request: ApiRequest, slug: str, asked: Query[ReviewsAsked]) -> ReviewPage:
    """Return a page of judgements."""
    project = project_with(request, slug, Right.SEE_MATERIAL)
    rows = get_project_reviews(project, request.auth.user, **asked.model_dump(exclude={"limit", "after"}))
    page = asked.page_of(rows, BY_KEY, lambda found: found.select_related("reviewer", "trace"))
    return ReviewPage(items=list(map(_said, page.rows)), after=page.after)


_PLAIN = ("judgement", "note", "reasons", "first_wrong", "scores", "is_scripted", "version", "changed_at")


def _said(review: Review) -> ReviewOut:
    plain: dict[str, Any] = {name: getattr(review, name) for name in _PLAIN}
    return ReviewOut(
        **plain,
        trace=review.trace_id,
        reviewer=review.reviewer.email,
        is_current=review.judged_hash in ("", review.trace.content_hash),
    )


@router.put(
    "/traces/{int:number}/review",
    response=answers(ReviewOut, 409),
    summary=_("Judge a trace"),
    description=_(
        "Records your own word on a trace; judging again replaces it. Answers 409, and writes nothing, where your "
        "word was changed meanwhile, in a browser or by another program."
    ),
)
def review_put(request: ApiRequest, number: int, given: JudgementGiven) -> ReviewOut:
    """Record the member's word on a trace."""
    trace = editable(
        request, Trace.objects.select_related("question__project"), right=Right.REVIEW, pk=number
    )
    said = given.model_dump(exclude={"seen", "is_scripted"})
    word = services.Word(**{**said, "reasons": tuple(given.reasons)})
    try:
        made = services.judge(
            trace=trace,
            reviewer=request.auth.user,
            word=word,
            seen=given.seen,
            is_scripted=given.is_scripted,
        )
    except services.Outdated as outdated:
        raise Conflict(str(outdated)) from outdated
    return _said(made)


@router.post(
    "/selections/{int:number}/reviews/undo",
    response=answers(UndoneOut),
    summary=_("Undo your latest review"),
    description=_("Takes your latest change of a judgement of this selection's members back."),
)
def review_undo(request: ApiRequest, number: int) -> UndoneOut:
    """Take the member's latest change of a judgement back."""
    selection = editable(request, Selection, right=Right.REVIEW, pk=number)
    return UndoneOut(trace=services.undo(reviewer=request.auth.user, selection=selection).pk)


@router.put(
    "/traces/{int:number}/adjudication",
    response=answers(LastWordOut),
    summary=_("Have the last word"),
    description=_(
        "Decides where reviewers of a trace disagree or one is unsure; it needs the right to curate."
    ),
)
def adjudicate(request: ApiRequest, number: int, given: LastWordGiven) -> LastWordOut:
    """Give the last word on a trace."""
    trace = editable(request, Trace, right=Right.CURATE, pk=number)
    decided: Adjudication = services.adjudicate(
        trace=trace, judgement=given.judgement, by=request.auth.user, note=given.note
    )
    return LastWordOut(
        trace=trace.pk,
        judgement=given.judgement,
        note=decided.note,
        decided_by=decided.decided_by.email,
    )
