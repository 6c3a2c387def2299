"""Reads of held-out questions and of what leaked."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from common.models import Project
from curator.core.selection import LEAK, leak_reason
from curator.models import (
    Benchmark,
    BenchmarkItem,
    Decision,
    Leak,
)


def get_benchmarks(project: Project) -> "QuerySet[Benchmark]":
    """Return a project's benchmarks with their numbers of items, and of pool questions they share."""
    rows: QuerySet[Benchmark] = Benchmark.objects.filter(project=project)
    leaked = Count("items__leaks__question", distinct=True)
    return rows.annotate(item_count=Count("items", distinct=True), leak_count=leaked)


def get_items(benchmark: Benchmark) -> "QuerySet[BenchmarkItem]":
    """Return a benchmark's items in their order."""
    return benchmark.items.order_by("position")


def get_leaks(benchmark: Benchmark) -> "QuerySet[Leak]":
    """Return what pools share with a benchmark."""
    rows: QuerySet[Leak] = Leak.objects.filter(item__benchmark=benchmark)
    return rows.select_related("question__pool", "item").order_by("item__position", "pk")


def get_named_items(questions: Iterable[int]) -> dict[tuple[int, str], BenchmarkItem]:
    """Return the items that questions share text with, by the question and the reason that names the item."""
    rows = Leak.objects.filter(question__in=set(questions)).select_related("item__benchmark")
    brief = rows.only("question", "item__position", "item__benchmark__name")
    return {
        (leak.question_id, leak_reason(leak.item.benchmark.name, leak.item.number)): leak.item
        for leak in brief
    }


def with_named_items(decisions: Iterable[Decision]) -> list[Decision]:
    """Return decisions, each with the item of a benchmark that its reason names, as long as both overlap."""
    rows = list(decisions)
    leaked = [row.question_id for row in rows if row.stage == LEAK]
    items = get_named_items(leaked) if leaked else {}
    for row in rows:
        row.named_item = items.get((row.question_id, row.reason))
    return rows


def get_project_leaks(
    project: Project, *, benchmark: Benchmark | None = None, kind: str = "", standing: str = ""
) -> "QuerySet[Leak]":
    """Return what pools share with benchmarks; standing is "kept" (out of selections), "overruled" or ""."""
    rows: QuerySet[Leak] = Leak.objects.filter(question__project=project)
    if benchmark is not None:
        rows = rows.filter(item__benchmark=benchmark)
    if kind:
        rows = rows.filter(kind=kind)
    if standing:
        rows = rows.filter(overruled_at__isnull=standing == "kept")
    return rows.select_related("question__pool", "item__benchmark", "overruled_by")


def count_leaks(project: Project, benchmark: Benchmark | None = None) -> dict[str, int]:
    """Return how many overlaps there are of each kind, and how many are overruled."""
    rows = get_project_leaks(project, benchmark=benchmark)
    counts = {kind.value: Count("pk", filter=Q(kind=kind)) for kind in Leak.Kind}
    overruled = Count("pk", filter=Q(overruled_at__isnull=False))
    found: dict[str, int] = rows.order_by().aggregate(all=Count("pk"), overruled=overruled, **counts)
    return found
