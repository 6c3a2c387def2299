"""Files that appear under their name only when they are whole and on the disk."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside a path, then put it in the path's place."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    part = Path(name)
    try:
        write(part)
        _settle(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def replace_folder(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a folder beside a path, then put it in the path's place; the one there goes last."""
    part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    old = part.with_name(f"{part.name}.old")
    try:
        write(part)
        for file in files_in(part):
            _settle(file)
        part.chmod(0o755)
        if path.exists():
            path.rename(old)
        part.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _settle(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.fchmod(opened.fileno(), 0o644)


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder and of the folders in it, in order."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in 64 hex digits, as `sha256sum` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
