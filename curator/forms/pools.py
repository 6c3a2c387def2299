"""Pools, files and what their columns mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.refusal import Refusal
from curator import readers
from curator.core.rows import FIELDS, MissingColumn, full_mapping, guess_mapping
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
        help_text=gettext_lazy("CSV, TSV, XLSX, JSON, JSON Lines or Parquet, also as .gz or .zip."),
        allow_empty_file=True,  # the reader refuses it in the words that a command has too
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
        allow_empty_file=True,
        label=gettext_lazy("Files"),
        help_text=gettext_lazy(
            "CSV, TSV, XLSX, JSON, JSON Lines or Parquet, also as .gz or .zip; several at once if you like."
        ),
    )


SEPARATORS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("bar"),
    "，": gettext_lazy("full-width comma"),
}
_ROW = gettext_lazy("row {row}")
_HEADER_ROWS = 30  # that can be chosen; the command takes any
_TEXT_FIELDS, _WORKBOOK_FIELDS = ("encoding", "delimiter", "header_row"), ("sheet", "header_row")
_FIELDS_OF_KIND = {
    "CSV": _TEXT_FIELDS,
    "TSV": _TEXT_FIELDS,
    "JSON": ("encoding",),
    "JSON Lines": ("encoding",),
    "XLSX": _WORKBOOK_FIELDS,
}


class ReadingForm(forms.Form):
    """How a file is written; what is left empty is found out."""

    sheet = forms.CharField(
        label=gettext_lazy("Sheet"), required=False, strip=False, widget=forms.Select, empty_value=""
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"), required=False, choices=[(each, each) for each in readers.ENCODINGS]
    )
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Separator"), required=False, choices=list(SEPARATORS.items())
    )
    header_row = forms.TypedChoiceField(
        label=gettext_lazy("Column names"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            (0, gettext_lazy("none: the first row is a question")),
            *[(row, format_lazy(_ROW, row=row)) for row in range(1, _HEADER_ROWS + 1)],
        ],
    )

    def __init__(self, *args: Any, remembered: readers.Reading = readers.AS_FOUND, **options: Any) -> None:
        super().__init__(*args, initial=remembered.given(), **options)
        self.remembered = remembered

    @property
    def reading(self) -> readers.Reading:
        """Return what a person says now, or said of the last such file."""
        if not self.is_bound:
            return self.remembered
        self.is_valid()
        given = {name: self.cleaned_data.get(name) for name in ("sheet", "encoding", "delimiter")}
        return readers.Reading(
            **{name: value or "" for name, value in given.items()},
            header_row=self.cleaned_data.get("header_row"),
        )

    def show(self, table: readers.Table) -> None:
        """Ask what a table that could be read lets one say, and name what was found out."""
        row = format_lazy(_ROW, row=table.header_row) if table.header_row else _("none")
        found = {
            "sheet": table.sheet,
            "encoding": table.encoding,
            "delimiter": SEPARATORS.get(table.delimiter, ""),
            "header_row": row,
        }
        self._ask(_FIELDS_OF_KIND.get(table.kind, ()), table.sheets, found)

    def show_refused(self, kind: str, sheets: Sequence[str]) -> None:
        """Ask what may be the cause that a file of a kind could not be read; `sheets` are a workbook's."""
        self._ask(_TEXT_FIELDS if kind == "text" else _FIELDS_OF_KIND.get(kind, ()), sheets, {})

    def _ask(self, asked: Sequence[str], sheets: Sequence[str], found: Mapping[str, Any]) -> None:
        given = self.reading.given()
        if len(sheets) > 1:
            self.fields["sheet"].widget.choices = [(name, name) for name in sheets]
        else:
            del self.fields["sheet"]
        for name in list(self.fields):
            if name not in asked:
                del self.fields[name]
                continue
            is_said = name in given or name not in found
            first = _("find it out") if is_said else _("found: %(what)s") % {"what": found[name]}
            widget = self.fields[name].widget
            widget.choices = [("", first), *widget.choices]


ROLES = [
    ("", gettext_lazy("not used")),
    ("question", gettext_lazy("Question")),
    ("key", gettext_lazy("Key (the right answer)")),
    ("options", gettext_lazy("Options, all in one cell")),
    *[(f"option {letter}", format_lazy("{} {}", gettext_lazy("Option"), letter)) for letter in "ABCDEFGH"],
    ("solution", gettext_lazy("Reference solution")),
    ("marks", gettext_lazy("Marks")),
    ("language", gettext_lazy("Language")),
    ("domain", gettext_lazy("Domain")),
    ("external_id", gettext_lazy("Id in its source")),
    ("rating", gettext_lazy("Difficulty (1 to 5, or easy to hard)")),
    ("tags", gettext_lazy("Tags")),
]


class MappingForm(forms.Form):
    """What each column of a file means; it begins with what was said last time, or with a guess.

    `said` is what was said of columns of this file on this page before, by column; it goes first.
    """

    def __init__(
        self,
        *args: Any,
        columns: Sequence[str],
        remembered: Mapping[str, str] | None = None,
        said: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.all_columns = columns
        self.columns = [column for column in columns if column not in REPORT_COLUMNS]
        guess = guess_mapping(self.columns)
        first = dict(guess if remembered is None else remembered)
        known = {role for role, _label in ROLES}
        more = [(role, role) for role in [*guess, *first] if role not in known]
        roles = self._roles(
            first, {column: role for column, role in (said or {}).items() if column in columns}
        )
        self.first = {role: column for column, role in roles.items() if role}
        for place, column in enumerate(self.columns):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=column,
                choices=[*ROLES, *dict(more).items()],
                required=False,
                initial=roles.get(column, ""),
            )

    @staticmethod
    def _roles(first: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
        """Return each column's role: what was said of it, or else the first one, if no other column has it."""
        taken = set(said.values())
        given = {
            column: role
            for role, column in first.items()
            if column and column not in said and role not in taken
        }
        return given | dict(said)

    def meanings(self) -> dict[str, str]:
        """Return what is said of each column, by its name, as far as it is a meaning that there is."""
        fields = {name: self[name] for name in self.fields}
        choices = {name: {value for value, _label in field.field.choices} for name, field in fields.items()}
        values = {name: str(field.value() or "") for name, field in fields.items()}
        return {fields[name].label: value for name, value in values.items() if value in choices[name]}

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
        except MissingColumn as missing:
            below = _("Choose “Question” for the column that does, below.")
            raise forms.ValidationError(f"{missing} {below}") from missing
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        # A column that a person set to “not used” must not be guessed again by the import.
        self.cleaned_data["mapping"] = unused | chosen
        return self.cleaned_data
