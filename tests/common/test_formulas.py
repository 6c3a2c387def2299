"""Formulas read into trees: what is one, what is none, and that none is too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.formulas import formula


def kinds(text):
    tree = formula(text)
    return None if tree is None else [part.kind for part in tree.parts]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3", ["number"]),
        (r"\frac12", ["fraction"]),
        (r"5\frac12", ["add"]),
        ("5 1/2", ["add"]),
        ("2.24 10^7", ["multiply"]),
        ("x = 5", ["chain"]),
        ("1, 2 and 3", ["number", "number", "number"]),
        (r"12\text{ and }13", ["number", "number"]),
        ("1,234", ["number"]),
        ("1, 234", ["number", "number"]),
        (r"[0, 1) \cup \{2\}", ["∪"]),
        (r"\left( 3, \frac{\pi}{2} \right)", ["tuple"]),
        (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", ["matrix"]),
        (r"15\text{ cm}", ["with unit"]),
        (r"-|x|", ["negative"]),
        (r"\sqrt[3]{8}", ["power"]),
        ("204_5", ["based"]),
        (r"x_1=2,\quad x_2=3", ["chain", "chain"]),
    ],
)
def test_a_formula_is_read_into_its_items(text, found):
    assert kinds(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "London", "H2O", "the answer", "(1", "1)", "[0,1", r"\frac{1}", r"\unknown{x}", "1 2", "3 +", "^2", "|x",
        "__import__('os').abort()", r"\sum_{k=0}^n k", "(" * 100 + "1" + ")" * 100, "1+" * 500 + "1", "9" * 200,
        r"\begin{pmatrix} 1 & 0", "中文",
    ],
)  # fmt: skip
def test_what_the_grammar_does_not_know_is_no_formula(text):
    assert formula(text) is None


@given(st.text(alphabet="0123456789xyfe+-*/^_(){}[]|,.!=<> \\\\frac sqrtpi&", max_size=120))
def test_any_text_is_a_formula_or_none(text):
    tree = formula(text)

    assert tree is None or tree.kind == "list"
