"""Rules find whole words in English and any run in Chinese; the nearest examples vote."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core import classification
from curator.core.classification import Label, RuleBook, nearest_votes, phrases_of

LAW, TAX, BOOKS = 1, 2, 3


@pytest.mark.parametrize(
    ("typed", "phrases"),
    [
        ("income tax, VAT", ("income tax", "vat")),
        ("所得税、增值税；印花税，关税", ("所得税", "增值税", "印花税", "关税")),
        ("  Income\n Tax ;income  tax", ("income", "tax", "income tax")),
        ("ＶＡＴ,vat", ("vat",)),
        ("C++, ***, -", ("c++",)),
        ("", ()),
    ],
)
def test_a_typed_list_is_parted_at_commas_of_both_scripts(typed, phrases):
    assert phrases_of(typed) == phrases


@pytest.mark.parametrize(
    ("phrase", "text", "is_hit"),
    [
        ("tax", "A tax is due.", True),
        ("tax", "TAX!", True),
        ("tax", "A taxi is due.", False),
        ("tax", "A syntax error, then tax.", True),
        ("tax", "A pretax sum", False),
        ("tax*", "Taxation began", True),
        ("tax*", "A pretax sum", False),
        ("income tax", "the income\n  tax", True),
        ("income tax", "incomes tax", False),
        ("c++", "In C++, what", True),
        ("c++", "In C, what", False),
        ("税", "个人所得税的计算", True),
        ("所得税", "个人所得税的计算", True),
        ("所得税", "个人所得的税", False),
        ("vat", "按VAT计算", True),
        ("vat", "按VATS计算", False),
        ("ifrs准则", "根据IFRS准则第9号", True),
        ("ifrs准则", "根据XIFRS准则", False),
        ("２", "第2题", True),
        ("3", "13 and 31", False),
    ],
)
def test_a_phrase_is_matched_as_whole_words_and_a_chinese_one_anywhere(phrase, text, is_hit):
    book = RuleBook([(each, LAW) for each in phrases_of(phrase)])

    assert bool(book.hits(text)) is is_hit


def test_the_longest_phrase_decides():
    book = RuleBook([("tax", LAW), ("income tax", TAX)])

    assert book.label("What is income tax?") == Label(TAX, 1.0)
    assert book.label("What is a tax?") == Label(LAW, 1.0)


def test_of_phrases_as_long_as_each_other_the_first_in_the_text_decides():
    book = RuleBook([("debt", LAW), ("cash", BOOKS)])

    assert book.label("cash or debt").domain == BOOKS
    assert book.label("debt or cash").domain == LAW


def test_the_confidence_is_the_share_of_the_matched_characters():
    book = RuleBook([("income tax", TAX), ("debt", LAW), ("contract", LAW)])

    assert book.label("income tax on debt").confidence == pytest.approx(10 / 14)
    assert book.label("contract and debt").confidence == 1


def test_no_phrase_no_domain():
    assert RuleBook([("tax", TAX)]).label("How much is 1 and 1?") is None
    assert RuleBook([]).label("tax") is None


def test_thousands_of_phrases_are_all_found():
    rng = random.Random(0)
    phrases = [
        "".join(rng.choices("abcdefgh税法合同资产", k=6)) for _each in range(classification.MOST_PHRASES)
    ]
    book = RuleBook([(phrase, place) for place, phrase in enumerate(phrases)])
    text = " ".join(phrases)

    assert {place for place, _start in book.hits(text)} == set(range(len(book.phrases)))


@given(st.lists(st.text("ab税 ", min_size=1, max_size=3), max_size=6), st.text("ab税 .", max_size=20))
def test_the_automaton_finds_what_a_plain_search_finds(typed, text):
    phrases = [phrase for each in typed for phrase in phrases_of(each)]
    whole = " ".join(text.split())

    def stands(phrase):
        return any(
            whole.startswith(phrase, start)
            and not (start and whole[start - 1] in "ab" and phrase[0] in "ab")
            and not (whole[start + len(phrase) :][:1] in ("a", "b") and phrase[-1] in "ab")
            for start in range(len(whole))
        )

    book = RuleBook([(phrase, LAW) for phrase in phrases])

    found = {book.phrases[place][0] for place, _start in book.hits(text)}
    assert found == {phrase for phrase in phrases if stands(phrase)}


def unit(rows):
    vectors = np.asarray(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def votes(*arguments, **options):
    runs = list(nearest_votes(*arguments, **options))
    return (
        [int(domain) for run in runs for domain in run.domains],
        [float(share) for run in runs for share in run.shares],
    )


EXAMPLES = unit([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1]])
DOMAINS = [7, 7, 5, 5, 5]


def test_the_domain_with_most_of_the_nearest_examples_wins():
    domains, shares = votes(unit([[1, 0.05], [0, 1]]), EXAMPLES, DOMAINS, neighbours=3)

    assert domains == [7, 5]
    assert shares == [pytest.approx(2 / 3), 1.0]


def test_with_fewer_examples_than_neighbours_all_vote():
    assert votes(unit([[1, 0]]), EXAMPLES, DOMAINS, neighbours=50) == ([5], [pytest.approx(3 / 5)])


def test_the_nearer_examples_decide_between_as_many_votes():
    examples, labels = unit([[1, 0], [1, 1]]), [9, 3]

    assert votes(unit([[1, 0.1]]), examples, labels, neighbours=2)[0] == [9]
    assert votes(unit([[1, 0.9]]), examples, labels, neighbours=2)[0] == [3]


def test_without_examples_or_questions_nobody_votes():
    none = np.zeros((0, 2), dtype=np.float32)

    assert votes(unit([[1, 0]]), none, [], neighbours=3) == ([], [])
    assert votes(none, EXAMPLES, DOMAINS, neighbours=3) == ([], [])


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    questions, examples = unit(rng.standard_normal((50, 8))), unit(rng.standard_normal((40, 8)))
    labels = rng.integers(0, 4, 40).tolist()
    whole = votes(questions, examples, labels, neighbours=5)

    monkeypatch.setattr(classification, "BLOCK_BYTES", 7 * 4 * 40)

    assert len(list(nearest_votes(questions, examples, labels, neighbours=5))) == 8
    assert votes(questions, examples, labels, neighbours=5) == whole
