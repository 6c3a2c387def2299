"""Drafts, comments and flags are kept; a trace that is put right keeps what it said."""

import pytest

from common.core.refusal import Refusal
from curator.models import Draft, Flag, Remark, Review, TraceEdit
from curator.services import desk, reviews
from curator.services.reviews import Word


@pytest.fixture
def trace(make_trace, make_question):
    question = make_question(text="How much is 1 and 2?", key="3")
    return make_trace(
        question, thinking="One and two.\n\n就是三。", answer="Final Answer: 4", verdict="wrong"
    )


def test_a_draft_is_kept_and_goes_with_the_judgement(trace, make_user):
    reviewer = make_user()

    first = desk.save_draft(trace=trace, reviewer=reviewer, content={"note": "hm"}, seen=0)
    second = desk.save_draft(trace=trace, reviewer=reviewer, content={"note": "hmm"}, seen=first.version)

    assert (first.is_mine, second.is_mine, second.version) == (True, True, 2)
    assert Draft.objects.get().content == {"note": "hmm"}
    reviews.judge(trace=trace, reviewer=reviewer, word=Word("accept"))
    assert not Draft.objects.exists()


def test_a_window_that_is_behind_gets_the_later_draft_and_overwrites_nothing(trace, make_user):
    reviewer = make_user()
    desk.save_draft(trace=trace, reviewer=reviewer, content={"note": "one"}, seen=0)
    desk.save_draft(trace=trace, reviewer=reviewer, content={"note": "two"}, seen=1)

    late = desk.save_draft(trace=trace, reviewer=reviewer, content={"note": "other"}, seen=1)

    assert (late.is_mine, late.content, late.version) == (False, {"note": "two"}, 2)
    assert Draft.objects.get().content == {"note": "two"}


def test_a_draft_that_is_no_draft_is_refused(trace, make_user):
    with pytest.raises(Refusal, match="too long"):
        desk.save_draft(trace=trace, reviewer=make_user(), content={"note": "字" * 10_000}, seen=0)


def test_a_comment_stands_at_its_place(trace, make_user):
    made = desk.remark(trace=trace, author=make_user(), part="thinking", start=14, end=17, text=" 为什么？ ")

    assert (trace.thinking[made.start : made.end], made.text) == ("就是三", "为什么？")
    assert made.content_hash == trace.content_hash


@pytest.mark.parametrize(
    ("part", "start", "end", "text"),
    [
        ("thinking", 5, 5, "x"),
        ("thinking", -1, 5, "x"),
        ("thinking", 0, 1000, "x"),
        ("question", 0, 1, "x"),
        ("answer", 0, 1, "  "),
        ("answer", 0, 1, "\x00"),
        ("answer", 0, 1, "x" * 5001),
    ],
)
def test_a_comment_on_nothing_or_that_says_nothing_is_refused(trace, make_user, part, start, end, text):
    with pytest.raises(Refusal):
        desk.remark(trace=trace, author=make_user(), part=part, start=start, end=end, text=text)
    assert not Remark.objects.exists()


def test_only_who_wrote_a_comment_takes_it_away(trace, make_user):
    author = make_user()
    made = desk.remark(trace=trace, author=author, part="answer", start=0, end=5, text="why?")

    with pytest.raises(Refusal, match="Only who wrote"):
        desk.erase_remark(remark=made, by=make_user())
    desk.erase_remark(remark=made, by=author)

    assert not Remark.objects.exists()


def test_a_flag_waits_until_somebody_has_looked(trace, make_user):
    reviewer, colleague = make_user(), make_user()

    desk.flag(trace=trace, by=reviewer, note="first")
    raised = desk.flag(trace=trace, by=reviewer, note="look", colleague=colleague)
    desk.settle_flag(flag=raised, by=colleague)

    kept = Flag.objects.get()
    assert (kept.note, kept.colleague, kept.settled_by) == ("look", colleague, colleague)


def test_a_trace_that_is_put_right_keeps_what_it_said_and_is_marked_anew(trace, make_user):
    editor, seen = make_user(), trace.content_hash

    after = desk.rewrite(
        trace=trace,
        editor=editor,
        thinking=trace.thinking,
        answer="Final Answer: 3",
        reason="slip of the pen",
        seen=seen,
    )

    before = TraceEdit.objects.get()
    assert (before.answer, before.verdict, before.content_hash) == ("Final Answer: 4", "wrong", seen)
    assert (after.verdict, after.flaws, after.tokens_counted_by) == ("right", None, "estimate")
    assert after.content_hash != seen


def test_a_word_on_an_earlier_wording_is_known_as_such(trace, make_user):
    review = reviews.judge(trace=trace, reviewer=make_user(), word=Word("reject"))

    after = desk.rewrite(
        trace=trace,
        editor=make_user(),
        thinking="三。",
        answer="3",
        reason="shorter",
        seen=trace.content_hash,
    )

    assert Review.objects.get().judged_hash == review.judged_hash != after.content_hash


@pytest.mark.parametrize(
    ("thinking", "answer", "reason", "seen", "sentence"),
    [
        ("One and two.\n\n就是三。", "Final Answer: 4", "why not", None, "Nothing was changed"),
        ("", " ", "gone", None, "Nothing would be left"),
        ("三", "3", " ", None, "Say why"),
        ("三", "3", "shorter", "0" * 64, "changed this trace while you did"),
    ],
)
def test_a_change_that_cannot_be_is_refused(trace, make_user, thinking, answer, reason, seen, sentence):
    with pytest.raises(Refusal, match=sentence):
        desk.rewrite(
            trace=trace,
            editor=make_user(),
            thinking=thinking,
            answer=answer,
            reason=reason,
            seen=seen or trace.content_hash,
        )
    assert not TraceEdit.objects.exists()
