"""What the ways to the reviewer's desk share: a selection's members in their order, and a queue's next trace."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from common.models import User
from curator import queries
from curator.forms import FlagForm, RemarkForm
from curator.models import Question, Trace
from curator.queries.desk import get_desk, get_draft, get_flags
from curator.services.rubrics import reasons_of, scales_of

BLIND = {"1": True, "0": False}  # as an address asks for it


@dataclass(frozen=True)
class Way:
    """Where the desk's buttons lead; `here` is the query that shows this trace's question again."""

    judge: str
    undo: str
    best: str
    here: str
    strip: str  # the template of what stands above the trace
    hold: str = ""  # where a browser says that the trace is still being read


def keep_blindness(request: HttpRequest) -> None:
    """Remember whether a reader wants names hidden, where the address says so."""
    if request.GET.get("blind", "") in BLIND:
        request.session["blind"] = BLIND[request.GET["blind"]]


def asked_trace(request: HttpRequest, question: Question, standing: Trace) -> Trace:
    """Return the trace of a question that the reader asks for, else the one that stands for it."""
    asked = request.POST.get("trace", "") or request.GET.get("trace", "")
    if not asked.isdecimal():
        return standing
    rows = Trace.objects.select_related("teacher", "adjudication").filter(question=question)
    return rows.filter(pk=int(asked[:18])).first() or standing


def get_reading(
    request: HttpRequest, question: Question, trace: Trace, *, chosen: int | None, is_blind: bool
) -> dict[str, Any]:
    """Return all that a reviewer reads of a trace, and what their word is made with.

    `chosen` is the key of the trace that stands for the question, if any.
    """
    reader: User = request.user
    given = list(queries.get_reviews(trace))
    mine = next((row for row in given if row.reviewer_id == reader.pk), None)
    others = [row for row in given if row != mine]
    draft = get_draft(trace, reader)
    desk = get_desk(
        trace,
        question,
        is_raw="raw" in request.GET,
        chosen=chosen,
        blind_for=reader if is_blind and mine is None else None,
    )
    return {
        "question": question,
        "trace": trace,
        "is_standing": trace.pk == chosen,
        "is_blind": is_blind,
        "desk": desk,
        "mine": mine,
        "draft": draft,
        "said": draft.content if draft else mine,
        "others": others if mine else [],  # what colleagues say must not lead a reviewer
        "hidden_others": 0 if mine else len(others),
        "adjudication": getattr(trace, "adjudication", None) if mine else None,
        "reasons": reasons_of(question.project),
        "scales": scales_of(question.project),
        "flags": get_flags(trace),
        "flag_form": FlagForm(project=question.project),
        "remark_form": RemarkForm(),
        "here": request.get_full_path() if request.method == "GET" else "",
    }


def to(request: HttpRequest, url: str) -> HttpResponse:
    """Lead to a whole page, from a whole page as from a part of one."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]
