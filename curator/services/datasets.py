"""Freeze a selection as reviewed, and write it to files."""

import platform
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.models import User
from curator import exports
from curator.core.agreement import agreement
from curator.core.dataset import dataset_hash
from curator.models import Dataset, DatasetRow, Decision, Review, Selection, Trace
from curator.queries.best import standing
from curator.services import reviews

FORMATS = exports.FORMATS


@transaction.atomic
def freeze(*, selection: Selection, name: str = "", by: User | None) -> Dataset:
    """Copy a selection's members, as reviewed, into an immutable dataset.

    Freezing the same content again returns the dataset that is there.

    Raises:
        Refusal: the selection is not done, nothing is left of it, or the name is taken or too long.
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
    contents = [_content(decision) for decision in decisions]
    content_hash = dataset_hash(contents)
    if known := Dataset.objects.filter(project=selection.project, content_hash=content_hash).first():
        return known  # type: ignore[no-any-return]
    name = checked(Dataset(name=name or f"{selection.name[:180]} {content_hash[:8]}"), "name").name
    try:
        with transaction.atomic():
            dataset: Dataset = Dataset.objects.create(
                project=selection.project,
                selection=selection,
                name=name,
                content_hash=content_hash,
                row_count=len(contents),
                card=_card(selection, decisions),
                created_by=by,
            )
    except IntegrityError as error:
        raise Refusal(
            _("There is a dataset named %(name)s already; choose another name.") % {"name": name}
        ) from error
    DatasetRow.objects.bulk_create(
        [_row(dataset, position, content) for position, content in enumerate(contents)], batch_size=500
    )
    return dataset


def _content(decision: Decision) -> dict[str, Any]:
    """Return all of a row that training or a reader may ask for."""
    question = decision.question
    trace = cast("Trace", decision.standing_trace)  # the database holds that a member has one
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


def _row(dataset: Dataset, position: int, content: dict[str, Any]) -> DatasetRow:
    return DatasetRow(
        dataset=dataset,
        position=position,
        question_hash=content["id"],
        trace_hash=content["trace_hash"],
        content=content,
    )


def _card(selection: Selection, decisions: list[Decision]) -> dict[str, Any]:
    """Return where the dataset comes from: inputs by hash, seed, versions, reviews, licences."""
    judged = Review.objects.filter(trace__in=standing(reviews.members(selection)))
    by_trace: dict[int, list[str]] = {}
    for trace_id, judgement in judged.values_list("trace_id", "judgement"):
        by_trace.setdefault(trace_id, []).append(judgement)
    traces = [trace for decision in decisions if (trace := decision.standing_trace)]
    kept = {trace.pk for trace in traces}
    return {
        "method": selection.method,
        "seed": selection.seed,
        "size": selection.size,
        "members_hash": selection.members_hash,
        "funnel": selection.funnel,
        "code_version": selection.code_version,
        "versions": {
            "python": platform.python_version(),
            "django": version("django"),
            "polars": version("polars"),
        },
        "licences": sorted({decision.question.pool.licence for decision in decisions}),
        "sources": sorted({decision.question.pool.name for decision in decisions}),
        "teachers": sorted({trace.teacher.name for trace in traces}),
        "terms": _terms(traces),
        "stand_in_teachers": sorted({it.teacher.name for it in traces if it.teacher.is_stand_in}),
        "right": sum(trace.verdict == "right" for trace in traces),
        "chosen_by_experts": sum(hasattr(decision.question, "chosen_trace") for decision in decisions),
        "reviewed": len(kept & by_trace.keys()),
        "rejected": reviews.members(selection).count() - len(decisions),
        "scripted_reviews": judged.filter(is_scripted=True).count(),
        "agreement": agreement(list(by_trace.values())),
    }


def _terms(traces: list[Trace]) -> list[dict[str, Any]]:
    """Return what each teacher's terms said of training on its output, and of how many traces."""
    counts = Counter((trace.teacher.name, trace.terms) for trace in traces)
    return [
        {"teacher": teacher, "terms": terms, "traces": count}
        for (teacher, terms), count in sorted(counts.items())
    ]


def export(*, dataset: Dataset, file_format: str, folder: Path) -> list[Path]:
    """Write a dataset's rows in one format; return the files.

    Raises:
        Refusal: the format is not known, or the folder cannot be written.
    """
    rows = [row.content for row in dataset.rows.all()]
    return exports.write(rows, file_format=file_format, folder=folder, name=dataset.content_hash[:12])
