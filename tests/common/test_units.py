"""Units by name, in both languages; kinds and factors."""

from fractions import Fraction

import pytest

from common.core.units import unit_named

SAME = [
    ("km/h", "kmh", 1),
    ("km", "公里", 1),
    ("m", "米", 1),
    ("hours", "小时", 1),
    ("kJ mol^-1", "kJ/mol", 1),
    ("m s^{-1}", "m/s", 1),
    ("cm^2", "平方厘米", 1),
    ("m2", "平方米", 1),
    ("km", "m", 1000),
    ("h", "min", 60),
    ("L", "mL", 1000),
    ("元", "角", 10),
    ("dollars", "cents", 100),
    ("kWh", "MJ", Fraction(36, 10)),
    ("V", "mV", 1000),
    ("J", "N m", 1),
    ("元/千克", "元/克", Fraction(1, 1000)),
    ("volts", "V", 1),
]


@pytest.mark.parametrize(("one", "other", "times"), SAME)
def test_units_of_one_kind_convert(one, other, times):
    first, second = unit_named(one), unit_named(other)

    assert first.dimensions == second.dimensions
    assert first.factor / second.factor == times


@pytest.mark.parametrize(
    ("one", "other"), [("m", "s"), ("m", "m^2"), ("元", "美元"), ("degC", "degF"), ("J", "W")]
)
def test_units_of_different_kinds_do_not(one, other):
    assert unit_named(one).dimensions != unit_named(other).dimensions


@pytest.mark.parametrize("text", ["", "apples", "x", "个", "m/x", "M", "mmm", "m" * 60, "/"])
def test_what_measures_nothing_is_no_unit(text):
    assert unit_named(text) is None
