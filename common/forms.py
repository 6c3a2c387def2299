"""A request about a project or its members as checked values; nothing here saves."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.access import Role
from common.models import ApiToken, Project

LANGUAGES = [("en", _("English")), ("zh", _("Chinese"))]


class NewProjectForm(forms.Form):
    """A project's first facts."""

    name = forms.CharField(
        label=_("Name"), max_length=200, help_text=_("The field that is taught, such as “Company law”.")
    )
    slug = forms.SlugField(
        label=_("Short name"), help_text=_("Letters, digits and hyphens; part of the address.")
    )
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages of the questions"),
        choices=LANGUAGES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ProjectForm(forms.Form):
    """What an owner may change of a project."""

    name = forms.CharField(label=_("Name"), max_length=200)
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    money_limit_usd = forms.DecimalField(
        label=_("Money limit (USD)"),
        min_value=0,
        max_digits=10,
        decimal_places=2,
        help_text=_("Teachers and runs stop when the project has spent this much."),
    )

    shares_answers = forms.BooleanField(
        label=_("Answers may be reused"),
        required=False,
        help_text=_(
            "Another project of this installation that asks the same model the same question is given the "
            "answer that this one has paid for, and the other way round where that project allows it too."
        ),
    )

    @staticmethod
    def initial_of(project: Project) -> dict[str, Any]:
        """Return a project's own values, as the form begins with them."""
        return {field: getattr(project, field) for field in ProjectForm.base_fields}


class MemberForm(forms.Form):
    """A person to be invited, and their role."""

    email = forms.EmailField(label=_("Email"), help_text=_("The address with which the person signs in."))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.REVIEWER)


class RoleForm(forms.Form):
    """A member's new role."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class TokenForm(forms.Form):
    """A token for a member's own programs."""

    LIVES = [
        ("30", _("30 days")),
        ("90", _("90 days")),
        ("365", _("a year")),
        ("0", _("until it is revoked")),
    ]

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What will use it, such as “nightly export”; you will know it again by this."),
    )
    scope = forms.ChoiceField(
        label=_("What it may do"),
        choices=[
            (ApiToken.Scope.READ, _("read what you may see")),
            (ApiToken.Scope.WRITE, _("read and change it")),
        ],
        initial=ApiToken.Scope.READ,
        widget=forms.RadioSelect,
    )
    days = forms.TypedChoiceField(label=_("For how long"), choices=LIVES, coerce=int, initial="90")

    def expires_at(self) -> datetime | None:
        """Return when the token dies by itself; read it after `is_valid`."""
        days: int = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None
