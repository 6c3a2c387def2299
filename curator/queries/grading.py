"""Reads of grades, of the experts' checks, and of how far the two agree."""

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.fields import CharField
from django.db.models.functions import MD5, Cast, Concat

from common.models import Project, User
from curator.core.agreement import SpotChecked
from curator.models import Grade, Grading, SpotCheck
from curator.queries.questions import LATEST

SAMPLE = 50  # grades that a spot check looks at: enough to tell 90 % from 75 %
_RELATED = ("trace__question", "trace__teacher", "attempt__question", "attempt__solver")


def get_gradings(project: Project) -> "QuerySet[Grading]":
    """Return a project's latest orders to grade, newest first, with how far experts agree with each."""
    rows: QuerySet[Grading] = Grading.objects.filter(project=project).select_related("assistant")
    agreed = Q(grades__spot_checks__is_right=F("grades__is_right"))
    return rows.annotate(
        checked=Count("grades__spot_checks"), agreed=Count("grades__spot_checks", filter=agreed)
    )[:LATEST]


def get_unchecked(grading: Grading, expert: User) -> Grade | None:
    """Return the grade that an expert is to check next: the first without their word, in an order drawn by a seed.

    The seed is the order's key, so that all experts see the same sample.
    """
    drawn = MD5(Concat(Value(f"{grading.pk}:"), Cast("pk", CharField()), output_field=CharField()))
    rows = grading.grades.exclude(spot_checks__expert=expert).select_related(*_RELATED)
    found: Grade | None = rows.order_by(drawn, "pk").first()
    return found


def get_own_checks(grading: Grading, expert: User) -> "QuerySet[SpotCheck]":
    """Return what an expert has said about an order's grades, the latest first."""
    rows: QuerySet[SpotCheck] = SpotCheck.objects.filter(grade__grading=grading, expert=expert)
    return rows.order_by("-pk")


def get_agreement(grading: Grading) -> SpotChecked:
    """Return how many of an order's checked grades the experts agree with."""
    checks = SpotCheck.objects.filter(grade__grading=grading)
    agreed = Case(When(is_right=F("grade__is_right"), then=1))
    counts = checks.aggregate(total=Count("pk"), agreed=Count(agreed))
    return SpotChecked(counts["agreed"], counts["total"])


def get_disagreements(grading: Grading) -> "QuerySet[SpotCheck]":
    """Return the checks in which an expert said otherwise than the assistant, the latest first."""
    related = [f"grade__{name}" for name in _RELATED]
    rows: QuerySet[SpotCheck] = SpotCheck.objects.filter(grade__grading=grading).select_related(
        "expert", *related
    )
    return rows.exclude(is_right=F("grade__is_right")).order_by("-pk")


def get_grades(grading: Grading) -> "QuerySet[Grade]":
    """Return an order's grades with what they are about, the latest first."""
    rows: QuerySet[Grade] = grading.grades.select_related(*_RELATED)
    return rows.defer("trace__thinking", "attempt__thinking").order_by("-pk")
