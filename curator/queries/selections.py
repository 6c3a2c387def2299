"""Reads of selections, their members and reasons."""

from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet

from common.jobs import JobState
from common.models import Project
from curator.models import (
    Decision,
    Selection,
)

MOST_REASONS = 200


def get_selections(project: Project) -> "QuerySet[Selection]":
    """Return a project's selections that are no arms, newest first, with their numbers of members."""
    rows: QuerySet[Selection] = Selection.objects.filter(project=project, arm_of__isnull=True)
    members = Count("decisions", filter=Q(decisions__position__isnull=False))
    return rows.annotate(member_count=members).prefetch_related("arms")


def get_latest_selection(project: Project) -> Selection | None:
    """Return the selection that was made last and is done, control arms left out."""
    done = Selection.objects.filter(project=project, arm_of__isnull=True, state=JobState.SUCCEEDED)
    found: Selection | None = done.order_by("-created_at").first()
    return found


@dataclass(frozen=True)
class Reason:
    """Why questions were left out at one stage, how many, and one of them."""

    stage: str
    reason: str
    questions: int
    example: int


def get_reasons(selection: Selection) -> list[Reason]:
    """Return why questions were left out, the most frequent reason of each stage first."""
    out = Decision.objects.filter(selection=selection, position__isnull=True).order_by()
    rows = out.values_list("stage", "reason").annotate(count=Count("pk"), example=Min("question_id"))
    return [Reason(*row) for row in rows.order_by("-count", "stage", "reason")[:MOST_REASONS]]


def get_members(selection: Selection) -> "QuerySet[Decision]":
    """Return a selection's members in the order drawn, with what a list shows of them."""
    rows: QuerySet[Decision] = Decision.objects.filter(selection=selection, position__isnull=False)
    return (
        rows.select_related("question__domain", "question__pool", "trace")
        .defer("trace__thinking", "trace__answer", "question__solution")
        .order_by("position")
    )


def get_left_out(selection: Selection, *, stage: str) -> "QuerySet[Decision]":
    """Return the questions that one stage left out."""
    rows: QuerySet[Decision] = Decision.objects.filter(
        selection=selection, position__isnull=True, stage=stage
    )
    return rows.select_related("question__domain", "question__pool").order_by("pk")


@dataclass(frozen=True)
class Spread:
    """How a selection's members and the pool spread over one thing: names, members, pool."""

    names: tuple[str, ...]
    members: tuple[int, ...]
    pool: tuple[int, ...]

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        """Return a line for each name."""
        return list(zip(self.names, self.members, self.pool, strict=True))


def get_domains(selection: Selection) -> Spread:
    """Return members and all candidates by domain, the largest in the pool first."""
    rows = (
        Decision.objects.filter(selection=selection)
        .order_by()
        .values_list("question__domain__name")
        .annotate(members=Count("pk", filter=Q(position__isnull=False)), all=Count("pk"))
        .order_by("-all")
    )
    found = [(name or "–", members, total) for name, members, total in rows]
    return Spread(*(tuple(column) for column in zip(*found, strict=True))) if found else Spread((), (), ())


def get_trace_lengths(selection: Selection) -> tuple[list[int], list[int]]:
    """Return the thinking tokens of the members' traces, and of those left out."""
    rows = Decision.objects.filter(selection=selection, trace__isnull=False).order_by()
    lengths = list(rows.values_list("trace__thinking_tokens", "position"))
    members = [tokens for tokens, position in lengths if position is not None]
    return members, [tokens for tokens, position in lengths if position is None]


def get_arms(selection: Selection) -> list[tuple[Selection, int, int]]:
    """Return a selection's control arms with their members, and how many of those it shares."""
    arms = list(selection.arms.order_by("pk"))
    own = set(get_members(selection).values_list("question_id", flat=True))
    by_arm: dict[int, set[int]] = {arm.pk: set() for arm in arms}
    rows = Decision.objects.filter(selection__in=arms, position__isnull=False)
    for arm, question in rows.values_list("selection_id", "question_id"):
        by_arm[arm].add(question)
    return [(arm, len(by_arm[arm.pk]), len(by_arm[arm.pk] & own)) for arm in arms]


def get_freezable(project: Project) -> "QuerySet[Selection]":
    """Return the selections that are done, newest first."""
    rows: QuerySet[Selection] = Selection.objects.filter(project=project, state=JobState.SUCCEEDED)
    return rows.order_by("-created_at")
