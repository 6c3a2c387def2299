"""Threads take quick turns for as long as they are asked to, and no longer."""

import sys

import pytest

from common.turns import TURN_SECONDS, quick_turns


def test_turns_are_quick_within_and_as_before_after_it():
    before = sys.getswitchinterval()

    with quick_turns():
        within = sys.getswitchinterval()

    assert within == pytest.approx(TURN_SECONDS)
    assert within < before
    assert sys.getswitchinterval() == before


def test_a_failure_leaves_turns_as_they_were():
    before = sys.getswitchinterval()

    with pytest.raises(ZeroDivisionError), quick_turns():
        _ = 1 / 0

    assert sys.getswitchinterval() == before


def test_turns_are_as_before_when_the_last_who_asked_has_ended():
    before = sys.getswitchinterval()
    one, other = quick_turns(), quick_turns()

    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    between = sys.getswitchinterval()
    other.__exit__(None, None, None)

    assert between == pytest.approx(TURN_SECONDS)
    assert sys.getswitchinterval() == before
