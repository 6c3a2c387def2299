"""HTTP as far as an endpoint is trusted: connections of checked places, and replies of bounded size."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, cast

import httpcore2
import httpx2
from django.utils.translation import gettext as _

from common.endpoints.addresses import Address
from common.endpoints.faults import EndpointFailed, Fault
from common.endpoints.network import CheckedNetwork

MOST_CONNECTIONS = 256  # what an endpoint may be given in flight
KEPT_OPEN_SECONDS = 30.0  # an idle connection; after that the name is looked up, and checked, anew


@dataclass(frozen=True)
class Bounds:
    """How long a reply may take, and how large it may be; room for a million tokens, one in each event."""

    connect_seconds: float = 15.0
    silence_seconds: float = 600.0  # providers under load say nothing for up to ten minutes
    total_seconds: float = 3600.0
    whole_bytes: int = 64 * 1024**2  # of a reply that comes as one JSON
    stream_bytes: int = 512 * 1024**2
    error_bytes: int = 1024**2
    line_bytes: int = 8 * 1024**2
    characters: int = 8_000_000


class _Body(Protocol):
    """What httpcore hands out as the body of a reply."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class _BoundedBytes(httpx2.AsyncByteStream):
    """The body of a reply, which fails when it grows past its bound."""

    def __init__(self, body: _Body, most_bytes: int, address: Address) -> None:
        self.body, self.most_bytes, self.address = body, most_bytes, address

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self.most_bytes
        async for part in self.body:
            left -= len(part)
            if left < 0:
                raise too_large(self.address, self.most_bytes)
            yield part

    async def aclose(self) -> None:
        await self.body.aclose()


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Carries requests over kept connections of checked places; bodies are bounded and never unpacked."""

    def __init__(self, address: Address, bounds: Bounds) -> None:
        self.address, self.bounds = address, bounds
        self.pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=KEPT_OPEN_SECONDS,
            network_backend=CheckedNetwork(address),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and return its reply with the body still to come."""
        found = await self.pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        try:
            bound = self._bound(found.status, httpx2.Headers(found.headers))
        except EndpointFailed:
            await found.aclose()
            raise
        body = _BoundedBytes(cast("_Body", found.stream), bound, self.address)
        return httpx2.Response(found.status, headers=found.headers, stream=body, extensions=found.extensions)

    def _bound(self, status: int, headers: httpx2.Headers) -> int:
        """Return how large a reply's body may be; refuse one that says it is larger, or is packed."""
        packed = headers.get("content-encoding", "identity").strip().lower()
        if packed not in {"", "identity"}:  # unpacked it could be of any size
            raise EndpointFailed(
                _("%(name)s at %(address)s sent a packed reply (%(packed)s), which was not asked for.")
                % {
                    "name": self.address.name,
                    "address": self.address.base_url,
                    "packed": self.address.said(packed),
                },
                fault=Fault.PAUSE,
            )
        most = self.bounds.error_bytes if status >= 300 else self.bounds.stream_bytes
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > min(most, self.bounds.whole_bytes):
            raise too_large(self.address, min(most, self.bounds.whole_bytes))
        return most

    async def aclose(self) -> None:
        await self.pool.aclose()


def too_large(address: Address, most: int) -> EndpointFailed:
    """Return the failure of a reply that does not end."""
    return EndpointFailed(
        _("%(name)s at %(address)s sent a reply of more than %(most)s bytes; it was not read to its end.")
        % {"name": address.name, "address": address.base_url, "most": most},
        fault=Fault.GIVE_UP,
        was_cut=True,
    )
