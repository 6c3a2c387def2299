"""A workbook's first sheet with anything in it as a table."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

import fastexcel
import polars as pl
import re2

from curator.readers.faults import (
    LARGEST_WHOLE,
    LOOSE_BYTES,
    MOST_CELLS,
    TIGHTEST,
    EmptyFile,
    NotATable,
    TooLarge,
    TruncatedFile,
    first_line,
)
from curator.readers.header import SEARCHED_ROWS, find_header
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
    """Read the first sheet that holds anything; what a formula shows is its text.

    Raises:
        NoTable: the file is damaged, no workbook, empty, or unpacks to too much.
    """
    content = source.whole(LARGEST_WHOLE)
    _check_archive(content, source)
    try:
        workbook = fastexcel.read_excel(content)
        sheets = {
            sheet: workbook.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
            for sheet in workbook.sheet_names
        }
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        raise NotATable(
            f"{source.name} is no Excel workbook that can be read ({first_line(error)}); "
            "save it as XLSX or CSV."
        ) from error
    filled = [sheet for sheet, frame in sheets.items() if frame.height]
    if not filled:
        raise EmptyFile(f"{source.name} has no sheet with anything in it; export it again.")
    others = f"Only the sheet {filled[0]!r} was read, not {', '.join(map(repr, filled[1:]))}."
    return _of_sheet(sheets[filled[0]], source.name, others if filled[1:] else "")


def _of_sheet(sheet: pl.DataFrame, name: str, note: str) -> Table:
    cells = sheet.select(
        pl.col(column).cast(pl.String).fill_null("").alias(str(place))
        for place, column in enumerate(sheet.columns)
    )
    header = find_header(cells.head(SEARCHED_ROWS * 2).rows())
    if header is None:
        raise EmptyFile(f"{name} is empty in its first {SEARCHED_ROWS * 2} rows; export it again.")
    return table_of(cells[header.place + 1 :], header, "XLSX", "UTF-8", name, note=note)


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
