"""What an answer earns: all for right, half for some of the right options, nothing for the rest."""

import pytest

from evaluation.core.grading import PARTLY_CREDIT, grade

LAW = ("合同成立", "合同有效", "合同可撤销", "合同无效")


@pytest.mark.parametrize(
    ("reply", "key", "options", "outcome", "credit"),
    [
        ("Final Answer: 42", "42", (), "right", 1.0),
        ("Final Answer: 41", "42", (), "wrong", 0.0),
        ("Final Answer: B", "B", LAW, "right", 1.0),
        ("故选：ABD", "ABD", LAW, "right", 1.0),
        ("故选：AB", "ABD", LAW, "partly", PARTLY_CREDIT),
        ("故选：ABC", "ABD", LAW, "wrong", 0.0),  # one wrong option costs all the marks
        ("故选：ABCD", "ABD", LAW, "wrong", 0.0),
        ("答案：C", "ABD", LAW, "wrong", 0.0),
        ("I cannot decide.", "A", LAW, "unparsed", 0.0),
        ("", "A", LAW, "unparsed", 0.0),
        ("Final Answer:", "42", (), "unparsed", 0.0),
    ],
)
def test_credit_follows_the_outcome(reply, key, options, outcome, credit):
    graded = grade(reply, key=key, options=options)

    assert (graded.outcome, graded.credit) == (outcome, credit)


def test_an_answer_that_cannot_be_read_names_no_option():
    graded = grade("After long thought, nothing follows.", key="A", options=LAW)

    assert graded.answer is None
    assert graded.rule


def test_a_grade_tells_the_answer_as_it_was_read():
    assert grade("最终答案：B、A", key="AB", options=LAW).answer == "AB"
