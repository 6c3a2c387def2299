"""Files of questions as tables: what kind of file it is, how it is encoded, and its rows.

The content decides, never the name alone. What is refused is refused before a row is used, and in one
sentence that names the file, the place and the remedy.
"""

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import charset_normalizer
import fastexcel
import polars as pl

from common.core.refusal import Refusal

LARGEST_BYTES = 2 * 1024**3  # unpacked; a file that grows past this while it is read is refused
LONGEST_FIELD = 10_000_000  # characters of one cell
MOST_COLUMNS = 500
MOST_ROWS = 5_000_000
_SNIFFED = 64 * 1024  # characters or bytes by which an encoding is judged
_LEAST_COMMON_SHARE = 0.8  # of the characters beyond ASCII; real text is written in the common ones
_LAST_RECORD = "\x00the end\x00"
_BINARY = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"RIFF": "a picture or a recording",
    b"\xd0\xcf\x11\xe0": "an old or password-protected Office file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"\x7fELF": "a program",
    b"SQLite": "a database",
}


class NoTable(Refusal):
    """A file is no table that can be read; the message says what it is and what to do."""


class EmptyFile(NoTable):
    """A file holds nothing."""


class NotATable(NoTable):
    """A file is of a kind that holds no table, or is damaged beyond reading."""


class TruncatedFile(NoTable):
    """A packed file ends before its content does."""


class TooLarge(NoTable):
    """A file unpacks to more than is allowed, or has too many rows or columns."""


class HeaderOnly(NoTable):
    """A file has column names and no rows."""


class DuplicateColumn(NoTable):
    """Two columns of a file have one name."""


class BrokenRow(NoTable):
    """One row of a file cannot be read, so that no later one can be trusted."""


@dataclass(frozen=True)
class Table:
    """A file's rows with what was found out about it.

    `first_row` is the number that a person sees beside the first row, and each later one has the next:
    an empty row between two others stays, with no cell filled, and only those after the last one go.
    """

    kind: str
    encoding: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    first_row: int
    note: str = ""  # what else the file holds that was not read

    @property
    def rows_total(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def numbered(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each row with its number in the file."""
        return iter(enumerate(self.rows, start=self.first_row))


def open_table(path: Path, name: str = "", *, largest_bytes: int = LARGEST_BYTES) -> Table:
    """Read a file of questions: CSV, TSV, XLSX, JSON, JSON Lines or Parquet, the text ones also gzipped.

    Raises:
        NoTable: with the file's name, what is wrong and what to do; its subclasses say which fault.
        OSError: the file cannot be opened.
    """
    name = name or path.name
    with path.open("rb") as file:
        head = file.read(8)
    _refuse_binary(head, name)
    if head.startswith(b"PK\x03\x04"):
        table = _from_xlsx(path, name, largest_bytes)
    elif head.startswith(b"PAR1"):
        table = _from_parquet(path, name)
    else:
        table = _from_text(_unpacked(path, name, largest_bytes), name)
    _check(table, name)
    return table


def _refuse_binary(head: bytes, name: str) -> None:
    if not head:
        raise EmptyFile(f"{name} is empty; export it again.")
    for beginning, what in _BINARY.items():
        if head.startswith(beginning):
            raise NotATable(f"{name} is {what}, not a table; save it as CSV, XLSX, JSON or Parquet.")


def _check(table: Table, name: str) -> None:
    seen: set[str] = set()
    for column in table.columns:
        if column in seen:
            raise DuplicateColumn(f"{name} has two columns named {column!r}; rename one.")
        if any(character < " " or "\ud800" <= character <= "\udfff" for character in column):
            raise NotATable(
                f"{name} has a column {column!r} with characters that cannot be shown; rename it."
            )
        seen.add(column)
    if not table.rows:
        raise HeaderOnly(f"{name} has a header but no rows; export it again.")
    if len(table.columns) > MOST_COLUMNS:
        raise TooLarge(
            f"{name} has {len(table.columns)} columns, more than {MOST_COLUMNS}; keep those of the questions."
        )


def _unpacked(path: Path, name: str, largest_bytes: int) -> bytes:
    """Return a text file's bytes, unpacked if it is gzipped, and never more than allowed."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            content = (gzip.GzipFile(fileobj=file) if packed else file).read(largest_bytes + 1)
    except EOFError as error:
        raise TruncatedFile(f"{name} ends in the middle of its gzip data; upload it again, whole.") from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise NotATable(f"{name} is a damaged gzip file ({error}); pack it again.") from error
    if len(content) > largest_bytes:
        raise TooLarge(f"{name} unpacks to more than {largest_bytes:,} bytes; split it.")
    if not content.strip():
        raise EmptyFile(f"{name} is empty; export it again.")
    if packed and content.startswith((b"PK\x03\x04", b"PAR1", b"\x1f\x8b")):
        raise NotATable(f"{name} is packed twice; unpack it once and use what is inside.")
    return content


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Return a text with the encoding it was in: UTF-8, UTF-16 or GB18030.

    Other encodings can only be guessed, and a wrong guess puts a wrong letter where nobody looks.

    Raises:
        NotATable: it is no text, one in another encoding, or one in UTF-8 with a damaged place.
    """
    for encoding in _likely_encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_plausible(text, encoding):
            return text, _shown_encoding(encoding)
    if place := _damaged_utf_8(content):
        raise NotATable(f"{name} is UTF-8 but for line {place}, which holds broken bytes; mend that line.")
    found = charset_normalizer.from_bytes(content[:_SNIFFED]).best() if b"\x00" not in content else None
    looks = f"; it looks like {_shown_encoding(found.encoding)}" if found else ""
    raise NotATable(
        f"{name} is no table and no text in UTF-8, UTF-16 or GB18030{looks}; "
        "save it as CSV in UTF-8, or as XLSX."
    )


def _likely_encodings(content: bytes) -> list[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    if b"\x00" in content[:_SNIFFED]:  # ASCII commas and line ends have an empty half in UTF-16
        return ["utf-16-le", "utf-16-be"]
    return ["utf-8-sig", "gb18030"]


def _is_plausible(text: str, encoding: str) -> bool:
    """Tell text from bytes that happen to decode: hardly a control character, mostly common signs."""
    sample = text[:_SNIFFED]
    control = sum(character < " " and character not in "\t\r\n\f\v\x1a" for character in sample)
    if control > len(sample) // 100:
        return False
    beyond = [character for character in sample if character > "\x7f"]
    if encoding.startswith("utf-8") or not beyond:
        return True
    common = len("".join(beyond).encode("gb2312", errors="ignore")) // 2
    return common >= _LEAST_COMMON_SHARE * len(beyond) or (encoding == "utf-16" and control == 0)


def _shown_encoding(encoding: str) -> str:
    name = encoding.upper().replace("_", "-")
    return {"UTF-8-SIG": "UTF-8", "UTF-16-LE": "UTF-16", "UTF-16-BE": "UTF-16"}.get(name, name)


def _damaged_utf_8(content: bytes) -> int:
    """Return the number of the first broken line of what is UTF-8 otherwise, or 0."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    whole = sum(character > "\x7f" for character in text) - broken
    return text[: text.index("\ufffd")].count("\n") + 1 if broken and whole > 10 * broken else 0


def _from_text(content: bytes, name: str) -> Table:
    text, encoding = decoded(content, name)
    beginning = text.lstrip()[:1]
    if not beginning:
        raise EmptyFile(f"{name} is empty; export it again.")
    if beginning == "[":
        return _from_json(text, encoding, name)
    if beginning == "{":
        return _from_json_lines(text, encoding, name)
    if beginning == "<":
        raise NotATable(f"{name} is a web page or XML, not a table; save it as CSV or XLSX.")
    return _from_separated(text, encoding, name)


def _from_json(text: str, encoding: str, name: str) -> Table:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotATable(f"{name} is no valid JSON ({error}); export it again.") from error
    return _from_records(records, "JSON", encoding, name)


def _from_json_lines(text: str, encoding: str, name: str) -> Table:
    records: list[Any] = []
    for number, line in enumerate(text.rstrip().split("\n"), start=1):
        if not line.strip():
            records.append({})
            continue
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            if not any(records) and (whole := _one_object(text)) is not None:
                return _from_records(whole, "JSON", encoding, name)
            raise BrokenRow(f"{name}, line {number}, is no valid JSON ({error}); mend that line.") from error
    return _from_records(records, "JSON Lines", encoding, name)


def _one_object(text: str) -> list[Any] | None:
    """Return the list inside one JSON object over several lines, such as {"questions": […]}."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    lists = [value for value in whole.values() if isinstance(value, list) and value]
    return lists[0] if len(lists) == 1 and all(isinstance(each, dict) for each in lists[0]) else [whole]


def _from_records(records: list[Any], kind: str, encoding: str, name: str) -> Table:
    columns: dict[str, None] = {}
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise BrokenRow(
                f"{name}, record {number}, is no object with named fields; write one object a question."
            )
        columns.update(dict.fromkeys(record))
    return Table(kind, encoding, tuple(columns), records, first_row=1)


def _from_separated(text: str, encoding: str, name: str) -> Table:
    delimiter = _delimiter(text)
    records = list(_separated_records(text, delimiter, name))
    kind = "TSV" if delimiter == "\t" else "CSV"
    return _from_cells(records, kind, encoding, name)


def _separated_records(text: str, delimiter: str, name: str) -> Iterator[list[str]]:
    """Yield the cells of each record, the header's too.

    A quote that is never closed would swallow all that follows into one cell; the record that is put
    at the end then does not come back as it was.
    """
    csv.field_size_limit(LONGEST_FIELD)
    ended = text if text.endswith("\n") else text + "\n"
    reader = csv.reader(io.StringIO(ended + _LAST_RECORD, newline=""), delimiter=delimiter, strict=False)
    began, cells = 1, [""]
    try:
        for cells in reader:
            if cells == [_LAST_RECORD]:
                return
            if not cells or not cells[-1].endswith(_LAST_RECORD):
                yield cells
                began = reader.line_num + 1
    except csv.Error as error:
        raise BrokenRow(f"{name}, line {began}, cannot be read ({error}); check its quotes.") from error
    raise BrokenRow(f"{name}, line {began}, opens a quote that is never closed; close or remove it.")


def _delimiter(text: str) -> str:
    """Return the separator that the header line has most of, outside quotes."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    outside = "".join(header.split('"')[::2])
    return max(",\t;|，", key=lambda mark: (outside.count(mark), mark == ","))


def _from_cells(
    records: Sequence[Sequence[str]], kind: str, encoding: str, name: str, note: str = ""
) -> Table:
    """Return a table of records of cells, the first that is not empty being the header."""
    filled = [place for place, cells in enumerate(records) if any(cell.strip() for cell in cells)]
    if not filled:
        raise EmptyFile(f"{name} is empty; export it again.")
    header = [cell.strip() for cell in records[filled[0]]]
    below = records[filled[0] + 1 : filled[-1] + 1]
    unnamed = {place for place, column in enumerate(header) if not column}
    used = {place for place in unnamed for cells in below if place < len(cells) and cells[place].strip()}
    columns = {
        place: column or f"column {place + 1}"
        for place, column in enumerate(header)
        if place in used or place not in unnamed
    }
    first_row = filled[0] + 2
    rows = []
    for number, cells in enumerate(below, start=first_row):
        if any(cell.strip() for cell in cells[len(header) :]):
            raise BrokenRow(
                f"{name}, row {number}, has {len(cells)} cells under {len(header)} column names; "
                "put quotes around cells that contain the separator."
            )
        rows.append({column: cells[place] for place, column in columns.items() if place < len(cells)})
    return Table(kind, encoding, tuple(columns.values()), rows, first_row, note)


def _from_parquet(path: Path, name: str) -> Table:
    try:
        rows_total = pl.scan_parquet(path).select(pl.len()).collect().item()
        if rows_total > MOST_ROWS:
            raise TooLarge(f"{name} has {rows_total:,} rows, more than {MOST_ROWS:,}; split it.")
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise NotATable(
            f"{name} is a damaged Parquet file ({_first_line(error)}); export it again."
        ) from error
    return Table("Parquet", "UTF-8", tuple(frame.columns), frame.to_dicts(), first_row=1)


def _from_xlsx(path: Path, name: str, largest_bytes: int) -> Table:
    _check_archive(path, name, largest_bytes)
    try:
        workbook = fastexcel.read_excel(path)
        sheets = {
            sheet: workbook.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
            for sheet in workbook.sheet_names
        }
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        raise NotATable(
            f"{name} is no Excel workbook that can be read ({_first_line(error)}); save it as XLSX or CSV."
        ) from error
    filled = [sheet for sheet, frame in sheets.items() if frame.height]
    if not filled:
        raise EmptyFile(f"{name} has no sheet with anything in it; export it again.")
    others = f"Only the sheet {filled[0]!r} was read, not {', '.join(map(repr, filled[1:]))}."
    records = [[cell or "" for cell in row] for row in sheets[filled[0]].iter_rows()]
    return _from_cells(records, "XLSX", "UTF-8", name, others if filled[1:] else "")


def _check_archive(path: Path, name: str, largest_bytes: int) -> None:
    """Refuse a zip file that is no workbook, or that would unpack to more than is allowed."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise TruncatedFile(
            f"{name} is a damaged or cut-off workbook or archive; upload it again."
        ) from error
    if not any(entry.filename.startswith("xl/") for entry in entries):
        raise NotATable(f"{name} is an archive or a document, not a workbook; unpack it, or save it as XLSX.")
    if sum(entry.file_size for entry in entries) > largest_bytes:
        raise TooLarge(f"{name} unpacks to more than {largest_bytes:,} bytes; split it.")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
