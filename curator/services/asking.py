"""An order to an endpoint: as many items in flight as it takes, each reply kept and paid for once.

What a reply cost, and what became of it, is written together with the row that it makes, so that a worker
that dies at any moment leaves sums that are right; whoever takes the order up asks only for what is missing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Case, Count, Expression, F, FloatField, QuerySet, Sum, Value, When
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from common.core.money import tokens_usd
from common.core.refusal import Refusal
from common.encryption import decrypt
from common.endpoints import Address, EndpointFailed, Line, Prompt, Reply, client
from common.jobs import ACTIVE, Pulse, Watch, unwatched
from common.models import Project
from common.queries import get_spent_usd
from curator.models import Endpoint

FAILURES_IN_A_ROW = 10  # an endpoint that fails so often is down: stop, and say so
BATCH = 500  # rows that are read at once
LONGEST_QUOTE = 80  # characters of a reply that could not be read, as the failure shows them

Item = TypeVar("Item")


class LimitReached(Refusal):
    """The money limit of an order or of its project is used up."""


@dataclass(frozen=True)
class Estimate:
    """What an order will ask and cost, and how that was computed."""

    questions: int
    tokens: int
    usd: Decimal
    basis: str


class Settled(StrEnum):
    """What became of a reply."""

    STORED = "stored"
    ALREADY = "already"  # another worker, or a file, has stored as much
    UNREADABLE = "unreadable"  # it does not keep to the form that was asked for: ask again
    GONE = "gone"  # what was asked about is no more, or is another now


@dataclass(frozen=True)
class Received(Generic[Item]):
    """What came back about one item, and what all its tries have cost."""

    item: Item
    reply: Reply
    tries: int
    cost_usd: Decimal


Store = Callable[[Received[Item]], Settled]


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
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


def about_tokens(rows: "QuerySet[Any]", language: str, *texts: str) -> tuple[int, int]:
    """Return how many rows there are, and about how many tokens their texts have, without reading them.

    `language` and `texts` name fields. Four Latin characters, or one and a half Chinese ones, make a token.
    """
    per_token = Case(When(**{language: "zh"}, then=1.5), default=4.0, output_field=FloatField())
    lengths: Expression | Value = Value(0.0, output_field=FloatField())
    for text in texts:
        lengths = lengths + Length(text, output_field=FloatField())
    sums = rows.order_by().aggregate(
        rows=Count("pk"), tokens=Sum(lengths / per_token, output_field=FloatField())
    )
    return sums["rows"], round(sums["tokens"] or 0)


def estimate_of(
    endpoint: Endpoint, *, questions: int, tokens_in: int, tokens_out: int, basis: str
) -> Estimate:
    """Return an estimate from the tokens of all questions together."""
    usd = tokens_usd(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        price_in_usd=endpoint.price_in_usd,
        price_out_usd=endpoint.price_out_usd,
    )
    return Estimate(questions, tokens_in + tokens_out, usd, basis)


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
) -> None:
    """Ask about every item of a claimed job, and store each reply as it comes.

    `store` runs in a transaction, together with the counts and the cost on the job's row; an item whose
    reply it calls unreadable is asked about again, `tries` times in all, and then counted as failed.
    Whatever ends the order: replies that are on their way are paid for, so they are stored.

    Raises:
        LimitReached: the money is used up.
        EndpointFailed: the endpoint is down, keeps to no form, or answered nothing at all.
        Cancelled, ClaimLost: as `Job.beat`.
    """
    address = address_of(endpoint)
    type(job)._default_manager.filter(pk=job.pk).update(asked=F("stored"), failed=0)  # they are asked again
    job.refresh_from_db(fields=["asked", "stored", "failed", "cost_usd"])
    order = _Order(
        job=job,
        endpoint=endpoint,
        wanted=wanted,
        tries=tries,
        prompt_of=prompt_of,
        store=store,
        pulse=Pulse(job, watch),
    )
    with client(address) as opened, ThreadPoolExecutor(endpoint.max_in_flight) as pool:
        order.carry_out(pool, Line(opened, address), iter(items))


@dataclass(frozen=True)
class _Request(Generic[Item]):
    """One item as it goes out: which try this is, what it costs at most, and what earlier tries have cost."""

    item: Item
    prompt: Prompt
    dearest_usd: Decimal
    tries: int = 1
    spent_usd: Decimal = Decimal(0)


class _Order(Generic[Item]):
    """An order as it goes: what is in flight, what is to be asked again, and what was settled."""

    def __init__(
        self,
        *,
        job: Any,
        endpoint: Endpoint,
        wanted: int,
        tries: int,
        prompt_of: Callable[[Item], Prompt],
        store: Store[Item],
        pulse: Pulse,
    ) -> None:
        self.job, self.endpoint, self.wanted, self.tries = job, endpoint, wanted, tries
        self.prompt_of, self.store, self.pulse = prompt_of, store, pulse
        self.purse = _Purse(job)
        self.in_flight: dict[Future[Reply], _Request[Item]] = {}
        self.again: deque[_Request[Item]] = deque()
        self.settled = self.failures_in_a_row = 0
        self.last_failure: EndpointFailed | None = None

    def carry_out(self, pool: ThreadPoolExecutor, line: Line, waiting: Iterator[Item]) -> None:
        """Keep as many requests in flight as the endpoint takes, until nothing waits."""
        try:
            while True:
                self._fill(pool, line, waiting)
                if not self.in_flight:
                    break
                self._go_on()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._settle(future for future in list(self.in_flight) if not future.cancelled())
        if self.last_failure is not None and not self.job.stored:  # an order that brought nothing is not done
            raise self.last_failure

    def _fill(self, pool: ThreadPoolExecutor, line: Line, waiting: Iterator[Item]) -> None:
        while len(self.in_flight) < self.endpoint.max_in_flight:
            request = self._next(waiting)
            if request is None:
                return
            if self.in_flight and not self.purse.holds(request.dearest_usd):
                self.again.appendleft(request)  # those in flight may cost less than they could
                return
            self.purse.reserve(request.dearest_usd)
            self.in_flight[pool.submit(line.ask, request.prompt)] = request

    def _next(self, waiting: Iterator[Item]) -> _Request[Item] | None:
        if self.again:
            return self.again.popleft()
        item = next(waiting, None)
        if item is None:
            return None
        prompt = self.prompt_of(item)
        dearest = tokens_usd(
            tokens_in=prompt.size_bytes,
            tokens_out=self.endpoint.max_tokens,
            price_in_usd=self.endpoint.price_in_usd,
            price_out_usd=self.endpoint.price_out_usd,
        )
        return _Request(item, prompt, dearest)

    def _go_on(self) -> None:
        self._settle(wait(self.in_flight, timeout=1, return_when=FIRST_COMPLETED)[0])
        if self.last_failure is not None and self.failures_in_a_row >= FAILURES_IN_A_ROW:
            raise self.last_failure
        before = self.pulse.last
        self.pulse(self.settled, self.wanted)
        if self.pulse.last != before:
            self.purse.look_again()

    def _settle(self, done: Iterable[Future[Reply]]) -> None:
        for future in done:
            request, failure = self.in_flight.pop(future), future.exception()
            self.purse.release(request.dearest_usd)
            if isinstance(failure, EndpointFailed):
                self._fail(failure)
                self._count(Decimal(0), failed=1)
                self.settled += 1
            else:
                self._keep(request, future.result())

    def _keep(self, request: _Request[Item], reply: Reply) -> None:
        """Store one reply, and take its price with it."""
        price = reply.cost(price_in_usd=self.endpoint.price_in_usd, price_out_usd=self.endpoint.price_out_usd)
        received = Received(request.item, reply, request.tries, request.spent_usd + price)
        with transaction.atomic():
            settled = self.store(received)
            again = settled is Settled.UNREADABLE and request.tries < self.tries
            counts = {} if again else {"stored": 1} if settled is Settled.STORED else {"failed": 1}
            self._count(price, **({} if settled is Settled.ALREADY else counts))
        self.purse.pay(price)
        if again:
            self.again.append(replace(request, tries=request.tries + 1, spent_usd=request.spent_usd + price))
        elif settled is Settled.UNREADABLE:
            self._fail(self._unreadable(reply))
        else:
            self.failures_in_a_row = 0
        self.settled += not again

    def _unreadable(self, reply: Reply) -> EndpointFailed:
        end = reply.answer.strip()[-LONGEST_QUOTE:]
        return EndpointFailed(
            _(
                "%(name)s did not answer in the form that it was asked for in %(tries)s tries; it ended: %(end)s"
            )
            % {"name": self.endpoint.name, "tries": self.tries, "end": end or "–"}
        )

    def _fail(self, failure: EndpointFailed) -> None:
        self.last_failure = failure
        self.failures_in_a_row += 1

    def _count(self, price: Decimal, **counts: int) -> None:
        """Add to what the job's row counts: another worker may be adding to it too."""
        if counts:
            counts["asked"] = 1
        added: dict[str, Any] = {field: F(field) + count for field, count in counts.items()}
        type(self.job)._default_manager.filter(pk=self.job.pk).update(cost_usd=F("cost_usd") + price, **added)
        for field, count in counts.items():
            setattr(self.job, field, getattr(self.job, field) + count)
        self.job.cost_usd += price


class _Purse:
    """What an order may still spend, the requests in flight counted at their dearest."""

    def __init__(self, job: Any) -> None:
        self.job = job
        self.reserved = Decimal(0)
        self.look_again()

    def look_again(self) -> None:
        """Read anew what is left: other orders of the project spend beside this one."""
        limit = Project.objects.values_list("money_limit_usd", flat=True).get(pk=self.job.project_id)
        self.project_left = limit - get_spent_usd(self.job.project)
        rows = type(self.job)._default_manager.filter(pk=self.job.pk)
        most, spent = rows.values_list("max_cost_usd", "cost_usd").get()
        self.order_left = None if most is None else most - spent

    def holds(self, usd: Decimal) -> bool:
        """Tell whether a request fits beside those in flight."""
        needed = self.reserved + usd
        lefts = [left for left in (self.project_left, self.order_left) if left is not None]
        return not usd or min(lefts) >= needed

    def reserve(self, usd: Decimal) -> None:
        """Set the dearest price of a request aside.

        Raises:
            LimitReached: it and those in flight could together pass a limit.
        """
        if not self.holds(usd):
            if self.project_left < self.reserved + usd:
                raise LimitReached(
                    _("The project's money limit is used up; its owner can raise it in the settings.")
                )
            raise LimitReached(
                _("The order's limit of %(usd)s USD is used up; start another.")
                % {"usd": f"{self.job.max_cost_usd:.2f}"}
            )
        self.reserved += usd

    def release(self, usd: Decimal) -> None:
        """Give back what was set aside for a request."""
        self.reserved -= usd

    def pay(self, usd: Decimal) -> None:
        """Take the price of one reply."""
        self.project_left -= usd
        if self.order_left is not None:
            self.order_left -= usd
