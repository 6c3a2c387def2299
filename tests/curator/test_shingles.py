"""Texts as arrays of hashes: runs of tokens, and many texts a part at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from common.core.text import ngrams
from curator.core.shingles import Characters, batches, read_all, runs_of, said_tokens

TEXTS = st.lists(st.text("ab 一二", max_size=30), max_size=6)


@given(TEXTS, st.data())
def test_two_runs_have_one_hash_where_their_tokens_are_the_same(texts, data):
    sizes = data.draw(st.lists(st.integers(1, 13), min_size=len(texts), max_size=len(texts)))
    tokens = said_tokens(texts)

    hashes, rows = runs_of(tokens, np.array(sizes, np.int64))

    wanted = [
        (row, run)
        for row, size in enumerate(sizes)
        for run in ngrams(tokens.hashes[tokens.rows == row].tolist(), size)
    ]
    assert rows.tolist() == [row for row, _run in wanted]
    by_run = {run: number for number, (_row, run) in zip(hashes.tolist(), wanted, strict=True)}
    assert [by_run[run] for _row, run in wanted] == hashes.tolist()
    assert len(set(hashes.tolist())) == len(by_run)


@given(TEXTS)
def test_letters_are_told_apart_in_whatever_order_they_stand(texts):
    hashes, rows = Characters(texts).letters()

    by_letters = {tuple(sorted(text.replace(" ", ""))) for text in texts}
    assert rows.tolist() == list(range(len(texts)))
    assert len(set(hashes.tolist())) == len(by_letters)


def test_batches_end_where_their_texts_are_many_or_long(monkeypatch):
    monkeypatch.setattr("curator.core.shingles.TEXTS_AT_ONCE", 3)
    monkeypatch.setattr("curator.core.shingles.CHARACTERS_AT_ONCE", 10)
    texts = ["a", "b", "c", "d", "e" * 20, "f", "g" * 9, "h"]

    found = list(batches(texts, str))

    assert found == [["a", "b", "c"], ["d", "e" * 20], ["f", "g" * 9], ["h"]]


def test_texts_read_a_part_at_a_time_are_read_as_all_at_once(monkeypatch):
    texts = [f"question {number} 第{number}题" for number in range(50)]
    at_once = Characters(texts).letters()

    monkeypatch.setattr("curator.core.shingles.TEXTS_AT_ONCE", 7)
    hashes, rows = read_all(texts, Characters.letters)

    assert hashes.tolist() == at_once[0].tolist()
    assert rows.tolist() == at_once[1].tolist()
    assert [part.tolist() for part in read_all([], Characters.letters)] == [[], []]


def test_a_sign_is_found_where_it_stands_first():
    assert Characters(["ab|c|", "", "none", "|"]).first("|").tolist() == [2, -1, -1, 12]
