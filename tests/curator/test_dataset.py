"""The identity of traces and datasets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.dataset import canonical_line, dataset_hash, evened, hash_of_words, trace_hash, utf8

ROWS = [
    {"question": "一", "options": ["a", "b"], "marks": 2.5},
    {"question": "二", "options": [], "marks": None},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_the_bytes_and_the_hash_are_those_of_every_machine_and_every_release():
    row = {"question": 'é\u00e9 "1"\n', "options": ["甲", "😀"], "marks": 2.0, "tokens": 10, "key": None}

    assert canonical_line(row) == (
        '{"key":null,"marks":2.0,"options":["甲","😀"],"question":"éé \\"1\\"\\n","tokens":10}\n'.encode()
    )
    assert dataset_hash(ROWS) == "d98f8f28168ad9bd146759746cb44dd9354b45150dddd8e5e43e8ec6768661af"


def test_the_order_of_fields_says_nothing_and_the_order_of_rows_does():
    turned = [dict(reversed(row.items())) for row in ROWS]

    assert dataset_hash(turned) == dataset_hash(ROWS)
    assert dataset_hash(ROWS[::-1]) != dataset_hash(ROWS)


def test_any_change_gives_another_identity():
    changed = [ROWS[0] | {"options": ["a", "B"]}, ROWS[1]]

    assert len({dataset_hash(rows) for rows in (ROWS, changed, ROWS[:1], [])}) == 4


def test_text_has_no_normal_form():
    assert dataset_hash([{"a": "\u00e9"}]) != dataset_hash([{"a": "e\u0301"}])


def test_a_lone_surrogate_is_written_as_the_mark_of_what_is_no_text():
    assert utf8("a\ud83d😀\udc00b") == "a\ufffd😀\ufffdb".encode()
    assert canonical_line({"a": "\ud800"}) == '{"a":"\ufffd"}\n'.encode()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_has_no_bytes(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_line({"a": number})


@given(st.dictionaries(st.text(), JSON))
def test_the_bytes_of_a_row_are_one_line_that_reads_back_the_same(row):
    line = canonical_line(row)

    assert line.count(b"\n") == 1
    assert canonical_line(json.loads(line)) == line


def test_rows_all_have_a_field_or_none_has_it():
    assert list(evened([{"a": "1"}, {"a": "2", "terms": "t"}], "terms")) == [
        {"a": "1", "terms": ""},
        {"a": "2", "terms": "t"},
    ]
    assert list(evened([{"a": "1"}], "terms")) == [{"a": "1"}]


def test_thinking_and_answer_are_kept_apart():
    assert trace_hash("ab", "c") != trace_hash("a", "bc")
    assert len(trace_hash("", "")) == 64


def test_words_are_hashed_in_their_order():
    assert hash_of_words(["a", "b"]) != hash_of_words(["b", "a"])
