"""A method, a size and a seed; a dataset's name."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.refusal import Refusal
from curator.core.selection import METHODS, method_from

METHOD_WORDS = {
    "s1-paper": gettext_lazy(
        "The s1 paper's: quality, difficulty, then a domain at random and a long trace in it."
    ),
    "coverage": gettext_lazy("Even over domains and, inside each, over short to long traces."),
    "blueprint": gettext_lazy("Shares by the weights of the taxonomy, as in an exam blueprint."),
    "m1": gettext_lazy("Right traces only; a domain, a source, a question, each equally likely."),
    "random": gettext_lazy("Control: any question that has a trace."),
    "quality": gettext_lazy("Control: quality alone, then at random."),
    "difficulty": gettext_lazy("Control: quality, then the longest traces."),
    "diversity": gettext_lazy("Control: quality, then even over domains."),
    "all": gettext_lazy("Control: everything that has a trace."),
}


class SelectionForm(forms.Form):
    """A method, a size and a seed."""

    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=[(name, name) for name in METHODS],
        widget=forms.RadioSelect,
        initial="s1-paper",
    )
    size = forms.IntegerField(
        label=gettext_lazy("Size"),
        min_value=1,
        max_value=1_000_000,
        initial=1000,
        help_text=gettext_lazy("Questions to select; s1 took 1,000."),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"),
        initial=0,
        min_value=-(2**63),
        max_value=2**63 - 1,
        help_text=gettext_lazy("The same seed on the same questions selects the same ones."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: the method and the size."),
    )
    own_method = forms.CharField(
        label=gettext_lazy("A method of your own, as JSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Outranks the choice above; its fields are those shown on a selection's page."
        ),
    )

    def clean_own_method(self) -> dict[str, Any] | None:
        """Return the method that was written, checked."""
        text = self.cleaned_data["own_method"].strip()
        if not text:
            return None
        try:
            given = json.loads(text)
            if not isinstance(given, Mapping):
                raise forms.ValidationError(_("Write one JSON object, such as {“name”: “mine”, “bands”: 5}."))
            return method_from(given).as_dict()
        except (ValueError, Refusal) as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def described_methods(self) -> list[tuple[str, Any]]:
        """Return each method with what it does."""
        return [(name, METHOD_WORDS.get(name, "")) for name in METHODS]


class FreezeForm(forms.Form):
    """A dataset's name."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: the selection's name and the beginning of the content's hash."),
    )
