"""Pools, files and what their columns mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.refusal import Refusal
from curator.core.rows import FIELDS, full_mapping, guess_mapping
from curator.services.imports import REPORT_COLUMNS


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


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Several files from one input, each checked as one alone would be."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Return the files, of which there is at least one."""
        given = data if isinstance(data, list | tuple) else [data]
        return [super(_FilesField, self).clean(file, initial) for file in given or [None]]


class FilesForm(forms.Form):
    """One file, or several at once."""

    file = _FilesField(
        label=gettext_lazy("Files"),
        help_text=gettext_lazy(
            "CSV, TSV, XLSX, JSON, JSON Lines or Parquet, also as .gz or .zip; several at once if you like."
        ),
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
    ("rating", gettext_lazy("Difficulty (1 to 5, or easy to hard)")),
    ("tags", gettext_lazy("Tags")),
]


class MappingForm(forms.Form):
    """What each column of a file means; it begins with what was said last time, or with a guess."""

    def __init__(
        self,
        *args: Any,
        columns: Sequence[str],
        remembered: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.columns = [column for column in columns if column not in REPORT_COLUMNS]
        guess = guess_mapping(self.columns)
        self.first = dict(guess if remembered is None else remembered)
        roles = {column: field for field, column in self.first.items()}
        known = {role for role, _label in ROLES}
        more = [(role, role) for role in [*guess, *self.first] if role not in known]
        for place, column in enumerate(self.columns):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=column,
                choices=[*ROLES, *dict(more).items()],
                required=False,
                initial=roles.get(column, ""),
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
        unused = dict.fromkeys([*guess_mapping(self.columns), *FIELDS], "")
        try:
            full_mapping(self.columns, unused | chosen)
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        # A column that a person set to “not used” must not be guessed again by the import.
        self.cleaned_data["mapping"] = unused | chosen
        return self.cleaned_data
