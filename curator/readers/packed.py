"""The bytes of a file, or of one file in a packed one, unpacked as far as is allowed and no further."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Protocol, cast

from curator.readers.faults import (
    LOOSE_BYTES,
    TIGHTEST,
    EmptyFile,
    NotATable,
    SeveralTables,
    TooLarge,
    TruncatedFile,
)
from curator.readers.reading import AS_FOUND, Reading

MOST_MEMBERS = 1000
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".jsonl", ".ndjson", ".parquet", ".gz")
_UTF_8_NAMES = 0x800
_ENCRYPTED = 0x1
_HEAD_BYTES = 512
_COMPOUND = (
    b"\xd0\xcf\x11\xe0"  # what an Office file was before XLSX, and what a locked one is still packed in
)
_LOCKED_STREAM = "EncryptedPackage".encode("utf-16-le")
_LARGEST_SECTOR_SHIFT, _FARTHEST_DIRECTORY = 12, 64 * 1024 * 1024
_BINARY = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"RIFF": "a picture or a recording",
    _COMPOUND: "an old Office file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"\x7fELF": "a program",
    b"SQLite": "a database",
}


class Readable(Protocol):
    """What bytes are read from."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill a buffer as far as possible, and return how far."""


@dataclass(frozen=True)
class Source:
    """Where the bytes of a table come from and how to read them; `name` is how a person knows it."""

    path: Path
    name: str
    largest_bytes: int
    member: zipfile.ZipInfo | None = None
    reading: Reading = AS_FOUND

    @property
    def is_packed(self) -> bool:
        """Tell whether the table is inside another file."""
        if self.member:
            return True
        with self.path.open("rb") as file:
            return file.read(2) == _GZIP

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the table's bytes for reading, unpacked.

        Raises:
            TooLarge, TruncatedFile, NotATable: while it is read.
        """
        with self.path.open("rb") as file:
            if self.member:
                with _archive(file, self.name) as archive, _member(archive, self.member, self.name) as inner:
                    yield self._guarded(cast("Readable", inner), self.member.compress_size)
            else:
                yield self._guarded(file, self.path.stat().st_size)

    def _guarded(self, file: Readable, packed_bytes: int) -> BinaryIO:
        outer = io.BufferedReader(_Guarded(file, self, packed_bytes), 64 * 1024)
        if outer.peek(2)[:2] != _GZIP:
            return cast("BinaryIO", outer)
        inner = io.BufferedReader(_Guarded(gzip.GzipFile(fileobj=outer), self, packed_bytes), 64 * 1024)
        if inner.peek(2)[:2] == _GZIP:
            raise NotATable(f"{self.name} is packed twice; unpack it once and use what is inside.")
        return cast("BinaryIO", inner)

    def head(self, size: int) -> bytes:
        """Return the first bytes."""
        with self.open() as file:
            return file.read(size)

    def whole(self, most: int) -> bytes:
        """Return all bytes.

        Raises:
            TooLarge: there are more than can be held at once.
        """
        most = min(most, self.largest_bytes)
        with self.open() as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise TooLarge(f"{self.name} has more than {most:,} bytes, too many for its kind; split it.")
        return content


class _Guarded(io.RawIOBase):
    """A stream that stops where a file unpacks to too much, and says what is wrong with a damaged one."""

    def __init__(self, file: Readable, source: Source, packed_bytes: int) -> None:
        self.file, self.source = file, source
        self.read_bytes, self.tightest = 0, max(LOOSE_BYTES, TIGHTEST * packed_bytes)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read some bytes."""
        name, largest = self.source.name, self.source.largest_bytes
        try:
            size = self.file.readinto(buffer)
        except EOFError as error:
            raise TruncatedFile(
                f"{name} ends in the middle of its packed data; upload it again, whole."
            ) from error
        except (zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise NotATable(f"{name} is a damaged packed file; pack it again.") from error
        self.read_bytes += size
        if self.read_bytes > largest:
            raise TooLarge(f"{name} unpacks to more than {largest:,} bytes; split it.")
        if self.read_bytes > self.tightest:
            raise TooLarge(
                f"{name} unpacks to more than {TIGHTEST} times its size, as no table does; upload it unpacked."
            )
        return size


def members(path: Path, name: str = "") -> tuple[str, ...]:
    """Return the names of the tables in an archive; one empty name for a file that is no archive.

    Raises:
        NoTable: the archive is damaged, or holds no table, or what cannot be trusted.
    """
    name = name or path.name
    if not _is_zip(path, name):
        return ("",)
    with path.open("rb") as file, _archive(file, name) as archive:
        return ("",) if _is_workbook(archive) else tuple(_tables(archive, name))


def source_of(path: Path, name: str, member: str, largest_bytes: int) -> Source:
    """Return where a table's bytes are: in a file, or in the member of an archive that is asked for.

    Raises:
        NoTable: there is no such member, or several and none was asked for.
    """
    name = name or path.name
    whole = Source(path, name, largest_bytes)
    if not _is_zip(path, name):
        return whole
    with path.open("rb") as file, _archive(file, name) as archive:
        if _is_workbook(archive):
            return whole
        tables = _tables(archive, name)
    if member not in tables and (member or len(tables) > 1):
        chosen = f"no table {member!r}" if member else f"{len(tables)} tables"
        raise SeveralTables(f"{name} holds {chosen}; choose one of {', '.join(tables)[:500]}.")
    found, entry = (member, tables[member]) if member else next(iter(tables.items()))
    if entry.file_size > largest_bytes:
        raise TooLarge(f"{name} unpacks to more than {largest_bytes:,} bytes; split it.")
    return Source(path, f"{name}, {found}", largest_bytes, entry)


def head_of_table(source: Source) -> bytes:
    """Return the first bytes of what may be a table; what is known by them to be none is refused.

    Raises:
        EmptyFile, NotATable: with what it is.
    """
    head, name = source.head(_HEAD_BYTES), source.name
    if not head:
        raise EmptyFile(f"{name} is empty; export it again.")
    if head.startswith(_COMPOUND) and _is_locked(source, head):
        raise NotATable(f"{name} is locked with a password; save it without one.")
    for beginning, what in _BINARY.items():
        if head.startswith(beginning):
            raise NotATable(f"{name} is {what}, not a table; save it as CSV, XLSX, JSON or Parquet.")
    if head[257:262] == b"ustar":
        raise NotATable(f"{name} is a tar archive, not a table; pack the tables as .zip, or each as .gz.")
    return head


def _is_locked(source: Source, head: bytes) -> bool:
    """Tell whether a compound file holds an encrypted workbook, as the names in its first directory sector say.

    Source: Microsoft's MS-CFB (the header's fields) and MS-OFFCRYPTO (the stream's name).
    """
    shift, sector = int.from_bytes(head[30:32], "little"), int.from_bytes(head[48:52], "little")
    start = (sector + 1) << min(shift, _LARGEST_SECTOR_SHIFT)
    if start > _FARTHEST_DIRECTORY:
        return False
    return _LOCKED_STREAM in source.head(start + (1 << _LARGEST_SECTOR_SHIFT))[start:]


def _is_zip(path: Path, name: str) -> bool:
    if path.is_dir():
        raise NotATable(f"{name} is a folder, not a file; choose the files in it.")
    with path.open("rb") as file:
        return file.read(4) == _ZIP


@contextmanager
def _archive(file: IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise TruncatedFile(
            f"{name} is a damaged or cut-off workbook or archive; upload it again."
        ) from error
    with archive:
        yield archive


@contextmanager
def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Iterator[IO[bytes]]:
    if entry.flag_bits & _ENCRYPTED:
        raise NotATable(f"{name} is locked with a password; pack it without one.")
    try:
        file = archive.open(entry)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
        struct.error,
    ) as error:
        raise NotATable(f"{name} cannot be unpacked; pack it again as a plain .zip.") from error
    with file:
        yield file


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    return any(entry.filename.startswith("xl/") for entry in archive.infolist())


def _tables(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the tables of an archive by their names."""
    entries = archive.infolist()
    if len(entries) > MOST_MEMBERS:
        raise TooLarge(f"{name} holds {len(entries):,} files, more than {MOST_MEMBERS:,}; split it.")
    tables: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        shown = _shown_name(entry)
        parts = PurePosixPath(shown).parts
        if ".." in parts or shown.startswith(("/", "\\")) or shown[1:2] == ":" or not shown.isprintable():
            raise NotATable(f"{name} holds a file named {shown!r}, which points outside it; pack it again.")
        if entry.is_dir() or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        if shown.lower().endswith(_TABLES):
            tables[shown] = entry
    if not tables:
        raise NotATable(
            f"{name} is an archive or a document, not a workbook, and holds no table; "
            "unpack it, or save it as XLSX."
        )
    return tables


def _shown_name(entry: zipfile.ZipInfo) -> str:
    """Return a member's name; Chinese Windows writes it in GBK and does not say so."""
    if entry.flag_bits & _UTF_8_NAMES:
        return entry.filename
    raw = entry.filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename
