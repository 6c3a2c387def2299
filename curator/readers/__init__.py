"""Files of questions as tables: what kind of file it is, how it is encoded, and its rows.

The content decides, never the name alone. What is refused is refused before a row is used, and in one
sentence that names the file, the place and the remedy.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from curator.core.rows import guess_mapping
from curator.readers.encodings import ENCODINGS, decoded, known_encoding
from curator.readers.faults import (
    LARGEST_BYTES,
    LARGEST_WHOLE,
    LONGEST_FIELD,
    MOST_COLUMNS,
    MOST_ROWS,
    BrokenRow,
    DuplicateColumn,
    EmptyFile,
    HeaderOnly,
    Misread,
    NoTable,
    NotATable,
    SeveralTables,
    TooLarge,
    TruncatedFile,
)
from curator.readers.packed import Source, head_of_table, members, source_of
from curator.readers.parquet import parquet_table
from curator.readers.reading import AS_FOUND, SEPARATORS, Reading
from curator.readers.records import json_lines_table, json_table, peek_records
from curator.readers.separated import NeedsCare, careful_table, find_layout, peek_separated, quick_table
from curator.readers.streamed import Stream, stream_of
from curator.readers.table import Table, check_filled
from curator.readers.workbooks import sheet_names, workbook_table

__all__ = [
    "AS_FOUND",
    "ENCODINGS",
    "LARGEST_BYTES",
    "LONGEST_FIELD",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "SEPARATORS",
    "BrokenRow",
    "DuplicateColumn",
    "EmptyFile",
    "HeaderOnly",
    "Misread",
    "NoTable",
    "NotATable",
    "Reading",
    "SeveralTables",
    "Stream",
    "Table",
    "TooLarge",
    "TruncatedFile",
    "decoded",
    "kind",
    "known_encoding",
    "members",
    "open_table",
    "peek",
    "sheets",
    "stream_table",
]

_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # marks and space in any encoding
_WORKBOOK_ENDS = (".xlsx", ".xlsm", ".xltx", ".xls")
_BEGINNING_BYTES = 1024**2  # by which a text is judged, and of which it is shown


def open_table(
    path: Path,
    name: str = "",
    *,
    member: str = "",
    largest_bytes: int = LARGEST_BYTES,
    reading: Reading = AS_FOUND,
) -> Table:
    """Read a file of questions: CSV, TSV, XLSX, JSON, JSON Lines or Parquet, each also as .gz or in a .zip.

    `member` says which table of an archive; it may be left out where there is one. What `reading` says is
    not found out.

    Raises:
        NoTable: with the file's name, what is wrong and what to do; its subclasses say which fault.
        OSError: the file cannot be opened.
    """
    source = replace(source_of(path, name, member, largest_bytes), reading=reading)
    head = head_of_table(source)
    if head.startswith(b"PK\x03\x04"):
        table = workbook_table(source)
    elif head.startswith(b"PAR1"):
        table = parquet_table(source)
    else:
        return _as_named(source, lambda: _text_table(source))
    return check_filled(table, source.name)


def stream_table(path: Path, name: str = "") -> Stream:
    """Return the rows of a file one after the other; of JSON Lines and Parquet none is held.

    Raises:
        NoTable, OSError: as `open_table` does.
    """
    head_of_table(source_of(path, name, "", LARGEST_BYTES))
    return stream_of(path, name, open_table)


def peek(
    path: Path, name: str = "", *, member: str = "", rows: int = 20, reading: Reading = AS_FOUND
) -> Table:
    """Read the first rows of a file; of a text or a Parquet file no more than its beginning is touched.

    `rows_total` is -1 where the beginning does not tell how many there are. A fault further down is not
    seen.

    Raises:
        NoTable, OSError: as for the whole.
    """
    source = replace(source_of(path, name, member, LARGEST_BYTES), reading=reading)
    head = head_of_table(source)
    if head.startswith(b"PK\x03\x04"):
        return check_filled(workbook_table(source).first(rows), source.name)
    if head.startswith(b"PAR1"):
        return check_filled(parquet_table(source, rows=rows), source.name)
    return _as_named(source, lambda: _text_beginning(source, rows))


def kind(path: Path, name: str = "") -> str:
    """Return the kind of file that its first bytes tell: XLSX, Parquet, JSON or text.

    Raises:
        NoTable, OSError: as for the whole.
    """
    head = source_of(path, name, "", LARGEST_BYTES).head(512)
    packed = {b"PK\x03\x04": "XLSX", b"PAR1": "Parquet"}.get(head[:4])
    return packed or ("JSON" if head.lstrip(_BEFORE_TEXT)[:1] in (b"[", b"{") else "text")


def _as_named(source: Source, read: Callable[[], Table]) -> Table:
    """Return the table of a text; one that is named like a workbook must be of questions to be taken for one.

    Raises:
        NotATable: it is neither a workbook nor a table of questions; NoTable as from `read`.
    """
    if not source.name.lower().endswith(_WORKBOOK_ENDS):
        return check_filled(read(), source.name)
    no_workbook = NotATable(
        f"{source.name} is not an Excel workbook but a text; save it as XLSX, or as CSV under a name ending in .csv."
    )
    try:
        table = check_filled(read(), source.name)
    except EmptyFile:
        raise
    except NoTable as error:
        raise no_workbook from error
    if "question" not in guess_mapping(table.columns):
        raise no_workbook
    return table


def sheets(path: Path, name: str = "") -> tuple[str, ...]:
    """Return the names of a workbook's sheets; none for what is no workbook.

    Raises:
        NoTable, OSError: as for the whole.
    """
    source = source_of(path, name, "", LARGEST_BYTES)
    return sheet_names(source) if source.head(4) == b"PK\x03\x04" else ()


def _text_beginning(source: Source, rows: int) -> Table:
    content = source.head(_BEGINNING_BYTES + 1)
    is_whole = len(content) <= _BEGINNING_BYTES
    said = source.reading.encoding
    beginning, encoding = decoded(content[:_BEGINNING_BYTES], source.name, encoding=said, whole=is_whole)
    if not _first_sign(beginning, source):
        shown = peek_separated(beginning, encoding, source, rows, is_whole=is_whole)
        return shown or _text_table(source).first(rows)  # its first row goes on for longer than was looked at
    if is_whole:
        return _text_table(source).first(rows)
    return peek_records(beginning, encoding, source.name, rows)


def _text_table(source: Source) -> Table:
    beginning, said = source.head(_BEGINNING_BYTES), source.reading.encoding
    is_whole = len(beginning) < _BEGINNING_BYTES
    text, encoding = decoded(beginning, source.name, encoding=said, whole=is_whole)
    in_utf_8 = encoding == "UTF-8"
    if not in_utf_8:
        text, encoding = decoded(source.whole(LARGEST_WHOLE), source.name, encoding=said)
    sign = _first_sign(text, source)
    if sign == "[":
        return json_table(source, in_utf_8=in_utf_8)
    if sign == "{":
        return json_lines_table(source, in_utf_8=in_utf_8)
    return _separated(source, text, encoding, in_utf_8=in_utf_8)


def _first_sign(text: str, source: Source) -> str:
    """Return the sign by which JSON begins, or nothing for what is parted by a separator."""
    sign = text.lstrip()[:1]
    if not sign:
        raise EmptyFile(f"{source.name} is empty; export it again.")
    if sign == "<":
        raise NotATable(f"{source.name} is a web page or XML, not a table; save it as CSV or XLSX.")
    return sign if sign in "[{" and not source.reading.delimiter else ""


def _separated(source: Source, text: str, encoding: str, *, in_utf_8: bool) -> Table:
    """Read a text with separators, the quick way where it can be."""
    layout = find_layout(text[:_BEGINNING_BYTES], source.name, source.reading)
    try:
        if not in_utf_8:
            return quick_table(io.BytesIO(text.encode()), layout, encoding, source.name)
        with source.open() as stream:
            return quick_table(stream, layout, encoding, source.name)
    except NeedsCare:
        if in_utf_8:
            said = source.reading.encoding
            text, encoding = decoded(source.whole(LARGEST_WHOLE), source.name, encoding=said)
            layout = find_layout(text[:_BEGINNING_BYTES], source.name, source.reading)
        return careful_table(text, layout, encoding, source.name)
