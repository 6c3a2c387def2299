"""What a run will take, held against s1's own run."""

from decimal import Decimal

import pytest

from training.core.plan import plan_for_32b, steps_of
from training.core.recipe import Recipe, s1


@pytest.mark.parametrize(
    ("rows", "batch_size", "epochs", "steps"),
    [(1000, 16, 5, 315), (16, 16, 1, 1), (17, 16, 1, 2), (1, 16, 5, 5), (24, 8, 2, 6), (0, 16, 5, 0)],
)
def test_the_last_step_of_an_epoch_may_be_short(rows, batch_size, epochs, steps):
    assert steps_of(rows, Recipe(batch_size=batch_size, epochs=epochs)) == steps


def test_s1_s_thousand_rows_take_315_steps_half_an_hour_and_fifty_dollars():
    # s1 (arXiv 2501.19393), section 4.1 and appendix D: 26 minutes on 16 H100, about 28 M tokens in 5 epochs.
    plan = plan_for_32b([5_600] * 1000, s1())

    assert (plan.rows, plan.steps, plan.tokens) == (1000, 315, 28_000_000)
    assert plan.hours * 60 == pytest.approx(26, rel=0.1)
    assert 45 <= plan.usd <= 60


def test_the_states_of_32b_fill_half_a_card_on_sixteen():
    assert plan_for_32b([100], s1()).memory_per_card_gb == pytest.approx(32.5)


def test_a_plan_grows_with_its_tokens_and_names_its_longest_row():
    small = plan_for_32b([100, 900, 200], s1())
    large = plan_for_32b([1000, 9000, 2000], s1())

    assert (small.longest_row, large.longest_row) == (900, 9000)
    assert large.hours == pytest.approx(10 * small.hours)
    assert large.usd > small.usd


def test_a_price_is_rounded_up_to_the_cent():
    usd = plan_for_32b([1], s1()).usd

    assert usd == Decimal("0.01")


def test_no_rows_take_nothing():
    plan = plan_for_32b([], s1())

    assert (plan.rows, plan.steps, plan.tokens, plan.longest_row, plan.usd) == (0, 0, 0, 0, Decimal("0.00"))
