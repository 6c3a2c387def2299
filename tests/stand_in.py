"""A small OpenAI-compatible server on loopback, which answers as a test tells it to."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import Event, Lock, Thread
from typing import Any

Answer = tuple[int, bytes]  # status and body
ReplyTo = Callable[[str, int], Answer]  # the question, and how many were asked before it
EmbedAs = Callable[[list[str], int], Answer]  # the texts, and how many batches came before


def completion(
    answer: str, *, thinking: str = "", tokens_in: int = 10, tokens_out: int = 20, **message: Any
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


def whole(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> Answer:
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


def failure(status: int, message: str = "the stand-in is told to fail") -> Answer:
    """Return an error as such servers word it."""
    return status, json.dumps({"error": {"message": message, "type": "stand_in"}}).encode()


def sums(question: str, _before: int) -> Answer:
    """Answer "How much is A and B?" rightly."""
    first, last = (int(word) for word in question.rstrip("?").split() if word.isdigit())
    return completion(f"Final Answer: {first + last}", thinking=f"{first} and {last}.")


class StandIn(ThreadingHTTPServer):
    """Notes what it is asked; while `gate` is closed, its answers wait."""

    daemon_threads = True

    def __init__(self, reply_to: ReplyTo) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply_to = reply_to
        self.embed_as: EmbedAs = letters
        self.batches: list[list[str]] = []  # of texts to embed
        self.asked: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.gate = Event()
        self.gate.set()
        self.lock = Lock()

    @property
    def url(self) -> str:
        """Return the address that a teacher is given."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/embeddings"):
            self._embed(request)
            return
        question = request["messages"][-1]["content"]
        with self.server.lock:
            before = len(self.server.asked)
            self.server.asked.append(question)
            self.server.requests.append(request)
            self.server.keys.append(self.headers["Authorization"])
        self.server.gate.wait(30)
        self._answer(*self.server.reply_to(question, before))

    def _embed(self, request: dict[str, Any]) -> None:
        with self.server.lock:
            before = len(self.server.batches)
            self.server.batches.append(request["input"])
            self.server.requests.append(request)
            self.server.keys.append(self.headers["Authorization"])
        self.server.gate.wait(30)
        self._answer(*self.server.embed_as(request["input"], before))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("retry-after-ms", "1")  # the client waits as long as it is told before it retries
        if status in (301, 307):
            self.send_header("Location", body.decode())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def standing_in(reply_to: ReplyTo = sums) -> Iterator[StandIn]:
    """Serve until the block ends."""
    with StandIn(reply_to) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.gate.set()
        server.shutdown()
        thread.join()


def dead_url() -> str:
    """Return an address at which nobody listens."""
    with socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{trial.getsockname()[1]}/v1"
