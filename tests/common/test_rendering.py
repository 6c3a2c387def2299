"""Texts of strangers are shown with their formulas, and can do nothing."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.rendering import LONGEST_RENDERED, formula, rendered, sanitised

HARMLESS = re.compile(
    r"</?(?:p|br|hr|strong|em|s|code|pre|blockquote|ul|ol|li|div|span|table|thead|tbody|tr|th|td|math|m[a-z]+|none)"
    r'(?: (?:class|start|scope|display|[a-z]+)="[^"<>]*")*>'
)


def stripped(html):
    """Return what is left of HTML without the tags that may stand in it."""
    return HARMLESS.sub("", html)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**粗** and *x*", "<p><strong>粗</strong> and <em>x</em></p>"),
        ("one\ntwo", "one<br>"),
        ("1. one\n2. two", "<ol>"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        ("```\n$x$ <b>\n```", "<pre><code>$x$ &lt;b&gt;"),
        ("# 题目", '<p class="heading">题目</p>'),
        (r"值为 $\frac{14}{3}$。", "<mfrac><mrow><mn>14</mn></mrow><mrow><mn>3</mn></mrow></mfrac>"),
        (r"So \(x^2\).", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"So \[x^2\] it is.", '<math display="block">'),
        ("\\[\na\n- b\n+ c\n\\]", "<mo>−</mo><mi>b</mi><mo>+</mo>"),
        ("$$\n\\frac12\n$$", '<math display="block">'),
        ("\\begin{align}\na&=b\\\\\nc&=d\n\\end{align}", "<mtable"),
        (r"$a<b$", "<mo>&lt;</mo>"),
        (r"$\boxed{42}$", '<menclose notation="box">'),
    ],
)
def test_markdown_and_formulas_are_set(text, wanted):
    assert wanted in rendered(text).html


@pytest.mark.parametrize("text", ["It costs $5 and $6.", "$ 5 and 6 $", "5$-6$7", r"\(", r"\[ open", "$x"])
def test_what_is_no_formula_stays_text(text):
    assert "<math" not in rendered(text).html


def test_equations_get_no_numbers_of_their_own():
    assert "(1)" not in rendered("\\begin{align}\na&=b\n\\end{align}").html


@pytest.mark.parametrize(
    "tex",
    [
        r"\def\a{\a\a}\a",
        r"\newcommand{\x}{y}\x",
        r"\input{/etc/passwd}",
        r"\href{javascript:alert(1)}{x}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\frac{1}{" * 200 + "x" + "}" * 200,
        "x" * 5000,
        r"\begin{pmatrix}" + "1&" * 1000 + r"\end{pmatrix}",
        r"\frac{",
        r"\left(",
        "^" * 100,
        " ",
    ],
)
def test_a_formula_that_cannot_or_must_not_be_set_shows_its_source(tex):
    assert formula(tex, is_block=False).startswith(('<code class="tex">', "<math"))
    assert stripped(rendered(f"a ${tex}$ b").html).count("<") == 0


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil.example></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](https://evil.example/?q=1)",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example>",
    "https://evil.example",
    "[x]: https://evil.example\n\n[x]",
    "<style>*{display:none}</style>",
    '<p style="position:fixed">x</p>',
    "<form action=//evil.example><input name=csrf>",
    "<math><mtext><script>alert(1)</script></mtext></math>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    r"$\style{color:red}{x}$",
    r"$\class{x}{y}$",
    r"$\cssId{x}{y}$",
    r"$\unicode{x3c}script$",
    r"$\text{</mtext><script>alert(1)</script>}$",
    r"$\href{data:text/html,x}{y}$",
    r"$\url{https://evil.example}$",
    r"$\require{html}$",
    "`<b>`",
    "```html\n<script>alert(1)</script>\n```",
    "~~<s onclick=alert(1)>~~",
    "> <object data=x>",
    "- <embed src=x>",
    "| <script> | x |\n|---|---|\n| <img> | y |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "<!-- --><script>",
    "<![CDATA[<script>]]>",
    "<?php echo 1 ?>",
    "\x00<scr\x00ipt>",
    "\u202egnp.exe",
    "\ud800 lone",
    "<meta http-equiv=refresh content=0>",
    "<base href=//evil.example>",
    "<link rel=stylesheet href=//evil.example>",
    '"><script>alert(1)</script>',
    "{{ secret }} {% debug %}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_text(text):
    html = rendered(text).html

    assert "<" not in stripped(html)
    assert not re.search(r"<[^>]*(?:src|href|style|on\w+)\s*=", html)


def test_signs_that_turn_the_direction_are_shown():
    assert "⟦U+202E⟧gnp.exe" in rendered("\u202egnp.exe").html


@pytest.mark.parametrize(
    "text",
    [
        "*" * 19_000,
        "[" * 19_000,
        "`a" * 9_000,
        ">" * 19_000,
        "- " * 9_000,
        "$" * 19_000,
        "\\(" * 9_000,
        "\\[" * 9_000,
        "\\begin{align}" * 1_400,
        "$x^2$ " * 3_000,
        "|" * 9_000 + "\n" + "|-" * 4_000,
        "_a" * 9_000,
        "&#x3c;" * 3_000,
        "$" + "\\sqrt" * 900 + "$",
        "字" * 19_000,
    ],
)
def test_no_text_takes_long(text):
    began = time.process_time()

    rendered(text)

    assert time.process_time() - began < 2  # each takes less than a tenth of that


def test_a_text_that_is_too_long_is_shown_as_it_stands():
    shown = rendered("<b> **x** " * LONGEST_RENDERED)

    assert shown.is_plain
    assert shown.html.startswith("<pre>&lt;b&gt; **x**")
    assert not rendered("**x**").is_plain


MARKUP = st.text("ab1 \n*_`~#>-|[]()<>&$\\{}^\"'=!中，。", max_size=200)


@given(MARKUP | st.text(max_size=200) | st.lists(st.sampled_from(HOSTILE), max_size=4).map("\n".join))
def test_nothing_but_what_is_allowed_comes_out(text):
    html = rendered(text).html

    assert "<" not in stripped(html)
    assert sanitised(html) == html
