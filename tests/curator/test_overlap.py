"""Leaks between a pool and a benchmark, in both scripts."""

import pytest

from curator.core.overlap import Passage, leaks, runs

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
