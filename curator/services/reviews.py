"""Experts judge traces; where they disagree, one of them has the last word."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import User
from curator.models import Adjudication, Decision, Review, Selection, Trace
from curator.queries.best import with_standing


def judge(
    *, trace: Trace, reviewer: User, judgement: str, note: str = "", is_scripted: bool = False
) -> Review:
    """Record a reviewer's judgement of a trace; judging again replaces the first word.

    Raises:
        Refusal: the judgement is none of accept and reject.
    """
    _check(judgement)
    review, _made = Review.objects.update_or_create(
        trace=trace,
        reviewer=reviewer,
        defaults={"judgement": judgement, "note": note, "is_scripted": is_scripted},
    )
    return review


def _check(judgement: str) -> None:
    if judgement not in Review.Judgement.values:
        raise Refusal(_("A trace is accepted or rejected; “%(word)s” is neither.") % {"word": judgement})


def withdraw(*, review: Review) -> None:
    """Take a judgement back, as if it had not been made."""
    review.delete()


@transaction.atomic
def adjudicate(*, trace: Trace, judgement: str, by: User, note: str = "") -> Adjudication:
    """Give the last word on a trace.

    Raises:
        Refusal: the reviewers do not disagree, or the judgement is none of accept and reject.
    """
    _check(judgement)
    words = set(trace.reviews.values_list("judgement", flat=True))
    if len(words) < 2:
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
    """Return the members that go into a dataset: rejected ones out, a last word above a first one.

    A trace that nobody judged stays in; the dataset's card counts it as not reviewed.
    """
    rejected = Q(adjudication__judgement="reject") | Q(adjudication__isnull=True, reviews__judgement="reject")
    out = Trace.objects.filter(rejected, question__project=selection.project)
    return with_standing(members(selection)).exclude(stands__in=out.values("pk"))


def to_review(selection: Selection, reviewer: User) -> "QuerySet[Decision]":
    """Return the members whose trace this reviewer has not judged, in the order drawn."""
    judged = Review.objects.filter(reviewer=reviewer).values("trace")
    return with_standing(members(selection)).exclude(stands__in=judged)
