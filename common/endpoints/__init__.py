"""The client of every OpenAI-compatible endpoint: address checked, replies bounded, failures with a fault.

Endpoint addresses come from members and model output from strangers: an address is checked each time before
it is used, the connection goes to what was checked, redirects are not followed, size and time are bounded,
and what comes back is text and counts that make sense, or one sentence that names the endpoint.
"""

from common.endpoints.addresses import Address, AddressRefused, check_address, check_extra_body, is_at
from common.endpoints.faults import EndpointFailed, Fault, back_off_seconds, with_retries
from common.endpoints.lines import Line, client
from common.endpoints.replies import MOST_TOKENS, Reply
from common.endpoints.requests import Prompt
from common.endpoints.transport import Bounds

__all__ = [
    "MOST_TOKENS",
    "Address",
    "AddressRefused",
    "Bounds",
    "EndpointFailed",
    "Fault",
    "Line",
    "Prompt",
    "Reply",
    "back_off_seconds",
    "check_address",
    "check_extra_body",
    "client",
    "is_at",
    "with_retries",
]
