"""Reads of what several files say of one question: its pools, and the keys that they give it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Func, Min, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Collate, Least

from common.models import Project
from curator.core.repeats import is_same_key
from curator.models import Import, Pool, Question, RowReport


@dataclass
class SaidKey:
    """A key that files give a question, with the rows that say so."""

    key: str
    pool: Pool | None = None  # of the question's own row, where that says it
    own_import: Import | None = None
    rows: list[RowReport] = field(default_factory=list)
    is_shown: bool = False


def counted_source() -> Func:
    """Return the name of the pool that a question counts to: the first by name of all that hold it.

    By code points, so that it is the same on any machine.
    """
    repeating = RowReport.objects.filter(duplicate_of=OuterRef("pk")).order_by().values("duplicate_of")
    # Looked up by each report, not joined: of tables just filled the planner knows nothing, and reads every
    # report of an import for every question.
    name = Subquery(Import.objects.filter(pk=OuterRef("imported_by")).values("pool__name"))
    first = repeating.annotate(first=Min(Collate(name, "C"))).values("first")
    return Least(Collate(F("pool__name"), "C"), Subquery(first), output_field=TextField())


def get_other_pools(question: Question) -> "QuerySet[Pool]":
    """Return the pools beside its own whose files repeat a question."""
    repeating = RowReport.objects.filter(duplicate_of=question).order_by()
    pools: QuerySet[Pool] = Pool.objects.filter(pk__in=repeating.values("imported_by__pool"))
    return pools.exclude(pk=question.pool_id).order_by("name")


def get_other_ids(question: Question) -> list[tuple[str, str]]:
    """Return the ids that other rows of files give a question, each with the name of its pool."""
    rows = RowReport.objects.filter(duplicate_of=question).exclude(external_id__in=("", question.external_id))
    return list(rows.order_by("external_id").values_list("external_id", "imported_by__pool__name").distinct())


def get_repeated_ids(project: Project, ids: Iterable[str]) -> list[tuple[str, int]]:
    """Return which of some ids rows of files have that repeat a question, each with the question's key."""
    rows = RowReport.objects.filter(external_id__in=ids, duplicate_of__project=project)
    return list(rows.exclude(external_id="").order_by().values_list("external_id", "duplicate_of").distinct())


def get_said_keys(question: Question) -> list[SaidKey]:
    """Return the keys that files give a question, the one in view first; those that say the same are one."""
    own = (question.own_row or {}).get("key", question.key)
    found = [SaidKey(question.key, is_shown=True)]
    if own:
        of_own = _under(found, own, question)
        of_own.pool, of_own.own_import = question.pool, question.imported_by
    rows = RowReport.objects.filter(duplicate_of=question, said__has_key="key").order_by("pk")
    for row in rows.select_related("imported_by__pool"):
        _under(found, row.said["key"], question).rows.append(row)
    return found


def _under(found: list[SaidKey], key: str, question: Question) -> SaidKey:
    for each in found:
        if is_same_key(each.key, key, question.options):
            return each
    found.append(SaidKey(key))
    return found[-1]
