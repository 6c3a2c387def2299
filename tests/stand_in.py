"""A stand-in for teachers: an OpenAI-compatible server on loopback that answers, or fails, as it is told.

It is held to the documented behaviour of such servers: POST …/chat/completions answers with one JSON, or,
where `stream` is asked for, with server-sent events that end in `data: [DONE]` and, where
`stream_options.include_usage` is asked for, with the usage in an event of its own without choices; errors
carry `{"error": {…}}`; connections are kept. It keeps its own bill: the tokens of answers, and of
one that it cuts on its way those that it had sent.
It is no model, and nothing measured against it says anything about one.

In a test: `with standing_in() as server:`; what `reply_to` returns may be told to go wrong, as in
`ways["cut"](completion("4"))`. As a program, in a process of its own, where each 50th request is refused:
`python -m tests.stand_in --latency-ms 300 --tell 50:busy`; GET …/stats gives its counts as JSON. A question
that holds ⟦cut⟧ is answered so each time, one with ⟦cut*2⟧ the first two times.
"""

import argparse
import asyncio
import gzip
import json
import math
import re
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from socket import IPPROTO_TCP, TCP_NODELAY, create_server, socket
from threading import Event, Lock, Thread
from typing import Any

Answer = tuple[int, bytes]  # status and body
ReplyTo = Callable[[str, int], "Answer | Told"]  # the question, and how many were asked before it
EmbedAs = Callable[[list[str], int], Answer]  # the texts, and how many batches came before

MILLION = 1_000_000


def completion(
    answer: Any, *, thinking: str = "", tokens_in: int = 10, tokens_out: int = 20, **message: Any
) -> Answer:
    """Return a chat completion that thinks, answers and counts its tokens."""
    said = {"role": "assistant", "content": answer, **message}
    if thinking:
        said["reasoning_content"] = thinking
    usage = {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    return whole([{"index": 0, "finish_reason": "stop", "message": said}], usage)


def whole(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> Answer:
    """Return a reply of any choices."""
    reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "stand-in", "choices": choices}
    return 200, json.dumps(reply | ({"usage": usage} if usage else {})).encode()


def embeddings(vectors: list[list[float]], *, tokens_in: int = 10) -> Answer:
    """Return vectors as such servers word them."""
    rows = [
        {"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens_in, "total_tokens": tokens_in}
    return 200, json.dumps({"object": "list", "data": rows, "model": "stand-in", "usage": usage}).encode()


def letters(texts: list[str], _before: int) -> Answer:
    """Embed each text as how often each letter from a to z stands in it."""
    return embeddings([[1.0 + text.lower().count(chr(97 + place)) for place in range(26)] for text in texts])


def failure(status: int, message: str = "the stand-in is told to fail", **error: Any) -> Answer:
    """Return an error as such servers word it."""
    return status, json.dumps({"error": {"message": message, "type": "stand_in", **error}}).encode()


def sums(question: str, _before: int) -> Answer:
    """Answer "How much is A and B?" rightly."""
    first, last = (int(word) for word in question.rstrip("?").split() if word.isdigit())
    return completion(f"Final Answer: {first + last}", thinking=f"{first} and {last}.")


@dataclass(frozen=True)
class Told:
    """An answer, and how it goes on its way."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    waits_seconds: float = 0.0  # before the first byte
    pauses_seconds: float = 0.0  # between the pieces of a stream
    pieces: int = 4  # that each text of a stream comes in
    cut_at: float | None = None  # the share of the body after which the connection is cut
    streams: bool = True  # where it is asked to
    raw_events: tuple[bytes, ...] | None = None  # instead of those made of the body
    ends: bool = True  # or repeats its last event for ever


def _worded(answer: Answer, **told: Any) -> Told:
    return Told(*answer, **told)


def _shaped(answer: Answer, shape: Callable[[str, str], dict[str, Any]]) -> Told:
    """Return an answer whose thinking comes in another shape; `shape` maps thinking and answer to a message."""
    body = json.loads(answer[1])
    message = body["choices"][0]["message"]
    said = shape(message.pop("reasoning_content", "Two and two."), message.pop("content"))
    message |= said
    return Told(200, json.dumps(body).encode())


def _with_broken_event(answer: Answer) -> Told:
    events = events_of(answer[1], include_usage=True, pieces=4) or [b""]
    middle = len(events) // 2
    return Told(
        200, answer[1][: len(answer[1]) // 2], raw_events=(*events[:middle], b'data: {"choices": [{"de\n\n')
    )


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * 1024**2, mtime=0) * 1000


# What a good answer can be told to become. Each name is also a word of --tell and of ⟦…⟧ in a question.
ways: dict[str, Callable[[Answer], Told]] = {
    "slow": lambda answer: _worded(answer, pauses_seconds=0.05),
    "late": lambda answer: _worded(answer, waits_seconds=3.0),
    "silent": lambda answer: _worded(answer, waits_seconds=math.inf),
    "busy": lambda _answer: _worded(failure(429, "too many requests"), headers=(("Retry-After", "1"),)),
    "error": lambda _answer: _worded(failure(500, "out of order")),
    "too-long": lambda _answer: _worded(failure(400, "too long", code="context_length_exceeded")),
    "wrong-key": lambda _answer: _worded(failure(401, "no such key")),
    "no-money": lambda _answer: _worded(failure(429, "pay first", code="insufficient_quota")),
    "cut": lambda answer: _worded(answer, cut_at=0.5),
    "cut-at-once": lambda answer: _worded(answer, cut_at=0.0),
    "broken-json": lambda answer: Told(200, answer[1][: len(answer[1]) // 2]),
    "broken-event": _with_broken_event,
    "empty": lambda _answer: _worded(completion("")),
    "nothing": lambda _answer: Told(200, b"", raw_events=(b"data: [DONE]\n\n",)),
    "wrong-type": lambda _answer: Told(200, b"<html>Welcome</html>", "text/html"),
    "ignores-stream": lambda answer: _worded(answer, streams=False),
    "million": lambda _answer: _worded(
        completion("so " * MILLION, tokens_out=MILLION), pieces=10_000, streams=True
    ),
    "drip": lambda _answer: Told(
        200, b"", raw_events=(b'data: {"choices": [{"index": 0, "delta": {"content": "."}}]}\n\n',),
        pauses_seconds=0.05, ends=False,
    ),
    "idle": lambda _answer: Told(200, b"", raw_events=(b": wait\n\n",), pauses_seconds=0.05, ends=False),
    "endless-line": lambda _answer: Told(200, b"", raw_events=(b"data: {" + b"x" * 65_536,), ends=False),
    "redirect": lambda _answer: Told(307, b"", headers=(("Location", "http://169.254.169.254/latest/"),)),
    "bomb": lambda _answer: Told(200, _bomb(), headers=(("Content-Encoding", "gzip"),), streams=False),
    "field": lambda answer: _shaped(answer, lambda t, a: {"reasoning_content": t, "content": a}),
    "reasoning": lambda answer: _shaped(answer, lambda t, a: {"reasoning": t, "content": a}),
    "details": lambda answer: _shaped(
        answer, lambda t, a: {"reasoning_details": [{"type": "reasoning.text", "text": t}], "content": a}
    ),
    "tags": lambda answer: _shaped(answer, lambda t, a: {"content": f"<think>\n{t}\n</think>\n\n{a}"}),
    "unclosed": lambda answer: _shaped(answer, lambda t, a: {"content": f"<think>\n{t} {a}"}),
    "closed-only": lambda answer: _shaped(answer, lambda t, a: {"content": f"{t}\n</think>\n\n{a}"}),
    "summary": lambda answer: _shaped(
        answer,
        lambda t, a: {"reasoning_details": [{"type": "reasoning.summary", "summary": t}], "content": a},
    ),
    "no-thinking": lambda answer: _shaped(answer, lambda _t, a: {"content": a}),
}  # fmt: skip

_MARK = re.compile(r"⟦([a-z-]+)(?:\*(\d+))?⟧")


def told_in(question: str, asked_before: int, answer: Answer) -> "Answer | Told":
    """Return an answer as the question's own mark tells; `asked_before` counts this question alone."""
    mark = _MARK.search(question)
    if mark is None or (mark[2] and asked_before >= int(mark[2])):
        return answer
    return ways[mark[1]](answer)


def events_of(body: bytes, *, include_usage: bool, pieces: int) -> list[bytes] | None:
    """Return a completion as the events of a stream, or None of what is no completion."""
    try:
        reply = json.loads(body)
        (choice,) = reply["choices"]
        message = dict(choice["message"])
    except (ValueError, TypeError, KeyError):
        return None
    head = {key: reply.get(key) for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    texts = [
        {name: text}
        for name, value in sorted(message.items(), key=lambda field: field[0] == "content")
        for text in (_split(value, pieces) if isinstance(value, str) and name != "role" else [value])
    ]
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in texts]
    choices.append({"index": 0, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"})
    events: list[Any] = [head | {"choices": [each]} for each in choices]
    if include_usage and "usage" in reply:
        events.append(head | {"choices": [], "usage": reply["usage"]})
    return [*(f"data: {json.dumps(event)}\n\n".encode() for event in events), b"data: [DONE]\n\n"]


def _split(text: str, pieces: int) -> list[str]:
    size = max(1, math.ceil(len(text) / pieces))
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]


@dataclass(frozen=True)
class _Request:
    """One HTTP request as it was read."""

    path: str
    headers: dict[str, str]
    content: dict[str, Any]


class _Tally:
    """What one model was asked, and what it charged: the stand-in's own bill."""

    def __init__(self) -> None:
        self.came_at: list[float] = []
        self.charged: list[tuple[float, int, int]] = []  # when, tokens in and out
        self.broken_off_charged = 0  # those of them that were cut on their way
        self.statuses: Counter[int] = Counter()
        self.in_flight = self.most_in_flight = self.broken_off = 0

    def counts(self, window_seconds: float) -> dict[str, Any]:
        """Return the counts as a JSON holds them."""
        return {
            "requests": len(self.came_at),
            "statuses": dict(self.statuses),
            "answered": len(self.charged) - self.broken_off_charged,
            "broken_off": self.broken_off,
            "tokens_in": sum(tokens_in for _when, tokens_in, _out in self.charged),
            "tokens_out": sum(tokens_out for _when, _in, tokens_out in self.charged),
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "most_in_a_window": most_in_a_window([(when, 1) for when in self.came_at], window_seconds),
            "most_tokens_in_a_window": most_in_a_window(
                [(when, tokens_in + tokens_out) for when, tokens_in, tokens_out in self.charged],
                window_seconds,
            ),
            "first_at": min(self.came_at, default=None),
            "last_at": max(self.came_at, default=None),
        }


def most_in_a_window(events: list[tuple[float, int]], seconds: float) -> int:
    """Return the largest sum of sizes of events, each (when, size), within any window of so many seconds."""
    most = total = first = 0
    events = sorted(events)
    for when, size in events:
        total += size
        while events[first][0] <= when - seconds:
            total -= events[first][1]
            first += 1
        most = max(most, total)
    return most


class StandIn:
    """Serves in a thread of its own and notes what it is asked; while `gate` is closed, its answers wait."""

    def __init__(
        self,
        reply_to: ReplyTo = sums,
        *,
        port: int = 0,
        latency_seconds: float = 0.0,
        window: float = 60.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.reply_to = reply_to
        self.embed_as: EmbedAs = letters
        self.latency_seconds, self.window_seconds = latency_seconds, window
        self.keeps_record = True  # of whole requests; a long run does without
        self.answers_in_threads = True  # as `reply_to` may wait for something
        self.hurries = True  # errors ask to be tried again at once, so that a test need not wait
        self.batches: list[list[str]] = []  # of texts to embed
        self.asked: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.tallies: dict[str, _Tally] = {}
        self.times_asked: Counter[str] = Counter()
        self.connections = self.chats = 0
        self.gate = Event()
        self.gate.set()
        self.lock = Lock()
        self._pool = ThreadPoolExecutor(300)
        self._tls = tls
        self._socket = create_server(("127.0.0.1", port), backlog=512)
        self.server_port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._is_serving = Event()

    @property
    def url(self) -> str:
        """Return the address that a teacher is given."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def most_in_flight(self) -> int:
        """Return how many requests of one model were open at once."""
        return max((tally.most_in_flight for tally in self.tallies.values()), default=0)

    def stats(self) -> dict[str, Any]:
        """Return the counts of all models, and those of each."""
        with self.lock:
            models = {name: tally.counts(self.window_seconds) for name, tally in self.tallies.items()}
        summed = ("requests", "answered", "broken_off", "tokens_in", "tokens_out")
        return {
            **{name: sum(counts[name] for counts in models.values()) for name in summed},
            "questions": len(self.times_asked),
            "most_for_one_question": max(self.times_asked.values(), default=0),
            "connections": self.connections,
            "window_seconds": self.window_seconds,
            "models": models,
        }

    def run(self) -> None:
        """Serve until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, sock=self._socket, limit=2**26, ssl=self._tls)
        )
        self._is_serving.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """End the serving, from any thread."""
        self.gate.set()
        self._is_serving.wait()
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # asyncio leaves out what was made without naming its protocol; the head would wait for an acknowledgement.
        writer.get_extra_info("socket").setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (request := await _read(reader)) is not None:
                if not await self._respond(request, _Sending(reader, writer)):
                    break
        with suppress(ConnectionError):
            writer.close()

    async def _respond(self, request: _Request, sending: "_Sending") -> bool:
        """Answer one request; return whether the connection goes on."""
        if request.path.endswith("/stats"):
            return await sending.send(Told(200, json.dumps(self.stats()).encode()))
        if request.path.endswith("/models"):
            return await sending.send(Told(200, b'{"object": "list", "data": [{"id": "stand-in"}]}'))
        if request.path.endswith("/embeddings"):
            return await sending.send(await self._embed(request))
        if not request.path.endswith("/chat/completions"):
            return await sending.send(Told(*failure(404, f"nothing is at {request.path}")))
        return await self._chat(request, sending)

    async def _chat(self, request: _Request, sending: "_Sending") -> bool:
        question = request.content["messages"][-1]["content"]
        with self.lock:
            tally = self.tallies.setdefault(str(request.content.get("model")), _Tally())
            tally.came_at.append(time.time())
            tally.in_flight += 1
            tally.most_in_flight = max(tally.most_in_flight, tally.in_flight)
            before = len(self.asked) if self.keeps_record else self.chats
            self.chats += 1
            self._note(request, question)
        try:
            told = await self._told(question, before)
            was_sent = await sending.send(told, request.content)
        finally:
            tally.in_flight -= 1
        with self.lock:
            tally.statuses[told.status] += 1
            share = 1.0 if was_sent else told.cut_at
            if share and told.status == 200:
                tokens_in, tokens_out = _usage(told.body)
                tally.charged.append((time.time(), tokens_in, round(tokens_out * share)))
                tally.broken_off_charged += not was_sent
            tally.broken_off += not was_sent
        return was_sent

    def _note(self, request: _Request, question: str) -> None:
        self.times_asked[question] += 1
        if self.keeps_record:
            self.asked.append(question)
            self.requests.append(request.content)
            self.keys.append(request.headers.get("authorization", ""))
            self.headers.append(request.headers)

    async def _told(self, question: str, before: int) -> Told:
        await self._pass_gate()
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        if self.answers_in_threads:
            answer = await self._loop.run_in_executor(self._pool, self.reply_to, question, before)
        else:
            answer = self.reply_to(question, before)
        return self._hurried(answer if isinstance(answer, Told) else Told(*answer))

    async def _embed(self, request: _Request) -> Told:
        with self.lock:
            before = len(self.batches)
            self.batches.append(request.content["input"])
            self.requests.append(request.content)
            self.keys.append(request.headers.get("authorization", ""))
        await self._pass_gate()
        answer = await self._loop.run_in_executor(self._pool, self.embed_as, self.batches[before], before)
        return self._hurried(Told(*answer))

    async def _pass_gate(self) -> None:
        if not self.gate.is_set():
            await self._loop.run_in_executor(self._pool, self.gate.wait, 30)

    def _hurried(self, told: Told) -> Told:
        if not self.hurries or told.status == 200 or any(name == "Retry-After" for name, _ in told.headers):
            return told
        return replace(told, headers=(*told.headers, ("retry-after-ms", "1")))


def _usage(body: bytes) -> tuple[int, int]:
    """Return the tokens that an answer charges."""
    with suppress(ValueError, AttributeError, TypeError):
        usage = json.loads(body).get("usage") or {}
        return int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    return 0, 0


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    """Read one request, or None where the other side has hung up."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return _Request(first.split(" ")[1], headers, json.loads(content) if content else {})


class _Sending:
    """One side of a connection, on which an answer goes out as it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, told: Told, request: dict[str, Any] | None = None) -> bool:
        """Send an answer; return whether it went out to its end and the connection goes on."""
        if told.waits_seconds and not await self._pause(told.waits_seconds):
            return False
        events = self._events(told, request or {})
        if events is None:
            return await self._send_whole(told)
        self._begin(told, "text/event-stream; charset=utf-8", "Transfer-Encoding: chunked")
        return await self._send_events(told, events)

    def _events(self, told: Told, request: dict[str, Any]) -> list[bytes] | None:
        if not (request.get("stream") and told.streams and told.status == 200):
            return None
        if told.raw_events is not None:
            return list(told.raw_events)
        if told.content_type != "application/json":
            return None
        include_usage = bool((request.get("stream_options") or {}).get("include_usage"))
        return events_of(told.body, include_usage=include_usage, pieces=told.pieces)

    def _begin(self, told: Told, content_type: str, length: str) -> None:
        headers = [f"Content-Type: {content_type}", length, *(f"{n}: {v}" for n, v in told.headers)]
        if told.status in {301, 302, 307, 308} and told.body:
            headers.append(f"Location: {told.body.decode()}")
        head = "\r\n".join([f"HTTP/1.1 {told.status} Told", *headers])
        self.writer.write(f"{head}\r\n\r\n".encode())

    async def _send_whole(self, told: Told) -> bool:
        if told.cut_at == 0.0:
            return self._cut()
        self._begin(told, told.content_type, f"Content-Length: {len(told.body)}")
        if told.cut_at is not None:
            self.writer.write(told.body[: int(len(told.body) * told.cut_at)])
            await self.writer.drain()
            return self._cut()
        self.writer.write(told.body)
        await self.writer.drain()
        return not self._is_gone()

    async def _send_events(self, told: Told, events: list[bytes]) -> bool:
        if told.cut_at is not None:
            events = events[: int(len(events) * told.cut_at)]
        if not told.pauses_seconds and told.ends:
            self.writer.write(b"".join(map(_chunk, events)))
        else:
            for event in events:
                self.writer.write(_chunk(event))
                await self.writer.drain()
                if not await self._pause(told.pauses_seconds):
                    return False
        while not told.ends:
            self.writer.write(_chunk(events[-1]))
            await self.writer.drain()
            if not await self._pause(told.pauses_seconds):
                return False
        if told.cut_at is not None:
            await self.writer.drain()
            return self._cut()
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        return not self._is_gone()

    async def _pause(self, seconds: float) -> bool:
        """Wait, and return whether the other side is still there."""
        until = time.monotonic() + seconds
        while not self._is_gone():
            left = until - time.monotonic()
            if left <= 0:
                return True
            await asyncio.sleep(min(left, 0.02))
        return False

    def _is_gone(self) -> bool:
        return self.reader.at_eof() or self.writer.is_closing()

    def _cut(self) -> bool:
        self.writer.transport.close()
        return False


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


@contextmanager
def standing_in(reply_to: ReplyTo = sums, tls: ssl.SSLContext | None = None) -> Iterator[StandIn]:
    """Serve until the block ends."""
    server = StandIn(reply_to, tls=tls)
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def dead_url() -> str:
    """Return an address at which nobody listens."""
    with socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{trial.getsockname()[1]}/v1"


def _answering(server: StandIn, arguments: argparse.Namespace) -> ReplyTo:
    """Return what answers any question, and goes wrong where the arguments or the question tell it to."""
    thinking = "Let me see. " * (arguments.thinking_tokens // 3)

    def reply_to(question: str, before: int) -> Answer | Told:
        answer = completion(
            arguments.answer,
            thinking=thinking,
            tokens_in=max(1, len(question) // 4),
            tokens_out=arguments.thinking_tokens + 5,
        )
        for every, way in arguments.tell:
            if (before + 1) % every == 0:
                return ways[way](answer)
        told = told_in(question, server.times_asked[question] - 1, answer)
        told = told if isinstance(told, Told) else Told(*told, pieces=arguments.pieces)
        return replace(told, pauses_seconds=told.pauses_seconds or arguments.pause_ms / 1000)

    return reply_to


def _tell(text: str) -> tuple[int, str]:
    every, _colon, way = text.partition(":")
    if way not in ways or not every.isdecimal() or not int(every):
        raise argparse.ArgumentTypeError(f"{text!r} is no N:WAY with one of {', '.join(ways)}")
    return int(every), way


def main() -> None:
    """Serve as the command line says; the first line on stdout is the address."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--pause-ms", type=float, default=0, help="between the pieces of a stream")
    parser.add_argument("--pieces", type=int, default=4, help="that each text of a stream comes in")
    parser.add_argument("--thinking-tokens", type=int, default=300)
    parser.add_argument("--answer", default="Final Answer: 42")
    parser.add_argument("--window-seconds", type=float, default=60, help="of most_in_a_window in /stats")
    parser.add_argument("--tell", type=_tell, action="append", default=[], metavar="N:WAY")
    arguments = parser.parse_args()
    server = StandIn(
        port=arguments.port, latency_seconds=arguments.latency_ms / 1000, window=arguments.window_seconds
    )
    server.keeps_record = server.answers_in_threads = server.hurries = False
    server.reply_to = _answering(server, arguments)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main()
