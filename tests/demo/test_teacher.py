"""The stand-in teacher: mostly right, and wrong, cut or looping in known shares."""

from collections import Counter

import pytest

from demo.field import make_benchmark, make_pool, solve
from demo.teacher import LOOPS, SHARE_CUT, SHARE_LOOPING, SHARE_WRONG, work_out


def kind_of(question):
    reply = work_out(question.text)
    if reply.finish_reason == "length":
        return "cut"
    if reply.content != f"Final Answer: {question.answer}":
        return "wrong"
    return "right" if reply.thinking == question.thinking else "looping"


def test_the_shares_of_flawed_replies_are_those_that_are_named():
    pool = make_pool(4, 8000)

    shares = Counter(map(kind_of, pool))

    assert shares["wrong"] / 8000 == pytest.approx(SHARE_WRONG, abs=0.006)
    assert shares["cut"] / 8000 == pytest.approx(SHARE_CUT, abs=0.006)
    assert shares["looping"] / 8000 == pytest.approx(SHARE_LOOPING, abs=0.005)
    assert shares["right"] == 8000 - shares["wrong"] - shares["cut"] - shares["looping"]


def test_a_wrong_reply_has_as_many_lines_as_the_right_one_and_ends_on_its_own_answer():
    wrong = [question for question in make_pool(5, 3000) if kind_of(question) == "wrong"]

    replies = [work_out(question.text) for question in wrong]

    assert len(wrong) > 20
    for question, reply in zip(wrong, replies, strict=True):
        assert reply.thinking.count("\n") == question.thinking.count("\n")
        assert reply.thinking.endswith("=" + reply.content.removeprefix("Final Answer: "))


def test_a_cut_reply_is_a_beginning_without_an_answer():
    cut = [question for question in make_pool(5, 3000) if kind_of(question) == "cut"]

    for question in cut:
        reply = work_out(question.text)
        assert reply.content == ""
        assert question.thinking.startswith(reply.thinking)
        assert 0 < len(reply.thinking) < len(question.thinking)


def test_a_looping_reply_writes_one_line_over_and_over():
    looping = [question for question in make_pool(5, 3000) if kind_of(question) == "looping"]

    for question in looping:
        lines = Counter(work_out(question.text).thinking.splitlines())
        assert max(lines.values()) == LOOPS


def test_the_same_question_gets_the_same_reply():
    benchmark = make_benchmark(2, 2)

    assert [work_out(q.text) for q in benchmark] == [work_out(f" {q.text}\n") for q in benchmark]


def test_a_question_with_instructions_around_it_is_found():
    text = "The account starts at 49: ① deposit 7; ② withdrew 9. Closing balance?"

    assert work_out(f"Think step by step.\n{text}\nEnd with the answer.") == work_out(text)
    assert solve(text).answer == "47"


@pytest.mark.parametrize(
    ("text", "opening"), [("Who wrote Hamlet?", "I cannot answer"), ("合同何时成立？", "我无法回答")]
)
def test_any_other_text_is_refused_in_its_own_language(text, opening):
    reply = work_out(text)

    assert reply.content.startswith(opening)
    assert (reply.thinking, reply.finish_reason) == ("", "stop")
