"""A request as checked values; nothing here saves."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.refusal import Refusal
from common.models import Project
from curator.core.rows import full_mapping, guess_mapping
from curator.core.selection import METHODS, method_from
from curator.models import Domain, Pool, Question, Review, Standing

LANGUAGES = [("en", gettext_lazy("English")), ("zh", gettext_lazy("Chinese"))]
ANY = ("", gettext_lazy("any"))


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


class EndpointForm(forms.Form):
    """A teacher or a solver, and how it is reached."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    base_url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=500,
        assume_scheme="https",
        help_text=gettext_lazy("Of an OpenAI-compatible service; ends in /v1, as a rule."),
    )
    model = forms.CharField(
        label=gettext_lazy("Model"), max_length=200, help_text=gettext_lazy("Its name at that address.")
    )
    key = forms.CharField(
        label=gettext_lazy("Access key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Kept encrypted and never shown again."),
    )
    price_in_usd = forms.DecimalField(
        label=gettext_lazy("USD per million tokens in"),
        min_value=0,
        max_digits=9,
        decimal_places=4,
        initial=0,
    )
    price_out_usd = forms.DecimalField(
        label=gettext_lazy("USD per million tokens out"),
        min_value=0,
        max_digits=9,
        decimal_places=4,
        initial=0,
    )
    max_tokens = forms.IntegerField(
        label=gettext_lazy("Most tokens per answer"), min_value=1, max_value=1_000_000, initial=32_768
    )
    max_in_flight = forms.IntegerField(
        label=gettext_lazy("Requests in flight"), min_value=1, max_value=256, initial=8
    )
    temperature = forms.FloatField(label=gettext_lazy("Temperature"), min_value=0, max_value=2, initial=0.6)
    is_stand_in = forms.BooleanField(
        label=gettext_lazy("This is a stand-in"),
        required=False,
        help_text=gettext_lazy("Not a model, but a program that plays one; shown wherever it is used."),
    )


class OrderForm(forms.Form):
    """How much to ask a teacher, and for how much money at most."""

    question_limit = forms.IntegerField(
        label=gettext_lazy("Most questions"),
        min_value=1,
        required=False,
        help_text=gettext_lazy("Empty: all that it has not answered."),
    )
    max_cost_usd = forms.DecimalField(
        label=gettext_lazy("At most (USD)"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=gettext_lazy("The order stops before it would cost more."),
    )


class ProbeForm(forms.Form):
    """How often a solver tries each question, and for how much money at most."""

    samples = forms.IntegerField(
        label=gettext_lazy("Tries per question"), min_value=1, max_value=64, initial=1
    )
    max_cost_usd = forms.DecimalField(
        label=gettext_lazy("At most (USD)"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=gettext_lazy("The order stops before it would cost more."),
    )


class TraceFileForm(UploadForm):
    """A file of traces, and who made them."""

    teacher_name = forms.CharField(
        label=gettext_lazy("Teacher"),
        max_length=100,
        help_text=gettext_lazy("The model that wrote them; it is made if the project has none of that name."),
    )


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


class JudgementForm(forms.Form):
    """One judgement of one trace."""

    trace = forms.IntegerField(widget=forms.HiddenInput)
    judgement = forms.ChoiceField(choices=Review.Judgement.choices)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=5000)


class AdjudicationForm(forms.Form):
    """The last word on a trace."""

    judgement = forms.ChoiceField(choices=Review.Judgement.choices)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=5000)


class FreezeForm(forms.Form):
    """A dataset's name."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: the selection's name and the beginning of the content's hash."),
    )


class BenchmarkForm(UploadForm):
    """Held-out questions."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=200, required=False)


def initial_key(question: Question) -> dict[str, Any]:
    """Return what the key form of a question begins with."""
    return {"key": question.key}
