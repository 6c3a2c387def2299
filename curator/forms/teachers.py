"""Teachers, solvers and the other models of a project, and orders to them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from curator.forms.pools import UploadForm
from curator.models import Assistant, Embedder, Endpoint

# What a model of a kind usually is given; a grader's 8,192 tokens are s1's.
_USUAL: dict[type[Endpoint], dict[str, Any]] = {
    Assistant: {"temperature": 0, "max_tokens": 8_192},
    Embedder: {"max_in_flight": 4},
}
# An embedding model writes nothing.
_WITHOUT: dict[type[Endpoint], tuple[str, ...]] = {Embedder: ("price_out_usd", "max_tokens", "temperature")}


class EndpointForm(forms.Form):
    """A model of a project, and how it is reached; for one that is there, with its own values."""

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

    def __init__(
        self, *args: Any, kind: type[Endpoint], endpoint: Endpoint | None = None, **kwargs: Any
    ) -> None:
        initial = dict(_USUAL.get(kind, {}))
        if endpoint is not None:
            initial = {name: getattr(endpoint, name) for name in self.base_fields if name != "key"}
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        for name in _WITHOUT.get(kind, ()):
            del self.fields[name]
        if endpoint is not None and endpoint.encrypted_key:
            self.fields["key"].help_text = gettext_lazy(
                "Empty: the key that is kept stays. It goes to no other address: with a new address, enter it again."
            )
            self.fields["forget_key"] = forms.BooleanField(
                label=gettext_lazy("Forget the key that is kept"), required=False
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
