"""Reads of datasets."""

from collections.abc import Iterable, Sequence

from django.db.models import Count, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from common.models import Project
from curator import exports
from curator.core.card import Described
from curator.core.licences import Condition, Source, Together, licence_from, terms_from
from curator.core.versions import Comparison, Held, compare
from curator.models import Dataset, DatasetRow

CONDITION_WORDS = {
    Condition.ATTRIBUTION: _("name the source"),
    Condition.SHARE_ALIKE: _("pass on under the same licence"),
    Condition.NON_COMMERCIAL: _("no commercial use"),
    Condition.NO_DERIVATIVES: _("no derivatives"),
    Condition.NO_TRAINING: _("no training of models, or of competing ones"),
    Condition.NO_REDISTRIBUTION: _("no redistribution"),
    Condition.UNKNOWN: _("licence or terms not known"),
}


def get_datasets(project: Project) -> "QuerySet[Dataset]":
    """Return a project's datasets, newest first, with their selections."""
    rows: QuerySet[Dataset] = Dataset.objects.filter(project=project).select_related(
        "selection", "created_by", "parent"
    )
    return rows


def get_other_versions(dataset: Dataset) -> "QuerySet[Dataset]":
    """Return the other datasets of a project, newest first."""
    return get_datasets(dataset.project).exclude(pk=dataset.pk)


def get_together(dataset: Dataset) -> Together:
    """Return what the licences of a dataset's pools and the terms of its teachers ask together."""
    pools = _counted(dataset, "pools", ("name", "licence"), ("source", "licence"), "rows")
    terms = _counted(dataset, "terms", ("teacher", "terms"), ("teacher", "terms"), "traces")
    return Together(
        (
            *(Source("pool", name, licence_from(licence), rows) for name, licence, rows in pools),
            *(Source("teacher", name, terms_from(said), rows) for name, said, rows in terms),
        )
    )


def _counted(
    dataset: Dataset, part: str, names: Sequence[str], fields: Sequence[str], count: str
) -> list[tuple[str, str, int]]:
    """Return names, words and rows as the card holds them; of a card from before it did, from the rows."""
    kept = dataset.card.get(part)
    if kept is not None:
        return [(str(line[names[0]]), str(line[names[1]]), int(line[count])) for line in kept]
    first, second = (KT(f"content__{field}") for field in fields)
    found = dataset.rows.order_by().values_list(first, second).annotate(rows=Count("pk"))
    return sorted((name or "", words or "", rows) for name, words, rows in found)


def get_described(dataset: Dataset) -> Described:
    """Return a dataset as its card tells of it."""
    return Described(
        name=dataset.name,
        content_hash=dataset.content_hash,
        rows=dataset.row_count,
        frozen_on=dataset.created_at.date().isoformat(),
        card=dataset.card,
        together=get_together(dataset),
        parent_hash=dataset.parent.content_hash if dataset.parent else "",
        features=exports.FEATURES,
    )


def compare_versions(older: Dataset, newer: Dataset) -> Comparison:
    """Hold a newer version against an older one, by the hashes of questions and traces."""
    return compare(_held(older), _held(newer))


def _held(dataset: Dataset) -> Iterable[Held]:
    rows = dataset.rows.order_by("position").annotate(
        code=Coalesce(KT("content__domain"), Value("", output_field=TextField()))
    )
    return (Held(*row) for row in rows.values_list("question_hash", "trace_hash", "code").iterator())


def get_version_rows(dataset: Dataset, questions: Sequence[str]) -> list[DatasetRow]:
    """Return a dataset's rows of some questions, by the hashes of these, in their order."""
    found = {row.question_hash: row for row in dataset.rows.filter(question_hash__in=questions)}
    return [found[key] for key in questions]
