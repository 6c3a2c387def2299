"""What a person types finds the questions that say it, in Chinese as in English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.search import LONGEST_SEARCH, MOST_TERMS, read_search
from curator.models import QuestionWords
from curator.queries import ORDERS, get_keyset_page, get_order, get_questions, read_cursor
from curator.services import words
from curator.services.questions import edit_question

TEXTS = {
    "law": "The company's laws protect its taxpayers.",
    "lawn": "How much does a lawn cost, at 50% off?",
    "tax": "Which of the following taxes is indirect?",
    "合同": "劳动合同的期限有哪几种？",
    "同合": "合伙人共同经营，劳动报酬如何分配？",
    "mixed": "2020年GDP增长了多少？Use snake_case: a\\b.",
}


@pytest.mark.parametrize(
    ("typed", "words", "literals"),
    [
        ("company law ", "'company' & 'law'", []),
        ("company la", "'company' & 'la':*", []),
        ("x", "'x'", []),
        ("1234", "'1234'", []),
        ('"net profit" margin', "'net' & 'profit' & 'margin':*", ["net profit"]),
        ("“净利润”", "'净' & '利' & '润'", ["净利润"]),
        ("劳动合同", "'劳' & '动' & '合' & '同'", ["劳动合同"]),
        ("的", "'的'", []),
        ("GDP增长", "'GDP' & '增' & '长'", ["增长"]),
        ("tax -income", "'tax' & !'income'", []),
        ("tax -劳动", "'tax'", ["劳动"]),
        ("don't ", "'don''t'", []),
        ("a\\b ", "'a\\\\b'", []),
        ("≤", "", ["≤"]),
        ("  ", "", []),
        ('""', "", []),
        ("a & b | !c:* ", "'a' & 'b' & 'c:*'", ["&", "|"]),
    ],
)
def test_typed_words_become_a_query(typed, words, literals):
    search = read_search(typed)

    assert search.words == words
    assert [term.text for term in search.literals][: len(literals)] == literals


@pytest.mark.parametrize(
    ("typed", "number"), [("#12", 12), ("＃7", 7), ("# 12", None), ("#12 a", None), ("12", None)]
)
def test_a_number_after_a_hash_names_a_question(typed, number):
    assert read_search(typed).number == number


def test_nothing_that_is_typed_is_a_wildcard():
    assert read_search("50%_\\").terms[0].pattern == "%50\\%\\_\\\\%"


def test_a_search_without_end_is_cut():
    assert len(read_search("ab " * 1000).terms) <= MOST_TERMS
    assert len(read_search("a" * 1000).terms[0].text) == LONGEST_SEARCH


@pytest.mark.django_db
@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("law ", {"law", "lawn"}),
        ("law", {"law", "lawn"}),
        ("COMPANY", {"law"}),
        ("taxpayer", {"law"}),
        ('"which of the following"', {"tax"}),
        ('"taxes indirect"', set()),
        ("劳动", {"合同", "同合"}),
        ("劳动合同", {"合同"}),
        ("劳动 -合同", {"同合"}),
        ("GDP增长", {"mixed"}),
        ("50%", {"lawn"}),
        ("%", {"lawn"}),
        ("snake_case", {"mixed"}),
        ('"snake-case"', set()),
        ("\\", {"mixed"}),
        ('"劳动合同的期限" 哪', {"合同"}),
        ("the", {"law", "tax"}),
    ],
)
def test_a_search_finds_what_says_it_with_and_without_written_words(
    make_pool, make_question, typed, found, written
):
    pool = make_pool()
    for name, text in TEXTS.items():
        make_question(pool, text=text, external_id=f"id of {name}")
    if written:
        words.write_missing_words()
    expected = found - {"lawn"} if written and typed == "law " else found  # a text knows no ends of words

    rows = get_questions(pool.project, text=typed)

    assert {row.external_id.removeprefix("id of ") for row in rows} == expected


@pytest.mark.django_db
def test_words_are_folded_as_english_ones(make_question):
    question = make_question(text="The companies were taxed.")
    words.write_missing_words()

    for typed in ("company ", "taxes ", "taxing", "-dog taxes"):
        assert list(get_questions(question.project, text=typed)) == [question], typed


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("apples", {"He has three apples.", "One apple a day."}),
        ("apple", {"He has three apples.", "One apple a day."}),
        ("appl", {"He has three apples.", "One apple a day.", "We apply the rule.", "Applied economics."}),
        ("applied", {"We apply the rule.", "Applied economics."}),
        ("three apples", {"He has three apples."}),
    ],
)
def test_a_word_that_may_go_on_finds_what_begins_so_and_not_what_shares_its_stem_alone(
    make_pool, make_question, typed, expected
):
    pool = make_pool()
    for text in ("He has three apples.", "One apple a day.", "We apply the rule.", "Applied economics."):
        make_question(pool, text=text)
    words.write_missing_words()

    assert {question.text for question in get_questions(pool.project, text=typed)} == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("the ", {"The rule of law.", "To be or not to be: the question."}),
        ("of the ", {"The rule of law."}),
        ("to be or not ", {"To be or not to be: the question."}),
        ("rule -the", {"Another rule, they say."}),
        ("the", {"The rule of law.", "To be or not to be: the question.", "Another rule, they say."}),
    ],
)
def test_a_word_that_says_nothing_is_found_as_a_word(make_pool, make_question, typed, expected):
    pool = make_pool()
    for text in ("The rule of law.", "To be or not to be: the question.", "Another rule, they say."):
        make_question(pool, text=text)
    words.write_missing_words()

    assert {question.text for question in get_questions(pool.project, text=typed)} == expected


def test_a_question_is_found_by_its_number_and_by_its_id_in_the_source(make_pool, make_question):
    pool = make_pool()
    other = make_question(pool, text="It mentions cpa-2019-7 in its text.")
    named = make_question(pool, external_id="cpa-2019-7")
    elsewhere = make_question()
    words.write_missing_words()

    assert list(get_questions(pool.project, text=f"#{named.pk}")) == [named]
    assert list(get_questions(pool.project, text=f"#{elsewhere.pk}")) == []
    assert set(get_questions(pool.project, text="cpa-2019-7")) == {named, other}


@pytest.mark.django_db
def test_a_question_whose_words_are_not_written_yet_is_found_beside_the_others(make_pool, make_question):
    pool = make_pool()
    old = make_question(pool, text="Tax law, chapter 1")
    words.write_missing_words()
    new = make_question(pool, text="Tax law, chapter 2")

    assert QuestionWords.objects.count() == 1
    assert set(get_questions(pool.project, text="tax law")) == {old, new}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed",
    [
        "'",
        "''",
        "\\'",
        ":*",
        "!",
        "!!a",
        "a & ",
        "(",
        "<->",
        "a <-> b",
        "'a' | 'b'",
        "-",
        "--",
        "- -",
        "$$",
        "%s",
        "\x00a",
    ],
)
def test_no_syntax_of_the_database_breaks_a_search(make_question, typed):
    question = make_question(text="plain")
    words.write_missing_words()

    assert list(get_questions(question.project, text=typed)) in ([], [question])


OPTIONS = ["A notary must attest it.", "无需登记即可生效", "50% of it"]


@pytest.mark.django_db
@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("notary", True),
        ("notaries ", True),
        ("notar", True),
        ("登记", True),
        ("无需登记", True),
        ("登记无需", False),
        ('"must attest"', True),
        ('"attest must"', False),
        ("50%", True),
        ("which will notary", True),
        ("which -notary", False),
        ("which -登记", False),
        ("which -witness", True),
        ("the", False),
    ],
)
def test_a_search_finds_the_words_of_options_too(make_question, typed, is_found, written):
    question = make_question(text="Which will is void?", options=OPTIONS)
    if written:
        words.write_missing_words()
    elif typed == "notaries ":
        is_found = False  # a text knows no stems

    assert list(get_questions(question.project, text=typed)) == ([question] if is_found else [])


@pytest.fixture
def ranked(make_pool, make_question):
    """Return what lists the texts that a search finds, the best match first."""
    pool = make_pool()

    def ranked(typed, *texts, options=None, ids=None):
        for place, text in enumerate(texts):
            make_question(
                pool,
                text=text,
                options=(options or {}).get(place, []),
                external_id=(ids or {}).get(place, ""),
            )
        words.write_missing_words()
        order = get_order(pool.project, "", typed)
        page = get_keyset_page(get_questions(pool.project, text=typed), order)
        return [texts.index(row.text) for row in page.rows]

    return ranked


LONG = " and then on and on about nothing in particular for a long while" * 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "texts", "best"),
    [
        ("tax ", ["One tax" + LONG, "Tax law: which tax is a tax?", "No levy but one tax" + LONG], 1),
        ("net profit ", ["net of all, and much later" + LONG + " a profit", "the net profit of the year"], 1),
        ("合同", ["合同" + "的说明很长" * 50, "合同与合同"], 1),
        ("tax -levy", ["One tax" + LONG, "tax tax tax", "levy tax tax tax tax"], 1),
    ],
)
def test_the_best_match_of_a_search_comes_first(ranked, typed, texts, best):
    assert ranked(typed, *texts)[0] == best


@pytest.mark.django_db
def test_a_questions_text_outweighs_its_options(ranked):
    assert ranked("tax ", "Which levy?", "Which tax?", options={0: ["tax", "tax", "a tax"]}) == [1, 0]


@pytest.mark.django_db
def test_the_id_in_the_source_is_the_best_match(ranked):
    assert ranked("cpa-7", "cpa-7 cpa-7 cpa-7", "Other words", ids={1: "cpa-7"}) == [1, 0]


@pytest.mark.django_db
def test_without_words_to_search_the_oldest_come_first(make_project):
    project = make_project()

    for typed in ("", "  ", "#12"):
        assert get_order(project, "", typed) == ORDERS["oldest"]
    assert get_order(project, "longest", "tax") == ORDERS["longest"]


@pytest.mark.django_db
def test_pages_by_best_match_meet_every_question_once_in_both_directions(make_pool, make_question):
    pool = make_pool()
    for number in range(11):
        make_question(pool, text="tax " * (number % 4 + 1) + "x" * number)
        if number == 7:
            words.write_missing_words()  # the last three are searched by their texts
    order, rows = get_order(pool.project, "", "tax "), get_questions(pool.project, text="tax ")

    met, page = [], get_keyset_page(rows, order, size=3)
    pages = [page]
    while page.after:
        page = get_keyset_page(rows, order, after=read_cursor(page.after, order), size=3)
        pages += [page] if page.rows else []
    met = [row.pk for each in pages for row in each.rows]
    back = get_keyset_page(rows, order, before=read_cursor(pages[2].before, order), size=3)

    assert len(met) == len(set(met)) == 11
    assert [row.pk for row in back.rows] == [row.pk for row in pages[1].rows]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40))
def test_any_text_is_read_as_terms_that_it_holds(typed):
    search = read_search(typed)

    assert all(term.text and term.text in typed for term in search.terms)
    assert search.words.count("':*") <= 1


@pytest.mark.django_db
def test_a_question_is_found_by_its_new_options_and_no_more_by_its_old_ones(make_question):
    question = make_question(text="Which will is void?", options=["one by a notary", "none"], key="A")
    words.write_missing_words()

    edit_question(question=question, values={"options": ["one by a witness", "none"]}, by=None)

    for is_rewritten in (False, True):
        if is_rewritten:
            assert words.write_missing_words() == 1
        assert list(get_questions(question.project, text="witness")) == [question]
        assert list(get_questions(question.project, text="notary")) == []
