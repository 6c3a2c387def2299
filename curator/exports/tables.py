"""Parquet, and the folder that Hugging Face's `datasets` opens."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator.core.dataset import utf8
from curator.exports.rows import COLUMNS, Row, evened
from curator.exports.stamp import Stamp

GROUP_CHARACTERS = 4 * 1024 * 1024  # of text in a row group: what is held in memory at once
_TYPES = {"marks": pa.float64(), "thinking_tokens": pa.int64(), "options": pa.list_(pa.string())}
_OF_FEW_VALUES = ["language", "domain", "source", "licence", "teacher", "verdict", "terms"]
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])
_HUB_TYPES = {
    pa.float64(): {"dtype": "float64"},
    pa.int64(): {"dtype": "int64"},
    pa.string(): {"dtype": "string"},
}
# The columns as the header of a card names them.
FEATURES = tuple(
    {"name": column.name, **_HUB_TYPES.get(column.type, {"list": "string"})} for column in SCHEMA
)


def write_parquet(rows: Iterable[Row], path: Path, stamp: Stamp) -> int:
    """Write Parquet, with the dataset's hash and name in the file's metadata; return the bytes of the rows unpacked."""
    size = 0
    said = {"dataset_hash": stamp.content_hash, "dataset_name": utf8(stamp.name)}
    schema = SCHEMA.with_metadata(said)
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=_OF_FEW_VALUES) as writer:
        for group in _groups(rows):
            table = pa.Table.from_pylist(group, schema=schema)
            size += table.nbytes
            writer.write_table(table)
    return size


def _groups(rows: Iterable[Row]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows in groups of so much text that one of them may be held in memory."""
    group: list[dict[str, Any]] = []
    held = 0
    for row in rows:
        group.append(evened(row))
        held += sum(len(value) for value in row.values() if isinstance(value, str))
        if held >= GROUP_CHARACTERS:
            yield group
            group, held = [], 0
    if group:
        yield group


def write_hub_folder(rows: Iterable[Row], folder: Path, stamp: Stamp) -> None:
    """Write a folder with the card as README.md and the rows as Parquet, as the Hugging Face hub lays it out."""
    (folder / "data").mkdir()
    size = write_parquet(rows, folder / "data" / "train.parquet", stamp)
    (folder / "README.md").write_bytes(utf8(stamp.card_of(size)))
