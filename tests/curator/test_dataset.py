"""The identity of traces and datasets."""

from curator.core.dataset import dataset_hash, trace_hash

ROWS = [
    {"question": "一", "options": ["a", "b"], "marks": 2.5},
    {"question": "二", "options": [], "marks": None},
]


def test_the_order_of_fields_says_nothing_and_the_order_of_rows_does():
    turned = [dict(reversed(row.items())) for row in ROWS]

    assert dataset_hash(turned) == dataset_hash(ROWS)
    assert dataset_hash(ROWS[::-1]) != dataset_hash(ROWS)


def test_any_change_gives_another_identity():
    changed = [ROWS[0] | {"options": ["a", "B"]}, ROWS[1]]

    assert len({dataset_hash(rows) for rows in (ROWS, changed, ROWS[:1], [])}) == 4


def test_thinking_and_answer_are_kept_apart():
    assert trace_hash("ab", "c") != trace_hash("a", "bc")
    assert len(trace_hash("", "")) == 64
