"""Held-out questions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.models import Project
from curator.forms.choices import ANY
from curator.forms.pools import UploadForm
from curator.models import Benchmark, Leak


class AboutBenchmarkForm(forms.Form):
    """What no file says of held-out questions."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=200, required=False)
    is_exam = forms.BooleanField(
        label=gettext_lazy("Hold it out only"),
        help_text=gettext_lazy("An exam that no model is measured on: keys may lack."),
        required=False,
    )


class BenchmarkForm(AboutBenchmarkForm, UploadForm):
    """A file of held-out questions; its columns are looked at next."""


class LeakFilterForm(forms.Form):
    """Which overlaps are listed."""

    benchmark = forms.ModelChoiceField(
        label=gettext_lazy("Benchmark"), queryset=Benchmark.objects.none(), required=False, empty_label=ANY[1]
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[ANY, *Leak.Kind.choices], required=False)
    standing = forms.ChoiceField(
        label=gettext_lazy("Standing"),
        choices=[
            ANY,
            ("kept", gettext_lazy("kept out")),
            ("overruled", gettext_lazy("overruled")),
        ],
        required=False,
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["benchmark"].queryset = Benchmark.objects.filter(project=project)


class OverruleForm(forms.Form):
    """Why the marked overlaps are none, or do no harm."""

    why = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stays in the record."),
        max_length=1000,
        required=False,
    )
