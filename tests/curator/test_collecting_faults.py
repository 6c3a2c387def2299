"""Orders to teachers that are slow, busy or broken: each fault ends as its policy says, and hurts nobody else."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from itertools import pairwise
from threading import Lock

import pytest
from django.db import connection

from common.endpoints import EndpointFailed, client, faults
from common.endpoints.transport import Bounds
from common.jobs import JobState
from curator.services import asking, collecting, endpoints
from curator.services.asking import address_of, waiting
from curator.services.asking import order as order_module
from curator.services.asking.gate import Gate
from curator.services.asking.order import TRIES_AFTER_FAILURES
from curator.services.trials import run_trial, start_trial
from tests.stand_in import Told, completion, failure, standing_in, told_in, ways

ANSWER = completion("Final Answer: 1", thinking="So it is.")


def marked(server):
    """Return what answers all, and fails where a question says so."""
    return lambda question, _before: told_in(question, server.times_asked[question] - 1, ANSWER)


@pytest.fixture
def server():
    with standing_in() as server:
        server.reply_to = marked(server)
        yield server


@pytest.fixture
def order(make_pool, make_question):
    """Return what orders the answers to questions of such texts, of a teacher at such an address."""

    def make(url, texts, **fields):
        pool = make_pool()
        for text in texts:
            make_question(pool, text=text, key="1")
        teacher = endpoints.create_teacher(
            project=pool.project, name="Ada", base_url=url, model="m", **{"max_in_flight": 3, **fields}
        )
        return collecting.start_collection(teacher=teacher, by=None)

    return make


def test_an_endpoint_with_little_room_is_asked_for_less_at_once_and_loses_no_question(
    order, server, monkeypatch
):
    monkeypatch.setattr(faults, "FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(waiting, "NARROWED_SECONDS", 0.02)
    lock, inside = Lock(), []

    def reply(_question, before):
        with lock:
            if len(inside) >= 2:
                return failure(429, "too many at once")
            inside.append(before)
        time.sleep(0.05)
        with lock:
            inside.remove(before)
        return ANSWER

    server.reply_to, server.answers_in_threads = reply, True
    job = order(server.url, plain(40), max_in_flight=24)

    collecting.run_collection(job=job)

    job.refresh_from_db()
    assert (job.state, job.stored, job.failed) == (JobState.SUCCEEDED, 40, 0)


def test_an_endpoint_that_has_no_room_at_all_lets_the_order_rest(order, server, monkeypatch):
    monkeypatch.setattr(order_module, "BUSY_SECONDS", 0.2)
    server.reply_to = lambda *_: failure(503, "overloaded")
    job = order(server.url, plain(3))

    collecting.run_collection(job=job)

    job.refresh_from_db()
    assert (job.state, job.stored, job.failed) == (JobState.PAUSED, 0, 0)


def test_answers_that_break_off_are_paid_for_and_stop_at_the_limit(order, server, hurried):
    prices = {"price_in_usd": Decimal(100), "price_out_usd": Decimal(1000), "max_tokens": 2000}
    server.reply_to = lambda *_: ways["cut"](completion("x" * 4000, thinking="y" * 4000, tokens_out=2000))
    job = order(server.url, plain(3), money_limit_usd=Decimal(8), **prices)

    collecting.run_collection(job=job)

    job.refresh_from_db()
    counted = server.stats()
    billed = (100 * counted["tokens_in"] + 1000 * counted["tokens_out"]) / 1_000_000
    assert job.state == JobState.PAUSED
    assert counted["answered"] == 0
    assert float(job.cost_usd) == pytest.approx(billed, rel=0.5)  # tokens of a torn answer are estimated
    assert job.cost_usd <= 8


def test_what_an_endpoint_does_not_take_counts_in_its_minute_and_is_not_asked_for_again(
    order, server, make_question
):
    server.reply_to = lambda _question, before: (
        failure(400, "no stream_options here") if "stream_options" in server.requests[before] else ANSWER
    )
    job = order(server.url, plain(4), requests_per_minute=5, max_in_flight=1)

    collecting.run_collection(job=job)
    first = len(server.asked)
    make_question(job.project.pools.get(), text="One more", key="1")
    job.teacher.refresh_from_db()
    job.teacher.requests_per_minute = None
    job.teacher.save()
    later = collecting.start_collection(teacher=job.teacher, by=None)
    collecting.run_collection(job=later)

    assert first == 5  # one of them in vain: six would have had to wait for a minute
    assert job.teacher.refused == ["stream_options"]
    assert len(server.asked) == 6


def test_one_account_has_one_minute_whoever_entered_it(order, server):
    limited = {"requests_per_minute": 3, "key": "sk-one"}
    first = order(server.url, plain(3), **limited)
    collecting.run_collection(job=first)

    granted = {}
    for whose, fields in {"same": limited, "another key": limited | {"key": "sk-other"}}.items():
        job = order(server.url, plain(1), **fields)
        gate = Gate(job, job.teacher, address_of(job.teacher))
        granted[whose], _seconds = gate.exchange([], [1])

    assert len(server.asked) == 3
    assert granted["same"] == []
    assert len(granted["another key"]) == 1


def test_what_an_endpoint_takes_after_all_is_forgotten_and_what_was_not_asked_for_is_not(order, server):
    job = order(server.url, plain(1))
    job.teacher.refused = ["json_schema", "stream"]
    job.teacher.save()
    server.reply_to = lambda *_: ANSWER

    trial = start_trial(endpoint=job.teacher, question="How much?", agreed_usd=Decimal(0), by=None)
    run_trial(job=trial)

    job.teacher.refresh_from_db()
    assert job.teacher.refused == ["json_schema"]


def test_another_address_is_asked_for_everything_again(make_teacher):
    teacher = make_teacher(base_url="https://a.example/v1", refused=["stream"])

    endpoints.change_endpoint(endpoint=teacher, max_in_flight=3)
    kept = list(teacher.refused)
    endpoints.change_endpoint(endpoint=teacher, model="another")

    assert (kept, teacher.refused) == (["stream"], [])


def plain(count):
    return [f"Plain question {number}" for number in range(count)]


@pytest.mark.parametrize(
    ("mark", "times"),
    [
        ("busy*1", 2),
        ("error*3", 4),
        ("silent*1", 2),
        ("cut*2", 3),
        ("cut-at-once*2", 3),
        ("broken-json*2", 3),
        ("broken-event*2", 3),
        ("empty*2", 3),
        ("nothing*2", 3),
        ("wrong-type*2", 3),
        ("drip*1", 2),
        ("slow", 1),
        ("ignores-stream", 1),
    ],
)
def test_what_may_go_well_the_next_time_is_tried_again_and_counted_once(
    order, server, monkeypatch, mark, times
):
    monkeypatch.setattr(
        asking, "client", partial(client, bounds=Bounds(silence_seconds=0.4, total_seconds=0.8))
    )
    odd = f"Odd ⟦{mark}⟧"
    job = order(server.url, [odd, *plain(5)])

    collecting.run_collection(job=job)

    job.refresh_from_db()
    assert (job.state, job.asked, job.stored, job.failed) == (JobState.SUCCEEDED, 6, 6, 0)
    assert server.times_asked.pop(odd) == times
    assert set(server.times_asked.values()) == {1}


@pytest.mark.parametrize(
    ("mark", "times"),
    [("error", TRIES_AFTER_FAILURES), ("wrong-type", TRIES_AFTER_FAILURES), ("too-long", 1), ("million", 1)],
)
def test_what_does_not_go_well_is_given_up_and_the_others_are_kept(order, server, monkeypatch, mark, times):
    monkeypatch.setattr(asking, "client", partial(client, bounds=Bounds(characters=1_000_000)))
    odd = f"Odd ⟦{mark}⟧"
    job = order(server.url, [odd, *plain(5)])

    collecting.run_collection(job=job)

    job.refresh_from_db()
    assert (job.state, job.asked, job.stored, job.failed) == (JobState.SUCCEEDED, 6, 5, 1)
    assert server.times_asked[odd] == times


@pytest.mark.parametrize(
    ("mark", "says"),
    [("wrong-key", "no such key"), ("no-money", "pay first"), ("redirect", "169.254"), ("bomb", "gzip")],
)
def test_what_a_person_has_to_mend_lets_the_order_rest_and_then_go_on(order, server, mark, says):
    job = order(server.url, [f"Odd ⟦{mark}*1⟧", *plain(30)])

    collecting.run_collection(job=job)

    job.refresh_from_db()
    first = len(server.asked)
    assert (job.state, job.failed) == (JobState.PAUSED, 0)
    assert says in job.failure
    assert first < 30
    assert job.stored == first - 1  # what was on its way with it
    job.requeue(now=job.created_at)
    collecting.run_collection(job=job)
    assert (job.state, job.stored, len(server.asked)) == (JobState.SUCCEEDED, 31, 32)


def test_two_faults_at_the_same_moment_are_both_answered(order, server):
    server.gate.clear()
    job = order(server.url, ["Odd ⟦wrong-key⟧", "Odd ⟦too-long⟧", "Odd ⟦no-money⟧"])

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: (wait_for_requests(server, 3), server.gate.set()))
        collecting.run_collection(job=job)

    job.refresh_from_db()
    assert (job.state, job.failed) == (JobState.PAUSED, 1)


def wait_for_requests(server, count):
    deadline = time.monotonic() + 5
    while server.chats < count and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_busy_teacher_is_left_alone_for_as_long_as_it_asks(order, server, in_flight):
    told_at = []

    def busy_once(_question, before):
        if before == 4:
            told_at.append(time.time())
            return Told(*failure(429, "too many"), headers=(("Retry-After", "1"),))
        return ANSWER

    server.reply_to = busy_once
    job = order(server.url, plain(20), max_in_flight=in_flight)

    collecting.run_collection(job=job)

    came_at = sorted(server.tallies["m"].came_at)
    early = [when for when in came_at if told_at[0] < when < told_at[0] + 1]
    job.refresh_from_db()
    assert (job.stored, len(came_at)) == (20, 21)
    assert len(early) <= (0 if in_flight == 1 else in_flight - 1)  # let go before the word had come
    assert max(came_at) >= told_at[0] + 1


def test_a_teacher_that_fails_again_and_again_is_asked_less_and_less_often(order, server, monkeypatch):
    monkeypatch.setattr("common.endpoints.faults.FIRST_WAIT_SECONDS", 0.1)
    server.hurries = False
    server.reply_to = lambda *_: failure(500)
    job = order(server.url, ["One"])

    with pytest.raises(EndpointFailed):
        collecting.run_collection(job=job)

    came_at = server.tallies["m"].came_at
    gaps = [late - early for early, late in pairwise(came_at)]
    assert len(gaps) == TRIES_AFTER_FAILURES - 1
    assert all(gap >= 0.05 * 2**place for place, gap in enumerate(gaps))  # at least half of 0.1, 0.2, 0.4 …


def timed(job):
    began = time.monotonic()
    try:
        collecting.run_collection(job=job)
    finally:
        connection.close()
    return time.monotonic() - began


@pytest.mark.django_db(transaction=True)
def test_a_slow_teacher_does_not_slow_a_quick_one(order, server):
    texts = plain(60)
    with standing_in(lambda *_: ANSWER) as slow:
        slow.latency_seconds, server.latency_seconds = 2.0, 0.05
        jobs = [order(slow.url, texts, max_in_flight=32), order(server.url, texts, max_in_flight=4)]

        with ThreadPoolExecutor(2) as threads:
            slow_seconds, quick_seconds = threads.map(timed, jobs)

    alone = len(texts) / 4 * 0.05
    assert slow_seconds > 4  # so it was at work all the time
    assert quick_seconds < alone + 2  # one answer of the slow one is as long as that
    assert len(slow.asked) == len(server.asked) == len(texts)
