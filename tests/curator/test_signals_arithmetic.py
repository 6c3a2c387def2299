"""Equalities between numbers: those that hold, those that do not, and those that are not ours to judge."""

import gzip
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from curator.core.signals import Place, Sign
from curator.core.signals.arithmetic import arithmetic
from curator.core.signals.equalities import equalities
from tests.growth import grows_linearly

HOLDS = [
    *[
        "17 × 24 = 408",
        "17 x 24 = 408",
        "17*24=408.",
        r"$17 \times 24 = 408$",
        r"\(17 \cdot 24 = 408\)",
        "１７×２４＝４０８",
    ],
    *[
        "3/4 = 0.75",
        "3/4 = 0.8",
        r"\frac{3}{4} = 0.75",
        "3 ÷ 4 = 75%",
        r"\dfrac{1}{2} + \dfrac{1}{3} = \dfrac{5}{6}",
    ],
    *[
        "2/3 = 0.67",
        "2/3 = 0.66",
        "2/3 = 0.6667",
        "1/7 = 0.142857...",
        "22/7 ≈ 3.14",
        "1/3 = 0.333…",
        "100/7 ≈ 14",
    ],
    *[
        "3 + 4 = 7",
        "3 + 4 = 5 + 2 = 7",
        "x = 3 + 4 = 7",
        "2 = 2.0",
        "x = 3 = 3",
        "-3 + 4 = 1",
        "3 - 5 = -2",
        "3 − 5 = −2",
    ],
    *[
        "124,416,000 x 3600 = 447,897,600,000",
        "1,234 + 1 = 1,235",
        r"1{,}000 \times 3 = 3{,}000",
        "50 * 6.5 = $325.",
    ],
    *[
        "2^10 = 1024",
        "2**10 = 1024",
        "3² + 4² = 25",
        "10^{-3} × 5 = 0.005",
        "1.6 × 10^-19 × 2 = 3.2 × 10⁻¹⁹",
        "2e3 * 2 = 4e3",
    ],
    *[
        "5 km + 3 km = 8 km",
        "3 × 5 kg = 15 kg",
        "5 m + 3 m = 8 m",
        "3元 + 4元 = 7元",
        "15% of 80 is 12",
        "80的15%是12",
    ],
    *["15 / 80 × 100 = 18.75%", "100 + 5% = 105", "1 - 0.4782 = 0.5218 = 52.18%", "50% + 25% = 75%"],
    *[
        "3.33 × 3 = 10",
        "8.314 × 313.15 = 2603.5",
        "0.132 × 1.8706 = 0.2469",
        "49 × 51 ≈ 2500",
        "1.05^10 = 1.629",
    ],
    *[
        "1. 2 + 3 = 5",
        "14. (2*(3*4)) * (5+1) = 144",
        "(1) 2 + 3 = 5",
        "a) 2 + 3 = 5",
        "- 5 × 3 = 15",
        "* 5 × 3 = 15",
    ],
    *[
        "共有3+4=7个",
        "所以 17 × 24 = 408，因此",
        "总价：3 × 5 = 15（元）",
        "Total: (3 + 4 = 7).",
        "**3 × 4 = 12**",
        "3 × 4 = **12**",
    ],
    *[
        "17 × 24\n= 17 × 20 + 17 × 4\n= 340 + 68\n= 408",
        r"12 \times \frac{1}{6} = 2",
        "(3)(4) = 12",
        "2(3 + 4) = 14",
    ],
]
DOES_NOT = [
    *[
        ("17 × 24 = 398", "408"),
        ("17 x 24 = 398", "408"),
        ("17*24=398.", "408"),
        (r"$17 \times 24 = 398$", "408"),
    ],
    *[
        (r"\(17 \cdot 24 = 398\)", "408"),
        ("１７×２４＝３９８", "408"),
        ("3/4 = 0.7", "0.75"),
        (r"\frac{3}{4} = 0.7", "0.75"),
    ],
    *[
        ("398 = 17 × 24", "408"),
        ("3 + 4 = 8", "7"),
        ("so 3 + 4 = 8, and", "7"),
        ("x = 3 + 4 = 8", "7"),
        ("3+4=7=5+3", "8"),
    ],
    *[
        ("2/3 = 0.6", "0.666666…"),
        ("2/3 = 0.67 = 1/2", "0.5"),
        ("22/7 ≈ 3.54", "3.142857…"),
        ("17/3 = 5", "5.666666…"),
    ],
    *[("1,234 + 1 = 1,245", "1235"), (r"1{,}000 \times 3 = 3{,}500", "3000"), ("50 * 6.5 = $335.", "325")],
    *[("2^10 = 1000", "1024"), ("3² + 4² = 24", "25"), ("10^{-3} × 5 = 0.05", "0.005"), ("-3 + 4 = 2", "1")],
    *[
        ("3 - 5 = 2", "-2"),
        ("3 − 5 = 2", "-2"),
        ("5 km + 3 km = 9 km", "8"),
        ("3 × 5 kg = 16 kg", "15"),
        ("3元 + 4元 = 8元", "7"),
    ],
    *[
        ("15% of 80 is 13", "12"),
        ("80的15%是13", "12"),
        ("15% of $1,200 = $190", "180"),
        ("3 ÷ 4 = 85%", "0.75"),
    ],
    *[("99 × 101325 Pa = 9,999,075 Pa", "10031175"), ("66 * 0.157359028 = 10.383695848", "10.385695848")],
    *[
        ("3.92^3 = 59.846", "60.236288"),
        ("1.4447 * 7525 = 10875.3675", "10871.3675"),
        ("17 × 24 ≈ 300", "408"),
    ],
    *[
        ("1. 2 + 3 = 6", "5"),
        ("(1) 2 + 3 = 6", "5"),
        ("- 5 × 3 = 16", "15"),
        ("共有3+4=8个", "7"),
        ("**3 × 4 = 13**", "12"),
    ],
    *[
        ("所以 17 × 24 = 398，因此", "408"),
        ("Total: (3 + 4 = 8).", "7"),
        ("3 × 4 = **13**", "12"),
        ("(3)(4) = 13", "12"),
    ],
    *[
        ("17 × 24\n= 17 × 20 + 17 × 4\n= 340 + 68\n= 418", "408"),
        (r"12 \times \frac{1}{6} = 3", "2"),
        ("2(3 + 4) = 15", "14"),
    ],
    *[
        ("Year 1: 100 × 1.1 = 120", "110"),
        ("12 × 4 = 46 apples", "48"),
        ("We get 5 × 7 = 36 in total.", "35"),
    ],
]
NOT_OURS = [
    # Letters, functions, roots, other signs.
    *["2x + 3 + 4 = 8", "x 3 + 4 = 8", "3 + 4 = 8x", "3 + 4 = 8 x", "3 + 4 = 8 + x", "x^2 + 3 = 8"],
    *["x_2 + 3 = 8", "log 3 + 4 = 8"],
    *["ln(2) + 3 = 8", "sqrt(16) + 3 = 8", "√16 + 3 = 8", r"\sqrt{16} + 3 = 8", r"\sin 30 + 1 = 2", "3 + 4 = 8π", "5! + 1 = 3"],
    *["3 + 4 = sqrt(64)", "2 × 3 = 5 cos 3", "f(3) + 4 = 8", "|3 - 5| + 1 = 8", "⌊7/2⌋ + 1 = 9", "3 + 4 = 8!", "P(3|4) + 1 = 3"],
    # Other kinds of sums.
    *["17 + 8 = 1 (mod 24)", "17 + 8 = 1 mod 24", "In mod 7, 5 + 4 = 2", "5 + 4 ≡ 2", r"5 + 4 = 2 \pmod 7", "101_2 + 1 = 3"],
    *["In binary, 1 + 1 = 10", "二进制中 1 + 1 = 10"],
    *["1010₂ + 3 = 99", "17 ÷ 5 = 3余2", "17 ÷ 5 = 3……2", "17 ÷ 5 = 3 ... 2"],
    *["17 / 5 = 3 remainder 2", "17 / 5 = 3 R 2", "17 % 5 = 2", "9's complement: 9 + 1 = 3"],
    # Suppositions, questions, denials.
    *["If 3 + 4 = 8, then", "Suppose 3 + 4 = 8", "假设 3 + 4 = 8", "3 + 4 = 8?", "是否 3 + 4 = 8？"],
    *["3 + 4 ≠ 8", r"3 + 4 \neq 8"],
    *["3 + 4 = 8 is wrong", "3 + 4 = 8, a contradiction", "3+4=8 显然不对", "He wrongly claims that 3 + 4 = 8", "3 + 4 = 8 ✗"],
    # Ratios, ranges, dates, times, labels, lists, coordinates.
    *["3:4 + 1 = 9", "2 : 3 + 1 = 9", "weeks 3-4 = 20", "10:30 + 5 = 99", "Step 2 3/4 = 0.75", "Option 1 - 5 × 3 = 15"],
    *["(1, 2) + (3, 4) = (4, 7)", "3,5 + 2 = 5,5", "f(1,2) + 3 = 9", "17 × 24 = 408 (340 + 68)", "1+2+...+100=5050"],
    *["(192,120) = 24 × 3", "$(3)$ x $(5) = 3 + 5$", "\\frac{720}{11}:66 = \\frac{720}{7}"],
    *["1 + 2 + … + 10 = 55", "3 < 4 + 5", "0.(3) + 1 = 5", "= 80.\\overline{1}", "3 + 4 =", "= 7"],
    *["3 = 4", "3 m × 4 m = 13 m"],
    # Units and scales on one side alone; numbers that are said in words.
    *["5 × 60 = 5 hours", "500 × 3 = 1.5千克", "3 × 5 = 16 kg", "2 × 3 = 7 million", "2 × 3 = 6000"],
    *["3 × 5 = 15万", "half of 3 + 5 = 4", "6 ÷ 4 = 1 R 2", "12 x 1 and 1/4 = 15", "48 = 100% + 20%"],
    *["5 minus 3 + 4 = 6", "5的3+4=9", "乘以3+4=9", "5 × 3 = 2 dozen", "$2M × 5% / 12 = 8,333"],
    *["three × 4 = 13", "3 × 4 = 1 third", "17/3 = 5 and 2/3", "87\\div 8=10$$ $\\text{R}$ $$7$$", "500/ 2/5 = 200"],
    # Several readings.
    *["6 / 2(1+2) = 1", "2^3^2 = 64", "-2^2 = 4", "10 000 + 1 = 3", "6.29×10¹² / 1.775×10⁻³ = 3.54×10¹⁵", "5 1/2 + 1 = 9"],
    *["2 × 3 × 4 = 2 × 3 = 6, times 4 is 24", "5 + 3 = 8 + 2 = 10", "7528 × 3.592 ≈ 7528 × 3 = 22584", "0.40 × 10% = -4%"],
    *["(32 + 2*1) = 34 x 34", "9^9^9^9 = 1", "2^99999999 = 1", "1/0 = 5", "3/(2-2) = 1", "0^0 = 2"],
]  # fmt: skip


def alarms(text):
    return list(arithmetic(text, Place.THINKING))


@pytest.mark.parametrize("text", HOLDS)
def test_what_holds_gives_no_signal(text):
    assert alarms(text) == []


@pytest.mark.parametrize(("text", "computed"), DOES_NOT)
def test_what_does_not_hold_is_pointed_to_with_what_it_comes_to(text, computed):
    found = alarms(text)

    assert [each.held for each in found] == [computed]
    assert found[0].kind is Sign.ARITHMETIC
    shown = text[found[0].start : found[0].end]
    assert found[0].expression in shown
    assert found[0].said in shown


@pytest.mark.parametrize("text", NOT_OURS)
def test_what_is_not_ours_to_judge_gives_no_signal(text):
    assert alarms(text) == []


def test_each_place_is_told_in_a_text_of_several():
    text = "First 3 + 4 = 8. Then 5 × 5 = 25. At last 6 × 7 = 41."

    assert [text[each.start : each.end] for each in alarms(text)] == ["3 + 4 = 8", "6 × 7 = 41"]


def test_the_sides_of_a_chain_are_held_against_their_neighbours():
    found = list(equalities("17 × 24 = 340 + 68 ≈ 410"))

    assert [(each.left.text, each.sign, each.right.text) for each in found] == [
        ("17 × 24", "=", "340 + 68"),
        ("340 + 68", "≈", "410"),
    ]


NOTATIONS = [
    "{a} {op} {b} = {c}",
    "${a} {tex} {b} = {c}$",
    "so \\({a} {tex} {b} = {c}\\).",
    "因此{a}{op}{b}={c}，",
    "- {a}{op}{b} = {c}\n",
    "({a}) {op} ({b}) = {c}",
    "x = {a} {op} {b} = {c}",
    "We get {c} = {a} {op} {b}.",
    "Then {a} {op} {b} = {c} apples",
    "{a}{op}{b}\n= {c}",
]
SIGNS = {"+": ("+", "+"), "-": ("-", "-"), "*": ("×", "\\times"), "/": ("÷", "\\div")}
WHOLE = st.integers(1, 10**6)


def valued(a, sign, b):
    return {"+": a + b, "-": a - b, "*": a * b, "/": Fraction(a, b)}[sign]


@given(a=WHOLE, b=WHOLE, sign=st.sampled_from("+-*"), notation=st.sampled_from(NOTATIONS))
def test_a_true_sum_of_whole_numbers_never_alarms(a, b, sign, notation):
    op, tex = SIGNS[sign]

    assert alarms(notation.format(a=a, b=b, c=valued(a, sign, b), op=op, tex=tex)) == []


@example(a=11, b=10, off=9, sign="-", notation="We get {c} = {a} {op} {b}.")
@given(a=st.integers(10, 10**6), b=st.integers(10, 10**6), off=st.integers(1, 9), sign=st.sampled_from("+-*"),
       notation=st.sampled_from(NOTATIONS))  # fmt: skip
def test_a_false_sum_of_whole_numbers_always_alarms(a, b, off, sign, notation):
    op, tex = SIGNS[sign]
    a, b = max(a, b), min(a, b)  # 3-40 may be a range
    said = valued(a, sign, b) + off

    found = alarms(notation.format(a=a, b=b, c=said, op=op, tex=tex))

    assert [each.held for each in found] == [str(valued(a, sign, b))]


@given(a=WHOLE, b=WHOLE, places=st.integers(0, 8), notation=st.sampled_from(NOTATIONS))
def test_a_quotient_rounded_to_any_digits_never_alarms(a, b, places, notation):
    assume(places or a >= 20 * b)  # 17/3 = 6 is no rounding
    exact = Decimal(a) / Decimal(b)
    said = f"{exact:.{places}f}"

    assert alarms(notation.format(a=a, b=b, c=said, op="÷", tex="\\div")) == []


@given(st.decimals(min_value=1, max_value=9999, places=2), st.decimals(min_value=1, max_value=99, places=1),
       st.sampled_from(NOTATIONS))  # fmt: skip
def test_a_true_product_of_decimals_never_alarms_and_one_far_off_does(a, b, notation):
    true, false = a * b, a * b * Decimal("1.5") + 7

    assert alarms(notation.format(a=a, b=b, c=f"{true:f}", op="×", tex="\\times")) == []
    assert len(alarms(notation.format(a=a, b=b, c=f"{false:f}", op="×", tex="\\times"))) == 1


@given(st.text(alphabet="0123456789+-*/^=()., ×÷≈%\\{}$abx\n分之的frac times", max_size=200))
def test_no_text_of_signs_and_digits_raises_or_points_outside_itself(text):
    for found in alarms(text):
        assert 0 <= found.start < found.end <= len(text)


HOSTILE = {
    "powers": "9^9^9^9=1 ",
    "high powers": "1.7^999*1.3=1 ",
    "an equality after another": "17*24=408 ",
    "signs": "=",
    "brackets": "(",
    "thousands": "111,",
    "sums": "1+",
    "units": "5 km + ",
    "continued lines": "\n=",
    "fractions": "\\frac{1}{",
    "blanks": "\t",
    "shares": "5% of ",
    "digits": "9",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_anything_is_read_in_linear_time(piece):
    assert grows_linearly(lambda text: alarms(text + "=1"), piece * (1_000_000 // len(piece)))


def test_nesting_and_long_digits_cost_nothing():
    deep = "(" * 5_000 + "1" + ")" * 5_000 + " + 1 = 3"
    long = "9" * 100_000 + " + 1 = 3"

    assert alarms(deep) == []
    assert alarms(long) == []


@pytest.mark.real_pools
def test_most_real_traces_of_sums_pass_without_an_alarm(real_pools):
    with gzip.open(real_pools / "traces" / "qwen3_small_mixed.jsonl.gz", "rt") as lines:
        traces = [json.loads(line) for line in lines]

    judged = sum(1 for trace in traces for _each in equalities(trace["thinking"]))
    found = [each for trace in traces for each in alarms(trace["thinking"])]

    assert judged > 500
    assert len(found) <= judged / 200
