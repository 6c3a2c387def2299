"""Files that are damaged, hostile or odd: each is rows or one sentence, in little memory and time."""

import gzip
import io
import json
import os
import random
import resource
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from curator import readers
from curator.core.rows import QuestionRow, full_mapping, read_table
from curator.readers import open_table, peek

ROOT = Path(__file__).resolve().parents[2]
CSV = "题目,答案\n一加一等于几？,二\n".encode()
ROW = {"题目": "一加一等于几？", "答案": "二"}
MOST_SECONDS = 10
MOST_MORE_MEGABYTES = 700  # beside what the imports take


def book(fill, **options):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **options}) as workbook:
        fill(workbook)
    return file.getvalue()


def sheet_of(*rows):
    def fill(workbook):
        sheet = workbook.add_worksheet()
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)

    return book(fill)


def with_password():
    """Return a workbook as Excel writes it when it is given a password."""
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(sheet_of(["题目", "答案"], ["一加一等于几？", "二"]))).encrypt("secret", locked)
    return locked.getvalue()


def formulas():
    def fill(workbook):
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["题目", "答案"])
        sheet.write_formula(1, 0, '="1+1="&"?"', value="1+1=?")
        sheet.write_formula(1, 1, "=1+1", value=2)
        sheet.write_string(2, 0, "=1+1")
        sheet.write_string(2, 1, "=cmd|' /C calc'!A0")

    return book(fill)


def merged():
    def fill(workbook):
        sheet = workbook.add_worksheet()
        sheet.merge_range(0, 0, 0, 5, "2024年期末考试")
        sheet.merge_range(1, 0, 2, 0, "题目")
        sheet.merge_range(1, 1, 1, 4, "选项")
        sheet.merge_range(1, 5, 2, 5, "答案")
        sheet.write_row(2, 1, "ABCD")
        sheet.write_row(3, 0, ["哪一个？", "甲", "乙", "丙", "丁", "B"])

    return book(fill)


def with_part(workbook, name, content):
    """Return a workbook with one part replaced."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, content if entry.filename == name else old.read(entry))
    return file.getvalue()


def sheet_xml(*cells):
    rows = "".join(
        f'<row r="{row}"><c r="{column}{row}" t="str"><v>{v}</v></c></row>' for column, row, v in cells
    )
    return f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'


XML_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
    + sheet_xml(("A", 1, "题目"), ("A", 2, "&a9;"))
)
FIRST_SHEET = "xl/worksheets/sheet1.xml"


def zipped(*files, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


def locked():
    """Return an archive whose one file says that it is encrypted."""
    content = bytearray(zipped(("a.csv", CSV)))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("a.csv")
        entry.size = len(CSV)
        archive.addfile(entry, io.BytesIO(CSV))
    return file.getvalue()


def parquet(frame):
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


NESTED = parquet(pl.DataFrame({"question": ["q"], "meta": [{"a": [1, 2]}], "options": [["x", "y"]]}))
LONG_TEXT = "Which of these is it and why is it none of the others that were named before? " * 4 + "Say."

REFUSED = {
    "nothing": (b"", "is empty; export it again."),
    "only a byte order mark": (b"\xef\xbb\xbf", "is empty; export it again."),
    "only a UTF-16 byte order mark": (b"\xff\xfe", "is empty; export it again."),
    "only white space": (b" \r\n\t\n ", "is empty; export it again."),
    "only separators": (b",,,\n,,,\n", "is empty; export it again."),
    "a header alone": ("题目,答案\n".encode(), "has a header but no rows; export it again."),
    "a header without a line end": (b"question,key", "has a header but no rows; export it again."),
    "an unclosed quote": (b'question,key\n1,2\n"3,4\n5,6\n', "line 3, opens a quote that is never closed"),
    "a ragged row": (b"question,key\n1,2\n1,2,3\n", "row 3, has 3 cells under 2 column names"),
    "a name twice": (b"question,key,question\n1,2,3\n", "two columns named 'question'; rename one."),
    "10,000 columns": (
        ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n" + b"1," * 9_999 + b"1\n",
        "has 10,000 columns, more than 500; keep those of the questions.",
    ),
    "10,000 columns in JSON": (
        json.dumps([{f"c{n}": n for n in range(10_000)}]).encode(),
        "has 10,000 columns, more than 500; keep those of the questions.",
    ),
    "a control character in a name": (b"que\x07stion,key\n" + b"1,2\n" * 40, "cannot be shown; rename it."),
    "a name that turns the direction": (
        "question,\u202eyek\n1,2\n".encode(),
        "cannot be shown; rename it.",
    ),
    "NUL bytes alone": (bytes(5000), "is no table and no text in UTF-8, UTF-16 or GB18030"),
    "UTF-32": (CSV.decode().encode("utf-32"), "is no table and no text in UTF-8, UTF-16 or GB18030"),
    "Latin-1": (
        ("question,key\n" + "Où est née la société “Café” à l’été ?,déjà\n" * 20).encode("cp1252"),
        "say which encoding it is in, or save it as CSV in UTF-8, or as XLSX.",
    ),
    "two encodings in one file": (
        CSV * 30 + "题目在此".encode("gb18030") + b",x\n" + CSV * 30,
        "is UTF-8 but for line 61, which holds broken bytes; mend that line.",
    ),
    "random bytes": (random.Random(1).randbytes(4000), "is no table and no text"),
    "gzip cut off": (
        gzip.compress(random.Random(1).randbytes(9000).hex().encode(), mtime=0)[:-2000],
        "ends in the middle",
    ),
    "gzip of gzip": (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "is packed twice; unpack it once"),
    "gzip of a zip": (gzip.compress(zipped(("a.csv", CSV))), "an archive or a document, not a workbook"),
    "gzip of a tar": (gzip.compress(tar(), mtime=0), "is a tar archive, not a table"),
    "a damaged gzip": (gzip.compress(CSV, mtime=0)[:12] + bytes(30), "is a damaged packed file"),
    "a tar": (tar(), "is a tar archive, not a table; pack the tables as .zip, or each as .gz."),
    "a 7z archive": (b"7z\xbc\xaf\x27\x1c" + bytes(60), "is a 7z archive, not a table"),
    "a RAR archive": (b"Rar!\x1a\x07\x01\x00" + bytes(60), "is a RAR archive, not a table"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF, not a table"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is a picture, not a table"),
    "a password-protected workbook": (with_password(), "is locked with a password; save it without one."),
    "the beginning of a password-protected workbook": (with_password()[:1024], "is an old Office file"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "is an old Office file"),
    "an old workbook of wild numbers": (b"\xd0\xcf\x11\xe0" + b"\xff" * 508, "is an old Office file"),
    "a web page called .xls": (b"<html><table><tr><td>1</td></tr></table></html>", "is a web page or XML"),
    "a truncated zip": (zipped(("a.csv", CSV * 500))[:-60], "is a damaged or cut-off workbook or archive"),
    "a zip in a zip": (zipped(("a.zip", zipped(("a.csv", CSV)))), "holds no table"),
    "a zip in a zip under another name": (
        zipped(("a.csv", zipped(("b.csv", CSV)))),
        "an archive or a document, not a workbook",
    ),
    "a zip that leaves its folder": (
        zipped(("../../etc/cron.d/a.csv", CSV)),
        "holds a file named '../../etc/cron.d/a.csv', which points outside it",
    ),
    "a zip from the root": (zipped(("/etc/a.csv", CSV)), "which points outside it; pack it again."),
    "an encrypted zip": (locked(), "is locked with a password; pack it without one."),
    "an empty zip": (zipped(("empty/", b"")), "holds no table"),
    "a zip of a letter": (
        zipped(("word/document.xml", "<w/>")),
        "holds no table; unpack it, or save it as XLSX.",
    ),
    "a zip with a damaged file": (
        zipped(("a.csv", CSV * 9), compression=zipfile.ZIP_STORED).replace(
            b"\xe4\xb8\x80", b"\xe4\xb8\x81", 1
        ),
        "is a damaged packed file",
    ),
    "a zip of too many files": (
        zipped(*((f"{n}.csv", CSV) for n in range(1001))),
        "holds 1,001 files, more than 1,000; split it.",
    ),
    "a zip of several tables": (
        zipped(("a.csv", CSV), ("b.csv", CSV)),
        "holds 2 tables; choose one of a.csv, b.csv.",
    ),
    "a workbook of empty sheets": (
        book(lambda workbook: [workbook.add_worksheet() for _ in range(3)]),
        "has no sheet with anything in it; export it again.",
    ),
    "a workbook of a header alone": (sheet_of(["题目", "答案"]), "has a header but no rows"),
    "a workbook with broken XML": (
        with_part(sheet_of(["题目"], ["一"]), FIRST_SHEET, "<worksheet><sheetData><row><c r="),
        "is no Excel workbook that can be read",
    ),
    "a workbook with no list of sheets": (
        with_part(sheet_of(["题目"], ["一"]), "xl/workbook.xml", "<broken"),
        "is no Excel workbook that can be read",
    ),
    "a workbook with a cell at the far end": (
        with_part(
            sheet_of(["题目"], ["一"]), FIRST_SHEET, sheet_xml(("A", 1, "题目"), ("XFD", 1048576, "x"))
        ),
        "reaches to column 16,384 and row 1,048,576, though most of it is empty",
    ),
    "a workbook whose entities would grow": (
        with_part(sheet_of(["题目"], ["一"]), FIRST_SHEET, XML_BOMB),
        "is no Excel workbook that can be read",
    ),
    "a workbook with two far cells, apart in the file": (
        with_part(
            sheet_of(["题目"], ["一"]),
            FIRST_SHEET,
            sheet_xml(("A", 1, "题目"), ("A", 90_000, "x" * 5_000_000), ("XFD", 2, "x")),
        ),
        "reaches to column 16,384 and row 99,999, though most of it is empty",
    ),
    "a truncated Parquet file": (NESTED[: len(NESTED) // 2], "is a damaged Parquet file"),
    "a Parquet file of noise": (
        b"PAR1" + random.Random(2).randbytes(200) + b"PAR1",
        "is a damaged Parquet file",
    ),
    "JSON of one value": (b'"question"\n', "has a header but no rows"),
    "JSON of lists": (b'[["q", "k"], ["1", "2"]]', "record 1, is no object with named fields"),
    "JSON of numbers": (b"[1, 2]", "record 1, is no object with named fields"),
    "JSON of empty objects": (b"[{}, {}]", "is empty in every row; export it again."),
    "JSON cut off": (b'[{"question": "q"}, {"quest', "is no valid JSON"),
    "JSON 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, "is no valid JSON"),
    "JSON objects 100,000 deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "is no valid JSON"),
    "JSON with a name that cannot be shown": (b'[{"a\\u0000": 1}]', "cannot be shown; rename it."),
    "JSON with a number of 5,000 digits": (b'[{"q": ' + b"9" * 5000 + b"}]", "is no valid JSON"),
    "JSON Lines with a bad line": (b'{"q": 1}\n{"q": 2}\n{"q": \n', "line 3, is no valid JSON"),
    "JSON Lines of other values": (b'{"q": 1}\n[2]\n', "record 2, is no object with named fields"),
}


@pytest.fixture
def file(tmp_path):
    def make(content):
        path = tmp_path / "file.bin"
        path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize("kind", REFUSED)
def test_a_malformed_file_is_refused_in_one_sentence(file, kind):
    content, sentence = REFUSED[kind]

    with pytest.raises(readers.NoTable) as refused:
        open_table(file(content), "期末考试.csv")

    assert str(refused.value).startswith("期末考试.csv")
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_preview_of_a_malformed_file_is_rows_or_a_sentence(file, kind):
    outcome = peeked(file(REFUSED[kind][0]))

    assert outcome.startswith("期末考试.csv") or 0 < int(outcome) <= 20


def peeked(path):
    """Return how many rows are shown of a file, or the sentence that refuses it."""
    try:
        return str(len(peek(path, "期末考试.csv").rows))
    except readers.NoTable as refused:
        return str(refused)


READ = {
    "a formula as it was shown, and text that looks like one": (
        formulas(),
        [{"题目": "1+1=?", "答案": "2"}, {"题目": "=1+1", "答案": "=cmd|' /C calc'!A0"}],
    ),
    "a formula in a CSV, as text": (
        b"question,key\n=1+1,=HYPERLINK(0)\n",
        [{"question": "=1+1", "key": "=HYPERLINK(0)"}],
    ),
    "merged header cells under a title": (
        merged(),
        [{"题目": "哪一个？", "选项 A": "甲", "选项 B": "乙", "选项 C": "丙", "选项 D": "丁", "答案": "B"}],
    ),
    "a quote in the middle of a cell": (b'question,key\na "b" c,d\n', [{"question": 'a "b" c', "key": "d"}]),
    "line ends of an old Macintosh": (b"question,key\rq,k\r", [{"question": "q", "key": "k"}]),
    "line ends of three kinds": (
        b"question,key\r\n1,2\n3,4\r5,6",
        [{"question": a, "key": b} for a, b in ("12", "34", "56")],
    ),
    "a gzip in a zip": (zipped(("a.csv.gz", gzip.compress(CSV, mtime=0))), [ROW]),
    "a zip with a folder of its system": (zipped(("__MACOSX/._a.csv", b"\x00"), ("a.csv", CSV)), [ROW]),
    "a zip with a picture beside the table": (zipped(("a.png", b"\x89PNG"), ("a.csv", CSV)), [ROW]),
    "a gzipped workbook": (gzip.compress(sheet_of(["题目", "答案"], list(ROW.values()))), [ROW]),
    "a zipped Parquet file": (zipped(("a.parquet", parquet(pl.DataFrame([ROW])))), [ROW]),
    "a gzip in two members": (gzip.compress(CSV[:20], mtime=0) + gzip.compress(CSV[20:], mtime=0), [ROW]),
    "nested columns": (NESTED, [{"question": "q", "meta": {"a": [1, 2]}, "options": ["x", "y"]}]),
    "lone surrogates": (b'[{"question": "a\\ud800b"}]', [{"question": "a\ud800b"}]),
    "numbers as names": (b"1,2,3\n4,5,6\n", [{"1": "4", "2": "5", "3": "6"}]),
    "a name on two lines": ('"题目\n（必填）",key\n1,2\n'.encode(), [{"题目 （必填）": "1", "key": "2"}]),
    "a byte order mark inside": ("\ufeff\ufeff题目,答案\n1,2\n".encode(), [{"题目": "1", "答案": "2"}]),
    "a long whole number": (
        b'[{"question": "q", "id": 12345678901234567890123}]',
        [{"question": "q", "id": 12345678901234567890123}],
    ),
    "the last of two values of one name": (b'[{"question": "a", "question": "b"}]', [{"question": "b"}]),
    "a UTF-16 file with odd line ends": ("题目,答案\r1,2\r".encode("utf-16"), [{"题目": "1", "答案": "2"}]),
}


@pytest.mark.parametrize("kind", READ)
def test_an_odd_file_is_read_as_it_was_meant(file, kind):
    content, rows = READ[kind]
    path = file(content)

    assert open_table(path).rows == rows
    assert peek(path).rows == rows


def test_nulls_and_numbers_without_end_are_empty_or_text(file):
    table = open_table(
        file(b'[{"question": "q", "key": NaN, "id": Infinity}, {"question": "a\\u0000b", "key": null}]')
    )

    rows = list(
        read_table({name: table.column(name) for name in table.columns}, full_mapping(table.columns, None), 1)
    )

    assert [(row.text, row.key, row.external_id) for row in rows] == [("q", "", "inf"), ("ab", "", "")]
    assert [row.neutralised for row in rows] == [False, True]


def test_a_nul_in_a_text_is_taken_out_and_the_row_says_so(file):
    table = open_table(file(b"question,key\n" + LONG_TEXT.encode() + b"\x00,\x00k\n"))

    (row,) = read_table(
        {name: table.column(name) for name in table.columns}, full_mapping(table.columns, None), 2
    )

    assert isinstance(row, QuestionRow)
    assert (row.text, row.key, row.neutralised) == (LONG_TEXT, "k", True)


def test_a_folder_is_no_file(tmp_path):
    for read in (open_table, peek, readers.members):
        with pytest.raises(readers.NotATable, match="期末 is a folder, not a file; choose the files in it"):
            read(tmp_path, "期末")


def zeros(path, size, packed):
    """Write a gzip file that unpacks to `size` times one letter, by repeating one packed block."""
    megabyte = b"x" * 1024**2
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as file:
        file.write(packer.compress(packed))
        for _ in range(size // 1024**2):
            file.write(packer.compress(megabyte))
        file.write(packer.flush())


def claimed(content, size):
    """Return an archive whose directory claims another unpacked size for its last file."""
    changed = bytearray(content)
    place = changed.rindex(b"PK\x01\x02") + 24
    changed[place : place + 4] = size.to_bytes(4, "little")
    return bytes(changed)


def write_bombs(folder):
    gigabyte = 1024**3
    line = folder / "a line of a gigabyte.csv"
    with line.open("wb") as file:
        file.write(b"question,key\n")
        file.truncate(gigabyte)  # zeros that take no room on the disk
    zeros(folder / "packed line of 100 MB.csv.gz", 100 * 1024**2, b"question,key\n")
    zeros(folder / "packed JSON of 100 MB.json.gz", 100 * 1024**2, b'[{"question": "')
    zeros(folder / "packed JSON line of 100 MB.jsonl.gz", 100 * 1024**2, b'{"question": "q"}\n{"question": "')
    zeros(folder / "packed quote of 100 MB.csv.gz", 100 * 1024**2, b'question,key\n"')
    rows = gzip.compress(b"question,key\n" + b"1,2\n" * 6_000_000, compresslevel=1, mtime=0)
    (folder / "six million rows.csv.gz").write_bytes(rows)
    (folder / "cells without text.csv.gz").write_bytes(
        gzip.compress(
            b"question" + b"," * 400 + b"\n" + (b"1" + b"," * 400 + b"\n") * 80_000, compresslevel=1
        )
    )
    xml = b"<worksheet><sheetData>" + b" " * (100 * 1024**2)
    workbook = with_part(sheet_of(["题目"], ["一"]), FIRST_SHEET, xml)
    (folder / "workbook of spaces.xlsx").write_bytes(workbook)
    (folder / "zip of letters.zip").write_bytes(zipped(("a.csv", b"question\n" + b"x" * (100 * 1024**2))))
    (folder / "zip that claims 4 GB.zip").write_bytes(claimed(zipped(("a.csv", CSV * 100)), 2**32 - 2))
    (folder / "zip that claims little.zip").write_bytes(claimed(zipped(("a.csv", CSV * 100_000)), 50))


def main(folder):
    """Read each file of a folder, and print what came of it and what it took."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for path in sorted(folder.iterdir()):
        for read in (peek, open_table):
            began = time.perf_counter()
            try:
                outcome = f"{read(path).rows_total} rows"
            except readers.NoTable as refused:
                outcome = str(refused)
            seconds = time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
            sys.stdout.write(json.dumps([path.name, read.__name__, outcome, seconds, peak]) + "\n")


BOMBS = {
    "a line of a gigabyte.csv": "is no table and no text in UTF-8",
    "packed line of 100 MB.csv.gz": "row 2, goes on for more than",
    "packed JSON of 100 MB.json.gz": "unpacks to more than 300 times its size",
    "packed JSON line of 100 MB.jsonl.gz": "line 2, has more than 33,554,432 bytes",
    "packed quote of 100 MB.csv.gz": "unpacks to more than 300 times its size",
    "six million rows.csv.gz": "has more than 5,000,000 rows; split it.",
    "cells without text.csv.gz": "has more than 30,000,000 cells; split it",
    "workbook of spaces.xlsx": "unpacks to more than 67,108,864 bytes",
    "zip of letters.zip": "row 2, goes on for more than",
    "zip that claims 4 GB.zip": "unpacks to more than 2,147,483,648 bytes",
    "zip that claims little.zip": "is a damaged packed file",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Return what a program of its own says of each bomb, with its time and its memory so far."""
    folder = tmp_path_factory.mktemp("bombs")
    write_bombs(folder)
    ran = subprocess.run(
        [sys.executable, __file__, str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_little_time_and_memory(outcomes, bomb):
    for name, read, outcome, seconds, peak_megabytes in outcomes:
        if name != bomb:
            continue
        assert seconds < MOST_SECONDS, read
        assert peak_megabytes < MOST_MORE_MEGABYTES, read
        if read == "open_table":
            assert BOMBS[bomb] in outcome

    assert sum(name == bomb for name, *_ in outcomes) == 2


if __name__ == "__main__":
    main(Path(sys.argv[1]))
