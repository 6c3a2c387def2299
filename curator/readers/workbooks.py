"""One sheet of a workbook as a table: the one that is asked for, or the first that looks like questions."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import fastexcel
import polars as pl
import re2

from curator.readers.faults import (
    LARGEST_WHOLE,
    LOOSE_BYTES,
    MOST_CELLS,
    TIGHTEST,
    EmptyFile,
    Misread,
    NotATable,
    TooLarge,
    TruncatedFile,
)
from curator.readers.header import SEARCHED_ROWS, Header, find_header, header_at, known_fields
from curator.readers.packed import Source
from curator.readers.separated import table_of
from curator.readers.table import Table

_MOST_DEFLATED = 1032  # times: no packed byte makes more
_CHUNK = 4 * 1024**2
_REFERENCE = re.compile(rb"""[\s:]r\s*=\s*["']([A-Z]{0,3})(\d{1,7})["']""")
# A reference beyond column AZ or row 99,999; up to there, there are few enough cells.
_FAR = re2.compile(rb"""[\s:]r\s*=\s*["'](?:(?:[A-Z]{3}|[B-Z][A-Z])[0-9]|[A-Z]{0,2}[0-9]{6})""")
_NEAR_COLUMNS, _NEAR_ROWS = 52, 99_999
_REFERENCE_BYTES = 32


def workbook_table(source: Source) -> Table:
    """Read a sheet; what a formula shows is its text.

    Raises:
        Misread: it has no sheet of the name that is asked for, or no column names in that row.
        NoTable: the file is damaged, no workbook, empty, or unpacks to too much.
    """
    with _opened(source) as workbook:
        names = workbook.sheet_names
        wanted = source.reading.sheet
        if wanted and wanted not in names:
            raise Misread(f"{source.name} has no sheet {wanted!r}; choose one of {', '.join(names)[:500]}.")
        sheets = {name: _cells(workbook, name) for name in ([wanted] if wanted else names)}
    filled = [name for name, cells in sheets.items() if cells.height]
    if wanted and not filled:
        raise Misread(f"{source.name} has nothing in its sheet {wanted!r}; choose another.")
    if not filled:
        raise EmptyFile(f"{source.name} has no sheet with anything in it; export it again.")
    chosen = next((name for name in filled if _is_of_questions(sheets[name])), filled[0])
    others = ", ".join(repr(name) for name in filled if name != chosen)
    note = f"Only the sheet {chosen!r} was read, not {others}." if others else ""
    return replace(_of_cells(sheets[chosen], source, note), sheet=chosen, sheets=tuple(names))


def sheet_names(source: Source) -> tuple[str, ...]:
    """Return the names of all sheets.

    Raises:
        NoTable: the file is damaged, no workbook, or unpacks to too much.
    """
    with _opened(source) as workbook:
        return tuple(workbook.sheet_names)


@contextmanager
def _opened(source: Source) -> Iterator[fastexcel.ExcelReader]:
    content = source.whole(LARGEST_WHOLE)
    _check_archive(content, source)
    try:
        yield fastexcel.read_excel(content)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        raise NotATable(
            f"{source.name} is no Excel workbook that can be read; save it as XLSX or CSV."
        ) from error


def _cells(workbook: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    """Return all cells of a sheet from its first row on as texts, the columns named by their places."""
    found = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    sheet: pl.DataFrame = found.to_polars()
    return sheet.select(
        pl.col(column).cast(pl.String).fill_null("").alias(str(place))
        for place, column in enumerate(sheet.columns)
    )


def _of_cells(cells: pl.DataFrame, source: Source, note: str) -> Table:
    row, name = source.reading.header_row, source.name
    header = _found_header(cells) if row is None else header_at(row, cells.head(max(row, 1)).rows(), name)
    if header is None:
        raise EmptyFile(f"{name} has nothing in its sheet; export it again.")
    return table_of(cells[header.place + 1 :], header, "XLSX", "UTF-8", name, note=note)


def _is_of_questions(cells: pl.DataFrame) -> bool:
    header = _found_header(cells)
    return header is not None and known_fields(header.names) > 0


def _found_header(cells: pl.DataFrame) -> Header | None:
    filled = cells.select(pl.any_horizontal(pl.all() != "")).to_series()
    first = int(filled.arg_max() or 0)
    return find_header(cells.head(first + SEARCHED_ROWS * 2).rows())


def _check_archive(content: bytes, source: Source) -> None:
    """Refuse a zip file that is no workbook, or that would unpack or spread out to more than is allowed.

    Raises:
        NoTable: with which of these it is.
    """
    name = source.name
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if not any(entry.filename.startswith("xl/") for entry in entries):
                raise NotATable(
                    f"{name} is an archive or a document, not a workbook; unpack it, or save it as XLSX."
                )
            _check_unpacked(archive, entries, source)
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        raise TruncatedFile(
            f"{name} is a damaged or cut-off workbook or archive; upload it again."
        ) from error


def _check_unpacked(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], source: Source) -> None:
    """Refuse by what the parts unpack to, counted where what they claim could be untrue.

    Raises:
        TooLarge: they unpack to too much, or their cells lie too far apart.
    """
    most = min(
        source.largest_bytes, max(LOOSE_BYTES, TIGHTEST * sum(entry.compress_size for entry in entries))
    )
    possible = sum(entry.compress_size for entry in entries) * _MOST_DEFLATED
    too_large = TooLarge(f"{source.name} unpacks to more than {most:,} bytes; split it, or save it as CSV.")
    if sum(entry.file_size for entry in entries) > most:
        raise too_large
    unpacked = 0
    for entry in entries:
        is_sheet = entry.filename.startswith("xl/worksheets/")
        if not is_sheet and possible <= most:
            continue
        spread = _Spread()
        for chunk in _inflated(archive, entry):
            unpacked += len(chunk)
            if unpacked > most:
                raise too_large
            if is_sheet:
                spread.add(chunk)
        if spread.cells_total > MOST_CELLS:
            raise TooLarge(
                f"{source.name} has a sheet that reaches to {spread.corner}, though most of it is empty; "
                "delete what stands far from the table, or save it as CSV."
            )


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield all that a part unpacks to, whatever size it claims to have."""
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        with archive.open(entry) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in _packed(archive, entry):
        yield inflater.decompress(packed, _CHUNK)
        while inflater.unconsumed_tail:
            yield inflater.decompress(inflater.unconsumed_tail, _CHUNK)


def _packed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the packed bytes of a part, which lie behind its local header."""
    file = archive.fp
    if file is None:
        return
    file.seek(entry.header_offset)
    header = file.read(30)
    name_bytes, extra_bytes = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    file.seek(name_bytes + extra_bytes, io.SEEK_CUR)
    left = entry.compress_size
    while left > 0 and (packed := file.read(min(left, _CHUNK))):
        left -= len(packed)
        yield packed


class _Spread:
    """How far the cells of a sheet reach; a reader makes room for every cell up to there.

    The parts before the first far reference are not looked through one by one.
    """

    def __init__(self) -> None:
        self.column, self.row, self.tail, self.is_far = _NEAR_COLUMNS, 0, b"", False

    def add(self, chunk: bytes) -> None:
        """Take in the next part of a sheet."""
        part, is_first = self.tail + chunk, not self.tail
        self.tail = part[-_REFERENCE_BYTES:]
        if not self.is_far:
            if not _FAR.search(part):
                return
            self.is_far, self.row = True, 1 if is_first else _NEAR_ROWS
        for column, row in set(_REFERENCE.findall(part)):
            self.column = max(self.column, _column_number(column))
            self.row = max(self.row, int(row))

    @property
    def cells_total(self) -> int:
        """Return how many cells there are up to the farthest."""
        return self.column * self.row

    @property
    def corner(self) -> str:
        """Return the farthest column and row as a person counts them."""
        return f"column {self.column:,} and row {self.row:,}"


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
