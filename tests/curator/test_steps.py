"""A trace is cut where a reader would: at paragraphs and turns of thought, never inside a formula."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.steps import LONGEST, MOST_STEPS, SHORTEST, Kind, cut, kind_of, number_at, title

LONG = "The area is the base times the height, and that is what the question asks us for here. " * 16


def pieces(text):
    return [text[step.start : step.end].strip() for step in cut(text)]


def test_paragraphs_are_steps():
    text = (
        "First we look at the whole question again.\n\n"
        "然后我们把已知的条件一个一个地列出来，再来看它们之间的关系和联系。\n\n"
        "So the answer is forty-two, as one expects."
    )

    assert [step.kind for step in cut(text)] == [Kind.PART, Kind.PART, Kind.CONCLUSION]
    assert "".join(text[step.start : step.end] for step in cut(text)) == text


def test_a_text_without_blank_lines_is_cut_at_line_ends():
    text = "The first line says a whole sentence.\nThe second line says another sentence.\nThe third line ends it all here."

    assert len(pieces(text)) == 3


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
        ("Something", Kind.PLAIN),
        ("Sofas", Kind.PLAIN),
        ("", Kind.PLAIN),
    ],
)
def test_a_step_is_named_by_how_it_begins(beginning, kind):
    assert kind_of(beginning) is kind


def test_a_title_is_one_line_without_markup():
    assert title("## **Step 1:**\n  $x^2$ is 3 * 4") == "Step 1: x^2 is 3 * 4"
    assert len(title("字" * 500)) <= 60


def test_a_place_has_the_number_of_its_step():
    text = "The first paragraph has some words in it.\n\nThe second paragraph has some words too."
    steps = cut(text)

    assert [number_at(steps, place) for place in (0, steps[1].start - 1, steps[1].start, len(text))] == [
        1,
        1,
        2,
        2,
    ]


MEGABYTES = ["a" * 10**6, "字" * 10**6, "a b " * 250_000, "$" * 10**6, "\n\n" * 500_000, "```" * 300_000]
MORE_MEGABYTES = ["Wait. " * 160_000, "。等等" * 300_000, "\\(" * 500_000, "a\n" * 500_000]


@pytest.mark.parametrize("text", [*MEGABYTES, *MORE_MEGABYTES])
def test_a_megabyte_is_cut_soon_and_into_few_steps(text):
    began = time.process_time()

    steps = cut(text)

    assert time.process_time() - began < 5  # none takes more than a second
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
