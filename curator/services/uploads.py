"""Files between their upload and their import, while a person says what their columns mean.

Each lies beside a note that says whose it is and under what name it came, so that several can wait their
turn and none is lost with the browser. The address of a preview names the file by a signed token. A file
that nobody reads in is removed after a day; one whose import failed is kept for a week, to be tried again.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core import signing
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.jobs import JobState
from common.models import Project, User
from curator import readers
from curator.models import Import, Pool, TraceImport
from curator.readers.packed import source_of

KEPT_SECONDS = 24 * 3600
KEPT_AFTER_FAILURE = timedelta(days=7)
CHUNK = 1024 * 1024
_SALT = "curator.uploads"
_NOTE = ".json"


@dataclass(frozen=True)
class Upload:
    """A kept file, the name under which it came, and the token that finds it again.

    One that `is_aside` cannot be read as it is; it has an address, and does not wait with the others.
    """

    path: Path
    file_name: str
    token: str
    is_aside: bool = False


@dataclass(frozen=True)
class ForBenchmark:
    """Where a file goes that is to become a benchmark of a project."""

    project: Project


Place = Pool | Project | ForBenchmark  # of questions, of traces, of held-out questions


def keep(*, pool: Place, content: BinaryIO, file_name: str, by: User) -> list[Upload]:
    """Keep an upload for its preview; an archive of several tables becomes an upload for each.

    One benchmark may be several tables, so that their archive stays whole.

    Raises:
        Refusal: it is too large or damaged, or the disk does not take it.
    """
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / secrets.token_hex(16)
        _copy(content, path, file_name)
        is_whole = isinstance(pool, ForBenchmark)
        inside = [(path, Path(file_name).name or "upload")] if is_whole else _unpacked(path, file_name)
        for kept, name in inside:
            _write_note(kept, {"pool": _place(pool), "by": by.pk, "name": name[-255:]})
    except OSError as error:
        raise Refusal(
            _("%(file)s cannot be kept (%(why)s); free the disk.")
            % {"file": file_name, "why": error.strerror}
        ) from error
    return [Upload(kept, name, _token(kept)) for kept, name in inside]


def waiting(*, pool: Place, by: User) -> list[Upload]:
    """Return the uploads of a person that wait to be looked at, the first that came first."""
    notes = sorted(_folder().glob(f"*{_NOTE}"), key=lambda note: (note.stat().st_mtime_ns, note.name))
    found = (_noted(note, pool, by) for note in notes)
    return [upload for upload in found if upload is not None and not upload.is_aside]


def find(*, pool: Place, token: str, by: User) -> Upload:
    """Return the upload that a token names, to the person who made it.

    Raises:
        Refusal: it is another's, too old, or imported already.
    """
    gone = Refusal(_("This upload is not there any more; choose the file again."))
    try:
        name = signing.loads(token, salt=_SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature as error:
        raise gone from error
    found = _noted((_folder() / str(name)).with_suffix(_NOTE), pool, by)
    if found is None:
        raise gone
    return found


def set_aside(*, upload: Upload) -> None:
    """Let an upload that cannot be read as it is wait no longer; its address still shows it."""
    said = json.loads(upload.path.with_suffix(_NOTE).read_text(encoding="utf-8"))
    _write_note(upload.path, {**said, "aside": True})


def drop(*, upload: Upload) -> None:
    """Remove an upload that was read in, or that nobody wants."""
    upload.path.unlink(missing_ok=True)
    upload.path.with_suffix(_NOTE).unlink(missing_ok=True)


def forget_old(*, now: datetime) -> int:
    """Remove previews after a day, and the files of imports that failed after a week; return how many."""
    oldest = now.timestamp() - KEPT_SECONDS
    old = [path for path in _folder().glob("*") if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    ended = [*_long_ended(Import, now), *_long_ended(TraceImport, now)]
    for job in ended:
        Path(job.file_path).unlink(missing_ok=True)
        job.file_path = ""
        job.save(update_fields=["file_path"])
    return len(old) + len(ended)


def _long_ended(kind: type[Import] | type[TraceImport], now: datetime) -> QuerySet[Any]:
    """Return the imports that failed or were cancelled a week ago, and whose files are still kept."""
    return kind.objects.filter(
        state__in=[JobState.FAILED, JobState.CANCELLED], finished_at__lt=now - KEPT_AFTER_FAILURE
    ).exclude(file_path="")


@contextmanager
def unpacked(path: Path, file_name: str) -> Iterator[list[tuple[Path, str]]]:
    """Yield the tables of a file with their names: itself, or those of an archive, for as long as needed.

    Raises:
        Refusal: the archive is damaged, protected or too large.
    """
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    found = _tables_apart(path, file_name, folder)
    try:
        yield found or [(path, file_name)]
    finally:
        for apart, _name in found:
            apart.unlink(missing_ok=True)


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "previews"


def _place(pool: Place) -> int | str:
    """Return by what a note names the pool of its questions, or the project of its traces or benchmark."""
    if isinstance(pool, ForBenchmark):
        return f"benchmark of {pool.project.pk}"
    return pool.pk if isinstance(pool, Pool) else f"traces of {pool.pk}"


def _token(path: Path) -> str:
    return signing.dumps(path.name, salt=_SALT)


def _write_note(path: Path, said: dict[str, Any]) -> None:
    path.with_suffix(_NOTE).write_text(json.dumps(said), encoding="utf-8")


def _noted(note: Path, pool: Place, by: User) -> Upload | None:
    """Return the upload that a note is of, if it is this person's, for this pool, and there."""
    path = note.with_suffix("")
    if not note.is_file() or not path.is_file():
        return None
    said = json.loads(note.read_text(encoding="utf-8"))
    if (said["pool"], said["by"]) != (_place(pool), by.pk):
        return None
    return Upload(path, said["name"], _token(path), is_aside=said.get("aside", False))


def _unpacked(path: Path, file_name: str) -> list[tuple[Path, str]]:
    """Return a kept file, or in its place those that an archive of several tables holds."""
    try:
        found = _tables_apart(path, file_name, path.parent)
    except Refusal:
        path.unlink()
        raise
    if found:
        path.unlink()
    return found or [(path, Path(file_name).name or "upload")]


def _tables_apart(path: Path, file_name: str, folder: Path) -> list[tuple[Path, str]]:
    """Unpack the tables of an archive into a folder; return none for what holds one, or is one itself."""
    names = readers.members(path, file_name)
    if len(names) < 2:
        return []
    made: list[tuple[Path, str]] = []
    left = settings.MAX_UPLOAD_BYTES
    try:
        for name in names:
            made.append((folder / secrets.token_hex(16), Path(name).name))
            with source_of(path, file_name, name, settings.MAX_UPLOAD_BYTES).open() as content:
                left -= _copy(content, made[-1][0], file_name, left)
    except BaseException:
        for apart, _name in made:
            apart.unlink(missing_ok=True)
        raise
    return made


def _copy(content: BinaryIO, path: Path, file_name: str, most: int | None = None) -> int:
    """Write what is read to a new file and return its size; leave none that is too large."""
    most = settings.MAX_UPLOAD_BYTES if most is None else most
    size = 0
    try:
        with path.open("xb") as kept:
            while chunk := content.read(CHUNK):
                size += len(chunk)
                if size > most:
                    raise Refusal(
                        _("%(file)s is larger than %(most)s bytes; split it.")
                        % {"file": file_name, "most": settings.MAX_UPLOAD_BYTES}
                    )
                kept.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size
