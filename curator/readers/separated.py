"""Text with separators as a table: CSV, TSV and their kin.

Polars reads what is written as it should be, block by block, so that a large file is never held twice.
Where a quote stands in an odd place, a row is ragged, or a line ends in a way of its own, the careful
reader of the standard library reads the file again: it takes what can be taken, and names the row where
it cannot. Both give the same rows.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from curator.readers.faults import LONGEST_FIELD, LONGEST_LINE, BrokenRow, EmptyFile
from curator.readers.header import SEARCHED_ROWS, Header, find_header, header_at, known_fields
from curator.readers.packed import Source
from curator.readers.reading import AS_FOUND, SEPARATORS, Reading
from curator.readers.table import Table, check_columns, check_size

_BLOCK_BYTES = 2 * 1024**2  # what fits into a processor's cache is looked through several times faster
_RECORDS_AT_ONCE = 10_000
_LAST_RECORD = "\x00the end\x00"
_NO_END = f"goes on for more than {LONGEST_LINE:,} bytes without an end; export the file again."
_QUOTE, _LINE_FEED = ord('"'), ord("\n")


class NeedsCare(Exception):
    """A text is not written as a table should be; the careful reader must look at it."""


@dataclass(frozen=True)
class Layout:
    """How a text is parted into cells, and where its column names are."""

    delimiter: str
    header: Header

    @property
    def kind(self) -> str:
        """Return what such a file is called."""
        return "TSV" if self.delimiter == "\t" else "CSV"


def find_layout(beginning: str, name: str, reading: Reading = AS_FOUND) -> Layout:
    """Return how a table is written, from its beginning and from what a person says of it.

    The separator is the one under which the columns have the names of most fields; where none has any,
    the one that the first line with a separator has most of.

    Raises:
        EmptyFile: there is nothing but separators and space.
        Misread: there are no column names in the row that is to hold them.
    """
    line, marks = _line_of_names(beginning), reading.delimiter or SEPARATORS
    headers = {mark: find_header(_first_records(beginning, mark)) for mark in marks}
    delimiter = max(marks, key=lambda mark: (_known(headers[mark]), line.count(mark), mark == ","))
    header = headers[delimiter]
    if header is None:
        raise EmptyFile(f"{name} is empty; export it again.")
    row = reading.header_row
    if row is None:
        return Layout(delimiter, header)
    return Layout(delimiter, header_at(row, _first_records(beginning, delimiter, row), name))


def _first_records(beginning: str, delimiter: str, least: int = 0) -> list[list[str]]:
    return list(islice(_beginning_records(beginning, delimiter), max(SEARCHED_ROWS * 2, least)))


def _known(header: Header | None) -> int:
    return known_fields(header.names) if header else 0


def _line_of_names(beginning: str) -> str:
    """Return the first line with a separator in it, without what stands in quotes."""
    for line in islice(io.StringIO(beginning), SEARCHED_ROWS):
        outside = "".join(line.split('"')[::2])
        if any(mark in outside for mark in SEPARATORS):
            return outside
    return ""


def _beginning_records(beginning: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error:  # said by whoever reads the whole
        return


def quick_table(stream: BinaryIO, layout: Layout, encoding: str, name: str) -> Table:
    """Read a table in UTF-8 block by block.

    Raises:
        NeedsCare: it is not written as it should be.
        NoTable: it has too many rows or columns, or a row without an end.
    """
    if len(layout.delimiter.encode()) > 1:
        raise NeedsCare
    width, above = len(layout.header.names), layout.header.row
    frames: list[pl.DataFrame] = []
    rows_total = 0
    for block, ends in _blocks(stream, layout.delimiter, name):
        skipped = min(above, len(ends))
        above -= skipped
        if skipped == len(ends):
            continue
        begin = int(ends[skipped - 1]) + 1 if skipped else 0
        frames.append(_frame(block[begin:], layout.delimiter, width, len(ends) - skipped))
        rows_total += frames[-1].height
        check_size(rows_total, width, name)
    if above:
        raise NeedsCare
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=_schema(width))
    return _table(frame, layout, encoding, name)


def _blocks(stream: BinaryIO, delimiter: str, name: str) -> Iterator[tuple[bytes, Any]]:
    """Yield blocks of whole records, each with the places where its records end."""
    left = stream.read(3).removeprefix(codecs.BOM_UTF8)
    records_total = 0
    while read := stream.read(_BLOCK_BYTES):
        block = left + read
        ends, quotes = _record_ends(block)
        whole = int(ends[-1]) + 1 if len(ends) else 0
        left = block[whole:]
        if len(left) > LONGEST_LINE:
            if b'"' in left:
                raise NeedsCare
            raise BrokenRow(f"{name}, row {records_total + len(ends) + 1:,}, {_NO_END}")
        if whole:
            _check(block[:whole], ends, quotes[: np.searchsorted(quotes, whole)], delimiter)
            yield block[:whole], ends
        records_total += len(ends)
    if left:
        block = left if left.endswith(b"\n") else left + b"\n"
        ends, quotes = _record_ends(block)
        _check(block, ends, quotes, delimiter)
        yield block, ends


def _record_ends(block: bytes) -> tuple[Any, Any]:
    """Return where records end, at the line feeds with no open quote before them; and where quotes are."""
    signs = np.frombuffer(block, np.uint8)
    line_feeds = np.flatnonzero(signs == _LINE_FEED)
    quotes = np.flatnonzero(signs == _QUOTE)
    return line_feeds[np.searchsorted(quotes, line_feeds) % 2 == 0], quotes


def _check(block: bytes, ends: Any, quotes: Any, delimiter: str) -> None:
    """Refuse very long records, quotes that do not surround a cell, and lines that end in a carriage return.

    Quotes open and close in turn. One that opens stands behind a separator, a line end or the quote that
    it doubles, and one that closes before such a one.

    Raises:
        NeedsCare: there is one of these.
    """
    longest = np.diff(ends, prepend=-1).max(initial=0)
    if longest > LONGEST_FIELD or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n")):
        raise NeedsCare
    signs = np.frombuffer(block, np.uint8)
    if len(quotes) % 2:
        raise NeedsCare
    opening, closing = quotes[::2], quotes[1::2]
    may_stand = np.zeros(256, bool)
    may_stand[[ord(delimiter), _LINE_FEED, _QUOTE]] = True
    behind = may_stand[signs[opening[opening > 0] - 1]].all()
    may_stand[ord("\r")] = True
    if not behind or not may_stand[signs[closing[closing + 1 < len(block)] + 1]].all():
        raise NeedsCare


def _schema(width: int) -> dict[str, pl.DataType]:
    return {str(place): pl.String() for place in range(width)}


def _frame(block: bytes, delimiter: str, width: int, rows_total: int) -> pl.DataFrame:
    """Return some records as a frame of texts, its columns named by their places."""
    try:
        frame = pl.read_csv(
            block, has_header=False, separator=delimiter, schema=_schema(width), empty_string_is_null=False
        )
    except pl.exceptions.PolarsError as error:
        raise NeedsCare from error
    if frame.height != rows_total:
        raise NeedsCare
    return frame.fill_null("")  # the end of a short row


def careful_table(text: str, layout: Layout, encoding: str, name: str) -> Table:
    """Read a table record by record.

    Raises:
        BrokenRow: a quote is never closed, a cell is too long, or a row has too many cells.
        NoTable: it has too many rows or columns.
    """
    records = _records(text, layout.delimiter, name)
    for _ in range(layout.header.row):
        next(records, None)
    frame = _frame_of(records, layout.header, name)
    return _table(frame, layout, encoding, name)


def _records(text: str, delimiter: str, name: str) -> Iterator[list[str]]:
    """Yield the cells of each record, the header's too.

    A quote that is never closed would swallow all that follows into one cell; the record that is put
    at the end then does not come back as it was.
    """
    csv.field_size_limit(LONGEST_FIELD)
    ended = text if text.endswith(("\n", "\r")) else text + "\n"
    reader = csv.reader(io.StringIO(ended + _LAST_RECORD, newline=""), delimiter=delimiter)
    began, cells = 1, [""]
    try:
        for cells in reader:
            if cells == [_LAST_RECORD]:
                return
            if not cells or not cells[-1].endswith(_LAST_RECORD):
                yield cells
                began = reader.line_num + 1
    except csv.Error as error:
        long = f": a cell has more than {LONGEST_FIELD:,} characters" if "field limit" in str(error) else ""
        raise BrokenRow(f"{name}, line {began}, cannot be read{long}; check its quotes.") from error
    raise BrokenRow(f"{name}, line {began}, opens a quote that is never closed; close or remove it.")


def peek_separated(
    beginning: str, encoding: str, source: Source, rows: int, *, is_whole: bool
) -> Table | None:
    """Read the first rows of a table from its beginning; None where it holds no whole row of them.

    Raises:
        NoTable: the beginning is no table.
    """
    name = source.name
    layout = find_layout(beginning, name, source.reading)
    if is_whole:
        return careful_table(beginning, layout, encoding, name).first(rows)
    found = list(islice(_beginning_records(beginning, layout.delimiter), layout.header.row + rows + 1))
    below = found[layout.header.row : -1]  # the last one may be cut off
    if not below:
        return None
    frame = _frame_of(below, layout.header, name)
    return replace(_table(frame, layout, encoding, name), rows_total=-1)


def _frame_of(records: Iterable[Sequence[str]], header: Header, name: str) -> pl.DataFrame:
    """Return the records below a header as a frame of texts, its columns named by their places.

    Raises:
        BrokenRow: a record has more cells than there are columns, and text in one of them.
        TooLarge: there are too many records.
    """
    width = len(header.names)
    frames = [pl.DataFrame(schema=_schema(width))]
    numbered = enumerate(records, start=header.row + 1)
    while part := list(islice(numbered, _RECORDS_AT_ONCE)):
        for number, cells in part:
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                raise BrokenRow(
                    f"{name}, row {number}, has {len(cells)} cells under {width} column names; "
                    "put quotes around cells that contain the separator."
                )
        rows = [[*cells[:width], *[""] * (width - len(cells))] for _, cells in part]
        frames.append(pl.DataFrame(rows, schema=_schema(width), orient="row"))
        check_size(part[-1][0] - header.row, width, name)
    return pl.concat(frames)


def _table(frame: pl.DataFrame, layout: Layout, encoding: str, name: str) -> Table:
    return table_of(frame, layout.header, layout.kind, encoding, name, delimiter=layout.delimiter)


def table_of(
    frame: pl.DataFrame,
    header: Header,
    kind: str,
    encoding: str,
    name: str,
    *,
    delimiter: str = "",
    note: str = "",
) -> Table:
    """Return the table of a frame of texts whose columns are named by their places.

    Raises:
        NoTable: a column's name is there twice or cannot be shown, or there are no rows.
    """
    frame = _without_empty_end(frame)
    unnamed = [place for place, column in enumerate(header.names) if not column]
    used = {place for place in unnamed if (frame[str(place)].str.strip_chars() != "").any()}
    columns = header.columns(used)
    check_columns(list(columns.values()), name)
    named = frame.select(pl.col(str(place)).alias(column) for place, column in columns.items())
    above = f"The column names are in row {header.row}." if header.place > 0 else ""
    return Table(
        kind=kind,
        encoding=encoding,
        columns=tuple(columns.values()),
        cells=named,
        first_row=header.row + 1,
        rows_total=named.height,
        delimiter=delimiter,
        header_row=header.row,
        note=" ".join(filter(None, (above, note))),
    )


def _without_empty_end(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out the rows after the last one with anything in it."""
    height = frame.height
    while height:
        begin = max(0, height - _RECORDS_AT_ONCE)
        part = frame[begin:height]
        filled = part.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series().arg_true()
        if len(filled):
            return frame[: begin + int(filled[-1]) + 1]
        height = begin
    return frame[:0]
