"""What calls and cards cost, and what a limit still allows."""

from decimal import Decimal

import pytest

from common.core.money import fits, gpu_usd, tokens_usd


def test_a_call_costs_its_tokens_at_the_prices_per_million():
    usd = tokens_usd(
        tokens_in=1_000, tokens_out=4_700, price_in_usd=Decimal("0.55"), price_out_usd=Decimal("2.19")
    )

    assert usd == Decimal("0.010843")


def test_the_smallest_price_is_not_rounded_away():
    usd = tokens_usd(tokens_in=1, tokens_out=0, price_in_usd=Decimal("0.0001"), price_out_usd=Decimal(0))

    assert usd == Decimal("1E-10")


def test_the_fine_tune_of_s1_costs_about_what_its_paper_says():
    # 26 minutes on 16 H100s; the paper's "about 50 dollars" less what an hour costs today.
    usd = gpu_usd(cards=16, hours=26 / 60, card_hour_usd=Decimal("2.50"))

    assert usd == Decimal("17.34")  # rounded up to the cent


@pytest.mark.parametrize(
    ("wanted", "spent", "limit", "allowed"),
    [
        ("1.00", "9.00", "10.00", True),
        ("1.01", "9.00", "10.00", False),
        ("0.10", "0.20", "0.30", True),
        ("0.01", "10.00", "10.00", False),
        ("999999", "0", None, True),
        ("0", "10.00", "10.00", True),
    ],
)
def test_a_sum_fits_up_to_the_limit_and_no_cent_beyond(wanted, spent, limit, allowed):
    limit_usd = None if limit is None else Decimal(limit)

    assert fits(wanted_usd=Decimal(wanted), spent_usd=Decimal(spent), limit_usd=limit_usd) is allowed
