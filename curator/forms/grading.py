"""Orders to grade, and an expert's check of a grade."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.models import Project
from curator.models import Assistant


class GradingForm(forms.Form):
    """Which assistant is to grade, and for how much money at most."""

    assistant: Any = forms.ModelChoiceField(
        label=gettext_lazy("Assistant"), queryset=Assistant.objects.none(), empty_label=None
    )
    max_cost_usd = forms.DecimalField(
        label=gettext_lazy("At most (USD)"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=gettext_lazy("The order stops before it would cost more."),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assistant: Any = self.fields["assistant"]
        assistant.queryset = Assistant.objects.filter(project=project).exclude(base_url="")


class SpotCheckForm(forms.Form):
    """An expert's own verdict on one answer of a sample."""

    kind = forms.ChoiceField(choices=[("trace", ""), ("attempt", "")])
    answer = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    verdict = forms.ChoiceField(choices=[("right", gettext_lazy("right")), ("wrong", gettext_lazy("wrong"))])
