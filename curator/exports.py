"""A dataset as files, each written whole or not at all."""

import csv
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from common.core.chat import QWEN, question_prompt, question_with_options, reply
from common.core.refusal import Refusal

Row = Mapping[str, Any]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*%?")

_TOO_LARGE_FOR_A_WORKBOOK = "A row is too long for a workbook, or there are too many; download the CSV."


class NotWritten(Refusal):
    """An export could not be written; the message says where and why."""


def _lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _origin(row: Row) -> dict[str, str]:
    """Return who wrote a row's trace and what its terms say, beside what a format asks for."""
    return {"teacher": row["teacher"], "terms": row["terms"]} if "terms" in row else {}


def _evened(rows: Sequence[Row]) -> Sequence[Row]:
    """Return rows with the same fields: of traces beside each other, some may have come without terms."""
    if not any("terms" in row for row in rows):
        return rows
    return [{**row, "terms": row.get("terms", "")} for row in rows]


def as_jsonl(rows: Sequence[Row]) -> bytes:
    """Return every field of every row as JSON Lines."""
    return _lines([dict(row) for row in rows])


def as_messages(rows: Sequence[Row]) -> bytes:
    """Return chat messages as JSON Lines, the thinking in `reasoning_content`."""
    return _lines(
        [
            {
                "messages": [
                    {
                        "role": "user",
                        "content": question_with_options(row["question"], tuple(row["options"])),
                    },
                    {"role": "assistant", "reasoning_content": row["thinking"], "content": row["answer"]},
                ],
                **_origin(row),
            }
            for row in rows
        ]
    )


def as_s1(rows: Sequence[Row]) -> bytes:
    """Return the columns of s1K, with the training text in the markup of Qwen2.5, as JSON Lines."""
    lines = []
    for row in rows:
        question = question_with_options(row["question"], tuple(row["options"]))
        answer = reply(QWEN, thinking=row["thinking"], answer=row["answer"])
        lines.append(
            {
                "question": question,
                "solution": row["solution"] or row["key"],
                "source_type": row["source"],
                "cot_type": row["domain"],
                "thinking_trajectories": [row["thinking"]],
                "attempt": row["answer"],
                "text": question_prompt(QWEN, question) + answer,
                **_origin(row),
            }
        )
    return _lines(lines)


def as_csv(rows: Sequence[Row]) -> bytes:
    """Return a spreadsheet; a cell that would be a formula gets an apostrophe in front."""
    sheet = io.StringIO(newline="")
    columns = list(rows[0])
    writer = csv.writer(sheet)
    writer.writerow(columns)
    writer.writerows([[spreadsheet_cell(row[column]) for column in columns] for row in rows])
    return ("\ufeff" + sheet.getvalue()).encode()


def spreadsheet_cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet runs as a formula."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _PLAIN_NUMBER.fullmatch(text) else text


def cell_without_mark(cell: Any) -> Any:
    """Return what `spreadsheet_cell` made a cell of, for a spreadsheet that comes back."""
    bare = cell[1:] if isinstance(cell, str) else ""
    return bare if bare and spreadsheet_cell(bare) == cell else cell


def as_workbook(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows of texts as a workbook of one sheet, in which every cell is a text and no formula.

    Raises:
        NotWritten: a text is longer than a cell can be, or there are too many rows.
    """
    file = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            for place, text in enumerate(row):
                if sheet.write_string(number, place, text):
                    raise NotWritten(_TOO_LARGE_FOR_A_WORKBOOK)
    return file.getvalue()


def as_parquet(rows: Sequence[Row]) -> bytes:
    """Return the rows as Parquet."""
    packed = io.BytesIO()
    pl.DataFrame([dict(row) for row in rows], infer_schema_length=None).write_parquet(packed)
    return packed.getvalue()


_WRITERS: dict[str, tuple[Callable[[Sequence[Row]], bytes], str]] = {
    "jsonl": (as_jsonl, "jsonl"),
    "messages": (as_messages, "messages.jsonl"),
    "s1": (as_s1, "s1.jsonl"),
    "csv": (as_csv, "csv"),
    "parquet": (as_parquet, "parquet"),
}
FORMATS = tuple(_WRITERS)


def content(rows: Sequence[Row], file_format: str) -> tuple[bytes, str]:
    """Return a dataset in one format, and the ending of its file name.

    Raises:
        NotWritten: no such format, or no rows.
    """
    if file_format not in _WRITERS:
        raise NotWritten(f"There is no format {file_format!r}; there are {', '.join(FORMATS)}.")
    if not rows:
        raise NotWritten("The dataset has no rows; there is nothing to write.")
    write_rows, ending = _WRITERS[file_format]
    return write_rows(_evened(rows)), ending


def write(rows: Sequence[Row], *, file_format: str, folder: Path, name: str) -> list[Path]:
    """Write a dataset into a folder, which is made if need be; return the files.

    A file appears under its name only when it is whole and on the disk.

    Raises:
        NotWritten: no such format, or the disk refuses.
    """
    packed, ending = content(rows, file_format)
    path = folder / f"{name}.{ending}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(path, packed)
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be written ({error.strerror}); name another folder, or make room in this one."
        ) from error
    return [path]


def _replace(path: Path, packed: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            part.write(packed)
            part.flush()
            os.fsync(part.fileno())
            os.fchmod(part.fileno(), 0o644)
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in 64 hex digits, as `sha256sum` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
