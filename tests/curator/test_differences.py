"""How one text became another, word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.differences import Fate, Piece, condensed, differences

S, G, N = Fate.SAME, Fate.GONE, Fate.NEW


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "", []),
        ("same", "same", [(S, "same")]),
        ("net profit of 2019", "net profit of 2020", [(S, "net profit of "), (G, "2019"), (N, "2020")]),
        ("净利润是多少", "净亏损是多少", [(S, "净"), (G, "利润"), (N, "亏损"), (S, "是多少")]),
        ("", "new", [(N, "new")]),
        ("old", "", [(G, "old")]),
    ],
)
def test_differences_are_words_and_chinese_characters(before, after, pieces):
    assert differences(before, after) == pieces


@given(st.text("ab 中文\n,"), st.text("ab 中文\n,"))
def test_both_texts_can_be_read_from_their_differences(before, after):
    pieces = differences(before, after)

    assert "".join(text for fate, text in pieces if fate != N) == before
    assert "".join(text for fate, text in pieces if fate != G) == after


def test_what_stayed_is_cut_where_it_is_far_from_a_difference():
    pieces = [(S, "a" * 50), (G, "x" * 50), (S, "b" * 50), (N, "y"), (S, "c" * 50)]

    shown = condensed([Piece(*piece) for piece in pieces], around=10)

    texts = ["…" + "a" * 10, "x" * 50, "b" * 10 + "…" + "b" * 10, "y", "c" * 10 + "…"]
    assert [piece.text for piece in shown] == texts


def test_a_text_that_did_not_change_and_a_short_one_are_shown_whole():
    assert condensed(differences("a" * 500, "a" * 500)) == [(S, "a" * 500)]
    assert condensed(differences("net profit", "net loss")) == differences("net profit", "net loss")
