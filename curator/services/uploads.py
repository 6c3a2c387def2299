"""A file between its upload and its import, while a person says what its columns mean.

The token in the page's address names the file and is signed, so that a preview can be read again and
shared with nobody; a file that nobody imports is removed after a day.
"""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import User
from curator.models import Pool

KEPT_SECONDS = 24 * 3600
CHUNK = 1024 * 1024
_SALT = "curator.uploads"


@dataclass(frozen=True)
class Upload:
    """A kept file, and the name under which it came."""

    path: Path
    file_name: str


def keep(*, pool: Pool, content: BinaryIO, file_name: str, by: User) -> str:
    """Keep an upload for its preview; return the token that finds it again.

    Raises:
        Refusal: it is too large, or the disk does not take it.
    """
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_old(folder)
        path = folder / secrets.token_hex(16)
        _copy(content, path, file_name)
    except OSError as error:
        raise Refusal(
            _("%(file)s cannot be kept (%(why)s); free the disk.")
            % {"file": file_name, "why": error.strerror}
        ) from error
    named = {"file": path.name, "name": Path(file_name).name[:255], "pool": pool.pk, "by": by.pk}
    return signing.dumps(named, salt=_SALT)


def find(*, pool: Pool, token: str, by: User) -> Upload:
    """Return the upload that a token names, to the person who made it.

    Raises:
        Refusal: it is another's, too old, or imported already.
    """
    gone = Refusal(_("This upload is not there any more; choose the file again."))
    try:
        named: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature as error:
        raise gone from error
    path = _folder() / named["file"]
    if named["pool"] != pool.pk or named["by"] != by.pk or not path.is_file():
        raise gone
    return Upload(path, named["name"])


def drop(*, upload: Upload) -> None:
    """Remove an upload whose import has its own copy."""
    upload.path.unlink(missing_ok=True)


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "previews"


def _forget_old(folder: Path) -> None:
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - KEPT_SECONDS:
            path.unlink(missing_ok=True)


def _copy(content: BinaryIO, path: Path, file_name: str) -> None:
    size = 0
    try:
        with path.open("xb") as kept:
            while chunk := content.read(CHUNK):
                size += len(chunk)
                if size > settings.MAX_UPLOAD_BYTES:
                    raise Refusal(
                        _("%(file)s is larger than %(most)s bytes; split it.")
                        % {"file": file_name, "most": settings.MAX_UPLOAD_BYTES}
                    )
                kept.write(chunk)
    except (OSError, Refusal):
        path.unlink(missing_ok=True)
        raise
