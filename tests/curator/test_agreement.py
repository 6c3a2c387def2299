"""How far reviewers agree, against published figures."""

import pytest

from curator.core.agreement import agreement, agreement_between


def test_alpha_is_the_one_published_for_nominal_values_with_gaps():
    # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: alpha = 0.743.
    coders = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    units = [
        [value for value in unit if value != "."]
        for unit in zip(*(coder.split() for coder in coders), strict=True)
    ]

    assert agreement(units) == pytest.approx(0.743, abs=0.0005)


def test_full_agreement_is_one_and_contradiction_is_below_zero():
    assert agreement([["accept", "accept"], ["reject", "reject"]]) == 1
    assert agreement([["accept", "reject"], ["reject", "accept"]]) < 0


@pytest.mark.parametrize(
    "judgements", [[], [["accept"]], [["accept"], ["reject"]], [["accept", "accept"], ["accept", "accept"]]]
)
def test_where_nothing_can_be_said_nothing_is_said(judgements):
    assert agreement(judgements) is None


def test_traces_that_one_reviewer_judged_change_nothing():
    pairs = [["accept", "accept"], ["reject", "accept"], ["reject", "reject"]]

    assert agreement([*pairs, ["accept"], []]) == agreement(pairs)


def test_kappa_is_the_one_of_the_textbook():
    # Two readers of 50 applications: both yes 20, both no 15, yes/no 5, no/yes 10. Observed 0.7, by chance 0.5.
    cells = [("yes", "yes")] * 20 + [("no", "no")] * 15 + [("yes", "no")] * 5 + [("no", "yes")] * 10
    found = agreement_between([{"a": one, "b": other} for one, other in cells])

    assert (found.things, found.pairs, found.same, found.percent) == (50, 50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.alpha == pytest.approx(agreement(cells))
    low, high = found.alpha_interval
    assert low < found.alpha < high
    assert agreement_between([{"a": one, "b": other} for one, other in cells]) == found


def test_three_reviewers_are_compared_two_by_two():
    words = [{"a": "x", "b": "x", "c": "y"}, {"a": "y", "b": "y"}, {"c": "x"}]

    found = agreement_between(words)

    assert (found.things, found.pairs, found.same) == (2, 4, 2)
    assert found.alpha_interval is None  # too few for one


def test_nothing_is_said_of_nothing():
    found = agreement_between([{"a": "x"}, {}])

    assert (found.things, found.percent, found.kappa, found.alpha) == (0, None, None, None)
