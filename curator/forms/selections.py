"""A method, a size and a seed; a dataset's name."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.refusal import Refusal
from curator.core.method import METHODS, Method, method_from
from curator.core.quality import BY_NAME
from curator.models import QualityPattern

METHOD_WORDS = {
    "s1-paper": gettext_lazy(
        "The s1 paper's: quality, difficulty, then a domain at random and a long trace in it."
    ),
    "s1-notebook": gettext_lazy(
        "The s1 notebook's: as the paper's up to 70 %, then by the mix of domains in your benchmarks."
    ),
    "coverage": gettext_lazy("Even over domains and, inside each, over short to long traces."),
    "blueprint": gettext_lazy("Shares by the weights of the taxonomy, as in an exam blueprint."),
    "m1": gettext_lazy(
        "Difficulty before traces, right traces only; a domain, a source, a question, each equally likely."
    ),
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


DRAW_WORDS = [
    ("even-domains", gettext_lazy("a domain at random, then a long trace in it")),
    ("even-then-target", gettext_lazy("the same, and the rest by the exams' mix of domains")),
    ("coverage", gettext_lazy("even over domains and lengths")),
    ("blueprint", gettext_lazy("quotas by the taxonomy's weights")),
    ("domain-source", gettext_lazy("a domain, a source, a question")),
    ("domains", gettext_lazy("even over domains")),
    ("random", gettext_lazy("at random")),
    ("longest", gettext_lazy("the longest traces")),
    ("all", gettext_lazy("everything that is left")),
]
RANKING_WORDS = [
    ("standard", gettext_lazy("right, agreed upon, flawless, longer, cheaper")),
    ("alone", gettext_lazy("right, flawless, longer, cheaper")),
    ("brief", gettext_lazy("right, agreed upon, flawless, shorter, cheaper")),
    ("middle", gettext_lazy("right, agreed upon, flawless, of middle length, cheaper")),
    ("cheap", gettext_lazy("right, flawless, cheaper, agreed upon, longer")),
]
MEASURE_WORDS = [
    ("passes", gettext_lazy("solvers' passes")),
    ("length", gettext_lazy("length of the trace")),
    ("rating", gettext_lazy("an expert's rating")),
]


def _slider(least: float, most: float, step: float) -> forms.NumberInput:
    return forms.NumberInput(
        attrs={"type": "range", "min": str(least), "max": str(most), "step": str(step), "data-shows": "1"}
    )


class TryForm(forms.Form):
    """A method with its knobs, tried out; a method just chosen begins with its own settings."""

    method = forms.ChoiceField(
        label=gettext_lazy("Method"), choices=[(name, name) for name in METHODS], initial="s1-paper"
    )
    size = forms.IntegerField(label=gettext_lazy("Size"), min_value=1, max_value=1_000_000, initial=1000)
    seed = forms.IntegerField(label=gettext_lazy("Seed"), initial=0, min_value=-(2**63), max_value=2**63 - 1)
    knobs_of = forms.CharField(required=False, widget=forms.HiddenInput)  # the method that the knobs are of
    draw = forms.ChoiceField(label=gettext_lazy("Draw"), choices=DRAW_WORDS, required=False)
    bands = forms.IntegerField(
        label=gettext_lazy("Bands of length"),
        min_value=1,
        max_value=100,
        required=False,
        widget=_slider(1, 20, 1),
    )
    even_share = forms.FloatField(
        label=gettext_lazy("Share drawn evenly"),
        min_value=0,
        max_value=1,
        required=False,
        widget=_slider(0, 1, 0.05),
    )
    weights = forms.CharField(
        label=gettext_lazy("Weights of domains"),
        required=False,
        help_text=gettext_lazy("Such as law=2, tax=1; empty: the taxonomy's, or the exams' mix."),
    )
    first = forms.CharField(
        label=gettext_lazy("Pools that are in first"),
        required=False,
        help_text=gettext_lazy("With the least tokens of a right trace, such as AIME=0, MATH=5600."),
    )
    difficulty = forms.BooleanField(label=gettext_lazy("Leave out what is too easy"), required=False)
    difficulty_by = forms.MultipleChoiceField(
        label=gettext_lazy("By"),
        choices=MEASURE_WORDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    combine = forms.ChoiceField(
        label=gettext_lazy("Too easy by"),
        choices=[("any", gettext_lazy("any of them")), ("all", gettext_lazy("all of them"))],
        required=False,
    )
    most_passed = forms.FloatField(
        label=gettext_lazy("Largest share of tries that pass"),
        min_value=0,
        max_value=1,
        required=False,
        widget=_slider(0, 1, 0.05),
    )
    least_tokens = forms.IntegerField(
        label=gettext_lazy("Least tokens of a trace"),
        min_value=0,
        max_value=10**9,
        required=False,
        widget=_slider(0, 20_000, 100),
    )
    least_rating = forms.IntegerField(
        label=gettext_lazy("Least rating"), min_value=1, max_value=5, required=False, widget=_slider(1, 5, 1)
    )
    keep_untried = forms.BooleanField(
        label=gettext_lazy("Keep what nobody has tried or rated"), required=False
    )
    before_traces = forms.BooleanField(
        label=gettext_lazy("Judge it before traces are bought"), required=False
    )
    only_right = forms.BooleanField(label=gettext_lazy("Right traces only"), required=False)
    ranking = forms.ChoiceField(
        label=gettext_lazy("Of several traces, the one that is"), choices=RANKING_WORDS, required=False
    )
    drop_copies = forms.BooleanField(label=gettext_lazy("Leave out near copies"), required=False)
    quality = forms.BooleanField(label=gettext_lazy("Leave out what shows a flaw"), required=False)
    patterns = forms.MultipleChoiceField(
        label=gettext_lazy("Flaws that count"), required=False, widget=forms.CheckboxSelectMultiple
    )

    KNOBS = (
        *("draw", "bands", "even_share", "difficulty", "difficulty_by", "combine", "most_passed"),
        *("least_tokens", "least_rating", "keep_untried", "before_traces", "only_right", "drop_copies"),
        "ranking",
        *("quality", "patterns"),
    )

    def __init__(self, given: Any, *, patterns: Mapping[str, int]) -> None:
        """Take a request's values, and the known patterns with how often each is found."""
        name = given.get("method", "")
        method = METHODS.get(name) or METHODS["s1-paper"]
        if given.get("knobs_of") != method.name:
            given = self._knobs(method, given, tuple(patterns))
        super().__init__(given)
        self.pattern_names = tuple(patterns)
        self.fields["patterns"].choices = [  # type: ignore[attr-defined]
            (pattern, f"{pattern} · {count:,}") for pattern, count in patterns.items()
        ]

    @staticmethod
    def _knobs(method: Method, given: Any, patterns: tuple[str, ...]) -> dict[str, Any]:
        """Return the settings of a method as the values of this form."""
        knobs = method.as_dict()
        return {
            **{knob: knobs[knob] for knob in TryForm.KNOBS},
            "patterns": [name for name in patterns if name in method.patterns_of(patterns)],
            "weights": "",
            "first": "",
            "method": method.name,
            "knobs_of": method.name,
            "size": given.get("size", 1000),
            "seed": given.get("seed", 0),
        }

    @property
    def settings(self) -> list[tuple[str, str]]:
        """Return the values shown, as a form or an address holds them."""
        return [
            (name, str(value))
            for name in self.fields
            for value in _values(self[name].value())
            if value not in (None, "", False)
        ]

    def clean_weights(self) -> dict[str, float]:
        """Return the weights by a domain's code."""
        return _pairs(self.cleaned_data["weights"])

    def clean_first(self) -> dict[str, float]:
        """Return the least tokens by a pool's name."""
        return _pairs(self.cleaned_data["first"])

    def clean(self) -> dict[str, Any]:
        """Put the method together; its name says whether a knob was turned."""
        given = super().clean() or {}
        if self.errors:
            return given
        base = METHODS[given["method"]]
        turned = {knob: given[knob] for knob in self.KNOBS if given[knob] not in (None, "")}
        turned |= {"weights": given["weights"], "first": given["first"]}
        if set(turned["patterns"]) == set(self.pattern_names):
            turned["patterns"] = None
        turned["difficulty_by"] = turned["difficulty_by"] or list(base.difficulty_by)
        whole = base.as_dict() | turned
        if whole != base.as_dict():
            whole["name"] = f"{base.name}*"
        try:
            given["made"] = method_from(whole, own_patterns=self.pattern_names).as_dict()
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return given


def _values(value: Any) -> list[Any]:
    if value is True:
        return ["on"]
    return list(value) if isinstance(value, list | tuple) else [value]


def knobs_of(method: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored method as the values of `TryForm`; built on the method whose name it bears."""
    name = str(method.get("name", "")).rstrip("*")
    base = METHODS.get(name, METHODS["s1-paper"])
    whole = base.as_dict() | dict(method)
    knobs: dict[str, Any] = {knob: whole[knob] for knob in TryForm.KNOBS if whole[knob] not in (None, False)}
    for pairs in ("weights", "first"):
        knobs[pairs] = ", ".join(f"{key}={number:g}" for key, number in whole[pairs].items())
    if whole["patterns"] is None:
        knobs["patterns"] = list(BY_NAME)
    return {key: value for key, value in knobs.items() if value != ""} | {
        "method": base.name,
        "knobs_of": base.name,
    }


def _pairs(text: str) -> dict[str, float]:
    """Read "law=2, tax=1"."""
    pairs: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[,，;；\n]", text))):
        name, sign, number = part.rpartition("=")
        try:
            pairs[name.strip()] = float(number)
        except ValueError as error:
            raise forms.ValidationError(
                _("“%(part)s” is no NAME=NUMBER; write it as in law=2.") % {"part": part}
            ) from error
        if not sign or not name.strip():
            raise forms.ValidationError(
                _("“%(part)s” is no NAME=NUMBER; write it as in law=2.") % {"part": part}
            )
    return pairs


class PatternForm(forms.Form):
    """A quality pattern of the project's own."""

    name = forms.SlugField(
        label=gettext_lazy("Name"), max_length=60, help_text=gettext_lazy("Letters, digits and hyphens.")
    )
    place = forms.ChoiceField(label=gettext_lazy("Where"), choices=QualityPattern.Place.choices)
    expression = forms.CharField(
        label=gettext_lazy("Expression"),
        max_length=500,
        strip=False,
        help_text=gettext_lazy(
            "Words, or a regular expression (RE2), such as “附表[一二三]” or “see (page|p\\.)”."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("The sentence that is given for a question that is left out by it."),
    )
