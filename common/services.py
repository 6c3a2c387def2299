"""What a person can do to a project, its members and their tokens."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.validators import slug_re
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import Role
from common.checks import checked
from common.core import bearer
from common.core.refusal import Refusal
from common.models import ApiToken, Membership, Project, User

MOST_TOKENS = 20  # of one member that stand at once
USE_NOTED_EVERY = timedelta(minutes=1)


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


@transaction.atomic
def make_token(
    *, membership: Membership, name: str, scope: str, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make a token for a member's own programs; return it with its secret, which is kept nowhere.

    Raises:
        Refusal: the name is empty, too long or taken, the time is over already, or the member has too many.
    """
    Membership.objects.select_for_update().get(pk=membership.pk)
    standing = ApiToken.objects.filter(membership=membership, revoked_at=None)
    if standing.count() >= MOST_TOKENS:
        raise Refusal(
            _("A member has at most %(most)s tokens; revoke one that is not used any more.")
            % {"most": MOST_TOKENS}
        )
    if standing.filter(name=name.strip()).exists():
        raise Refusal(
            _("You have a token named %(name)s already; choose another name, or revoke that one first.")
            % {"name": name.strip()}
        )
    if expires_at is not None and expires_at <= timezone.now():
        raise Refusal(_("A token cannot expire in the past."))
    secret = bearer.secret_from(secrets.token_bytes(bearer.SECRET_BYTES))
    token = ApiToken(
        membership=membership,
        name=name.strip(),
        scope=scope,
        expires_at=expires_at,
        beginning=bearer.beginning_of(secret),
        secret_hash=bearer.hash_of(secret),
    )
    checked(token, "name", "scope").save()
    return token, secret


def revoke_token(*, token: ApiToken) -> None:
    """Make a token worthless from now on; a second call changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def note_use(*, token: ApiToken) -> None:
    """Note that a token was used, at most once a minute, so that a busy program writes no row at every call."""
    now = timezone.now()
    due = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    ApiToken.objects.filter(due, pk=token.pk).update(last_used_at=now)
