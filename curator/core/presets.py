"""Providers of reasoning models as data: addresses, models, prices, how each sends its thinking, and its terms.

Prices and terms change; each carries the day for which its source vouches. A price that no dated source gave is
None, and whoever adds the model enters it. Terms are told in a sentence of our own, which is no legal advice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

FIELD, TAGS, SUMMARY, NONE, FOUND_OUT = "field", "tags", "summary", "none", "found"
_TERMS_READ = date(2026, 11, 23)
_UNREAD = "Their clauses on training were not read for this note: read them before you collect."


@dataclass(frozen=True)
class Price:
    """What a model costs, in USD per million tokens, and who said so."""

    in_usd: Decimal
    out_usd: Decimal
    on: date  # the last day for which the source vouches
    source: str


@dataclass(frozen=True)
class PresetModel:
    """A model of a provider, and what a request to it needs beside the standard fields."""

    name: str
    price: Price | None = None
    thinking_form: str = FIELD
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 0.6
    max_tokens: int = 32_768


@dataclass(frozen=True)
class Preset:
    """A provider: where it is reached, what it offers, and what it says about training on its output."""

    key: str
    name: str
    base_url: str
    models: tuple[PresetModel, ...]
    terms: str
    terms_read_on: date
    permits_training: bool | None  # None: it is not clear
    note: str = ""

    @property
    def terms_note(self) -> str:
        """Return the sentence that goes along with every trace."""
        return f"{self.name}: {self.terms} (Read on {self.terms_read_on.isoformat()}.)"

    @property
    def priced_on(self) -> date | None:
        """Return the day of its oldest price; None where it has none."""
        return min((model.price.on for model in self.models if model.price), default=None)

    def model_named(self, name: str) -> PresetModel:
        """Return a model of it; another name is one that the preset knows nothing about."""
        found = next((model for model in self.models if model.name == name), None)
        if found is not None:
            return found
        thinking_forms = {model.thinking_form for model in self.models}
        alike = thinking_forms.pop() if len(thinking_forms) == 1 else FOUND_OUT
        return PresetModel(name, thinking_form=alike)


def _price(in_usd: str, out_usd: str, on: date, source: str) -> Price:
    return Price(Decimal(in_usd), Decimal(out_usd), on, source)


_DEEPSEEK_PRICES = (
    date(2026, 9, 10),
    "DeepSeek's price list, in force since that day: peak hours, no cache; at other hours half of it is due.",
)
_GOOGLE_PRICES = (
    date(2026, 10, 7),
    "Google's price page as it was read that day: paid tier, up to 200K tokens in, thinking counted as output.",
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        key="deepseek",
        name="DeepSeek",
        base_url="https://api.deepseek.com",
        models=(
            PresetModel(
                "deepseek-v4-pro",
                _price("1.32", "3.96", *_DEEPSEEK_PRICES),
                extra_body={"thinking": {"type": "enabled"}},
            ),
            PresetModel(
                "deepseek-flash",
                _price("0.30", "1.20", *_DEEPSEEK_PRICES),
                extra_body={"thinking": {"type": "enabled"}},
            ),
        ),
        terms=(
            "DeepSeek puts its models under the MIT licence, and the model card of DeepSeek-R1 names distillation "
            "for training other models among what it allows. "
            "The terms of the platform were not read for this note."
        ),
        terms_read_on=_TERMS_READ,
        permits_training=None,
    ),
    Preset(
        key="moonshot",
        name="Moonshot (Kimi)",
        base_url="https://api.moonshot.ai/v1",
        models=(
            PresetModel(
                "kimi-k3",
                _price(
                    "3.00", "15.00", date(2026, 7, 18), "Moonshot's price page of Kimi K3, quoted that day."
                ),
                extra_body={"reasoning_effort": "high"},
                temperature=1.0,
            ),
            PresetModel("kimi-k2.6", extra_body={"thinking": {"type": "enabled"}}, temperature=1.0),
        ),
        terms=f"The terms of the Kimi open platform were last changed on 27 May 2026. {_UNREAD}",
        terms_read_on=_TERMS_READ,
        permits_training=None,
        note="The platform fixes the temperature of its Kimi models at 1.",
    ),
    Preset(
        key="minimax",
        name="MiniMax",
        base_url="https://api.minimax.io/v1",
        models=(
            PresetModel(
                "MiniMax-M3",
                _price(
                    "0.30",
                    "1.20",
                    date(2026, 9, 11),
                    "MiniMax's standard tier for up to 512K tokens in, as a guide read it on that day.",
                ),
                thinking_form=TAGS,
                temperature=1.0,
            ),
            PresetModel("MiniMax-M2.7", thinking_form=TAGS, temperature=1.0),
        ),
        terms=f"MiniMax has terms of service of its own. {_UNREAD}",
        terms_read_on=_TERMS_READ,
        permits_training=None,
        note="A temperature of 0 is refused.",
    ),
    Preset(
        key="dashscope",
        name="Qwen (DashScope)",
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        models=(
            PresetModel("qwen3.8-max", extra_body={"enable_thinking": True}),
            PresetModel("qwen-plus", extra_body={"enable_thinking": True}),
        ),
        terms=f"Alibaba Cloud Model Studio has terms of its own. {_UNREAD}",
        terms_read_on=_TERMS_READ,
        permits_training=None,
        note="In mainland China the address is https://dashscope.aliyuncs.com/compatible-mode/v1.",
    ),
    Preset(
        key="zhipu",
        name="Zhipu (Z.ai)",
        base_url="https://api.z.ai/api/paas/v4",
        models=(
            PresetModel(
                "glm-5.3",
                _price(
                    "1.40",
                    "4.40",
                    date(2026, 8, 20),
                    "Z.ai's price of the pay-per-use API, as a release note of that day quotes it.",
                ),
                extra_body={"thinking": {"type": "enabled"}},
            ),
            PresetModel("glm-4.7", extra_body={"thinking": {"type": "enabled"}}),
        ),
        terms=f"Z.ai has terms of use of its own. {_UNREAD}",
        terms_read_on=_TERMS_READ,
        permits_training=None,
        note="In mainland China the address is https://open.bigmodel.cn/api/paas/v4.",
    ),
    Preset(
        key="siliconflow",
        name="SiliconFlow",
        base_url="https://api.siliconflow.com/v1",
        models=(PresetModel("deepseek-ai/DeepSeek-V4-Pro"), PresetModel("deepseek-ai/DeepSeek-R1")),
        terms=(
            "It serves models of others, whose licences hold for their output; its own agreement was last "
            f"changed on 22 May 2026. {_UNREAD}"
        ),
        terms_read_on=_TERMS_READ,
        permits_training=None,
        note="In mainland China the address is https://api.siliconflow.cn/v1.",
    ),
    Preset(
        key="together",
        name="Together",
        base_url="https://api.together.xyz/v1",
        models=(
            PresetModel("moonshotai/Kimi-K2.5", extra_body={"reasoning": {"enabled": True}}),
            PresetModel("openai/gpt-oss-120b", extra_body={"reasoning_effort": "high"}),
            PresetModel("deepseek-ai/DeepSeek-R1", thinking_form=FOUND_OUT),
        ),
        terms=(
            "It serves models of others, whose licences hold for their output. A monitor of terms of service "
            "reports (29 April 2026) that Together forbids building competing products, without saying what "
            "competes. Read both before you collect."
        ),
        terms_read_on=_TERMS_READ,
        permits_training=None,
    ),
    Preset(
        key="openrouter",
        name="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        models=(
            PresetModel("deepseek/deepseek-r1", extra_body={"include_reasoning": True}),
            PresetModel("z-ai/glm-5.3", extra_body={"include_reasoning": True}),
        ),
        terms=(
            "It passes requests on to others, whose terms and licences hold for their output: read those of the "
            f"model that you choose. OpenRouter has terms of its own. {_UNREAD}"
        ),
        terms_read_on=_TERMS_READ,
        permits_training=None,
        note="Its price depends on where a request is sent on to, so none is filled in.",
    ),
    Preset(
        key="google",
        name="Google (Gemini)",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        models=(
            PresetModel(
                "gemini-3.1-pro-preview",
                _price("2.00", "12.00", *_GOOGLE_PRICES),
                thinking_form=SUMMARY,
                extra_body={"extra_body": {"google": {"thinking_config": {"include_thoughts": True}}}},
                temperature=1.0,
            ),
            PresetModel(
                "gemini-3.8-flash",
                _price("0.75", "3.75", *_GOOGLE_PRICES),
                thinking_form=SUMMARY,
                extra_body={"extra_body": {"google": {"thinking_config": {"include_thoughts": True}}}},
                temperature=1.0,
            ),
        ),
        terms=(
            "The additional terms of the Gemini API (in force since 20 May 2025) forbid using it to develop "
            "models that compete with it, and extracting or copying its models."
        ),
        terms_read_on=_TERMS_READ,
        permits_training=False,
        note="It sends a summary of its thinking, which is no trace. Gemini 3.8 Flash doubles in price on 1 January 2027.",
    ),
    Preset(
        key="openai",
        name="OpenAI",
        base_url="https://api.openai.com/v1",
        models=(
            PresetModel(
                "gpt-6-sol",
                _price(
                    "2.00",
                    "10.00",
                    date(2026, 9, 22),
                    "A price tracker's list of what is in force from that day.",
                ),
                thinking_form=NONE,
                extra_body={"reasoning_effort": "high"},
                temperature=1.0,
            ),
            PresetModel(
                "o4-mini", thinking_form=NONE, extra_body={"reasoning_effort": "high"}, temperature=1.0
            ),
        ),
        terms="OpenAI's terms forbid using its output to develop models that compete with OpenAI.",
        terms_read_on=_TERMS_READ,
        permits_training=False,
        note="It keeps its thinking back: there is nothing in its answers that reasoning could be learnt from.",
    ),
    Preset(
        key="vllm",
        name="vLLM on a machine of one's own",
        base_url="http://127.0.0.1:8000/v1",
        models=(
            PresetModel(
                "Qwen/QwQ-32B",
                _price("0", "0", _TERMS_READ, "One's own machine sends no bill."),
                thinking_form=FOUND_OUT,
            ),
        ),
        terms="The licence of the model's weights holds for its output; read it before you collect.",
        terms_read_on=_TERMS_READ,
        permits_training=None,
        note=(
            "Start the server with --reasoning-parser, and give the name of the model that it serves. Port 8000 is "
            "vLLM's own; where Qianti has it already, start the server on another, as --port 8001."
        ),
    ),
)
_BY_KEY = {preset.key: preset for preset in PRESETS}


def preset_of(key: str) -> Preset | None:
    """Return a preset by its key."""
    return _BY_KEY.get(key)


def fields_of(preset: Preset, model: str = "") -> dict[str, Any]:
    """Return what a preset fills in for one of its models, by field of an endpoint; its first where none is named.

    A price that is not known is None.
    """
    chosen = preset.model_named(model) if model else preset.models[0]
    return {
        "preset": preset.key,
        "base_url": preset.base_url,
        "model": chosen.name,
        "price_in_usd": chosen.price.in_usd if chosen.price else None,
        "price_out_usd": chosen.price.out_usd if chosen.price else None,
        "thinking_form": chosen.thinking_form,
        "extra_body": dict(chosen.extra_body),
        "temperature": chosen.temperature,
        "max_tokens": chosen.max_tokens,
        "terms": preset.terms_note,
    }


def permits_training(key: str, terms: str) -> bool | None:
    """Tell what a preset says about training, as long as its sentence is the one that is kept; None: not clear."""
    preset = preset_of(key)
    return preset.permits_training if preset and preset.terms_note == terms else None
