"""Which questions to list, and what a person says of one."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.models import Project
from curator.forms.choices import ANY, LANGUAGES
from curator.models import Domain, Pool, Standing


class QuestionFilterForm(forms.Form):
    """Which questions to list."""

    text = forms.CharField(
        label=gettext_lazy("Search"), required=False, widget=forms.TextInput(attrs={"type": "search"})
    )
    pool = forms.ModelChoiceField(
        label=gettext_lazy("Pool"),
        queryset=Pool.objects.none(),
        required=False,
        empty_label=gettext_lazy("any"),
    )
    domain = forms.ModelChoiceField(
        label=gettext_lazy("Domain"),
        queryset=Domain.objects.none(),
        required=False,
        empty_label=gettext_lazy("any"),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=[ANY, *LANGUAGES], required=False)
    key = forms.ChoiceField(
        label=gettext_lazy("Key"),
        choices=[ANY, ("missing", gettext_lazy("needs one")), ("there", gettext_lazy("has one"))],
        required=False,
    )
    traces = forms.ChoiceField(
        label=gettext_lazy("Traces"),
        choices=[ANY, ("some", gettext_lazy("has some")), ("none", gettext_lazy("has none"))],
        required=False,
    )
    standing = forms.ChoiceField(
        label=gettext_lazy("Standing"), choices=[ANY, *Standing.choices], required=False
    )
    after = forms.IntegerField(required=False, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["pool"].queryset = Pool.objects.filter(project=project)  # type: ignore[attr-defined]
        self.fields["domain"].queryset = Domain.objects.filter(project=project)  # type: ignore[attr-defined]


class KeyForm(forms.Form):
    """A question's key."""

    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=10_000,
        help_text=gettext_lazy("The right answer: letters such as B or ACD where there are options."),
    )


class StandingForm(forms.Form):
    """An expert's word about a question."""

    standing = forms.ChoiceField(label=gettext_lazy("Standing"), choices=Standing.choices)
