"""The money of orders that run beside each other: set aside before a call, never more than there is."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from threading import Barrier, Lock

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from common.queries import get_committed_usd, get_spent_usd
from curator.models import Collection
from curator.services.purse import LimitReached, Purse, committed_to

DEAREST = Decimal("0.10")


@pytest.fixture
def make_order(make_teacher):
    """Return what makes a running order to a teacher of its own, or to a given one."""

    def make(project, teacher=None, max_in_flight=4, money_limit_usd=None, **fields):
        teacher = teacher or make_teacher(
            project, max_in_flight=max_in_flight, money_limit_usd=money_limit_usd
        )
        return Collection.objects.create(project=project, teacher=teacher, **fields)

    return make


def purse_of(job):
    return Purse(job, job.teacher)


def take_all(purse, most=1000):
    """Take until there is no more; return how often."""
    taken = 0
    while taken < most:
        try:
            if not purse.take(DEAREST):
                break
        except LimitReached:
            break
        taken += 1
    return taken


def pay(purse, price):
    """Book a call's price as an order does, and settle it."""
    rows = Collection.objects.filter(pk=purse.job.pk)
    rows.update(cost_usd=F("cost_usd") + price, reserved_usd=Greatest(F("reserved_usd") - price, 0))
    purse.settle(DEAREST, price)


def reserved(job):
    job.refresh_from_db()
    return job.reserved_usd


@pytest.mark.parametrize("whose", ["order", "teacher", "project"])
def test_no_call_goes_out_that_a_limit_has_no_room_for(make_project, make_order, whose):
    limit = Decimal("0.35")
    project = make_project(money_limit_usd=limit if whose == "project" else 100)
    job = make_order(
        project,
        money_limit_usd=limit if whose == "teacher" else None,
        max_cost_usd=limit if whose == "order" else None,
    )
    purse = purse_of(job)

    assert take_all(purse) == 3
    assert purse.take(DEAREST) is False  # what is in flight may turn out cheaper: that is waited for
    for _each in range(3):
        pay(purse, DEAREST)
    words = {"order": "0.35 USD", "teacher": job.teacher.name, "project": "project's money limit"}
    with pytest.raises(LimitReached, match=words[whose]):
        purse.take(DEAREST)


def test_what_calls_did_not_cost_goes_to_the_next_ones(make_project, make_order):
    purse = purse_of(make_order(make_project(money_limit_usd=100), max_cost_usd=Decimal(1)))

    for _each in range(91):  # the last that could have cost 0.10 USD goes out at 0.90
        assert purse.take(DEAREST)
        pay(purse, Decimal("0.01"))

    with pytest.raises(LimitReached):
        purse.take(DEAREST)


def test_what_is_set_aside_is_the_pocket_and_what_is_in_flight(make_project, make_order):
    job = make_order(make_project(money_limit_usd=100))
    purse = purse_of(job)
    rng, out = Random(1), 0

    for _each in range(200):
        if out and rng.random() < 0.5:
            pay(purse, DEAREST * rng.randint(0, 10) / 10)
            out -= 1
        else:
            out += purse.take(DEAREST)

        assert reserved(job) == purse.pocket_usd + purse.in_flight_usd
        assert purse.in_flight_usd == DEAREST * out


def test_filling_the_pocket_again_after_the_connection_broke_sets_nothing_more_aside(
    make_project, make_order, monkeypatch
):
    job = make_order(make_project(money_limit_usd=100))
    purse = purse_of(job)
    real = purse._limits

    def broken():  # it was written, and the word that it was never came
        found = real()
        Collection.objects.filter(pk=job.pk).update(reserved_usd=DEAREST * 4)
        return found

    monkeypatch.setattr(purse, "_limits", broken)
    purse.take(DEAREST)

    assert reserved(job) == DEAREST * 4


def test_the_pocket_of_a_worker_that_died_returns_with_the_next(make_project, make_order):
    project = make_project(money_limit_usd=Decimal("0.40"))
    job = make_order(project)
    take_all(purse_of(job))
    assert get_committed_usd(project) == Decimal("0.40")

    again = purse_of(job)

    assert get_committed_usd(project) == 0
    assert take_all(again) == 4


def test_a_limit_raised_while_an_order_runs_is_seen_by_it(make_project, make_order):
    project = make_project(money_limit_usd=Decimal("0.20"))
    purse = purse_of(make_order(project))
    assert take_all(purse) == 2

    project.money_limit_usd = Decimal("0.50")
    project.save()

    assert take_all(purse) == 3


def test_one_order_waits_for_what_the_other_has_set_aside(make_project, make_order):
    project = make_project(money_limit_usd=Decimal("0.20"))
    one, other = purse_of(make_order(project)), purse_of(make_order(project))
    assert take_all(one) == 2

    assert other.take(DEAREST) is False  # it is not at its end: the first may give some back
    pay(one, Decimal(0))
    pay(one, Decimal(0))
    Collection.objects.filter(pk=one.job.pk).update(reserved_usd=0)  # as an order does at its end

    assert other.take(DEAREST) is True


@pytest.mark.parametrize("seed", range(8))
def test_orders_that_reach_a_limit_together_both_end(make_project, make_order, seed):
    rng = Random(seed)
    project = make_project(money_limit_usd=Decimal(rng.randint(30, 90)) / 100)
    orders = [purse_of(make_order(project, max_in_flight=rng.randint(1, 4))) for _each in range(3)]
    dearest = [Decimal(rng.randint(5, 12)) / 100 for _each in orders]
    out, ended = [0, 0, 0], set()

    for _turn in range(600):
        place = rng.randrange(3)
        purse, usd = orders[place], dearest[place]
        if out[place] and rng.random() < 0.5:
            price = usd * rng.randint(1, 10) / 10
            rows = Collection.objects.filter(pk=purse.job.pk)
            rows.update(cost_usd=F("cost_usd") + price, reserved_usd=Greatest(F("reserved_usd") - price, 0))
            purse.settle(usd, price)
            out[place] -= 1
        elif place not in ended and out[place] < 4:
            try:
                out[place] += purse.take(usd)
            except LimitReached:
                ended.add(place)

    assert ended == {0, 1, 2}
    assert get_spent_usd(project) <= project.money_limit_usd


def spend(job, barrier, tally):
    """Take, pay and settle as a worker does, over a connection of its own."""
    try:
        purse, rng, out = purse_of(job), Random(job.pk), 0
        barrier.wait()
        for _each in range(400):
            try:
                took = purse.take(DEAREST) if out < job.teacher.max_in_flight else False
            except LimitReached:
                break
            out += took
            tally.sent(took)
            if out and (not took or rng.random() < 0.3):
                price = DEAREST * rng.randint(1, 10) / 10
                pay(purse, price)
                out -= 1
                tally.came(price)
        for _each in range(out):
            pay(purse, DEAREST)
            tally.came(DEAREST)
        Collection.objects.filter(pk=job.pk).update(reserved_usd=0)
    finally:
        connection.close()


class Tally:
    """What all orders may owe at most, at every moment: paid, and in flight at its dearest."""

    def __init__(self):
        self.lock, self.paid, self.flying, self.most = Lock(), Decimal(0), 0, Decimal(0)

    def sent(self, took):
        with self.lock:
            self.flying += took
            self.most = max(self.most, self.paid + self.flying * DEAREST)

    def came(self, price):
        with self.lock:
            self.flying -= 1
            self.paid += price


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whose", ["teacher", "project"])
def test_orders_beside_each_other_never_owe_more_than_the_limit(
    make_project, make_teacher, make_order, whose
):
    limit = Decimal("3.05")
    project = make_project(money_limit_usd=limit if whose == "project" else 100)
    shared = make_teacher(project, max_in_flight=3, money_limit_usd=limit) if whose == "teacher" else None
    jobs = [make_order(project, shared, max_in_flight=3) for _each in range(4)]
    barrier, tally = Barrier(4), Tally()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda job: spend(job, barrier, tally), jobs))

    assert tally.most <= limit
    assert get_spent_usd(project) == tally.paid
    assert limit - tally.paid < DEAREST * 4  # and what there was, was used
    if shared:
        assert committed_to(shared) == tally.paid
