"""Domains typed in, their rules, and orders to sort questions into them."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.models import Project
from curator.core.classification import OTHER
from curator.core.taxonomy import weight_of
from curator.models import Assistant, Classification, Domain, Embedder, Question

_MOST_QUESTIONS = 1000  # of one correction on a domain's page
_LONGEST_OUTLINE = 1_000_000  # characters


class DomainForm(forms.Form):
    """One domain: its code, its name, where it hangs and what it weighs."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=100,
        help_text=gettext_lazy("Short and unique, such as 2.1 or LAW-3; files name the domain by it."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    parent = forms.ModelChoiceField(
        label=gettext_lazy("Part of"),
        queryset=Domain.objects.none(),
        required=False,
        empty_label=gettext_lazy("the top"),
    )
    weight = forms.CharField(
        label=gettext_lazy("Weight"),
        required=False,
        max_length=30,
        help_text=gettext_lazy("A number such as 40, or 30%. What counts is its share among its neighbours."),
    )

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["parent"].queryset = project.domains.exclude(code=OTHER)  # type: ignore[attr-defined]

    def clean_weight(self) -> float | None:
        """Return the weight as a number."""
        text = self.cleaned_data["weight"].strip()
        weight = weight_of(text) if text else None
        if text and weight is None:
            raise forms.ValidationError(_("“%(text)s” is no number.") % {"text": text})
        return weight


class OutlineForm(forms.Form):
    """A whole tree, typed."""

    text = forms.CharField(
        label=gettext_lazy("The tree"),
        max_length=_LONGEST_OUTLINE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "written"}),
        help_text=gettext_lazy(
            "One domain a line: code, name, weight. A line that is indented more belongs to the one above. "
            "The weight may be left out."
        ),
    )
    digest = forms.CharField(required=False, widget=forms.HiddenInput)


class HeirForm(forms.Form):
    """Where the questions of a removed domain go."""

    heir = forms.ChoiceField(
        label=gettext_lazy("Its questions go to"),
        choices=[("parent", gettext_lazy("the domain above it")), (OTHER, gettext_lazy("“other”"))],
        required=False,
    )


class RuleForm(forms.Form):
    """Words by which questions find a domain."""

    words = forms.CharField(
        label=gettext_lazy("Words"),
        max_length=2000,
        help_text=gettext_lazy(
            "Parted by commas; any of them is enough. English words match whole (tax, not taxi; tax* matches "
            "both), Chinese ones anywhere."
        ),
    )


class CorrectionForm(forms.Form):
    """Questions, and the domain that an expert puts them into."""

    questions = forms.ModelMultipleChoiceField(queryset=Question.objects.none())
    domain = forms.ModelChoiceField(
        label=gettext_lazy("They belong to"),
        queryset=Domain.objects.none(),
        required=False,
        empty_label=gettext_lazy("none"),
    )

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["domain"].queryset = project.domains.all()  # type: ignore[attr-defined]
        self.fields["questions"].queryset = project.questions.all()  # type: ignore[attr-defined]

    def clean_questions(self) -> Any:
        """Return the chosen questions, of which there is an end."""
        chosen = self.cleaned_data["questions"]
        if len(chosen) > _MOST_QUESTIONS:
            raise forms.ValidationError(_("Choose fewer questions at once."))
        return chosen


class ClassificationForm(forms.Form):
    """How questions are sorted into domains; what another way would need is left out."""

    way = forms.ChoiceField(choices=Classification.Way.choices, widget=forms.HiddenInput)
    assistant = forms.ModelChoiceField(
        label=gettext_lazy("Model"), queryset=Assistant.objects.none(), empty_label=None
    )
    embedder = forms.ModelChoiceField(
        label=gettext_lazy("Embedding model"), queryset=Embedder.objects.none(), empty_label=None
    )
    neighbours = forms.IntegerField(
        label=gettext_lazy("Neighbours that vote"),
        min_value=1,
        max_value=100,
        initial=10,
        help_text=gettext_lazy("The labelled questions nearest in meaning."),
    )
    least_confidence = forms.FloatField(
        label=gettext_lazy("Least confidence"),
        min_value=0,
        max_value=1,
        initial=0.5,
        widget=forms.NumberInput(attrs={"step": "0.05"}),
        help_text=gettext_lazy("Where a smaller share of the votes agrees, the question goes to “other”."),
    )
    max_cost_usd = forms.DecimalField(
        label=gettext_lazy("At most (USD)"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=gettext_lazy("The order stops before it would cost more."),
    )
    only_unlabelled = forms.TypedChoiceField(
        label=gettext_lazy("Which questions"),
        coerce=lambda value: value == "yes",
        choices=[
            ("yes", gettext_lazy("those without a domain")),
            ("no", gettext_lazy("all that no expert has put into a domain")),
        ],
        initial="yes",
    )

    _FIELDS = {
        Classification.Way.RULES: ("only_unlabelled",),
        Classification.Way.NEAREST: (
            "embedder",
            "neighbours",
            "least_confidence",
            "only_unlabelled",
            "max_cost_usd",
        ),
        Classification.Way.ASSISTANT: ("assistant", "only_unlabelled", "max_cost_usd"),
    }

    def __init__(self, *args: Any, project: Project, way: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["assistant"].queryset = project.assistants.all()  # type: ignore[attr-defined]
        self.fields["embedder"].queryset = project.embedders.all()  # type: ignore[attr-defined]
        self.fields["way"].initial = way
        self.fields = {name: self.fields[name] for name in ("way", *self._FIELDS[Classification.Way(way)])}
