"""Where a project stands in the loop: for each stage how much there is, and what is at work.

The stages name their tables as a foreign key names one of another app, so that the floor under the
apps imports none of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Count, F, Q, QuerySet, Value
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from common.access import Right
from common.jobs import ACTIVE, JobState
from common.models import Project

DONE = Q(state=JobState.SUCCEEDED)


@dataclass(frozen=True)
class Stage:
    """One stage: its name and page, who may see it, what is counted, and which jobs work for it."""

    name: str
    label: Any
    url_name: str
    right: Right
    table: str
    unit: Any  # a plural form of `count`, which shows `shown`
    jobs: tuple[str, ...] = ()
    counted: Count = field(default_factory=lambda: Count("pk"))
    path: str = ""  # to the project, where one is shorter than the table's own


STAGES = (
    Stage(
        "pools",
        _("Pools"),
        "pools",
        Right.SEE_MATERIAL,
        "curator.Question",
        ngettext_lazy("%(shown)s question", "%(shown)s questions", "count"),
        ("curator.Import", "curator.CopySearch", "curator.Classification"),
    ),
    Stage(
        "traces",
        _("Traces"),
        "teachers",
        Right.SEE_MATERIAL,
        "curator.Trace",
        ngettext_lazy("%(shown)s trace", "%(shown)s traces", "count"),
        ("curator.Collection", "curator.Probe", "curator.Grading"),
        path="teacher__project",
    ),
    Stage(
        "selection",
        _("Selection"),
        "selections",
        Right.SEE_MATERIAL,
        "curator.Selection",
        ngettext_lazy("%(shown)s selection", "%(shown)s selections", "count"),
        ("curator.Selection",),
        Count("pk", filter=DONE),
    ),
    Stage(
        "review",
        _("Review"),
        "reviews",
        Right.SEE_MATERIAL,
        "curator.Review",
        ngettext_lazy("%(shown)s judgement", "%(shown)s judgements", "count"),
    ),
    Stage(
        "dataset",
        _("Dataset"),
        "datasets",
        Right.SEE_MATERIAL,
        "curator.Dataset",
        ngettext_lazy("%(shown)s dataset", "%(shown)s datasets", "count"),
    ),
    Stage(
        "runs",
        _("Fine-tune"),
        "runs",
        Right.SEE_RESULTS,
        "training.Run",
        ngettext_lazy("%(shown)s run", "%(shown)s runs", "count"),
        ("training.Run",),
        Count("pk", filter=DONE),
    ),
    Stage(
        "evaluation",
        _("Evaluation"),
        "evaluation_new",
        Right.SPEND,
        "evaluation.Evaluation",
        ngettext_lazy("%(shown)s evaluation", "%(shown)s evaluations", "count"),
        ("evaluation.Evaluation",),
        Count("pk", filter=DONE),
    ),
    Stage(
        "results",
        _("Results"),
        "results",
        Right.SEE_RESULTS,
        "evaluation.Evaluation",
        ngettext_lazy("%(shown)s model measured", "%(shown)s models measured", "count"),
        (),
        Count("model", distinct=True, filter=DONE),
    ),
)


@dataclass(frozen=True)
class Step:
    """One stage of one project: how much is there, how many jobs work for it, have failed or went well."""

    stage: Stage
    count: int
    active: int
    failed: int
    succeeded: int
    is_next: bool

    @property
    def state(self) -> str:
        """Return active, done, failed, next or waiting: what the page shows by colour and by word."""
        if self.active:
            return "active"
        if self.count:
            return "done"
        if self.failed and not self.succeeded:
            return "failed"
        return "next" if self.is_next else "waiting"

    @property
    def counted(self) -> str:
        """Return the count with its unit."""
        return str(
            self.stage.unit % {"count": self.count, "shown": number_format(self.count, force_grouping=True)}
        )


def steps_of(projects: Iterable[Project]) -> dict[int, list[Step]]:
    """Return every stage of each project, by the project's id, in one query."""
    ids = [project.pk for project in projects]
    found = {pk: [[0, 0, 0, 0] for _stage in STAGES] for pk in ids}
    for place, pk, *numbers in _counts(ids):
        found[pk][place] = [known + number for known, number in zip(found[pk][place], numbers, strict=True)]
    return {pk: list(_steps(numbers)) for pk, numbers in found.items()}


def _steps(numbers: list[list[int]]) -> Iterator[Step]:
    first_without = next((place for place, (count, *_rest) in enumerate(numbers) if not count), None)
    for place, (stage, (count, active, failed, well)) in enumerate(zip(STAGES, numbers, strict=True)):
        yield Step(stage, count, active, failed, well, is_next=place == first_without)


def _counts(ids: list[int]) -> Iterable[tuple[int, ...]]:
    """Return rows of stage, project, what is there, and the jobs that are active, failed or went well."""
    if not ids:
        return []
    none = Value(0)
    queries = [
        _by_project(stage.table, ids, place, stage.counted, none, none, none, path=stage.path)
        for place, stage in enumerate(STAGES)
    ] + [
        _by_project(
            job,
            ids,
            place,
            none,
            Count("pk", filter=Q(state__in=ACTIVE)),
            Count("pk", filter=Q(state=JobState.FAILED)),
            Count("pk", filter=DONE),
        )
        for place, stage in enumerate(STAGES)
        for job in stage.jobs
    ]
    return queries[0].union(*queries[1:], all=True)


_NUMBERS = ("there", "active", "failed", "succeeded")


def _by_project(
    table: str, ids: list[int], place: int, *numbers: Any, path: str = ""
) -> "QuerySet[Any, Any]":
    kind = apps.get_model(table)
    path = path or kind.project_path
    rows: QuerySet[Any, Any] = (
        kind._default_manager.filter(**{f"{path}__in": ids})
        .order_by()
        .values(owner=F(path))
        .annotate(stage=Value(place), **dict(zip(_NUMBERS, numbers, strict=True)))
        .values_list("stage", "owner", *_NUMBERS)
    )
    return rows
