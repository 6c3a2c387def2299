"""Large files a row at a time: looked through once, and then read again without ever being held whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from curator.readers.faults import LARGEST_BYTES, LONGEST_LINE
from curator.readers.packed import Source, source_of
from curator.readers.parquet import parquet_table
from curator.readers.records import _loaded
from curator.readers.table import Table, check_columns, check_size

ROWS_AT_ONCE = 4096  # of Parquet
_BEGINNING_BYTES = 1024**2  # a text that ends before this is held whole

Rows = Iterator[tuple[int, dict[str, Any]]]


@dataclass(frozen=True)
class Stream:
    """A table whose rows come one after the other, as often as they are asked for."""

    columns: tuple[str, ...]
    rows_total: int
    numbered: Callable[[], Rows]


def stream_of(path: Path, name: str, open_whole: Callable[[Path, str], Table]) -> Stream:
    """Return a file's rows without holding them, where its kind allows that: JSON Lines and plain Parquet.

    Every other kind, and what has a fault, is left to `open_whole`, which finds the words for it.

    Raises:
        NoTable, OSError: as `open_whole` does.
    """
    source = source_of(path, name, "", LARGEST_BYTES)
    head = source.head(512)
    if head.startswith(b"PAR1") and not source.is_packed:
        return _of_parquet(source)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        found = _of_lines(source)
        if found is not None:
            return found
    table = open_whole(path, name)
    return Stream(table.columns, table.rows_total, table.numbered)


def _of_lines(source: Source) -> Stream | None:
    """Return the rows of JSON Lines; None where it is short, or is something else after all."""
    columns: dict[str, None] = {}
    rows_total = size = 0
    try:
        for number, line, record in _records(source):
            columns.update(dict.fromkeys(record))
            size += len(line)
            rows_total = number if record else rows_total
    except (ValueError, RecursionError):
        return None
    if size < _BEGINNING_BYTES:
        return None
    check_columns(list(columns), source.name)
    check_size(rows_total, 1, source.name)

    def numbered() -> Rows:
        return ((number, record) for number, _line, record in _records(source) if number <= rows_total)

    return Stream(tuple(columns), rows_total, numbered)


def _records(source: Source) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Yield each line with its number and what it says; an empty one is an object without fields.

    Raises:
        ValueError: a line is too long, or no object of JSON in UTF-8.
    """
    with source.open() as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            record = _loaded(line) if line.strip() and len(line) <= LONGEST_LINE else {}
            if not isinstance(record, dict) or len(line) > LONGEST_LINE:
                raise ValueError(number)
            yield number, line, record


def _of_parquet(source: Source) -> Stream:
    first = parquet_table(source, rows=1)

    def numbered() -> Rows:
        lazy = pl.scan_parquet(source.path)
        for begin in range(0, first.rows_total, ROWS_AT_ONCE):
            frame = lazy.slice(begin, ROWS_AT_ONCE).collect()
            frame = frame.with_columns(
                pl.col(pl.Binary).cast(pl.String), pl.col(pl.Categorical).cast(pl.String)
            )
            yield from enumerate(frame.iter_rows(named=True), start=first.first_row + begin)

    return Stream(first.columns, first.rows_total, numbered)
