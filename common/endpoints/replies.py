"""What comes back from an endpoint: pieces of a stream or one JSON, read as text and counts that make sense."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from typing import Any

import orjson
from django.utils.translation import gettext as _

from common.core.thinking import Parted, part
from common.endpoints.addresses import Address
from common.endpoints.faults import EndpointFailed, Fault, judge
from common.endpoints.requests import Prompt
from common.endpoints.tokens import count_tokens
from common.endpoints.transport import Bounds, too_large

MOST_TOKENS = 5_000_000  # of one reply; an endpoint that counts more has miscounted
_MINIMAX_FAULTS = {1004: 401, 2049: 401, 1008: 402, 1026: 400, 1027: 400, 1039: 400, 2013: 400}
_LONGEST_FINISH_REASON = 40
_LONGEST_PAGE = 100_000  # bytes of an error that are looked at for its words
_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,500})</title>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Reply:
    """What a model sent back; tokens as the endpoint counted them, or counted here, or estimated."""

    thinking: str
    answer: str
    finish_reason: str
    tokens_in: int
    thinking_tokens: int
    answer_tokens: int
    tokens_counted_by: str  # "usage", "tokenizer:<name>" or "estimate"
    is_summary: bool = False  # of the thinking, which the provider keeps back

    def cost(self, *, price_in_usd: Decimal, price_out_usd: Decimal) -> Decimal:
        """Return what this reply cost, in USD, at prices per million tokens."""
        out = self.thinking_tokens + self.answer_tokens
        return (price_in_usd * self.tokens_in + price_out_usd * out) / Decimal(1_000_000)


class Arriving:
    """A reply as it arrives, in a stream of events or as one JSON, whichever the endpoint chose to send."""

    def __init__(self, address: Address, bounds: Bounds) -> None:
        self.address, self.bounds = address, bounds
        self.is_stream: bool | None = None  # not known before the first bytes
        self.bytes_read = self.characters = self._begun_bytes = 0
        self.finish_reason = ""
        self.usage: Any = None
        self.is_done = False
        self._begun: list[bytes] = []  # of the line, or of the JSON, that is not yet whole
        self._broken = b""  # an event that is no JSON by itself, as its rest may follow
        self._pieces: dict[str, list[str]] = {}
        self._parts: dict[str, list[Any]] = {}
        self._whole: dict[str, Any] = {}

    @property
    def was_begun(self) -> bool:
        """Tell whether any of the answer's text has come."""
        return bool(self.characters or (self.is_stream is False and self.bytes_read))

    @property
    def is_complete(self) -> bool:
        """Tell whether all of the answer has come, though the connection may have broken thereafter."""
        return self.is_done or bool(self.finish_reason)

    def begin(self, content_type: str) -> None:
        """Take note of what the endpoint says that it sends.

        Raises:
            EndpointFailed: it is neither a stream nor JSON.
        """
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "text/event-stream":
            self.is_stream = True
        elif kind.endswith("json"):
            self.is_stream = False
        elif kind not in {"", "text/plain", "application/octet-stream", "binary/octet-stream"}:
            raise self.failure(_("sent %(kind)s, which is no reply of a model.") % {"kind": kind})

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes in.

        Raises:
            EndpointFailed: they are no reply, tell of an error, or are too many.
        """
        self.bytes_read += len(chunk)
        if self.is_stream is None:
            self.is_stream = not chunk.lstrip().startswith((b"{", b"["))
        if not self.is_stream:
            self._hold(chunk, self.bounds.whole_bytes)
            return
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = self._held() + lines[0]
        for line in lines:
            self._read_line(line)
        self._hold(rest, self.bounds.line_bytes)

    def _hold(self, chunk: bytes, most: int) -> None:
        self._begun.append(chunk)
        self._begun_bytes += len(chunk)
        if self._begun_bytes > most:
            raise too_large(self.address, most)

    def _held(self) -> bytes:
        """Return what was held, and hold nothing."""
        held = b"".join(self._begun)
        self._begun.clear()
        self._begun_bytes = 0
        return held

    def _read_line(self, line: bytes) -> None:
        line = line.strip()
        if not line and self._broken:
            raise self.failure(_("sent an event that is no JSON."))
        if not line.startswith(b"data:"):  # an empty line, a comment, an event's name
            return
        event = line[5:].strip()
        if event == b"[DONE]":
            self.is_done = True
            return
        found = _parsed(self._broken + event)
        self._broken = b"" if found is not None else self._broken + event + b"\n"
        if len(self._broken) > self.bounds.line_bytes:
            raise too_large(self.address, self.bounds.line_bytes)
        if found is not None:
            self._take(found)

    def end(self) -> None:
        """Read what is left when the endpoint has sent all.

        Raises:
            EndpointFailed: it was cut off, or is no reply.
        """
        left = self._held()
        if self.is_stream:
            self._read_line(left)
            self._read_line(b"")
            if not self.is_complete:
                raise self.failure(
                    _("broke off in the middle of its answer.") if self.characters else _("sent nothing.")
                )
            return
        found = _parsed(left)
        if not isinstance(found, dict):
            raise self.failure(_("sent a reply that is no JSON object.") if left else _("sent nothing."))
        self._take(found)
        if not self._whole:
            raise self.failure(_("sent a choice without a message."))

    def _take(self, event: Any) -> None:
        """Take one event, or the one JSON, in."""
        if not isinstance(event, dict):
            raise self.failure(_("sent a reply that is no JSON object."))
        self._refuse_error(event)
        if isinstance(event.get("usage"), dict):
            self.usage = event["usage"]
        choices = event.get("choices")
        if not isinstance(choices, list) or not (choices or self.is_stream):
            if self.is_stream and not choices:  # an event about something else
                return
            raise self.failure(_("sent a reply without choices."))
        for choice in choices[:1]:
            self._take_choice(choice)

    def _take_choice(self, choice: Any) -> None:
        if not isinstance(choice, dict):
            raise self.failure(_("sent a choice that is none."))
        self._refuse_error(choice)
        if isinstance(choice.get("usage"), dict):  # Moonshot's place for it
            self.usage = choice["usage"]
        if isinstance(choice.get("finish_reason"), str):
            self.finish_reason = choice["finish_reason"][:_LONGEST_FINISH_REASON]
        if isinstance(choice.get("message"), dict):  # all at once, or once more at the end of a stream
            self._whole = choice["message"]
        elif isinstance(choice.get("delta"), dict):
            self._take_delta(choice["delta"])

    def _take_delta(self, delta: dict[str, Any]) -> None:
        for name, value in delta.items():
            if isinstance(value, str):
                if value and name != "role":
                    self._pieces.setdefault(name, []).append(value)
                    self.characters += len(value)
            elif isinstance(value, list | dict) and value:
                self._take_parts(name, value if isinstance(value, list) else [value])
        if self.characters > self.bounds.characters:
            raise too_large(self.address, self.bounds.characters)

    def _take_parts(self, name: str, parts: list[Any]) -> None:
        """Keep pieces of a list; those without an index are pieces of one text."""
        held = self._parts.setdefault(name, [])
        for each in parts:
            held.append({"index": 0, **each} if isinstance(each, dict) else each)
            self.characters += len(each) if isinstance(each, str) else len(str(each))

    def _refuse_error(self, event: Mapping[str, Any]) -> None:
        """Raise what an endpoint says went wrong inside a reply that began as a good one."""
        told = error_of(event)
        if told is not None:
            status, said = told
            raise self.failure(
                _("gave no answer: %(said)s") % {"said": self.address.said(said)}, fault=judge(status, said)
            )

    def failure(self, sentence: str, fault: Fault = Fault.RETRY) -> EndpointFailed:
        """Return a failure that names the endpoint."""
        return failure_of(self.address, sentence, fault=fault, was_cut=self.was_begun)

    def reply(self, prompt: Prompt) -> Reply:
        """Return what came as a reply to a prompt.

        Raises:
            EndpointFailed: there is no text in it, though the model had room for some.
        """
        parted = self._parted()
        finish = _clean(self.finish_reason)
        reply = Reply(
            _clean(parted.thinking),
            _clean(parted.answer),
            finish,
            *_tokens(self.usage, parted, prompt),
            parted.is_summary,
        )
        if reply.thinking or reply.answer or finish == "length":
            return reply
        refused = finish in {"content_filter", "sensitive"}
        failure = self.failure(
            _("kept its answer back: %(why)s.") % {"why": self.address.said(finish)}
            if refused
            else _("sent an empty answer."),
            Fault.GIVE_UP if refused else Fault.RETRY,
        )
        failure.billed = reply
        raise failure

    def so_far(self, prompt: Prompt) -> Reply | None:
        """Return what had come of a reply that broke off, with its tokens: whoever sent it has counted them.

        None where no text had come.
        """
        if not self.characters:
            return None
        parted = self._parted()
        counts = _tokens(self.usage, parted, prompt)
        return Reply(_clean(parted.thinking), _clean(parted.answer), "", *counts, parted.is_summary)

    def _parted(self) -> Parted:
        whole = part(self._whole, self.address.thinking_form)
        if whole.thinking or whole.answer:
            return whole
        message = {name: "".join(pieces) for name, pieces in self._pieces.items()}
        marks = self._parts.pop("extra_content", [])
        return part(
            {**self._parts, **message, "extra_content": marks and marks[0]}, self.address.thinking_form
        )


def failure_of(address: Address, sentence: str, **told: Any) -> EndpointFailed:
    """Return a failure whose sentence begins with the endpoint's name and address."""
    subject = _("%(name)s at %(address)s") % {"name": address.name, "address": address.base_url}
    return EndpointFailed(f"{subject} {sentence}", **told)


def error_of(event: Mapping[str, Any]) -> tuple[int, str] | None:
    """Return the status and the words of an error inside a JSON, or None; 200 stands for no status."""
    base = event.get("base_resp")  # MiniMax's
    if isinstance(base, dict) and isinstance(base.get("status_code"), int) and base["status_code"]:
        return _MINIMAX_FAULTS.get(
            base["status_code"], 200
        ), f"{base.get('status_msg')} ({base['status_code']})"
    error = event if event.get("object") == "error" else event.get("error")
    if not error:
        return None
    if not isinstance(error, dict):
        return 200, str(error)
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 200
    said = error.get("message")
    words = [said if isinstance(said, str) else json.dumps(error, ensure_ascii=False)]
    words += [f"({error[key]})" for key in ("code", "type") if isinstance(error.get(key), str | int)]
    return status, " ".join(words)


def said_by(content: bytes) -> str:
    """Return the words of an error's body, be it in the usual form or not."""
    found = _parsed(content)
    told = error_of(found) if isinstance(found, dict) else None
    text = content[:_LONGEST_PAGE].decode(errors="replace")
    return told[1] if told else _words_of_page(text)[:4000]


def _words_of_page(text: str) -> str:
    """Return a text as it is, and of a web page its title, or else its words without the tags."""
    if not _PAGE.match(text):
        return text
    title = _TITLE.search(text)
    words = " ".join(_TAG.sub(" ", _UNSEEN.sub(" ", text)).split())
    return unescape(title[1].strip() if title and title[1].strip() else words)


def _parsed(text: bytes) -> Any:
    """Return what a JSON holds, or None; halves of a surrogate pair are let pass, as they may meet later."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _clean(text: str) -> str:
    """Return a text that can be stored: surrogates paired or replaced, no NUL."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "")


def _tokens(usage: Any, parted: Parted, prompt: Prompt) -> tuple[int, int, int, str]:
    """Return the tokens in, thought and answered, and who counted them; what makes no sense is not taken."""
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if tokens_out is None or tokens_in is None:
        return _counted_here(tokens_in, tokens_out, parted, prompt)
    return tokens_in, *_shared(usage, tokens_out, parted), "usage"


def _counted_here(
    tokens_in: int | None, tokens_out: int | None, parted: Parted, prompt: Prompt
) -> tuple[int, int, int, str]:
    (asked, thought, answered), by = count_tokens(
        prompt.system + prompt.user, _clean(parted.thinking), _clean(parted.answer)
    )
    if tokens_out is not None:
        thought, answered = _shared(None, tokens_out, parted)
    return asked if tokens_in is None else tokens_in, thought, answered, by


def _shared(usage: Any, tokens_out: int, parted: Parted) -> tuple[int, int]:
    """Share what was counted together out between thinking and answer."""
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    reasoning = _count(details, "reasoning_tokens") or _count(usage, "reasoning_tokens") or 0
    if not reasoning and parted.thinking:  # one count for both: share it out by length
        lengths = len(parted.thinking), len(parted.answer)
        reasoning = round(tokens_out * lengths[0] / sum(lengths))
    reasoning = min(reasoning, tokens_out)
    return reasoning, tokens_out - reasoning


def _count(usage: Any, field: str) -> int | None:
    """Return a count that can be one, or None."""
    found = usage.get(field) if isinstance(usage, dict) else None
    return found if type(found) is int and 0 <= found <= MOST_TOKENS else None
