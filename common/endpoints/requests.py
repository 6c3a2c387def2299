"""What goes out to an endpoint: a prompt in the standard form, less what the endpoint does not take."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.endpoints.addresses import Address

# What an endpoint may refuse, in the order in which it is left out.
JSON_FORM, USAGE, STREAM, MOST = "response_format", "stream_options", "stream", "max_tokens"
_STREAM = re.compile(r"(?<![a-z])stream(?:ing|ed|_options|options)?(?![a-z])")  # an upstream is none
SCHEMA = "json_schema"  # a stricter JSON form: an endpoint that does not take it may take the plain one


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: its task, where it has one beside the question, and whether it is to send JSON.

    `schema` is the JSON schema that the object is to keep to, where it wants one.
    """

    user: str
    system: str = ""
    wants_json: bool = False
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Return the size of its text; no tokenizer makes more tokens than there are bytes."""
        return len(self.user.encode()) + len(self.system.encode())


def features_of(prompt: Prompt) -> set[str]:
    """Return what is asked for beyond the bare question."""
    wished = {JSON_FORM} if prompt.wants_json else set()
    return {USAGE, STREAM, MOST} | wished | ({SCHEMA} if prompt.schema else set())


def body_of(address: Address, prompt: Prompt, features: Collection[str]) -> dict[str, Any]:
    """Return the request for one prompt with these features."""
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    body: dict[str, Any] = {
        "model": address.model,
        "messages": [*system, {"role": "user", "content": prompt.user}],
        (MOST if MOST in features else "max_completion_tokens"): address.max_tokens,
        "temperature": address.temperature,
    }
    if SCHEMA in features:
        strict = {"name": "reply", "strict": True, "schema": dict(prompt.schema)}
        body[JSON_FORM] = {"type": SCHEMA, SCHEMA: strict}
    elif JSON_FORM in features:
        body[JSON_FORM] = {"type": "json_object"}
    if STREAM in features:
        body[STREAM] = True
        body |= {USAGE: {"include_usage": True}} if USAGE in features else {}
    body |= address.extra_body
    return {name: value for name, value in body.items() if value is not None}


def refused_with(feature: str) -> set[str]:
    """Return what an endpoint that does not take a feature does not take either."""
    return {JSON_FORM, SCHEMA} if feature == JSON_FORM else {feature}


def suspects(
    features: Collection[str], proven: Collection[str], cleared: Collection[str], said: str
) -> list[str]:
    """Return what an endpoint that took a request for a bad one may not have taken, likeliest first.

    A wish for JSON is suspected until it has once been granted. The rest is suspected where it is named, and is
    cleared once it was left out in vain: every request asks for it, so that otherwise each question that is
    refused would be asked several times.
    """
    named = [USAGE, STREAM] if _STREAM.search(said) else []
    named += [MOST] if "max_completion_tokens" in said else []
    wished = [each for each in (SCHEMA, JSON_FORM) if each not in proven]
    open_to_doubt = [each for each in named if each not in cleared]
    return [each for each in (*open_to_doubt, *wished) if each in features]
