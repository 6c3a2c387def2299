"""The first criterion: each pattern by name, on what it should find and on what it should not."""

import random
import re
import time

import pytest

from curator.core.quality import (
    BY_NAME,
    PATTERNS,
    S1_PATTERNS,
    BadPattern,
    Specimen,
    has_bold_number,
    is_looping,
    own_pattern,
    question_flaws,
    trace_flaws,
)


def specimen(
    question="How much?",
    thinking="One.\nTwo.",
    answer="Final Answer: 2",
    finish="stop",
    source="",
    language="",
    key="",
    options=(),
):
    return Specimen(question, thinking, answer, finish, source, language, key, options)


def first_flaw(shown, names=tuple(BY_NAME)):
    """Return the first of the named patterns that a specimen shows, or None."""
    return next((BY_NAME[name] for name in names if BY_NAME[name].found_in(shown)), None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("asymptote", specimen("Find x. [asy] draw((0,0)--(1,1)); [/asy]")),
        ("image-link", specimen("See ![Image](a.png)")),
        ("page-number", specimen("p12. Find x.")),
        ("page-number", specimen("Find x. p999. Find y.")),
        ("bold-number", specimen("**12** Find x.")),
        ("bold-number", specimen("**Problem.** Find 3x")),
        ("missing-figure", specimen("如图，三角形ABC的面积是多少？")),
        ("missing-figure", specimen("变化如下图所示。")),
        ("missing-figure", specimen("Find AB. ![](https://cdn.example/1.png)")),
        ("missing-figure", specimen('What is x? <img src="a.png">')),
        ("missing-figure", specimen("求面积。[图片]")),
        ("missing-figure", specimen("What is sold most by the chart below?")),
        ("missing-figure", specimen("该药品的供给曲线如图 4所示")),
        ("missing-figure", specimen("As shown in the figure, AB = 3.")),
        ("missing-figure", specimen("In the diagram, BP trisects angle ABC.")),
        ("missing-figure", specimen("The spheres in Fig. 21-24 are charged.")),
        ("truncated", specimen(finish="length")),
        ("truncated", specimen(answer="", finish="max_tokens")),
        ("no-thinking", specimen(thinking=" \n")),
        ("no-answer", specimen(answer="")),
        (
            "no-answer",
            specimen(answer="Both may be right, one cannot tell.", options=("true", "false"), key="A"),
        ),
        ("no-answer", specimen(answer="这道题需要进一步讨论。", options=("对", "错"), key="B")),
        ("no-answer", specimen(answer="So it follows from what was said above.", key="42")),
        ("unreadable", specimen("求锟斤拷的值")),
        ("unreadable", specimen("The bank\ufffds rate is 5 %.")),
        ("broken-numbering", specimen("(2) Find the mean.\n(3) Find the variance.")),
        ("broken-numbering", specimen("资料如下。\n3、计算利润。\n4、计算税金。")),
        (
            "wrong-language",
            specimen(
                "求和",
                thinking="We add the two numbers, and what we get is their sum; then we look whether it is the answer.",
                language="zh",
            ),
        ),
        (
            "wrong-language",
            specimen(
                "Add.",
                thinking="我们先把两个数相加，再检查一遍结果是否正确。"
                + "".join(map(chr, range(0x5000, 0x5050))),
                language="en",
            ),
        ),
        ("refusal", specimen(answer="I'm sorry, but I can't help with that.")),
        ("refusal", specimen(answer="I'm unable to answer that.")),
        ("refusal", specimen(answer="Unfortunately, I cannot help with this one.")),
        ("refusal", specimen(answer="Sorry, I can't see the image you mention.")),
        ("refusal", specimen(answer="很遗憾，我无法回答。")),
        ("refusal", specimen(answer="我无法看到图片。")),
        ("truncated", specimen(answer="There are 12 of them, so we subtract them from")),
        ("truncated", specimen(answer="It follows that \\[ x = \\frac{1}{2")),
        ("truncated", specimen(answer="Final Answer: \\boxed{12")),
        ("refusal", specimen(answer="I cannot answer this: it is no question about a ledger.")),
        ("refusal", specimen(answer="我无法回答：这不是关于账目的问题。")),
        ("refusal", specimen(answer="作为一个人工智能，我不能……")),
        ("loop", specimen(thinking="wait\n" * 4)),
    ],
)
def test_a_flaw_is_found_by_its_pattern(name, shown):
    flaw = first_flaw(shown)

    assert flaw is not None
    assert flaw.name == name
    assert flaw.reason.endswith(".")


@pytest.mark.parametrize(
    "shown",
    [
        specimen(),
        specimen("[asy] draw(A); [/asy] In the diagram, find x.", source="AIME 1999"),
        specimen("p0. p1000. and p12 of the book"),
        specimen("(1) Find the mean.\n(2) Find the variance."),
        specimen("The year was\n2. and then 3 came"),
        specimen("某公司2023年：\n2、存货100万元。"),
        specimen("求 x", thinking="x = 3, y = 4, z = 5; 3 + 4 + 5 = 12", language="zh"),
        specimen(
            "甲税率？",
            thinking="The rate is VAT. "
            "按照税法规定，税率是百分之十三。再看扣除项目，合计之后相减，可得应纳税额，检查无误。",
            language="zh",
        ),
        specimen("Prix à payer : 5 € – l’été"),
        specimen("**bold** without a number"),
        specimen("2 ** 3 ** 4"),
        specimen("《清明上河图》的作者是谁？专利说明书遗漏了附图 2"),
        specimen("他在图章上写下题跋"),
        specimen("Find the graph of y = 2x. Is 3 in the image of T? The table is shown below: | 1 |"),
        specimen(answer="I can't be sure of the rounding, but the answer is 5."),
        specimen(answer="I am going to answer: 5"),
        specimen(answer="The answer is (B).", options=("true", "false"), key="A"),
        specimen(answer="答案：42 元", key="42"),
        specimen(answer="Liquidity is what one pays for.", key="an essay about liquidity"),
    ],
)
def test_what_only_resembles_a_flaw_is_let_through(shown):
    assert first_flaw(shown) is None


@pytest.mark.parametrize(
    "pattern", [each for each in BY_NAME.values() if each.expression], ids=lambda it: it.name
)
def test_a_pattern_of_ones_own_may_begin_as_a_built_in_one(pattern):
    shown = {
        "asymptote": specimen("[asy] draw(A); [/asy]"),
        "image-link": specimen("Find x in ![Image]."),
        "page-number": specimen("see p12. of the book"),
        "bold-number": specimen("**12** Find x."),
        "missing-figure": specimen("如图，求面积。"),
        "unreadable": specimen("求锟斤拷的值"),
        "refusal": specimen(answer="I'm sorry, I cannot help with that."),
    }[pattern.name]

    own = own_pattern(name="own", place=pattern.place, expression=pattern.expression, reason=pattern.reason)

    assert pattern.found_in(shown)
    assert own.found_in(shown)
    assert not own.found_in(specimen())


def test_only_the_named_patterns_count():
    flawed = specimen("如图", finish="length")

    assert first_flaw(flawed, S1_PATTERNS) is None
    assert first_flaw(flawed, ("truncated",)) is BY_NAME["truncated"]


def test_the_bold_number_is_found_exactly_where_the_published_expression_finds_it():
    published = re.compile(r"\*\*(?=.*\d)[^\s\]]*\*\*")
    rng = random.Random(5)
    texts = ["".join(rng.choice("***a1 ]\n") for _ in range(rng.randrange(16))) for _ in range(20_000)]

    found = [has_bold_number(text) for text in texts]

    assert found == [bool(published.search(text)) for text in texts]
    assert 300 < sum(found) < 19_700  # both happen


@pytest.mark.parametrize(
    ("thinking", "looping"),
    [
        ("deposit 14: 49+14=63\n" * 4, True),
        ("a\n" + "Let me check again.\n" * 9 + "So 5.", True),
        ("\n".join(f"line {number % 3}" for number in range(30)), True),
        ("先看定义。" + "等等，我再算一遍。这里的税率是百分之十三，所以应纳税额还是不对。" * 8, True),
        ("So it is 4. Wait, no, it might be 5 after all; no, 4. " * 12, True),
        ("0" * 3000, True),
        ("First.\nSecond.\nFirst.\nThird.", False),
        ("x = 1\n\nx = 1\n\nx = 2", False),
        ("| a | b |\n|---|---|\n" + "-" * 80 + "\nSo 5.", False),
        ("The end is a rule.\n" + "-" * 80, False),
        ("\n".join(f"step {number}: {number}+1={number + 1}" for number in range(40)), False),
        ("", False),
    ],
)
def test_a_loop_is_told_from_a_trace_that_checks_itself(thinking, looping):
    assert is_looping(thinking) is looping


def test_hostile_text_takes_no_longer_than_ordinary_text():
    hostile = specimen("**" * 50_000, "ab" * 500_000 + "c", "(" * 100_000)

    began = time.process_time()
    first_flaw(hostile)

    assert time.process_time() - began < 1


def test_every_pattern_looks_at_one_place_and_none_is_looked_for_twice():
    shown = specimen("如图 [asy]x", "wait\n" * 4, "", "length", language="zh")

    found = question_flaws(shown) + trace_flaws(shown)

    assert found == ["asymptote", "truncated", "no-answer", "loop"]
    assert all(pattern.found_in(shown) == (pattern.name in found) for pattern in PATTERNS)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("question", specimen("见附表三")),
        ("thinking", specimen(thinking="见附表三")),
        ("answer", specimen(answer="见附表三")),
    ],
)
def test_a_pattern_of_ones_own_looks_where_it_is_told(place, shown):
    pattern = own_pattern(name="annex", place=place, expression="附表[一二三]", reason="It needs an annex.")

    assert pattern.found_in(shown)
    assert not pattern.found_in(specimen())


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"expression": "(a"}, r"The expression '\(a' cannot be used: missing \)"),
        ({"expression": r"(a)\1"}, "cannot be used: invalid escape sequence"),
        ({"expression": " "}, "has 1 to 500 characters; this one has 1"),
        ({"expression": "a" * 501}, "this one has 501"),
        ({"expression": "a*"}, "is found in every text"),
        ({"name": "loop"}, "There is a built-in pattern loop"),
        ({"place": "margin"}, "looks in question, thinking, answer, not in 'margin'"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_in_a_sentence(fields, sentence):
    given = {"name": "mine", "place": "question", "expression": "a", "reason": "It is so.", **fields}

    with pytest.raises(BadPattern, match=sentence):
        own_pattern(**given)


def test_an_expression_that_would_backtrack_takes_linear_time():
    pattern = own_pattern(name="mine", place="thinking", expression="(a+)+b", reason="It is so.")

    began = time.process_time()
    pattern.found_in(specimen(thinking="a" * 1_000_000))

    assert time.process_time() - began < 1
