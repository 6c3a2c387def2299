"""Formats of one row a line."""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from curator.core.dataset import canonical_line, utf8
from curator.exports.cells import spreadsheet_cell
from curator.exports.rows import COLUMNS, Row, evened
from curator.exports.stamp import Stamp


def write_canonical(rows: Iterable[Row], path: Path, _stamp: Stamp) -> None:
    """Write every field of every row as the canonical bytes, whose SHA-256 is the dataset's hash."""
    with path.open("wb") as file:
        file.writelines(map(canonical_line, rows))


def lines_of(shaped: Callable[[Row, str], dict[str, Any]]) -> Callable[[Iterable[Row], Path, Stamp], None]:
    """Return what writes rows in a consumer's shape as JSON Lines."""

    def write(rows: Iterable[Row], path: Path, stamp: Stamp) -> None:
        with path.open("wb") as file:
            for row in rows:
                file.write(utf8(json.dumps(shaped(row, stamp.content_hash), ensure_ascii=False) + "\n"))

    return write


def write_csv(rows: Iterable[Row], path: Path, _stamp: Stamp) -> None:
    """Write a spreadsheet; a cell that would be a formula gets an apostrophe in front."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([spreadsheet_cell(value) for value in evened(row).values()])
