"""Judgements."""

from django import forms
from django.utils.translation import gettext_lazy

from curator.models import Review


class JudgementForm(forms.Form):
    """One judgement of one trace."""

    trace = forms.IntegerField(widget=forms.HiddenInput)
    judgement = forms.ChoiceField(choices=Review.Judgement.choices)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=5000)


class AdjudicationForm(forms.Form):
    """The last word on a trace."""

    judgement = forms.ChoiceField(choices=Review.Judgement.choices)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=5000)
