"""A number as people write it."""

from decimal import Decimal

import pytest

from common.core.quantities import Likeness, likeness, quantities_in, quantity

READ = [
    ("1,234", "1234", ""),
    ("1{,}234", "1234", ""),
    (r"10\,000", "10000", ""),
    ("$36", "36", ""),
    (r"$\$36$", "36", ""),
    ("−3", "-3", ""),
    ("(25)", "-25", ""),
    (".5", "0.5", ""),
    ("12%", "0.12", ""),
    ("12 percent", "0.12", ""),
    ("3万元", "30000", "yuan"),
    ("1.5 百万", "1500000", ""),
    ("2万亿元", "2000000000000", "yuan"),
    ("5 Million dollars", "5000000", "dollar"),
    ("3/4", "0.75", ""),
    ("5 1/2", "5.5", ""),
    ("10 m/s", "10", "m/s"),
    ("12 个月", "12", "month"),
    ("５千克", "5", "kg"),
]

NO_QUANTITY = [
    "",
    "x",
    "1,2",
    "2x",
    "3xy",
    "2pi",
    "6!",
    "1/0",
    "3:4",
    "3-4",
    "x = 5",
    "1 2",
    "5 (or so)",
    "9" * 200,
]


@pytest.mark.parametrize(("text", "value", "unit"), READ)
def test_a_quantity_is_read_with_sign_scale_and_unit(text, value, unit):
    read = quantity(text)

    assert read is not None
    assert (read.value, read.unit) == (Decimal(value), unit)


@pytest.mark.parametrize("text", NO_QUANTITY)
def test_what_is_more_than_one_number_is_no_quantity(text):
    assert quantity(text) is None


def test_quantities_stand_in_their_order():
    values = [found.value for found in quantities_in("3 people paid 14.5 each, 12% less")]

    assert values == [Decimal(3), Decimal("14.5"), Decimal("0.12")]


LIKE = [
    ("0.333", "0.33", Likeness.ROUNDED),
    ("0.335", "0.33", Likeness.OTHER),
    ("0.3", "0.33", Likeness.OTHER),
    ("12.3", "12", Likeness.OTHER),
    ("33.33%", "0.33", Likeness.ROUNDED),
    ("12", "12%", Likeness.PERCENT),
    ("5 kg", "5 g", Likeness.OTHER_UNIT),
    ("5 kg", "5", Likeness.SAME),
    ("5 hours", "5 h", Likeness.SAME),
    ("2/6", "1/3", Likeness.SAME),
]


@pytest.mark.parametrize(("said", "key", "how"), LIKE)
def test_how_two_quantities_agree_is_named(said, key, how):
    assert likeness(quantity(said), quantity(key)) is how
