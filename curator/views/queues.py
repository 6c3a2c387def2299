"""Queues: their list, one of them with its reviewers, and the desk at which it is worked off."""

from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, rights_by
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator.forms import AssignForm, QueueForm, QueueSettingsForm, WarmUpForm
from curator.models import Queue, QueueItem, Review, Trace
from curator.queries import queues as rows
from curator.services import queues as services
from curator.services import reviews
from curator.views.reading import (
    Seat,
    Way,
    asked_trace,
    choose_best,
    get_reading,
    keep_blindness,
    show_next,
    take_back,
    take_word,
    to,
)


def _queue(request: HttpRequest, pk: int, right: Right = Right.CURATE) -> Queue:
    return get_editable(
        Queue.objects.select_related("project", "selection"), request.user, right=right, pk=pk
    )


@require_http_methods(["GET", "POST"])
def queues(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's queues and open new ones."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    form = QueueForm(request.POST or None, project=project, initial=_wanted(request))
    if request.method == "POST" and form.is_valid():
        try:
            queue = services.open_queue(
                project=project,
                name=form.cleaned_data["name"],
                by=request.user,
                selection=form.cleaned_data["selection"],
                filters=form.filters(),
                settings=form.settings(),
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(queue)
    found = rows.get_queues(project)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "queues": [(queue, rows.get_queue_figures(queue, request.user)) for queue in found],
        "form": form,
    }
    return render(request, "curator/queues.html", context)


def _wanted(request: HttpRequest) -> dict[str, Any]:
    """Return what a link proposes for a new queue."""
    selection = request.GET.get("selection", "")
    return {"selection": int(selection[:9])} if selection.isdecimal() else {}


@require_GET
def queue(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a queue is, who works on it and how it is set."""
    found = _queue(request, pk, Right.SEE_MATERIAL)
    return render(request, "curator/queue.html", _page(request, found))


def _page(request: HttpRequest, found: Queue, **forms: Any) -> dict[str, Any]:
    return {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "queue": found,
        "figures": rows.get_queue_figures(found, request.user),
        "reviewers": rows.get_queue_reviewers(found),
        "settings_form": QueueSettingsForm(initial=QueueSettingsForm.initial_of(found)),
        "assign_form": AssignForm(project=found.project),
        "warm_up_form": WarmUpForm(initial={"count": found.items.filter(known__isnull=False).count()}),
        **forms,
    }


@require_POST
def queue_settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Change how a queue is worked off."""
    found = _queue(request, pk)
    form = QueueSettingsForm(request.POST)
    if form.is_valid():
        try:
            services.change_settings(queue=found, name=form.cleaned_data["name"], settings=form.settings())
        except Refusal as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, _("Saved; it holds from the next trace on."))
            return redirect(found)
    return render(request, "curator/queue.html", _page(request, found, settings_form=form))


@require_POST
def queue_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a queue, or open it again."""
    found = _queue(request, pk)
    services.set_open(queue=found, is_open=not found.is_open)
    if found.is_open:
        messages.success(request, _("The queue is open again."))
    else:
        messages.success(
            request, _("The queue is closed; what was judged stays, and it can be opened again.")
        )
    return redirect(found)


@require_POST
def queue_take_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the traces that have come since behind a queue."""
    found = _queue(request, pk)
    count = services.take_in(queue=found)
    said = ngettext("%(count)s trace was added.", "%(count)s traces were added.", count) % {"count": count}
    messages.success(request, said if count else _("No trace has come since."))
    return redirect(found)


@require_POST
def queue_assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep traces for one reviewer, or give theirs back to all."""
    found = _queue(request, pk)
    form = AssignForm(request.POST, project=found.project)
    if not form.is_valid():
        return render(request, "curator/queue.html", _page(request, found, assign_form=form))
    reviewer, count = form.cleaned_data["reviewer"], form.cleaned_data["count"]
    if count:
        given = services.assign(queue=found, reviewer=reviewer, count=count)
        said = ngettext("%(count)s trace waits for %(who)s.", "%(count)s traces wait for %(who)s.", given)
    else:
        given = services.unassign(queue=found, reviewer=reviewer)
        said = ngettext(
            "%(count)s trace of %(who)s goes to whoever comes.",
            "%(count)s traces of %(who)s go to whoever comes.",
            given,
        )
    messages.success(request, said % {"count": given, "who": reviewer})
    return redirect(found)


@require_POST
def queue_warm_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Let every reviewer begin with traces whose verdict is known."""
    found = _queue(request, pk)
    form = WarmUpForm(request.POST)
    if not form.is_valid():
        return render(request, "curator/queue.html", _page(request, found, warm_up_form=form))
    wanted = form.cleaned_data["count"]
    count = services.set_warm_up(queue=found, count=wanted)
    if wanted and not count:
        messages.info(
            request,
            _("Nobody has had the last word on a trace of this project yet; settle a disagreement first."),
        )
    else:
        said = ngettext(
            "Every reviewer begins with %(count)s known trace.",
            "Every reviewer begins with %(count)s known traces.",
            count,
        )
        messages.success(request, said % {"count": count} if count else _("The warm-up is gone."))
    return redirect(found)


@require_http_methods(["GET", "POST"])
def queue_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a queue away after a question; judgements stay."""
    found = _queue(request, pk)
    if request.method == "POST":
        name, slug = found.name, found.project.slug
        found.delete()
        messages.success(request, _("The queue “%(name)s” is gone; its judgements stay.") % {"name": name})
        return redirect("queues", slug=slug)
    return render(request, "curator/queue_delete.html", _page(request, found))


@require_http_methods(["GET", "POST"])
def queue_desk(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a reviewer the next trace of a queue, and take their word on it."""
    found = _queue(request, pk, Right.REVIEW)
    if request.method == "POST":
        return _judge(request, found)
    keep_blindness(request)
    asked = request.GET.get("item", "")
    if asked.isdecimal():
        return _shown(request, found, _item(found, asked))
    return _shown(request, found, services.take(queue=found, reviewer=request.user))


def _item(found: Queue, pk: str) -> QueueItem:
    """Return a trace of the queue by its address.

    Raises:
        Http404: the queue has none such.
    """
    item = rows.get_item(found, int(pk[:18]))
    if item is None:
        raise Http404(_("The queue has no such trace."))
    return item


def _shown(request: HttpRequest, found: Queue, item: QueueItem | None, **more: Any) -> HttpResponse:
    context = _frame(request, found, item)
    if item is not None:
        question = item.trace.question
        trace = asked_trace(request, question, item.trace)
        context |= get_reading(
            request,
            question,
            trace,
            chosen=rows.get_chosen_key(question),
            is_blind=found.is_blind or bool(request.session.get("blind")),
        )
        context |= {"is_standing": trace == item.trace, "must_be_blind": found.is_blind}
    context |= more
    is_part = bool(request.htmx) and item is not None  # type: ignore[attr-defined]
    reply = render(request, "curator/_desk.html" if is_part else "curator/queue_desk.html", context)
    if is_part:
        reply["HX-Push-Url"] = _place(found, item)
    return reply


def _frame(request: HttpRequest, found: Queue, item: QueueItem | None) -> dict[str, Any]:
    figures = rows.get_queue_figures(found, request.user)
    return {
        "project": found.project,
        "rights": rights_by(found),
        "queue": found,
        "item": item,
        "figures": figures,
        "can_undo": figures.can_undo,
        "right": rows.get_share_right(found),
        "way": _way(found, item),
    }


def _way(found: Queue, item: QueueItem | None) -> Way:
    return Way(
        judge=reverse("queue_desk", args=[found.pk]),
        undo=reverse("queue_undo", args=[found.pk]),
        best=reverse("queue_best", args=[found.pk]),
        here=f"item={item.pk}" if item else "",
        strip="curator/_strip_queue.html",
        hold=reverse("queue_hold", args=[found.pk, item.pk]) if item else "",
    )


def _place(found: Queue, item: QueueItem | None) -> str:
    return reverse("queue_desk", args=[found.pk]) + (f"?item={item.pk}" if item else "")


def _seat(request: HttpRequest, found: Queue) -> Seat[QueueItem]:
    return Seat(
        find=partial(_judged, found),
        show=lambda item, **more: _shown(request, found, _item(found, str(item.pk)), **more),
        address=partial(_place, found),
    )


def _judge(request: HttpRequest, found: Queue) -> HttpResponse:
    """Record a judgement and hand the next trace out."""
    return take_word(
        request,
        _seat(request, found),
        lambda item, trace, review: _following(request, found, learnt=_learnt(item, trace, review)),
    )


def _judged(found: Queue, trace_id: int) -> tuple[QueueItem, Trace]:
    """Return the item of a queue that a judgement is about, and the trace that is judged.

    Raises:
        Http404: the queue has no trace of its question.
    """
    trace = Trace.objects.select_related("question__project").filter(pk=trace_id).first()
    item = trace and (
        found.items.filter(trace=trace).first()
        or found.items.filter(trace__question=trace.question_id).order_by("position").first()
    )
    if trace is None or item is None:
        raise Http404(_("The queue has no such trace."))
    return item, trace


def _learnt(item: QueueItem, trace: Trace, review: Review) -> dict[str, Any] | None:
    """Return what a warm-up trace was known to be, beside what the reviewer has said of it."""
    if item.known is None or item.trace_id != trace.pk:
        return None
    known = item.known["judgement"]
    return {
        "item": item,
        "agrees": known == review.judgement,
        "said": review.get_judgement_display(),
        "known": Review.Judgement(known).label,
        "note": item.known["note"],
    }


def _following(request: HttpRequest, found: Queue, *, learnt: dict[str, Any] | None) -> HttpResponse:
    found.refresh_from_db(fields=["done", "waiting", "is_open"])
    taken = services.take(queue=found, reviewer=request.user)
    if request.htmx and taken is not None:  # type: ignore[attr-defined]
        seat = replace(_seat(request, found), show=partial(_shown, request, found))  # it is whole already
        return show_next(request, seat, taken, learnt=learnt)
    if learnt:
        messages.info(request, _told(learnt))
    return to(request, _place(found, taken))


def _told(learnt: dict[str, Any]) -> str:
    if learnt["agrees"]:
        return _("Warm-up: you agree with the last word, “%(known)s”.") % learnt
    return _("Warm-up: you said “%(said)s”; the last word was “%(known)s”. %(note)s") % learnt


@require_POST
def queue_skip(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the trace that is shown back, and hand the next one out."""
    found = _queue(request, pk, Right.REVIEW)
    held = request.POST.get("item", "")
    if held.isdecimal():
        services.pass_over(item=_item(found, held), reviewer=request.user)
    return _following(request, found, learnt=None)


@require_POST
def queue_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the reviewer's last judgement in a queue back, and show that trace again."""
    found = _queue(request, pk, Right.REVIEW)

    def undo() -> QueueItem:
        trace = reviews.undo(reviewer=request.user, queue=found)
        item, _trace = _judged(found, trace.pk)
        services.hold_again(item=item, reviewer=request.user)
        found.refresh_from_db()
        return item

    return take_back(request, _seat(request, found), undo)


@require_POST
def queue_best(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the trace that is shown stand for its question."""
    return choose_best(request, _seat(request, _queue(request, pk, Right.REVIEW)))


@require_POST
def queue_hold(request: HttpRequest, pk: int, item: int) -> HttpResponse:
    """Say that a trace is still being read; the answer tells whether it is still the reader's."""
    found = _queue(request, pk, Right.REVIEW)
    held = services.hold(item=_item(found, str(item)), reviewer=request.user)
    return JsonResponse({"is_held": held})
