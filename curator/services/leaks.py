"""What benchmarks and pools share: found again whenever either grows, and overruled by people with a reason."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import Project, User
from curator.core.overlap import Hit, Passage, leaks
from curator.models import Benchmark, BenchmarkItem, Import, Leak, Question, QuestionEdit
from curator.queries.edits import NOTED_AS


def find_in_import(job: Import) -> int:
    """Hold an import's questions against every benchmark of its project; return the hits."""
    items = BenchmarkItem.objects.filter(benchmark__project=job.pool.project_id)
    return _store(_hits(Question.objects.filter(imported_by=job), items)) if items.exists() else 0


def find_for_benchmark(benchmark: Benchmark) -> int:
    """Hold every question of the project against one benchmark; return the hits."""
    return _store(_hits(Question.objects.filter(project=benchmark.project_id), benchmark.items.all()))


@transaction.atomic
def find_for_questions(*, questions: Sequence[Question]) -> int:
    """Hold questions whose text has changed against every benchmark again; return the hits.

    A hit that is none any more goes, unless a person has said something about it.
    """
    if not questions:
        return 0
    items = BenchmarkItem.objects.filter(benchmark__project=questions[0].project_id)
    hits = _hits(Question.objects.filter(pk__in=[question.pk for question in questions]), items)
    _drop_others(Leak.objects.filter(question__in=questions), hits)
    return _store(hits)


@transaction.atomic
def find_again(*, project: Project) -> int:
    """Hold every question of a project against every benchmark; return the hits.

    What a person has overruled stays overruled, and in the record.
    """
    items = BenchmarkItem.objects.filter(benchmark__project=project)
    hits = _hits(Question.objects.filter(project=project), items)
    _drop_others(Leak.objects.filter(question__project=project), hits)
    return _store(hits)


def _drop_others(rows: "QuerySet[Leak]", hits: Sequence[Hit]) -> None:
    """Remove what is no hit any more, unless a person has overruled it."""
    found = {(int(hit.question), int(hit.item)) for hit in hits}
    standing = rows.filter(overruled_at__isnull=True).values_list("pk", "question_id", "item_id")
    gone = [pk for pk, question, item in standing if (question, item) not in found]
    Leak.objects.filter(pk__in=gone).delete()


@transaction.atomic
def overrule(*, project: Project, leaks: Sequence[int], why: str, by: User, now: datetime) -> int:
    """Let questions be taken although a benchmark has them too, or seems to; return how many hits that were.

    Raises:
        Refusal: no reason is given, or no hit is named.
    """
    if not why.strip():
        raise Refusal(_("Say why these questions may be taken; the reason is kept in the record."))
    rows = Leak.objects.filter(question__project=project, pk__in=leaks)
    _note(rows, why.strip(), by)
    changed = rows.update(overruled_by=by, overruled_at=now, overruled_why=why.strip())
    return _counted(changed)


@transaction.atomic
def restore(*, project: Project, leaks: Sequence[int], by: User) -> int:
    """Take back what was overruled; return how many hits that were. Who had overruled it, and why, stays on record.

    Raises:
        Refusal: no hit is named.
    """
    rows = Leak.objects.filter(question__project=project, pk__in=leaks, overruled_at__isnull=False)
    _note(rows, "", by)
    return _counted(rows.update(overruled_by=None, overruled_at=None, overruled_why=""))


def _note(rows: "QuerySet[Leak]", why: str, by: User) -> None:
    """Write into the questions' histories which hits are overruled from now on, and why, or are no more."""
    QuestionEdit.objects.bulk_create(
        QuestionEdit(
            question_id=leak.question_id,
            field=NOTED_AS,
            before=_said(leak, leak.overruled_why),
            after=_said(leak, why),
            changed_by=by,
        )
        for leak in rows.select_related("item__benchmark")
        if leak.overruled_why != why
    )


def _said(leak: Leak, why: str) -> str:
    return f"{leak.item.benchmark.name} #{leak.item.number}: {why}" if why else ""


def _counted(changed: int) -> int:
    if not changed:
        raise Refusal(_("No overlap was chosen; mark at least one in the list."))
    return changed


def _hits(questions: "QuerySet[Question]", items: "QuerySet[BenchmarkItem]") -> list[Hit]:
    held_out = [
        Passage(str(pk), text, options, str(benchmark))
        for pk, text, options, benchmark in items.values_list("pk", "text", "options", "benchmark_id")
    ]
    return leaks(_passages(questions), held_out) if held_out else []


def _passages(rows: "QuerySet[Any]") -> Iterator[Passage]:
    for pk, text, options in rows.values_list("pk", "text", "options").iterator():
        yield Passage(str(pk), text, options)


def _store(hits: list[Hit]) -> int:
    Leak.objects.bulk_create(
        [
            Leak(
                question_id=int(hit.question),
                item_id=int(hit.item),
                kind=hit.kind.value,
                likeness=hit.likeness,
                shared_text=hit.shared,
            )
            for hit in hits
        ],
        update_conflicts=True,
        unique_fields=["question", "item"],
        update_fields=["kind", "likeness", "shared_text"],
        batch_size=2000,
    )
    return len(hits)
