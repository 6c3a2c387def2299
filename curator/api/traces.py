"""Traces: listed without what they say, and read whole, with their judgements."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Schema
from pydantic import Field

from common.access import Right
from common.api.asking import ApiRequest, project_with, visible
from common.api.errors import answers
from common.api.values import Key, PageAsked, PageOut, Text
from common.paging import Order
from curator import queries
from curator.models import Trace
from curator.queries.lists import get_project_traces, without_texts

router = Router(tags=[_("Traces")])
BY_KEY = Order()
Verdict = Literal["right", "partly", "wrong", "unparsed", "unkeyed"]


class TracesAsked(PageAsked):
    """Which traces."""

    question: Key | None = Field(default=None, description=_("Of this question only."))
    selection: Key | None = Field(default=None, description=_("Only those that stand for its members."))
    teacher: Text = Field(default="", description=_("Name of a teacher."))
    verdict: Verdict | None = None


class TraceRow(Schema):
    """A trace in a list."""

    id: int = Field(examples=[311])
    question: int = Field(examples=[1042])
    teacher: str = Field(examples=["deepseek-r1"])
    sample: int
    verdict: Verdict = Field(description=_("What the marker says of the answer, held against the key."))
    verdict_rule: str = Field(description=_("The rule by which it says so."))
    thinking_tokens: int
    answer_tokens: int
    tokens_counted_by: str
    finish_reason: str = Field(examples=["stop"])
    cost_usd: Decimal = Field(examples=["0.012000"])
    is_summary: bool = Field(description=_("A provider's summary of thinking that it keeps back."))
    terms: str = Field(description=_("What the provider's terms said when it was collected."))
    content_hash: str
    created_at: datetime


class TracePage(PageOut):
    """A page of traces."""

    items: list[TraceRow]


class TraceOut(TraceRow):
    """A trace with all that it says."""

    thinking: str
    answer: str
    flaws: list[str] = Field(description=_("Names of the patterns of bad quality that it shows."))


@router.get(
    "/projects/{slug:slug}/traces",
    response=answers(TracePage),
    summary=_("List traces"),
    description=_("The traces of a project, oldest first, without thinking and answer."),
)
def traces(request: ApiRequest, slug: str, asked: Query[TracesAsked]) -> TracePage:
    """Return a page of traces."""
    project = project_with(request, slug, Right.SEE_MATERIAL)
    rows = get_project_traces(project, **asked.model_dump(exclude={"limit", "after"}))
    page = asked.page_of(rows, BY_KEY, without_texts)
    return TracePage(items=[TraceRow(**_said(trace)) for trace in page.rows], after=page.after)


_PLAIN = tuple(set(TraceRow.model_fields) - {"id", "question", "teacher"})


def _said(trace: Trace) -> dict[str, Any]:
    plain = {name: getattr(trace, name) for name in _PLAIN}
    return {**plain, "id": trace.pk, "question": trace.question_id, "teacher": trace.teacher.name}


@router.get(
    "/traces/{int:number}",
    response=answers(TraceOut),
    summary=_("One trace"),
    description=_(
        "A trace with its thinking and answer. What a model wrote is hostile: escape it before you show it."
    ),
)
def trace(request: ApiRequest, number: int) -> TraceOut:
    """Return one trace."""
    found = visible(request, Trace.objects.select_related("teacher", "question__pool"), pk=number)
    flaws = [pattern.name for pattern in queries.flaws_of(found)]
    return TraceOut(**_said(found), thinking=found.thinking, answer=found.answer, flaws=flaws)
