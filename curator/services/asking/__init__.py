"""An order to an endpoint: as many items in flight as it takes, each reply kept and paid for once.

Whatever comes back is written down with its price before anything else is done with it; then it becomes what
was asked for. A worker that dies at any moment leaves sums that are right, and whoever takes the order up
asks only for what was on its way. A failure is answered as it asks to be: tried again after a while, given up,
or the order rests until a person has mended what is wrong.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.encryption import decrypt
from common.endpoints import Address, Line, Prompt, client
from common.jobs import ACTIVE, Paused, Pulse, Watch, unwatched
from common.turns import quick_turns
from curator.models import Endpoint
from curator.services.asking.estimates import Estimate, about_tokens, estimate_of
from curator.services.asking.gate import through
from curator.services.asking.order import Order
from curator.services.asking.task import Received, Settled, Store, Task, one_by_one
from curator.services.purse import LimitReached

__all__ = [
    "BATCH",
    "Estimate",
    "LimitReached",
    "Received",
    "Settled",
    "about_tokens",
    "address_of",
    "ask_all",
    "by_key",
    "estimate_of",
    "one_by_one",
    "refuse_if_busy",
    "remember_refused",
    "through",
]

BATCH = 500  # rows that are read at once

Item = TypeVar("Item")


def address_of(endpoint: Endpoint) -> Address:
    """Return how an endpoint is reached.

    Raises:
        Refusal: it has no address, so that its traces can only be imported.
    """
    if not endpoint.base_url:
        raise Refusal(
            _("%(name)s has no address; enter one, or import its traces.") % {"name": endpoint.name}
        )
    return Address(
        name=endpoint.name,
        base_url=endpoint.base_url,
        model=endpoint.model,
        key=decrypt(bytes(endpoint.encrypted_key)),
        max_tokens=endpoint.max_tokens,
        temperature=endpoint.temperature,
        thinking_form=endpoint.thinking_form,
        extra_body=endpoint.extra_body,
        refused=frozenset(endpoint.refused),
    )


def refuse_if_busy(endpoint: Endpoint, orders: "QuerySet[Any]") -> None:
    """Refuse a second order to an endpoint; its row is locked, so that a double click makes one.

    Part of a caller's transaction.

    Raises:
        Refusal: an order to it waits or runs.
    """
    type(endpoint)._default_manager.select_for_update().get(pk=endpoint.pk)
    if orders.filter(state__in=ACTIVE).exists():
        raise Refusal(
            _("%(name)s is being asked already; wait, or cancel that order.") % {"name": endpoint.name}
        )


def by_key(rows: "QuerySet[Any]") -> Iterator[Any]:
    """Yield each row once, by key, while replies are being stored beside."""
    last = 0
    while batch := through(lambda: list(rows.filter(pk__gt=last).order_by("pk")[:BATCH])):  # noqa: B023
        yield from batch
        last = batch[-1].pk


def ask_all(
    *,
    job: Any,
    endpoint: Endpoint,
    items: Iterable[Item],
    wanted: int,
    prompt_of: Callable[[Item], Prompt],
    store: Store[Item],
    watch: Watch = unwatched,
    tries: int = 1,
    sample_of: Callable[[Item], str] = lambda _item: "0",
) -> None:
    """Ask about every item of a claimed job, and store each reply as it comes.

    `store` runs in a transaction, together with the counts on the job's row; an item whose reply it calls
    unreadable is asked about again, `tries` times in all, and then counted as failed. `sample_of` tells what is asked
    in the same words apart, where each is to have a reply of its own. Replies that are there already are stored at no cost.
    Whatever ends the order: replies that are on their way are paid for, so they are waited for and stored.

    Raises:
        Paused: a limit has no room for another answer, or the endpoint wants something mended first: the key,
            the address, the account.
        EndpointFailed: the endpoint is down, keeps to no form, or answered nothing at all.
        Cancelled, ClaimLost: as `Job.beat`.
    """
    address = address_of(endpoint)
    type(job)._default_manager.filter(pk=job.pk).update(  # what failed is asked again
        asked=F("stored"), failed=0, progress_done=0, progress_total=wanted
    )
    job.refresh_from_db(fields=["asked", "stored", "failed", "cost_usd", "progress_done", "progress_total"])
    task = Task(job, endpoint, address, wanted, tries, prompt_of, store, sample_of)
    with quick_turns(), client(address) as line:
        try:
            Order(task, line, iter(items), Pulse(job, watch)).carry_out()
        except LimitReached as reached:  # a person raises the limit, or lets it be
            raise Paused(str(reached)) from reached
        finally:
            remember_refused(endpoint, line)


def remember_refused(endpoint: Endpoint, line: Line) -> None:
    """Keep what an endpoint was found not to take, so that the next order does not ask for it first.

    What it took after all is forgotten; an endpoint that became another one meanwhile keeps what it has.
    """
    refused = sorted((set(endpoint.refused) - line.proven) | line.refused)
    if refused != sorted(endpoint.refused):
        same = {"pk": endpoint.pk, "base_url": endpoint.base_url, "model": endpoint.model}
        through(lambda: type(endpoint)._default_manager.filter(**same).update(refused=refused))
