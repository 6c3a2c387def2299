"""What a person says of a file outranks what would be found out, and is refused where it does not fit."""

import io
import json
import zipfile

import pytest
import xlsxwriter

from curator import readers
from curator.readers import Reading, known_encoding, open_table, peek

MANY = 60_000  # rows, by which a text is longer than the beginning that a preview reads


@pytest.fixture
def file(tmp_path):
    def make(content, name="questions.bin"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


@pytest.fixture
def book(tmp_path):
    """Return what writes a workbook of sheets by their names."""

    def make(**sheets):
        with xlsxwriter.Workbook(str(tmp_path / "book.xlsx")) as made:
            for name, rows in sheets.items():
                sheet = made.add_worksheet(name)
                for place, row in enumerate(rows):
                    sheet.write_row(place, 0, row)
        return tmp_path / "book.xlsx"

    return make


def both(path, **said):
    """Return a table as a preview and as an import read it, which must be the same."""
    reading = Reading(**said)
    previewed, whole = peek(path, reading=reading), open_table(path, reading=reading)
    assert (previewed.columns, previewed.rows) == (whole.columns, whole.rows[: len(previewed.rows)])
    assert (previewed.header_row, previewed.first_row) == (whole.header_row, whole.first_row)
    return whole


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        ("題目,答案\n這個問題的答案是甚麼？,三\n", "big5", "Big5"),
        ("問題,答え\n資産とは何ですか。,三\n", "shift_jis", "Shift JIS"),
        ("질문,답\n자산이란 무엇입니까?,셋\n", "euc_kr", "EUC-KR"),
        ("question,key\nOù est née la société ?,déjà\n", "cp1252", "Windows-1252"),
        ("вопрос,ответ\nЧто такое актив?,три\n", "cp1251", "Windows-1251"),
        ("题目,答案\n什么是资产？,三\n", "utf-8", "UTF-8"),
        ("题目,答案\n什么是资产？,三\n", "gbk", "GB18030"),
        ("题目,答案\n什么是资产？,三\n", "utf-16-be", "UTF-16"),
        ("题目,答案\n什么是资产？,三\n", "utf-16-le", "UTF-16"),
        ("题目,答案\n什么是资产？,三\n", "utf-16", "UTF-16"),
        ("question,key\n藏文 ཀ་ཁ་ག་ང་ཅ་ཆ་ཇ་ཉ་ཏ་ཐ་ད་ན་པ་ཕ་བ་མ་,k\n", "gb18030", "GB18030"),
    ],
)
def test_a_text_is_read_in_the_encoding_that_is_said(file, text, codec, encoding):
    table = both(file(text.encode(codec)), encoding=encoding)

    header, row = (line.split(",") for line in text.splitlines())
    assert (list(table.columns), list(table.rows[0].values()), table.encoding) == (header, row, encoding)


def test_json_is_read_in_the_encoding_that_is_said(file):
    rows = [{"題目": "這個問題的答案是甚麼？", "答案": "三"}]
    whole = json.dumps(rows, ensure_ascii=False)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    assert both(file(whole.encode("cp950")), encoding="Big5").rows == rows
    assert both(file(lines.encode("cp950")), encoding="Big5").rows == rows


@pytest.mark.parametrize(
    ("codec", "encoding", "sentence"),
    [
        (
            "gbk",
            "UTF-8",
            r"questions\.bin is not in UTF-8: line 1 holds other bytes; choose another encoding",
        ),
        ("utf-8", "UTF-16", r"is not in UTF-16"),
        ("utf-8", "Shift JIS", r"is not in Shift JIS: line 2 holds other bytes"),
        ("utf-16-le", "Windows-1251", r"is not in Windows-1251, in which it is no text"),
        ("utf-16", "GB18030", r"is not in GB18030: line 1 holds other bytes"),
    ],
)
def test_an_encoding_that_does_not_fit_is_refused(file, codec, encoding, sentence):
    path = file("question,key\n什么是资产？请说明。,三\n".encode(codec))
    if codec == "gbk":
        path = file("题目,答案\n".encode(codec))

    for read in (peek, open_table):
        with pytest.raises(readers.Misread, match=sentence):
            read(path, reading=Reading(encoding=encoding))


def test_an_encoding_that_stops_fitting_further_down_is_refused_by_the_import(file):
    path = file(b"question,key\n" + b"what is it?,one\n" * MANY * 2 + "什么？,二\n".encode("gbk"))

    assert peek(path, reading=Reading(encoding="UTF-8")).columns == ("question", "key")
    with pytest.raises(readers.Misread, match="is not in UTF-8: line 120002 holds other bytes"):
        open_table(path, reading=Reading(encoding="UTF-8"))


@pytest.mark.parametrize("delimiter", readers.SEPARATORS)
def test_a_text_is_parted_by_the_separator_that_is_said(file, delimiter):
    others = readers.SEPARATORS.replace(delimiter, "")
    path = file(f"a{others}b{delimiter}c\n1{others}2{delimiter}3\n".encode())

    table = both(path, delimiter=delimiter)

    assert (len(table.columns), table.delimiter) == (2, delimiter)
    assert list(table.rows[0].values()) == [f"1{others}2", "3"]


def test_a_separator_says_that_what_begins_like_json_is_none(file):
    path = file(b"[1] What is an asset?;cash\n[2] What is a debt?;loan\n")

    with pytest.raises(readers.NotATable, match="no valid JSON"):
        open_table(path)
    table = both(path, delimiter=";", header_row=0)

    assert table.rows[1] == {"Column 1": "[2] What is a debt?", "Column 2": "loan"}


def test_column_names_are_taken_from_the_row_that_is_said(file, book):
    rows = [["题目", "答案"], ["", ""], ["Q", "K"], ["什么是资产？", "三"]]
    text = "\n".join(",".join(row) for row in rows)

    for path in (file(text.encode()), book(bank=rows)):
        table = both(path, header_row=3)
        assert (table.columns, table.header_row, table.first_row) == (("Q", "K"), 3, 4)
        assert [list(row.values()) for row in table.rows] == [["什么是资产？", "三"]]


@pytest.mark.parametrize("rows", [3, MANY])
def test_without_column_names_the_first_row_is_a_question(file, rows):
    path = file(b"What is it?,one\n" * rows)

    table = both(path, header_row=0)

    assert (table.columns, table.header_row, table.first_row) == (("Column 1", "Column 2"), 0, 1)
    assert (table.rows_total, table.note) == (rows, "")
    assert table.rows[0] == {"Column 1": "What is it?", "Column 2": "one"}


def test_without_column_names_a_workbook_begins_with_a_question(book):
    table = both(book(bank=[["什么是资产？", "三"], ["什么是负债？"]]), header_row=0)

    assert list(table.rows[0].values()) == ["什么是资产？", "三"]
    assert (table.columns, table.rows_total) == (("Column 1", "Column 2"), 2)


def test_without_column_names_there_are_as_many_columns_as_the_widest_row_has_cells(file):
    table = both(file(b"What is it?\nWhat is it?,cash,land,loan\n"), header_row=0)

    assert len(table.columns) == 4
    assert table.rows[0]["Column 4"] == ""


@pytest.mark.parametrize("row", [2, 9])
def test_a_row_without_column_names_is_refused(file, book, row):
    for path in (file(b"question,key\n,\none,1\n"), book(bank=[["question"], [], ["one"]])):
        for read in (peek, open_table):
            with pytest.raises(readers.Misread, match=f"has no column names in row {row}; choose the row"):
                read(path, reading=Reading(header_row=row))


def test_the_sheet_that_is_said_is_read(book):
    path = book(bank=[["question"], ["1?"]], 题库=[["题目"], ["什么是资产？"]], empty=[])

    assert open_table(path).sheet == "bank"
    table = both(path, sheet="题库")

    assert (table.sheet, table.sheets, table.note) == ("题库", ("bank", "题库", "empty"), "")
    assert table.rows == [{"题目": "什么是资产？"}]
    assert readers.sheets(path) == table.sheets


def test_the_first_sheet_with_a_column_of_questions_is_found(book):
    cover, notes = [["Bank of 2024"], ["by the faculty"]], [["question"], ["Mine?"]]

    table = open_table(book(cover=cover, bank=[[], ["题目"], ["什么是资产？"]], notes=notes))

    assert (table.sheet, table.columns) == ("bank", ("题目",))
    assert table.note.endswith("Only the sheet 'bank' was read, not 'cover', 'notes'.")
    assert open_table(book(cover=cover, notes=[["mine"], ["one"]])).sheet == "cover"


@pytest.mark.parametrize(
    ("sheet", "sentence"),
    [
        ("bank", r"book\.xlsx has no sheet 'bank'; choose one of cover, empty\."),
        ("empty", r"book\.xlsx has nothing in its sheet 'empty'; choose another\."),
    ],
)
def test_a_sheet_that_is_not_there_or_empty_is_refused(book, sheet, sentence):
    path = book(cover=[["question"], ["1?"]], empty=[])

    for read in (peek, open_table):
        with pytest.raises(readers.Misread, match=sentence):
            read(path, reading=Reading(sheet=sheet))


def test_rows_of_a_workbook_are_numbered_as_a_person_sees_them(book):
    table = open_table(book(bank=[[], [], ["question"], ["one"]]))

    assert (table.header_row, table.first_row, table.rows) == (3, 4, [{"question": "one"}])


def test_a_table_far_below_the_top_of_its_sheet_is_found(book):
    table = open_table(book(bank=[*[[]] * 99, ["question", "key"], ["one", "1"]]))

    assert (table.header_row, table.rows) == (100, [{"question": "one", "key": "1"}])


def test_what_a_kind_of_file_does_not_have_is_not_looked_at(file, book):
    said = {"sheet": "bank", "encoding": "Big5", "delimiter": ";"}

    assert both(book(bank=[["question"], ["1?"]]), **said).rows == [{"question": "1?"}]
    assert both(file(b"question;key\n1?;2\n"), **said).rows == [{"question": "1?", "key": "2"}]


def test_a_member_of_an_archive_is_read_as_is_said(file):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("bank.csv", "什么是资产？;三\n".encode("gbk"))

    table = both(file(packed.getvalue()), encoding="GB18030", delimiter=";", header_row=0)

    assert list(table.rows[0].values()) == ["什么是资产？", "三"]


@pytest.mark.parametrize(
    ("content", "is_misread"),
    [
        ("題目,答案\n這個問題的答案是甚麼？請說明理由與計算過程。,三\n".encode("cp950") * 20, True),
        (b"Bank of 2024\n1?,2,3\n", True),  # the rows are wider than what is taken for column names
        (b"one,one\n1,2\n", True),
        (b"What is it?,one\n", True),  # a header only, or a question
        (b'{"question": "1?"}\nnonsense\n', False),
        (b"%PDF-1.7", False),
        (b"", False),
    ],
)
def test_a_fault_tells_whether_another_reading_could_mend_it(file, content, is_misread):
    with pytest.raises(readers.NoTable) as refused:
        peek(file(content))

    assert refused.value.may_be_misread is is_misread


@pytest.mark.parametrize(
    "reading",
    [Reading(), Reading(header_row=0), Reading(encoding="Big5", delimiter="\t", header_row=3, sheet="题")],
)
def test_what_is_said_is_stored_and_had_back(reading):
    stored = json.loads(json.dumps(reading.given()))

    assert Reading(**stored) == reading


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("utf8", "UTF-8"),
        ("UTF-8-SIG", "UTF-8"),
        ("gbk", "GB18030"),
        ("GB2312", "GB18030"),
        ("gb18030", "GB18030"),
        ("big5", "Big5"),
        ("shift jis", "Shift JIS"),
        ("sjis", "Shift JIS"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_an_encoding_is_known_by_its_usual_names(name, shown):
    assert known_encoding(name) == shown


@pytest.mark.parametrize("name", ["klingon", "rot13", "utf-7"])
def test_an_encoding_that_is_not_read_has_no_name(name):
    with pytest.raises(ValueError, match=name):
        known_encoding(name)
