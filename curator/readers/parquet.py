"""Parquet as a table; its lists and numbers stay what they are."""

import io
from pathlib import Path

import polars as pl

from curator.readers.faults import LARGEST_WHOLE, NotATable
from curator.readers.packed import Source
from curator.readers.table import Table, check_columns, check_size


def parquet_table(source: Source, *, rows: int | None = None) -> Table:
    """Read a Parquet file, or its first rows; in either case the total is known.

    Raises:
        NoTable: it is damaged, or has too many rows or columns.
    """
    held: Path | io.BytesIO = io.BytesIO(source.whole(LARGEST_WHOLE)) if source.is_packed else source.path
    try:
        lazy = pl.scan_parquet(held)
        columns = lazy.collect_schema().names()
        check_columns(columns, source.name)
        rows_total = int(lazy.select(pl.len()).collect().item())
        check_size(rows_total, len(columns), source.name)
        frame = (lazy if rows is None else lazy.head(rows)).collect()
        frame = frame.with_columns(pl.col(pl.Binary).cast(pl.String), pl.col(pl.Categorical).cast(pl.String))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise NotATable(f"{source.name} is a damaged Parquet file; export it again.") from error
    return Table("Parquet", "UTF-8", tuple(columns), frame, first_row=1, rows_total=rows_total)
