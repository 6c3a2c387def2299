"""Orders to teachers and solvers."""

from django import forms
from django.utils.translation import gettext_lazy


class OrderForm(forms.Form):
    """How much to ask a teacher, and for how much money at most."""

    most_pass_rate = forms.TypedChoiceField(
        label=gettext_lazy("Which questions"),
        coerce=float,
        empty_value=None,
        required=False,
        choices=[
            ("", gettext_lazy("all of them")),
            ("0.0", gettext_lazy("those that solvers have tried and always missed")),
            ("0.5", gettext_lazy("those that solvers get right half of the time or less")),
        ],
        help_text=gettext_lazy("Difficulty first, then traces: fewer questions are paid for."),
    )
    question_limit = forms.IntegerField(
        label=gettext_lazy("Most questions"),
        min_value=1,
        required=False,
        help_text=gettext_lazy("Empty: all that it has not answered."),
    )
    cut_again = forms.BooleanField(
        label=gettext_lazy("Ask again what was cut off"),
        required=False,
        help_text=gettext_lazy(
            "Answers that ran into a limit of tokens, now that the teacher's is higher; the cut ones stay."
        ),
    )
    max_cost_usd = forms.DecimalField(
        label=gettext_lazy("At most (USD)"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=gettext_lazy("The order stops before it would cost more."),
    )


class LimitForm(forms.Form):
    """For how much money at most an order that rests is to go on."""

    max_cost_usd = forms.DecimalField(
        label=gettext_lazy("At most (USD)"), min_value=0, max_digits=12, decimal_places=2
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
