"""What a person can do to a project and its members."""

from collections.abc import Iterable
from decimal import Decimal

from django.core.validators import slug_re
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.access import Role
from common.core.refusal import Refusal
from common.models import Membership, Project, User


@transaction.atomic
def create_project(
    *, owner: User, slug: str, name: str, description: str = "", languages: Iterable[str] = ()
) -> Project:
    """Create a project with its first owner.

    Raises:
        Refusal: the short name is taken or malformed, or the name is empty.
    """
    if not slug_re.match(slug):
        raise Refusal(
            _("The short name “%(slug)s” may hold letters, digits and hyphens only.") % {"slug": slug}
        )
    if not name.strip():
        raise Refusal(_("The project needs a name."))
    if Project.objects.filter(slug=slug).exists():
        raise Refusal(_("There is a project “%(slug)s” already; choose another short name.") % {"slug": slug})
    project: Project = Project.objects.create(
        slug=slug, name=name.strip(), description=description, languages=list(languages)
    )
    Membership.objects.create(project=project, user=owner, role=Role.OWNER)
    return project


def change_project(
    *,
    project: Project,
    name: str,
    description: str,
    money_limit_usd: Decimal,
    shares_answers: bool = False,
) -> None:
    """Change a project's name, description and money limit, and whether others may reuse its answers."""
    if money_limit_usd < 0:
        raise Refusal(_("The money limit cannot be negative."))
    project.name, project.description, project.money_limit_usd = name, description, money_limit_usd
    project.shares_answers = shares_answers
    project.save(update_fields=["name", "description", "money_limit_usd", "shares_answers"])


def add_member(*, project: Project, email: str, role: str) -> Membership:
    """Give a person who has an account a role in a project.

    Raises:
        Refusal: nobody signs in with this address, or the person is a member already.
    """
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise Refusal(
            _("Nobody signs in with %(email)s yet; ask them to make an account first.") % {"email": email}
        )
    try:
        with transaction.atomic():
            member: Membership = Membership.objects.create(project=project, user=user, role=Role(role))
    except IntegrityError as error:
        raise Refusal(
            _("%(email)s is a member already; change the role instead.") % {"email": email}
        ) from error
    return member


@transaction.atomic
def change_role(*, membership: Membership, role: str) -> None:
    """Change what a member may do.

    Raises:
        Refusal: the project would be left without an owner.
    """
    if Role(role) is not Role.OWNER:
        _keep_an_owner(membership)
    membership.role = Role(role)
    membership.save(update_fields=["role"])


@transaction.atomic
def remove_member(*, membership: Membership) -> None:
    """Take a person's access to a project; what they made stays.

    Raises:
        Refusal: the project would be left without an owner.
    """
    _keep_an_owner(membership)
    membership.delete()


def _keep_an_owner(membership: Membership) -> None:
    # Locked in one order, so that two owners who leave at once do not both find the other.
    owners = (
        Membership.objects.select_for_update()
        .filter(project=membership.project, role=Role.OWNER)
        .order_by("pk")
    )
    if not [owner for owner in owners if owner.pk != membership.pk]:
        raise Refusal(_("A project needs an owner; make someone else an owner first."))
