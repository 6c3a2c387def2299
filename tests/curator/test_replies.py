"""What was received is there before anything else can fail, and nobody pays for the same reply again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest
from django.db import connection, transaction

from common.endpoints import Address, Prompt, Reply
from curator.models import StoredReply, Trace
from curator.services import collecting, endpoints, replies
from curator.services.asking import order as order_module
from tests.stand_in import completion, standing_in

HERE = Address(
    name="Ada", base_url="https://a.example/v1", model="m", key="k", max_tokens=10, temperature=0.5
)
REPLY = Reply(
    thinking="So.",
    answer="4",
    finish_reason="stop",
    tokens_in=5,
    thinking_tokens=2,
    answer_tokens=1,
    tokens_counted_by="usage",
)
PRICED = {"price_out_usd": Decimal(1000), "max_tokens": 100}  # an answer of 20 tokens costs 0.02 USD


@pytest.fixture
def server():
    with standing_in(lambda *_: completion("Final Answer: 1", tokens_in=0, tokens_out=20)) as server:
        yield server


@pytest.fixture
def ask(server):
    """Return what orders all questions of a teacher's project from it."""

    def order(teacher):
        job = collecting.start_collection(teacher=teacher, by=None)
        collecting.run_collection(job=job)
        job.refresh_from_db()
        return job

    return order


@pytest.fixture
def teacher_of(server):
    """Return what makes teachers behind the stand-in, all alike unless told otherwise."""

    def make(project, name="Ada", **fields):
        return endpoints.create_teacher(
            project=project, name=name, **{"base_url": server.url, "model": "m", **PRICED, **fields}
        )

    return make


@pytest.mark.parametrize(
    "other",
    [
        {"base_url": "https://b.example/v1"},
        {"model": "n"},
        {"max_tokens": 11},
        {"temperature": 0.6},
        {"temperature": None},
        {"thinking_form": "tags"},
        {"extra_body": {"top_k": 1}},
    ],
)
def test_another_parameter_is_another_question(other):
    prompt = Prompt("2 + 2?")

    mine, theirs = (
        replies.address_of_question(address, prompt, "0/1") for address in (HERE, replace(HERE, **other))
    )

    assert mine != theirs


def test_what_decides_nothing_makes_no_other_question():
    prompt = Prompt("2 + 2?")
    other = replace(HERE, name="Bob", key="l", base_url=HERE.base_url + "/")

    assert replies.address_of_question(HERE, prompt, "0/1") == replies.address_of_question(
        other, prompt, "0/1"
    )


def test_words_of_the_prompt_and_the_number_of_the_sample_tell_questions_apart():
    asked = [
        (Prompt("a"), "0/1"),
        (Prompt("b"), "0/1"),
        (Prompt("a"), "1/1"),
        (Prompt("a"), "0/2"),
        (Prompt("a", system="s"), "0/1"),
        (Prompt("a", wants_json=True), "0/1"),
    ]

    assert len({replies.address_of_question(HERE, *each) for each in asked}) == len(asked)


def received(letter, usd, receipt="one"):
    return replies.Received(letter * 64, REPLY, Decimal(usd), receipt + letter)


@pytest.mark.parametrize(
    ("mine", "theirs", "is_known"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_a_reply_is_shared_between_projects_where_both_allow_it(make_project, mine, theirs, is_known):
    asker, owner = make_project(shares_answers=mine), make_project(shares_answers=theirs)
    replies.keep(owner, [received("a", 1)])

    assert (replies.recall(asker, ["a" * 64]) != {}) is is_known
    assert replies.recall(owner, ["a" * 64])["a" * 64] == (REPLY, Decimal(1))


def test_a_reply_that_is_stored_a_second_time_is_not_counted_again(make_project):
    project = make_project()
    replies.keep(project, [received("a", 1)])

    paid = replies.keep(project, [received("a", 1), received("b", 2)])

    assert paid == 2


def test_two_replies_to_one_question_are_both_paid_for_and_the_first_stays(make_project):
    project = make_project()
    first = replies.keep(project, [received("a", 1)])

    paid = replies.keep(project, [received("a", 3, receipt="another")])

    assert (first, paid) == (1, 3)
    assert replies.recall(project, ["a" * 64])["a" * 64].cost_usd == 1


def test_a_trace_that_was_deleted_and_is_collected_again_costs_nothing(
    make_question, teacher_of, ask, server
):
    question = make_question()
    teacher = teacher_of(question.project)
    first = ask(teacher)
    question.traces.all().delete()

    second = ask(teacher)

    assert (first.cost_usd, second.cost_usd, second.remembered) == (Decimal("0.02"), 0, 1)
    assert len(server.asked) == 1
    assert question.traces.get().cost_usd == Decimal("0.02")  # what it cost whoever asked first


def test_the_same_model_under_another_name_is_not_asked_again(make_question, teacher_of, ask, server):
    question = make_question()

    ask(teacher_of(question.project, "Ada"))
    ask(teacher_of(question.project, "Bob"))

    assert (len(server.asked), question.traces.count()) == (1, 2)


def test_a_teacher_with_another_parameter_is_asked(make_question, teacher_of, ask, server):
    question = make_question()

    ask(teacher_of(question.project, "Ada"))
    ask(teacher_of(question.project, "Bob", temperature=0.25))

    assert len(server.asked) == 2


def test_two_projects_that_share_pay_once(make_question, make_pool, make_project, teacher_of, ask, server):
    projects = [make_project(shares_answers=True) for _each in range(2)]
    for project in projects:
        make_question(make_pool(project), text="How much?", key="1")

    jobs = [ask(teacher_of(project)) for project in projects]

    assert len(server.asked) == 1
    assert sorted(job.cost_usd for job in jobs) == [0, Decimal("0.02")]


@pytest.mark.django_db(transaction=True)
def test_two_projects_that_share_and_ask_at_the_same_time_pay_once(
    make_question, make_pool, make_project, teacher_of, server, monkeypatch
):
    monkeypatch.setattr(order_module, "WAIT_FOR_ANOTHER_SECONDS", 0.05)
    projects = [make_project(shares_answers=True) for _each in range(2)]
    for project in projects:
        pool = make_pool(project)
        for number in range(6):
            make_question(pool, text=f"How much is it, {number}?", key="1")
    orders = [collecting.start_collection(teacher=teacher_of(project), by=None) for project in projects]
    server.latency_seconds = 0.2

    def carry(job):
        try:
            collecting.run_collection(job=job)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(carry, orders))

    for job in orders:
        job.refresh_from_db()
    assert [(job.stored, job.failed) for job in orders] == [(6, 0), (6, 0)]
    assert len(server.asked) == len(set(server.asked)) == 6
    assert sum(job.cost_usd for job in orders) == Decimal("0.02") * 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_flight", [1, 8])
def test_what_was_received_is_not_paid_again_though_no_trace_could_be_made_of_it(
    make_pool, make_question, teacher_of, ask, server, monkeypatch, in_flight
):
    pool = make_pool()
    for _each in range(20):
        make_question(pool)
    teacher = teacher_of(pool.project, max_in_flight=in_flight)

    def fail(*_):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(collecting, "_trace", fail)
        with pytest.raises(RuntimeError, match="disk is full"):
            ask(teacher)
    received = len(server.asked)
    assert (StoredReply.objects.count(), Trace.objects.count()) == (received, 0)
    second = ask(teacher)

    assert received >= in_flight
    assert len(server.asked) == len(set(server.asked)) == 20
    assert (second.remembered, Trace.objects.count()) == (received, 20)
    assert paid(teacher) == Decimal("0.02") * 20


def paid(teacher):
    return sum(job.cost_usd for job in teacher.collections.all())


@pytest.mark.django_db(transaction=True)
def test_a_reply_is_there_for_others_before_its_trace_is(make_question, teacher_of, ask, monkeypatch):
    teacher = teacher_of(make_question().project)
    seen = []
    real = collecting._trace

    def look(*given):
        seen.append((connection.in_atomic_block, committed_replies()))
        return real(*given)

    monkeypatch.setattr(collecting, "_trace", look)

    ask(teacher)

    assert seen == [(True, 1)]


def committed_replies():
    with psycopg.connect(**connection.get_connection_params()) as other:
        return other.execute("select count(*) from curator_storedreply").fetchone()[0]


def test_a_keeping_that_is_undone_leaves_nothing(make_project):
    project = make_project()

    with transaction.atomic():
        replies.keep(project, [received("a", 1)])
        transaction.set_rollback(True)

    assert replies.recall(project, ["a" * 64]) == {}
