"""The pace of an endpoint, kept in a real Redis."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from common import pace
from common.pace import Limits, Pace

_NAMES = count()


@pytest.fixture
def made(monkeypatch):
    """Return what makes gates before one endpoint, whose minute is half a second."""
    monkeypatch.setattr(pace, "WINDOW_SECONDS", 0.5)
    name = f"endpoint {time.time_ns()} {next(_NAMES)}"
    return lambda *, owner="worker", **limits: Pace(name, Limits(**({"in_flight": 50} | limits)), owner=owner)


def granted(gate, *tokens):
    return [ticket for ticket, _seconds in gate.enter(tokens) if ticket]


def test_no_more_are_in_flight_than_the_endpoint_takes_whoever_asks(made):
    one, other = made(in_flight=3), made(in_flight=3, owner="other")
    held = granted(one, 1, 1)

    assert len(granted(other, 1, 1)) == 1

    one.leave({held[0]: 1})
    assert len(granted(other, 1, 1)) == 1


def test_whoever_is_refused_is_told_when_to_ask_again(made):
    gate = made(requests_per_minute=1)
    granted(gate, 1)

    ((ticket, seconds),) = gate.enter([1])

    assert ticket == ""
    assert 0.3 < seconds <= 0.5


def test_the_requests_of_any_window_stay_below_the_limit(made):
    gates = [made(requests_per_minute=7, owner=f"worker {number}") for number in range(3)]

    def ask(gate):
        rng, moments, until = random.Random(gate.owner), [], time.monotonic() + 1.6
        while time.monotonic() < until:
            before = time.monotonic()
            ticket, seconds = gate.enter([1])[0]
            if ticket:
                moments.append((before, time.monotonic()))
                gate.leave({ticket: 1})
            time.sleep(rng.random() * min(seconds or 0.01, 0.05))
        return moments

    with ThreadPoolExecutor(3) as threads:
        moments = [moment for found in threads.map(ask, gates) for moment in found]

    assert len(moments) >= 14  # the limit holds nobody back for longer than it must
    before, after = (sorted(times) for times in zip(*moments, strict=True))
    for first, eighth in zip(before, after[7:], strict=False):
        assert eighth - first >= 0.498  # whole milliseconds are counted


def test_tokens_count_at_their_most_on_the_way_and_as_used_for_a_window_after(made):
    gate = made(tokens_per_minute=100)
    (held,) = granted(gate, 80)
    assert granted(gate, 30) == []

    gate.leave({held: 10})
    (second,) = granted(gate, 90)
    gate.leave({second: 90})
    assert granted(gate, 1) == []

    time.sleep(0.55)
    assert len(granted(gate, 100)) == 1


def test_a_request_larger_than_the_limit_goes_alone(made):
    gate = made(tokens_per_minute=100)

    assert len(granted(gate, 5_000)) == 1
    assert granted(gate, 1) == []


def test_what_a_dead_worker_held_is_free_when_its_lease_ends(made, monkeypatch):
    monkeypatch.setattr(pace, "LEASE_SECONDS", 0.2)
    gate = made(in_flight=1)
    (held,) = granted(gate, 1)
    for _beat in range(3):
        time.sleep(0.1)
        gate.renew([held])
        assert granted(gate, 1) == []

    time.sleep(0.25)

    assert len(granted(gate, 1)) == 1


def test_an_order_taken_up_again_lets_go_of_what_it_held_and_of_nothing_else(made):
    one, other = made(in_flight=2), made(in_flight=2, owner="other")
    granted(one, 1)
    granted(other, 1)

    made(in_flight=2).give_up()

    assert len(granted(one, 1, 1)) == 1


def test_an_emptied_redis_lets_requests_through_and_counts_anew(made):
    gate = made(requests_per_minute=2)
    granted(gate, 1, 1)

    gate.store.flushdb()
    gate.store.script_flush()

    assert len(granted(gate, 1, 1, 1)) == 2
