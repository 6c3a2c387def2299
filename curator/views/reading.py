"""What the ways to the reviewer's desk share: a selection's members in their order, and a queue's next trace."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from common.core.refusal import Refusal
from common.models import User
from curator import queries
from curator.forms import JudgementForm
from curator.forms.reviews import LONGEST_NOTE
from curator.models import Question, Review, Trace
from curator.queries.desk import get_colleagues, get_desk, get_draft, get_flags, get_noted
from curator.services.best import choose_trace
from curator.services.reviews import judge
from curator.services.rubrics import reasons_of, scales_of

Place = TypeVar("Place")  # of a trace among those that are read: a member's number, a queue's item
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

    @property
    def address(self) -> str:
        """Return the address that shows this trace's question again."""
        return f"{self.judge}?{self.here}"


@dataclass(frozen=True)
class Seat(Generic[Place]):
    """One way to the desk: how the place of a trace is found by its key, shown and addressed; None: the next."""

    find: Callable[[int], tuple[Place, Trace]]
    show: Callable[..., HttpResponse]  # a place, and what the page says beside it
    address: Callable[[Place | None], str]


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
    noted = get_noted(trace, reader)
    given = list(queries.get_reviews(trace)) if noted.reviews else []
    mine = next((row for row in given if row.reviewer_id == reader.pk), None)
    others = [row for row in given if row != mine]
    draft = get_draft(trace, reader) if noted.draft else None
    desk = get_desk(
        trace,
        question,
        noted,
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
        "flags": get_flags(trace) if noted.flags else [],
        "colleagues": get_colleagues(question.project, reader),
        "longest_note": LONGEST_NOTE,
    }


def came_from(request: HttpRequest) -> str:
    """Return the page of ours that a form or a link names as the one to lead back to, if it names one."""
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}) else ""


def to(request: HttpRequest, url: str) -> HttpResponse:
    """Lead to a whole page, from a whole page as from a part of one."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]


def take_word(
    request: HttpRequest, seat: Seat[Place], go_on: Callable[[Place, Trace, Review], HttpResponse]
) -> HttpResponse:
    """Record a judgement and go on; one that cannot be recorded shows its trace again."""
    form = JudgementForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Accept the trace or reject it; a note has at most 5,000 characters."))
        return to(request, seat.address(None))
    place, trace = seat.find(form.cleaned_data["trace"])
    try:
        review = judge(trace=trace, reviewer=request.user, word=form.word(), seen=form.cleaned_data["seen"])
    except Refusal as refusal:
        if request.htmx:  # type: ignore[attr-defined]
            return seat.show(place, refused=str(refusal))
        messages.error(request, str(refusal))
        return redirect(seat.address(place))
    return go_on(place, trace, review)


def take_back(request: HttpRequest, seat: Seat[Place], undo: Callable[[], Place]) -> HttpResponse:
    """Take the reviewer's last judgement back, and show that trace again."""
    try:
        place = undo()
    except Refusal as refusal:
        messages.info(request, str(refusal))
        return to(request, seat.address(None))
    if request.htmx:  # type: ignore[attr-defined]
        return show_next(request, seat, place)
    messages.info(request, _("Your last judgement is taken back."))
    return redirect(seat.address(place))


def choose_best(request: HttpRequest, seat: Seat[Place]) -> HttpResponse:
    """Let the trace that is shown stand for its question."""
    form = JudgementForm(request.POST)
    form.fields["judgement"].required = False
    if not form.is_valid():
        messages.error(request, _("Choose a trace; a note has at most 5,000 characters."))
        return to(request, seat.address(None))
    place, trace = seat.find(form.cleaned_data["trace"])
    reason = form.cleaned_data["note"] or _("Chosen as the best of its question's traces while reviewing.")
    choose_trace(trace=trace, reason=reason, by=request.user)
    if request.htmx:  # type: ignore[attr-defined]
        return seat.show(place)
    return redirect(seat.address(place))


def show_next(request: HttpRequest, seat: Seat[Place], place: Place, **more: Any) -> HttpResponse:
    """Show another trace than the one that the request was about."""
    request.POST = QueryDict()
    return seat.show(place, **more)
