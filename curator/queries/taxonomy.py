"""Reads of the domains."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from common.models import Project
from curator.models import (
    Domain,
    Question,
    Trace,
)


@dataclass(frozen=True)
class Branch:
    """A domain, how deep it lies in the tree, and how many questions and traces it has."""

    domain: Domain
    depth: int
    questions: int
    answered: int


def get_taxonomy(project: Project) -> list[Branch]:
    """Return the domains as a tree read from top to bottom."""
    answered = Exists(Trace.objects.filter(question=OuterRef("pk")))
    counts = Question.objects.filter(project=project, domain__isnull=False).annotate(is_answered=answered)
    by_domain = {
        row["domain"]: row
        for row in counts.order_by()
        .values("domain")
        .annotate(questions=Count("pk"), answered_count=Count("pk", filter=Q(is_answered=True)))
    }
    children: dict[int | None, list[Domain]] = {}
    for domain in Domain.objects.filter(project=project).order_by("code"):
        children.setdefault(domain.parent_id, []).append(domain)
    branches: list[Branch] = []

    def walk(parent: int | None, depth: int) -> None:
        for domain in children.get(parent, []):
            row = by_domain.get(domain.pk, {"questions": 0, "answered_count": 0})
            branches.append(Branch(domain, depth, row["questions"], row["answered_count"]))
            walk(domain.pk, depth + 1)

    walk(None, 0)
    return branches
