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
from hypothesis import example, given
from hypothesis import strategies as st

from curator import readers
from curator.readers import members, open_table, peek
from curator.readers import separated as separated_module

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
    data = gzip.compress(content.encode(), mtime=0) if packed else content.encode()

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

    assert table.columns == ("question", "Column 2", "key")


def test_a_short_row_has_empty_cells_at_its_end(file):
    assert open_table(file(b"question,key\none\n")).rows == [{"question": "one", "key": ""}]


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
    with pytest.raises(readers.Misread, match=r"it looks like .*; say which encoding it is in, or save it"):
        open_table(file(text.encode(encoding)))


@pytest.mark.parametrize(
    ("content", "fault", "sentence"),
    [
        (b"", readers.EmptyFile, "is empty; export it again"),
        (b" \n\n ", readers.EmptyFile, "is empty; export it again"),
        (b"\xef\xbb\xbf", readers.EmptyFile, "is empty"),
        (b",,\n,,\n", readers.EmptyFile, "is empty"),
        (gzip.compress(b"", mtime=0), readers.EmptyFile, "is empty"),
        (b"question,key\n", readers.HeaderOnly, "has a header but no rows"),
        (b"question,key\n,\n\n", readers.HeaderOnly, "has a header but no rows"),
        (b"[]", readers.HeaderOnly, "has a header but no rows"),
        (b"a,b,a\n1,2,3\n", readers.DuplicateColumn, "two columns named 'a'; rename one"),
        (b"a,b, a \n1,2,3\n", readers.DuplicateColumn, "two columns named 'a'"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), readers.NotATable, "is a picture, not a table"),
        (b"%PDF-1.7 ...", readers.NotATable, "is a PDF, not a table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", readers.NotATable, "an old Office file"),
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
        (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), readers.NotATable, "packed twice"),
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


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'[{"q": 1}, {"q": }]', "(line 1, character 18: a value is missing); export it again."),
        (b'[{"q": 1},\n {q: 2}]', "(line 2, character 3: a name in double quotes is missing, or there is"),
        (b'[{"q": "1}]', "(line 1, character 8: a quote is opened and never closed)"),
        (b'[{"q" 1}]', "(line 1, character 7: a colon is missing after a name)"),
        (b'[{"q": 1} {"q": 2}]', "(line 1, character 11: a comma or a closing bracket is missing)"),
        (b'[{"q": "\\x"}]', "(line 1, character 9: a backslash stands alone in a text; write it twice)"),
        (b'[{"q": "a\nb"}]', "(line 1, character 10: a text holds a line end or another control character"),
        (
            b'{"q": 1}\n{"q": \n',
            "line 2, is no valid JSON (character 6: a value is missing); mend that line.",
        ),
        (b'{"q": ' + b"9" * 5000 + b"}", "line 1, is no valid JSON (a number has too many digits); mend"),
        (b"[" * 100_000, "is no valid JSON (lists are nested too deep); export it again."),
    ],
)
def test_a_fault_in_json_is_said_in_words(file, content, sentence):
    with pytest.raises(readers.NoTable) as refused:
        open_table(file(content), "a.json")

    assert sentence in str(refused.value)


@pytest.mark.parametrize("name", ["notes.xlsx", "NOTES.XLSM"])
@pytest.mark.parametrize("content", ["Notes of a meeting", "Notes\nof\na meeting\n", "a,a\n1,2\n"])
def test_a_text_that_is_named_like_a_workbook_is_none(file, name, content):
    for read in (open_table, readers.peek):
        with pytest.raises(
            readers.NotATable, match=rf"^{name} is not an Excel workbook but a text; save it as"
        ):
            read(file(content.encode()), name)


def test_questions_in_a_text_that_is_named_like_a_workbook_are_read(file):
    for read in (open_table, readers.peek):
        assert read(file("题目,答案\n一？,1\n".encode()), "a.xlsx").columns == ("题目", "答案")


def test_a_row_that_is_longer_than_what_a_preview_looks_at_is_shown_or_refused_as_by_an_import(file):
    long = b"question,key\n" + b"x" * 2_000_000 + b",1\n2?,2\n"
    endless = b"question,key\n" + b"x" * 34_000_000

    assert [row["key"] for row in readers.peek(file(long)).rows] == ["1", "2"]
    sentences = []
    for read in (open_table, readers.peek):
        with pytest.raises(readers.NoTable) as refused:
            read(file(endless), "a.csv")
        sentences.append(str(refused.value))
    assert sentences[0] == sentences[1]
    assert "a.csv, row 2, goes on for more than 33,554,432 bytes without an end" in sentences[0]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PAR1....", "Parquet"),
        (b"a,b\n", "text"),
        (b"\xef\xbb\xbf [{", "JSON"),
        ('{"题": 1}'.encode("utf-16"), "JSON"),
        (gzip.compress(b"[]", mtime=0), "JSON"),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_first_bytes(file, content, kind):
    assert readers.kind(file(content)) == kind


def test_a_workbook_is_told_by_its_first_bytes(tmp_path):
    assert readers.kind(workbook(tmp_path / "a.csv", [["q"], ["1?"]])) == "XLSX"


def test_a_packed_file_that_was_cut_off_is_refused(file):
    packed = gzip.compress(random.Random(1).randbytes(9000).hex().encode(), mtime=0)

    with pytest.raises(readers.TruncatedFile, match="ends in the middle"):
        open_table(file(packed[:-2000]))


def test_a_packed_file_with_a_damaged_middle_is_refused(file):
    packed = bytearray(gzip.compress(lines(ROWS * 50).encode(), mtime=0))
    packed[len(packed) // 2 : len(packed) // 2 + 8] = bytes(8)

    with pytest.raises(readers.NotATable, match="damaged packed file"):
        open_table(file(bytes(packed)))


def test_a_packed_file_is_unpacked_no_further_than_allowed(file):
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000, mtime=0)

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


@pytest.mark.parametrize(
    ("above", "header_row"),
    [
        ("", 1),
        ("\n\n", 3),
        ("2024年期末考试题\n", 2),
        ("2024年期末考试题,,\n,,\n说明：请勿外传,,\n", 4),
        ("Exam, spring 2024,\nby the faculty,,\n", 3),
    ],
)
def test_what_stands_above_the_column_names_is_passed_over(file, above, header_row):
    path = file((above + "题目,答案,分值\n一加一？,二,3\n").encode())

    for table in (open_table(path), peek(path)):
        assert (table.columns, table.header_row) == (("题目", "答案", "分值"), header_row)
        assert (table.first_row, table.rows_total) == (header_row + 1, 1)
        assert table.note == (f"The column names are in row {header_row}." if header_row > 1 else "")


def test_a_title_over_names_that_nobody_knows_is_passed_over(file):
    table = open_table(file("图形题库\n颜色,形状\n红,圆\n绿,方\n".encode()))

    assert (table.columns, table.header_row) == (("颜色", "形状"), 2)


def test_the_first_row_is_the_header_where_nothing_tells(file):
    table = open_table(file(b"red,1\ngreen,2\n"))

    assert (table.columns, table.header_row, table.rows_total) == (("red", "1"), 1, 1)


def test_a_row_that_names_fields_in_a_table_with_a_header_is_a_row(file):
    table = open_table(file(b"question,key\nanswer,options\nproblem,answer\n"))

    assert (table.header_row, table.rows_total) == (1, 2)


@pytest.mark.parametrize(
    ("upper", "lower", "columns"),
    [
        ("题目,选项,,,答案", ",A,B,C,", ("题目", "选项 A", "选项 B", "选项 C", "答案")),
        ("No.,试题信息,,标签", ",题目,答案,", ("No.", "题目", "答案", "标签")),
        ("Question,Options,,Key", ",A,B,", ("Question", "Options A", "Options B", "Key")),
    ],
)
def test_column_names_in_two_rows_of_merged_cells_are_joined(file, upper, lower, columns):
    row = ",".join(f"v{place}" for place in range(len(columns)))

    table = open_table(file(f"{upper}\n{lower}\n{row}\n".encode()))

    assert (table.columns, table.header_row, table.rows_total) == (columns, 2, 1)


def test_a_row_with_empty_cells_is_no_second_row_of_names(file):
    table = open_table(file(b"question,,key\n,note,\nq,note,k\n"))

    assert (table.columns, table.rows_total) == (("question", "Column 2", "key"), 2)


def test_the_separator_is_the_one_that_parts_the_column_names(file):
    table = open_table(file("a, b, c, d, e\n题目\t答案\n1,5 + 1,5 = ?\t3\n".encode()))

    assert (table.delimiter, table.columns, table.header_row) == ("\t", ("题目", "答案"), 2)


def test_a_column_is_read_alone(file):
    for content in (separated(), lines()):
        table = open_table(file(content.encode()))

        assert list(table.column("答案")) == ["46", "=1+1", ""]
        with pytest.raises(KeyError):
            table.column("无")


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, separated() if name.endswith("csv") else lines())
    return path


def test_each_table_of_an_archive_is_read_by_its_name(tmp_path):
    path = zipped(tmp_path / "a.zip", "2023/一.csv", "2024/二.jsonl", "readme.md")

    assert members(path) == ("2023/一.csv", "2024/二.jsonl")
    for member, kind in zip(members(path), ("CSV", "JSON Lines"), strict=True):
        assert (open_table(path, member=member).rows, open_table(path, member=member).kind) == (ROWS, kind)
        assert peek(path, member=member).rows == ROWS


def test_an_archive_of_one_table_is_that_table(tmp_path):
    path = zipped(tmp_path / "a.zip", "一.csv")

    assert members(path) == ("一.csv",)
    assert open_table(path).rows == ROWS


def test_a_table_that_an_archive_does_not_hold_is_refused_with_those_it_holds(tmp_path):
    path = zipped(tmp_path / "a.zip", "一.csv", "二.csv")

    with pytest.raises(readers.SeveralTables, match=r"holds no table '三.csv'; choose one of 一.csv, 二.csv"):
        open_table(path, member="三.csv")


def test_a_file_that_is_no_archive_has_one_table_without_a_name(file, tmp_path):
    assert members(file(separated().encode())) == ("",)
    assert members(workbook(tmp_path / "a.xlsx", [["q"], ["one"]])) == ("",)


def test_names_in_an_archive_of_a_chinese_windows_are_read(tmp_path):
    path = tmp_path / "a.zip"
    name = "期末.csv".encode("gb18030").decode("cp437")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x" * len(name) + ".csv", separated())
    # zipfile itself can only write such a name in UTF-8
    path.write_bytes(path.read_bytes().replace(b"x" * len(name) + b".csv", name.encode("cp437") + b".csv"))

    assert members(path) == ("期末.csv.csv",)


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "utf-16", "gzip", "parquet"])
def test_a_preview_shows_the_first_rows_and_reads_no_more_than_the_beginning(tmp_path, form):
    rows = [{"question": f"第{number}题？" + "字" * 400, "key": str(number)} for number in range(3000)]
    path = tmp_path / "a"
    if form == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        text = {"jsonl": lines(rows), "json": json.dumps(rows, ensure_ascii=False)}.get(form) or separated(
            rows
        )
        content = text.encode("utf-16" if form == "utf-16" else "utf-8")
        path.write_bytes(gzip.compress(content, mtime=0) if form == "gzip" else content)

    table = peek(path, rows=5)

    assert table.rows == rows[:5]
    assert table.rows_total == (3000 if form == "parquet" else -1)
    assert table.columns == open_table(path).columns == ("question", "key")


def test_a_preview_of_a_short_file_knows_how_many_rows_there_are(file):
    for content in (separated(), lines(), json.dumps(ROWS)):
        table = peek(file(content.encode()), rows=2)

        assert (table.rows, table.rows_total) == (ROWS[:2], 3)


def test_a_preview_does_not_see_a_fault_further_down(file):
    path = file(b"question,key\n" + b"1,2\n" * 500_000 + b'"3,4\n')

    assert peek(path).rows_total == -1
    with pytest.raises(readers.BrokenRow, match="line 500002, opens a quote"):
        open_table(path)


signs = 'ab",\n\r题\t'
fields = st.text(st.sampled_from(signs), max_size=4)


def as_csv(rows, quoting, line_end):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=line_end).writerows(rows)
    return "q,k,z\n" + text.getvalue()


written = st.builds(
    as_csv,
    st.lists(st.lists(fields, min_size=1, max_size=3), max_size=6),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
)


def outcome(read, *arguments):
    try:
        table = read(*arguments)
    except readers.NoTable as refused:
        return type(refused)
    return table.columns, table.rows, table.first_row, table.header_row


@given(written | st.text(st.sampled_from(signs), max_size=30))
@example('q,k\n"a ""b"", c",\n\n,"\r\n"\r\n')
@example("q,k\r\n1\r\n2,3\r\n")
def test_the_quick_reader_gives_the_rows_of_the_careful_one_or_leaves_them_to_it(text):
    try:
        layout = separated_module.find_layout(text, "a.csv")
    except readers.EmptyFile:
        return

    careful = outcome(separated_module.careful_table, text, layout, "UTF-8", "a.csv")
    try:
        quick = outcome(separated_module.quick_table, io.BytesIO(text.encode()), layout, "UTF-8", "a.csv")
    except separated_module.NeedsCare:
        quick = careful

    assert quick == careful


def test_the_quick_reader_takes_what_a_spreadsheet_writes():
    text = 'question,key\r\n"a ""b"", c",\r\n"two\r\nlines",1\r\n,\r\nshort\r\n'

    table = separated_module.quick_table(
        io.BytesIO(text.encode()), separated_module.find_layout(text, "a.csv"), "UTF-8", "a.csv"
    )

    assert [tuple(row.values()) for row in table.rows] == [
        ('a "b", c', ""),
        ("two\r\nlines", "1"),
        ("", ""),
        ("short", ""),
    ]


def test_records_may_lie_across_the_blocks_that_are_read(monkeypatch, file):
    monkeypatch.setattr(separated_module, "_BLOCK_BYTES", 7)

    assert open_table(file(separated().encode())).rows == ROWS
