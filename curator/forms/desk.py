"""What is said at the reviewer's desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.models import Project, User
from curator.forms.reviews import LONGEST_NOTE
from curator.models import Remark, Scale

LONGEST_TRACE = 2_000_000  # characters


class RemarkForm(forms.Form):
    """A comment on what was marked in one step."""

    part = forms.ChoiceField(choices=Remark.Part.choices)
    step_start = forms.IntegerField(min_value=0)
    step_end = forms.IntegerField(min_value=0, required=False)
    block_start = forms.IntegerField(min_value=0, required=False)  # in the step
    quote = forms.CharField(max_length=20_000, strip=False)
    text = forms.CharField(max_length=LONGEST_NOTE)


class FlagForm(forms.Form):
    """Whom to ask about a trace, and what."""

    colleague = forms.ModelChoiceField(User.objects.none(), required=False)
    note = forms.CharField(required=False, max_length=LONGEST_NOTE)

    def __init__(self, *args: Any, project: Project, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.fields["colleague"].queryset = User.objects.filter(membership__project=project)  # type: ignore[attr-defined]


class RewriteForm(forms.Form):
    """A trace in a reviewer's wording."""

    thinking = forms.CharField(
        label=gettext_lazy("Thinking"),
        required=False,
        strip=False,
        max_length=LONGEST_TRACE,
        widget=forms.Textarea(attrs={"rows": 24}),
    )
    answer = forms.CharField(
        label=gettext_lazy("Answer"),
        required=False,
        strip=False,
        max_length=LONGEST_TRACE,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=LONGEST_NOTE,
        help_text=gettext_lazy("Kept beside the change; whoever trains on the trace may ask."),
    )
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Read line ends as they are stored: a browser sends its own."""
        given = super().clean() or {}
        return {
            name: value.replace("\r\n", "\n") if isinstance(value, str) else value
            for name, value in given.items()
        }


class ReasonForm(forms.Form):
    """One reason for which a trace may be rejected."""

    name = forms.CharField(label=gettext_lazy("Reason"), max_length=100)


class ScaleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One line of a rubric."""

    class Meta:
        model = Scale
        fields = ("name", "steps", "lowest", "highest")
