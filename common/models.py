"""People, projects and memberships: what every other row hangs on."""

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.access import RIGHTS, MemberQuerySet, ProjectRow, Right, Role


class UserManager(BaseUserManager["User"]):
    """Makes users, who are known by their address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person who can sign in once a password is set."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an operator, who may use the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an address."""

    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("operator"), default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_whatever_case")]

    def __str__(self) -> str:
        return self.name or self.email


class Project(models.Model):
    """One field being taught."""

    project_path: ClassVar[str] = ""
    see_right: ClassVar[Right] = Right.SEE_RESULTS
    edit_right: ClassVar[Right] = Right.INVITE

    slug = models.SlugField(
        _("short name"), unique=True, help_text=_("Letters, digits and hyphens; part of the address.")
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    languages = ArrayField(
        models.CharField(max_length=8), default=list, blank=True, verbose_name=_("languages")
    )
    money_limit_usd = models.DecimalField(
        _("money limit (USD)"),
        max_digits=10,
        decimal_places=2,
        default=Decimal(50),
        validators=[MinValueValidator(0)],
        help_text=_("Teachers and runs stop when the project has spent this much."),
    )
    shares_answers = models.BooleanField(
        _("answers may be reused"),
        default=False,
        help_text=_(
            "Another project of this installation that asks the same model the same question is given the "
            "answer that this one has paid for, and the other way round where that project allows it too."
        ),
    )
    members = models.ManyToManyField(User, through="Membership", related_name="projects")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("project")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(money_limit_usd__gte=0), name="project_limit_not_negative"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="project_has_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("project", args=[self.slug])

    @property
    def project(self) -> "Project":
        """Return the project itself, so that every row answers to `.project`."""
        return self


class Membership(ProjectRow):
    """A person's role in a project."""

    edit_right: ClassVar[Right] = Right.INVITE

    project = models.ForeignKey(Project, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE)
    role = models.CharField(_("role"), max_length=8, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"

    @property
    def rights(self) -> frozenset[Right]:
        """Return what this member may do."""
        return RIGHTS[Role(self.role)]


class ApiToken(ProjectRow):
    """A key with which a member's own programs use the HTTP API, in one project and with the member's rights.

    It hangs on the membership: whoever leaves the project leaves no key behind. Only its hash is kept.
    """

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("read and write")

    project_path: ClassVar[str] = "membership__project"
    see_right: ClassVar[Right] = Right.SEE_RESULTS
    edit_right: ClassVar[Right] = Right.INVITE

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=100)
    scope = models.CharField(_("what it may do"), max_length=5, choices=Scope, default=Scope.READ)
    beginning = models.CharField(_("begins with"), max_length=16)
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("token")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="token_has_name"),
            models.CheckConstraint(condition=models.Q(scope__in=["read", "write"]), name="token_scope_known"),
            models.UniqueConstraint(
                fields=["membership", "name"],
                condition=models.Q(revoked_at=None),
                name="token_name_once_while_it_stands",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"

    @property
    def user(self) -> User:
        """Return the person in whose name it speaks."""
        return self.membership.user

    @property
    def project(self) -> Project:
        """Return the only project that it reaches."""
        return self.membership.project

    @property
    def has_expired(self) -> bool:
        """Tell whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()
