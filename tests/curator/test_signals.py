"""What the eye of an expert is led to in a trace: each kind of signal, its place and its facts."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.core.signals import MOST, Place, Sign, signals
from tests.growth import grows_linearly

THOUGHT = (
    "The base of the triangle is as long as its height, and so we may take half of the square of either one. "
)
OTHER = "Nothing in the question says how the rope was cut, which is why every way of cutting it has to be looked at. "
THIRD = "A second way begins with the angles, of which two are known to us from the start and one is not. "
CHINESE = "三角形的底边与高一样长，所以面积是任意一条边长平方的一半，这一点可以直接由题目给出的条件推出来。"
CHINESE_TOO = "题目里没有说明绳子是怎样剪开的，因此每一种剪法都需要分别讨论，然后再把结果合在一起比较大小。"


def found(kind, thinking="", answer="Final Answer: 2", **about):
    return [each for each in signals(thinking, answer, **about).found if each.kind is kind]


def shown(signal, thinking, answer="Final Answer: 2"):
    text = thinking if signal.part is Place.THINKING else answer
    return text[signal.start : signal.end]


@pytest.mark.parametrize(
    ("thinking", "answer", "about", "said"),
    [
        ("We add.\nSo the answer is 12.\nWe check.", "Final Answer: 15", {}, ["12"]),
        ("So the answer is 12. Again. So the answer is 15.", "Final Answer: 15", {}, ["12"]),
        ("Thus \\boxed{12}. Then we look again.", "\\boxed{15}", {}, ["12"]),
        ("答案是12。再看一遍。", "最终答案：15", {}, ["12"]),
        ("因此选B。再看一遍。", "答案：C", {"options": ("1", "2", "3", "4")}, ["B"]),
        ("The answer is AB.", "Final Answer: ABD", {"options": tuple("1234")}, ["AB"]),
        ("The answer is B.", "The answer is C.\n\nFinal Answer: D", {"options": tuple("1234")}, ["B", "C"]),
        ("The answer is 3 km.", "Final Answer: 4 km", {}, ["3 km"]),
        ("The final answer is no.", "Final Answer: yes", {}, ["no"]),
        # Without a final answer each is held against the one before it.
        ("So the answer is 12. Then again: the answer is 15.", "", {}, ["15"]),
        # Ways of writing one answer agree.
        ("So the answer is 1/2.", "Final Answer: 0.5", {}, []),
        ("So the answer is \\frac{1}{2}.", "Final Answer: 50%", {}, []),
        ("The answer is BA.", "Final Answer: AB", {"options": tuple("1234")}, []),
        ("The answer is Paris.", "Final Answer: B", {"options": ("Rome", "Paris")}, []),
        ("The answer is 3000 m.", "Final Answer: 3 km", {}, []),
        # What only speaks of an answer states none; what the marker cannot compare is left alone.
        ("If the answer is 12, then it is even.", "Final Answer: 15", {}, []),
        ("The answer is not 12.", "Final Answer: 15", {}, []),
        ("Is the answer 12? The answer is 12?", "Final Answer: 15", {}, []),
        ("The user says the answer is 12.", "Final Answer: 15", {}, []),
        ("Maybe the answer is 12.", "Final Answer: 15", {}, []),
        ("如果答案是12，那么它是偶数。", "最终答案：15", {}, []),
        ("The answer is the second of the two kings.", "Final Answer: Henry", {}, []),
        ("I must end with 'Answer: <answer>'.", "Final Answer: 15", {}, []),
    ],
)
def test_answers_that_contradict_the_final_one(thinking, answer, about, said):
    signs = found(Sign.CONTRADICTION, thinking, answer, **about)

    assert [each.said for each in signs] == said
    for each in signs:
        assert each.said in shown(each, thinking, answer)


def test_a_contradiction_says_which_of_both_is_the_key_and_where_the_other_stands():
    thinking, answer = "So the answer is 12. Hmm, again.", "We conclude.\n\nFinal Answer: 15"

    [signal] = found(Sign.CONTRADICTION, thinking, answer, key="12")

    assert (signal.why, signal.held, signal.keyed) == ("final answer", "15", "said")
    assert signal.other_part is Place.ANSWER
    assert answer[slice(*signal.other)] == "Final Answer: 15"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{THOUGHT}{OTHER}{THIRD}{THOUGHT}{OTHER}", "passage"),
        (f"{THOUGHT}\n\n{OTHER}\n\n{THIRD}\n\n{THOUGHT}\n\n{OTHER}", "passage"),
        (f"{CHINESE}\n\n{CHINESE_TOO}\n\n{CHINESE}", "passage"),
        (THOUGHT * 6, "loop"),
        ("so we go round and round again " * 40, "loop"),
        (CHINESE * 5, "loop"),
        # But for a word or two.
        (f"{THOUGHT}{OTHER}{THIRD}{THOUGHT.replace('we may', 'we can')}{OTHER}", "passage"),
    ],
)
def test_a_passage_said_again_points_to_both_places(text, why):
    signs = found(Sign.REPETITION, text)

    assert why in {each.why for each in signs}
    for each in signs:
        before, end = each.other
        assert 0 <= before < end <= each.start < each.end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        THOUGHT + OTHER,
        CHINESE + CHINESE_TOO,
        "So we add. " * 3,
        "".join(
            f"Case {n}: {n} times {n + 1} is {n * n + n}, which is even, as {n} or {n + 1} is. "
            for n in range(20)
        ),
    ],
)
def test_what_is_new_or_short_is_no_repetition(text):
    assert found(Sign.REPETITION, text) == []


@pytest.mark.parametrize(
    ("text", "language", "spoken"),
    [
        (f"{THOUGHT}{CHINESE}{CHINESE_TOO}{OTHER}", "en", ["zh"]),
        (f"{CHINESE}{THOUGHT}{OTHER}\n{CHINESE_TOO}", "zh", ["en"]),
        (f"{THOUGHT}\nТеперь сложим два числа и посмотрим!\nПотом сравним их с ответом задачи ещё раз.", "en", ["ru"]),
        (f"{THOUGHT}これは三角形の面積です。次に高さを求めます。それから二で割ります。", "en", ["ja"]),
        # One sentence, a name, a quotation, formulas; a text that is all in the other language.
        (f"{THOUGHT}{CHINESE}{OTHER}", "en", []),
        (f"{CHINESE}勾股定理（Pythagorean theorem）也成立。{CHINESE_TOO}", "zh", []),
        (f"{CHINESE}\n$x^2 + y^2 = z^2$\n$\\alpha + \\beta = \\gamma$\n{CHINESE_TOO}", "zh", []),
        (CHINESE + CHINESE_TOO, "en", []),
        (THOUGHT + OTHER, "en", []),
        ("", "en", []),
    ],
)  # fmt: skip
def test_a_change_of_language_that_lasts(text, language, spoken):
    signs = found(Sign.LANGUAGE, text, language=language)

    assert [each.said for each in signs] == spoken
    assert all(each.held == language for each in signs)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *[("Wait, that is wrong.", 1), ("Hmm, let me see. Wait. No, it is four.", 3), ("But wait, there is more.", 1)],
        *[("Actually, no.", 1), ("Hold on. Is it so?", 1), ("等等，这里不对。", 1), ("不对，应该是3。", 1)],
        *[("回头看第一步。", 1)],
        *[("重新计算一遍。", 1), ("我算错了。", 1), ("First 3.\nWait, 4.", 1)],
        *[("We wait for the bus.", 0), ("Wait for the bus at noon.", 0), ("Waiting is long.", 0), ("Nothing changes.", 0)],
        *[("不等式成立。", 0), ("等式成立。", 0), ("重新分配资源。", 0), ("Hold on to the rope.", 0), ("", 0)],
        *[("Await the reply. It is actually four.", 0), ("The waiter came.", 0)],
    ],
)  # fmt: skip
def test_sentences_that_take_something_back(text, count):
    assert len(found(Sign.CORRECTION, text)) == count


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("So we subtract them from", "word"),
        ("The three sides are 3, 4,", "word"),
        ("于是我们把它们相加，得到的", "word"),
        ("To see who came in first, we look at the clues provided", "sentence"),
        ("于是我们先看第一个条件再看第二个条件然后", "sentence"),
        ("We get $$x = \\frac{1}{2", "formula"),
        ("We get \\[ x = 3", "formula"),
        ("We get \\begin{align} x &= 3", "formula"),
        ("We get $x = \\frac{1}{2", "formula"),
        ("The answer is \\boxed{12", "box"),
        ("```python\nprint(3)", "code"),
    ],
)
def test_an_end_that_breaks_off(answer, why):
    signs = found(Sign.UNFINISHED, "All is well.", answer)

    assert [each.why for each in signs] == [why]
    assert signs[0].part is Place.ANSWER


@pytest.mark.parametrize(
    "text",
    [
        *[
            "All is well.",
            "Answer: 12",
            "**FINAL ANSWER: A**",
            "FINAL ANSWER: A",
            "42",
            "\\boxed{12}",
            "答案是B",
            "因此选C。",
        ],
        *[
            "It costs $5 and $6.",
            "We get \\[ x = 3 \\]",
            "We get $$x$$",
            "```\nprint(3)\n```",
            "- a list\n- of things",
            "Yes!",
        ],
        *[
            "Now for the output, it should be just: FINAL ANSWER: G",
            "RED, BLUE, GREEN, YELLOW, ORANGE, BLACK",
            "",
        ],
        *[
            "Cost is high ($$), and that is it.",
            "7.  **Generate Output.**",
            "Paris",
            "$x = 3$",
            "a \\\\[4pt] b.",
        ],
    ],
)
def test_an_end_that_is_one(text):
    assert found(Sign.UNFINISHED, text, text) == []


@pytest.mark.parametrize(
    ("thinking", "answer", "about", "flag", "part"),
    [
        (THOUGHT, "I'm sorry, but I can't help with that.", {}, "refusal", Place.ANSWER),
        (THOUGHT, "", {}, "no-answer", Place.ANSWER),
        ("", "Final Answer: 2", {}, "no-thinking", Place.THINKING),
        (f"{OTHER}\n" + "We go round.\n" * 60, "Final Answer: 2", {}, "loop", Place.THINKING),
        (
            (CHINESE + CHINESE_TOO) * 2,
            "Final Answer: 2",
            {"language": "en"},
            "wrong-language",
            Place.THINKING,
        ),
        ((THOUGHT + OTHER) * 2, "答案：2", {"language": "zh"}, "wrong-language", Place.THINKING),
    ],
)
def test_flags_of_the_quality_criterion(thinking, answer, about, flag, part):
    signs = found(Sign.QUALITY, thinking, answer, **about)

    assert flag in [each.why for each in signs if each.part is part]


def test_a_loop_is_pointed_to_where_it_begins():
    text = f"{OTHER}\n" + "We go round.\n" * 60

    [signal] = found(Sign.QUALITY, text)

    assert len(OTHER) < signal.start < len(OTHER) + 60
    assert signal.end == len(text.rstrip(".\n"))


def test_no_more_of_a_kind_are_given_than_the_most_and_the_rest_is_counted():
    given = signals("Wait, no. " * (MOST + 7) + "So 3 + 4 = 8.", "Final Answer: 2")

    assert sum(each.kind is Sign.CORRECTION for each in given.found) == MOST
    assert given.left_out == {Sign.CORRECTION: 7}
    assert any(each.kind is Sign.ARITHMETIC for each in given.found)


WORDS = st.lists(
    st.sampled_from(
        [
            *["Wait, no. ", "等等，不对。", "So the answer is ", "答案是", "12", "B", ". ", "。", "\n\n", "3 + 4 = 8"],
            *["\\boxed{"],
            *["}", "$", "$$"],
            *["\\[", "```\n", "If ", "however ", "三角形的面积"],
            *["Привет мир ", "=", "\\frac{"],
            *["the", "(", ")", "％", "\u2028", "\ud800", "\x00"],
            *[THOUGHT, CHINESE, "İ", "ß", "a\u0301", "🙂"],
        ]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@settings(max_examples=200)
@given(
    thinking=WORDS,
    answer=WORDS,
    key=st.sampled_from(["", "B", "12"]),
    language=st.sampled_from(["en", "zh", ""]),
)
def test_signals_stand_inside_their_texts_and_in_order(thinking, answer, key, language):
    given = signals(thinking, answer, key=key, options=("1", "2") if key == "B" else (), language=language)

    assert list(given.found) == sorted(given.found, key=lambda each: each.order)
    for each in given.found:
        text = thinking if each.part is Place.THINKING else answer
        assert 0 <= each.start <= each.end <= len(text)
        if each.other is not None:
            other = thinking if each.other_part is Place.THINKING else answer
            assert 0 <= each.other[0] <= each.other[1] <= len(other)


@given(st.text(max_size=400), st.text(max_size=200))
def test_no_text_raises(thinking, answer):
    signals(thinking, answer)


HOSTILE = {
    "corrections": "Wait, no. ",
    "boxes": "\\boxed{",
    "answers": "So the answer is 5. ",
    "dollars": "$$\\x ",
    "one word": "a ",
    "ideographs": "中",
    "frames": "\\begin{a}",
    "fences": "```\n",
    "stars": "*",
    "blanks": " ",
    "stops": ".",
    "headings": "答案：\n",
    "openings": "\\\\[",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_anything_is_read_in_linear_time(piece):
    assert grows_linearly(lambda text: signals(text, "Final Answer: 3"), piece * (1_000_000 // len(piece)))


@pytest.mark.real_pools
def test_real_traces_give_signals(real_pools):
    with gzip.open(real_pools / "traces" / "kimi_k2_thinking_mmlu_pro.jsonl.gz", "rt") as lines:
        traces = [json.loads(line) for line in lines]
    long = "\n\n".join(trace["thinking"] for trace in traces)[:120_000]

    given = signals(long, "Final Answer: 3")
    few = [signals(each["thinking"], each["answer"], options=tuple(each["options"])) for each in traces]

    assert grows_linearly(lambda text: signals(text, "Final Answer: 3"), long)
    assert given.found
    assert sum(bool(each.found) for each in few) > len(traces) / 4
