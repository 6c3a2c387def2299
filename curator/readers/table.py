"""A file's rows with what was found out about it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from curator.core.rows import Column
from curator.readers.faults import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    DuplicateColumn,
    EmptyFile,
    HeaderOnly,
    NotATable,
    TooLarge,
)

# Control characters, lone surrogates, and marks that turn the direction of what follows.
_CANNOT_BE_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Table:
    """A file's rows with what was found out about it.

    `first_row` is the number that a person sees beside the first row, and each later one has the next:
    an empty row between two others stays, with no cell filled, and only those after the last one go.
    `header_row` is the number of the row of column names, 0 where the file names each cell itself or none.
    `rows_total` is -1 where only the beginning of a file was read.
    """

    kind: str
    encoding: str
    columns: tuple[str, ...]
    cells: pl.DataFrame | list[dict[str, Any]]
    first_row: int
    rows_total: int
    delimiter: str = ""
    header_row: int = 0
    sheet: str = ""  # of a workbook, which has all these:
    sheets: tuple[str, ...] = ()
    note: str = ""  # what else the file holds that was not read

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Return every row, its cells by column; made when first asked for."""
        return self.cells if isinstance(self.cells, list) else self.cells.to_dicts()

    def numbered(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each row with its number in the file."""
        rows = self.cells if isinstance(self.cells, list) else self.cells.iter_rows(named=True)
        return iter(enumerate(rows, start=self.first_row))

    def first(self, rows: int) -> "Table":
        """Return the same table with no more than its first rows; it still says how many there are."""
        return replace(self, cells=self.cells[:rows])

    def column(self, name: str) -> Sequence[Any]:
        """Return the cells of one column; None where a row of JSON does not have it.

        Raises:
            KeyError: there is no such column.
        """
        if name not in self.columns:
            raise KeyError(name)
        if isinstance(self.cells, list):
            return [row.get(name) for row in self.cells]
        return Column(self.cells[name])


def check_columns(columns: Sequence[str], name: str) -> None:
    """Refuse column names that are too many, twice there, or cannot be shown.

    Raises:
        TooLarge, DuplicateColumn, NotATable: with the name.
    """
    if len(columns) > MOST_COLUMNS:
        raise TooLarge(
            f"{name} has {len(columns):,} columns, more than {MOST_COLUMNS}; keep those of the questions."
        )
    seen: set[str] = set()
    for column in columns:
        if column in seen:
            raise DuplicateColumn(f"{name} has two columns named {column!r}; rename one.")
        if _CANNOT_BE_SHOWN.search(column):
            raise NotATable(
                f"{name} has a column {column!r} with characters that cannot be shown; rename it."
            )
        seen.add(column)


def check_size(rows_total: int, columns_total: int, name: str) -> None:
    """Refuse more rows or cells than can be read at once.

    Raises:
        TooLarge: with the number.
    """
    if rows_total > MOST_ROWS:
        raise TooLarge(f"{name} has more than {MOST_ROWS:,} rows; split it.")
    if rows_total * columns_total > MOST_CELLS:
        raise TooLarge(
            f"{name} has more than {MOST_CELLS:,} cells; split it, or leave out columns that are not needed."
        )


def check_filled(table: Table, name: str) -> Table:
    """Return a table that has rows and columns.

    Raises:
        HeaderOnly, EmptyFile: it has none.
    """
    if not table.rows_total:
        raise HeaderOnly(f"{name} has a header but no rows; export it again.")
    if not table.columns:
        raise EmptyFile(f"{name} is empty in every row; export it again.")
    return table
