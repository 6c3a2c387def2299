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

    Raises:
        NotWritten: a text is longer than a cell can be, or there are too many rows.
    """
    workbook = xlsxwriter.Workbook(path, {**_OPTIONS, "tmpdir": str(path.parent)})
    try:
        workbook.set_properties(
            {"title": stamp.name, "comments": f"sha256 {stamp.content_hash}", "created": stamp.frozen_at}
        )
        workbook.set_custom_property("dataset_hash", stamp.content_hash, "text")
        sheet = workbook.add_worksheet("rows")
        sheet.write_row(0, 0, list(COLUMNS))
        for number, row in enumerate(rows, start=1):
            _write_row(sheet, number, evened(row))
    finally:
        _close(workbook)


def _close(workbook: Any) -> None:
    try:
        workbook.close()
    except FileCreateError as error:  # which is how xlsxwriter tells of any disk that refuses
        raise (error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error))) from error


def _write_row(sheet: Any, number: int, row: dict[str, Any]) -> None:
    if number >= MOST_ROWS:
        raise NotWritten(f"A sheet holds {MOST_ROWS - 1} rows, and there are more; download the CSV.")
    for place, (name, value) in enumerate(row.items()):
        if name in NUMBERS:
            if value is not None:
                sheet.write_number(number, place, value)
            continue
        text = spreadsheet_cell(value)
        if len(text) > CELL_CHARACTERS:
            raise NotWritten(
                f"Row {number} has {len(text)} characters in {name}, and a cell of a workbook holds "
                f"{CELL_CHARACTERS}; download the CSV."
            )
        sheet.write_string(number, place, text)
