"""Pools and their questions: files read in, keys filled, questions pinned or banned."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.utils import validate_file_name
from django.db import connection, transaction
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.core.text import neutralise
from common.jobs import Pulse, Watch, carried, unwatched
from common.models import Project, User
from curator import readers
from curator.core.rows import QuestionRow, Rejected, full_mapping, read_row
from curator.models import (
    Attempt,
    CopyRuling,
    Domain,
    DomainSource,
    Import,
    Pool,
    Question,
    RowReport,
    Standing,
    Trace,
)
from curator.services import leaks, marking

SHOWN_TEXT = 200
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
) -> Import:
    """Keep a file and queue its reading. A file that was read into the pool before is refused.

    Raises:
        Refusal: the file is too large or there already, or the disk does not take it.
    """
    file_name = str(validate_file_name(Path(file_name).name or "upload"))[:255]
    path, digest = _kept(content, file_name)
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
        created_by=by,
    )
    return job


def _kept(content: BinaryIO | Path, file_name: str) -> tuple[Path, str]:
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


@dataclass
class _Sorted:
    """A file's rows, sorted into what becomes of them."""

    new: list[QuestionRow] = field(default_factory=list)
    duplicates: list[QuestionRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def run_import(*, job: Import, watch: Watch = unwatched) -> None:
    """Read the file, then write all of it in one transaction, or nothing.

    Raises:
        AlreadyClaimed: another worker has it.
        Refusal: the file is no table, or has no column of questions.
    """
    with carried(job):
        if job.reports.exists() or job.questions.exists():
            return  # written by a worker that died before it could say so
        table = readers.open_table(Path(job.file_path), job.file_name)
        mapping = full_mapping(table.columns, job.mapping)
        rows = list(_read(table, mapping, Pulse(job, watch)))
        with transaction.atomic():
            _write(job, rows)
            job.mapping, job.encoding = mapping, table.encoding
            job.save(update_fields=["mapping", "encoding"])
        Path(job.file_path).unlink(missing_ok=True)


def _read(table: readers.Table, mapping: Mapping[str, str], pulse: Pulse) -> Iterator[QuestionRow | Rejected]:
    for number, row in enumerate(table.rows, start=table.first_row):
        yield read_row(row, mapping, number)
        if number % 1000 == 0:
            pulse(number, len(table.rows))
    pulse(len(table.rows), len(table.rows))


def _write(job: Import, rows: list[QuestionRow | Rejected]) -> None:
    """Store new questions, and a report of every row that became none."""
    project = Project.objects.select_for_update().get(pk=job.pool.project_id)  # one import at a time
    known = set(Question.objects.filter(project=project).values_list("content_hash", flat=True))
    sorted_rows = _sort(rows, known)
    _copy_questions(job, sorted_rows.new, _domains(project, sorted_rows.new))
    _report(job, sorted_rows)
    job.rows_read, job.rows_imported = len(rows), len(sorted_rows.new)
    job.rows_duplicate, job.rows_rejected = len(sorted_rows.duplicates), len(sorted_rows.rejected)
    job.rows_without_key = sum(not row.key for row in sorted_rows.new)
    job.save(
        update_fields=["rows_read", "rows_imported", "rows_duplicate", "rows_rejected", "rows_without_key"]
    )
    leaks.find_in_import(job)


def _sort(rows: list[QuestionRow | Rejected], known: set[str]) -> _Sorted:
    outcome = _Sorted()
    for row in rows:
        if isinstance(row, Rejected):
            outcome.rejected.append(row)
        elif row.content_hash in known:
            outcome.duplicates.append(row)
        else:
            known.add(row.content_hash)
            outcome.new.append(row)
    return outcome


def _domains(project: Project, rows: list[QuestionRow]) -> dict[str, int]:
    """Return the keys of the domains that rows name, by code; unknown ones join the taxonomy."""
    named = {row.domain for row in rows if row.domain}
    by_name = {name: code for code, name in project.domains.values_list("code", "name")}
    codes = {code for code in named if code not in by_name}
    Domain.objects.bulk_create(
        [Domain(project=project, code=code[:100], name=code) for code in sorted(codes)], ignore_conflicts=True
    )
    keys: dict[str, int] = dict(project.domains.values_list("code", "pk"))
    return {name: keys[by_name.get(name, name[:100])] for name in named}


_COLUMNS = (
    "project_id, pool_id, imported_by_id, content_hash, external_id, text, options, key, solution, marks, "
    "language, domain_id, domain_source, tags, copy_ruling, standing, neutralised, created_at, changed_at"
)


def _copy_questions(job: Import, rows: list[QuestionRow], domains: Mapping[str, int]) -> None:
    now = timezone.now()
    with connection.cursor() as cursor, cursor.copy(f"copy curator_question ({_COLUMNS}) from stdin") as copy:
        for row in rows:
            copy.write_row(
                (
                    job.pool.project_id,
                    job.pool_id,
                    job.pk,
                    row.content_hash,
                    row.external_id,
                    row.text,
                    list(row.options),
                    row.key,
                    row.solution,
                    row.marks,
                    row.language,
                    domains.get(row.domain),
                    DomainSource.FILE.value if row.domain else "",
                    [],
                    CopyRuling.OPEN.value,
                    Standing.OPEN.value,
                    row.neutralised,
                    now,
                    now,
                )
            )


def _report(job: Import, rows: _Sorted) -> None:
    hashes = {row.content_hash for row in rows.duplicates}
    originals = dict(
        Question.objects.filter(project=job.pool.project_id, content_hash__in=hashes).values_list(
            "content_hash", "pk"
        )
    )
    reports = [
        RowReport(
            imported_by=job,
            kind=RowReport.Kind.REJECTED,
            row_number=row.row_number,
            column=row.column[:200],
            reason=row.reason,
            text=neutralise(row.text)[0],
        )
        for row in rows.rejected
    ] + [
        RowReport(
            imported_by=job,
            kind=RowReport.Kind.DUPLICATE,
            row_number=row.row_number,
            reason=_("The same question is there already."),
            text=row.text[:SHOWN_TEXT],
            duplicate_of_id=originals[row.content_hash],
        )
        for row in rows.duplicates
    ]
    RowReport.objects.bulk_create(reports, batch_size=2000)


@transaction.atomic
def undo_import(*, job: Import) -> None:
    """Take back what an import added.

    Raises:
        Refusal: traces, attempts or selections depend on its questions.
    """
    questions = Question.objects.filter(imported_by=job)
    if (
        Trace.objects.filter(question__in=questions).exists()
        or Attempt.objects.filter(question__in=questions).exists()
    ):
        raise Refusal(
            _("Models have answered questions of %(file)s; it cannot be undone any more.")
            % {"file": job.file_name}
        )
    if questions.filter(decisions__isnull=False).exists():
        raise Refusal(
            _("A selection names questions of %(file)s; it cannot be undone any more.")
            % {"file": job.file_name}
        )
    if job.is_active:
        raise Refusal(_("%(file)s is being read; cancel that first.") % {"file": job.file_name})
    job.delete()


@transaction.atomic
def set_key(*, question: Question, key: str) -> None:
    """Give a question its key, and mark its traces and attempts anew."""
    clean, _changed = neutralise(key.strip())
    question.key = clean
    question.save(update_fields=["key"])
    marking.mark_again(question)


def set_standing(*, question: Question, standing: str) -> None:
    """Pin a question, ban it, or leave it to the criteria."""
    question.standing = Standing(standing)
    question.save(update_fields=["standing"])


def summary(job: Import) -> dict[str, Any]:
    """Return what an import did, as its command and page report it."""
    return {
        "read": job.rows_read,
        "imported": job.rows_imported,
        "duplicates": job.rows_duplicate,
        "rejected": job.rows_rejected,
        "needs_key": job.rows_without_key,
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
