"""Files of questions as tables: what kind of file it is, how it is encoded, and its rows.

The content decides, never the name alone. What is refused is refused before a row is used.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from common.core.refusal import Refusal

LARGEST_BYTES = 2 * 1024**3  # unpacked; a file that grows past this while it is read is refused
LONGEST_FIELD = 10_000_000  # characters of one cell
MOST_COLUMNS = 500
_SNIFFED_BYTES = 256 * 1024
_BINARY = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "an old or password-protected Office file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x7fELF": "a program",
}


class NoTable(Refusal):
    """A file is no table that can be read; the message says what it is and what to do."""


@dataclass(frozen=True)
class Table:
    """A file's rows with what was found out about it. `first_row` is the number of the first one."""

    kind: str
    encoding: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    first_row: int


def open_table(path: Path, name: str = "", *, largest_bytes: int = LARGEST_BYTES) -> Table:
    """Read a file of questions: CSV, TSV, XLSX, JSON, JSON Lines or Parquet, the text ones also gzipped.

    Raises:
        NoTable: with the file's name, what is wrong and what to do.
        OSError: the file cannot be opened.
    """
    name = name or path.name
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise NoTable(f"{name} is empty; export it again.")
    for beginning, what in _BINARY.items():
        if head.startswith(beginning):
            raise NoTable(f"{name} is {what}, not a table; save it as CSV, XLSX, JSON or Parquet.")
    if head.startswith(b"PK\x03\x04"):
        table = _from_xlsx(path, name)
    elif head.startswith(b"PAR1"):
        table = _from_parquet(path, name)
    else:
        table = _from_text(_unpacked(path, name, largest_bytes), name)
    _check(table, name)
    return table


def _check(table: Table, name: str) -> None:
    if not table.rows:
        raise NoTable(f"{name} has a header but no rows; export it again.")
    if len(table.columns) > MOST_COLUMNS:
        raise NoTable(
            f"{name} has {len(table.columns)} columns, more than {MOST_COLUMNS}; keep those of the questions."
        )
    seen: set[str] = set()
    for column in table.columns:
        if column in seen:
            raise NoTable(f"{name} has two columns named {column!r}; rename one.")
        seen.add(column)


def _unpacked(path: Path, name: str, largest_bytes: int) -> bytes:
    """Return a text file's bytes, unpacked if it is gzipped, and never more than allowed."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as opened:
            content = opened.read(largest_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise NoTable(f"{name} is a damaged gzip file ({error}); pack it again.") from error
    if len(content) > largest_bytes:
        raise NoTable(f"{name} unpacks to more than {largest_bytes} bytes; split it.")
    if not content.strip():
        raise NoTable(f"{name} is empty; export it again.")
    return content


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Return a text with the encoding it was in: UTF-8, UTF-16 or GB18030.

    Raises:
        NoTable: it is none of them.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif content[:64].count(b"\x00") > 8:
        candidates = ["utf-16-le" if content[1:2] == b"\x00" else "utf-16-be"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        control = sum(character < " " and character not in "\t\r\n" for character in text[:_SNIFFED_BYTES])
        if control <= len(text[:_SNIFFED_BYTES]) // 100:
            return text, {"utf-8-sig": "UTF-8"}.get(encoding, encoding.upper())
    raise NoTable(
        f"{name} is no text in UTF-8, UTF-16 or GB18030, and no table that is known; save it as CSV or XLSX."
    )


def _from_text(content: bytes, name: str) -> Table:
    text, encoding = decoded(content, name)
    beginning = text.lstrip()[:1]
    if beginning == "[":
        return _from_json(text, encoding, name)
    if beginning == "{":
        return _from_json_lines(text, encoding, name)
    if beginning == "<":
        raise NoTable(f"{name} is a web page or XML, not a table; save it as CSV or XLSX.")
    return _from_separated(text, encoding, name)


def _from_json(text: str, encoding: str, name: str) -> Table:
    try:
        records = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise NoTable(f"{name} is no valid JSON ({error}); export it again.") from error
    return _from_records(records, "JSON", encoding, name, first_row=1)


def _from_json_lines(text: str, encoding: str, name: str) -> Table:
    records = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except (json.JSONDecodeError, RecursionError) as error:
            if number == 1 and (whole := _one_object(text)) is not None:
                return _from_records(whole, "JSON", encoding, name, first_row=1)
            raise NoTable(f"{name}, line {number}, is no valid JSON ({error}); mend that line.") from error
    return _from_records(records, "JSON Lines", encoding, name, first_row=1)


def _one_object(text: str) -> list[Any] | None:
    """Return the list inside one JSON object over several lines, such as {"questions": […]}."""
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    lists = [value for value in whole.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else [whole]


def _from_records(records: list[Any], kind: str, encoding: str, name: str, first_row: int) -> Table:
    columns: dict[str, None] = {}
    for number, record in enumerate(records, start=first_row):
        if not isinstance(record, dict):
            raise NoTable(
                f"{name}, record {number}, is no object with named fields; write one object a question."
            )
        columns.update(dict.fromkeys(record))
    return Table(kind, encoding, tuple(columns), records, first_row)


def _from_separated(text: str, encoding: str, name: str) -> Table:
    delimiter = _delimiter(text)
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        header = [cell.strip() for cell in next(reader)]
        if len(header) < 2 and not header[0]:
            raise NoTable(f"{name} begins with an empty line; put the column names first.")
        rows = list(_records_of(reader, header, name))
    except csv.Error as error:
        raise NoTable(
            f"{name}, line {reader.line_num}, cannot be read ({error}); check its quotes."
        ) from error
    return Table("TSV" if delimiter == "\t" else "CSV", encoding, tuple(header), rows, first_row=2)


def _records_of(reader: Any, header: list[str], name: str) -> Iterator[dict[str, Any]]:
    for number, cells in enumerate(reader, start=2):
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            raise NoTable(
                f"{name}, row {number}, has {len(cells)} cells under {len(header)} column names; "
                "put quotes around cells that contain the separator."
            )
        if any(cell.strip() for cell in cells):
            yield dict(zip(header, cells, strict=False))


def _delimiter(text: str) -> str:
    """Return the separator that the header line has most of, outside quotes."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    outside = "".join(header.split('"')[::2])
    return max(",\t;|，", key=lambda mark: (outside.count(mark), mark == ","))


def _from_parquet(path: Path, name: str) -> Table:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise NoTable(f"{name} is a damaged Parquet file ({_first_line(error)}); export it again.") from error
    return Table("Parquet", "UTF-8", tuple(frame.columns), frame.to_dicts(), first_row=1)


def _from_xlsx(path: Path, name: str) -> Table:
    try:
        frame = pl.read_excel(path, engine="calamine", infer_schema_length=0, raise_if_empty=False)
    except Exception as error:  # its Rust core has no common root
        raise NoTable(
            f"{name} is no Excel workbook that can be read ({_first_line(error)}); save it as XLSX or CSV."
        ) from error
    header = tuple(column.strip() for column in frame.columns)
    rows = [dict(zip(header, row, strict=True)) for row in frame.iter_rows() if any(row)]
    return Table("XLSX", "UTF-8", header, rows, first_row=2)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
