"""Teachers, solvers, and orders to them."""

from django import forms
from django.utils.translation import gettext_lazy

from curator.forms.pools import UploadForm


class EndpointForm(forms.Form):
    """A teacher or a solver, and how it is reached."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    base_url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=500,
        assume_scheme="https",
        help_text=gettext_lazy("Of an OpenAI-compatible service; ends in /v1, as a rule."),
    )
    model = forms.CharField(
        label=gettext_lazy("Model"), max_length=200, help_text=gettext_lazy("Its name at that address.")
    )
    key = forms.CharField(
        label=gettext_lazy("Access key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Kept encrypted and never shown again."),
    )
    price_in_usd = forms.DecimalField(
        label=gettext_lazy("USD per million tokens in"),
        min_value=0,
        max_digits=9,
        decimal_places=4,
        initial=0,
    )
    price_out_usd = forms.DecimalField(
        label=gettext_lazy("USD per million tokens out"),
        min_value=0,
        max_digits=9,
        decimal_places=4,
        initial=0,
    )
    max_tokens = forms.IntegerField(
        label=gettext_lazy("Most tokens per answer"), min_value=1, max_value=1_000_000, initial=32_768
    )
    max_in_flight = forms.IntegerField(
        label=gettext_lazy("Requests in flight"), min_value=1, max_value=256, initial=8
    )
    temperature = forms.FloatField(label=gettext_lazy("Temperature"), min_value=0, max_value=2, initial=0.6)
    is_stand_in = forms.BooleanField(
        label=gettext_lazy("This is a stand-in"),
        required=False,
        help_text=gettext_lazy("Not a model, but a program that plays one; shown wherever it is used."),
    )


class OrderForm(forms.Form):
    """How much to ask a teacher, and for how much money at most."""

    question_limit = forms.IntegerField(
        label=gettext_lazy("Most questions"),
        min_value=1,
        required=False,
        help_text=gettext_lazy("Empty: all that it has not answered."),
    )
    max_cost_usd = forms.DecimalField(
        label=gettext_lazy("At most (USD)"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=gettext_lazy("The order stops before it would cost more."),
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


class TraceFileForm(UploadForm):
    """A file of traces, and who made them."""

    teacher_name = forms.CharField(
        label=gettext_lazy("Teacher"),
        max_length=100,
        help_text=gettext_lazy("The model that wrote them; it is made if the project has none of that name."),
    )
