"""The embeddings call of an OpenAI-compatible endpoint: texts in, unit vectors out.

Endpoint and address are those of common.endpoints, and so are the limits and retries of its client.
What comes back is numbers of one length, one vector for each text, or a failure that says what it was.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import openai
from numpy.typing import NDArray

from common.core.text import estimate_tokens
from common.endpoints import MOST_TOKENS, Address, EndpointFailed

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


def embed(opened: openai.OpenAI, address: Address, texts: Sequence[str]) -> Embedded:
    """Ask for the vectors of a batch of texts.

    Raises:
        BatchRefused: the endpoint does not take these texts; smaller batches may do.
        EndpointFailed: no reply after the retries, or one that cannot be used.
    """
    try:
        # Asked for in so many words: the library's default is base64, which not every server knows.
        reply = opened.embeddings.create(model=address.model, input=list(texts), encoding_format="float")
    except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
        raise BatchRefused(f"{address.name} at {address.base_url} refused a text: {error}") from error
    except openai.OpenAIError as error:
        raise EndpointFailed(f"{address.name} at {address.base_url} gave no vectors: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:  # the library builds on JSON of any shape
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent a reply that is no list of vectors ({error})."
        ) from error
    vectors = _unit_vectors(_in_order(reply, len(texts), address), address)
    return Embedded(vectors, *_tokens(getattr(reply, "usage", None), texts))


def _in_order(reply: Any, count: int, address: Address) -> list[Any]:
    """Return one list of numbers for each text: a server may answer out of order."""
    rows = getattr(reply, "data", None)
    if not isinstance(rows, list):
        raise EndpointFailed(f"{address.name} at {address.base_url} sent a reply that is no list of vectors.")
    places = [getattr(row, "index", None) for row in rows]
    if sorted(place for place in places if isinstance(place, int)) != list(range(count)):
        raise EndpointFailed(
            f"{address.name} at {address.base_url} sent {len(rows)} vectors for {count} texts; "
            "it sends one for each."
        )
    by_place = dict(zip(places, rows, strict=True))
    return [getattr(by_place[place], "embedding", None) for place in range(count)]


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
    counted = getattr(usage, "prompt_tokens", None)
    if isinstance(counted, int) and 0 < counted <= MOST_TOKENS * len(texts):
        return counted, "usage"
    return sum(map(estimate_tokens, texts)), "estimate"
