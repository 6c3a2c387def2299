"""Pools and the files on their way into them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.utils import validate_file_name
from django.db import transaction
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.models import Project, User
from curator.models import Import, Pool, RememberedMapping, RowReport
from curator.queries.pools import columns_hash, get_columns
from curator.readers import AS_FOUND, Reading
from curator.services.uploads import Upload, drop

CHUNK = 1024 * 1024


def create_pool(*, project: Project, name: str, licence: str, provenance: str = "") -> Pool:
    """Make a pool.

    Raises:
        Refusal: no name, no licence, either is too long, or a pool of that name is there.
    """
    if not name.strip() or not licence.strip():
        raise Refusal(_("A pool needs a name and a licence; write “unknown” if you do not know the licence."))
    checked(Pool(name=name.strip(), licence=licence.strip()), "name", "licence")
    pool, made = Pool.objects.get_or_create(
        project=project, name=name.strip(), defaults={"licence": licence.strip(), "provenance": provenance}
    )
    if not made:
        raise Refusal(_("There is a pool named %(name)s already; choose another name.") % {"name": name})
    return pool


def start_import(
    *,
    pool: Pool,
    content: BinaryIO | Path,
    file_name: str,
    mapping: Mapping[str, str] | None,
    by: User | None,
    reading: Reading = AS_FOUND,
) -> Import:
    """Keep a file and queue its reading. A file that was read into the pool before is refused.

    Raises:
        Refusal: the file is too large or there already, or the disk does not take it.
    """
    file_name = str(validate_file_name(Path(file_name).name or "upload"))[:255]
    path, digest = keep_file(content, file_name)
    earlier = pool.imports.filter(file_hash=digest, state="succeeded").first()
    if earlier is not None:
        path.unlink()
        raise Refusal(
            _("%(file)s was read into this pool on %(date)s already; nothing was added.")
            % {"file": file_name, "date": f"{earlier.created_at:%Y-%m-%d}"}
        )
    job: Import = Import.objects.create(
        pool=pool,
        file_name=file_name,
        file_path=str(path),
        file_hash=digest,
        mapping=dict(mapping or {}),
        reading=reading.given(),
        created_by=by,
    )
    return job


@transaction.atomic
def confirm_upload(
    *,
    pool: Pool,
    upload: Upload,
    columns: Sequence[str],
    mapping: Mapping[str, str],
    by: User,
    reading: Reading = AS_FOUND,
) -> Import:
    """Queue the reading of an upload that a person has looked at, and remember what they said of it.

    Raises:
        Refusal: the file was read into the pool before, or the disk does not take it.
    """
    remember(project=pool.project, upload=upload, columns=columns, mapping=mapping, reading=reading)
    job = start_import(
        pool=pool,
        content=upload.path,
        file_name=upload.file_name,
        mapping=mapping,
        by=by,
        reading=reading,
    )
    transaction.on_commit(lambda: drop(upload=upload))
    return job


@transaction.atomic
def remember(
    *, project: Project, upload: Upload, columns: Sequence[str], mapping: Mapping[str, str], reading: Reading
) -> None:
    """Keep what a person said of a file's columns and of how it is written, for the next one like it."""
    as_found = get_columns(upload.path, upload.file_name) if reading.given() else columns
    _remember(project, columns, mapping=dict(mapping))
    if as_found is not None:
        _remember(project, as_found, reading=reading.given())


def _remember(project: Project, columns: Sequence[str], **said: Mapping[str, Any]) -> None:
    RememberedMapping.objects.update_or_create(
        project=project, columns_hash=columns_hash(columns), defaults=said
    )


def keep_file(content: BinaryIO | Path, file_name: str) -> tuple[Path, str]:
    """Copy an upload to where workers find it; return the place and the hash."""
    try:
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        source = content.open("rb") if isinstance(content, Path) else content
    except OSError as error:
        raise Refusal(
            _("%(file)s cannot be opened (%(why)s).") % {"file": error.filename, "why": error.strerror}
        ) from error
    path = Path(settings.MEDIA_ROOT) / f"{timezone.now():%Y%m%d%H%M%S%f}"
    digest, size = hashlib.sha256(), 0
    try:
        with source, path.open("xb") as kept:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > settings.MAX_UPLOAD_BYTES:
                    raise Refusal(
                        _("%(file)s is larger than %(most)s bytes; split it.")
                        % {"file": file_name, "most": settings.MAX_UPLOAD_BYTES}
                    )
                digest.update(chunk)
                kept.write(chunk)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Refusal(
            _("%(file)s cannot be kept (%(why)s); free the disk.")
            % {"file": file_name, "why": error.strerror}
        ) from error
    except Refusal:
        path.unlink(missing_ok=True)
        raise
    return path, digest.hexdigest()


def summary(job: Import) -> dict[str, Any]:
    """Return what an import did, as its command and page report it."""
    return {
        "read": job.rows_read,
        "imported": job.rows_imported,
        "duplicates": job.rows_duplicate,
        "rejected": job.rows_rejected,
        "needs_key": job.rows_without_key,
        "filled": job.rows_filled,
        "conflicts": job.reports.filter(kind=RowReport.Kind.CONFLICT).count(),
        "neutralised": job.rows_neutralised,
        "unused_columns": job.unused_columns,
    }


def reasons(job: Import) -> list[dict[str, Any]]:
    """Return why rows were rejected, each reason with its count and the first row it stands for."""
    rows = (
        job.reports.filter(kind=RowReport.Kind.REJECTED)
        .values("column", "reason")
        .annotate(rows=Count("pk"), first_row=Min("row_number"))
        .order_by("-rows")[:50]
    )
    return list(rows)


def drop_if_empty(*, pool: Pool) -> None:
    """Remove a pool into which nothing was ever read, so that a refused first file leaves nothing."""
    tries = list(pool.imports.all())
    if pool.questions.exists() or any(job.state not in ("failed", "cancelled") for job in tries):
        return
    pool.delete()
    for job in tries:
        Path(job.file_path).unlink(missing_ok=True)
