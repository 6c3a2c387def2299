"""Judgements."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from curator.models import Review
from curator.services.reviews import Word

LONGEST_NOTE = 5_000  # characters


class JudgementForm(forms.Form):
    """One judgement of one trace; scores come as one field for each scale, named `score-CODE`."""

    trace = forms.IntegerField(widget=forms.HiddenInput)
    judgement = forms.ChoiceField(choices=Review.Judgement.choices)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=LONGEST_NOTE)
    first_wrong = forms.IntegerField(required=False, min_value=0)
    seconds = forms.IntegerField(required=False, min_value=0, max_value=24 * 3600)
    seen = forms.IntegerField(required=False, min_value=0)

    def word(self) -> Word:
        """Return what the reviewer says."""
        said: dict[str, Any] = self.cleaned_data
        return Word(
            judgement=said["judgement"],
            note=said["note"],
            reasons=tuple(self.data.getlist("reasons")),
            first_wrong=said["first_wrong"],
            scores=self._scores(),
            seconds=said["seconds"],
        )

    def _scores(self) -> dict[str, int]:
        marked = ((name, self.data[name]) for name in self.data if name.startswith("score-"))
        return {
            name.removeprefix("score-"): int(value)
            for name, value in marked
            if value.isdecimal() and len(value) < 3
        }


class AdjudicationForm(forms.Form):
    """The last word on a trace."""

    judgement = forms.ChoiceField(choices=Review.Judgement.choices)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=LONGEST_NOTE)
