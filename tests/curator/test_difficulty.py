"""The second criterion: what solvers pass, how long the trace is, what an expert says, and bands of length."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.difficulty import bands, too_easy


def judge(*, measures=("passes",), passes=0, attempts=0, tokens=-1, rating=0, **limits):
    """Judge one question."""
    given = {"most_passed": 0.0, "least_tokens": 0, "least_rating": 1, **limits}
    return too_easy(
        measures=measures,
        attempts=np.array([attempts]),
        passes=np.array([passes]),
        tokens=np.array([tokens]),
        ratings=np.array([rating]),
        **given,
    )


@pytest.mark.parametrize(
    ("passes", "attempts", "most_passed", "easy"),
    [
        (0, 2, 0.0, False),  # s1: every solver misses it
        (1, 2, 0.0, True),
        (2, 2, 0.0, True),
        (1, 4, 0.25, False),
        (2, 4, 0.25, True),
        (4, 4, 1.0, False),
        (0, 0, 0.0, None),
    ],
)
def test_a_question_is_too_easy_where_more_tries_pass_than_may(passes, attempts, most_passed, easy):
    judged = judge(passes=passes, attempts=attempts, most_passed=most_passed)

    for keep_unknown in (True, False):
        expected = not keep_unknown if easy is None else easy
        assert judged.dropped(combine="any", keep_unknown=keep_unknown).tolist() == [expected]


def test_of_several_measures_any_or_all_may_have_to_agree():
    judged = judge(measures=("length", "rating"), tokens=100, least_tokens=500, rating=4, least_rating=3)

    assert judged.dropped(combine="any", keep_unknown=True).tolist() == [True]
    assert judged.dropped(combine="all", keep_unknown=True).tolist() == [False]


def test_bands_are_equally_wide_so_that_a_skewed_pool_fills_them_unevenly():
    rng = Random(0)
    lengths = rng.choices(range(100, 800, 100), [0.6**step for step in range(7)], k=5000)

    counts = Counter(zip(lengths, bands(np.array(lengths), 7).tolist(), strict=True))

    assert {band for _, band in counts} == set(range(7))  # one band a length
    assert max(counts.values()) > 15 * min(counts.values())


def test_a_single_giant_does_not_push_all_others_into_one_band():
    lengths = np.array([*range(1000), 1_000_000])

    assert Counter(bands(lengths, 4).tolist())[0] < 300


@given(st.lists(st.integers(0, 40_000), max_size=300), st.integers(1, 12))
def test_a_longer_trace_is_never_in_a_lower_band(lengths, count):
    in_order = bands(np.array(sorted(lengths), dtype=np.int64), count).tolist()

    assert in_order == sorted(in_order)
    assert all(0 <= band < count for band in in_order)
