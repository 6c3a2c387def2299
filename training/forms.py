"""A request as checked values; nothing here saves."""

from math import gcd
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.core.chat import MARKUPS
from common.core.refusal import Refusal
from common.models import Project
from training.core.recipe import RECIPES, Recipe, as_dict, from_dict
from training.models import Model

OVERRIDES = (
    "learning_rate",
    "epochs",
    "batch_size",
    "max_length",
    "seed",
    "loss_weighting",
    "layout",
)
WEIGHTING_WORDS = (
    ("sample", _("rows: each counts the same, as in s1")),
    ("token", _("tokens: a row counts as much as it is long")),
)
LAYOUT_WORDS = (
    ("rows", _("side by side, a row on each card, as in s1")),
    ("packed", _("end to end, so that every card has as much to do")),
)


class RunForm(forms.Form):
    """A base model, a recipe by name, and the values to change in it."""

    base = forms.ModelChoiceField(
        label=_("Base model"),
        queryset=Model.objects.none(),
        help_text=_("What is fine-tuned; it stays as it is."),
    )
    recipe = forms.ChoiceField(label=_("Recipe"), help_text=_("A whole set of tried values."))
    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Empty: the base and the dataset.")
    )
    learning_rate = forms.FloatField(label=_("Learning rate"), required=False, min_value=0)
    epochs = forms.IntegerField(label=_("Epochs"), required=False, min_value=1)
    batch_size = forms.IntegerField(label=_("Rows per step"), required=False, min_value=1)
    max_length = forms.IntegerField(
        label=_("Longest row (tokens)"),
        required=False,
        min_value=1,
        help_text=_("A longer row is refused, never cut."),
    )
    seed = forms.IntegerField(label=_("Seed"), required=False, min_value=0)
    loss_weighting = forms.ChoiceField(
        label=_("The loss is the mean of"),
        required=False,
        choices=[("", _("as in the recipe")), *WEIGHTING_WORDS],
    )
    layout = forms.ChoiceField(
        label=_("A step's rows lie"),
        required=False,
        choices=[("", _("as in the recipe")), *LAYOUT_WORDS],
        help_text=_(
            "What is learnt is the same; cards wait less for the longest row, and each needs more memory."
        ),
    )

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["base"].queryset = Model.objects.filter(project=project, kind=Model.Kind.BASE)
        self.fields["recipe"].choices = [(name, name) for name in RECIPES]
        self.fields["learning_rate"].widget.attrs["step"] = "any"

    def clean(self) -> dict[str, Any]:
        """Build the whole recipe, so that its own refusals become the form's."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                cleaned["made"] = self._make(cleaned)
            except Refusal as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return cleaned

    def _make(self, cleaned: dict[str, Any]) -> Recipe:
        """Return the named recipe with the values given, in the base's own markup."""
        made = as_dict(RECIPES[cleaned["recipe"]]()) | {"markup": cleaned["base"].markup}
        made |= {name: cleaned[name] for name in OVERRIDES if cleaned.get(name) not in (None, "")}
        made["rows_per_card"] = gcd(made["rows_per_card"], made["batch_size"])
        return from_dict(made)

    @property
    def is_changed(self) -> bool:
        """Return whether a value of the recipe was given."""
        return self.is_bound and any(self.data.get(name) for name in OVERRIDES)

    @property
    def made(self) -> Recipe:
        """Return the recipe as it would be used."""
        return self.cleaned_data["made"]


class BaseForm(forms.Form):
    """A model from outside that can be fine-tuned and evaluated."""

    name = forms.CharField(label=_("Name"), max_length=200)
    location = forms.CharField(
        label=_("Location"),
        help_text=_("A folder on the machine that trains, or a name that it can resolve."),
    )
    markup = forms.ChoiceField(
        label=_("Markup"),
        choices=[(name, name) for name in MARKUPS],
        help_text=_("The chat format that the model was made with."),
    )
