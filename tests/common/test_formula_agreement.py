"""Two formulas compared: what is the same, what is decidedly not, and what stays open."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.formula_agreement import Agreement, agreement_of, is_formula

COMPARED = [
    ("1024", "2^{10}", Agreement.SAME),
    (r"\sqrt{12}", r"2\sqrt3", Agreement.SAME),
    ("4.123105625617661", r"\sqrt{17}", Agreement.ROUNDED),
    ("4.12", r"\sqrt{17}", Agreement.OTHER),
    (r"(\frac35,\frac83]", "(0.6,2.6667]", Agreement.ROUNDED),
    (r"2^{60}+\sqrt2", r"2^{60}+\sqrt3", Agreement.OTHER),
    (r"\frac{1}{2006!}", r"\frac{1}{2004!}", Agreement.OTHER),
    ("2x", "3x", Agreement.OPEN),  # the letters may mean something else
    ("London", "5", Agreement.OPEN),
    ("on", "no", Agreement.OPEN),
    ("-f(x)", "f(-x)", Agreement.OPEN),
    ("h(r+2)", "hr+2h", Agreement.SAME),
    ("y=2x+1", "2x-y+1=0", Agreement.SAME),
    ("p=5,q=2;p=7,q=2", "(5,2),(7,2)", Agreement.SAME),
    ("(1,3)", "(3,1)", Agreement.OTHER),
    ("1, 3", "(3,1)", Agreement.OTHER),
    ("1, 3", r"\{3,1\}", Agreement.SAME),
    ("1, 1, 3", "1, 3", Agreement.SAME),
    ("1, 3", "1, 1, 3", Agreement.SAME),
    ("1, 2, 3", "1, 3", Agreement.OTHER),
    ("[1,2]", "(1,2)", Agreement.OTHER),
    ("x>1, x<3", "(1,3)", Agreement.SAME),
    (r"[0,1]\cup[1,2]", "[0,2]", Agreement.SAME),
    (r"[0,1)\cup(1,2]", "[0,2]", Agreement.OTHER),
    (r"[0,5]\cap[3,9]", "[3,5]", Agreement.SAME),
    (r"(-1)^{n+1}", "-(-1)^n", Agreement.SAME),
    ("7 = 11a+c", "11a+c", Agreement.OPEN),
]


@pytest.mark.parametrize(("answer", "key", "agreed"), COMPARED)
def test_formulas_agree_differ_or_cannot_be_told(answer, key, agreed):
    assert agreement_of(answer, key) is agreed


HOSTILE = [
    ", ".join(rf"x^{n}+y^{n}\sin({n}x)" for n in range(22)),
    "+".join(f"1/{3000 - n}!" for n in range(60)),
    r"\sin(" * 30 + "x" + ")" * 30,
    r"\binom{3000}{1500}" * 20,
    "*".join(f"(x+{n})" for n in range(70)),
    r"\cup".join(f"({n},{n + 1})" for n in range(60)),
    "3" + "!" * 100,
    r"e^{e^{e^{e^{e^{e}}}}}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_no_formula_keeps_the_comparison_busy(text):
    began = time.perf_counter()

    for key in (text + " ", text.replace("1", "7"), "x+1", "5"):
        agreement_of(text, key)

    assert time.perf_counter() - began < 1.0


@given(
    st.recursive(
        st.integers(0, 30).map(str) | st.sampled_from(["x", "y", r"\pi"]),
        lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map("({0[0]}){0[1]}({0[2]})".format),
        max_leaves=8,
    )
)
def test_every_formula_agrees_with_itself_in_brackets_and_doubled_and_halved(text):
    if is_formula(text) and any(sign in text for sign in "0123456789"):
        assert agreement_of(f"({text})", text) is Agreement.SAME
        assert agreement_of(rf"\frac{{2({text})}}{{2}}", text) is Agreement.SAME
        assert agreement_of(f"({text})+1", text) is not Agreement.SAME
