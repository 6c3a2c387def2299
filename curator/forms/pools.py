"""Pools, files and what their columns mean."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.refusal import Refusal
from curator.core.rows import full_mapping, guess_mapping


class PoolForm(forms.Form):
    """A source of questions."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, help_text=gettext_lazy("Where the questions come from.")
    )
    licence = forms.CharField(
        label=gettext_lazy("Licence"),
        max_length=200,
        help_text=gettext_lazy("Such as CC-BY-4.0, “our own”, or “unknown”."),
    )
    provenance = forms.CharField(
        label=gettext_lazy("Provenance"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Who wrote them, when, for which exam."),
    )


class UploadForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, TSV, XLSX, JSON, JSON Lines or Parquet; the text ones also as .gz."),
    )


ROLES = [
    ("", gettext_lazy("not used")),
    ("question", gettext_lazy("Question")),
    ("key", gettext_lazy("Key (the right answer)")),
    ("options", gettext_lazy("Options, all in one cell")),
    *[(f"option {letter}", gettext_lazy("Option") + f" {letter}") for letter in "ABCDEFGH"],
    ("solution", gettext_lazy("Reference solution")),
    ("marks", gettext_lazy("Marks")),
    ("language", gettext_lazy("Language")),
    ("domain", gettext_lazy("Domain")),
    ("external_id", gettext_lazy("Id in its source")),
]


class MappingForm(forms.Form):
    """What each column of a file means; it begins with a guess from the columns' names."""

    def __init__(self, *args: Any, columns: Sequence[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.columns = columns
        guess = guess_mapping(columns)
        roles = {column: field for field, column in guess.items()}
        known = {role for role, _label in ROLES}
        more = [(role, role) for role in guess if role not in known]
        for place, column in enumerate(columns):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=column, choices=[*ROLES, *more], required=False, initial=roles.get(column, "")
            )

    def clean(self) -> dict[str, Any]:
        """Check that each meaning is given once and that a column holds the question."""
        chosen: dict[str, str] = {}
        for place, column in enumerate(self.columns):
            role = self.cleaned_data.get(f"column_{place}")
            if role and role in chosen:
                self.add_error(
                    f"column_{place}",
                    _("The column “%(column)s” has this meaning already.") % {"column": chosen[role]},
                )
            elif role:
                chosen[role] = column
        unused = dict.fromkeys([*guess_mapping(self.columns), "key", "options", "solution", "marks"], "")
        unused |= dict.fromkeys(["language", "domain", "external_id"], "")
        try:
            full_mapping(self.columns, unused | chosen)
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        # A column that a person set to “not used” must not be guessed again by the import.
        self.cleaned_data["mapping"] = unused | chosen
        return self.cleaned_data

    def guessed(self) -> dict[str, str]:
        """Return the mapping with which the form begins."""
        return guess_mapping(self.columns)
