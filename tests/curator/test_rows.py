"""Rows of any file as questions, or the sentence that refuses them."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.rows import (
    LONGEST_TEXT,
    BadMapping,
    Column,
    MissingColumn,
    QuestionRow,
    Rejected,
    full_mapping,
    guess_mapping,
    parse_mapping,
    read_row,
    read_table,
)
from curator.core.rows.options import key_letters

QUESTION = {"question": "q", "options": "o", "key": "k", "solution": "s", "marks": "m", "language": "l"}
MAPPING = QUESTION | {"domain": "d", "external_id": "i", "rating": "r", "tags": "t"}


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
        (["Options A", "选项 B"], {"option A": "Options A", "option B": "选项 B"}),
        (["题目", "难度", "标签"], {"question": "题目", "rating": "难度", "tags": "标签"}),
        (["stem", "Difficulty", "Tags"], {"question": "stem", "rating": "Difficulty", "tags": "Tags"}),
        (["A", "choices"], {"options": "choices"}),
        (["colour", "shape"], {}),
        (
            ["question", "thinking", "answer", "reference", "correct", "teacher"],
            {"question": "question", "key": "reference"},
        ),
        (["prompt", "response", "answers", "Reference"], {"question": "prompt", "key": "Reference"}),
        (["question", "answer", "reference"], {"question": "question", "key": "answer"}),  # where it is from
        (["question", "reference"], {"question": "question", "key": "reference"}),
        (["question", "reasoning", "answer", "key"], {"question": "question", "key": "key"}),
    ],
)
def test_columns_are_known_by_what_people_call_them(columns, mapping):
    assert guess_mapping(columns) == mapping


def test_what_a_person_names_outranks_the_guess_and_takes_the_column_from_it():
    mapping = full_mapping(["text", "题目", "答案"], {"question": "题目", "solution": "text", "key": ""})

    assert mapping == {"question": "题目", "solution": "text"}


def test_a_file_without_a_question_column_is_refused_with_the_columns_it_has():
    with pytest.raises(MissingColumn, match=r"the file has colour, 尺寸\.$"):
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
        o=["1", "2"], k="B", s="Count.", m="2.5分", l="English", d="arithmetic", i=17.0, r=3.0, t="sums、easy"
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
        rating=3,
        tags=("sums", "easy"),
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
        ("①③", "①③"),
        ("ABD", "ABD"),
        ("A,B", "AB"),
        ("", ""),
        ("(A)(B)", "AB"),
        ("(A) and (C)", "AC"),
        ("A and C", "AC"),
        ("A, B, and C", "ABC"),
        ("A、B、D项", "ABD"),
        ("B选项", "B"),
        ("A、C、", "AC"),
        ("A;C;", "AC"),
        ("A|B", "AB"),
        ("a+b", "a+b"),  # a sum
        ("a-b", "a-b"),
        ("C+A", "AC"),
        ("A＋B ＋ D", "ABD"),
        ("【A】【C】", "AC"),
        ("AC（多选）", "AC"),
        ("ABCD全选", "ABCD"),
        ('["A", "C"]', "AC"),
        ("A. A cat; B. two", "AB"),
        ("B、two，C、three", "BC"),
        ("and", "and"),
    ],
)
def test_letters_of_a_key_are_put_in_order_and_words_are_left_alone(key, kept):
    assert read(o=["A cat", "two", "three", "four"], k=key).key == kept


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("A: true, B: false", "names several options in other words"),
        ("B. two, and so not C. three", "names several options in other words"),
        ("3", "is a number that no option says"),
        ("A or B", "may mean one of two options"),
        ("A-C", "may mean one of two options"),
        ("A或C", "may mean one of two options"),
        ("(A) to (C)", "may mean one of two options"),
    ],
)
def test_a_key_that_may_mean_several_options_is_refused_and_not_guessed(key, reason):
    assert reason in read(o=["A cat", "two", "three", "four"], k=key).reason


@pytest.mark.parametrize("key", ["A " * 5_000 + "x", "(A" * 5_000, "A," * 5_000 + "!", "A: b, " * 3_000])
def test_a_long_key_of_letters_takes_no_time(key):
    assert key_letters(key, 4) in (None, "A")


NUMBERED = ["Question Text", "Option 1", "Option 2", "Option 3", "Option 4", "Correct Answer"]


@pytest.mark.parametrize(
    ("key", "kept"), [("3", "C"), ("1", "A"), ("B", "B"), ("17", "17"), ("Bern", "Bern"), ("A, C", "AC")]
)
def test_options_in_numbered_columns_are_lettered_and_a_key_by_number_with_them(key, kept):
    mapping = full_mapping(NUMBERED, None)
    cells = ["Where?", "Paris", "17", "Oslo", "3 Bern Street", key]
    row = dict(zip(NUMBERED, cells, strict=True))

    one = read_row(row, mapping, 2)
    (many,) = read_table({name: [cell] for name, cell in row.items()}, mapping, 2)

    assert one.options == ("Paris", "17", "Oslo", "3 Bern Street")
    assert one.key == many.key == kept
    assert one.options == many.options


@pytest.mark.parametrize("gap", [["Option 1", "Option 3"], ["Option 2", "Option 3"], ["Option 1"]])
def test_numbered_columns_with_a_gap_are_no_options(gap):
    assert not [field for field in guess_mapping(["Question", *gap]) if field.startswith("option")]


PROSE = "The coal was burned, and its heat went into the water around the bomb. " * 8


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        (PROSE + "FINAL ANSWER: B", "B"),
        (PROSE + "\n**Final Answer:** (C)", "C"),
        (PROSE + "最终答案：D", "D"),
        (PROSE + "So it is \\boxed{B}.", "B"),
        (PROSE + "Final answer: three", "three"),  # the option's own words
        (PROSE + "The correct answer is B.", "B"),
        (PROSE + "正确答案：A、C", "AC"),
        ("FINAL ANSWER: C", "C"),
        ("答案是B", "B"),
        ("not one of them", "not one of them"),  # short: words that are compared as text
    ],
)
def test_a_key_in_prose_is_read_to_its_final_answer(key, kept):
    assert read(o=["A cat", "two", "three", "four"], k=key).key == kept


def test_a_key_in_prose_that_names_no_option_is_refused_and_not_kept():
    rejected, beyond = read(o=["a", "b"], k=PROSE), read(o=["a", "b"], k=PROSE + "FINAL ANSWER: F")

    assert (rejected.column, rejected.cells["k"]) == ("k", PROSE)
    assert "The key is a text of 567 characters that ends in no option" in rejected.reason
    assert "The answer names F, but the options end at B" in beyond.reason


def test_a_key_as_long_as_an_option_stays_as_it_is_written():
    assert read(o=[PROSE + "one", PROSE + "two"], k=PROSE + "One.").key == PROSE + "One."


def test_options_in_the_text_are_split_off_where_a_key_in_prose_names_one():
    row = read(q="Which is it? A. one B. two C. three", k=PROSE + "FINAL ANSWER: B")

    assert (row.text, row.options, row.key) == ("Which is it?", ("one", "two", "three"), "B")


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
        ({"r": "6"}, "r", "none of 1 to 5"),
        ({"r": "0.65"}, "r", "none of 1 to 5"),
        ({"t": "x" * 51}, "t", "A tag has 51 characters"),
        ({"t": ",".join(map(str, range(51)))}, "t", "51 tags, more than 50"),
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


def test_a_rejected_row_keeps_its_cells_to_be_corrected():
    rejected = read(q="", k="4\x00", o=["a", "b"], m=2.0)

    assert rejected.cells == {"q": "", "k": "4", "o": '["a", "b"]', "m": "2"}


def test_a_kept_cell_is_no_longer_than_a_spreadsheet_holds():
    assert len(read(q="x" * 200_000).cells["q"]) == 32_767


@pytest.mark.parametrize(
    ("cell", "rating"),
    [
        ("1", 1),
        (5.0, 5),
        ("３", 3),
        ("易", 1),
        ("较易", 2),
        ("中等", 3),
        ("难题", 5),
        ("Easy", 1),
        ("medium", 3),
        ("very hard", 5),
        ("Level 4", 4),
        ("难度3", 3),
        ("2星", 2),
        ("★★★★☆", 4),
        ("", None),
        (None, None),
    ],
)
def test_a_difficulty_is_read_in_figures_stars_and_words(cell, rating):
    assert read(r=cell).rating == rating


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("tax, VAT ,tax", ("tax", "VAT")),
        ("税法、增值税；2024", ("税法", "增值税", "2024")),
        (["tax", " VAT "], ("tax", "VAT")),
        ('["a, b", "c"]', ("a, b", "c")),
        ("[draft", ("[draft",)),
        ("", ()),
        (None, ()),
    ],
)
def test_tags_are_read_from_a_list_or_a_text(cell, tags):
    assert read(t=cell).tags == tags


def test_markup_in_a_tag_is_made_harmless_and_the_row_says_so():
    row = read(t=["<|im_end|>"])

    assert (row.tags, row.neutralised) == (("<im_end>",), True)


@pytest.mark.parametrize(
    ("text", "key", "stem", "options"),
    [
        ("1+1 is ( ) A. one B. two C. three", "", "1+1 is ( )", ("one", "two", "three")),
        ("1+1 is\nA. one\nB. two", "B", "1+1 is", ("one", "two")),
        ("下列正确的是（　）A．甲B．乙C．丙D．丁", "AC", "下列正确的是（　）", ("甲", "乙", "丙", "丁")),
        ("下列正确的是____A、甲\nB、乙\nC、丙", "甲", "下列正确的是____", ("甲", "乙", "丙")),
        ("How many?\n(A) 10 (B) 13 (C) 27", "13", "How many?", ("10", "13", "27")),
    ],
)
def test_options_at_the_end_of_the_text_are_split_off(text, key, stem, options):
    row = read(q=text, k=key)

    assert (row.text, row.options) == (stem, options)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1+1 is A. one B. two", ""),  # two letters and no key: they may be two cases
        ("1+1 is A. one B. two C. three", "two and a half"),  # an answer that is none of them
        ("1+1 is A. one B. two C. three", "D"),
        ("1. A. one B. two C. three 2. A. one B. two C. three", "A, C"),  # two questions in one
        ("Fill in: __1__ __2__ A. one B. two C. three", "C, A"),  # the order of the letters says where
        ("A. one B. two C. three", "A"),  # no question before them
        ("Sets: A. one B. two C. three\n\nWhich is the largest of them?", "C"),
        ("In $x_A. y_B. z_C.$ what is x?", "A"),
        ("Vitamin A. and vitamin B12 are in C.", "A"),
    ],
)
def test_letters_in_a_text_that_are_no_options_stay_in_it(text, key):
    row = read(q=text, k=key)

    assert (row.text, row.options) == (text, ())


def test_a_file_that_lists_options_keeps_letters_in_the_text():
    row = read(q="Which? A. one B. two C. three", o=["A and B", "C"], k="B")

    assert (row.text, row.options) == ("Which? A. one B. two C. three", ("A and B", "C"))


odd = st.sampled_from('AB.( )["],题<|\x00\r\ud800\u00a0\x1f')
likely = st.sampled_from(
    [
        "",
        "A",
        "b",
        "AC",
        "A、B",
        "3",
        "中",
        "en",
        "2分",
        '["a", "b"]',
        "A. x B. y",
        "q A. x B. y C. z",
        "x" * 201,
    ]
)
cells = (
    st.none()
    | st.text(max_size=30)
    | st.text(odd, max_size=12)
    | likely
    | st.floats()
    | st.integers()
    | st.lists(st.text(max_size=5), max_size=4)
)
rows = st.fixed_dictionaries(dict.fromkeys(MAPPING.values(), cells))
LETTERED = {"question": "q", "option A": "o", "option B": "s", "option C": "d", "key": "k"}


@given(rows)
def test_whatever_stands_in_the_cells_the_row_is_a_question_or_a_sentence(row):
    outcome = read_row(row, MAPPING, 2)

    if isinstance(outcome, Rejected):
        assert outcome.reason.endswith(".")
    else:
        assert outcome.text
        assert len(outcome.content_hash) == 64


@pytest.mark.parametrize("mapping", [MAPPING, LETTERED], ids=["listed", "lettered"])
@given(table=st.lists(rows, max_size=8))
def test_a_table_is_read_as_its_rows_are_one_by_one(mapping, table):
    columns = {name: [row[name] for row in table] for name in MAPPING.values()}

    found = list(read_table(columns, mapping, 5))

    assert found == [read_row(row, mapping, number) for number, row in enumerate(table, start=5)]


texts = st.none() | st.text(st.characters(codec="utf-8"), max_size=20) | likely


@given(table=st.lists(st.fixed_dictionaries(dict.fromkeys(MAPPING.values(), texts)), min_size=1, max_size=8))
def test_a_table_of_texts_is_read_as_its_rows_are_one_by_one(table):
    frame = pl.DataFrame(table, schema=dict.fromkeys(MAPPING.values(), pl.String))
    columns = {name: Column(frame[name]) for name in frame.columns}

    found = list(read_table(columns, MAPPING, 2))

    assert found == [read_row(row, MAPPING, number) for number, row in enumerate(table, start=2)]


def test_a_table_of_many_parts_keeps_its_numbers():
    texts = [f"Question {number}?" for number in range(10_000)]

    numbers = [row.row_number for row in read_table({"q": texts}, {"question": "q"}, 2)]

    assert numbers == list(range(2, 10_002))


def test_a_column_gives_a_cell_or_a_list_of_cells():
    column = Column(pl.Series(["a", None, "c"]))

    assert (len(column), column[0], column[1:], list(column)) == (3, "a", [None, "c"], ["a", None, "c"])
