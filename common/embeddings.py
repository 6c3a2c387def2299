"""The embeddings call of an OpenAI-compatible endpoint: texts in, unit vectors out.

Endpoint and address are those of common.endpoints, and so are the bounds and retries of its client.
What comes back is numbers of one length, one vector for each text, or a failure that says what it was.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from common.core.text import estimate_tokens
from common.endpoints import MOST_TOKENS, Address, EndpointFailed, Fault, Line, with_retries

MOST_DIMENSIONS = 16_000  # what a column of vectors holds


class BatchRefused(EndpointFailed):
    """The endpoint took the request for a bad one: a text of the batch is too long for it, perhaps."""


@dataclass(frozen=True)
class Embedded:
    """The vectors of a batch of texts, in order, each of length 1; and the tokens that were paid for."""

    vectors: NDArray[np.float32]  # texts × dimensions
    tokens_in: int
    tokens_counted_by: str

    def cost(self, *, price_in_usd: Decimal) -> Decimal:
        """Return what this batch cost, in USD, at a price per million tokens."""
        return price_in_usd * self.tokens_in / Decimal(1_000_000)


def embed(line: Line, texts: Sequence[str]) -> Embedded:
    """Ask for the vectors of a batch of texts, a few times if need be.

    Raises:
        BatchRefused: the endpoint does not take these texts; smaller batches may do.
        EndpointFailed: no reply after the retries, or one that cannot be used.
    """
    address = line.address
    # Asked for in so many words: some servers would send base64.
    body = {"model": address.model, "input": list(texts), "encoding_format": "float"}
    try:
        content = with_retries(lambda: line.fetch("/embeddings", body))
    except EndpointFailed as failure:
        if failure.status in {400, 413, 422} and failure.fault is Fault.GIVE_UP:
            raise BatchRefused(str(failure), fault=failure.fault, status=failure.status) from failure
        raise
    try:
        reply = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent a reply that is no list of vectors ({error})."
        ) from error
    found = reply if isinstance(reply, dict) else {}
    vectors = _unit_vectors(_in_order(found.get("data"), len(texts), address), address)
    return Embedded(vectors, *_tokens(found.get("usage"), texts))


def _in_order(rows: Any, count: int, address: Address) -> list[Any]:
    """Return one list of numbers for each text: a server may answer out of order."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise EndpointFailed(f"{address.name} at {address.base_url} sent a reply that is no list of vectors.")
    places = [row.get("index") for row in rows]
    if sorted(place for place in places if type(place) is int) != list(range(count)):
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent {len(rows)} vectors for {count} texts; "
            "it sends one for each."
        )
    by_place = dict(zip(places, rows, strict=True))
    return [by_place[place].get("embedding") for place in range(count)]


def _unit_vectors(rows: list[Any], address: Address) -> NDArray[np.float32]:
    try:
        vectors = np.array(rows, dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1)
    except (ValueError, TypeError) as error:
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent vectors that are not lists of as many numbers each."
        ) from error
    if not 1 <= vectors.shape[1] <= MOST_DIMENSIONS:
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent vectors of {vectors.shape[1]} numbers; "
            f"1 to {MOST_DIMENSIONS} can be kept."
        )
    if not all(length > 0 and math.isfinite(length) for length in lengths):
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent a vector that points nowhere (all zeros, or no numbers)."
        )
    unit: NDArray[np.float32] = (vectors / lengths[:, None]).astype(np.float32)
    return unit


def _tokens(usage: Any, texts: Sequence[str]) -> tuple[int, str]:
    """Return the tokens of a batch, and who counted them; what makes no sense is not taken."""
    counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    if type(counted) is int and 0 < counted <= MOST_TOKENS * len(texts):
        return counted, "usage"
    return sum(map(estimate_tokens, texts)), "estimate"
