"""The second criterion: what solvers pass, and bands of trace length."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.difficulty import bands, too_easy


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
    assert too_easy(passes=passes, attempts=attempts, most_passed=most_passed) is easy


def test_bands_are_equally_wide_so_that_a_skewed_pool_fills_them_unevenly():
    rng = Random(0)
    lengths = rng.choices(range(100, 800, 100), [0.6**step for step in range(7)], k=5000)

    counts = Counter(zip(lengths, bands(lengths, 7), strict=True))

    assert {band for _, band in counts} == set(range(7))  # one band a length
    assert max(counts.values()) > 15 * min(counts.values())


def test_a_single_giant_does_not_push_all_others_into_one_band():
    lengths = [*range(1000), 1_000_000]

    assert Counter(bands(lengths, 4))[0] < 300


@given(st.lists(st.integers(0, 40_000), max_size=300), st.integers(1, 12))
def test_a_longer_trace_is_never_in_a_lower_band(lengths, count):
    in_order = bands(sorted(lengths), count)

    assert in_order == sorted(in_order)
    assert all(0 <= band < count for band in in_order)
