"""Files of traces, and what their columns mean."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.refusal import Refusal
from curator.core.layouts import FIELDS, GIVEN, PAIRED, PLAIN, complete_mapping, recognise
from curator.forms.pools import UploadForm

TRACE_ROLES = [
    ("", gettext_lazy("not used")),
    ("question", gettext_lazy("Question")),
    ("options", gettext_lazy("Options, all in one cell")),
    *[(f"option {letter}", gettext_lazy("Option") + f" {letter}") for letter in "ABCDEFGH"],
    ("external_id", gettext_lazy("Id of the question in its source")),
    ("thinking", gettext_lazy("Thinking")),
    ("answer", gettext_lazy("Answer of the model")),
    ("reply", gettext_lazy("Whole replies, thinking and answer together")),
    ("conversation", gettext_lazy("Conversation, as a list of messages")),
    ("finish_reason", gettext_lazy("How a reply ended")),
    ("complete", gettext_lazy("Whether a reply is complete")),
    ("teacher", gettext_lazy("Teacher")),
    ("licence", gettext_lazy("Licence")),
]
LAYOUT_WORDS = {
    PLAIN: gettext_lazy("columns of their own"),
    PAIRED: gettext_lazy("several makers side by side"),
    GIVEN: gettext_lazy("as a person said"),
    "chat": gettext_lazy("conversations"),
}


class TraceFileForm(UploadForm):
    """A file of traces, and who made them."""

    teacher_name = forms.CharField(
        label=gettext_lazy("Teacher"),
        max_length=100,
        required=False,
        help_text=gettext_lazy(
            "The model that wrote them; it is made if the project has none of that name. "
            "Empty where each row names its own."
        ),
    )


class TraceMappingForm(forms.Form):
    """Who wrote a file of traces, under which terms, and what each of its columns means."""

    teacher_name = forms.CharField(
        label=gettext_lazy("Teacher"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Of every row that does not name its own."),
    )
    terms = forms.CharField(
        label=gettext_lazy("Licence or terms"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "What may be done with these traces, such as Apache-2.0; it goes along with each of them. "
            "Empty: what the teacher's provider says."
        ),
    )
    is_summary = forms.BooleanField(
        label=gettext_lazy("Summaries of thinking"),
        required=False,
        help_text=gettext_lazy("The provider kept the thinking itself back; it is no trace to learn from."),
    )

    def __init__(
        self, *args: Any, columns: Sequence[str], file_name: str, teacher_name: str = "", **options: Any
    ) -> None:
        super().__init__(*args, initial={"teacher_name": teacher_name}, **options)
        self.columns, self.file_name = list(columns), file_name
        self.found = recognise(self.columns, teacher=teacher_name)
        roles = {column: name for name, column in self.found.mapping.items()}
        for place, column in enumerate(self.columns):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=column, choices=TRACE_ROLES, required=False, initial=roles.get(column, "")
            )

    def column_fields(self) -> list[forms.BoundField]:
        """Return the fields of the columns, in the order of the file."""
        return [self[f"column_{place}"] for place in range(len(self.columns))]

    def about_fields(self) -> list[forms.BoundField]:
        """Return the fields of the whole file."""
        return [self[name] for name in ("teacher_name", "terms", "is_summary")]

    def layout(self) -> str:
        """Return the layout's name as a person knows it."""
        return str(LAYOUT_WORDS.get(self.found.layout, self.found.layout))

    def mapping(self) -> dict[str, str] | None:
        """Return the complete mapping that is shown, or None where it is not complete."""
        if self.is_bound:
            return self.cleaned_data.get("complete") if self.is_valid() else None
        try:
            found = complete_mapping(self.columns, dict(self.found.mapping), file_name=self.file_name)
        except Refusal:
            return None
        return dict(found.mapping)

    def clean(self) -> dict[str, Any]:
        """Check that each meaning is given once, and that it is known what was answered, to what, by whom."""
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
        if not self.cleaned_data.get("teacher_name") and "teacher" not in chosen:
            self.add_error("teacher_name", _("Name the teacher, or the column that names it."))
        # What a person set to “not used” must not be guessed again by the import.
        given = dict.fromkeys(FIELDS, "") | chosen
        try:
            found = complete_mapping(self.columns, given, file_name=self.file_name)
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        self.cleaned_data |= {"mapping": given, "complete": dict(found.mapping)}
        return self.cleaned_data
