"""Texts of strangers are shown with their formulas, and can do nothing."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.rendering import LONGEST_RENDERED, rendered, sanitised

HARMLESS = re.compile(
    r"</?(?:p|br|hr|strong|em|s|code|pre|blockquote|ul|ol|li|div|span|table|thead|tbody|tr|th|td|math|m[a-z]+|none)"
    r'(?: (?:data-start|[a-z]+)="[^"<>]*")*>'
)


def stripped(html):
    """Return what is left of HTML without the tags that may stand in it."""
    return HARMLESS.sub("", html)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**粗** and *x*", "<strong>粗</strong> and <em>x</em></p>"),
        ("one\ntwo", "one<br>"),
        ("1. one\n2. two", "<ol>"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        ("```py\n$x$ <b>\n```", '<pre><code data-start="0">$x$ &lt;b&gt;'),
        ("# 题目", '<p class="heading" data-start="0">题目</p>'),
        ("    an indented remark", "<p data-start="),
        (r"值为 $\frac{14}{3}$。", "<mfrac><mn>14</mn><mn>3</mn></mfrac>"),
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


@pytest.mark.parametrize(
    "text",
    [
        "**结论：**因此",
        "因此**（见上）**成立",
        "**“引号”**后",
        "他说：**“对。”**然后",
        "**粗**体",
        "a **b** c",
    ],
)
def test_emphasis_beside_chinese_punctuation_is_set(text):
    html = rendered(text).html

    assert "<strong>" in html
    assert "*" not in html


@pytest.mark.parametrize("text", ["2*3*4 = 24", "a**b**c", "f(x)*g(x)*h", "x_1 and x_2", "5 * 3 * 2"])
def test_products_and_names_keep_their_signs(text):
    assert text in rendered(text).html


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("one\n\ntwo", [0, 5]),
        ("one\r\n\r\ntwo", [0, 7]),
        ("\u202eone\x00\n\n# two", [0, 7]),
        ("- a\n- b\n\n```\nc\n```", [0, 4, 9]),
        ("<|im_start|>\n\n甲\n乙\n\n丙", [0, 14, 19]),
    ],
)
def test_a_block_says_where_it_begins_in_the_text(text, starts):
    assert [int(start) for start in re.findall(r'data-start="(\d+)"', rendered(text).html)] == starts


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


@pytest.mark.parametrize(
    "text", ["\u202egnp", "&#x202e;gnp", "&#8238;gnp", "`\u202e`gnp", "$\u202e$gnp", "```\n\u202e\n```"]
)
def test_signs_that_turn_the_direction_are_shown(text):
    html = rendered(text).html

    assert "⟦U+202E⟧" in html
    assert "\u202e" not in html


@pytest.mark.parametrize("sign", ["\u2066", "\u200f", "\u061c", "\u2063", "\ufffa", "\U000e0041"])
def test_signs_that_nobody_sees_are_shown(sign):
    assert f"a⟦U+{ord(sign):04X}⟧b" in rendered(f"a{sign}b").html


@pytest.mark.parametrize(
    "text", ["> " * 100 + "last words", "\n".join("  " * n + f"- item {n}." for n in range(40))]
)
def test_nothing_is_left_out_of_what_is_nested_too_deep(text):
    shown = rendered(text)

    assert shown.is_plain
    assert text.split()[-1] in shown.html


def test_a_step_out_of_a_list_is_a_list_again():
    html = rendered("    *   Wait.\n    *   If so:\n        - one\n\n    *   Then two.\nAnd on.").html

    assert html.count("<ul>") == 2
    assert html.count("<li") == 4
    assert "*" not in html


def test_a_table_with_too_many_columns_is_shown_as_it_stands():
    assert rendered("|a" * 4_000 + "|\n" + "|-" * 4_000 + "|\n" + "|\n" * 1_000).is_plain


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
        "\n".join("|a" * 100 + "|" if number != 1 else "|-" * 100 + "|" for number in range(95)),
        "$$\n" * 6_000,
        "~~a" * 6_000,
        "\\[\n" * 6_000,
        "a**b " * 3_800,
        "字**：**" * 3_000,
        "".join("`" * length + " " for length in range(1, 190)),
        "&" * 19_000,
        ("$\\begin{matrix}" + "1&" * 399 + "\\end{matrix}$ ") * 20,
        "$" + "\\a   " * 500 + "1$",
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


@pytest.mark.parametrize("tex", [r"\max(K - S, 0)", r"\sin(x)", r"f(x) = \ln(x)", r"\gcd(a, b)"])
def test_operators_that_nobody_sees_leave_no_mark_in_a_formula(tex):
    html = rendered(f"So ${tex}$ holds.").html

    assert "<math>" in html
    assert "U+20" not in html
    assert "ApplyFunction" not in html
