"""Requests of an order that wait, and for how many of them the endpoint has room."""

import heapq
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from common.endpoints import Prompt

NARROWED_SECONDS = 0.5  # refusals within this time are of requests that went out together

Item = TypeVar("Item")


@dataclass(frozen=True)
class Request(Generic[Item]):
    """One item as it goes out: what it costs at most, and what earlier attempts have cost."""

    item: Item
    prompt: Prompt
    address: str
    dearest_usd: Decimal
    most_tokens: int
    attempt: int = 1  # a reply that could not be read makes another
    failures: int = 0  # of this attempt, so far
    refusals: int = 0  # for want of room there; they cost the question no try
    spent_usd: Decimal = Decimal(0)


@dataclass
class Queue(Generic[Item]):
    """What waits: requests that are new, and those that are to be tried again when their time has come."""

    items: Iterator[Item]
    fresh: deque[Request[Item]] = field(default_factory=deque)
    later: list[tuple[float, int, Request[Item]]] = field(default_factory=list)
    count: int = 0

    def put_off(self, request: Request[Item], seconds: float) -> None:
        """Let a request wait."""
        self.count += 1
        heapq.heappush(self.later, (time.monotonic() + seconds, self.count, request))

    def next(self) -> Request[Item] | None:
        """Take what is due."""
        if self.later and self.later[0][0] <= time.monotonic():
            return heapq.heappop(self.later)[2]
        return self.fresh.popleft() if self.fresh else None

    def seconds_to_next(self) -> float | None:
        """Return how long until something put off is due; None where nothing is."""
        return max(0.0, self.later[0][0] - time.monotonic()) if self.later else None


class Room:
    """How many requests an endpoint takes at once, as far as it has shown; never more than it is given.

    Halved where it refuses one for want of room, and a little larger with each answer, as TCP finds a path's width.
    Source: Chiu and Jain, Analysis of the increase and decrease algorithms for congestion avoidance (1989).
    """

    def __init__(self, most: int) -> None:
        self.most, self.width = most, float(most)
        self.narrowed_at = self.answered_at = time.monotonic()

    @property
    def size(self) -> int:
        """Return how many may be in flight."""
        return max(1, int(self.width))

    @property
    def seconds_without(self) -> float:
        """Return for how long no answer has come."""
        return time.monotonic() - self.answered_at

    def came_through(self) -> None:
        """Take an answer into account."""
        self.width = min(float(self.most), self.width + 1 / self.width)
        self.answered_at = time.monotonic()

    def was_refused(self) -> None:
        """Take a refusal into account; those that come together count as one."""
        if time.monotonic() - self.narrowed_at >= NARROWED_SECONDS:
            self.width, self.narrowed_at = max(1.0, self.width / 2), time.monotonic()
