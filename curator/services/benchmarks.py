"""Held-out questions: read once, frozen, and held against every pool."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.models import Project
from curator import readers
from curator.core.dataset import dataset_hash
from curator.core.rows import QuestionRow, Rejected, full_mapping, read_row
from curator.models import Benchmark, BenchmarkItem
from curator.readers.reading import AS_FOUND, Reading
from curator.services import leaks
from curator.services.pools import remember
from curator.services.uploads import Upload, drop


@dataclass(frozen=True)
class BenchmarkReport:
    """What became of a benchmark's file."""

    benchmark: Benchmark
    items: int
    leaks: int


@transaction.atomic
def import_benchmark(
    *,
    project: Project,
    path: Path,
    name: str,
    licence: str = "",
    file_name: str = "",
    is_exam: bool = False,
    mapping: Mapping[str, str] | None = None,
    reading: Reading = AS_FOUND,
) -> BenchmarkReport:
    """Read a benchmark and find what of it has leaked into the pools; of an archive, every table.

    Every item needs a key, unless it `is_exam`: held out of training, but never scored. `mapping` says which
    column holds which field, where the columns' names do not; `reading` how the file is written. Of an archive
    the mapping holds for each table as far as it has the columns.

    Raises:
        Refusal: no table, a row that is no question, a row without a key, or the name is taken or none.
    """
    file_name = (file_name or path.name)[:255]
    checked(Benchmark(name=name, licence=licence), "name", "licence")
    if Benchmark.objects.filter(project=project, name=name).exists():
        raise Refusal(_("There is a benchmark named %(name)s already; choose another name.") % {"name": name})
    rows = _items(_read(path, file_name, mapping or {}, reading), file_name, needs_keys=not is_exam)
    benchmark: Benchmark = Benchmark.objects.create(
        project=project,
        name=name,
        licence=licence,
        file_name=file_name,
        is_exam=is_exam,
        content_hash=dataset_hash({"id": row.content_hash, "key": row.key} for row in rows),
    )
    BenchmarkItem.objects.bulk_create(
        [_item(benchmark, position, row) for position, row in enumerate(rows)], batch_size=1000
    )
    return BenchmarkReport(benchmark, len(rows), leaks.find_for_benchmark(benchmark))


@transaction.atomic
def confirm_upload(
    *,
    project: Project,
    upload: Upload,
    columns: Sequence[str],
    mapping: Mapping[str, str],
    reading: Reading,
    **about: Any,
) -> BenchmarkReport:
    """Read in an upload that a person has looked at, and remember what they said of it.

    `about` holds the benchmark's name, licence and whether it is_exam.

    Raises:
        Refusal: as `import_benchmark` does.
    """
    report = import_benchmark(
        project=project,
        path=upload.path,
        file_name=upload.file_name,
        mapping=mapping,
        reading=reading,
        **about,
    )
    remember(project=project, upload=upload, columns=columns, mapping=mapping, reading=reading)
    transaction.on_commit(lambda: drop(upload=upload))
    return report


def _read(
    path: Path, file_name: str, given: Mapping[str, str], reading: Reading
) -> Iterator[QuestionRow | Rejected]:
    """Yield every row of a file, or of the tables of an archive, in their order."""
    members = readers.members(path, file_name)
    for member in members:
        table = readers.open_table(path, file_name, member=member, reading=reading)
        known = {field: column for field, column in given.items() if column in ("", *table.columns)}
        mapping = full_mapping(table.columns, given if len(members) == 1 else known)
        for number, record in table.numbered():
            yield read_row(record, mapping, number)


def _items(read: Iterable[QuestionRow | Rejected], file_name: str, *, needs_keys: bool) -> list[QuestionRow]:
    """Return a file's questions; the same one twice counts once."""
    rows: dict[str, QuestionRow] = {}
    for row in read:
        if isinstance(row, Rejected):
            raise Refusal(
                _("%(file)s, row %(row)s, column %(column)s: %(reason)s")
                % {"file": file_name, "row": row.row_number, "column": row.column, "reason": row.reason}
            )
        if needs_keys and not row.key:
            raise Refusal(
                _(
                    "%(file)s, row %(row)s, has no key; give it one, or read the file as an exam, which is not scored."
                )
                % {"file": file_name, "row": row.row_number}
            )
        rows.setdefault(row.content_hash, row)
    return list(rows.values())


def _item(benchmark: Benchmark, position: int, row: QuestionRow) -> BenchmarkItem:
    return BenchmarkItem(
        benchmark=benchmark,
        position=position,
        content_hash=row.content_hash,
        external_id=row.external_id,
        text=row.text,
        options=list(row.options),
        key=row.key,
        marks=row.marks,
        language=row.language,
        domain=row.domain,
    )
