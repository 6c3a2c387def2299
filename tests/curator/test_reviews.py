"""One word a reviewer, one last word a trace; what was rejected does not go on."""

import pytest

from common.core.refusal import Refusal
from curator.models import Adjudication, Review
from curator.services import reviews, selections


@pytest.fixture
def selection(make_project, make_pool, make_question, make_trace):
    project = make_project()
    pool = make_pool(project)
    for _each in range(4):
        make_trace(make_question(pool))
    job = selections.start_selection(project=project, method="random", size=3, by=None)
    selections.run_selection(job=job)
    return job


def traces(decisions):
    return [decision.trace for decision in decisions]


def judged(trace, *words, make_user):
    for word in words:
        reviews.judge(trace=trace, reviewer=make_user(), judgement=word)


def test_judging_again_replaces_the_first_word(make_trace, make_user):
    trace, reviewer = make_trace(), make_user()

    reviews.judge(trace=trace, reviewer=reviewer, judgement="accept", note="good")
    reviews.judge(trace=trace, reviewer=reviewer, judgement="reject", note="on second thought")

    review = Review.objects.get()
    assert (review.judgement, review.note, review.is_scripted) == ("reject", "on second thought", False)


@pytest.mark.parametrize("word", ["", "maybe", "ACCEPT"])
def test_a_word_that_is_no_judgement_is_refused(make_trace, make_user, word):
    with pytest.raises(Refusal, match="accepted or rejected"):
        reviews.judge(trace=make_trace(), reviewer=make_user(), judgement=word)


def test_a_judgement_can_be_withdrawn(selection, make_user):
    reviewer = make_user()
    first = reviews.members(selection).first()
    review = reviews.judge(trace=first.trace, reviewer=reviewer, judgement="reject")

    reviews.withdraw(review=review)

    assert reviews.kept(selection).count() == 3
    assert first in reviews.to_review(selection, reviewer)


def test_what_a_reviewer_has_judged_is_not_asked_of_them_again(selection, make_user):
    one, other = make_user(), make_user()
    first, *rest = reviews.members(selection)
    reviews.judge(trace=first.trace, reviewer=one, judgement="accept")

    assert list(reviews.to_review(selection, one)) == rest
    assert list(reviews.to_review(selection, other)) == [first, *rest]


@pytest.mark.parametrize(
    ("words", "last_word", "stays"),
    [
        ([], "", True),
        (["accept"], "", True),
        (["reject"], "", False),
        (["accept", "accept"], "", True),
        (["accept", "reject"], "", False),
        (["accept", "reject"], "accept", True),
        (["reject", "accept", "accept"], "reject", False),
        (["reject", "reject", "accept"], "accept", True),
    ],
)
def test_what_goes_on_is_decided_by_the_reviews_and_by_the_last_word(
    selection, make_user, words, last_word, stays
):
    first, *rest = reviews.members(selection)
    judged(first.trace, *words, make_user=make_user)
    if last_word:
        reviews.adjudicate(trace=first.trace, judgement=last_word, by=make_user())

    assert list(reviews.kept(selection)) == ([first] if stays else []) + rest


def test_the_last_word_can_be_changed(selection, make_user):
    first = reviews.members(selection).first()
    judged(first.trace, "accept", "reject", make_user=make_user)

    reviews.adjudicate(trace=first.trace, judgement="reject", by=make_user())
    reviews.adjudicate(trace=first.trace, judgement="accept", by=make_user())

    assert Adjudication.objects.get().judgement == "accept"


@pytest.mark.parametrize("words", [[], ["accept"], ["reject", "reject"]])
def test_there_is_no_last_word_where_nobody_disagrees(make_trace, make_user, words):
    trace = make_trace()
    judged(trace, *words, make_user=make_user)

    with pytest.raises(Refusal, match="do not disagree"):
        reviews.adjudicate(trace=trace, judgement="accept", by=make_user())


@pytest.mark.parametrize("word", ["", "maybe"])
def test_a_last_word_that_is_no_judgement_is_refused(make_trace, make_user, word):
    trace = make_trace()
    judged(trace, "accept", "reject", make_user=make_user)

    with pytest.raises(Refusal, match="accepted or rejected"):
        reviews.adjudicate(trace=trace, judgement=word, by=make_user())
