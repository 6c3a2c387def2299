"""Two short texts that ask the same in other words, and two that only look so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.text import normal_form
from curator.core.overlap import Kind, Passage, leaks
from curator.core.rewording import words_alike

CLIPS = (
    "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. "
    "How many clips did Natalia sell altogether in April and May?"
)
REWORDED = [
    ("What is the capital city of France?", "What is the capital of France?"),
    ("Which city is the capital of France?", "What is the capital of France?"),
    ("Name the capital of France.", "What is the capital of France?"),
    ("What is France's capital?", "Name the capital of France."),
    ("法国的首都是哪里？", "法国首都是哪座城市？"),
    ("下列关于光合作用的说法，正确的是", "关于光合作用，下列说法正确的是"),
    (
        CLIPS,
        (
            "In April, Natalia sold 48 clips to friends; in May she sold half as many. "
            "What is the total number of clips she sold in both months?"
        ),
    ),
    ("Solve for x: 2x+3=7", "Find x if 2x+3=7"),
    (
        "甲公司2023年1月1日购入设备一台，原价100万元，残值率5%，使用年限10年，求年折旧额。",
        "2023年1月1日，甲公司购买一台设备，原值100万元，预计残值率为5%，预计可使用10年，计算每年应计提的折旧。",
    ),
    (
        "What is the measure, in degrees, of one interior angle of a regular hexagon?",
        "How many degrees are in each interior angle of a regular hexagon?",
    ),
    (
        "A principal source of the Earth's internal energy is",
        "The principal source of Earth's internal energy is",
    ),
]
OTHERS = [
    ("What is the capital of Germany?", "What is the capital of France?"),
    ("What is the chemical symbol for gold?", "What is the chemical symbol for silver?"),
    ("Who wrote Hamlet?", "Who wrote Macbeth?"),
    ("Which of these is not a noble gas of the air?", "Which of these is a noble gas of the air?"),
    ("下列不属于夫妻共同财产的是哪一项？", "下列属于夫妻共同财产的是哪一项？"),
    ("巴西是世界上最大的石油进口国。", "墨西哥是世界上最大的石油出口国。"),
    ("Solve for x: 2x+3=9", "Find x if 2x+3=7"),
    (
        "Determine the number of ways to arrange the letters of the word TOOT.",
        "Determine the number of ways to arrange the letters of the word ELLIPSE.",
    ),
    ("关于物权，下列说法正确的是", "关于债权，下列说法正确的是"),
    (
        "A rectangle is 8 long and 5 wide. What is its area?",
        "A rectangle is 8 long and 5 wide. Find its perimeter.",
    ),
]


@pytest.mark.parametrize(("one", "other"), REWORDED)
def test_a_question_in_other_words_is_the_same(one, other):
    assert words_alike(normal_form(one), normal_form(other)) > 0
    assert [hit.kind for hit in leaks([Passage("1", one)], [Passage("2", other)])] == [Kind.FUZZY]


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_another_question_in_the_same_words_is_another(one, other):
    assert words_alike(normal_form(one), normal_form(other)) == 0


def test_a_topic_is_no_question():
    assert words_alike("name a gas", "which gas?") == 0


@given(st.text(), st.text())
def test_the_order_of_two_texts_says_nothing(one, other):
    assert words_alike(one, other) == words_alike(other, one)
    assert 0 <= words_alike(one, other) <= 1
