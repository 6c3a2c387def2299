"""Workbooks for people: a sheet of texts and numbers, in which nothing is a formula."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from curator.exports.cells import spreadsheet_cell
from curator.exports.rows import COLUMNS, NUMBERS, Row, evened
from curator.exports.stamp import NotWritten, Stamp

_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_TOO_LARGE = "A row is too long for a workbook, or there are too many; download the CSV."
CELL_CHARACTERS = 32_767
LONG_SHEET = "long texts"  # of a text that no cell holds, all behind its beginning, in pieces
CONTINUES = f" […→ {LONG_SHEET}]"
MOST_ROWS = 1_048_576


def as_workbook(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows of texts as a workbook of one sheet, in which every cell is a text and no formula.

    Raises:
        NotWritten: a text is longer than a cell can be, or there are too many rows.
    """
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, _OPTIONS) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            for place, text in enumerate(row):
                if sheet.write_string(number, place, text):
                    raise NotWritten(_TOO_LARGE)
    return file.getvalue()


def write_workbook(rows: Iterable[Row], path: Path, stamp: Stamp) -> None:
    """Write a workbook with the dataset's hash among its properties.

    What does not fit into a cell goes on in a second sheet, named by row and column; the cell ends in `CONTINUES`.

    Raises:
        NotWritten: there are too many rows.
    """
    workbook = xlsxwriter.Workbook(path, {**_OPTIONS, "tmpdir": str(path.parent)})
    try:
        workbook.set_properties(
            {"title": stamp.name, "comments": f"sha256 {stamp.content_hash}", "created": stamp.frozen_at}
        )
        workbook.set_custom_property("dataset_hash", stamp.content_hash, "text")
        sheet = workbook.add_worksheet("rows")
        sheet.write_row(0, 0, list(COLUMNS))
        rest = _Rest(workbook)
        for number, row in enumerate(rows, start=1):
            _write_row(sheet, number, evened(row), rest)
    finally:
        _close(workbook)


def _close(workbook: Any) -> None:
    try:
        workbook.close()
    except FileCreateError as error:  # which is how xlsxwriter tells of any disk that refuses
        raise (error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error))) from error


class _Rest:
    """The sheet of what no cell holds; made when the first such text comes."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._sheet: Any = None
        self._written = 0

    def begun(self, number: int, column: str, text: str) -> str:
        """Return what of a text its own cell holds, and write the rest."""
        if len(text) <= CELL_CHARACTERS:
            return text
        kept = CELL_CHARACTERS - len(CONTINUES)
        for start in range(kept, len(text), CELL_CHARACTERS - 1):
            self._write(number, column, text[start : start + CELL_CHARACTERS - 1])
        return text[:kept] + CONTINUES

    def _write(self, number: int, column: str, piece: str) -> None:
        if self._sheet is None:
            self._sheet = self._workbook.add_worksheet(LONG_SHEET)
            self._sheet.write_row(0, 0, ["row", "column", "text"])
        self._written += 1
        if self._written >= MOST_ROWS:
            raise NotWritten(f"A sheet holds {MOST_ROWS - 1} rows, and there are more; download the CSV.")
        self._sheet.write_number(self._written, 0, number)
        self._sheet.write_string(self._written, 1, column)
        self._sheet.write_string(self._written, 2, spreadsheet_cell(piece))


def _write_row(sheet: Any, number: int, row: dict[str, Any], rest: _Rest) -> None:
    if number >= MOST_ROWS:
        raise NotWritten(f"A sheet holds {MOST_ROWS - 1} rows, and there are more; download the CSV.")
    for place, (name, value) in enumerate(row.items()):
        if name in NUMBERS:
            if value is not None:
                sheet.write_number(number, place, value)
        else:
            sheet.write_string(number, place, rest.begun(number, name, spreadsheet_cell(value)))
