"""A dataset as files, each written whole or not at all, row by row: never all of it in memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from curator.exports.cells import cell_without_mark, spreadsheet_cell
from curator.exports.files import files_in, replace_file, replace_folder, sha256_of
from curator.exports.lines import lines_of, write_canonical, write_csv
from curator.exports.rows import (
    COLUMNS,
    Row,
    as_messages,
    as_plain_chat,
    as_prompt_and_completion,
    as_s1,
    as_together,
)
from curator.exports.stamp import NotWritten, Stamp
from curator.exports.tables import FEATURES, write_hub_folder, write_parquet
from curator.exports.workbooks import as_workbook, write_workbook

__all__ = [
    "COLUMNS",
    "FEATURES",
    "FOLDERS",
    "FORMATS",
    "NotWritten",
    "Row",
    "Stamp",
    "as_workbook",
    "cell_without_mark",
    "ending_of",
    "sha256_of",
    "spreadsheet_cell",
    "write",
]


@dataclass(frozen=True)
class _Format:
    """How a format is written: into a file with this ending, or into a folder."""

    write: Callable[[Iterable[Row], Path, Stamp], object]
    ending: str
    is_folder: bool = False


_FORMATS = {
    "jsonl": _Format(write_canonical, ".jsonl"),
    "messages": _Format(lines_of(as_messages), ".messages.jsonl"),
    "s1": _Format(lines_of(as_s1), ".s1.jsonl"),
    "trl": _Format(lines_of(as_prompt_and_completion), ".trl.jsonl"),
    "openai": _Format(lines_of(as_plain_chat), ".openai.jsonl"),
    "together": _Format(lines_of(as_together), ".together.jsonl"),
    "siliconflow": _Format(lines_of(as_plain_chat), ".siliconflow.jsonl"),
    "csv": _Format(write_csv, ".csv"),
    "xlsx": _Format(write_workbook, ".xlsx"),
    "parquet": _Format(write_parquet, ".parquet"),
    "hf": _Format(write_hub_folder, "-hf", is_folder=True),
}
FORMATS = tuple(_FORMATS)
FOLDERS = frozenset(name for name, each in _FORMATS.items() if each.is_folder)


def ending_of(file_format: str) -> str:
    """Return how the names of a format's files, or of its folder, end."""
    return _FORMATS[file_format].ending


def write(rows: Iterable[Row], *, file_format: str, folder: Path, stamp: Stamp) -> list[Path]:
    """Write a dataset into a folder, which is made if need be; return the files.

    Rows are taken one after another. What is written appears under its name, which begins with the dataset's
    hash, only when it is whole and on the disk.

    Raises:
        NotWritten: no such format, no rows, a row that the format cannot hold, or the disk refuses.
    """
    if file_format not in _FORMATS:
        raise NotWritten(f"There is no format {file_format!r}; there are {', '.join(FORMATS)}.")
    chosen = _FORMATS[file_format]
    there = _with_a_row(iter(rows))
    path = folder / f"{stamp.stem}{chosen.ending}"
    put = replace_folder if chosen.is_folder else replace_file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put(path, lambda part: chosen.write(there, part, stamp))
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be written ({error.strerror or error}); name another folder, or make room in this one."
        ) from error
    return files_in(path) if chosen.is_folder else [path]


def _with_a_row(rows: Iterator[Row]) -> Iterator[Row]:
    first = next(rows, None)
    if first is None:
        raise NotWritten("The dataset has no rows; there is nothing to write.")
    return chain([first], rows)
