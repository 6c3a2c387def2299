"""JSON as a table: a list of objects, an object with such a list in it, or one object a line."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import orjson

from curator.readers.encodings import decoded
from curator.readers.faults import (
    LARGEST_WHOLE,
    LONGEST_LINE,
    MOST_COLUMNS,
    BrokenRecord,
    NotATable,
    TooLarge,
    json_fault,
)
from curator.readers.packed import Source
from curator.readers.table import Table, check_columns, check_size

_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19  # orjson reads what is beyond 64 bits as a float, and loses its last digits
_LIST_OF_OBJECTS = re.compile(r"\[\s*(?=\{)")
_BETWEEN_OBJECTS = re.compile(r"\s*,\s*(?=\{)")


def json_table(source: Source, *, in_utf_8: bool) -> Table:
    """Read a JSON list of objects.

    Raises:
        NoTable: it is no JSON, too large, or holds something else.
    """
    content, encoding = _whole(source, in_utf_8=in_utf_8)
    return _from_json(content, encoding, source)


def _whole(source: Source, *, in_utf_8: bool) -> tuple[bytes | str, str]:
    content = source.whole(LARGEST_WHOLE)
    return (content, "UTF-8") if in_utf_8 else _decoded(content, source)


def _decoded(content: bytes, source: Source) -> tuple[str, str]:
    return decoded(content, source.name, encoding=source.reading.encoding)


def _from_json(content: bytes | str, encoding: str, source: Source) -> Table:
    try:
        found = _loaded(content)
    except UnicodeDecodeError:
        found, encoding = _loaded_text(*_decoded(_bytes(content), source), source.name)
    except (ValueError, RecursionError) as error:
        raise NotATable(f"{source.name} is no valid JSON ({json_fault(error)}); export it again.") from error
    return table_of_records(found, "JSON", encoding, source.name)


def _bytes(content: bytes | str) -> bytes:
    return content if isinstance(content, bytes) else content.encode(errors="surrogatepass")


def _loaded_text(text: str, encoding: str, name: str) -> tuple[Any, str]:
    try:
        return json.loads(text), encoding
    except (ValueError, RecursionError) as error:
        raise NotATable(f"{name} is no valid JSON ({json_fault(error)}); export it again.") from error


def _loaded(content: bytes | str) -> Any:
    """Return what JSON says, every digit of a long whole number kept.

    Raises:
        ValueError, RecursionError: it is none; UnicodeDecodeError is one that is not in UTF-8.
    """
    raw = _bytes(content)
    if _LONG_NUMBER not in raw.translate(_DIGITS):
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            pass  # the other reader takes NaN and lone surrogates, and says more of a fault
    return json.loads(content.decode("utf-8-sig") if isinstance(content, bytes) else content)


def json_lines_table(source: Source, *, in_utf_8: bool) -> Table:
    """Read one JSON object a line; or one object over several lines, such as {"questions": […]}.

    Raises:
        NoTable: a line is no JSON, or too long.
    """
    if not in_utf_8:
        return _in_other_encoding(source)
    with source.open() as stream:
        return _from_lines(source, _lines(stream, source.name), "UTF-8")


def _lines(stream: BinaryIO, name: str) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise TooLarge(
                f"{name}, line {number:,}, has more than {LONGEST_LINE:,} bytes; write one question a line."
            )
        yield line


def _from_lines(source: Source, lines: Iterable[bytes | str], encoding: str) -> Table:
    records: list[Any] = []
    for number, line in enumerate(lines, start=1):
        check_size(number, 1, source.name)
        if not line.strip():
            records.append({})
            continue
        try:
            records.append(_loaded(line))
        except (ValueError, RecursionError) as error:
            if not any(records) and (whole := _one_object(source, encoding)) is not None:
                return table_of_records(whole, "JSON", encoding, source.name)
            if isinstance(error, UnicodeDecodeError):
                return _in_other_encoding(source)
            raise BrokenRecord(
                f"{source.name}, line {number}, is no valid JSON ({json_fault(error, in_one_line=True)}); "
                "mend that line."
            ) from error
    while records and not records[-1]:
        records.pop()
    return table_of_records(records, "JSON Lines", encoding, source.name)


def _in_other_encoding(source: Source) -> Table:
    text, encoding = _decoded(source.whole(LARGEST_WHOLE), source)
    return _from_lines(source, text.rstrip().split("\n"), encoding)


def _one_object(source: Source, encoding: str) -> list[Any] | None:
    """Return the list inside one JSON object over several lines, such as {"questions": […]}."""
    try:
        content = source.whole(LARGEST_WHOLE)
        whole = _loaded(content if encoding == "UTF-8" else _decoded(content, source)[0])
    except (ValueError, RecursionError, TooLarge):
        return None
    return _listed(whole)


def _listed(whole: dict[str, Any]) -> list[Any]:
    lists = [value for value in whole.values() if isinstance(value, list) and value]
    return lists[0] if len(lists) == 1 and all(isinstance(each, dict) for each in lists[0]) else [whole]


def table_of_records(records: Any, kind: str, encoding: str, name: str, rows_total: int = 0) -> Table:
    """Return the table of a list of objects; `rows_total` is -1 where there are more than these.

    Raises:
        NoTable: it is no list, one of them is no object, or a name cannot be shown.
    """
    if not isinstance(records, list):
        raise NotATable(f"{name} is one JSON value, not a list of questions; write one object a question.")
    check_size(len(records), 1, name)
    columns: dict[str, None] = {}
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise BrokenRecord(
                f"{name}, record {number}, is no object with named fields; write one object a question."
            )
        columns.update(dict.fromkeys(record))
        if len(columns) > MOST_COLUMNS:
            break
    check_columns(list(columns), name)
    return Table(kind, encoding, tuple(columns), records, 1, rows_total or len(records))


def peek_records(beginning: str, encoding: str, name: str, rows: int) -> Table:
    """Return the first rows of JSON of which the beginning is at hand.

    Raises:
        NoTable: the beginning is no such JSON.
    """
    found, kind = _first_lines(beginning.split("\n")[:-1], rows), "JSON Lines"
    if beginning.lstrip().startswith("[") or not found:
        found, kind = _first_objects(beginning, rows + 1), "JSON"
    if not found:
        raise NotATable(f"{name} is no valid JSON in its beginning; export it again.")
    return table_of_records(found[:rows], kind, encoding, name, rows_total=-1)


def _first_lines(lines: list[str], rows: int) -> list[Any]:
    found: list[Any] = []
    for line in lines:
        if len(found) == rows:
            break
        try:
            found.append(_loaded(line) if line.strip() else {})
        except (ValueError, RecursionError):
            return found
    return found


def _first_objects(beginning: str, rows: int) -> list[Any]:
    """Return the first objects of the first list of objects."""
    opening = _LIST_OF_OBJECTS.search(beginning)
    decoder = json.JSONDecoder()
    found: list[Any] = []
    place = opening.end() if opening else -1
    while place >= 0 and len(found) < rows:
        try:
            record, end = decoder.raw_decode(beginning, place)
        except (ValueError, RecursionError):
            break  # cut off where the beginning ends
        found.append(record)
        following = _BETWEEN_OBJECTS.match(beginning, end)
        place = following.end() if following else -1
    return found
