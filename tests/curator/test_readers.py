"""Files of questions as tables, and the sentence for each that is none."""

import csv
import gzip
import io
import json
import random
import zipfile

import polars as pl
import pytest
import xlsxwriter

from curator import readers
from curator.readers import open_table

ROWS = [
    {"题目": "甲公司应纳税额是多少？\n请计算。", "答案": "46", "分值": "2"},
    {"题目": 'She said "5, or 6"', "答案": "=1+1", "分值": ""},
    {"题目": "最后一题", "答案": "", "分值": "3"},
]


def separated(rows=ROWS, delimiter=","):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def lines(rows=ROWS):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def workbook(path, *sheets):
    with xlsxwriter.Workbook(str(path)) as book:
        for number, rows in enumerate(sheets):
            sheet = book.add_worksheet(f"sheet {number}")
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return path


@pytest.fixture
def file(tmp_path):
    def make(content, name="questions.bin"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("gb18030", "GB18030"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_encoding_and_separator_are_found_out(file, encoding, shown, delimiter):
    table = open_table(file(separated(delimiter=delimiter).encode(encoding)))

    assert table.encoding == shown
    assert table.columns == ("题目", "答案", "分值")
    assert table.rows == ROWS
    assert (table.kind, table.first_row) == ("TSV" if delimiter == "\t" else "CSV", 2)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("JSON Lines", lines()),
        ("JSON Lines", lines() + "\n\n"),
        ("JSON", json.dumps(ROWS)),
        ("JSON", json.dumps({"name": "exam", "questions": ROWS}, indent=1)),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_json_in_its_forms_is_a_table_packed_or_not(file, kind, content, packed):
    data = gzip.compress(content.encode()) if packed else content.encode()

    table = open_table(file(data))

    assert (table.kind, table.rows, table.first_row) == (kind, ROWS, 1)


def test_parquet_keeps_its_lists(tmp_path):
    path = tmp_path / "questions.csv"  # the name lies
    pl.DataFrame({"question": ["q"], "options": [["a", "b"]]}).write_parquet(path)

    table = open_table(path)

    assert (table.kind, table.rows) == ("Parquet", [{"question": "q", "options": ["a", "b"]}])


def test_a_workbook_is_read_as_it_is_shown(tmp_path):
    header = ["题目", "答案", "分值"]
    path = workbook(
        tmp_path / "a.xlsx", [header, ["一", 46, 2.5], ["二", 46.0, ""], ["三\n行", "=1+1", True]]
    )

    table = open_table(path)

    assert table.kind == "XLSX"
    assert table.rows[0] == {"题目": "一", "答案": "46", "分值": "2.5"}
    assert table.rows[1] == {"题目": "二", "答案": "46", "分值": ""}
    assert table.rows[2]["题目"] == "三\n行"


def test_the_first_sheet_with_anything_in_it_is_read_and_the_others_are_named(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [], [["q"], ["one"]], [["q"], ["two"]])

    table = open_table(path)

    assert table.rows == [{"q": "one"}]
    assert table.note == "Only the sheet 'sheet 1' was read, not 'sheet 2'."


def test_rows_keep_the_numbers_that_a_spreadsheet_shows(file):
    table = open_table(file(b"question,key\none,1\n,\n\nfour,4\n,\n,\n"))

    numbers = {row["question"]: number for number, row in table.numbered() if row.get("question")}

    assert numbers == {"one": 2, "four": 5}
    assert table.rows_total == 4  # what follows the last filled row is no row


def test_empty_lines_above_the_header_are_passed_over_and_counted(file):
    table = open_table(file(b"\n,\nquestion,key\none,1\n"))

    assert (table.columns, table.first_row) == (("question", "key"), 4)


def test_columns_without_a_name_go_if_empty_and_are_numbered_if_not(file):
    table = open_table(file(b"question,,key,\none,note,1,\ntwo,,2,\n"))

    assert table.columns == ("question", "column 2", "key")


def test_a_short_row_has_empty_cells_at_its_end(file):
    assert open_table(file(b"question,key\none\n")).rows == [{"question": "one"}]


def test_a_table_of_one_column_is_a_table(file):
    assert open_table(file("题目\n一\n二\n".encode())).rows == [{"题目": "一"}, {"题目": "二"}]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("題目,答案\n" + "這個問題的答案是甚麼？請說明理由與計算過程。,三\n" * 20, "big5"),
        ("question,key\n" + "Où est née la société “Café” à l’été ?,déjà\n" * 20, "cp1252"),
    ],
)
def test_an_encoding_that_could_only_be_guessed_is_refused_rather_than_garbled(file, text, encoding):
    with pytest.raises(readers.NotATable, match=r"it looks like .*; save it as CSV in UTF-8"):
        open_table(file(text.encode(encoding)))


@pytest.mark.parametrize(
    ("content", "fault", "sentence"),
    [
        (b"", readers.EmptyFile, "is empty; export it again"),
        (b" \n\n ", readers.EmptyFile, "is empty; export it again"),
        (b"\xef\xbb\xbf", readers.EmptyFile, "is empty"),
        (b",,\n,,\n", readers.EmptyFile, "is empty"),
        (gzip.compress(b""), readers.EmptyFile, "is empty"),
        (b"question,key\n", readers.HeaderOnly, "has a header but no rows"),
        (b"question,key\n,\n\n", readers.HeaderOnly, "has a header but no rows"),
        (b"[]", readers.HeaderOnly, "has a header but no rows"),
        (b"a,b,a\n1,2,3\n", readers.DuplicateColumn, "two columns named 'a'; rename one"),
        (b"a,b, a \n1,2,3\n", readers.DuplicateColumn, "two columns named 'a'"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), readers.NotATable, "is a picture, not a table"),
        (b"%PDF-1.7 ...", readers.NotATable, "is a PDF, not a table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", readers.NotATable, "password-protected Office file"),
        (b"PAR1" + bytes(50), readers.NotATable, "damaged Parquet file"),
        (b"PK\x03\x04" + bytes(50), readers.TruncatedFile, "damaged or cut-off workbook"),
        (b"<html><table>", readers.NotATable, "is a web page or XML"),
        (random.Random(1).randbytes(4000), readers.NotATable, "save it as CSV in UTF-8"),
        (bytes(4000), readers.NotATable, "save it as CSV in UTF-8"),
        (b"[1, 2]", readers.BrokenRow, "record 1, is no object with named fields"),
        (b'[{"q": 1}', readers.NotATable, "is no valid JSON"),
        (b"[" * 100_000, readers.NotATable, "is no valid JSON"),
        (b'{"q": 1}\n{"q": \n', readers.BrokenRow, "line 2, is no valid JSON"),
        (b'{"q": ' + b"9" * 5000 + b"}", readers.BrokenRow, "line 1, is no valid JSON"),
        (b'{"a\\u0000": 1}', readers.NotATable, "cannot be shown; rename it"),
        (b'{"\\ud800": 1}', readers.NotATable, "cannot be shown; rename it"),
        (b"a,b\n1,2,3\n", readers.BrokenRow, "row 2, has 3 cells under 2 column names"),
        (b'a,b\n1,2\n"3,4\n5,6\n', readers.BrokenRow, "line 3, opens a quote that is never closed"),
        (b'a,b\n1,"2\n', readers.BrokenRow, "line 2, opens a quote that is never closed"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n")), readers.NotATable, "packed twice"),
        (b"a,b\n" + "好\n".encode() * 40 + b"\xff,1\n" + "好\n".encode() * 40, readers.NotATable, "line 42"),
        (",".join(f"c{n}" for n in range(501)).encode() + b"\n1\n", readers.TooLarge, "501 columns"),
        (b"a,b\n" + b"x" * 10_000_001 + b",1\n", readers.BrokenRow, "line 2, cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence_that_names_the_file(file, content, fault, sentence):
    with pytest.raises(fault) as refused:
        open_table(file(content), "期末考试.csv")

    assert str(refused.value).startswith("期末考试.csv")
    assert sentence in str(refused.value)


def test_a_packed_file_that_was_cut_off_is_refused(file):
    packed = gzip.compress(random.Random(1).randbytes(9000).hex().encode())

    with pytest.raises(readers.TruncatedFile, match="ends in the middle"):
        open_table(file(packed[:-2000]))


def test_a_packed_file_with_a_damaged_middle_is_refused(file):
    packed = bytearray(gzip.compress(lines(ROWS * 50).encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 8] = bytes(8)

    with pytest.raises(readers.NotATable, match="damaged gzip file"):
        open_table(file(bytes(packed)))


def test_a_packed_file_is_unpacked_no_further_than_allowed(file):
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000)

    with pytest.raises(readers.TooLarge, match="unpacks to more than 1,000,000 bytes"):
        open_table(file(bomb), largest_bytes=1_000_000)


def test_a_workbook_that_would_unpack_to_too_much_is_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["q"], *[["x" * 100]] * 5000])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(3_000_000))

    with pytest.raises(readers.TooLarge, match="unpacks to more than 2,000,000 bytes"):
        open_table(path, largest_bytes=2_000_000)


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "letter.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")

    with pytest.raises(readers.NotATable, match="an archive or a document, not a workbook"):
        open_table(path)


def test_a_damaged_sheet_in_a_workbook_is_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<broken")

    with pytest.raises(readers.NotATable, match="no Excel workbook that can be read"):
        open_table(path)


def test_an_empty_workbook_is_refused(tmp_path):
    with pytest.raises(readers.EmptyFile, match="no sheet with anything in it"):
        open_table(workbook(tmp_path / "a.xlsx", [], []))
