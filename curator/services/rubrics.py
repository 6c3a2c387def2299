"""What a project's reviewers judge by: its list of reasons, and the scales of its rubric."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.models import Project
from curator.models import COMMON_REASONS, Reason, Scale

MOST_REASONS = 20  # more than a reviewer can keep in view
MOST_SCALES = 6


def reasons_of(project: Project) -> list[Reason]:
    """Return the reasons that a project offers; one that has never had any begins with the common ones."""
    rows = list(Reason.objects.filter(project=project))
    if not rows:
        begun = [
            Reason(project=project, code=code, position=place) for place, code in enumerate(COMMON_REASONS)
        ]
        Reason.objects.bulk_create(begun, ignore_conflicts=True)
        rows = list(Reason.objects.filter(project=project))
    return [row for row in rows if not row.is_retired]


@transaction.atomic
def add_reason(*, project: Project, name: str) -> Reason:
    """Add a reason to a project's list; one that was retired under this name comes back.

    Raises:
        Refusal: the list is full, or the name is empty or too long.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    offered = reasons_of(project)
    retired = Reason.objects.filter(project=project, name=name, is_retired=True).first()
    if retired is not None:
        Reason.objects.filter(pk=retired.pk).update(is_retired=False)
        return retired  # type: ignore[no-any-return]
    if len(offered) >= MOST_REASONS:
        raise Refusal(_("A list has at most %(most)s reasons; retire one first.") % {"most": MOST_REASONS})
    if name in {str(each) for each in offered}:
        raise Refusal(_("The list has the reason “%(name)s” already.") % {"name": name})
    codes = set(Reason.objects.filter(project=project).values_list("code", flat=True))
    added = checked(Reason(project=project, name=name.strip()), "name")
    if not added.name:
        raise Refusal(_("Give the reason a name."))
    added.code, added.position = _code(name, codes), len(codes)
    added.save()
    return added


def retire_reason(*, reason: Reason) -> None:
    """Offer a reason no more; judgements that name it keep it."""
    Reason.objects.filter(pk=reason.pk).update(is_retired=True)


def scales_of(project: Project) -> list[Scale]:
    """Return the scales of a project's rubric."""
    return list(Scale.objects.filter(project=project, is_retired=False))


@transaction.atomic
def add_scale(*, project: Project, name: str, steps: int = 5, lowest: str = "", highest: str = "") -> Scale:
    """Add a scale to a project's rubric.

    Raises:
        Refusal: the rubric is full, has a scale of this name, or the number of steps cannot be.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    offered = scales_of(project)
    if len(offered) >= MOST_SCALES:
        raise Refusal(_("A rubric has at most %(most)s scales; retire one first.") % {"most": MOST_SCALES})
    if Scale.objects.filter(project=project, name=name.strip()).exists():
        raise Refusal(_("The rubric has, or had, a scale “%(name)s” already.") % {"name": name})
    codes = set(Scale.objects.filter(project=project).values_list("code", flat=True))
    added = Scale(
        project=project,
        name=name.strip(),
        steps=steps,
        lowest=lowest.strip(),
        highest=highest.strip(),
        code=_code(name, codes),
        position=len(codes),
    )
    checked(added, "name", "steps", "lowest", "highest").save()
    return added


def retire_scale(*, scale: Scale) -> None:
    """Ask for a scale no more; scores that were given on it stay."""
    Scale.objects.filter(pk=scale.pk).update(is_retired=True)


def _code(name: str, taken: Sequence[str] | set[str]) -> str:
    """Return a code for a name that no other has."""
    stem = slugify(name, allow_unicode=True)[:30] or "reason"
    number = 1
    code = stem
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    return code
