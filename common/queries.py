"""Reads for the pages that all stages share: who may do what, what was spent, what is at work."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from common.access import Right
from common.core.bearer import hash_of
from common.jobs import Job, kinds_of_job
from common.models import ApiToken, Membership, Project

LATEST_JOBS = 8
T = TypeVar("T")


def get_rights(project: Project, user: Any) -> frozenset[Right]:
    """Return what a member may do in a project, for the links that a page offers."""
    return Membership.objects.get(project=project, user=user).rights


def get_memberships(user: Any) -> list[Membership]:
    """Return a person's memberships with their projects, by name."""
    rows = Membership.objects.filter(user=user).select_related("project").order_by("project__name", "pk")
    return list(rows)


def get_members(project: Project) -> "QuerySet[Membership]":
    """Return a project's members with their addresses, in the order in which they came."""
    rows: QuerySet[Membership] = Membership.objects.filter(project=project).select_related("user")
    return rows.order_by("created_at", "pk")


def get_spent_usd(project: Project) -> Decimal:
    """Return what all long work of a project has cost, in one query."""
    return _summed(project, Sum("cost_usd"))


def get_committed_usd(project: Project) -> Decimal:
    """Return what all long work of a project has cost or has set aside, in one query."""
    return _summed(project, Sum(F("cost_usd") + F("reserved_usd")))


def _summed(project: Project, usd: Sum) -> Decimal:
    sums = [rows.order_by().values(usd=usd) for rows in _jobs_of(project, kinds_of_job())]
    return sum((row["usd"] for row in sums[0].union(*sums[1:], all=True) if row["usd"]), Decimal(0))


def get_latest_jobs(project: Project, rights: frozenset[Right]) -> list[Job]:
    """Return a project's latest jobs of every kind that the rights let one see, newest first."""
    seen = [kind for kind in kinds_of_job() if kind.see_right in rights]  # type: ignore[attr-defined]
    jobs = [job for rows in _jobs_of(project, seen) for job in rows.order_by("-created_at")[:LATEST_JOBS]]
    return sorted(jobs, key=lambda job: job.created_at, reverse=True)[:LATEST_JOBS]


def _jobs_of(project: Project, kinds: Iterable[type[Job]]) -> "list[QuerySet[Any]]":
    return [
        kind._default_manager.filter(**{kind.project_path: project})  # type: ignore[attr-defined]
        for kind in kinds
    ]


def get_tokens(project: Project, user: Any) -> "QuerySet[ApiToken]":
    """Return the tokens of a project that a member may know of and has not lost: an owner, those of all members."""
    rows: QuerySet[ApiToken] = ApiToken.objects.filter(membership__project=project, revoked_at=None)
    if Right.INVITE not in get_rights(project, user):
        rows = rows.filter(membership__user=user)
    return rows.select_related("membership__user")


def get_token(secret: str) -> ApiToken | None:
    """Return the token whose secret this is, if it stands: not revoked, not expired, its member still active."""
    standing = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    rows: QuerySet[ApiToken] = ApiToken.objects.filter(
        standing, secret_hash=hash_of(secret), revoked_at=None, membership__user__is_active=True
    )
    return rows.select_related("membership__user", "membership__project").first()


def get_kept(key: str, seconds: int, count: Callable[[], T]) -> T:
    """Return what was counted under a key not so many seconds ago, or count it now.

    For sums over tens of thousands of rows; the key says of which state of them.
    """
    kept = cache.get(key)
    if kept is None:
        kept = count()
        cache.set(key, kept, seconds)
    found: T = kept
    return found
