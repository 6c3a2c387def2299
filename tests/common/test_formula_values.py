"""The value of a formula, exact where it is rational, and none where it would cost too much."""

import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest

from common.core.formula_values import MIXED, NoValue, Trial, exact, same_number, value_of
from common.core.formulas import formula

EXACT = [
    (r"\frac{3}{4}", Fraction(3, 4)),
    (r"5\frac12", Fraction(11, 2)),
    ("5 1/2", Fraction(11, 2)),
    (r"12 \times \frac{1}{6}", 2),
    (r"12\cdot\frac16\cdot 3", 6),
    (r"2 \cdot 3\frac12", 7),
    (r"7 / 3\frac12", 2),
    (r"(12)\frac{1}{6}", 2),
    (r"6\frac{1}{2}(4)", 26),
    (".5(6)", 3),
    ("2^3^2", 512),
    ("2^{3}^{2}", 512),
    ("2^-2^1", Fraction(1, 4)),
    ("2^{-3}", Fraction(1, 8)),
    ("6!/5!", Fraction(6)),
    (r"\binom{6}{2}", Fraction(15)),
    ("12.5%", Fraction(1, 8)),
    ("204_5", Fraction(54)),
    (r"\lfloor -7/2 \rfloor", Fraction(-4)),
    (r"\max(2, 3)", Fraction(3)),
    ("2^2023 / 2^2022", Fraction(2)),
    ("1e-3", Fraction(1, 1000)),
    (r"\left|-3\right|", Fraction(3)),
]
CLOSE = [
    (r"\sqrt{16}", 4),
    (r"\sqrt[3]{-8}", -2),
    (r"8^{2/3}", 4),
    (r"\log_2 8", 3),
    (r"\lg 1000", 3),
    (r"\sin 30^\circ", Fraction(1, 2)),
    (r"\sin^2 x + \cos^2 x", 1),
    (r"\sin^{-1}(1) / \pi", Fraction(1, 2)),
    (r"e^{i\pi}", -1),
    (r"\ln e^2", 2),
]
WITHOUT = [
    "1/0", "0^{-1}", "9^{9^9}", "9^{9^{9^9}}", "e^{e^{e^{e^e}}}", "99999!", "(1/2)!", r"\ln 0", r"\sin(10^{99})",
    r"\tan(10^{9}x)", "(2, 3)", "54_1", r"\lfloor e^{999999}\rfloor",
]  # fmt: skip


def item(text):
    return formula(text).parts[0]


@pytest.mark.parametrize(("text", "value"), EXACT)
def test_a_rational_formula_has_an_exact_value(text, value):
    assert value_of(item(text), Trial()) == value


@pytest.mark.parametrize(("text", "value"), CLOSE)
def test_another_formula_has_one_of_sixty_digits(text, value):
    assert same_number(value_of(item(text), Trial()), Fraction(value))


@pytest.mark.parametrize("text", WITHOUT)
def test_what_has_no_value_or_too_large_a_one_has_none_at_once(text):
    began = time.perf_counter()

    with pytest.raises(NoValue):
        exact(value_of(item(text), Trial()))

    assert time.perf_counter() - began < 0.5


def test_a_letter_has_one_value_in_a_trial_and_others_in_others():
    values = [value_of(item("x"), Trial(number)) for number in range(4)]

    assert value_of(item("x - x"), Trial()) == 0
    assert len(set(values)) == 4
    assert any(value_of(item(letter), Trial(2, MIXED)) < 0 for letter in "xyz")


def test_values_are_the_same_in_every_thread():
    nodes = [item(rf"\sqrt{{{number}}} + \ln {number}") for number in range(2, 60)]

    alone = [value_of(node, Trial()) for node in nodes]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda node: value_of(node, Trial()), nodes))

    assert all(map(same_number, alone, together))
