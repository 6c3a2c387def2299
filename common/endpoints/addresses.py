"""Where a model is reached, and whether that place may be called from here."""

import ipaddress
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.endpoints.faults import LONGEST_QUOTE, EndpointFailed, Fault

# Fields of a request that are ours: another model or other questions would not be what is recorded, and
# more than one choice would be paid for and dropped.
OUR_FIELDS = ("model", "messages", "stream", "stream_options", "n")

# Of IPv6, all that is given out lies in 2000::/3; 3fff::/20 of it is for documents. Source: IANA's registry of special addresses.
_GIVEN_OUT, _FOR_DOCUMENTS = ipaddress.ip_network("2000::/3"), ipaddress.ip_network("3fff::/20")
_EMBEDDED_IPV4 = ipaddress.ip_network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address


class AddressRefused(EndpointFailed):
    """An endpoint's address may not be called from here."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message, fault=Fault.PAUSE)


@dataclass(frozen=True)
class Address:
    """Where a model is reached, as what, and with what in each request.

    `thinking_form` is one of common.core.thinking.FORMS. `extra_body` is merged into each request; a field
    that is null there is left out of it. `refused` names features of a request that it is known not to take.
    """

    name: str  # for messages
    base_url: str
    model: str
    key: str = field(repr=False)
    max_tokens: int
    temperature: float
    thinking_form: str = "found"
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    def said(self, text: str) -> str:
        """Return what the endpoint said as a failure may repeat it: on one line, short, without the key."""
        words = text.replace(self.key, "…") if self.key else text
        words = " ".join("".join(char if char.isprintable() else " " for char in words[:2000]).split())
        return words if len(words) <= LONGEST_QUOTE else f"{words[: LONGEST_QUOTE - 1]}…"


def check_extra_body(extra_body: Any) -> None:
    """Refuse additions to a request that are none, or that would change what is asked.

    Raises:
        Refusal: with the field that may not be there.
    """
    if not isinstance(extra_body, Mapping):
        raise Refusal(_('The more fields of a request are no JSON object such as {"top_p": 0.95}.'))
    for name in OUR_FIELDS:
        if name in extra_body:
            raise Refusal(
                _("The field “%(name)s” of a request is set for each question; remove it.") % {"name": name}
            )


def check_address(base_url: str) -> None:
    """Refuse an address that is no web address, or that lies in a network closed to members.

    Raises:
        AddressRefused: with the reason and the remedy.
    """
    parts = parse_address(base_url)
    if settings.ALLOW_PRIVATE_ENDPOINTS:
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(
            _("The name %(host)s cannot be resolved (%(why)s); correct the address.")
            % {"host": parts.hostname, "why": error}
        ) from error
    for *_rest, place in found:
        check_place(base_url, str(place[0]))


def parse_address(base_url: str) -> SplitResult:
    """Take an address apart, without looking its name up.

    Raises:
        AddressRefused: it is no web address.
    """
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018  # reading it is what raises
    except ValueError as error:
        raise AddressRefused(
            _("The address %(address)s is none (%(why)s); correct it.")
            % {"address": repr(base_url), "why": error}
        ) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise AddressRefused(
            _("The address %(address)s is none of http://… or https://…; correct it.")
            % {"address": repr(base_url)}
        )
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(
            _("The address of %(host)s holds a name or a password; enter the key as the key.")
            % {"host": parts.hostname}
        )
    return parts


def is_at(base_url: str, places: Collection[tuple[str, int]]) -> bool:
    """Tell whether an address leads to one of these hosts and ports; all names of this machine are one."""
    try:
        parts = parse_address(base_url)
    except AddressRefused:
        return False
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (_one_name(parts.hostname or ""), port) in {(_one_name(host), port) for host, port in places}


def _one_name(host: str) -> str:
    bare = host.strip("[]").rstrip(".").casefold()
    is_here = bare in {"localhost", "::1", "0.0.0.0", "::"} or bare.startswith("127.")  # noqa: S104  # is called, not listened on
    return "localhost" if is_here else bare


def check_place(base_url: str, place: str) -> None:
    """Refuse a resolved address in a network closed to members.

    Raises:
        AddressRefused: the operator has not allowed such.
    """
    if not settings.ALLOW_PRIVATE_ENDPOINTS and not is_public(place):
        raise AddressRefused(
            _(
                "The address %(address)s lies in a private network (%(place)s); "
                "the operator can allow that with QIANTI_ALLOW_PRIVATE_ENDPOINTS."
            )
            % {"address": base_url, "place": place}
        )


def is_public(place: str) -> bool:
    """Tell whether an IP address is one of the open internet, and so is the IPv4 address inside it, if any."""
    found = ipaddress.ip_address(place)
    if not found.is_global or found.is_multicast:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return True
    inner = found.ipv4_mapped or found.sixtofour
    if found in _EMBEDDED_IPV4:
        inner = ipaddress.IPv4Address(found.packed[12:])
    if inner is not None:
        return is_public(str(inner))
    return found in _GIVEN_OUT and found not in _FOR_DOCUMENTS
