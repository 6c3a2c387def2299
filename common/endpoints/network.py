"""Connections to an endpoint: only to places that were checked, and as light as asyncio makes them."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

import httpcore2

from common.endpoints.addresses import Address, check_place

_HELD_BYTES = 2**20  # received and not yet read; more is left to the other side

Result = TypeVar("Result")


class NotConnected(httpcore2.ConnectError):
    """A connection that was not made. `why` is what the network said; httpcore cuts the chain of causes."""

    def __init__(self, why: BaseException) -> None:
        strerror = why.strerror if isinstance(why, OSError) else ""
        super().__init__(strerror or str(why) or type(why).__name__)
        self.why = why


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that a name was resolved to and that were checked, so that no later answer counts."""

    def __init__(self, address: Address) -> None:
        self.address = address

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Open a connection; TLS above it still asks for the host by its name."""
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout("nobody answered in time") from error

    async def _connect(self, host: str, port: int) -> "_Stream":
        """Try the addresses of a name, in order.

        Raises:
            AddressRefused: one of them may not be called.
        """
        why = OSError("the name has no address")
        for place in await self._checked_places(host, port):
            try:
                return await _Stream.to(place, port)
            except TimeoutError:
                raise
            except OSError as error:
                why = error
        raise NotConnected(why) from why

    async def _checked_places(self, host: str, port: int) -> list[str]:
        """Resolve a name once; refuse it if any of its addresses may not be called."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NotConnected(error) from error
        places = list(dict.fromkeys(str(place[0]) for *_rest, place in found))
        for place in places:
            check_place(self.address.base_url, place)
        return places

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # httpcore's signature
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: an endpoint's address is a web address."""
        raise httpcore2.ConnectError("an endpoint is no local socket")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore does between its own tries."""
        await asyncio.sleep(seconds)


class _Stream(httpcore2.AsyncNetworkStream, asyncio.Protocol):
    """One connection, plain or under TLS.

    In place of httpcore's own stream: that one costs as much for each read, and for each idle connection that
    the pool looks at, as the rest of a request.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._held = bytearray()
        self._is_over = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._may_write = True

    @classmethod
    async def to(cls, place: str, port: int) -> "_Stream":
        """Connect to an IP address."""
        _transport, stream = await asyncio.get_running_loop().create_connection(cls, place, port)
        return stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hold what came until it is read."""
        self._held += data
        if len(self._held) > _HELD_BYTES:
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        """Take note that no more comes."""
        self._is_over = True
        _wake(self._reader)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the connection is gone, and why."""
        self._is_over, self._error = True, exc
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        """Let writers wait."""
        self._may_write = False

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._may_write = True
        _wake(self._writer)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what came, or nothing at the end.

        Raises:
            httpcore2.ReadTimeout, httpcore2.ReadError: nothing came, or the connection broke.
        """
        while not self._held and not self._is_over:
            self._reader = self._loop.create_future()
            await self._wait(self._reader, timeout, httpcore2.ReadTimeout)
        if not self._held and self._error is not None:
            raise httpcore2.ReadError(str(self._error)) from self._error
        found = bytes(self._held[:max_bytes])
        del self._held[:max_bytes]
        if len(found) == max_bytes and len(self._held) <= _HELD_BYTES and not self._transport.is_closing():
            self._transport.resume_reading()
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, and wait while the other side takes nothing in.

        Raises:
            httpcore2.WriteTimeout, httpcore2.WriteError: it takes nothing, or the connection broke.
        """
        if self._transport.is_closing():
            raise httpcore2.WriteError(str(self._error or "the other side has hung up"))
        self._transport.write(buffer)
        while not self._may_write and not self._is_over:
            self._writer = self._loop.create_future()
            await self._wait(self._writer, timeout, httpcore2.WriteTimeout)

    async def _wait(
        self, future: "asyncio.Future[None]", seconds: float | None, late: type[Exception]
    ) -> None:
        """Wait for a future to be woken, so many seconds at most."""
        alarm = None if seconds is None else self._loop.call_later(seconds, _fail, future, late)
        try:
            await future
        finally:
            if alarm is not None:
                alarm.cancel()

    async def aclose(self) -> None:
        """Hang up at once."""
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # httpcore's signature
    ) -> httpcore2.AsyncNetworkStream:
        """Go on under TLS, with the host's certificate held to its name."""
        raised = self._loop.start_tls(
            self._transport,
            self,
            ssl_context,
            server_hostname=server_hostname,
            ssl_handshake_timeout=timeout or None,
        )
        self._transport = await _connecting(raised)
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about a connection; a readable idle one has been hung up."""
        if info == "is_readable":
            return self._is_over or bool(self._held)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


def _wake(future: "asyncio.Future[None] | None") -> None:
    if future is not None and not future.done():
        future.set_result(None)


def _fail(future: "asyncio.Future[None]", late: type[Exception]) -> None:
    if not future.done():
        future.set_exception(late("it took too long"))


async def _connecting(work: Awaitable[Result]) -> Result:
    """Return what comes of a handshake; what goes wrong is a failure to connect."""
    try:
        return await work
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
        raise NotConnected(error) from error
