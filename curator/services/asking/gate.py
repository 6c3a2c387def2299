"""What an order goes through for each request: the pace of its endpoint, and services that may be away."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import redis
from django.db import InterfaceError, OperationalError, connection

from common.endpoints import Address
from common.holds import Hold, Holds
from common.pace import Limits, Pace
from curator.models import Endpoint

SERVICE_AWAY_SECONDS = 300.0  # how long PostgreSQL or Redis may be away before an order gives up

Outcome = TypeVar("Outcome")


class Gate:
    """What every request of one order passes; while Redis is away, it waits.

    The pace is that of an account and its model, whoever has entered it under whatever name: a provider counts what
    comes with one key together. What is asked is held, so that another order that wants the same waits for it.
    """

    def __init__(self, job: Any, endpoint: Endpoint, address: Address) -> None:
        limits = Limits(endpoint.max_in_flight, endpoint.requests_per_minute, endpoint.tokens_per_minute)
        owner = f"{job._meta.label_lower}:{job.pk}"
        self.pace = Pace(_account(address), limits, owner=owner)
        realm = "shared" if job.project.shares_answers else f"project-{job.project_id}"
        self.holds = Holds(realm, owner)
        self.held: set[str] = set()  # addresses that no other order asks meanwhile
        self.renewed = 0.0

    def exchange(
        self, leaving: Sequence[tuple[str, int]], entering: Sequence[int]
    ) -> tuple[list[str], float]:
        """As `Pace.exchange`."""
        return through(lambda: self.pace.exchange(leaving, entering))

    def hold(self, addresses: Sequence[str]) -> list[Hold]:
        """As `Holds.take`; what is held already costs nothing."""
        wanted = [address for address in addresses if address not in self.held]
        found = dict(zip(wanted, through(lambda: self.holds.take(wanted)), strict=True))
        self.held |= {address for address, hold in found.items() if hold is Hold.MINE}
        return [found.get(address, Hold.MINE) for address in addresses]

    def let_go(self, addresses: Sequence[str], *, answered: bool) -> None:
        """Hold no longer what has been answered, or will not be asked for now."""
        if addresses:
            through(lambda: (self.holds.answered if answered else self.holds.leave)(addresses))
            self.held.difference_update(addresses)

    def forget(self, addresses: Sequence[str]) -> None:
        """Forget that these were answered: the answer is not for this project, or is gone."""
        if addresses:
            through(lambda: self.holds.forget(addresses))

    def renew(self, tickets: Iterable[str]) -> None:
        """Say once a second that these requests are still on their way, and what is held still wanted.

        What a worker before had in flight is given up as soon as it has fallen silent, though the order was taken up
        sooner.
        """
        if time.monotonic() - self.renewed >= 1.0:
            self.renewed = time.monotonic()
            through(lambda: self.pace.renew(tickets))
            through(self.pace.give_up)
            through(lambda: self.holds.take(list(self.held)))

    def close(self) -> None:
        """Hold nothing any longer."""
        self.let_go(list(self.held), answered=False)


def _account(address: Address) -> str:
    """Return a name for who is asked and who asks, which gives neither away."""
    told = "\n".join((address.base_url.rstrip("/"), address.model, address.key))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def through(work: Callable[[], Outcome]) -> Outcome:
    """Do what needs PostgreSQL or Redis; while that is being restarted, wait and do it again."""
    deadline = time.monotonic() + SERVICE_AWAY_SECONDS
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError):
            if connection.in_atomic_block or time.monotonic() >= deadline:
                raise
            connection.close()
            time.sleep(0.5)
