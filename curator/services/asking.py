"""An order to an endpoint: as many items in flight as it takes, each reply kept and paid for once.

Whatever comes back is written down with its price before anything else is done with it; then it becomes what
was asked for. A worker that dies at any moment leaves sums that are right, and whoever takes the order up
asks only for what was on its way. A failure is answered as it asks to be: tried again after a while, given up,
or the order rests until a person has mended what is wrong.
"""

import heapq
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import Any, Generic, TypeVar

import redis
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import (
    Case,
    Count,
    Expression,
    F,
    FloatField,
    PositiveBigIntegerField,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Greatest, Length
from django.utils.translation import gettext as _

from common.core.money import tokens_usd
from common.core.refusal import Refusal
from common.core.text import estimate_tokens
from common.encryption import decrypt
from common.endpoints import Address, EndpointFailed, Fault, Line, Prompt, Reply, back_off_seconds, client
from common.jobs import ACTIVE, Cancelled, ClaimLost, Paused, Pulse, Watch, unwatched
from common.pace import Limits, Pace
from common.turns import quick_turns
from curator.models import Endpoint
from curator.services import replies
from curator.services.purse import LimitReached, Purse, dearest_usd

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
    "through",
]

FAILURES_IN_A_ROW = 10  # items that failed in every try: the endpoint is down; stop, and say so
TRIES_AFTER_FAILURES = 6
BATCH = 500  # rows that are read at once
AHEAD = 64  # items that are looked up among the replies that are there, at once
# Replies that are written down become what they are for together: so many at a time, or so soon.
TOGETHER, TOGETHER_SECONDS = 8, 0.25
LONGEST_QUOTE = 80  # characters of a reply that could not be read, as the failure shows them
WAIT_FOR_MONEY_SECONDS = 0.25
BUSY_SECONDS = 900.0  # an endpoint that has no room for any request for so long is left alone
# Of one question; more of them are about the question, as of one that is too large for a minute.
MOST_REFUSALS = 12
NARROWED_SECONDS = 0.5  # refusals within this time are of requests that went out together
SERVICE_AWAY_SECONDS = 300.0  # how long PostgreSQL or Redis may be away before an order gives up

Item = TypeVar("Item")


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
    """What came back about one item, and what all its tries have cost whoever paid for them."""

    item: Item
    reply: Reply
    tries: int
    cost_usd: Decimal


Store = Callable[[Sequence[Received[Item]]], Sequence[Settled]]


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


def one_by_one(store: Callable[[Received[Item]], Settled]) -> Store[Item]:
    """Return what stores several replies by what stores one."""
    return lambda received: [store(each) for each in received]


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
    task = _Task(job, endpoint, address, wanted, tries, prompt_of, store, sample_of)
    with quick_turns(), client(address) as line:
        try:
            _Order(task, line, iter(items), Pulse(job, watch)).carry_out()
        except LimitReached as reached:  # a person raises the limit, or lets it be
            raise Paused(str(reached)) from reached


@dataclass(frozen=True)
class _Task(Generic[Item]):
    """What an order is to do, as its caller says it."""

    job: Any
    endpoint: Endpoint
    address: Address
    wanted: int
    tries: int
    prompt_of: Callable[[Item], Prompt]
    store: Store[Item]
    sample_of: Callable[[Item], str]

    def request(self, item: Item, attempt: int = 1, spent_usd: Decimal = Decimal(0)) -> "_Request[Item]":
        """Return what goes out about an item, the `attempt`th time that it is asked about."""
        prompt = self.prompt_of(item)
        sample = f"{self.sample_of(item)}/{attempt}"
        return _Request(
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


@dataclass(frozen=True)
class _Request(Generic[Item]):
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


# A request, its reply, what that cost, and whether it was there before.
_Came = tuple[_Request[Item], Reply, Decimal, bool]
_Failed = tuple[_Request[Item], EndpointFailed]


@dataclass
class _Queue(Generic[Item]):
    """What waits: requests that are new, and those that are to be tried again when their time has come."""

    items: Iterator[Item]
    fresh: deque[_Request[Item]] = field(default_factory=deque)
    later: list[tuple[float, int, _Request[Item]]] = field(default_factory=list)
    count: int = 0

    def put_off(self, request: _Request[Item], seconds: float) -> None:
        """Let a request wait."""
        self.count += 1
        heapq.heappush(self.later, (time.monotonic() + seconds, self.count, request))

    def next(self) -> _Request[Item] | None:
        """Take what is due."""
        if self.later and self.later[0][0] <= time.monotonic():
            return heapq.heappop(self.later)[2]
        return self.fresh.popleft() if self.fresh else None

    def seconds_to_next(self) -> float | None:
        """Return how long until something put off is due; None where nothing is."""
        return max(0.0, self.later[0][0] - time.monotonic()) if self.later else None


class _Order(Generic[Item]):
    """An order as it goes: what waits, what is in flight, what was received, and what was settled."""

    def __init__(self, task: _Task[Item], line: Line, items: Iterator[Item], pulse: Pulse) -> None:
        self.task, self.job, self.endpoint, self.line, self.pulse = task, task.job, task.endpoint, line, pulse
        self.queue = _Queue(items)
        self.purse = Purse(self.job, self.endpoint)
        self.gate = _Gate(self.job, self.endpoint)
        self.in_flight: dict[Future[Reply], tuple[_Request[Item], str]] = {}
        self.arrived: SimpleQueue[Future[Reply]] = SimpleQueue()
        self.leaving: list[tuple[str, int]] = []  # tickets to give back, with the tokens that they took
        self.kept: list[_Came[Item]] = []  # replies that are written down, and nothing made of them yet
        self.became_at = time.monotonic()
        self.rng = random.Random()
        self.settled = self.failures_in_a_row = 0
        self.last_failure: EndpointFailed | None = None
        self.not_before = 0.0  # by the monotonic clock: the endpoint, or its limits, ask for patience
        self.room = _Room(self.endpoint.max_in_flight)

    def carry_out(self) -> None:
        """Keep as many requests in flight as the endpoint takes, until nothing waits."""
        try:
            while self._fill():
                failed = self._receive(self._arrivals(self._patience()))
                # What to do next may hang on what becomes of the replies; else the endpoint need not wait for it.
                hangs_on_them = bool(failed) or self.task.tries > 1
                if hangs_on_them or (self._fill() and self._is_time_to_become()):
                    self._become_kept()
                self._answer_failures(failed)
                self._beat()
                self._refuse_if_down()
        finally:
            self._wind_up()
        if self.last_failure is not None and not self.job.stored:  # an order that brought nothing is not done
            raise self.last_failure

    def _beat(self, phase: str = "") -> None:
        through(lambda: self.pulse(self.settled, self.task.wanted, phase=phase or _("asking")))
        self.gate.renew(ticket for _request, ticket in self.in_flight.values())

    def _refuse_if_down(self) -> None:
        if self.last_failure is not None and self.failures_in_a_row >= FAILURES_IN_A_ROW:
            raise self.last_failure

    # What goes out.

    def _fill(self) -> bool:
        """Give tickets back, and send what money and limits allow; return whether there is more to be done."""
        requests = self._affordable()
        if requests or self.leaving:
            tickets, seconds = self.gate.exchange(self.leaving, [each.most_tokens for each in requests])
            self.leaving.clear()
            for request, ticket in zip(requests, tickets, strict=False):
                self._send(request, ticket)
            self._hold_back(requests[len(tickets) :], seconds)
        return bool(self.in_flight or self.queue.fresh or self.queue.later)

    def _affordable(self) -> list[_Request[Item]]:
        """Take from the queue what there is room and money for."""
        requests: list[_Request[Item]] = []
        while self._has_room(len(requests)):
            if not self.queue.fresh:
                self._look_ahead()
            request = self.queue.next()
            if request is None:
                break
            if not through(lambda: self.purse.take(request.dearest_usd)):  # noqa: B023
                self.queue.fresh.appendleft(request)
                self.not_before = time.monotonic() + WAIT_FOR_MONEY_SECONDS
                break
            requests.append(request)
        return requests

    def _has_room(self, besides: int = 0) -> bool:
        is_full = len(self.in_flight) + besides >= self.room.size
        return not is_full and time.monotonic() >= self.not_before

    def _send(self, request: _Request[Item], ticket: str) -> None:
        future = self.line.submit(request.prompt)
        self.in_flight[future] = request, ticket
        future.add_done_callback(self.arrived.put)

    def _hold_back(self, requests: Sequence[_Request[Item]], seconds: float) -> None:
        """Let requests wait that the limits have no room for yet."""
        for request in requests:
            self.purse.settle(request.dearest_usd, Decimal(0))
        self.queue.fresh.extendleft(reversed(requests))
        self.not_before = max(self.not_before, time.monotonic() + seconds)

    def _look_ahead(self) -> None:
        """Fetch the next items; those that were answered before are settled at once."""
        while not self.queue.fresh:
            items = list(islice(self.queue.items, AHEAD))
            if not items:
                return
            self._admit([self.task.request(item) for item in items])
            self._beat()

    def _admit(self, requests: Sequence[_Request[Item]], *, first: bool = False) -> None:
        addresses = [request.address for request in requests]
        known = through(lambda: replies.recall(self.job.project, addresses))
        unknown = [request for request in requests if request.address not in known]
        (self.queue.fresh.extendleft if first else self.queue.fresh.extend)(unknown)
        self._become(
            [
                (request, known[request.address].reply, known[request.address].cost_usd, True)
                for request in requests
                if request.address in known
            ]
        )

    # What comes back.

    def _patience(self) -> float:
        """Return for how many seconds nothing but a reply gives reason to act."""
        if self.queue.fresh and self._has_room():
            return 0.0
        pause = self.not_before - time.monotonic()
        due = self.became_at + TOGETHER_SECONDS - time.monotonic()
        waits = [
            self.queue.seconds_to_next(),
            pause if pause > 0 else None,
            max(0.0, due) if self.kept else None,
        ]
        return min([1.0, *(seconds for seconds in waits if seconds is not None)])

    def _arrivals(self, patience: float) -> "list[Future[Reply]]":
        """Wait so many seconds for replies; return those that are there."""
        done: list[Future[Reply]] = []
        with suppress(Empty):
            done.append(self.arrived.get(timeout=max(0.001, patience)))
            while True:
                done.append(self.arrived.get_nowait())
        return done

    def _receive(self, done: "Iterable[Future[Reply]]") -> "list[_Failed[Item]]":
        """Write down what came back; return what failed."""
        came: list[tuple[_Request[Item], Reply]] = []
        failed: list[_Failed[Item]] = []
        for future in done:
            request, ticket = self.in_flight.pop(future)
            failure = future.exception()
            if isinstance(failure, EndpointFailed):
                failed.append((request, failure))
                self.leaving.append((ticket, request.most_tokens if failure.was_cut else 0))
            else:
                reply = future.result()
                self.room.came_through()
                came.append((request, reply))
                self.leaving.append((ticket, reply.tokens_in + reply.thinking_tokens + reply.answer_tokens))
        if came:
            self._keep(came)
        return failed

    def _keep(self, came: Sequence[tuple[_Request[Item], Reply]]) -> None:
        prices = [self.task.price(reply) for _request, reply in came]
        rows = [
            replies.Received(request.address, reply, usd, token_hex(16))
            for (request, reply), usd in zip(came, prices, strict=True)
        ]

        def write() -> None:
            with transaction.atomic():
                self._pay(replies.keep(self.job.project, rows))

        through(write)
        for (request, reply), usd in zip(came, prices, strict=True):
            self.purse.settle(request.dearest_usd, usd)
            self.kept.append((request, reply, usd, False))

    def _pay(self, usd: Decimal) -> None:
        """Book what was spent, out of what was set aside."""
        rows = type(self.job)._default_manager.filter(pk=self.job.pk)
        free = not self.endpoint.price_in_usd and not self.endpoint.price_out_usd
        if not free:
            rows.update(cost_usd=F("cost_usd") + usd, reserved_usd=Greatest(F("reserved_usd") - usd, 0))
            self.job.cost_usd += usd

    def _is_time_to_become(self) -> bool:
        is_due = time.monotonic() - self.became_at >= TOGETHER_SECONDS
        return is_due or len(self.kept) >= TOGETHER or not self.in_flight

    def _become_kept(self) -> None:
        came, self.kept, self.became_at = self.kept, [], time.monotonic()
        self._become(came)

    def _become(self, came: "Sequence[_Came[Item]]") -> None:
        """Store what replies are for, and count it."""
        if not came:
            return
        received = [
            Received(request.item, reply, request.attempt, request.spent_usd + usd)
            for request, reply, usd, _there in came
        ]
        outcomes: list[Settled] = []

        def write() -> None:
            with transaction.atomic():
                outcomes[:] = self.task.store(received)
                self._count(came, outcomes)

        through(write)
        for (request, reply, usd, _there), outcome in zip(came, outcomes, strict=True):
            self._conclude(request, reply, usd, outcome)

    def _count(self, came: "Sequence[_Came[Item]]", outcomes: Sequence[Settled]) -> None:
        """Add to what the job's row counts: another worker may be adding to it too."""
        stored = sum(outcome is Settled.STORED for outcome in outcomes)
        failed = sum(
            outcome is Settled.GONE
            or (outcome is Settled.UNREADABLE and came[place][0].attempt >= self.task.tries)
            for place, outcome in enumerate(outcomes)
        )
        there = sum(outcome is Settled.STORED and came[place][3] for place, outcome in enumerate(outcomes))
        settled = failed + sum(outcome in {Settled.STORED, Settled.ALREADY} for outcome in outcomes)
        self._add(settled, asked=stored + failed, stored=stored, failed=failed, remembered=there)

    def _add(self, settled: int, **counts: int) -> None:
        """Count what is settled now, and the progress with it: a page that reads the row finds both or neither."""
        added: dict[str, Any] = {name: F(name) + count for name, count in counts.items() if count}
        if settled:
            done = self.settled + settled
            mine = When(claims=self.job.claims, then=Value(done))  # the progress is that of who has the claim
            added["progress_done"] = Case(
                mine, default=F("progress_done"), output_field=PositiveBigIntegerField()
            )
            type(self.job)._default_manager.filter(pk=self.job.pk).update(**added)
            self.job.progress_done = done
            for name, count in counts.items():
                setattr(self.job, name, getattr(self.job, name) + count)

    def _conclude(self, request: _Request[Item], reply: Reply, usd: Decimal, outcome: Settled) -> None:
        if outcome is Settled.UNREADABLE and request.attempt < self.task.tries:
            again = self.task.request(request.item, request.attempt + 1, request.spent_usd + usd)
            self._admit([again], first=True)
            return
        self.settled += 1
        if outcome is Settled.UNREADABLE:
            self._note(self._unreadable(reply))
        else:
            self.failures_in_a_row = 0

    def _unreadable(self, reply: Reply) -> EndpointFailed:
        end = reply.answer.strip()[-LONGEST_QUOTE:]
        return EndpointFailed(
            _(
                "%(name)s did not answer in the form that it was asked for in %(tries)s tries; it ended: %(end)s"
            )
            % {"name": self.endpoint.name, "tries": self.task.tries, "end": end or "–"}
        )

    def _note(self, failure: EndpointFailed) -> None:
        self.last_failure = failure
        self.failures_in_a_row += 1

    # What went wrong.

    def _answer_failures(self, failed: "Sequence[_Failed[Item]]") -> None:
        """Do what failures ask for.

        Raises:
            Paused: one of them asks for a rest.
        """
        for request, failure in failed:
            self._answer_failure(request, failure)
        for _request, failure in failed:
            if failure.fault in {Fault.PAUSE, Fault.MONEY}:
                raise Paused(str(failure)) from failure

    def _answer_failure(self, request: _Request[Item], failure: EndpointFailed) -> None:
        """Do what a failure asks for; what the endpoint has counted for it is paid."""
        usd = self.task.price(failure.billed) if failure.billed else Decimal(0)
        if usd:
            through(lambda: self._pay(usd))
        self.purse.settle(request.dearest_usd, usd)
        if failure.fault in {Fault.PAUSE, Fault.MONEY}:
            return  # the order rests, and this is asked when it goes on
        if failure.is_busy and request.refusals < MOST_REFUSALS:
            self._wait_for_room(request, failure)
            return
        request = replace(request, failures=request.failures + 1, spent_usd=request.spent_usd + usd)
        if failure.fault is Fault.RETRY and not failure.is_busy and request.failures < TRIES_AFTER_FAILURES:
            self._put_off(request, request.failures, failure)
            return
        self._note(failure)
        through(lambda: self._add(1, asked=1, failed=1))
        self.settled += 1

    def _wait_for_room(self, request: _Request[Item], failure: EndpointFailed) -> None:
        """Ask for less at once, and for this later; where nothing comes through for long, the order rests."""
        self.room.was_refused()
        if self.room.seconds_without > BUSY_SECONDS:
            failure.fault = Fault.PAUSE
            return
        request = replace(request, refusals=request.refusals + 1)
        self._put_off(request, request.refusals, failure)

    def _put_off(self, request: _Request[Item], times: int, failure: EndpointFailed) -> None:
        if failure.retry_after_seconds is not None:
            self.not_before = max(self.not_before, time.monotonic() + failure.retry_after_seconds)
        seconds = back_off_seconds(times, failure.retry_after_seconds, self.rng)
        if failure.is_busy:  # one that asks for a second each time may be busy for minutes
            seconds = max(seconds, back_off_seconds(times, None, self.rng))
        self.queue.put_off(request, seconds)

    # How it ends.

    def _wind_up(self) -> None:
        """Wait for what is on its way, and write it all down before anything is made of it.

        A second wish to stop changes nothing.
        """
        while self.in_flight:
            with suppress(Paused):
                self._answer_failures(self._receive(self._arrivals(1.0)))
            with suppress(Cancelled, Paused, ClaimLost):
                self._beat(_("waiting for the answers on their way"))
        self.gate.exchange(self.leaving, [])
        self._become_kept()


class _Room:
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


class _Gate:
    """The pace of an endpoint as one order keeps it; while Redis is away, it waits."""

    def __init__(self, job: Any, endpoint: Endpoint) -> None:
        limits = Limits(endpoint.max_in_flight, endpoint.requests_per_minute, endpoint.tokens_per_minute)
        name = f"{endpoint._meta.label_lower}:{endpoint.pk}"
        self.pace = Pace(name, limits, owner=job._meta.label_lower)
        self.renewed = 0.0
        through(self.pace.give_up)

    def exchange(
        self, leaving: Sequence[tuple[str, int]], entering: Sequence[int]
    ) -> tuple[list[str], float]:
        """As `Pace.exchange`."""
        return through(lambda: self.pace.exchange(leaving, entering))

    def renew(self, tickets: Iterable[str]) -> None:
        """As `Pace.renew`, once a second."""
        if time.monotonic() - self.renewed >= 1.0:
            self.renewed = time.monotonic()
            through(lambda: self.pace.renew(tickets))


Outcome = TypeVar("Outcome")


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
