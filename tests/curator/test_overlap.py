"""Leaks between a pool and a benchmark, in both scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.highlights import differences, shared
from curator.core.overlap import Kind, Passage, leaks, runs

LEDGER = "A ledger opens with 46 coins, takes in 14 on Monday and pays out 9 on the Friday after."
ESTATE = "甲立公证遗嘱，写明死后其全部遗产归长子乙，后来又亲笔书写一份遗嘱归次子丙。"


def found(question, item, **options):
    question = question if isinstance(question, Passage) else Passage("q", question)
    item = item if isinstance(item, Passage) else Passage("i", item)
    return leaks([question], [item], **options)


@pytest.mark.parametrize(
    ("question", "item"),
    [
        (LEDGER, LEDGER),
        (f"Read this. {LEDGER} How much is left?", LEDGER),
        (LEDGER, f"{LEDGER.upper()}\n\nHow much is left?"),
        (ESTATE, ESTATE),
        (ESTATE.replace("，", ", "), ESTATE + "下列哪一选项是正确的？"),
        ("1+1等于几？", "1 + 1 等于几"),
        ("下列说法正确的是（  ）", "下列说法正确的是"),
    ],
)
def test_a_question_that_a_benchmark_holds_is_found(question, item):
    (hit,) = found(question, item)

    assert (hit.question, hit.item) == ("q", "i")
    assert hit.shared


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("Compute $2+3$.", "Compute $2-3$."),
        ("Compute 5!", "Compute 5"),
        ("Is 3.5 > 1?", "Is 35 > 1?"),
        (LEDGER, "A ledger opens with 46 coins. How long is it open?"),
        (ESTATE, "甲立公证遗嘱，丁说没有。"),
        ("?", "!"),
        ("", LEDGER),
    ],
)
def test_a_question_that_only_sounds_alike_is_not(question, item):
    assert found(question, item) == []


def test_a_short_stem_counts_only_with_its_options():
    item = Passage("i", "下列说法正确的是", ["遗嘱有效", "遗嘱无效"])

    same = found(Passage("q", "下列说法正确的是：", ["遗嘱无效", "遗嘱有效。"]), item)
    other = found(Passage("q", "下列说法正确的是：", ["布朗运动", "热运动"]), item)

    assert [hit.item for hit in same] == ["i"]
    assert other == []


def test_the_shared_text_is_the_longest_stretch_both_have():
    (hit,) = found("Once, " + LEDGER + " And then?", "Look: " + LEDGER)

    assert (
        hit.shared
        == "a ledger opens with 46 coins, takes in 14 on monday and pays out 9 on the friday after."
    )


def test_a_stem_that_many_pool_questions_share_proves_nothing():
    stem = "Which of the following statements about the duty of care in this matter is most"
    pool = [Passage(f"q{n}", f"{stem} nearly right for case {n}?") for n in range(40)]

    assert leaks(pool, [Passage("i", f"{stem} surely wrong?")]) == []


def test_one_shared_run_in_a_long_text_is_a_leak_by_s1s_rule_alone():
    question = (
        " ".join(f"word{n}" for n in range(60)) + " for the year ended december 31 2019 compared to that"
    )
    item = " ".join(f"other{n}" for n in range(60)) + " for the year ended december 31 2019 compared to this"

    assert found(question, item) == []
    assert len(found(question, item, least_share=0)) == 1


def test_the_item_that_shares_most_is_named_whatever_the_order():
    items = [Passage("a", LEDGER[:60]), Passage("b", LEDGER + " How much is left?"), Passage("c", ESTATE)]
    question = Passage("q", LEDGER + " How much is left then?")

    one = leaks([question], items)
    other = leaks([question], items[::-1])

    assert one == other
    assert one[0].item == "a"  # all of it is in the question


def test_runs_are_eight_words_or_thirteen_characters():
    assert len(runs("one two three four five six seven eight")) == 1
    assert len(runs("一二三四五六七八九十百千，万。")) == 1
    assert runs("one two three") == []


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("How many legs has a common house spider?", "How many legs has the common house spider ?"),
        ("中国古代四大发明不包括下列哪项", "中国古代四大发明不包括以下哪项"),
        (
            "One ticket to a concert costs $20 at full price. Nicole buys 4 tickets, getting a 25% discount. Bel buys 5.",
            "One ticket to a show costs $20 at full price. Susan buys 4 tickets, and has a 25% discount. Pam buys 5.",
        ),
        ("Wie heißt die Hauptstadt von Frankreich?", "Wie heisst die Hauptstadt von Frankreich?"),
        ("关于行政复议，下列哪一说法是正确的", "关于行政复议，下列说法是正确的"),
        ("Name the largest planet of our Sun.", "Of our Sun name the largest planet."),
        ("12. Name the largest planet of our Sun", "(3) Name the largest planet of our sun."),
    ],
)
def test_a_short_or_reworded_question_that_shares_no_run_is_found(question, item):
    assert not set(runs(question)) & set(runs(item))

    (hit,) = found(question, item)

    assert hit.kind in (Kind.FUZZY, Kind.WHOLE)
    assert 0.8 <= hit.likeness <= 1


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("How much is 12 plus 7?", "How much is 12 plus 8?"),
        ("What are three apples and five apples?", "What are four apples and five apples?"),
        ("小明有三个苹果，一共几个？", "小明有四个苹果，一共几个？"),
        ("Name the capital of France.", "Name the capital of Greece."),
        (
            "Let x, y, z be positive with x + y + z = 1. Find the minimum of (x + y)/(xyz).",
            "Let x, y, z be positive with xyz(x + y + z) = 1. Find the minimum of (x + y)(y + z).",
        ),
    ],
)
def test_an_exercise_of_the_same_template_is_no_reworded_one(question, item):
    assert found(question, item) == []


def test_options_tell_short_questions_apart():
    item = Passage("i", "Which one of these is correct?", ["Water boils at sea level", "Iron floats"])
    same = Passage("q", "Which one of those is correct?", ["Iron floats", "Water boils at sea level"])
    other = Passage("q", "Which one of those is correct?", ["Light is slow", "Sound is fast"])

    assert [hit.kind for hit in found(same, item)] == [Kind.FUZZY]
    assert found(other, item) == []


def test_a_question_that_several_exams_hold_is_found_in_each():
    items = [
        Passage("a", LEDGER, group="one"),
        Passage("b", LEDGER + " How much?", group="two"),
        Passage("c", ESTATE),
    ]

    hits = leaks([Passage("q", LEDGER)], items)

    assert [(hit.item, hit.kind, hit.likeness) for hit in hits] == [("a", Kind.WHOLE, 1), ("b", Kind.RUNS, 1)]


def test_what_is_found_does_not_hang_on_how_questions_are_batched(monkeypatch):
    pool = [Passage(f"q{n}", f"{LEDGER} Case {n}.") for n in range(30)]
    items = [Passage("i", LEDGER)]
    at_once = leaks(pool, items)

    monkeypatch.setattr("curator.core.shingles.TEXTS_AT_ONCE", 7)

    assert leaks(pool, items) == at_once


def test_a_changed_word_is_marked_in_both_texts():
    one, other = differences("Add 3 red apples.", "Add  3 green apples.")

    assert [part.text for part in one if part.is_marked] == ["red "]
    assert [part.text for part in other if part.is_marked] == ["green "]
    assert "".join(part.text for part in other) == "Add  3 green apples."


def test_a_changed_character_is_marked_in_both_texts():
    one, other = differences("其全部遗产归乙。", "其所有遗产归乙。")

    assert [part.text for part in one if part.is_marked] == ["全部"]
    assert [part.text for part in other if part.is_marked] == ["所有"]


def test_a_shared_passage_is_marked_in_both_texts():
    one, other = shared(f"Once upon a time. {LEDGER} And then what? " * 2, f"Look at this: {LEDGER.upper()}")

    assert sum(part.is_marked for part in one) == 2
    assert [part.text for part in other if part.is_marked] == [LEDGER.upper()]


@given(st.text(alphabet="ab 甲乙。\n", max_size=60), st.text(alphabet="ab 甲乙。\n", max_size=60))
def test_no_character_is_lost_by_marking(one, other):
    for parts in (differences(one, other), shared(one, other)):
        assert "".join(part.text for part in parts[0]) == one
        assert "".join(part.text for part in parts[1]) == other
