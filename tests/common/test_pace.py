"""The gate before an endpoint, in a real Redis: no limit is passed, and nothing that died holds it shut."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from threading import Lock

import pytest

from common import pace
from common.pace import Limits, Pace

WINDOW = 0.4  # seconds that stand for a minute here
_names = count(1)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(pace, "WINDOW_SECONDS", WINDOW)
    monkeypatch.setattr(pace, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(pace, "SILENT_SECONDS", 0.05)


@pytest.fixture
def gate():
    """Return what makes gates of one endpoint, each of another worker."""
    name = f"test:{time.time_ns()}:{next(_names)}"

    def make(owner="worker", **limits):
        return Pace(name, Limits(**{"in_flight": 1000, **limits}), owner=owner)

    yield make
    made = make()
    made.store.delete(*made.keys)


def enter(gate, tokens=1):
    """Ask for one ticket; return it, or "", and how long to wait."""
    tickets, seconds = gate.exchange([], [tokens])
    return (tickets or [""])[0], seconds


def test_no_more_are_in_flight_than_may_be_and_a_ticket_given_back_lets_another_in(gate):
    first, second = gate("one", in_flight=3), gate("two", in_flight=3)

    tickets, wait = first.exchange([], [1, 1])
    more, wait_of_second = second.exchange([], [1, 1])

    assert (len(tickets), wait, len(more)) == (2, 0, 1)
    assert 0 < wait_of_second <= 0.05
    assert len(second.exchange([(tickets[0], 1)], [1, 1])[0]) == 1


def test_requests_a_minute_are_waited_for_as_long_as_it_takes(gate):
    one = gate(requests_per_minute=2)
    tickets, _wait = one.exchange([], [1, 1])
    one.exchange([(ticket, 1) for ticket in tickets], [])

    refused, wait = enter(one)
    time.sleep(wait + 0.005)

    assert refused == ""
    assert WINDOW / 2 < wait <= WINDOW
    assert enter(one)[0]


def test_tokens_count_at_their_most_while_in_flight_and_as_they_were_for_a_minute_after(gate):
    one = gate(tokens_per_minute=100)

    ticket, _wait = enter(one, 90)
    assert enter(one, 20)[0] == ""
    after, _wait = one.exchange([(ticket, 30)], [60])
    assert len(after) == 1
    assert enter(one, 20)[0] == ""
    one.exchange([(after[0], 60)], [])
    time.sleep(WINDOW + 0.01)

    assert enter(one, 100)[0]


def test_a_request_larger_than_a_whole_minute_goes_alone(gate):
    one = gate(tokens_per_minute=100)

    ticket, _wait = enter(one, 5000)

    assert ticket
    assert enter(one, 1)[0] == ""


def test_what_a_dead_worker_held_is_free_when_its_lease_ends(gate):
    dead, living = gate("dead", in_flight=1), gate("living", in_flight=1)
    enter(dead)

    refused, _wait = enter(living)
    time.sleep(0.32)

    assert refused == ""
    assert enter(living)[0]


def test_a_lease_that_is_renewed_does_not_end(gate):
    slow, other = gate("slow", in_flight=1, tokens_per_minute=100), gate("other", in_flight=1)
    ticket, _wait = enter(slow, 100)

    for _each in range(4):
        time.sleep(0.1)
        slow.renew([ticket])

    assert enter(other)[0] == ""


def test_a_worker_that_takes_an_order_up_lets_go_of_what_was_held_for_it_and_of_nothing_else(gate):
    before, other = gate("job:1", in_flight=2), gate("job:11", in_flight=2)
    enter(before)
    enter(other)
    time.sleep(0.06)

    gate("job:1", in_flight=2).give_up()

    assert len(gate("new", in_flight=2).exchange([], [1, 1])[0]) == 1


def test_a_worker_that_was_only_thought_dead_keeps_what_it_has_in_flight(gate):
    alive = gate("job:1", in_flight=1)
    ticket, _wait = enter(alive)
    time.sleep(0.06)
    alive.renew([ticket])

    gate("job:1", in_flight=1).give_up()

    assert enter(gate("new", in_flight=1))[0] == ""


def test_what_an_interrupted_worker_may_have_been_sent_still_counts_for_a_minute(gate):
    enter(gate("job:1", tokens_per_minute=100), 80)
    time.sleep(0.06)
    taken_up = gate("job:1", tokens_per_minute=100)

    taken_up.give_up()

    assert enter(taken_up, 30)[0] == ""
    time.sleep(WINDOW + 0.01)
    assert enter(taken_up, 30)[0]


def test_a_redis_that_forgot_everything_is_told_again_what_is_in_flight(gate):
    one, other = gate("one", in_flight=2), gate("other", in_flight=2)
    tickets, _wait = one.exchange([], [1, 1])
    one.store.script_flush()
    one.store.delete(*one.keys)

    one.renew(tickets)

    assert enter(other)[0] == ""
    assert one.store.exists(one.keys[0])


def test_a_redis_that_forgot_everything_lets_nobody_double_a_minute(gate):
    limits = {"requests_per_minute": 4, "tokens_per_minute": 1000}
    one, other = gate("one", **limits), gate("other", **limits)
    one.exchange([(ticket, 1) for ticket in one.exchange([], [1, 1])[0]], [])
    other.exchange([], [900])
    one.store.delete(*one.keys)

    of_one = [enter(one, 1)[0], enter(one, 1)[0]]
    of_other = enter(other, 1)[0]
    no_more, wait = enter(one, 1)

    assert all(of_one)  # it may: Redis does not know of the other yet, who has told nothing
    assert (of_other, no_more) == ("", "")
    assert wait > 0


def test_tokens_of_the_last_minute_are_told_again_as_well(gate):
    one = gate(tokens_per_minute=100)
    enter(one, 90)
    one.store.delete(*one.keys)

    assert enter(one, 20)[0] == ""


def test_a_ticket_that_redis_forgot_can_be_given_back(gate):
    one = gate(in_flight=1)
    ticket, _wait = enter(one, 10)
    one.store.delete(*one.keys)

    again, _wait = one.exchange([(ticket, 10)], [10])

    assert len(again) == 1


def test_two_endpoints_do_not_wait_for_each_other():
    one, other = (Pace(f"test:{time.time_ns()}:{name}", Limits(1)) for name in "ab")
    enter(one)

    assert enter(other)[0]


class Record:
    """What workers did, each act between two readings of the clock."""

    def __init__(self):
        self.lock = Lock()
        self.entered = []  # (before, after, tokens that it took)
        self.left = []
        self.in_flight = self.most_in_flight = 0

    def work(self, gate, seed, seconds):
        """Come and go at random, several tickets at a time."""
        rng, held = Random(seed), []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            leaving = [held.pop() for _each in range(rng.randint(0, len(held)))]
            weights = [rng.randint(1, 30) for _each in range(rng.randint(0, 4))]
            took = [(ticket, rng.randint(1, most)) for ticket, most in leaving]
            with self.lock:  # it is counted out before it can leave, and in after it has entered
                self.in_flight -= len(leaving)
            before = time.monotonic()
            tickets, wait = gate.exchange(took, weights)
            after = time.monotonic()
            with self.lock:
                self.in_flight += len(tickets)
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                self.entered += [(before, after)] * len(tickets)
                self.left += [(before, after, tokens) for _ticket, tokens in took]
            held += zip(tickets, weights, strict=False)
            gate.renew([ticket for ticket, _most in held])
            time.sleep(min(wait, 0.02) if wait else rng.random() / 200)
        gate.exchange([(ticket, 1) for ticket, _most in held], [])

    def fits_a_window(self, requests, tokens):
        """Tell whether no window can have held more: an act took place between its two readings."""
        entered = sorted(self.entered, key=lambda act: act[1])
        far = all(
            late[1] - early[0] >= WINDOW - 0.002  # Redis counts in whole milliseconds
            for early, late in zip(entered, entered[requests:], strict=False)
        )
        return far and all(self._tokens_after(act) <= tokens for act in self.left)

    def _tokens_after(self, first):
        """Return what surely fell into the window that an act begins."""
        end = first[0] + WINDOW - 0.002
        return sum(tokens for before, after, tokens in self.left if before >= first[1] and after < end)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_several_workers_do_no_limit_is_passed_in_any_window(gate, seed, monkeypatch):
    monkeypatch.setattr(pace, "LEASE_SECONDS", 10.0)  # a machine under load stops a thread for a while
    record, rng = Record(), Random(seed)
    flight, requests, tokens = rng.randint(1, 12), rng.randint(1, 40), rng.randint(30, 200)
    limits = {"in_flight": flight, "requests_per_minute": requests, "tokens_per_minute": tokens}
    gates = [gate(str(number), **limits) for number in range(4)]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: record.work(gates[number], 10 * seed + number, 1.5), range(4)))

    assert record.entered
    assert record.most_in_flight <= flight
    assert record.fits_a_window(requests, tokens)
