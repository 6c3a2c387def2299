"""Where the final answer of a reply stands; that two boxes may be one answer, or a second thought."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.final_answers import closing_answer, final_answer

BOXES = [
    (r"\boxed{1} and \boxed{-2}", "1, -2"),
    (r"$\boxed{1}$, $\boxed{2}$, $\boxed{3}$", "1, 2, 3"),
    (r"\boxed{(3,3)} \text{ for part (a) and } \boxed{(1,1)}", "(3,3), (1,1)"),
    (r"\boxed{k=45} \quad \text{and} \quad \boxed{n=2}", "k=45, n=2"),
    (r"\boxed{1} 和 \boxed{2}", "1, 2"),
    (r"\boxed{1} papers and \boxed{2} bins", "1, 2"),
    (r"\boxed{3}, no, wait, \boxed{5}", "5"),
    (r"\boxed{3}, but then \boxed{5}", "5"),
    (r"\boxed{3}. Let me check: 2 + 3 = 5. So \boxed{5}", "5"),
    (r"\boxed{3} 不对，应为 \boxed{5}", "5"),
    (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
]
ENDS = [
    ("<think>Answer: 3</think>Answer: 5", "5"),
    ("thinking without a beginning</think>\nAnswer: 5", "5"),
    ("Answer: 5<|im_end|>\n<|im_start|>user\nAnswer: 7", "5"),
    ("Final Answer:\n\\[\nx + 1\n\\]", "x + 1"),
    ("The answer is A. No, the answer is B.", "B"),
    ("The answer is 5. I hope it is correct.", "5"),
    ("So there are **9** of them.", "9"),
    ("Hence it is not **9**.", None),
    ("They are **red** and **blue**.", None),
    ("It was **red**", None),
]


@pytest.mark.parametrize(("reply", "answer"), [*BOXES, *ENDS])
def test_the_final_answer_is_found_where_a_reader_finds_it(reply, answer):
    said = final_answer(reply)

    assert (said and said.strip()) == answer


@given(st.text(max_size=200), st.integers(0, 10**6))
def test_what_was_boxed_last_is_the_answer_whatever_stands_before(before, number):
    said = final_answer(f"{before}\n\nSo the result is \\boxed{{{number}}}.")

    assert said is not None
    assert said.endswith(str(number))


@pytest.mark.parametrize(
    "reply",
    [
        r"\boxed{1} and " * 10_000,
        "Answer: A. No, " * 10_000,
        "**" * 50_000,
        "Therefore **a** " * 10_000,
        "答：" * 50_000,
    ],
    ids=lambda reply: reply[:12],
)
def test_no_reply_keeps_the_search_busy(reply):
    began = time.perf_counter()

    final_answer(reply)

    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("The junction conducts, so the second option holds.\n\nFINAL ANSWER: B", "B"),
        ("因为电流相等，所以选第二项。\n最终答案：B", "B"),
        ("We add two and three and so get $\\boxed{5}$.", "5"),
        ("由题意得方程有两个根。所以 $\\boxed{5}$", "5"),
        ("There are 439 boxes left, and 231 come.\n\nAnswer: 670", "670"),
        ("因此，两者之和为五，证毕。\n答案：5", "5"),
        ("Read it twice, and then give the answer: 5", None),
        ("Name the river in one word.\nAnswer: it is in Africa.\nNile", None),
        ("Answer: 670", None),
        ("Final answer: 12", "12"),
        ("Final answer: 12\nThis holds for every n.", None),
        ("We get \\boxed{5} only where n is odd, which is not so here.", None),
        ("\\boxed{5}", None),
        ("x = \\boxed{5}", None),
        ("The final answer is for the reader to find.\nIt is large.", None),
        ("B", None),
        ("", None),
    ],
)
def test_a_key_that_argues_is_read_to_the_answer_with_which_it_ends(key, answer):
    assert closing_answer(key) == answer
