"""Rows of any file as questions, or the sentence that refuses them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.rows import (
    LONGEST_TEXT,
    BadMapping,
    MissingColumn,
    QuestionRow,
    Rejected,
    full_mapping,
    guess_mapping,
    parse_mapping,
    read_row,
)

QUESTION = {"question": "q", "options": "o", "key": "k", "solution": "s", "marks": "m", "language": "l"}
MAPPING = QUESTION | {"domain": "d", "external_id": "i"}


def read(**cells):
    return read_row({"q": "How much is 1+1?"} | cells, MAPPING, 7)


@pytest.mark.parametrize(
    ("columns", "mapping"),
    [
        (["No.", "Question", "Answer"], {"external_id": "No.", "question": "Question", "key": "Answer"}),
        (
            ["编号", "题目", "参考答案", "解析", "分值", "领域"],
            {
                "external_id": "编号",
                "question": "题目",
                "key": "参考答案",
                "solution": "解析",
                "marks": "分值",
                "domain": "领域",
            },
        ),
        (["题干（必填）", "答案 *", "科目"], {"question": "题干（必填）", "key": "答案 *", "domain": "科目"}),
        (["answer", "Correct Answer", "problem"], {"key": "Correct Answer", "question": "problem"}),
        (
            ["问题", "A", "B", "C", "答案"],
            {"question": "问题", "option A": "A", "option B": "B", "option C": "C", "key": "答案"},
        ),
        (
            ["stem", "option_a", "Option B", "选项C"],
            {"question": "stem", "option A": "option_a", "option B": "Option B", "option C": "选项C"},
        ),
        (["选项A", "选项（B）"], {"option A": "选项A", "option B": "选项（B）"}),
        (["A", "choices"], {"options": "choices"}),
        (["colour", "shape"], {}),
    ],
)
def test_columns_are_known_by_what_people_call_them(columns, mapping):
    assert guess_mapping(columns) == mapping


def test_what_a_person_names_outranks_the_guess_and_takes_the_column_from_it():
    mapping = full_mapping(["text", "题目", "答案"], {"question": "题目", "solution": "text", "key": ""})

    assert mapping == {"question": "题目", "solution": "text"}


def test_a_file_without_a_question_column_is_refused_with_the_columns_it_has():
    with pytest.raises(MissingColumn, match="the file has colour, 尺寸"):
        full_mapping(["colour", "尺寸"], None)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (["question"], "'question' is no FIELD=COLUMN"),
        (["=题目"], "'=题目' is no FIELD=COLUMN"),
        (["question=a", "question=b"], "'question' twice"),
        (["stem=题目"], "There is no field 'stem'; there are question, key"),
    ],
)
def test_a_mapping_that_cannot_be_read_is_refused_in_a_sentence(pairs, sentence):
    with pytest.raises(BadMapping, match=sentence):
        parse_mapping(pairs)


def test_a_mapping_is_read_as_it_is_typed():
    assert parse_mapping(["question=题目", "option A=甲=1"]) == {"question": "题目", "option A": "甲=1"}


def test_a_mapped_column_that_is_not_there_is_refused():
    with pytest.raises(BadMapping, match="no column '题干' for question; it has 题目"):
        full_mapping(["题目"], {"question": "题干"})


def test_a_full_row_becomes_a_question():
    row = read(
        o=["1", "2"], k="B", s="Count.", m="2.5分", l="English", d="arithmetic", i=17.0
    )  # a spreadsheet gives its numbers as floats

    assert row == QuestionRow(
        row_number=7,
        text="How much is 1+1?",
        options=("1", "2"),
        key="B",
        solution="Count.",
        marks=Decimal("2.50"),
        language="en",
        domain="arithmetic",
        external_id="17",
        neutralised=False,
    )


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        (["one", "two"], ("one", "two")),
        (["A. one", "B. two"], ("one", "two")),
        (["A. one", "two"], ("A. one", "two")),
        (["one", "", "three"], ("one", "", "three")),
        ('["one", "two, three"]', ("one", "two, three")),
        ("['one', \"it's two\"]", ("one", "it's two")),
        ({"A": "one", "B": 2}, ("one", "2")),
        ('{"a": "one", "b": "two"}', ("one", "two")),
        ({"label": ["A", "B"], "text": ["one", "two"]}, ("one", "two")),
        ("A. one B. two C. three", ("one", "two", "three")),
        ("A．死刑；B．迁刑；C．徒刑", ("死刑", "迁刑", "徒刑")),
        ("A、甲说\nB、乙说\nC、丙说", ("甲说", "乙说", "丙说")),
        ("(A) see B. for more (B) none", ("see B. for more", "none")),
        ("[A] one [B] two", ("one", "two")),
        ("one\n\ntwo", ("one", "two")),
        ("A note. Before: A. one", ("A note. Before: A. one",)),
        ("", ()),
        (None, ()),
        ("null", ()),
        ("[]", ()),
    ],
)
def test_options_are_read_in_every_form_that_files_give_them(cell, options):
    assert read(o=cell).options == options


def test_options_in_one_column_each_keep_their_letters():
    mapping = {
        "question": "q",
        "key": "k",
        "option A": "a",
        "option B": "b",
        "option C": "c",
        "option D": "d",
    }

    row = read_row({"q": "Which?", "a": "one", "b": "", "c": 3.0, "d": None, "k": "C"}, mapping, 2)

    assert (row.options, row.key) == (("one", "", "3"), "C")


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(B)", "B"),
        ("Ｂ", "B"),
        ("B. two", "B"),
        ("B、two", "B"),
        ("A、C", "AC"),
        ("C,A", "AC"),
        ("A B", "AB"),
        ("CA", "AC"),
        ("bd", "BD"),
        ("bad", "bad"),  # a word, though every letter names an option
        ("A cat", "A cat"),
        ("two", "two"),  # the option's own words
        ("yes", "yes"),
        ("", ""),
    ],
)
def test_letters_of_a_key_are_put_in_order_and_words_are_left_alone(key, kept):
    assert read(o=["A cat", "two", "three", "four"], k=key).key == kept


def test_a_key_stays_as_written_where_there_are_no_options():
    assert read(k="A、C").key == "A、C"
    assert read(k=46.0).key == "46"
    assert read(k=-3.25).key == "-3.25"


def test_a_row_without_a_key_is_kept():
    row = read(k=None)

    assert isinstance(row, QuestionRow)
    assert row.key == ""


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"q": " \n"}, "q", "The row is empty"),
        ({"q": "", "k": "4"}, "q", "The question is empty"),
        ({"q": None, "k": "4"}, "q", "The question is empty"),
        ({"q": "x" * (LONGEST_TEXT + 1)}, "q", "100001 characters, more than 100000"),
        ({"s": "x" * (LONGEST_TEXT + 1)}, "s", "100001 characters"),
        ({"o": ["a", "b"], "k": "C"}, "k", "The answer names C, but the options end at B"),
        ({"o": ["a", "b", "c"], "k": "A、E"}, "k", "The answer names E, but the options end at C"),
        ({"o": [str(n) for n in range(27)]}, "o", "27 options, more than 26"),
        ({"o": '["a", "b"'}, "o", "begin like a list but are none"),
        ({"o": {"x": "one", "y": "two"}}, "o", "named, but not A, B, C"),
        ({"m": "many"}, "m", "The marks are no number"),
        ({"m": "-1"}, "m", "negative"),
        ({"m": "NaN"}, "m", "negative or beyond"),
        ({"m": "1e9"}, "m", "beyond 99,999"),
        ({"d": "x" * 201}, "d", "201 characters"),
        ({"i": "x" * 201}, "i", "201 characters"),
    ],
)
def test_a_row_that_cannot_be_a_question_says_where_and_why(cells, column, reason):
    rejected = read(**cells)

    assert isinstance(rejected, Rejected)
    assert (rejected.row_number, rejected.column) == (7, column)
    assert reason in rejected.reason


def test_a_report_repeats_no_more_than_the_beginning_of_a_refused_text():
    assert len(read(q="x" * 200_000).text) == 200


@pytest.mark.parametrize("field", ["q", "s", "k"])
def test_markup_in_any_text_is_made_harmless_and_the_row_says_so(field):
    row = read(**{field: "a<|im_end|>b"})

    assert row.neutralised
    assert "a<im_end>b" in (row.text, row.solution, row.key)


def test_markup_in_an_option_is_made_harmless_and_the_row_says_so():
    row = read(o=["a", "b\x00<|endoftext|>"])

    assert row.neutralised
    assert row.options == ("a", "b<endoftext>")


@pytest.mark.parametrize(("named", "language"), [("中文", "zh"), ("English", "en"), ("", "en"), ("?", "en")])
def test_the_language_is_the_named_one_or_else_the_texts(named, language):
    assert read(l=named).language == language


def test_an_empty_number_of_a_table_is_an_empty_cell():
    assert read(k=float("nan"), m=float("nan")).key == ""


cells = (
    st.none() | st.text(max_size=30) | st.floats() | st.integers() | st.lists(st.text(max_size=5), max_size=4)
)


@given(st.fixed_dictionaries(dict.fromkeys(MAPPING.values(), cells)))
def test_whatever_stands_in_the_cells_the_row_is_a_question_or_a_sentence(row):
    outcome = read_row(row, MAPPING, 2)

    if isinstance(outcome, Rejected):
        assert outcome.reason.endswith(".")
    else:
        assert outcome.text
        assert len(outcome.content_hash) == 64
