"""One question to try a model with."""

from django import forms
from django.utils.translation import gettext_lazy

from curator.services.trials import LONGEST_QUESTION


class TrialForm(forms.Form):
    """A question, and what its asker has agreed to pay for it at most."""

    question = forms.CharField(
        label=gettext_lazy("Question"),
        max_length=LONGEST_QUESTION,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("One of the project's, or any other."),
    )
    agreed_usd = forms.DecimalField(min_value=0, max_digits=12, decimal_places=2, widget=forms.HiddenInput)
