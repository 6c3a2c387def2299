"""Serve the demo's two models over HTTP, in the form of OpenAI's API: `python -m demo.endpoint`.

`worked-reasoning` is a STAND-IN for a reasoning model: it works the field's questions out by rule
(demo.teacher). `tiny-base` is the demo's base model, really generating, greedily whatever temperature is
asked for. The server ends when the process that started it does.
"""

import argparse
import importlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from common.core.chat import BARE, question_prompt
from demo.teacher import work_out

BASE_MODEL: Final = Path(__file__).parent / "base_model"
MODELS: Final = {
    "worked-reasoning": "A stand-in for a teacher, not a model: it works the demo's questions out by rule.",
    "tiny-base": "The demo's base model of one million parameters, generating greedily on this machine.",
}
LONGEST_THINKING: Final = 48
LONGEST_ANSWER: Final = 10
LARGEST_BODY: Final = 1_000_000
LONGEST_PROMPT_TOKENS: Final = 900
SECONDS_TO_ANSWER: Final = 120
SECONDS_BETWEEN_LOOKS: Final = 0.5


class BadRequest(Exception):
    """A request that cannot be answered, with its status and the API's own name for the fault."""

    def __init__(self, message: str, *, status: HTTPStatus = HTTPStatus.BAD_REQUEST, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code or None


@dataclass(frozen=True)
class Order:
    """A checked request: which model, the last user message, and the largest number of tokens to write."""

    model: str
    question: str
    max_tokens: int | None


@dataclass(frozen=True)
class Reply:
    """What a model wrote, with its tokens."""

    thinking: str
    content: str
    finish_reason: str
    thinking_tokens: int
    content_tokens: int
    prompt_tokens: int


class Models:
    """The two models; the tiny one is loaded when it is first asked."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        self._folder = folder
        self._threads = threads
        self._loading = threading.Lock()
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))

    @cached_property
    def _batcher(self) -> Any:
        # Torch takes seconds to import, and most runs of the endpoint never ask the tiny model.
        return importlib.import_module("demo.tiny_base").Batcher(
            self._folder, threads=self._threads, longest_answer=LONGEST_ANSWER
        )

    def answer(self, order: Order) -> Reply:
        """Return the reply of the model that was asked for."""
        prompt_tokens = len(self._ids(question_prompt(BARE, order.question)))
        if order.model == "worked-reasoning":
            return self._worked(order, prompt_tokens)
        if prompt_tokens > LONGEST_PROMPT_TOKENS:
            raise BadRequest(
                f"The prompt has {prompt_tokens} tokens; tiny-base reads {LONGEST_PROMPT_TOKENS}.",
                code="context_length_exceeded",
            )
        return self._generated(order)

    def _worked(self, order: Order, prompt_tokens: int) -> Reply:
        worked = work_out(order.question)
        thinking_ids, content_ids = self._ids(worked.thinking), self._ids(worked.content)
        content, finish_reason = worked.content, worked.finish_reason
        if order.max_tokens is not None and len(thinking_ids) + len(content_ids) > order.max_tokens:
            thinking_ids = thinking_ids[: order.max_tokens]
            content_ids = content_ids[: order.max_tokens - len(thinking_ids)]
            content, finish_reason = self._tokenizer.decode(content_ids), "length"
        return Reply(
            thinking=self._tokenizer.decode(thinking_ids),
            content=content,
            finish_reason=finish_reason,
            thinking_tokens=len(thinking_ids),
            content_tokens=len(content_ids),
            prompt_tokens=prompt_tokens,
        )

    def _generated(self, order: Order) -> Reply:
        with self._loading:
            batcher = self._batcher
        max_thinking = LONGEST_THINKING
        if order.max_tokens is not None:
            max_thinking = min(order.max_tokens - LONGEST_ANSWER, LONGEST_THINKING)
        if max_thinking < 1:
            raise BadRequest(
                f"tiny-base needs max_tokens of {LONGEST_ANSWER + 1} or more, to think and to answer."
            )
        generated = batcher.submit(order.question, max_thinking).result(timeout=SECONDS_TO_ANSWER)
        return Reply(
            thinking=generated.thinking,
            content=generated.answer,
            finish_reason="stop",
            thinking_tokens=generated.thinking_tokens,
            content_tokens=generated.answer_tokens,
            prompt_tokens=generated.prompt_tokens,
        )

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def read_order(body: bytes) -> Order:
    """Return a request's body as an order.

    Raises:
        BadRequest: the body is no JSON object, or asks for what this server does not have.
    """
    try:
        wanted = json.loads(body)
    except ValueError as failure:
        raise BadRequest(f"The body is not JSON: {failure}.") from failure
    if not isinstance(wanted, dict):
        raise BadRequest("The body must be a JSON object.")
    if wanted.get("model") not in MODELS:
        raise BadRequest(
            f"The model {wanted.get('model')!r} does not exist here; there are {', '.join(MODELS)}.",
            status=HTTPStatus.NOT_FOUND,
            code="model_not_found",
        )
    if wanted.get("stream"):
        raise BadRequest("This server does not stream; leave `stream` out.", code="unsupported_parameter")
    if wanted.get("n") not in (None, 1):
        raise BadRequest("This server gives one choice; leave `n` out.", code="unsupported_parameter")
    return Order(wanted["model"], _last_question(wanted.get("messages")), _max_tokens(wanted))


def _last_question(messages: object) -> str:
    """Return the text of the last user message."""
    if not isinstance(messages, list) or not messages:
        raise BadRequest("`messages` must be a list with at least one message.")
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise BadRequest(f"`messages[{place}]` must be an object with a `role` and a `content`.")
    asked = [message.get("content") for message in messages if message["role"] == "user"]
    if not asked:
        raise BadRequest("`messages` must have a message with the role `user`.")
    text = _text_of(asked[-1])
    if not text.strip():
        raise BadRequest("The last user message is empty.")
    return text


def _text_of(content: object) -> str:
    """Return a message's content, which is a text or a list of text parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        return "".join(str(part["text"]) for part in content)
    raise BadRequest("The `content` of the last user message must be a text or a list of text parts.")


def _max_tokens(wanted: dict[str, Any]) -> int | None:
    limit = wanted.get("max_completion_tokens", wanted.get("max_tokens"))
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise BadRequest(f"`max_tokens` must be a whole number of 1 or more, not {limit!r}.")
    return limit


def completion(order: Order, reply: Reply) -> dict[str, Any]:
    """Return a reply as the API's chat completion."""
    written = reply.thinking_tokens + reply.content_tokens
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": order.model,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": reply.content,
                    "reasoning_content": reply.thinking,
                },
                "logprobs": None,
                "finish_reason": reply.finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": reply.prompt_tokens + written,
            "completion_tokens_details": {"reasoning_tokens": reply.thinking_tokens},
        },
    }


def model_list() -> dict[str, Any]:
    """Return the models as the API lists them, each with what it is."""
    models = [
        {"id": name, "object": "model", "created": 0, "owned_by": "qianti-demo", "description": description}
        for name, description in MODELS.items()
    ]
    return {"object": "list", "data": models}


class Server(ThreadingHTTPServer):
    """The HTTP server, with the models that its requests share."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], models: Models) -> None:
        super().__init__(address, Handler)
        self.models = models


class Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, writes JSON."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 300
    server: Server

    def do_GET(self) -> None:
        """Answer GET /v1/models."""
        self._reply_with(self._get)

    def do_POST(self) -> None:
        """Answer POST /v1/chat/completions."""
        self._reply_with(self._post)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet: the caller records its requests."""

    def _get(self) -> dict[str, Any]:
        if self.path.rstrip("/") != "/v1/models":
            raise BadRequest(f"There is nothing at GET {self.path}.", status=HTTPStatus.NOT_FOUND)
        return model_list()

    def _post(self) -> dict[str, Any]:
        body = self._body()
        if self.path.rstrip("/") != "/v1/chat/completions":
            raise BadRequest(f"There is nothing at POST {self.path}.", status=HTTPStatus.NOT_FOUND)
        order = read_order(body)
        return completion(order, self.server.models.answer(order))

    def _reply_with(self, work: Callable[[], dict[str, Any]]) -> None:
        """Send what `work` returns, or its fault as the API words faults."""
        try:
            self._check_key()
            self._send(HTTPStatus.OK, work())
        except BadRequest as fault:
            self._send_fault(fault.status, str(fault), "invalid_request_error", fault.code)
        except TimeoutError:
            self._send_fault(
                HTTPStatus.SERVICE_UNAVAILABLE, "The model was too slow; try again.", "server_error"
            )
        except ConnectionError:
            self.close_connection = True
        except Exception as failure:  # noqa: BLE001 - whatever broke, the client is told
            self._send_fault(HTTPStatus.INTERNAL_SERVER_ERROR, f"The model failed: {failure}", "server_error")

    def _check_key(self) -> None:
        """Accept any bearer key, or none."""
        key = self.headers.get("Authorization")
        if key is not None and not key.startswith("Bearer "):
            self.close_connection = True
            raise BadRequest("Send the key as `Authorization: Bearer KEY`.", status=HTTPStatus.UNAUTHORIZED)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise BadRequest("The request has no Content-Length.", status=HTTPStatus.LENGTH_REQUIRED)
        if int(length) > LARGEST_BODY:
            # The rest of the body stays unread, so the connection cannot be used again.
            self.close_connection = True
            raise BadRequest(
                f"The body has {length} bytes, more than {LARGEST_BODY}.",
                status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
        return self.rfile.read(int(length))

    def _send_fault(self, status: HTTPStatus, message: str, kind: str, code: str | None = None) -> None:
        self._send(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})

    def _send(self, status: HTTPStatus, answer: dict[str, Any]) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def stop_with_parent(server: Server) -> None:
    """Shut the server down as soon as the process that started it has died."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        server.shutdown()

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def write_ready_file(path: Path, port: int) -> None:
    """Tell where the server listens, in one move."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps({"port": port, "pid": os.getpid()}), encoding="utf-8")
    fresh.replace(path)


def main() -> None:
    """Read the command line and serve until the parent dies or Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.endpoint", description="Serve the demo's two models."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument(
        "--ready-file", type=Path, help="is written, as JSON with port and pid, when it serves"
    )
    parser.add_argument("--base-model", type=Path, default=BASE_MODEL)
    parser.add_argument("--threads", type=int, default=1, help="of the tiny base model")
    options = parser.parse_args()
    if not (options.base_model / "tokenizer.json").is_file():
        parser.exit(
            1, f"{options.base_model} holds no base model; make one with `python -m demo.pretrain`.\n"
        )
    try:
        server = Server((options.host, options.port), Models(options.base_model, threads=options.threads))
    except OSError as failure:
        parser.exit(
            1, f"Cannot listen on {options.host}:{options.port}: {failure.strerror}; name another port.\n"
        )
    stop_with_parent(server)
    if options.ready_file:
        write_ready_file(options.ready_file, server.server_address[1])
    with server, suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
