"""Experts judge traces; where they disagree, one of them has the last word."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import Project, User
from curator.models import (
    Adjudication,
    Decision,
    Doubt,
    Draft,
    Question,
    Queue,
    Reason,
    Review,
    ReviewChange,
    Scale,
    Selection,
    Trace,
)
from curator.queries.best import standing, with_standing
from curator.services import queues

_SAID = ("judgement", "reasons", "first_wrong", "scores", "note", "judged_hash", "seconds", "is_scripted")
_OUT = (Review.Judgement.REJECT, Review.Judgement.QUESTION)
_LAST_WORDS = (Review.Judgement.ACCEPT, *_OUT)


class Outdated(Refusal):
    """A reviewer's own word has changed since the page was made; nothing was written."""


@dataclass(frozen=True)
class Word:
    """What a reviewer says of a trace.

    `first_wrong` is where the first wrong step begins, in characters of the thinking; `scores` are by the codes
    of the project's scales, `reasons` codes of its reasons; `seconds` is for how long the trace was read.
    """

    judgement: str
    note: str = ""
    reasons: tuple[str, ...] = ()
    first_wrong: int | None = None
    scores: Mapping[str, int] = field(default_factory=dict)
    seconds: int | None = None


@transaction.atomic
def judge(
    *, trace: Trace, reviewer: User, word: Word, seen: int | None = None, is_scripted: bool = False
) -> Review:
    """Record a reviewer's word on a trace; judging again replaces it, and can be undone.

    `seen` is the version of the reviewer's own word that their page showed, 0 for none; None overwrites any.

    Raises:
        Outdated: the word has been changed since, in another window.
        Refusal: the word names a judgement, a reason, a place or a score that the project does not have.
    """
    project = trace.question.project
    _check(word, trace, project)
    earlier = Review.objects.select_for_update().filter(trace=trace, reviewer=reviewer).first()
    _refuse_outdated(earlier, seen)
    said = {
        "judgement": word.judgement,
        "reasons": list(word.reasons),
        "first_wrong": word.first_wrong,
        "scores": dict(word.scores),
        "note": word.note,
        "judged_hash": trace.content_hash,
        "seconds": word.seconds,
        "is_scripted": is_scripted,
    }
    ReviewChange.objects.create(trace=trace, reviewer=reviewer, before=_said(earlier), after=said)
    review = _put(trace, reviewer, earlier, said)
    Draft.objects.filter(trace=trace, reviewer=reviewer).delete()
    return review


def _check(word: Word, trace: Trace, project: Project) -> None:
    _check_judgement(word.judgement, Review.Judgement.values)
    known = set(Reason.objects.filter(project=project).values_list("code", flat=True)) if word.reasons else ()
    for code in word.reasons:
        if code not in known:
            raise Refusal(_("The project has no reason “%(code)s”; load the page anew.") % {"code": code})
    if word.first_wrong is not None and word.first_wrong >= max(1, len(trace.thinking)):
        raise Refusal(_("The first wrong step lies outside the trace; load the page anew."))
    steps = dict(Scale.objects.filter(project=project).values_list("code", "steps")) if word.scores else {}
    for code, score in word.scores.items():
        if not 1 <= score <= steps.get(code, 0):
            raise Refusal(
                _("The scale “%(code)s” does not go to %(score)s; load the page anew.")
                % {"code": code, "score": score}
            )


def _check_judgement(judgement: str, known: Any) -> None:
    if judgement not in known:
        raise Refusal(_("A trace is accepted or rejected; “%(word)s” is neither.") % {"word": judgement})


def _refuse_outdated(earlier: Review | None, seen: int | None) -> None:
    now = earlier.version if earlier else 0
    if seen is not None and seen != now:
        said = earlier.get_judgement_display() if earlier else _("nothing")
        raise Outdated(
            _(
                "You have judged this trace in another window meanwhile: %(said)s. Look again; nothing was changed here."
            )
            % {"said": said}
        )


def _put(trace: Trace, reviewer: User, earlier: Review | None, said: dict[str, Any] | None) -> Review:
    """Put a word in the place of the one before, with all that hangs on it; None takes it away."""
    review = earlier or Review(trace=trace, reviewer=reviewer, version=0)
    change = (said is not None) - (earlier is not None)
    if said is None:
        review.delete()
    else:
        for name, value in said.items():
            setattr(review, name, value)
        review.version += 1
        review.save()
    if change:
        queues.recounted(trace=trace, reviewer=reviewer, change=change)
    _keep_doubt(trace, reviewer, said)
    return review


def _said(review: Review | None) -> dict[str, Any] | None:
    return {name: getattr(review, name) for name in _SAID} if review else None


def _keep_doubt(trace: Trace, reviewer: User, said: dict[str, Any] | None) -> None:
    """Let a question be in doubt for as long as a reviewer says that it, or its key, is wrong."""
    own = Doubt.objects.filter(question=trace.question, raised_by=reviewer, settled_at=None)
    if said is None or said["judgement"] != Review.Judgement.QUESTION:
        own.delete()
    elif not own.update(note=said["note"], trace=trace):
        Doubt.objects.create(question=trace.question, trace=trace, raised_by=reviewer, note=said["note"])


@transaction.atomic
def undo(*, reviewer: User, selection: Selection | None = None, queue: Queue | None = None) -> Trace:
    """Take a reviewer's latest change of a judgement back, in a selection, a queue or anywhere; return its trace.

    Raises:
        Refusal: there is none, or the judgement was changed in another way since.
    """
    changes = ReviewChange.objects.filter(reviewer=reviewer)
    if selection is not None:
        changes = changes.filter(trace__in=standing(members(selection)))
    if queue is not None:
        changes = changes.filter(trace__queue_items__queue=queue)
    latest = changes.select_related("trace__question").order_by("-pk").first()
    if latest is None:
        raise Refusal(_("There is no judgement of yours to undo."))
    now = Review.objects.select_for_update().filter(trace=latest.trace, reviewer=reviewer).first()
    if _said(now) != latest.after:
        raise Refusal(_("That judgement was changed since; open the trace and judge it again."))
    trace: Trace = latest.trace
    _put(trace, reviewer, now, latest.before)
    latest.delete()
    return trace


@transaction.atomic
def settle_doubts(*, question: Question, by: User | None) -> int:
    """Answer all doubts of a question: what was said of its traces because of them is to be judged anew.

    Returns how many doubts there were.
    """
    settled = Doubt.objects.filter(question=question, settled_at=None).update(
        settled_at=timezone.now(), settled_by=by
    )
    words = Review.objects.filter(trace__question=question, judgement=Review.Judgement.QUESTION)
    for review in words.select_related("trace__question", "reviewer"):
        ReviewChange.objects.filter(
            trace=review.trace, reviewer=review.reviewer
        ).delete()  # no undo leads back
        _put(review.trace, review.reviewer, review, None)
    Adjudication.objects.filter(trace__question=question, judgement=Review.Judgement.QUESTION).delete()
    return settled


@transaction.atomic
def adjudicate(*, trace: Trace, judgement: str, by: User, note: str = "") -> Adjudication:
    """Give the last word on a trace.

    Raises:
        Refusal: the reviewers do not disagree and none is unsure, or the word is no last one.
    """
    _check_judgement(judgement, _LAST_WORDS)
    words = set(trace.reviews.values_list("judgement", flat=True))
    if len(words) < 2 and Review.Judgement.UNSURE not in words:
        raise Refusal(_("The reviewers of this trace do not disagree; there is nothing to decide."))
    decided, _made = Adjudication.objects.update_or_create(
        trace=trace, defaults={"judgement": judgement, "decided_by": by, "note": note}
    )
    return decided


def members(selection: Selection) -> "QuerySet[Decision]":
    """Return a selection's members in the order drawn."""
    rows: QuerySet[Decision] = (
        selection.decisions.filter(position__isnull=False)
        .select_related(
            *("question__pool", "question__domain", "trace__teacher"),
            "question__chosen_trace__trace__teacher",
        )
        .order_by("position")
    )
    return rows


def kept(selection: Selection) -> "QuerySet[Decision]":
    """Return the members that go into a dataset: a last word above a first one, and nothing that is in doubt.

    A trace that nobody judged stays in; the dataset's card counts it as not reviewed. One that a reviewer is
    unsure of stays out until somebody has the last word.
    """
    doubted = [*_OUT, Review.Judgement.UNSURE]
    out = Trace.objects.filter(
        Q(adjudication__judgement__in=_OUT)
        | Q(adjudication__isnull=True, reviews__judgement__in=doubted)
        | Q(adjudication__isnull=True, question__in=_in_doubt()),
        question__project=selection.project,
    )
    return with_standing(members(selection)).exclude(stands__in=out.values("pk"))


def _in_doubt() -> "QuerySet[Any]":
    return Doubt.objects.filter(settled_at=None).values("question")


def to_review(selection: Selection, reviewer: User) -> "QuerySet[Decision]":
    """Return the members whose trace this reviewer has not judged, in the order drawn."""
    judged = Review.objects.filter(reviewer=reviewer).values("trace")
    return with_standing(members(selection)).exclude(stands__in=judged)
