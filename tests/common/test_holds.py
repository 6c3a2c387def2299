"""Who is asking what, in a real Redis: one asks, others wait, and nothing that died holds it for long."""

import time
from itertools import count

import pytest

from common import holds
from common.holds import Hold, Holds

_names = count(1)


@pytest.fixture
def realm():
    return f"test:{time.time_ns()}:{next(_names)}"


def test_what_one_holds_another_waits_for(realm):
    one, other = Holds(realm, "one"), Holds(realm, "other")

    assert one.take(["a", "b"]) == [Hold.MINE, Hold.MINE]
    assert other.take(["b", "c"]) == [Hold.ANOTHERS, Hold.MINE]
    assert one.take(["a"]) == [Hold.MINE]


def test_what_was_left_without_an_answer_is_free(realm):
    one, other = Holds(realm, "one"), Holds(realm, "other")
    one.take(["a"])

    one.leave(["a"])

    assert other.take(["a"]) == [Hold.MINE]


def test_nobody_lets_go_of_what_is_another_s(realm):
    one, other, third = (Holds(realm, owner) for owner in ("one", "other", "third"))
    one.take(["a"])

    other.leave(["a"])

    assert third.take(["a"]) == [Hold.ANOTHERS]


def test_what_was_answered_is_known_to_be_until_it_is_forgotten(realm):
    one, other = Holds(realm, "one"), Holds(realm, "other")
    one.take(["a"])

    one.answered(["a"])
    found = other.take(["a"])
    other.forget(["a"])

    assert found == [Hold.ANSWERED]
    assert other.take(["a"]) == [Hold.MINE]


def test_what_a_dead_worker_held_is_free_after_a_while(realm, monkeypatch):
    monkeypatch.setattr(holds, "HOLD_SECONDS", 0.05)
    Holds(realm, "dead").take(["a"])

    time.sleep(0.07)

    assert Holds(realm, "other").take(["a"]) == [Hold.MINE]


def test_another_realm_holds_its_own(realm):
    Holds(realm, "one").take(["a"])

    assert Holds(f"{realm}:2", "other").take(["a"]) == [Hold.MINE]
    assert Holds(realm, "one").take([]) == []
