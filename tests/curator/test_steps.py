"""A trace is cut where a reader would: at paragraphs and turns of thought, never inside a formula."""

import gzip
import json
import time
from itertools import islice
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.steps import (
    LONGEST,
    MOST_STEPS,
    SHORTEST,
    Kind,
    Step,
    cut,
    folds,
    kind_of,
    number_at,
    opened,
    title,
)

LONG = "The area is the base times the height, and that is what the question asks us for here. " * 16
THOUGHT = (
    "The side of the square is as long as the other one, and so its area is the product of the two. " * 2
)
CHINESE = (
    "在这道题目里，正方形的边长与另一条边的长度相等，"
    "所以它的面积就是这两条边长度的乘积，这一点可以由题目已知的条件直接推出来。"
)


def pieces(text):
    return [text[step.start : step.end].strip() for step in cut(text)]


def test_paragraphs_are_steps():
    text = f"First {THOUGHT}\n\n然后{CHINESE * 3}\n\nThe third one. {THOUGHT}\n\nSo {THOUGHT}"

    assert [step.kind for step in cut(text)] == [Kind.PART, Kind.PART, Kind.PLAIN, Kind.CONCLUSION]
    assert "".join(text[step.start : step.end] for step in cut(text)) == text


def test_a_text_without_blank_lines_is_cut_at_line_ends():
    assert len(pieces(f"{THOUGHT}\n{THOUGHT}\n{THOUGHT}")) == 3


@pytest.mark.parametrize(
    ("paragraphs", "wanted"),
    [
        # What announces something stands with it, and so does what only says a little more.
        (["The sum that we need is this one here:", r"\[ \sum_k \frac{1}{k^2} \]"], 1),
        (["We compute the sum of the squares now.", r"$$ 1 + 4 + 9 = 14 $$", "which is even."], 1),
        (["We list what the table in the text says:", "Evelyn: 4.5 / 1.25", "Briana: 2.2 / 2.5"], 1),
        (["## Step 1: read the question once again", THOUGHT], 1),
        (["**1. 先看题目给出的已知条件：这里一共是三个**", CHINESE], 1),
        (
            [
                "求导得到下面这个式子，它在整个区间上都是成立的，也就是：",
                "$$f'(x)=3x^2-3$$",
                "令它为零，得到两个根。",
            ],
            1,
        ),
        ([f"我们先把题目读一遍。{CHINESE}", "第一行。", "第二行。", "第三行。"], 1),
        # Options, numbered thoughts and turns stand alone, however short.
        (
            [
                "Now let's look at each of the options:",
                "A. It is one. No, it is not one.",
                "B. It is two. No, it is not two.",
                "C. x" * 9,
            ],
            4,
        ),
        ([THOUGHT, "Wait, that is not what is asked."], 2),
        ([THOUGHT, "But let me double-check the product."], 2),
        ([THOUGHT, "Alternatively, use the other formula."], 2),
        ([CHINESE, "等等，题目里说的其实是另外一个三角形，而不是我们刚才一直在看的这一个。"], 2),
        ([THOUGHT, "So the answer is seven hundred and two.", f"The user thinks otherwise. {THOUGHT}"], 3),
        ([THOUGHT, THOUGHT], 2),
        ([f"1. {THOUGHT}", f"2. {THOUGHT}"], 2),
    ],
)
def test_paragraphs_join_where_they_are_one_thought(paragraphs, wanted):
    assert len(pieces("\n\n".join(paragraphs))) == wanted


def test_chinese_says_more_in_fewer_characters():
    assert len(pieces("\n\n".join([CHINESE] * 4))) == 4
    assert len(pieces(f"{CHINESE * 5}另外，{CHINESE}")) == 2


@pytest.mark.parametrize(
    "marker", ["Wait, that", "Alternatively, we", "Let me check, it", "等等，这里", "另外，这里"]
)
def test_a_long_paragraph_is_cut_at_a_turn_of_thought(marker):
    end = "。" if marker[0] > "z" else "."
    text = f"{LONG}{marker} goes another way than we thought before{end} {LONG}"

    assert any(piece.startswith(marker) for piece in pieces(text))


def test_a_long_paragraph_without_turns_is_cut_at_sentences():
    assert all(piece.endswith("here.") for piece in pieces(LONG * 5))
    assert all(piece.endswith("。") for piece in pieces("这个问题要求我们计算三角形的面积和周长。" * 300))


@pytest.mark.parametrize(
    "whole",
    [
        "$$\na = b\n\nc = d\n$$",
        "\\[\na\n\nb\n\\]",
        "\\begin{align}\na &= b\\\\\n\nc &= d\n\\end{align}",
        "```python\nx = 1\n\ny = 2\n```",
    ],
)
def test_formulas_and_code_stay_whole(whole):
    text = f"Here is what we know about the numbers.\n\n{whole}\n\nAnd here is what we do not know of them."

    assert any(whole in piece for piece in pieces(text))


def test_rows_of_a_table_stay_together():
    text = "We put all of the numbers into a table:\n| a | b |\n|---|---|\n| 1 | 2 |\nAnd then we add up all of its columns."

    assert any("| a | b |\n|---|---|\n| 1 | 2 |" in piece for piece in pieces(text))


def test_short_lines_join_what_follows():
    assert pieces("Thus:\n\nthe sum of the two is seven hundred.\n\nOk.") == [
        "Thus:\n\nthe sum of the two is seven hundred.\n\nOk."
    ]


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        ("Wait, no", Kind.CORRECTION),
        ("**Hmm**, so", Kind.CORRECTION),
        ("But wait", Kind.CORRECTION),
        ("Waiting for the bus", Kind.PLAIN),
        ("不对，应该是", Kind.CORRECTION),
        ("回头看", Kind.CORRECTION),
        ("Let me double-check", Kind.CHECK),
        ("让我们验证一下", Kind.CHECK),
        ("Alternatively", Kind.ALTERNATIVE),
        ("或者", Kind.ALTERNATIVE),
        ("Step 3: add", Kind.PART),
        ("第三步", Kind.PART),
        ("2. First", Kind.PART),
        ("Therefore", Kind.CONCLUSION),
        ("综上所述", Kind.CONCLUSION),
        ("So let me verify that", Kind.CHECK),
        ("But let's double-check", Kind.CHECK),
        ("现在让我们来验证一下", Kind.CHECK),
        ("We should check if", Kind.CHECK),
        ("Checkers is a game", Kind.PLAIN),
        ("No, that is", Kind.CORRECTION),
        ("No other way", Kind.PLAIN),
        ("Hmm, wait", Kind.CORRECTION),
        ("但是等等", Kind.CORRECTION),
        ("Or maybe", Kind.ALTERNATIVE),
        ("Maybe it is", Kind.ALTERNATIVE),
        ("如果甲是", Kind.PLAIN),
        ("A. It is", Kind.PART),
        ("A word", Kind.PLAIN),
        ("B、分析可知", Kind.PART),
        ("1. So it is", Kind.PART),
        ("3.5 metres", Kind.PLAIN),
        ("（二）法定代理人", Kind.PART),
        ("① 由题意", Kind.PART),
        ("Case 2: x < 0", Kind.PART),
        ("情况二：", Kind.PART),
        ("1. Wait, no", Kind.CORRECTION),
        ("Something", Kind.PLAIN),
        ("Sofas", Kind.PLAIN),
        ("", Kind.PLAIN),
    ],
)
def test_a_step_is_named_by_how_it_begins(beginning, kind):
    assert kind_of(beginning) is kind


def test_a_title_is_one_line_without_markup():
    assert title("## **Step 1:**\n  $x^2$ is 3 * 4") == "Step 1: x^2 is 3 * 4"
    assert title(r"So \[ x = \frac{1}{2} \] and \boxed{7}") == "So x = 1/2 and 7"
    assert len(title("字" * 500)) <= 60


def test_a_place_has_the_number_of_its_step():
    text = f"{THOUGHT}\n\n{THOUGHT}"
    steps = cut(text)

    assert [number_at(steps, place) for place in (0, steps[1].start - 1, steps[1].start, len(text))] == [
        1,
        1,
        2,
        2,
    ]


def test_a_sign_too_many_does_not_hide_the_paragraphs_after_it():
    text = f"It costs $$ a lot. {THOUGHT}\n\n{THOUGHT}\n\n$$ x = 1 $$\n\n{THOUGHT}"

    assert len(pieces(text)) == 3


@pytest.mark.parametrize("filler", ["x", "字", "1234567890", "3.14159,", "é"])
def test_where_no_sentence_ends_a_cut_parts_no_word_and_no_number(filler):
    word = filler * 20
    text = " ".join([word] * (20_000 // len(word)))

    assert len(cut(text)) > 3
    assert all(text[step.start - 1] == " " for step in cut(text)[1:])


@pytest.mark.parametrize("unit", ["👩\u200d🔬", "$x^{2}$", "\\(y_1\\)", "```\nx = 1\n```\n"])
def test_where_no_sentence_ends_a_cut_parts_no_sign_and_no_formula(unit):
    text = unit * (12_000 // len(unit))

    assert len(cut(text)) > 1
    assert all((step.start % len(unit)) == 0 for step in cut(text))


def test_an_indented_line_keeps_its_indent():
    text = f"1. {THOUGHT}\n    *   Wait. It is the other one, and {THOUGHT}"

    assert text[cut(text)[1].start :].startswith("    *   Wait.")


def steps_of(count, length=100):
    return [Step(place * length, (place + 1) * length, Kind.PLAIN) for place in range(count)]


def test_the_beginning_the_end_and_what_is_doubtful_are_open_at_first():
    steps = steps_of(40)

    assert opened(steps, at_once=250) == {1, 2, 40}
    assert opened(steps, at_once=0, places=[0, 1_250, 1_299, 3_999]) == {1, 13, 40}
    assert opened([]) == frozenset()


def test_routine_steps_fold_into_one_line_each_dozen():
    steps, text = steps_of(40), "a" * 4_000
    found = folds(steps, text, at_once=0, places=[1_250])

    assert [(fold.first, fold.last, fold.is_folded) for fold in found] == [
        (1, 1, False),
        (2, 12, True),
        (13, 13, False),
        (14, 25, True),
        (26, 37, True),
        (38, 39, True),
        (40, 40, False),
    ]
    assert [fold.tokens for fold in found] == [25, 275, 25, 300, 300, 50, 25]


@given(st.integers(1, 60), st.lists(st.integers(0, 5_999), max_size=5), st.integers(0, 6_000))
def test_every_step_is_in_one_fold(count, places, at_once):
    found = folds(steps_of(count), "字" * 100 * count, places=places, at_once=at_once)

    assert [number for fold in found for number in range(fold.first, fold.last + 1)] == list(
        range(1, count + 1)
    )


MEGABYTES = ["a" * 10**6, "字" * 10**6, "a b " * 250_000, "$" * 10**6, "\n\n" * 500_000, "```" * 300_000]
MORE_MEGABYTES = [
    *("Wait. " * 160_000, "。等等" * 300_000, "\\(" * 500_000, "a\n" * 500_000, "Wait.\n\n" * 140_000),
    *(
        "".join(f"\\begin{{x{n}}}" for n in range(70_000)),
        "|\n" * 500_000,
        "$$ a b\n\n" * 110_000,
        " " * 10**6 + "x",
    ),
    *(
        "1. " * 300_000,
        "* " * 500_000,
        ".  " * 330_000,
        "但是" * 500_000,
        "so " * 330_000,
        "\n" + " " * 10**6,
    ),
]


@pytest.mark.parametrize("text", [*MEGABYTES, *MORE_MEGABYTES])
def test_a_megabyte_is_cut_soon_and_into_few_steps(text):
    began = time.process_time()

    steps = cut(text)

    assert time.process_time() - began < 3  # each takes less than one
    assert len(steps) <= MOST_STEPS
    assert "".join(text[step.start : step.end] for step in steps) == text


@given(st.text(max_size=3_000) | st.text("ab .。\n$`\\[]()等因此", max_size=3_000))
def test_steps_cover_a_text_without_a_gap(text):
    steps = cut(text)

    assert "".join(text[step.start : step.end] for step in steps) == text
    assert all(step.end > step.start for step in steps)
    if len(steps) > 1:
        assert all(len(text[step.start : step.end].strip()) >= SHORTEST for step in steps)
    assert all(step.end - step.start <= 2 * LONGEST + len(LONG) for step in steps)
    assert cut(text) == steps


def test_real_traces_are_cut_into_steps_that_a_person_reads(real_pools):
    folder = real_pools / "traces"
    if not folder.exists():
        pytest.skip("there are no real traces")
    lengths, longest = [], 0
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in islice(lines, 40):
                text = json.loads(line)["thinking"]
                steps = cut(text)
                assert "".join(text[step.start : step.end] for step in steps) == text
                lengths += [step.end - step.start for step in steps]
                longest = max(longest, len(steps))

    assert 150 < median(lengths) < 600
    assert sum(length > 1_500 for length in lengths) < len(lengths) / 500
    assert longest <= MOST_STEPS
