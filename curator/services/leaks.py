"""What benchmarks and pools share: found again whenever either of them grows."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from curator.core.overlap import Hit, Passage, leaks
from curator.models import Benchmark, BenchmarkItem, Import, Leak, Question


def find_in_import(job: Import) -> int:
    """Hold an import's questions against every benchmark of its project; return the hits."""
    items = BenchmarkItem.objects.filter(benchmark__project=job.pool.project_id)
    return _store(_hits(Question.objects.filter(imported_by=job), items)) if items.exists() else 0


def find_for_benchmark(benchmark: Benchmark) -> int:
    """Hold every question of the project against one benchmark; return the hits."""
    return _store(_hits(Question.objects.filter(project=benchmark.project_id), benchmark.items.all()))


def _hits(questions: "QuerySet[Question]", items: "QuerySet[BenchmarkItem]") -> list[Hit]:
    return leaks(_passages(questions), _passages(items))


def _passages(rows: "QuerySet[Any]") -> Iterator[Passage]:
    for pk, text, options in rows.values_list("pk", "text", "options").iterator():
        yield Passage(str(pk), text, options)


def _store(hits: list[Hit]) -> int:
    Leak.objects.bulk_create(
        [Leak(question_id=int(hit.question), item_id=int(hit.item), shared_text=hit.shared) for hit in hits],
        ignore_conflicts=True,
        batch_size=2000,
    )
    return len(hits)
