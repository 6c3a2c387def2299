"""Which trace stands for a question: the order of a rule, its reasons, and who agrees with whom."""

from collections import defaultdict
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.core.answers import Outcome, mark
from curator.core import best
from curator.core.best import BY_KEY, RANKINGS, STANDARD, BadRanking, Kind, Pair, Ranking, answer_form
from curator.core.method import BadMethod, Method

LOOP, CUT, UNCOUNTED = 1, 2, 4
COUNTED = np.uint64(LOOP | CUT)


def trace(key, *, question=1, teacher=None, **facts):
    """Return a trace's columns; each is right and like the others unless said otherwise."""
    return {
        "question": question,
        "trace": key,
        "tokens": 100,
        "is_right": True,
        "flaws": 0,
        "usd": 0.0,
        "teacher": key if teacher is None else teacher,
        "kind": Kind.TRACE.value,
        "said": BY_KEY if facts.get("is_right", True) else "B",
        "content": key,
        "is_chosen": False,
    } | facts


def order(*traces, ranking=STANDARD):
    """Return the traces' keys in their order, each with what it lost by."""
    columns = best.typed(traces)
    keys = columns["trace"].to_list()
    return [(keys[step.place], step.lost_by) for step in best.ranked(columns, COUNTED, RANKINGS[ranking])]


def winner(*traces, ranking=STANDARD):
    """Return the keys of the traces that stand for their questions."""
    columns = best.typed(traces)
    return columns["trace"].gather(best.best_places(columns, COUNTED, RANKINGS[ranking])).to_list()


@pytest.mark.parametrize(
    ("better", "worse", "lost_by"),
    [
        ({"is_chosen": True, "is_right": False, "flaws": LOOP}, {}, "chosen"),
        ({"is_right": False, "said": ""}, {"kind": Kind.BARE.value}, "kind"),
        ({"kind": Kind.BARE.value, "is_right": False}, {"kind": Kind.SUMMARY.value}, "kind"),
        ({"tokens": 1, "usd": 9.0}, {"is_right": False, "tokens": 9_000}, "right"),
        ({"flaws": LOOP, "tokens": 5}, {"flaws": LOOP | CUT, "tokens": 500}, "flaws"),
        ({"tokens": 101}, {"tokens": 100, "flaws": UNCOUNTED}, "longer"),
        ({"usd": 0.01}, {"usd": 0.02}, "cheaper"),
        ({"content": 4}, {"content": 5}, "content"),
    ],
)
def test_the_standard_rule_decides_by_the_first_criterion_that_tells_two_apart(better, worse, lost_by):
    assert order(trace(1, **better), trace(2, **worse)) == [(1, ""), (2, lost_by)]
    assert order(trace(2, **better), trace(1, **worse)) == [(2, ""), (1, lost_by)]


def test_of_wrong_traces_the_one_that_other_teachers_agree_with_goes_first():
    wrong = [trace(key, is_right=False, said=said, tokens=900 - key) for key, said in enumerate("ABBC", 1)]

    assert order(*wrong) == [(2, ""), (3, "longer"), (1, "agreement"), (4, "longer")]


def test_a_teacher_that_says_the_same_again_does_not_agree_with_itself():
    again = [trace(key, teacher=7, is_right=False, said="A") for key in (1, 2, 3)]
    others = [trace(key, is_right=False, said="B") for key in (4, 5)]

    columns = best.typed([*again, *others])

    assert columns["agreement"].to_list() == [0, 0, 0, 1, 1]


def test_replies_without_an_answer_do_not_agree():
    columns = best.typed([trace(key, is_right=False, said="") for key in (1, 2)])

    assert columns["agreement"].to_list() == [0, 0]


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [(STANDARD, 4), ("alone", 4), ("brief", 1), ("middle", 2), ("cheap", 3)],
)
def test_each_named_rule_takes_another_of_the_same_right_traces(ranking, expected):
    traces = [
        trace(1, tokens=10, usd=0.03),
        trace(2, tokens=480, usd=0.02),
        trace(3, tokens=600, usd=0.01),
        trace(4, tokens=900, usd=0.04),
        trace(5, tokens=40, usd=0.05, flaws=LOOP),
    ]

    assert winner(*traces, ranking=ranking) == [expected]


def test_a_summary_stands_for_a_question_only_where_an_expert_says_so():
    summary = {"kind": Kind.SUMMARY.value}

    assert winner(trace(1, **summary), trace(2, **summary)) == []
    assert winner(trace(1, **summary), trace(2, is_chosen=True, **summary)) == [2]
    assert winner(trace(1, **summary), trace(2, kind=Kind.BARE.value, is_right=False)) == [2]


def test_a_summary_is_no_trace_but_its_answer_agrees():
    lone, backed = trace(1, is_right=False, said="A"), trace(2, is_right=False, said="B", tokens=1)
    summary = trace(3, is_right=False, said="B", kind=Kind.SUMMARY.value)

    assert winner(lone, backed, summary) == [2]


def test_nothing_stands_for_nothing():
    assert winner() == []
    assert order() == []
    assert best.pairs(best.typed([])) == []


replies = st.fixed_dictionaries(
    {
        "question": st.integers(1, 4),
        "tokens": st.integers(0, 3),
        "is_right": st.booleans(),
        "flaws": st.integers(0, 7),
        "usd": st.sampled_from([0.0, 0.01, 0.5]),
        "teacher": st.integers(1, 4),
        "kind": st.sampled_from([kind.value for kind in Kind]),
        "said": st.sampled_from(["", "A", "B", "12"]),
        "content": st.integers(0, 3),
        "is_chosen": st.just(False),
    }
)
many = st.lists(replies, max_size=30).map(
    lambda rows: [
        row | {"trace": key, "said": BY_KEY if row["is_right"] else row["said"]}
        for key, row in enumerate(rows)
    ]
)


@settings(deadline=None)
@given(traces=many, ranking=st.sampled_from(list(RANKINGS)), seed=st.integers())
def test_the_order_is_total_and_does_not_depend_on_the_order_of_the_rows(traces, ranking, seed):
    shuffled = Random(seed).sample(traces, len(traces))

    ordered = order(*traces, ranking=ranking)

    assert ordered == order(*shuffled, ranking=ranking)
    assert sorted(key for key, _lost_by in ordered) == [row["trace"] for row in traces]


@settings(deadline=None)
@given(traces=many, ranking=st.sampled_from(list(RANKINGS)))
def test_the_best_is_the_first_of_the_whole_order_unless_that_is_a_summary(traces, ranking):
    kinds = {row["trace"]: row["kind"] for row in traces}

    firsts = [key for key, lost_by in order(*traces, ranking=ranking) if not lost_by]

    assert winner(*traces, ranking=ranking) == [key for key in firsts if kinds[key] != Kind.SUMMARY]


@settings(deadline=None)
@given(traces=many)
def test_a_right_trace_is_never_beaten_by_a_wrong_one(traces):
    rows = {row["trace"]: row for row in traces}
    real = defaultdict(list)
    for row in traces:
        if row["kind"] == Kind.TRACE:
            real[row["question"]].append(row["is_right"])

    stands = [rows[key] for key in winner(*traces)]

    assert all(row["is_right"] for row in stands if any(real[row["question"]]))


@settings(deadline=None)
@given(traces=many.filter(bool), place=st.integers(0, 29), ranking=st.sampled_from(list(RANKINGS)))
def test_what_an_expert_chose_stands_for_its_question_under_every_rule(traces, place, ranking):
    chosen = traces[place % len(traces)]
    traces[place % len(traces)] = chosen | {"is_chosen": True}

    assert chosen["trace"] in winner(*traces, ranking=ranking)


@pytest.mark.parametrize("criteria", [(), ("right", "right"), ("right", "luck")])
def test_a_ranking_that_cannot_be_is_refused(criteria):
    with pytest.raises(BadRanking, match="mine"):
        Ranking("mine", criteria)


def test_a_method_names_one_of_the_rules():
    assert Method("mine").ranking == STANDARD
    with pytest.raises(BadMethod, match="ranking 'luck' is not one of standard, alone"):
        Method("mine", ranking="luck")


# Replies to one question: those of a line agree with one another, and with no other line.
FORMS = [
    (("A", "B", "C"), "", [["Answer: A", "\\boxed{A}", "The answer is (A) Paris", "答案：A"], ["Answer: C"]]),
    (("Paris", "Rome"), "", [["\\boxed{Rome}", "Answer: B"], ["Answer: A", "Final Answer: Paris"]]),
    ((), "ABD", [["答案：ABD", "Answer: A, B, D", "\\boxed{DBA}"], ["Answer: AB"]]),
    ((), "", [["\\boxed{0.5}", "Answer: 1/2", "\\boxed{\\frac{1}{2}}"], ["Answer: 0.25"], ["Answer: 5"]]),
    ((), "", [["\\boxed{1,200}", "Answer: 1200", "答案：1200"], ["Answer: 1201"]]),
    ((), "", [["\\boxed{x=5}", "Answer: 5"], ["Answer: x = 6"]]),
    ((), "", [["\\boxed{a=1, b=2}"], ["\\boxed{a=3, b=2}"]]),
    ((), "", [["Answer: A: 3, B: 4"], ["Answer: A: 5, B: 6"]]),
    ((), "北京", [["答案：北京", "Final Answer: 北京。"], ["答案：上海"]]),
    ((), "", [["Answer: " + "x+" * 60 + "1"], ["Answer: " + "x+" * 60 + "2"]]),
]


@pytest.mark.parametrize(("options", "key", "groups"), FORMS)
def test_answers_that_the_marker_reads_the_same_way_have_one_form(options, key, groups):
    forms = [{answer_form(reply, options=options, key=key) for reply in group} for group in groups]

    assert [len(form) for form in forms] == [1] * len(groups)
    assert len(set.union(*forms)) == len(groups)
    assert "" not in set.union(*forms)


@pytest.mark.parametrize(("options", "key", "groups"), FORMS)
def test_two_replies_of_one_form_agree_by_the_marker(options, key, groups):
    named = [(line, reply) for line, group in enumerate(groups) for reply in group]
    for line, reply in named:
        for other_line, other in named:
            said = mark(other, key="", options=options).answer
            marked = mark(reply, key=answer_form(other, options=options, key=key), options=options)
            if len(said) < best.LONGEST_FORM:
                assert (marked.outcome is Outcome.RIGHT) is (line == other_line), (reply, other)


@pytest.mark.parametrize("reply", ["", "I do not know.", "\\boxed{3"])
def test_a_reply_without_an_answer_has_no_form(reply):
    assert answer_form(reply) == ""


def test_an_answer_that_names_no_option_has_no_form():
    assert answer_form("Answer: none of these", options=("Paris", "Rome")) == ""


def test_the_agreement_of_two_teachers_counts_the_questions_that_both_answered_and_first_tries():
    traces = [
        *[trace(1, question=1, teacher=1), trace(2, question=1, teacher=2)],
        *[trace(3, question=2, teacher=1, is_right=False, said="A"), trace(4, question=2, teacher=2)],
        trace(5, question=2, teacher=1),  # another try
        *[trace(6, question=3, teacher=1), trace(7, question=3, teacher=2, is_right=False, said="")],
        *[trace(8, question=4, teacher=3), trace(9, question=4, teacher=2)],
    ]

    found = best.pairs(best.typed(traces))

    assert found == [Pair(1, 2, both=2, same=1), Pair(2, 3, both=1, same=1)]
