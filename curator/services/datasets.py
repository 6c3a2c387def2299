"""Freeze a selection as reviewed, and write it to files."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from zipfile import ZIP_STORED, ZipFile

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.checks import checked
from common.core.refusal import Refusal
from common.models import User
from curator import exports, queries
from curator.core.card import readme
from curator.core.dataset import canonical_line, evened, hash_of_lines
from curator.core.licences import Condition, Purpose, Source
from curator.models import Dataset, Decision, Selection, Trace
from curator.services import reviews
from curator.services.cards import card_of

FORMATS = exports.FORMATS
ROWS_AT_ONCE = 50  # of a cursor that the server holds; one may have a text of megabytes
_NAMED_IN_REFUSAL = 5


@transaction.atomic
def freeze(*, selection: Selection, name: str = "", by: User | None) -> Dataset:
    """Copy a selection's members, as reviewed, into an immutable dataset.

    Freezing the same content again returns the dataset that is there.

    Raises:
        Refusal: the selection is not done, nothing is left of it, or the name is taken or too long.
    """
    decisions = _decisions(selection)
    traces = [cast("Trace", decision.standing_trace) for decision in decisions]  # a member has one
    contents = [_content(*pair) for pair in zip(decisions, traces, strict=True)]
    contents = list(evened(contents, "terms"))
    lines = list(map(canonical_line, contents))
    content_hash = hash_of_lines(lines)
    if known := Dataset.objects.filter(project=selection.project, content_hash=content_hash).first():
        return known  # type: ignore[no-any-return]
    name = checked(Dataset(name=name or f"{selection.name[:180]} {content_hash[:8]}"), "name").name
    try:
        with transaction.atomic():
            dataset: Dataset = Dataset.objects.create(
                project=selection.project,
                selection=selection,
                parent=selection.branched_from,
                name=name,
                content_hash=content_hash,
                row_count=len(contents),
                card=card_of(selection, decisions, traces),
                created_by=by,
            )
    except IntegrityError as error:
        raise Refusal(
            _("There is a dataset named %(name)s already; choose another name.") % {"name": name}
        ) from error
    _store(dataset, contents, lines)
    return dataset


def _decisions(selection: Selection) -> list[Decision]:
    """Return what a selection's review has left.

    Raises:
        Refusal: the selection is not done, or nothing is left.
    """
    if selection.state != "succeeded":
        raise Refusal(
            _("The selection %(name)s is not done; freeze it when it is.") % {"name": selection.name}
        )
    decisions = list(reviews.kept(selection))
    if not decisions:
        raise Refusal(
            _("Every trace of the selection %(name)s was rejected; nothing is left to freeze.")
            % {"name": selection.name}
        )
    return decisions


def _content(decision: Decision, trace: Trace) -> dict[str, Any]:
    """Return all of a row that training or a reader may ask for."""
    question = decision.question
    return {
        "id": question.content_hash,
        "external_id": question.external_id,
        "question": question.text,
        "options": list(question.options),
        "key": question.key,
        "solution": question.solution,
        "marks": float(question.marks) if question.marks is not None else None,
        "language": question.language,
        "domain": question.domain.code if question.domain else "",
        "source": question.pool.name,
        "licence": question.pool.licence,
        "thinking": trace.thinking,
        "answer": trace.answer,
        "teacher": trace.teacher.name,
        "thinking_tokens": trace.thinking_tokens,
        "verdict": trace.verdict,
        "trace_hash": trace.content_hash,
        # Only where there are some: a row that was frozen before there were any keeps its hash.
        **({"terms": trace.terms} if trace.terms else {}),
    }


def _store(dataset: Dataset, contents: list[dict[str, Any]], lines: list[bytes]) -> None:
    """Write a dataset's rows by COPY, each as the bytes that were hashed."""
    columns = "dataset_id, position, question_hash, trace_hash, content"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy curator_datasetrow ({columns}) from stdin") as copy,
    ):
        for position, (content, line) in enumerate(zip(contents, lines, strict=True)):
            copy.write_row((dataset.pk, position, content["id"], content["trace_hash"], line.decode()))


def export(*, dataset: Dataset, file_format: str, folder: Path, purpose: Purpose = Purpose.OWN) -> list[Path]:
    """Write a dataset's rows in one format; return the files.

    Raises:
        Refusal: a licence or terms forbid the purpose, the format is not known, a row does not fit it, or the
            folder cannot be written.
    """
    refuse_purpose(dataset, purpose)
    described = queries.get_described(dataset)
    stamp = exports.Stamp(
        dataset.content_hash,
        dataset.name,
        dataset.created_at,
        card_of=lambda size: readme(replace(described, size_bytes=size)),
    )
    with closing(rows_of(dataset)) as rows:  # whatever stops the writing, the cursor is closed with it
        return exports.write(rows, file_format=file_format, folder=folder, stamp=stamp)


def export_to_one_file(
    *, dataset: Dataset, file_format: str, folder: Path, purpose: Purpose = Purpose.OWN
) -> Path:
    """Write a dataset's rows in one format, a folder as one archive; return the file.

    Raises:
        Refusal: as `export` does.
    """
    written = export(dataset=dataset, file_format=file_format, folder=folder, purpose=purpose)
    return _zipped(folder, written) if file_format in exports.FOLDERS else written[0]


def _zipped(folder: Path, files: list[Path]) -> Path:
    """Put files into one archive, uncompressed as Parquet is packed already; return it."""
    top = files[0].relative_to(folder).parts[0]
    with ZipFile(folder / f"{top}.zip", "w", ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.relative_to(folder))
    return folder / f"{top}.zip"


def rows_of(dataset: Dataset) -> Generator[dict[str, Any], None, None]:
    """Yield a dataset's rows in order, a few of them in memory at once."""
    rows = dataset.rows.order_by("position").values_list("content", flat=True)
    yield from rows.iterator(chunk_size=ROWS_AT_ONCE)


def refuse_purpose(dataset: Dataset, purpose: Purpose) -> None:
    """Do nothing where no licence and no terms forbid what an export is for.

    Raises:
        Refusal: naming the sources that forbid it, with their rows.
    """
    against = queries.get_together(dataset).against(purpose)
    if not against:
        return
    named = [_named(source, conditions) for source, conditions in against[:_NAMED_IN_REFUSAL]]
    if more := len(against) - len(named):
        named.append(ngettext("%(count)s more", "%(count)s more", more) % {"count": more})
    sentence = (
        _(
            "%(name)s cannot be sold: %(sources)s. Freeze a version without them, or export it for your own use."
        )
        if purpose == Purpose.SELL
        else _(
            "%(name)s cannot be passed on: %(sources)s. Freeze a version without them, or export it for your own use."
        )
    )
    raise Refusal(sentence % {"name": dataset.name, "sources": "; ".join(named)})


def _named(source: Source, conditions: tuple[Condition, ...]) -> str:
    rows = ngettext("%(count)s row", "%(count)s rows", source.rows) % {"count": source.rows}
    asked = ", ".join(str(queries.CONDITION_WORDS[condition]) for condition in conditions)
    said = _("pool %(name)s") if source.kind == "pool" else _("teacher %(name)s")
    return f"{said % {'name': source.name}} ({rows}): {asked}"
