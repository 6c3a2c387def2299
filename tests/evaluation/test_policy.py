"""A budget policy: what it allows, what comes next for one thought, and what a file of them may say."""

import pytest

from common.core.refusal import Refusal
from evaluation.core.policy import (
    MOST_EXTENSIONS,
    MOST_TOKENS,
    BadPolicy,
    BudgetPolicy,
    Move,
    next_move,
    policies_from,
    widest,
)


@pytest.mark.parametrize(
    ("spent", "extended", "stopped", "move"),
    [
        (0, 0, False, Move.THINK),
        (99, 0, False, Move.THINK),
        (99, 2, False, Move.THINK),
        (40, 0, True, Move.EXTEND),
        (40, 1, True, Move.EXTEND),
        (40, 2, True, Move.ANSWER),
        (100, 0, True, Move.ANSWER),  # the total is spent: no "Wait" beyond it
        (100, 0, False, Move.ANSWER),
        (101, 1, False, Move.ANSWER),
    ],
)
def test_the_next_move_keeps_one_total_over_all_extensions(spent, extended, stopped, move):
    policy = BudgetPolicy(100, extensions=2)

    assert next_move(policy, spent=spent, extended=extended, stopped=stopped) is move


def test_without_extensions_a_stop_is_the_end_of_the_thought():
    assert next_move(BudgetPolicy(100), spent=3, extended=0, stopped=True) is Move.ANSWER


def test_a_budget_of_nothing_asks_for_the_answer_at_once():
    assert next_move(BudgetPolicy(0), spent=0, extended=0, stopped=False) is Move.ANSWER


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"max_tokens": 512}, "512"),
        ({"max_tokens": 512, "extensions": 2}, "512+2 Wait"),
        ({"max_tokens": 512, "extensions": 1, "extension_word": "再想想"}, "512+1 再想想"),
        ({"max_tokens": 512, "label": "short"}, "short"),
    ],
)
def test_a_policy_is_named_by_its_numbers_unless_it_has_a_label(fields, label):
    assert BudgetPolicy(**fields).label == label


def test_a_policy_comes_back_from_its_stored_values():
    policy = BudgetPolicy(512, extensions=2, extension_word="Hmm")

    assert policies_from([policy.as_dict()]) == [policy]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"max_tokens": -1}, "max_tokens is -1"),
        ({"max_tokens": MOST_TOKENS + 1}, f"from 0 to {MOST_TOKENS}"),
        ({"max_tokens": "512"}, "max_tokens is '512'"),
        ({"max_tokens": 5.0}, "max_tokens is 5.0"),
        ({"max_tokens": True}, "max_tokens is True"),
        ({"max_tokens": None}, "max_tokens is None"),
        ({"max_tokens": 5, "extensions": MOST_EXTENSIONS + 1}, f"from 0 to {MOST_EXTENSIONS}"),
        ({"max_tokens": 5, "extensions": 1, "extension_word": ""}, "needs an extension_word"),
        ({"max_tokens": 5, "extension_word": 7}, "extension_word is 7"),
        ({"max_tokens": 5, "label": ["a"]}, "label is ['a']"),
        ({"max_tokens": 5, "label": "x" * 61}, "at most 60 characters"),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_name(fields, says):
    with pytest.raises(BadPolicy) as refused:
        BudgetPolicy(**fields)

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "No budget policy is given"),
        ([{"extensions": 1}], "does not name its max_tokens"),
        ([{"max_tokens": 5, "budget": 7}], "has no budget"),
        ([512], "has no 512"),
        (["512"], "has no '512'"),
        (512, "512 is no budget policy"),
        ("512", "'512' is no budget policy"),
        ([{"max_tokens": 5}, {"max_tokens": 5}], "are the same or share a label"),
        ([{"max_tokens": 5, "label": "a"}, {"max_tokens": 6, "label": "a"}], "share a label"),
        (
            [
                {"max_tokens": 5, "extensions": 1},
                {"max_tokens": 6, "extensions": 1, "extension_word": "Hmm"},
            ],
            "different words",
        ),
    ],
)
def test_a_list_that_cannot_be_swept_is_refused_with_a_sentence(given, says):
    with pytest.raises(Refusal) as refused:
        policies_from(given)

    assert says in str(refused.value)


def test_one_object_is_a_list_of_one():
    assert policies_from({"max_tokens": 64}) == [BudgetPolicy(64)]


def test_the_word_of_a_policy_that_never_extends_is_no_second_word():
    given = [{"max_tokens": 5, "extension_word": "Hmm"}, {"max_tokens": 6, "extensions": 1}]

    assert len(policies_from(given)) == 2


def test_the_widest_policy_has_the_largest_budget_and_the_most_extensions():
    policies = [
        BudgetPolicy(900),
        BudgetPolicy(100, extensions=4, extension_word="Hmm"),
        BudgetPolicy(300, extensions=1, extension_word="Hmm"),
    ]

    wide = widest(policies)

    assert (wide.max_tokens, wide.extensions, wide.extension_word) == (900, 4, "Hmm")
