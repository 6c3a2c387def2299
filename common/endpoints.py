"""The client of every OpenAI-compatible endpoint: limits, retries, address checked.

Endpoint addresses come from members and model output from strangers: an address is checked each
time before it is used, redirects are not followed, and what comes back is text and nothing else.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import openai
from django.conf import settings

from common.core.refusal import Refusal
from common.core.text import estimate_tokens

TIMEOUT_SECONDS = 600.0
MAX_REPLY_CHARACTERS = 2_000_000
MOST_TOKENS = 5_000_000  # of one reply; an endpoint that counts more has miscounted


class AddressRefused(Refusal):
    """An endpoint's address may not be called from here."""


class EndpointFailed(Refusal):
    """An endpoint gave no usable reply; the message says which endpoint and what it said."""


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


@dataclass(frozen=True)
class Address:
    """Where a model is reached, and as what."""

    name: str  # for messages
    base_url: str
    model: str
    key: str
    max_tokens: int
    temperature: float


@dataclass(frozen=True)
class Reply:
    """What a model sent back; tokens as the endpoint counted them, or estimated."""

    thinking: str
    answer: str
    finish_reason: str
    tokens_in: int
    thinking_tokens: int
    answer_tokens: int
    tokens_counted_by: str

    def cost(self, *, price_in_usd: Decimal, price_out_usd: Decimal) -> Decimal:
        """Return what this reply cost, in USD, at prices per million tokens."""
        out = self.thinking_tokens + self.answer_tokens
        return (price_in_usd * self.tokens_in + price_out_usd * out) / Decimal(1_000_000)


def check_address(base_url: str) -> None:
    """Refuse an address that is no web address, or that lies in a network closed to members.

    Raises:
        AddressRefused: with the reason and the remedy.
    """
    try:
        parts = urlsplit(base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise AddressRefused(f"The address {base_url!r} is none ({error}); correct it.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused(f"The address {base_url!r} is none of http://… or https://…; correct it.")
    if settings.ALLOW_PRIVATE_ENDPOINTS:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AddressRefused(
            f"The name {parts.hostname} cannot be resolved ({error}); correct the address."
        ) from error
    for *_, place in found:
        if not ipaddress.ip_address(place[0]).is_global:
            raise AddressRefused(
                f"The address {base_url} lies in a private network ({place[0]}); "
                "the operator can allow that with QIANTI_ALLOW_PRIVATE_ENDPOINTS."
            )


@contextmanager
def client(address: Address) -> Iterator[openai.OpenAI]:
    """Open a client for one endpoint, its address checked; retries are the library's own.

    Raises:
        AddressRefused: the address may not be called.
    """
    check_address(address.base_url)
    transport = openai.DefaultHttpxClient(follow_redirects=False, timeout=TIMEOUT_SECONDS)
    with openai.OpenAI(
        base_url=address.base_url, api_key=address.key or "none", http_client=transport, max_retries=3
    ) as opened:
        yield opened


class Line:
    """An open client of one endpoint, which remembers what that endpoint does not take."""

    def __init__(self, opened: openai.OpenAI, address: Address) -> None:
        self.opened = opened
        self.address = address
        self.takes_json = True

    def ask(self, prompt: Prompt) -> Reply:
        """Ask one question; where the endpoint cannot be held to JSON, ask without that.

        Raises:
            EndpointFailed: as `ask`.
        """
        plain = replace(prompt, wants_json=False)
        if not prompt.wants_json or not self.takes_json:
            return ask(self.opened, self.address, plain)
        try:
            return ask(self.opened, self.address, prompt)
        except EndpointFailed as failure:
            if not isinstance(failure.__cause__, openai.BadRequestError | openai.UnprocessableEntityError):
                raise
        reply = ask(self.opened, self.address, plain)
        self.takes_json = False  # now it is known that the form was refused, and not the question
        return reply


def ask(opened: openai.OpenAI, address: Address, prompt: Prompt) -> Reply:
    """Ask one question and return thinking and answer.

    Raises:
        EndpointFailed: no reply after the retries, or one that cannot be used.
    """
    try:
        completion = opened.chat.completions.create(**_request(address, prompt))
    except openai.OpenAIError as error:
        raise EndpointFailed(f"{address.name} at {address.base_url} gave no answer: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:  # the library builds on JSON of any shape
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent a reply that is no JSON ({error})."
        ) from error
    return _read(completion, address)


def _request(address: Address, prompt: Prompt) -> dict[str, Any]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return {
        "model": address.model,
        "messages": [*system, {"role": "user", "content": prompt.user}],
        "max_tokens": address.max_tokens,
        "temperature": address.temperature,
        **({"response_format": {"type": "json_object"}} if prompt.wants_json else {}),
    }


def _read(completion: Any, address: Address) -> Reply:
    choices = getattr(completion, "choices", None)
    if not choices or not isinstance(choices, list):
        raise EndpointFailed(f"{address.name} at {address.base_url} sent a reply without choices.")
    message = getattr(choices[0], "message", None)
    if not hasattr(message, "content"):
        raise EndpointFailed(f"{address.name} at {address.base_url} sent a choice without a message.")
    content = _extra(message, "content")[:MAX_REPLY_CHARACTERS]
    thinking = (_extra(message, "reasoning_content") or _extra(message, "reasoning"))[:MAX_REPLY_CHARACTERS]
    if not thinking:
        thinking, content = split_thinking(content)
    finish_reason = _extra(choices[0], "finish_reason")
    return Reply(thinking, content, finish_reason, *_tokens(completion.usage, thinking, content))


def _tokens(usage: Any, thinking: str, content: str) -> tuple[int, int, int, str]:
    """Return the tokens in, thought and answered, and who counted them; what makes no sense is not taken."""
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if tokens_out is None:
        return tokens_in or 0, estimate_tokens(thinking), estimate_tokens(content), "estimate"
    reasoning = _count(getattr(usage, "completion_tokens_details", None), "reasoning_tokens") or 0
    if not reasoning and thinking:  # one count for both: share it out by length
        reasoning = round(tokens_out * len(thinking) / max(1, len(thinking) + len(content)))
    reasoning = min(reasoning, tokens_out)
    return tokens_in or 0, reasoning, tokens_out - reasoning, "usage"


def _count(usage: Any, field: str) -> int | None:
    """Return a count that can be one, or None."""
    found = getattr(usage, field, None)
    return found if isinstance(found, int) and 0 <= found <= MOST_TOKENS else None


def _extra(message: Any, field: str) -> str:
    """Return a field that providers add to the standard message, if it is text."""
    found = getattr(message, field, None)
    return found if isinstance(found, str) else ""


def split_thinking(content: str) -> tuple[str, str]:
    """Part a reply that carries its thinking in think tags; an unclosed one is all thinking."""
    before, closed, after = content.partition("</think>")
    if closed:
        lead, opened, thinking = before.partition("<think>")
        return (thinking if opened else lead).strip(), after.strip()
    lead, opened, thinking = content.partition("<think>")
    return (thinking.strip(), "") if opened and not lead.strip() else ("", content.strip())
