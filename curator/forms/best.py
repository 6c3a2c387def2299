"""Which rule ranks the traces of a question, and why an expert takes another one."""

from django import forms
from django.utils.translation import gettext_lazy

from curator.core.best import RANKINGS, STANDARD, Ranking
from curator.forms.selections import RANKING_WORDS

LONGEST_REASON = 1000


class RankingForm(forms.Form):
    """A rule to look at the traces by."""

    ranking = forms.ChoiceField(
        label=gettext_lazy("Of several traces, the one that is"),
        choices=RANKING_WORDS,
        required=False,
        initial=STANDARD,
    )

    @property
    def chosen(self) -> Ranking:
        """Return the rule that was asked for; what is none, and nothing, is the standard one."""
        name = self.cleaned_data["ranking"] if self.is_valid() else ""
        return RANKINGS[name or STANDARD]


class TakeForm(forms.Form):
    """Why an expert puts a trace before the one that the rule would take."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_REASON)
