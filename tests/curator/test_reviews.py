"""One word a reviewer, one last word a trace; what was rejected does not go on."""

import pytest

from common.core.refusal import Refusal
from curator.core.selection import DISPUTED
from curator.models import Adjudication, Doubt, Review
from curator.services import questions, reviews, rubrics, selections
from curator.services.reviews import Word


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
        reviews.judge(trace=trace, reviewer=make_user(), word=Word(word))


def test_judging_again_replaces_the_first_word(make_trace, make_user):
    trace, reviewer = make_trace(), make_user()

    reviews.judge(trace=trace, reviewer=reviewer, word=Word("accept", note="good"))
    reviews.judge(trace=trace, reviewer=reviewer, word=Word("reject", note="on second thought"))

    review = Review.objects.get()
    assert (review.judgement, review.note, review.is_scripted) == ("reject", "on second thought", False)


@pytest.mark.parametrize("word", ["", "maybe", "ACCEPT"])
def test_a_word_that_is_no_judgement_is_refused(make_trace, make_user, word):
    with pytest.raises(Refusal, match="accepted or rejected"):
        reviews.judge(trace=make_trace(), reviewer=make_user(), word=Word(word))


def test_a_judgement_can_be_undone(selection, make_user):
    reviewer = make_user()
    first = reviews.members(selection).first()
    reviews.judge(trace=first.trace, reviewer=reviewer, word=Word("reject"))

    assert reviews.undo(reviewer=reviewer, selection=selection) == first.trace

    assert reviews.kept(selection).count() == 3
    assert first in reviews.to_review(selection, reviewer)


def test_undoing_goes_back_step_by_step(selection, make_user):
    reviewer = make_user()
    first, second, _third = reviews.members(selection)
    reviews.judge(trace=first.trace, reviewer=reviewer, word=Word("accept", note="good"))
    reviews.judge(trace=second.trace, reviewer=reviewer, word=Word("accept"))
    reviews.judge(trace=first.trace, reviewer=reviewer, word=Word("reject", first_wrong=0))

    undone = [reviews.undo(reviewer=reviewer) for _each in range(2)]

    assert undone == [first.trace, second.trace]
    left = Review.objects.get()
    assert (left.judgement, left.note, left.first_wrong) == ("accept", "good", None)
    reviews.undo(reviewer=reviewer)
    assert not Review.objects.exists()
    with pytest.raises(Refusal, match="no judgement of yours"):
        reviews.undo(reviewer=reviewer)


def test_nobody_undoes_the_word_of_another(selection, make_user):
    first = reviews.members(selection).first()
    reviews.judge(trace=first.trace, reviewer=make_user(), word=Word("reject"))

    with pytest.raises(Refusal, match="no judgement of yours"):
        reviews.undo(reviewer=make_user())


def test_a_word_from_a_page_that_is_out_of_date_changes_nothing(make_trace, make_user):
    trace, reviewer = make_trace(), make_user()
    reviews.judge(trace=trace, reviewer=reviewer, word=Word("accept"), seen=0)

    with pytest.raises(reviews.Outdated, match=r"in another window meanwhile: accept"):
        reviews.judge(trace=trace, reviewer=reviewer, word=Word("reject"), seen=0)

    assert Review.objects.get().judgement == "accept"
    assert reviews.judge(trace=trace, reviewer=reviewer, word=Word("reject"), seen=1).version == 2


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        (Word("reject", reasons=("made-up",)), "no reason “made-up”"),
        (Word("reject", first_wrong=10**6), "outside the trace"),
        (Word("accept", scores={"clarity": 6}), "“clarity” does not go to 6"),
        (Word("accept", scores={"clarity": 0}), "“clarity” does not go to 0"),
        (Word("accept", scores={"beauty": 1}), "“beauty” does not go to 1"),
    ],
)
def test_what_a_project_does_not_have_cannot_be_said(make_trace, make_user, word, sentence):
    trace = make_trace()
    rubrics.add_scale(project=trace.question.project, name="Clarity")

    with pytest.raises(Refusal, match=sentence):
        reviews.judge(trace=trace, reviewer=make_user(), word=word)

    assert not Review.objects.exists()


def test_a_word_keeps_reasons_scores_and_what_was_read(make_trace, make_user):
    trace = make_trace()
    project = trace.question.project
    rubrics.add_scale(project=project, name="Clarity")
    codes = tuple(reason.code for reason in rubrics.reasons_of(project)[:2])

    reviews.judge(
        trace=trace, reviewer=make_user(), word=Word("reject", "no", codes, 0, {"clarity": 5}, seconds=61)
    )

    kept = Review.objects.get()
    assert (kept.reasons, kept.first_wrong, kept.scores) == (list(codes), 0, {"clarity": 5})
    assert (kept.seconds, kept.judged_hash) == (61, trace.content_hash)


def test_a_question_in_doubt_leaves_the_set_and_comes_back_when_it_is_settled(selection, make_user):
    reviewer, curator = make_user(), make_user()
    first, *rest = reviews.members(selection)

    reviews.judge(trace=first.trace, reviewer=reviewer, word=Word("question", note="the key is 3"))

    doubt = Doubt.objects.get()
    assert (doubt.question, doubt.raised_by, doubt.note) == (first.question, reviewer, "the key is 3")
    assert list(reviews.kept(selection)) == rest

    assert reviews.settle_doubts(question=first.question, by=curator) == 1

    assert list(reviews.kept(selection)) == [first, *rest]
    assert first in reviews.to_review(selection, reviewer)
    doubt.refresh_from_db()
    assert doubt.settled_by == curator


def test_a_doubt_goes_with_the_word_that_raised_it(make_trace, make_user):
    trace, reviewer = make_trace(), make_user()

    reviews.judge(trace=trace, reviewer=reviewer, word=Word("question"))
    reviews.judge(trace=trace, reviewer=reviewer, word=Word("accept"))
    assert not Doubt.objects.exists()

    reviews.undo(reviewer=reviewer)
    assert Doubt.objects.get().settled_at is None


def test_what_a_reviewer_is_unsure_of_waits_for_a_last_word(selection, make_user):
    first, *rest = reviews.members(selection)
    reviews.judge(trace=first.trace, reviewer=make_user(), word=Word("unsure"))
    assert list(reviews.kept(selection)) == rest

    reviews.adjudicate(trace=first.trace, judgement="accept", by=make_user())

    assert list(reviews.kept(selection)) == [first, *rest]


@pytest.mark.parametrize(("verdict", "instructive"), [("wrong", True), ("right", False), ("unkeyed", False)])
def test_what_is_accepted_though_wrong_is_instructive(make_trace, make_user, verdict, instructive):
    trace = make_trace(verdict=verdict)

    assert reviews.judge(trace=trace, reviewer=make_user(), word=Word("accept")).is_instructive == instructive
    assert not reviews.judge(trace=trace, reviewer=make_user(), word=Word("reject")).is_instructive


def test_what_a_reviewer_has_judged_is_not_asked_of_them_again(selection, make_user):
    one, other = make_user(), make_user()
    first, *rest = reviews.members(selection)
    reviews.judge(trace=first.trace, reviewer=one, word=Word("accept"))

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


def test_a_doubted_question_is_not_drawn_and_a_new_key_settles_the_doubt(selection, make_user):
    first = reviews.members(selection).first()
    reviews.judge(trace=first.trace, reviewer=make_user(), word=Word("question"))
    question = first.question

    def stages():
        job = selections.start_selection(project=selection.project, method="quality", size=3, by=None)
        selections.run_selection(job=job)
        return job.decisions.get(question=question)

    assert stages().reason == DISPUTED
    questions.set_key(question=question, key="another", by=make_user())
    assert stages().reason != DISPUTED
    assert not Doubt.objects.filter(settled_at=None).exists()
