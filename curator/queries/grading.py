"""Reads of orders to grade and of what came of them."""

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from common.models import Project
from curator.models import Grade, Grading, SpotCheck
from curator.queries.checking import AGREED, RELATED, of_grades
from curator.queries.questions import LATEST


def get_gradings(project: Project) -> "QuerySet[Grading]":
    """Return a project's latest orders to grade, newest first, with how far experts agree with each."""
    rows: QuerySet[Grading] = Grading.objects.filter(project=project).select_related("assistant")
    checks = SpotCheck.objects.filter(of_grades(OuterRef("pk")), is_blind=True).order_by().values("is_blind")
    return rows.annotate(
        checked=Coalesce(Subquery(checks.values(n=Count("pk"))), 0),
        agreed=Coalesce(Subquery(checks.values(n=Count("pk", filter=AGREED))), 0),
    )[:LATEST]


def get_grades(grading: Grading) -> "QuerySet[Grade]":
    """Return an order's grades with what they are about, the latest first."""
    rows: QuerySet[Grade] = grading.grades.select_related(*RELATED)
    return rows.defer("trace__thinking", "attempt__thinking").order_by("-pk")
