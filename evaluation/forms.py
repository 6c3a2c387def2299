"""A request as checked values; nothing here saves."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.models import Project
from curator.models import Benchmark
from evaluation.core.policy import policies_from
from evaluation.models import MarkedAnswer
from training.models import Model

DEFAULT_BUDGETS = "16, 32, 64, 128, 192"
MOST_BUDGETS = 20


class EvaluationForm(forms.Form):
    """A model, a benchmark, budgets, and how often an early end is answered with "Wait"."""

    model = forms.ModelChoiceField(
        label=gettext_lazy("Model"),
        queryset=Model.objects.none(),
        help_text=gettext_lazy("The base first: without it nothing can be said of what was tuned."),
    )
    benchmark = forms.ModelChoiceField(label=gettext_lazy("Benchmark"), queryset=Benchmark.objects.none())
    budgets = forms.CharField(
        label=gettext_lazy("Budgets (thinking tokens)"),
        initial=DEFAULT_BUDGETS,
        help_text=gettext_lazy(
            "The model thinks once to the largest; every smaller one is a cut of the same thought."
        ),
    )
    extensions = forms.IntegerField(
        label=gettext_lazy("Also with “Wait”, so many times"),
        initial=1,
        min_value=0,
        max_value=8,
        required=False,
        help_text=gettext_lazy(
            "At the largest budget, an early end is answered with “Wait” up to so many times. 0: never."
        ),
    )

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        models = Model.objects.filter(project=project).exclude(kind=Model.Kind.REMOTE)
        self.fields["model"].queryset = models.order_by("kind", "name")
        self.fields["benchmark"].queryset = Benchmark.objects.filter(project=project, is_exam=False)

    def clean_budgets(self) -> list[int]:
        """Return the budgets, each once and in order."""
        parts = [part for part in re.split(r"[,，、;；\s]+", self.cleaned_data["budgets"].strip()) if part]
        if wrong := [part for part in parts if not part.isdecimal() or int(part) < 1]:
            raise forms.ValidationError(
                _("“%(part)s” is no budget: write whole numbers of tokens above 0, such as 16, 32, 64.")
                % {"part": wrong[0][:40]}
            )
        if len(set(parts)) > MOST_BUDGETS:
            raise forms.ValidationError(
                _("%(count)d budgets are too many; take at most %(most)d.")
                % {"count": len(set(parts)), "most": MOST_BUDGETS}
            )
        return sorted({int(part) for part in parts})

    def clean(self) -> dict[str, Any]:
        """Build the policies, so that their own refusals become the form's."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("budgets"):
            policies: list[dict[str, Any]] = [{"max_tokens": budget} for budget in cleaned["budgets"]]
            extensions = range(1, (cleaned.get("extensions") or 0) + 1)
            policies += [{"max_tokens": cleaned["budgets"][-1], "extensions": count} for count in extensions]
            try:
                policies_from(policies)
            except ValueError as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
            cleaned["policies"] = policies
        return cleaned


class ItemFilterForm(forms.Form):
    """Which items of an evaluation to list."""

    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), required=False)
    policy = forms.ChoiceField(label=gettext_lazy("Under"), required=False)

    def __init__(self, *args: Any, policies: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["outcome"].choices = [("", gettext_lazy("any")), *MarkedAnswer.Outcome.choices]
        self.fields["policy"].choices = [
            ("", gettext_lazy("any budget")),
            *((name, name) for name in policies),
        ]
