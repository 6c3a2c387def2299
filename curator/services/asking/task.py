"""What an order is to do, and what its caller makes of each reply."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from common.core.text import estimate_tokens
from common.endpoints import Address, Prompt, Reply
from curator.models import Endpoint
from curator.services import replies
from curator.services.asking.waiting import Request
from curator.services.purse import dearest_usd

Item = TypeVar("Item")


class Settled(StrEnum):
    """What became of a reply."""

    STORED = "stored"
    ALREADY = "already"  # another worker, or a file, has stored as much
    UNREADABLE = "unreadable"  # it does not keep to the form that was asked for: ask again
    GONE = "gone"  # what was asked about is no more, or is another now


@dataclass(frozen=True)
class Received(Generic[Item]):
    """What came back about one item, and what all its tries have cost whoever paid for them."""

    item: Item
    reply: Reply
    tries: int
    cost_usd: Decimal


Store = Callable[[Sequence[Received[Item]]], Sequence[Settled]]


def one_by_one(store: Callable[[Received[Item]], Settled]) -> Store[Item]:
    """Return what stores several replies by what stores one."""
    return lambda received: [store(each) for each in received]


@dataclass(frozen=True)
class Task(Generic[Item]):
    """What an order is to do, as its caller says it."""

    job: Any
    endpoint: Endpoint
    address: Address
    wanted: int
    tries: int
    prompt_of: Callable[[Item], Prompt]
    store: Store[Item]
    sample_of: Callable[[Item], str]

    def request(self, item: Item, attempt: int = 1, spent_usd: Decimal = Decimal(0)) -> "Request[Item]":
        """Return what goes out about an item, the `attempt`th time that it is asked about."""
        prompt = self.prompt_of(item)
        sample = f"{self.sample_of(item)}/{attempt}"
        return Request(
            item=item,
            prompt=prompt,
            address=replies.address_of_question(self.address, prompt, sample),
            dearest_usd=dearest_usd(self.endpoint, prompt),
            most_tokens=estimate_tokens(prompt.system + prompt.user) + self.endpoint.max_tokens,
            attempt=attempt,
            spent_usd=spent_usd,
        )

    def price(self, reply: Reply) -> Decimal:
        """Return what a reply cost."""
        return reply.cost(price_in_usd=self.endpoint.price_in_usd, price_out_usd=self.endpoint.price_out_usd)
