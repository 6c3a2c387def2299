"""The filters that every query starts from: who may see or change which rows.

A model that belongs to a project names the path to it and the rights that its rows ask for; its
manager then answers for a person. Nothing in a template or a view decides access a second time.
"""

from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Right(StrEnum):
    """What a member may do in a project."""

    SEE_RESULTS = "see_results"  # models, evaluations, rounds
    SEE_MATERIAL = "see_material"  # questions, traces, selections, datasets
    REVIEW = "review"  # judge traces
    CURATE = "curate"  # pools, taxonomy, selections, datasets, benchmarks
    SPEND = "spend"  # ask teachers, train, evaluate
    INVITE = "invite"  # members and their roles, the project itself


class Role(models.TextChoices):
    """What a person is in a project; each role may do what the next one may, and more."""

    OWNER = "owner", gettext_lazy("Owner")
    CURATOR = "curator", gettext_lazy("Curator")
    REVIEWER = "reviewer", gettext_lazy("Reviewer")
    VIEWER = "viewer", gettext_lazy("Viewer")


_VIEWER = frozenset({Right.SEE_RESULTS})
_REVIEWER = _VIEWER | {Right.SEE_MATERIAL, Right.REVIEW}
_CURATOR = _REVIEWER | {Right.CURATE}
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: _VIEWER,
    Role.REVIEWER: _REVIEWER,
    Role.CURATOR: _CURATOR,
    Role.OWNER: _CURATOR | {Right.SPEND, Right.INVITE},
}


def roles_with(right: Right) -> list[Role]:
    """Return the roles that carry a right."""
    return [role for role, rights in RIGHTS.items() if right in rights]


class MemberQuerySet(models.QuerySet[Any]):
    """Rows of projects, as far as a person's memberships reach."""

    def allowed_to(self, user: Any, right: Right) -> "MemberQuerySet":
        """Return the rows in whose project the user has this right."""
        if not user.is_authenticated:
            return self.none()
        membership = self._membership()
        return self.filter(**{f"{membership}__user": user, f"{membership}__role__in": roles_with(right)})

    def with_role(self) -> "MemberQuerySet":
        """Return rows that know by which role a person may see them: after `visible_to` and its like alone."""
        rows: MemberQuerySet = self.annotate(reader_role=models.F(f"{self._membership()}__role"))
        return rows

    def _membership(self) -> str:
        return "__".join(part for part in (self.model.project_path, "membership") if part)

    def visible_to(self, user: Any) -> "MemberQuerySet":
        """Return the rows that the user may read."""
        return self.allowed_to(user, self.model.see_right)

    def editable_by(self, user: Any) -> "MemberQuerySet":
        """Return the rows that the user may change."""
        return self.allowed_to(user, self.model.edit_right)


class ProjectRow(models.Model):
    """A row that belongs to a project."""

    project_path: ClassVar[str] = "project"
    see_right: ClassVar[Right] = Right.SEE_MATERIAL
    edit_right: ClassVar[Right] = Right.CURATE

    objects = MemberQuerySet.as_manager()

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=models.Model)


def get_visible(rows: type[Row] | models.QuerySet[Row], user: Any, **lookup: Any) -> Row:
    """Return the one row that the user may read; to anyone else it does not exist.

    Raises:
        Http404: there is none, or the user may not know of it.
    """
    queryset = rows if isinstance(rows, models.QuerySet) else rows._default_manager.all()
    found: Row | None = queryset.visible_to(user).with_role().filter(**lookup).first()  # type: ignore[attr-defined]
    if found is None:
        raise Http404(_("There is no such page, or you are not a member of its project."))
    return found


def get_editable(
    rows: type[Row] | models.QuerySet[Row], user: Any, *, right: Right | None = None, **lookup: Any
) -> Row:
    """Return the one row that the user may change, or for which the user has `right`.

    Raises:
        Http404: the user may not even see it.
        PermissionDenied: the user may see it, but not change it.
    """
    found = get_visible(rows, user, **lookup)
    wanted = right or found.edit_right  # type: ignore[attr-defined]
    if wanted not in rights_by(found):
        raise PermissionDenied(_("Your role in this project does not allow that. Ask its owner."))
    return found


def rights_by(row: models.Model) -> frozenset[Right]:
    """Return what the person may do for whom `get_visible` or `get_editable` found this row."""
    return RIGHTS[Role(row.reader_role)]  # type: ignore[attr-defined]
