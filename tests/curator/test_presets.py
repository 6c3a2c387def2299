"""Presets of providers: each well-formed, dated, and honest about what it does not know."""

import json
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from curator.core.presets import FOUND_OUT, PRESETS, fields_of, permits_training, preset_of
from curator.models import Teacher
from curator.models.endpoints import ThinkingForm

PROVIDERS = {
    "deepseek",
    "moonshot",
    "minimax",
    "dashscope",
    "zhipu",
    "siliconflow",
    "together",
    "openrouter",
    "google",
    "openai",
    "vllm",
}
MODELS = [(preset, model) for preset in PRESETS for model in preset.models]


def named(case):
    return getattr(case, "name", None) or getattr(case, "key", None)


def test_every_provider_has_one_preset():
    assert len(PRESETS) == len(PROVIDERS)
    assert {preset.key for preset in PRESETS} == PROVIDERS


@pytest.mark.parametrize("preset", PRESETS, ids=named)
def test_an_address_is_encrypted_but_for_one_s_own_machine(preset):
    parts = urlsplit(preset.base_url)

    assert parts.scheme == ("http" if preset.key == "vllm" else "https")
    assert parts.hostname
    assert not preset.base_url.endswith("/")


@pytest.mark.parametrize("preset", PRESETS, ids=named)
def test_every_preset_has_models_under_different_names_and_says_what_its_terms_say(preset):
    names = [model.name for model in preset.models]

    assert names
    assert len(set(names)) == len(names)
    assert preset.terms_read_on > date(2026, 1, 1)
    assert preset.terms_read_on.isoformat() in preset.terms_note
    assert preset.terms.endswith(".")


@pytest.mark.parametrize(("preset", "model"), MODELS, ids=named)
def test_a_price_is_whole_dated_and_sourced_or_none_at_all(preset, model):
    if model.price is None:
        return
    assert model.price.in_usd >= 0
    assert model.price.out_usd >= model.price.in_usd  # answers cost more than questions everywhere
    assert date(2026, 1, 1) < model.price.on <= preset.terms_read_on
    assert model.price.source.endswith(".")
    assert preset.priced_on <= model.price.on


@pytest.mark.parametrize(("preset", "model"), MODELS, ids=named)
def test_a_preset_fills_in_what_an_endpoint_can_hold(preset, model):
    given = fields_of(preset, model.name)
    given |= {name: given[name] or Decimal(0) for name in ("price_in_usd", "price_out_usd")}

    Teacher(name="A", **given).clean_fields(exclude=["project", "encrypted_key"])

    assert model.thinking_form in ThinkingForm.values
    assert json.loads(json.dumps(given["extra_body"])) == given["extra_body"]


def test_the_first_model_is_filled_in_where_none_is_named():
    assert fields_of(preset_of("deepseek"))["model"] == "deepseek-v4-pro"


def test_a_model_that_the_preset_does_not_know_gets_its_address_and_no_price():
    given = fields_of(preset_of("deepseek"), "deepseek-v9")

    assert (given["model"], given["base_url"]) == ("deepseek-v9", "https://api.deepseek.com")
    assert (given["price_in_usd"], given["price_out_usd"]) == (None, None)
    assert given["thinking_form"] == "field"  # all of its models send it so


def test_where_models_send_their_thinking_differently_it_is_found_out_from_each_reply():
    assert fields_of(preset_of("together"), "somebody/new")["thinking_form"] == FOUND_OUT


def test_what_a_preset_fills_in_may_be_changed_without_changing_the_preset():
    fields_of(preset_of("dashscope"))["extra_body"]["enable_thinking"] = False

    assert fields_of(preset_of("dashscope"))["extra_body"] == {"enable_thinking": True}


@pytest.mark.parametrize(
    ("key", "allowed"), [("deepseek", None), ("openai", False), ("google", False), ("together", None)]
)
def test_what_a_preset_says_about_training_holds_for_its_own_sentence_alone(key, allowed):
    terms = preset_of(key).terms_note

    assert permits_training(key, terms) is allowed
    assert permits_training(key, f"{terms} We have a contract.") is None


def test_no_preset_of_that_name():
    assert preset_of("nobody") is None
    assert permits_training("nobody", "") is None
