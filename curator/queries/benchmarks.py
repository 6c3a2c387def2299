"""Reads of held-out questions and of what leaked."""

from django.db.models import Count, QuerySet

from common.models import Project
from curator.models import (
    Benchmark,
    BenchmarkItem,
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
