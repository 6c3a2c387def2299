"""One order as it goes: what waits, what is in flight, what came back, and what went wrong."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Case, F, PositiveBigIntegerField, Value, When
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from common.endpoints import EndpointFailed, Fault, Line, Reply, back_off_seconds
from common.holds import Hold
from common.jobs import Cancelled, ClaimLost, Paused, Pulse
from curator.services import replies
from curator.services.asking.gate import Gate, through
from curator.services.asking.task import Received, Settled, Task
from curator.services.asking.waiting import Queue, Request, Room
from curator.services.purse import Purse

FAILURES_IN_A_ROW = 10  # items that failed in every try: the endpoint is down; stop, and say so
TRIES_AFTER_FAILURES = 6
AHEAD = 64  # items that are looked up among the replies that are there, at once
# Replies that are written down become what they are for together: so many at a time, or so soon.
TOGETHER, TOGETHER_SECONDS = 8, 0.25
LONGEST_QUOTE = 80  # characters of a reply that could not be read, as the failure shows them
WAIT_FOR_MONEY_SECONDS = 0.25
WAIT_FOR_ANOTHER_SECONDS = 1.0  # until it is looked again whether another order has its answer
BUSY_SECONDS = 900.0  # an endpoint that has no room for any request for so long is left alone
# Of one question; more of them are about the question, as of one that is too large for a minute.
MOST_REFUSALS = 12

Item = TypeVar("Item")

# A request, its reply, what that cost, and whether it was there before.
_Came = tuple[Request[Item], Reply, Decimal, bool]
_Failed = tuple[Request[Item], EndpointFailed]


@dataclass
class _Pass(Generic[Item]):
    """A request in flight, and the ticket that it flies on; "" while it waits for another one."""

    request: Request[Item]
    ticket: str


class Order(Generic[Item]):
    """An order as it goes: what waits, what is in flight, what was received, and what was settled."""

    def __init__(self, task: Task[Item], line: Line, items: Iterator[Item], pulse: Pulse) -> None:
        self.task, self.job, self.endpoint, self.line, self.pulse = task, task.job, task.endpoint, line, pulse
        self.queue: Queue[Item] = Queue(items)
        self.purse = Purse(self.job, self.endpoint)
        self.gate = Gate(self.job, self.endpoint, task.address)
        self.in_flight: dict[Future[Reply], _Pass[Item]] = {}
        self.arrived: SimpleQueue[Future[Reply]] = SimpleQueue()
        self.leaving: list[tuple[str, int]] = []  # tickets to give back, with the tokens that they took
        self.kept: list[_Came[Item]] = []  # replies that are written down, and nothing made of them yet
        self.became_at = time.monotonic()
        self.rng = random.Random()
        self.settled = self.failures_in_a_row = 0
        self.last_failure: EndpointFailed | None = None
        self.not_before = 0.0  # by the monotonic clock: the endpoint, or its limits, ask for patience
        self.room = Room(self.endpoint.max_in_flight)

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
        self.gate.renew([each.ticket for each in list(self.in_flight.values()) if each.ticket])

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

    def _affordable(self) -> list[Request[Item]]:
        """Take from the queue what there is room and money for."""
        requests: list[Request[Item]] = []
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
        return self._not_asked_elsewhere(requests)

    def _not_asked_elsewhere(self, requests: Sequence[Request[Item]]) -> list[Request[Item]]:
        """Return what no other order is asking; the rest waits for that order's answer, or has it already."""
        mine: list[Request[Item]] = []
        answered: list[Request[Item]] = []
        for request, hold in zip(requests, self._holds_of(requests), strict=True):
            if hold is Hold.MINE:
                mine.append(request)
                continue
            self.purse.settle(request.dearest_usd, Decimal(0))
            if hold is Hold.ANOTHERS:
                self.queue.put_off(request, WAIT_FOR_ANOTHER_SECONDS)
            else:
                answered.append(request)
        if answered:
            self._take_answers(answered)
        return mine

    def _holds_of(self, requests: Iterable[Request[Item]]) -> list[Hold]:
        return self.gate.hold([request.address for request in requests])

    def _take_answers(self, requests: Sequence[Request[Item]]) -> None:
        """Settle what another order was answered; where its answer cannot be read here, it is asked after all."""
        unknown = self._recalled(requests)
        self.gate.forget([request.address for request in unknown])
        self.queue.fresh.extend(unknown)

    def _has_room(self, besides: int = 0) -> bool:
        is_full = len(self.in_flight) + besides >= self.room.size
        return not is_full and time.monotonic() >= self.not_before

    def _send(self, request: Request[Item], ticket: str) -> None:
        passing = _Pass(request, ticket)
        future = self.line.submit(request.prompt, before_another=lambda: self._another_ticket(passing))
        self.in_flight[future] = passing
        future.add_done_callback(self.arrived.put)

    def _another_ticket(self, passing: _Pass[Item]) -> float:
        """Exchange a ticket for another: the question goes out once more, with less in its request.

        Return 0 when it is there, else in how many seconds to ask for it again. Called from the line's thread.
        """
        leaving = [(passing.ticket, 0)] if passing.ticket else []
        passing.ticket = ""
        tickets, seconds = self.gate.exchange(leaving, [passing.request.most_tokens])
        passing.ticket = tickets[0] if tickets else ""
        return seconds

    def _hold_back(self, requests: Sequence[Request[Item]], seconds: float) -> None:
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
            self._holds_of(self.queue.fresh)
            self._beat()

    def _admit(self, requests: Sequence[Request[Item]], *, first: bool = False) -> None:
        unknown = self._recalled(requests)
        (self.queue.fresh.extendleft if first else self.queue.fresh.extend)(unknown)

    def _recalled(self, requests: Sequence[Request[Item]]) -> list[Request[Item]]:
        """Settle what was answered before; return the rest."""
        addresses = [request.address for request in requests]
        known = through(lambda: replies.recall(self.job.project, addresses))
        self._become(
            [
                (request, known[request.address].reply, known[request.address].cost_usd, True)
                for request in requests
                if request.address in known
            ]
        )
        return [request for request in requests if request.address not in known]

    # What comes back.

    def _patience(self) -> float:
        """Return for how many seconds nothing but a reply gives reason to act."""
        if self.queue.fresh and self._has_room():
            return 0.0
        pause = self.not_before - time.monotonic()
        due = self.became_at + TOGETHER_SECONDS - time.monotonic()
        waits: list[float | None] = [
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
        came: list[tuple[Request[Item], Reply]] = []
        failed: list[_Failed[Item]] = []
        for future in done:
            passing = self.in_flight.pop(future)
            request, ticket = passing.request, passing.ticket
            failure = future.exception()
            if isinstance(failure, EndpointFailed):
                failed.append((request, failure))
                self._leave(ticket, request.most_tokens if failure.was_cut else 0)
            else:
                reply = future.result()
                self.room.came_through()
                came.append((request, reply))
                self._leave(ticket, reply.tokens_in + reply.thinking_tokens + reply.answer_tokens)
        if came:
            self._keep(came)
        self.gate.let_go([request.address for request, _failure in failed], answered=False)
        return failed

    def _leave(self, ticket: str, tokens: int) -> None:
        if ticket:
            self.leaving.append((ticket, tokens))

    def _keep(self, came: Sequence[tuple[Request[Item], Reply]]) -> None:
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
        self.gate.let_go([request.address for request, *_rest in self.kept], answered=True)
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

    def _conclude(self, request: Request[Item], reply: Reply, usd: Decimal, outcome: Settled) -> None:
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

    def _answer_failure(self, request: Request[Item], failure: EndpointFailed) -> None:
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

    def _wait_for_room(self, request: Request[Item], failure: EndpointFailed) -> None:
        """Ask for less at once, and for this later; where nothing comes through for long, the order rests."""
        self.room.was_refused()
        if self.room.seconds_without > BUSY_SECONDS:
            failure.fault = Fault.PAUSE
            return
        request = replace(request, refusals=request.refusals + 1)
        self._put_off(request, request.refusals, failure)

    def _put_off(self, request: Request[Item], times: int, failure: EndpointFailed) -> None:
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
        self.gate.close()
