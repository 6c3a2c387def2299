"""What goes out to an endpoint: a prompt in the standard form, less what the endpoint does not take."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from common.endpoints.addresses import Address

# What an endpoint may refuse, in the order in which it is left out.
JSON_FORM, USAGE, STREAM, MOST = "response_format", "stream_options", "stream", "max_tokens"


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: its task, where it has one beside the question, and whether it is to send JSON."""

    user: str
    system: str = ""
    wants_json: bool = False

    @property
    def size_bytes(self) -> int:
        """Return the size of its text; no tokenizer makes more tokens than there are bytes."""
        return len(self.user.encode()) + len(self.system.encode())


def features_of(prompt: Prompt) -> set[str]:
    """Return what is asked for beyond the bare question."""
    return {USAGE, STREAM, MOST} | ({JSON_FORM} if prompt.wants_json else set())


def body_of(address: Address, prompt: Prompt, features: Collection[str]) -> dict[str, Any]:
    """Return the request for one prompt with these features."""
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    body: dict[str, Any] = {
        "model": address.model,
        "messages": [*system, {"role": "user", "content": prompt.user}],
        (MOST if MOST in features else "max_completion_tokens"): address.max_tokens,
        "temperature": address.temperature,
    }
    if JSON_FORM in features:
        body[JSON_FORM] = {"type": "json_object"}
    if STREAM in features:
        body[STREAM] = True
        body |= {USAGE: {"include_usage": True}} if USAGE in features else {}
    body |= address.extra_body
    return {name: value for name, value in body.items() if value is not None}


def suspects(features: Collection[str], proven: Collection[str], said: str) -> list[str]:
    """Return what an endpoint that took a request for a bad one may not have taken, likeliest first.

    A wish for JSON is suspected until it has once been granted. The rest is suspected where it is named: every
    request asks for it, so that otherwise each question that is refused would be asked several times.
    """
    named = [USAGE, STREAM] if "stream" in said else []
    named += [MOST] if "max_completion_tokens" in said else []
    wished = [JSON_FORM] if JSON_FORM not in proven else []
    return [each for each in (*named, *wished) if each in features]
