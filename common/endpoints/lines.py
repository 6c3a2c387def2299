"""A line to an endpoint: a loop in a thread of its own, which keeps many requests in flight at once."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any, TypeVar, cast

import httpcore2
import httpx2
import openai
from django.utils.translation import gettext as _

from common.endpoints.addresses import Address, check_address, check_extra_body, parse_address
from common.endpoints.faults import (
    LONGEST_WAIT_SECONDS,
    EndpointFailed,
    Fault,
    asked_wait_seconds,
    judge,
    retry_after_seconds,
)
from common.endpoints.network import NotConnected
from common.endpoints.replies import Arriving, Reply, failure_of, said_by
from common.endpoints.requests import STREAM, Prompt, body_of, features_of, refused_with, suspects
from common.endpoints.transport import Bounds, CheckedTransport, too_large

BOUNDS = Bounds()
LAST_BYTES_SECONDS = 1.0  # for what follows an answer's end, so that its connection can be kept
_WRITE_SECONDS = 60.0
_REFUSED_REQUEST = {400, 422}

Result = TypeVar("Result")


class Line:
    """An open client of one endpoint, which remembers what that endpoint does not take.

    `submit` may be called from any thread. No request is tried again here: what a failure asks for stands in
    its `fault`, and the caller decides.
    """

    def __init__(self, address: Address, bounds: Bounds = BOUNDS) -> None:
        self.address, self.bounds = address, bounds
        # Features of a request that the endpoint does not take.
        self.refused: set[str] = set(address.refused)
        self.proven: set[str] = set()
        self.cleared: set[str] = set()  # of what was suspected, and was left out in vain
        # What comes in, as it comes, for who asks one question to see it raw; None: nothing is kept.
        self.overheard: list[bytes] | None = None
        self._client = _open(address, bounds)
        self._loop = asyncio.new_event_loop()
        self._resolvers = ThreadPoolExecutor(4, thread_name_prefix="resolver")
        self._loop.set_default_executor(self._resolvers)
        self._thread = Thread(target=self._loop.run_forever, name=f"line to {address.name}", daemon=True)
        self._thread.start()

    def submit(self, prompt: Prompt, before_another: Callable[[], float] | None = None) -> "Future[Reply]":
        """Send a question; its future holds the reply or an EndpointFailed, and cancelling it cancels the request.

        Where the endpoint refuses a part of the request, the question goes out once more without that part. Before
        that `before_another` is called, in another thread, until it returns 0 and no seconds to wait.
        """
        return self._start(self._ask(prompt, before_another or _at_once))

    def ask(self, prompt: Prompt) -> Reply:
        """Ask one question and wait for thinking and answer.

        Raises:
            EndpointFailed: no reply, or one that cannot be used.
        """
        return self.submit(prompt).result()

    def fetch(self, path: str, body: dict[str, Any]) -> bytes:
        """Send any other request, such as one for embeddings, and wait for the bytes of its reply.

        Raises:
            EndpointFailed: no reply, or one without end.
        """
        return self._start(self._fetch(path, body)).result()

    def close(self) -> None:
        """Cancel what is in flight, and hang up."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._resolvers.shutdown(wait=False, cancel_futures=True)
        self._loop.close()

    def _start(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _hang_up(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    async def _ask(self, prompt: Prompt, before_another: Callable[[], float]) -> Reply:
        """Ask; where the endpoint does not take a part of the request, ask without that part, and remember it."""
        features = features_of(prompt) - self.refused
        try:
            reply = await self._converse(prompt, features)
        except EndpointFailed as failure:
            if failure.status not in _REFUSED_REQUEST:
                raise
            return await self._ask_less(prompt, features, failure, before_another)
        self.proven |= features
        return reply

    async def _ask_less(
        self,
        prompt: Prompt,
        features: set[str],
        failure: EndpointFailed,
        before_another: Callable[[], float],
    ) -> Reply:
        cause = failure.__cause__
        said = cause.response.text.lower() if isinstance(cause, openai.APIStatusError) else ""
        left_out = suspects(features, self.proven, self.cleared, said)
        for suspect in left_out:
            features = features - {suspect} - self.refused
            while seconds := await asyncio.to_thread(before_another):
                await asyncio.sleep(seconds)
            try:
                reply = await self._converse(prompt, features)
            except EndpointFailed as again:
                if again.status not in _REFUSED_REQUEST:
                    raise
            else:
                self.refused |= refused_with(
                    suspect
                )  # now it is known that this was refused, and not the question
                self.proven |= features
                return reply
        self.cleared |= set(left_out)
        raise failure

    async def _converse(self, prompt: Prompt, features: set[str]) -> Reply:
        arriving = Arriving(self.address, self.bounds)
        if self.overheard is not None:
            self.overheard.clear()
        try:
            await self._carry("/chat/completions", body_of(self.address, prompt, features), arriving)
        except EndpointFailed as failure:
            if not arriving.is_complete:
                failure.was_cut = failure.was_cut or arriving.was_begun
                failure.billed = failure.billed or arriving.so_far(prompt)
                raise
        return arriving.reply(prompt)

    async def _fetch(self, path: str, body: dict[str, Any]) -> bytes:
        kept = _Kept(self.address, self.bounds)
        await self._carry(path, body, kept)
        return b"".join(kept.chunks)

    async def _carry(self, path: str, body: dict[str, Any], arriving: "Arriving | _Kept") -> None:
        """Send a request and feed what comes; whatever goes wrong on the way becomes a failure with a fault."""
        parse_address(self.address.base_url)
        try:
            async with asyncio.timeout(self.bounds.total_seconds) as deadline:
                reply = await self._post(path, body)
                try:
                    await self._feed(reply, arriving, deadline)
                finally:
                    await reply.aclose()
        except openai.APIStatusError as error:
            raise self._refusal(error) from error
        except _BROKEN as error:
            raise self._breakage(error) from error

    async def _post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """Send a request through the openai client; the reply's body is still to come."""
        # Without a stream nothing is heard before the whole answer is there.
        silence = self.bounds.silence_seconds if body.get(STREAM) else self.bounds.total_seconds
        timeout = httpx2.Timeout(
            silence, connect=self.bounds.connect_seconds, write=_WRITE_SECONDS, pool=None
        )
        reply = await self._client.post(
            path,
            cast_to=httpx2.Response,
            body=body,
            options={"timeout": timeout},
            stream=True,
            stream_cls=openai.AsyncStream[Any],
        )
        return cast("httpx2.Response", reply)  # as cast_to says: the library leaves the body to us

    async def _feed(
        self, reply: httpx2.Response, arriving: "Arriving | _Kept", deadline: asyncio.Timeout
    ) -> None:
        arriving.begin(reply.headers.get("content-type", ""))
        ends_soon = False
        async for chunk in reply.aiter_raw():
            if self.overheard is not None:
                self.overheard.append(chunk)
            arriving.feed(chunk)
            if arriving.is_done and not ends_soon:
                deadline.reschedule(self._loop.time() + LAST_BYTES_SECONDS)
                ends_soon = True
        arriving.end()

    def _refusal(self, error: openai.APIStatusError) -> EndpointFailed:
        """Return the failure that an HTTP status and the words with it make."""
        if self.overheard is not None:
            self.overheard.append(error.response.content)
        said = said_by(error.response.content)
        status = error.status_code
        where = error.response.headers.get("location", "") if 300 <= status < 400 else ""
        words = self.address.said(f"{said} {where}".strip()) or _("no words")
        fault, asked = (
            judge(status, said),
            asked_wait_seconds(error.response.headers, datetime.now(UTC)) or 0.0,
        )
        if (
            fault is Fault.RETRY and asked > LONGEST_WAIT_SECONDS
        ):  # an order would only lose its questions to it
            return failure_of(
                self.address,
                _(
                    "asks to be left alone for %(minutes)s minutes: %(said)s (status %(status)s). Go on with the order then."
                )
                % {"minutes": f"{min(asked, 1e8) / 60:,.0f}", "said": words, "status": status},
                fault=Fault.PAUSE,
                status=status,
            )
        return failure_of(
            self.address,
            _("gave no answer: %(said)s (status %(status)s)") % {"said": words, "status": status},
            fault=fault,
            retry_after_seconds=retry_after_seconds(error.response.headers, datetime.now(UTC)),
            status=status,
        )

    def _breakage(self, error: BaseException) -> EndpointFailed:
        """Return the failure of a connection that was not made, or did not hold."""
        if isinstance(error, _NOT_TO_BE_SENT):
            return failure_of(
                self.address,
                _("could not be asked: the key holds characters that no key has; enter it again."),
                fault=Fault.PAUSE,
            )
        return failure_of(
            self.address,
            _("gave no answer: %(said)s") % {"said": self.address.said(_words_of(error))},
            fault=Fault.RETRY,
        )


def _at_once() -> float:
    return 0.0


# What cannot be put into a request's headers, and what breaks between two machines.
_NOT_TO_BE_SENT = (UnicodeEncodeError, httpcore2.LocalProtocolError)
_BROKEN = (
    *_NOT_TO_BE_SENT,
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    ssl.SSLError,
    OSError,  # TimeoutError, of the whole, is one
)


def _words_of(error: BaseException) -> str:
    if isinstance(error, httpcore2.ConnectTimeout):
        return _("nothing answers there in time; is the server running, and can it be reached from here?")
    if isinstance(error, NotConnected):
        return _words_of_unmade(error.why, str(error))
    if isinstance(error, httpcore2.TimeoutException):
        return _("it said nothing for too long.")
    if isinstance(error, TimeoutError):
        return _("it took too long in all.")
    return _("the connection broke (%(why)s).") % {"why": str(error) or type(error).__name__}


def _words_of_unmade(cause: BaseException, why: str) -> str:
    """Return why a connection was not made, and what to do about it."""
    if isinstance(cause, ConnectionRefusedError):
        return _("nothing answers there; is the server running?")
    if isinstance(cause, socket.gaierror | UnicodeError):
        return _("no machine of that name is known; correct the address.")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _("its certificate cannot be trusted (%(why)s); correct the address, or its server.") % {
            "why": cause.verify_message
        }
    if isinstance(cause, ssl.SSLError | ConnectionResetError | asyncio.IncompleteReadError):
        return _("no secure connection came about; does the server speak https? (%(why)s)") % {"why": why}
    return _("it cannot be reached (%(why)s); correct the address, or look at the network.") % {"why": why}


class _Kept:
    """The body of a reply as it is."""

    is_done = False

    def __init__(self, address: Address, bounds: Bounds) -> None:
        self.address, self.bounds = address, bounds
        self.chunks: list[bytes] = []
        self.bytes_read = 0

    def begin(self, content_type: str) -> None:
        """Take any kind."""

    def feed(self, chunk: bytes) -> None:
        """Keep the next bytes.

        Raises:
            EndpointFailed: they are too many.
        """
        self.chunks.append(chunk)
        self.bytes_read += len(chunk)
        if self.bytes_read > self.bounds.whole_bytes:
            raise too_large(self.address, self.bounds.whole_bytes)

    def end(self) -> None:
        """Leave the reading to who asked."""


def _open(address: Address, bounds: Bounds) -> openai.AsyncOpenAI:
    """Open the openai client on a checked transport; nothing of this machine's environment goes out with it."""
    transport = CheckedTransport(address, bounds)
    client = openai.AsyncOpenAI(
        base_url=address.base_url,
        api_key=address.key or "none",
        max_retries=0,
        default_headers={"Accept": "application/json, text/event-stream", "Accept-Encoding": "identity"},
        http_client=httpx2.AsyncClient(transport=transport, follow_redirects=False, trust_env=False),
    )
    client.organization = client.project = None  # the library takes them from the environment
    return client


@contextmanager
def client(address: Address, bounds: Bounds = BOUNDS) -> Iterator[Line]:
    """Open a line to one endpoint, its address checked; what is in flight at the end is cancelled.

    Raises:
        AddressRefused: the address may not be called.
        Refusal: what it wants in a request beside the standard fields cannot be sent.
    """
    check_address(address.base_url)
    check_extra_body(address.extra_body)
    line = Line(address, bounds)
    try:
        yield line
    finally:
        line.close()
