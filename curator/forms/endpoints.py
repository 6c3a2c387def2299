"""Teachers, solvers and the other models of a project: how each is reached, from a preset or by hand."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.endpoints import is_at
from curator.core.presets import PRESETS, Preset, fields_of, preset_of
from curator.models import Assistant, Embedder, Endpoint
from curator.models.endpoints import ThinkingForm

# What a model of a kind usually is given; a grader's 8,192 tokens are s1's.
_USUAL: dict[type[Endpoint], dict[str, Any]] = {
    Assistant: {"temperature": 0, "max_tokens": 8_192},
    Embedder: {"max_in_flight": 4},
}
# An embedding model writes nothing, and is asked by no order that has a pace of its own.
_WITHOUT: dict[type[Endpoint], tuple[str, ...]] = {
    Embedder: (
        "preset",
        "price_out_usd",
        "max_tokens",
        "temperature",
        "thinking_form",
        "extra_body",
        "requests_per_minute",
        "tokens_per_minute",
        "money_limit_usd",
        "terms",
    )
}
_MOST_PER_MINUTE = 2_147_483_647
OWN_ADDRESS = gettext_lazy(
    "This is Qianti's own address; start the vLLM server on another port, as --port 8001."
)


class PresetForm(forms.Form):
    """The provider whose address, models, prices and terms are to be filled in, and one of its models."""

    preset = forms.ChoiceField(
        label=gettext_lazy("Provider"),
        choices=[("", gettext_lazy("another, by hand")), *((each.key, each.name) for each in PRESETS)],
        required=False,
    )
    model = forms.CharField(max_length=200, required=False)

    @property
    def chosen(self) -> Preset | None:
        """Return the preset that was chosen, if it is one."""
        return preset_of(self.cleaned_data.get("preset", "")) if self.is_valid() else None

    @property
    def filled_in(self) -> dict[str, Any]:
        """Return what the choice fills in, by field of an endpoint."""
        chosen = self.chosen
        return fields_of(chosen, self.cleaned_data["model"]) if chosen else {}


class MoreFieldsField(forms.JSONField):
    """A JSON object, shown as nothing where it holds nothing."""

    def prepare_value(self, value: Any) -> Any:
        """Return what the field shows."""
        return super().prepare_value(value) if value else ""


class EndpointForm(forms.Form):
    """A model of a project, and how it is reached; for one that is there, with its own values."""

    preset = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
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
    )
    price_out_usd = forms.DecimalField(
        label=gettext_lazy("USD per million tokens out"),
        min_value=0,
        max_digits=9,
        decimal_places=4,
    )
    thinking_form = forms.ChoiceField(
        label=gettext_lazy("How its thinking comes"), choices=ThinkingForm.choices, required=False
    )
    extra_body = MoreFieldsField(
        label=gettext_lazy("More fields of a request"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy('JSON that is sent with every question, such as {"enable_thinking": true}.'),
    )
    max_tokens = forms.IntegerField(
        label=gettext_lazy("Most tokens per answer"), min_value=1, max_value=1_000_000, initial=32_768
    )
    max_in_flight = forms.IntegerField(
        label=gettext_lazy("Requests in flight"), min_value=1, max_value=256, initial=8
    )
    requests_per_minute = forms.IntegerField(
        label=gettext_lazy("Requests a minute"),
        min_value=1,
        max_value=_MOST_PER_MINUTE,
        required=False,
        help_text=gettext_lazy("Empty: no limit."),
    )
    tokens_per_minute = forms.IntegerField(
        label=gettext_lazy("Tokens a minute"),
        min_value=1,
        max_value=_MOST_PER_MINUTE,
        required=False,
        help_text=gettext_lazy("Empty: no limit."),
    )
    money_limit_usd = forms.DecimalField(
        label=gettext_lazy("Money limit (USD)"),
        min_value=0,
        max_digits=10,
        decimal_places=2,
        required=False,
        help_text=gettext_lazy("Of all orders to it. Empty: no limit."),
    )
    temperature = forms.FloatField(label=gettext_lazy("Temperature"), min_value=0, max_value=2, initial=0.6)
    terms = forms.CharField(
        label=gettext_lazy("Terms of its output"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "What its provider says about training on what it writes; goes along with every trace, card and export."
        ),
    )
    is_stand_in = forms.BooleanField(
        label=gettext_lazy("This is a stand-in"),
        required=False,
        help_text=gettext_lazy("Not a model, but a program that plays one; shown wherever it is used."),
    )

    def __init__(
        self,
        *args: Any,
        kind: type[Endpoint],
        endpoint: Endpoint | None = None,
        filled_in: dict[str, Any] | None = None,
        own_places: Collection[tuple[str, int]] = (),
        **kwargs: Any,
    ) -> None:
        self.own_places = own_places
        initial = {"price_in_usd": 0, "price_out_usd": 0, **_USUAL.get(kind, {})}
        if endpoint is not None:
            initial = {name: getattr(endpoint, name) for name in self.base_fields if name != "key"}
        kwargs["initial"] = {**initial, **(filled_in or {})}
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

    def clean_base_url(self) -> str:
        """Return the address; Qianti's own is no model's."""
        given: str = self.cleaned_data["base_url"]
        if is_at(given, self.own_places):
            raise forms.ValidationError(OWN_ADDRESS)
        return given

    def clean_thinking_form(self) -> str:
        """Return how the thinking comes; what is not said is found out."""
        return self.cleaned_data["thinking_form"] or ThinkingForm.FOUND_OUT

    def clean_extra_body(self) -> Any:
        """Return the fields; none are an empty object."""
        given = self.cleaned_data["extra_body"]
        return {} if given is None else given
