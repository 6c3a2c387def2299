"""The one marker of traces and evaluations: what is read as the answer, and what agrees with a key."""

import gzip
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.core.answers import Marker, Outcome, final_answer, letters_of, mark

FOUR = ("Paris", "London", "A dog", "以上全对")

FOUND = [
    ("Final Answer: 46", "46"),
    ("so it is\nAnswer: 3\nno, wait\nAnswer: 5", "5"),
    ("### **Final Answer:**\n\nAnswer: Cara", "Cara"),
    ("**Final Answer**\n\n253", "253"),
    ("The correct option is (C) because it rained.", "(C) because it rained"),
    ("答案：乙公司", "乙公司"),
    ("综上，最终答案是 12 元。", "12 元"),
    ("故本题选B。", "B"),
    ("【答案】B", "B"),
    ("【答案】ACD\n【解析】略", "ACD"),
    ("因此，应选ACD", "ACD"),
    ("正确答案为【AB】", "【AB】"),
    (r"thus \boxed{\frac{3}{56}} holds", r"\frac{3}{56}"),
    (r"\boxed{3}, no, wait, \boxed{5}", "5"),
    (r"\boxed{\left\{1,2\right\}}", r"\left\{1,2\right\}"),
    (r"\boxed{5}. The answer is easy to check.", "5"),
    (r"\boxed{3} is only half of it. Final Answer: 6", "6"),
    ("B", "B"),
    ("(C).", "(C)."),
    ("42", "42"),
    ("Final Answer: .5", ".5"),
]

NOT_FOUND = [
    "",
    "   \n",
    "I answer questions for a living.",
    "The first option A is wrong, and so is B.",
    "选项A错误，选项B正确。",
    "Final Answer:",
    r"Final Answer: \boxed{12",
    "答案",
    "It depends on what 12 means.",
]


@pytest.mark.parametrize(("reply", "answer"), FOUND)
def test_the_last_answer_that_is_named_is_found(reply, answer):
    assert final_answer(reply) == answer


@pytest.mark.parametrize("reply", NOT_FOUND)
def test_a_reply_that_names_no_answer_has_none(reply):
    assert final_answer(reply) is None
    assert mark(reply, key="A", options=FOUR).outcome is Outcome.UNPARSED


CHOICES = [
    ("B", "B", Outcome.RIGHT),
    ("(B) because it rained", "B", Outcome.RIGHT),
    ("Option B", "B", Outcome.RIGHT),
    ("B. London", "B", Outcome.RIGHT),
    ("B London", "B", Outcome.RIGHT),
    ("London", "B", Outcome.RIGHT),
    ("Ｂ", "B", Outcome.RIGHT),
    ("B项正确", "B", Outcome.RIGHT),
    (r"\text{B}", "B", Outcome.RIGHT),
    ("b", "B", Outcome.RIGHT),
    ("A", "B", Outcome.WRONG),
    ("Paris", "B", Outcome.WRONG),
    ("A or B", "B", Outcome.WRONG),
    ("B或C", "B", Outcome.WRONG),
    ("A dog", "C", Outcome.RIGHT),
    ("A公司", "A", Outcome.UNPARSED),
    ("None of these cities", "B", Outcome.UNPARSED),
    ("not B", "B", Outcome.UNPARSED),
    ("ABD", "ABD", Outcome.RIGHT),
    ("A、B、D", "ABD", Outcome.RIGHT),
    ("A, B and D", "ABD", Outcome.RIGHT),
    ("A,B 和 D", "ABD", Outcome.RIGHT),
    ("A B D", "ABD", Outcome.RIGHT),
    ("ＡＢＤ", "ABD", Outcome.RIGHT),
    ("DBA", "A，B，D", Outcome.RIGHT),
    ("AB", "ABD", Outcome.PARTLY),
    ("D", "ABD", Outcome.PARTLY),
    ("ABC", "ABD", Outcome.WRONG),
    ("ABCD", "ABD", Outcome.WRONG),
    ("ABD", "A", Outcome.WRONG),
    ("以上全对", "D", Outcome.RIGHT),
]


@pytest.mark.parametrize(("answer", "key", "outcome"), CHOICES)
def test_choices_are_compared_as_sets_of_letters(answer, key, outcome):
    assert mark(f"Final Answer: {answer}", key=key, options=FOUR).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "key", "options", "outcome"),
    [
        ("3", "B", ("2", "3", "4", "5"), Outcome.RIGHT),
        ("4", "B", ("2", "3", "4", "5"), Outcome.WRONG),
        ("乙", "B", ("甲", "乙", "丙", "丁"), Outcome.RIGHT),
        ("错", "A", ("对", "错"), Outcome.WRONG),
        ("A", "A", ("B", "A", "C", "D"), Outcome.RIGHT),  # one Latin letter is always an option's name
    ],
)
def test_an_option_of_one_character_is_named_by_it(answer, key, options, outcome):
    assert mark(f"答案：{answer}", key=key, options=options).outcome is outcome


@pytest.mark.parametrize("answer", ["以上全对", "全选", "All of the above"])
def test_all_of_them_means_every_letter_where_no_option_says_so(answer):
    assert mark(f"答案：{answer}", key="ABC", options=("甲", "乙", "丙")).outcome is Outcome.RIGHT


def test_a_key_in_words_is_answered_by_its_letter_too():
    assert mark("Answer: A", key="yes", options=("yes", "no")).outcome is Outcome.RIGHT
    assert mark("Answer: yes", key="yes", options=("yes", "no")).outcome is Outcome.RIGHT
    assert mark("Answer: B", key="yes", options=("yes", "no")).outcome is Outcome.WRONG


SEQUENCES = [
    ("C, A, BD", Outcome.RIGHT),
    ("C、A、BD", Outcome.RIGHT),
    ("C A BD", Outcome.RIGHT),
    ("C, B, BD", Outcome.PARTLY),
    ("A, C, AD", Outcome.WRONG),
    ("C, A", Outcome.WRONG),
]


@pytest.mark.parametrize(("answer", "outcome"), SEQUENCES)
def test_letters_of_several_parts_are_compared_in_order(answer, outcome):
    assert mark(f"答案：{answer}", key="C, A, BD").outcome is outcome


NUMBERS = [
    ("-3℃", "-3", Outcome.RIGHT),
    (r"37^\circ\mathrm{C}", "37", Outcome.RIGHT),
    ("37 摄氏度", "37 °C", Outcome.RIGHT),
    ("37°F", "37℃", Outcome.WRONG),
    ("1,234", "1234", Outcome.RIGHT),
    ("１２３４", "1234", Outcome.RIGHT),
    ("$1,234.50", "1234.5", Outcome.RIGHT),
    ("x = 5", "5", Outcome.RIGHT),
    (r"\dfrac{14}{3}", r"\frac{14}{3}", Outcome.RIGHT),
    (r"5\frac12", "5.5", Outcome.RIGHT),
    ("0.5", "1/2", Outcome.RIGHT),
    ("12.5%", "0.125", Outcome.RIGHT),
    ("12.5", "12.5%", Outcome.RIGHT),
    ("12.5%", "12.5", Outcome.RIGHT),
    ("3万元", "30000", Outcome.RIGHT),
    ("1.2亿", "120,000,000", Outcome.RIGHT),
    ("5 million", "5000000", Outcome.RIGHT),
    ("12 apples", "12", Outcome.RIGHT),
    ("12 hours", "12", Outcome.RIGHT),
    (r"90^\circ", "90", Outcome.RIGHT),
    ("The total for 3 people is 42 dollars", "42", Outcome.RIGHT),
    ("0.3333", "0.33", Outcome.RIGHT),
    ("0.66667", "0.67", Outcome.RIGHT),
    ("-25", "(25)", Outcome.RIGHT),
    ("12", "1,2", Outcome.WRONG),
    ("12.4", "12", Outcome.WRONG),
    ("0.33", "1/3", Outcome.WRONG),
    ("5", "5 million", Outcome.WRONG),
    ("5,000,000", "5", Outcome.WRONG),
    ("10 m/s", "10 km/h", Outcome.WRONG),
    ("5 kg", "5 g", Outcome.WRONG),
    ("-3", "3", Outcome.WRONG),
    ("6!", "6", Outcome.WRONG),
    ("2x", "2", Outcome.WRONG),
    ("12 or 15", "12", Outcome.WRONG),
    ("twelve", "12", Outcome.RIGHT),
    ("1/0", "1", Outcome.WRONG),
]


@pytest.mark.parametrize(("answer", "key", "outcome"), NUMBERS)
def test_numbers_are_compared_by_value(answer, key, outcome):
    assert mark(f"Final Answer: {answer}", key=key).outcome is outcome


TEXTS = [
    (r"$\left(3, \dfrac{\pi}{2}\right)$", r"\left( 3, \frac{\pi}{2} \right)", Outcome.RIGHT),
    ("(3, π/2)", r"(3, \frac{\pi}{2})", Outcome.RIGHT),
    (r"\sqrt2/2", r"\frac{\sqrt{2}}{2}", Outcome.RIGHT),
    ("Dan. He is before Eve.", "Dan", Outcome.RIGHT),
    ("**Dan**", "dan", Outcome.RIGHT),
    ("Dan!", "Dan", Outcome.RIGHT),
    ("Brasília", "Brasilia", Outcome.RIGHT),
    ("乙公司。", "乙公司", Outcome.RIGHT),
    ("Ｆｒｉｄａｙ", "Friday", Outcome.RIGHT),
    ("是，因为合同有效", "是", Outcome.RIGHT),
    ("[0,1)", "(0,1)", Outcome.WRONG),
    ("2x", "2y", Outcome.WRONG),
    ("不是", "是", Outcome.WRONG),
    ("Danny", "Dan", Outcome.WRONG),
    ("n!", "n", Outcome.WRONG),
]


@pytest.mark.parametrize(("answer", "key", "outcome"), TEXTS)
def test_texts_are_compared_in_their_normal_form(answer, key, outcome):
    assert mark(f"Final Answer: {answer}", key=key).outcome is outcome


def test_a_key_of_several_lines_is_held_against_the_whole_answer():
    key = "（1）胞吐 协助扩散\n（2）增加"

    assert mark(f"答案：{key}", key=key).outcome is Outcome.RIGHT
    assert mark("答案：（1）胞吐 协助扩散\n（2）减少", key=key).outcome is Outcome.WRONG


def test_a_question_without_a_key_is_unkeyed_whatever_the_reply():
    marked = mark("Final Answer: 12", key=" ")

    assert (marked.outcome, marked.answer) == (Outcome.UNKEYED, "12")


def test_the_rule_that_decided_is_named():
    assert mark("Final Answer: 12.5", key="12.5%").rule == "same number, percent sign aside"
    assert mark("Final Answer: 0.333", key="0.33").rule == "same number, rounded as the key"
    assert mark("Final Answer: AB", key="ABD").rule == "some of the letters"


def test_a_marker_can_be_named_where_the_key_alone_would_mislead():
    assert mark("Final Answer: 0012", key="12", marker=Marker.TEXT).outcome is Outcome.WRONG
    assert mark("Final Answer: 0012", key="12", marker=Marker.NUMBER).outcome is Outcome.RIGHT


def test_model_text_is_never_run():
    reply = "Final Answer: __import__('os').abort()"

    assert mark(reply, key="12").outcome is Outcome.WRONG


@given(st.text(max_size=300), st.sampled_from(["B", "12.5%", "C, A", "some words", "1/3"]))
def test_any_reply_gets_one_of_the_outcomes(reply, key):
    assert mark(reply, key=key, options=FOUR if key == "B" else ()).outcome in Outcome


@given(st.sets(st.sampled_from("ABCDEFG"), min_size=1), st.sampled_from(["", "、", ", ", " and ", " "]))
def test_letters_come_back_however_they_are_joined(letters, joint):
    assert letters_of(joint.join(sorted(letters))) == letters


HOSTILE = [
    "answer" * 100_000, "Answer: " + " " * 300_000 + "x", "Answer: a" + " " * 3_900 + "b", "Answer: " + "(" * 100_000,
    "\\boxed{" * 100_000, "Answer: " + "\\frac" * 100_000, "Answer: " + "1 or " * 100_000, "Answer: " + "9" * 100_000,
    "Answer: " + "A or " * 100_000, "Answer: " + "ﷺ" * 100_000, "*" * 300_000, "\n \n" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("reply", HOSTILE, ids=lambda reply: repr(reply[:12]))
def test_no_reply_keeps_the_marker_busy(reply):
    began = time.perf_counter()

    for key in ("12.50", "BD", "C, A", "some words"):
        mark(reply, key=key)

    assert time.perf_counter() - began < 1.0


def rows_of(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.mark.real_pools
def test_real_keys_as_answers_are_right_and_wrong_letters_are_not(real_pools):
    paths = sorted((real_pools / "benchmarks").glob("*.jsonl.gz"))

    marked = [(row, tuple(row["options"] or ())) for path in paths for row in rows_of(path)]
    keys = [
        mark(f"Final Answer: {row['answer']}", key=row["answer"], options=options) for row, options in marked
    ]
    others = [
        mark(f"答案：{letter}", key=row["answer"], options=options)
        for row, options in marked
        for letter in "ABCD"[: len(options)]
        if letter not in row["answer"]
    ]

    assert len(keys) == 3139
    assert {made.outcome for made in keys} == {Outcome.RIGHT}
    assert len(others) > 900
    assert {made.outcome for made in others} == {Outcome.WRONG}


@pytest.mark.real_pools
def test_the_marker_and_the_labels_of_all_real_traces_agree_but_for_those_that_were_looked_at(real_pools):
    """18 labels call an answer wrong that is the key in other signs; 6 answers say more than their keys."""
    rows = [row for path in (real_pools / "traces").glob("*.jsonl.gz") for row in rows_of(path)]
    labelled = [row for row in rows if row["reference"] and row["correct"] is not None]

    marks = [
        mark(row["answer"], key=row["reference"], options=tuple(row["options"] or ())) for row in labelled
    ]

    called_wrong = [
        made
        for made, row in zip(marks, labelled, strict=True)
        if made.outcome is Outcome.RIGHT and not row["correct"]
    ]
    called_right = [
        made
        for made, row in zip(marks, labelled, strict=True)
        if made.outcome is not Outcome.RIGHT and row["correct"]
    ]
    assert len(labelled) == 1084
    assert len(called_wrong) <= 18
    assert len(called_right) <= 6
    assert {made.rule for made in called_right} <= {"other text"}  # a grader decides about these


@pytest.mark.real_pools
def test_real_replies_are_marked_as_their_labels_say(real_pools):
    rows = [row for path in (real_pools / "traces").glob("kimi_*.jsonl.gz") for row in rows_of(path)]
    labelled = [row for row in rows if row["reference"] and row["correct"] is not None]

    outcomes = [
        mark(row["answer"], key=row["reference"], options=tuple(row["options"] or ())).outcome
        for row in labelled
    ]

    assert len(labelled) == 744
    assert [outcome is Outcome.RIGHT for outcome in outcomes] == [row["correct"] for row in labelled]


@settings(max_examples=50)
@given(st.integers(-(10**9), 10**9), st.integers(0, 4))
def test_a_number_agrees_with_itself_however_it_is_grouped(value, places):
    written = f"{value / 10**places:,.{places}f}"

    assert mark(f"Final Answer: {written}", key=written.replace(",", "")).outcome is Outcome.RIGHT
