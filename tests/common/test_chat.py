"""A question as one prompt: s1's markup, with and without a system prompt, and options by letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.chat import (
    BARE,
    MARKUPS,
    QWEN,
    TURN_END,
    TURN_START,
    Markup,
    question_prompt,
    question_with_options,
    reply,
)

# As s1's training rows begin: Qwen2.5's chat template with its default system prompt.
S1_PROMPT = (
    "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
    "<|im_start|>user\nHow many r in raspberry<|im_end|>\n"
    "<|im_start|>assistant\n<|im_start|>think\n"
)


def test_a_prompt_is_s1_s_to_the_character():
    assert question_prompt(QWEN, "How many r in raspberry") == S1_PROMPT


def test_a_model_without_a_system_prompt_is_asked_at_once():
    assert question_prompt(BARE, "几点？") == (
        "<|im_start|>user\n几点？<|im_end|>\n<|im_start|>assistant\n<|im_start|>think\n"
    )


def test_a_reply_is_thinking_answer_and_the_end_of_the_turn():
    assert reply(QWEN, thinking="one, two, three", answer="3") == (
        "one, two, three\n<|im_start|>answer\nFinal Answer: 3<|im_end|>"
    )


@pytest.mark.parametrize("answer", ["Final Answer: 3", "There are three.\n\nFinal Answer: 3"])
def test_an_answer_that_names_itself_is_left_as_it_is(answer):
    assert reply(BARE, thinking="…", answer=answer).endswith(f"answer\n{answer}{TURN_END}")


def test_a_family_names_its_answers_in_its_own_words():
    chinese = Markup(name="zh", final_answer="最终答案：")

    assert "answer\n最终答案： 三<|im_end|>" in reply(chinese, thinking="…", answer="三")


@pytest.mark.parametrize("markup", MARKUPS.values(), ids=lambda markup: markup.name)
def test_thinking_opens_and_closes_with_the_one_token_that_stops_it(markup):
    assert markup.think_start.startswith(markup.stop)
    assert markup.answer_start.startswith(markup.stop)
    assert (markup.stop, markup.end) == (TURN_START, TURN_END)
    assert question_prompt(markup, "?").endswith(markup.think_start)
    assert MARKUPS[markup.name] == Markup(**markup.as_dict())


@given(thinking=st.text(max_size=20), answer=st.text(max_size=20))
def test_a_reply_reads_back_into_thinking_and_answer(thinking, answer):
    whole = reply(BARE, thinking=thinking, answer=answer)

    thought, _mark, answered = whole.partition("\n" + BARE.answer_start)
    assert thought == thinking
    assert answered.removesuffix(BARE.end).endswith(answer)
    assert BARE.final_answer in answered


@pytest.mark.parametrize(
    ("text", "options", "asked"),
    [
        ("How much?", (), "How much?"),
        ("哪一项正确？", ("有效", "无效"), "哪一项正确？\nA. 有效\nB. 无效"),
        ("Which?", ("a", "b", "c", "d", "e"), "Which?\nA. a\nB. b\nC. c\nD. d\nE. e"),
    ],
)
def test_options_are_lettered_from_a(text, options, asked):
    assert question_with_options(text, options) == asked
