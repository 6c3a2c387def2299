"""Reads of near copies."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from common.models import Project
from curator.core.copies import keys_differ
from curator.models import CopyRuling, CopySearch, Lookalike, NearCopy, Question


@dataclass(frozen=True)
class Cluster:
    """A question that is kept, with its copies, and whether any of them has another key."""

    keeper: Question
    copies: list[NearCopy]
    keys_differ: bool


@dataclass(frozen=True)
class CopyFigures:
    """How many questions are copies, of how many kept ones, and what came after the last search."""

    copies: int
    clusters: int
    apart: int
    lookalikes: int  # pairs with different keys of which nobody has said that they are copies
    changed_since: int


def get_copy_search(project: Project) -> CopySearch | None:
    """Return the latest search for copies."""
    found: CopySearch | None = CopySearch.objects.filter(project=project).first()
    return found


def get_copy_figures(project: Project, search: CopySearch | None) -> CopyFigures:
    """Return what is known of a project's copies, and how many questions are newer than that."""
    rows = NearCopy.objects.filter(question__project=project)
    questions = Question.objects.filter(project=project)
    newer = questions.filter(created_at__gt=search.started_at) if search and search.started_at else questions
    return CopyFigures(
        copies=rows.count(),
        clusters=rows.aggregate(found=Count("keeper", distinct=True))["found"],
        lookalikes=get_lookalikes(project).filter(is_copy=False).count(),
        apart=questions.filter(copy_ruling=CopyRuling.APART).count(),
        changed_since=newer.count() if search else 0,
    )


def get_lookalikes(project: Project) -> "QuerySet[Lookalike]":
    """Return the pairs of questions that are alike but have different keys, those of the latest search."""
    rows: QuerySet[Lookalike] = Lookalike.objects.filter(question__project=project)
    return rows.select_related("question__pool", "other__pool")


def get_keepers(project: Project) -> "QuerySet[Question]":
    """Return the questions that are kept in place of others, with their numbers of copies."""
    counts = NearCopy.objects.filter(keeper=OuterRef("pk")).order_by().values("keeper")
    rows: QuerySet[Question] = Question.objects.filter(project=project)
    copies = Subquery(counts.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
    keepers = NearCopy.objects.filter(question__project=project).values("keeper")
    return rows.filter(pk__in=keepers).annotate(copies=Coalesce(copies, 0)).select_related("pool")


def get_clusters(keepers: Sequence[Question]) -> list[Cluster]:
    """Return the clusters of some keepers, in their order."""
    rows = NearCopy.objects.filter(keeper__in=keepers).select_related("question__pool")
    by_keeper: dict[int, list[NearCopy]] = {}
    for copy in rows.order_by("-likeness", "pk"):
        by_keeper.setdefault(copy.keeper_id, []).append(copy)
    return [
        Cluster(
            keeper,
            by_keeper.get(keeper.pk, []),
            any(have_other_keys(keeper, copy.question) for copy in by_keeper.get(keeper.pk, [])),
        )
        for keeper in keepers
    ]


def have_other_keys(one: Question, other: Question) -> bool:
    """Tell whether two questions have keys that say different things."""
    return keys_differ(one.key, one.options, other.key, other.options)


def get_copies_of(keeper: Question) -> "QuerySet[NearCopy]":
    """Return the copies of a question, the most alike first."""
    rows: QuerySet[NearCopy] = NearCopy.objects.filter(keeper=keeper)
    return rows.select_related("question__pool", "keeper").order_by("-likeness", "pk")


def get_keeper(question: Question) -> Question | None:
    """Return the question that is kept in place of this one."""
    row = NearCopy.objects.filter(question=question).select_related("keeper").first()
    return row.keeper if row else None
