"""Checks before a training: every row is looked at, every fault is named, and no token is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.chat import BARE, QWEN, TURN_END
from tests.fakes import MARKS
from tests.training.test_conversation import Characters, make_row
from training.core.conversation import training_text
from training.core.preflight import RowsRefused, check_rows, refuse_faults

END = MARKS[TURN_END]


def checked(rows, *, markup=BARE, max_length=10_000, end_id=END):
    return check_rows(rows, Characters(), markup, max_length=max_length, end_id=end_id)


def test_rows_are_counted_in_tokens_and_the_prompt_is_not_among_what_is_learnt():
    rows = [make_row(), make_row(thinking="49+14=63. Wait, 9+4=13. Yes.")]

    found = checked(rows, markup=QWEN)

    texts = [training_text(QWEN, row) for row in rows]
    counts = [[len(Characters().encode(text, add_special_tokens=False)) for text in pair] for pair in texts]
    assert found.lengths == tuple(map(sum, counts))
    assert (found.taught, found.kept) == (sum(pair[1] for pair in counts), sum(map(sum, counts)))
    assert found.faults == ()


def test_every_row_that_cannot_be_trained_on_is_named_by_its_number():
    rows = [make_row(), make_row(thinking="x" * 500), make_row(thinking=" "), make_row(answer="<|im_end|>")]

    found = checked(rows, max_length=300)

    assert [fault.number for fault in found.faults] == [2, 3, 4]
    assert [next(word for word in ("tokens", "thinking", "markup") if word in fault.reason) for fault in found.faults] == [
        "tokens", "thinking", "markup"
    ]  # fmt: skip
    assert found.lengths[1] > 500
    assert found.lengths[3] == 0  # what it would be as tokens is not known


def test_an_end_that_is_no_end_token_is_a_fault_of_every_row():
    assert len(checked([make_row()] * 3, end_id=END + 1).faults) == 3


def test_the_first_fault_is_said_and_the_others_counted():
    refuse_faults(checked([make_row()]))
    rows = [make_row(), *[make_row(thinking="")] * 7]

    with pytest.raises(RowsRefused) as refused:
        refuse_faults(checked(rows))

    assert str(refused.value).startswith("7 rows of the dataset cannot be trained on, row 2 first: it has no")


def test_rows_that_repeat_another_are_counted():
    assert checked([make_row(), make_row(answer="64"), make_row(), make_row()]).twins == 2


@pytest.mark.parametrize(
    ("lengths", "places"),
    [([], ()), ([5], (0,)), ([5, 3], (1, 0)), ([9, 1, 5], (1, 2, 0)), ([2, 2, 2], (0, 1, 2))],
)
def test_the_shortest_the_middle_and_the_longest_row_are_shown(lengths, places):
    assert checked([make_row(thinking="y" * length) for length in lengths]).landmarks == places


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=8), st.integers(30, 200))
def test_each_row_is_either_kept_whole_or_a_fault(texts, most):
    rows = [make_row(thinking=thinking, answer=answer) for thinking, answer in texts]

    found = checked(rows, max_length=most)

    faults = {fault.number - 1 for fault in found.faults}
    kept = [length for place, length in enumerate(found.lengths) if place not in faults]
    assert found.rows == len(rows)
    assert all(length <= most for length in kept)
    assert found.kept == sum(kept)
    assert (0 < found.taught < found.kept) if kept else (found.taught_share == 0)
