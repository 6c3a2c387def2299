"""Intervals, paired tests and s1's three measures, against figures published elsewhere."""

from math import comb
from random import Random
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.intervals import wilson
from evaluation.core.statistics import (
    bootstrap,
    control,
    holm,
    paired,
    performance,
    scaling,
    smallest_detectable,
)

# s1 (arXiv 2501.19393), figure 1: mean thinking tokens and accuracy on AIME24, in per cent.
S1_AIME24 = [
    (500, 0.0),
    (1000, 13.3),
    (2000, 30.0),
    (3933, 43.3),
    (5300, 50.0),
    (6657, 53.3),
    (7320, 56.7),
]


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [  # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_the_textbook(right, total, low, high):
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-5)


def test_no_items_tell_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 300).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_an_interval_holds_its_share_and_stays_a_share(counts):
    right, total = counts

    low, high = wilson(right, total)

    assert 0 <= low <= right / total <= high <= 1


def outcomes(*, both, lost, gained, neither):
    before = [True] * (both + lost) + [False] * (gained + neither)
    after = [True] * both + [False] * lost + [True] * gained + [False] * neither
    return before, after


def test_a_paired_comparison_is_that_of_the_textbook():
    # Agresti, Categorical Data Analysis, table 10.1: approval of a prime minister in two surveys.
    found = paired(*outcomes(both=794, lost=150, gained=86, neither=570))

    assert (found.gained, found.lost) == (86, 150)
    assert found.difference == pytest.approx(-0.04)
    assert (round(found.low, 2), round(found.high, 2)) == (-0.06, -0.02)
    assert found.p < 1e-4


@pytest.mark.parametrize(("gained", "lost"), [(10, 2), (2, 10), (5, 0), (1, 1), (30, 12)])
def test_mcnemar_s_test_is_exact(gained, lost):
    changed, fewer = gained + lost, min(gained, lost)
    tail = sum(comb(changed, few) for few in range(fewer + 1)) / 2**changed

    found = paired(*outcomes(both=20, lost=lost, gained=gained, neither=9))

    assert found.p == pytest.approx(min(1.0, 2 * tail))


def test_ten_gained_and_two_lost_have_a_p_of_0_0386():
    assert paired(*outcomes(both=0, lost=2, gained=10, neither=0)).p == pytest.approx(158 / 4096)


def test_two_conditions_that_agree_on_every_item_differ_by_nothing():
    found = paired([True, False, True], [True, False, True])

    assert (found.difference, found.p) == (0.0, 1.0)
    assert found.low < 0 < found.high


def test_the_paired_interval_covers_the_truth_nineteen_times_in_twenty():
    rng, covered, runs = Random(0), 0, 600
    for _run in range(runs):
        draws = rng.choices(["lost", "gained", "same"], weights=[0.1, 0.25, 0.65], k=60)
        before = [draw == "lost" for draw in draws]
        after = [draw == "gained" for draw in draws]
        found = paired(before, after)
        covered += found.low <= 0.15 <= found.high

    assert 0.93 <= covered / runs <= 0.985


@pytest.mark.parametrize(("before", "after"), [([True], [True, False]), ([], [])])
def test_conditions_on_other_items_cannot_be_paired(before, after):
    with pytest.raises(ValueError, match="the same items twice"):
        paired(before, after)


def test_holm_s_correction_keeps_order_and_grows_monotonely():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_makes_a_p_smaller_nor_larger_than_bonferroni_s(p_values):
    corrected = holm(p_values)

    for before, after in zip(p_values, corrected, strict=True):
        assert before <= after <= min(1.0, before * len(p_values) * (1 + 1e-9))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[place] for place in order] == sorted(corrected)


def test_s1_s_curve_scales_by_15_points_a_doubling():
    slope = scaling(S1_AIME24)

    assert round(slope) == 15  # table 3 of the paper
    assert slope == pytest.approx(14.85, abs=0.005)  # computed by hand from these seven points


@pytest.mark.parametrize(
    ("points", "slope"),
    [
        ([(512, 0.2), (1024, 0.3)], 0.1),
        ([(512, 0.2), (2048, 0.4)], 0.1),
        ([(2048, 0.4), (512, 0.2), (1024, 0.3)], 0.1),
        ([(512, 0.5), (1024, 0.3)], -0.2),
        ([(512, 0.1), (512, 0.3), (1024, 0.4)], 0.2),  # two runs of one length have no slope between them
    ],
)
def test_scaling_is_the_mean_slope_over_all_pairs(points, slope):
    assert scaling(points) == pytest.approx(slope)


def test_control_counts_the_runs_within_their_bounds():
    # s1, table 12: asked for 1024, 2048, … tokens in words, the model used about 8,000 each time.
    assert control([500, 1000, 4000], most=4000) == 1.0
    assert control([7939, 7158, 8263, 7108, 7500], most=1024) == 0.0
    assert control([10, 200, 300, 5000], least=100, most=1000) == 0.5


def test_performance_is_the_best_accuracy():
    assert performance([accuracy for _tokens, accuracy in S1_AIME24]) == 56.7


def test_the_detectable_difference_shrinks_with_items_and_is_all_on_none():
    found = [smallest_detectable(items) for items in (0, 1, 30, 120, 480, 1920)]

    assert found[0] == 1.0
    assert found == sorted(found, reverse=True)
    assert smallest_detectable(480) == pytest.approx(smallest_detectable(120) / 2)


def test_a_difference_of_that_size_is_mostly_found():
    items, rng, found = 120, Random(1), 0
    size = smallest_detectable(items, discordant=0.3, power=0.8)
    for _run in range(400):
        draws = rng.choices(
            ["gained", "lost", "same"], weights=[(0.3 + size) / 2, (0.3 - size) / 2, 0.7], k=items
        )
        found += paired([d == "lost" for d in draws], [d == "gained" for d in draws]).p < 0.05

    assert 0.68 <= found / 400 <= 0.92


def test_a_bootstrap_of_the_gain_is_near_the_normal_interval_and_the_same_for_a_seed():
    rng = Random(4)
    before = [rng.random() for _ in range(400)]
    after = [value + rng.gauss(0.1, 0.5) for value in before]
    gains = [new - old for new, old in zip(after, before, strict=True)]
    mean, error = fmean(gains), stdev(gains) / len(gains) ** 0.5

    low, high = bootstrap(before, after, rng=np.random.default_rng(0))

    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.1 * error)
    assert (low, high) == bootstrap(before, after, rng=np.random.default_rng(0))


def test_a_bootstrap_of_a_gain_that_every_item_shares_has_no_width():
    assert bootstrap([0, 0.5, 1], [1, 1.5, 2], rng=np.random.default_rng(0)) == (1.0, 1.0)


@pytest.mark.parametrize(("before", "after"), [([], []), ([1.0], [1.0, 2.0])])
def test_a_bootstrap_needs_the_same_items_twice(before, after):
    with pytest.raises(ValueError, match="the same items twice"):
        bootstrap(before, after, rng=np.random.default_rng(0))
