"""TeX of strangers is set as MathML, or shown as its source; it harms nobody on the way."""

import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.mathml import LONGEST_FORMULA, LONGEST_MATHML, formula
from common.core.rendering import sanitised

SOURCE = '<code class="tex">'


@pytest.mark.parametrize(
    ("tex", "wanted"),
    [
        (r"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (r"\begin{aligned}a&=b\\c&=d\end{aligned}", '<mtd class="to-right">'),
        (r"\left\{\begin{array}{l}x\\y\end{array}\right.", '<mtd class="to-left">'),
        (r"\begin{cases}a&b\\c&d\end{cases}", "<mtable"),
        (r"\begin{array}{c|c}a&b\\\hline c&d\end{array}", '<mtd class="ruled-above ruled-after">'),
        (r"\lim_{x\to0}", "<munder>"),
        (r"\overline{AB}", "\u203e"),
        (r"\text{概率}", "<mtext>概率</mtext>"),
        (r"\boxed{42}", '<menclose notation="box"><mn>42</mn>'),
        (r"a=b\tag{3}", "<mtext>3</mtext>"),
        (r"a=b\tag*{3}", "<mtext>3</mtext>"),
        (r"\sum_{\substack{i<j\\k}}x", "<mi>k</mi>"),
        (r"3\textless{}n", "<mo>&lt;</mo>"),
        (r"\mbox{若}x", "<mtext>若</mtext>"),
        (r"a<b", "&lt;"),
        ("中文", "<mi>中</mi>"),
    ],
)
def test_a_formula_is_set(tex, wanted):
    assert wanted in formula(tex, is_block=True)


@pytest.mark.parametrize("tex", [r"\left\{x\right.", r"\left.x\right|", r"\sin x", r"f\,(x)"])
def test_a_formula_has_no_hidden_signs(tex):
    assert not re.search("[\u2061-\u2064]", formula(tex, is_block=True))


def test_equations_get_no_numbers_of_their_own():
    for name in ("align", "equation", "gather"):
        assert "(1)" not in formula(rf"\begin{{{name}}}a=b\end{{{name}}}", is_block=True)


@pytest.mark.parametrize("repeats", [1, 40])
def test_fences_that_stand_side_by_side_are_not_deep(repeats):
    assert formula(r"\left(x\right)" * repeats, is_block=False).startswith("<math")


@pytest.mark.parametrize(
    "tex",
    [
        r"\def\a{\a\a}\a",
        r"\newcommand{\x}{y}\x",
        r"\renewcommand{\sum}{\prod}\sum",
        r"\let\sum\prod\sum",
        r"\input{/etc/passwd}",
        r"\includegraphics{https://evil.example/x.png}",
        r"\href{javascript:alert(1)}{x}",
        r"\url{https://evil.example}",
        r"\style{color:red}{x}",
        r"\class{a}{b}",
        r"\cssId{a}{b}",
        r"\unicode{x3c}",
        r"\hspace{9999em}x",
        r"\kern9999pt x",
        r"\raisebox{9999em}{x}",
        r"\mathbf" * 61 + "x",
        r"\frac{1}{" * 200 + "x" + "}" * 200,
        "{" * 31 + "}" * 31,
        r"\left(" * 31 + r"\right)" * 31,
        r"\begin{matrix}" * 31 + r"\end{matrix}" * 31,
        r"\sqrt[" * 31 + "]" * 31,
        r"\sqrt" * 61 + "x",
        r"x^\hat" * 61,
        r"\begin{pmatrix}" + "1&" * 1000 + r"\end{pmatrix}",
        "x" + "'" * 2_900,
        "x" * (LONGEST_FORMULA + 1),
        r"\frac{",
        r"\left(",
        r"\nosuchcommand",
        "a&b",
        "^" * 100,
        "$",
        "\ud800",
        " ",
    ],
)
def test_a_formula_that_cannot_or_must_not_be_set_shows_its_source(tex):
    assert formula(tex, is_block=False).startswith(SOURCE)


@pytest.mark.parametrize(
    "tex", [r"\text{<img src=x onerror=alert(1)>}", r"\operatorname{<b onclick=x>}", "<script>"]
)
def test_what_looks_like_html_in_a_formula_is_text(tex):
    made = formula(tex, is_block=False)

    assert not re.search(r"<(?:img|b|script)\b", made)
    assert not re.search(r"<(?:img|b|script)\b", sanitised(made))


PIECES = [
    piece
    for line in (
        r"\frac \sqrt \sqrt[ \left( \right) { } [ ] ^ _ & \\ \begin{matrix} \end{matrix} \begin{aligned}",
        r"\end{aligned} \text{ \mathbf \hat \overline \big \sum \limits \over \choose \middle|",
        r"\displaystyle \bf \color{red} \not \tag \label \hline \hspace{9em} \xrightarrow \binom",
        r"\substack % # $ ~ ' 1 x 中",
    )
    for piece in line.split()
]


@given(st.lists(st.sampled_from(PIECES), max_size=400).map("".join) | st.text(max_size=300), st.booleans())
def test_any_formula_is_bounded_and_clean(tex, is_block):
    made = formula(tex, is_block=is_block)

    assert made.startswith(("<math", SOURCE))
    assert len(made) <= max(LONGEST_MATHML, 6 * len(tex)) + 2_000
    assert " style=" not in made.split(SOURCE)[0]
    assert sanitised(sanitised(made)) == sanitised(made)


def test_the_deepest_formulas_that_are_let_in_need_little_stack():
    formulas = [r"\displaystyle x" * 190, r"\color{red}x" * 230, r"\sum_\int^" * 200, "{" * 30 + "}" * 30]
    formulas += [r"\sqrt" * 60 + "x", r"\begin{matrix}" * 30 + r"\end{matrix}" * 30, r"\scriptstyle a" * 200]
    before = threading.stack_size(1024 * 1024)
    made = []
    try:
        thread = threading.Thread(target=lambda: made.extend(formula(tex, is_block=True) for tex in formulas))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)

    assert len(made) == len(formulas)
