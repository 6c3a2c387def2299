"""Orders to teachers and solvers, over real HTTP: each answer is paid and kept once, whatever ends the order."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Thread
from time import monotonic

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from common.core.refusal import Refusal
from common.endpoints import EndpointFailed, Prompt, client
from common.jobs import AlreadyClaimed, ClaimLost, JobState
from common.queries import get_spent_usd
from curator import tasks
from curator.models import (
    Attempt,
    Collection,
    Question,
    Trace,
)
from curator.services import collecting, endpoints
from curator.services.asking import LimitReached, address_of
from curator.services.asking.order import FAILURES_IN_A_ROW
from tests.stand_in import completion, dead_url, failure, standing_in, sums, whole

PRICED = {"price_out_usd": Decimal(1000), "max_tokens": 100}  # one answer costs 0.10 USD at most


@pytest.fixture
def server():
    with standing_in() as server:
        yield server


@pytest.fixture
def ask_teacher(make_project, server):
    """Return what makes a teacher behind the stand-in server."""

    def make(project=None, **fields):
        given = {"base_url": server.url, "model": "stand-in", "max_in_flight": 4}
        return endpoints.create_teacher(
            project=project or make_project(), name=fields.pop("name", "Ada"), **{**given, **fields}
        )

    return make


@pytest.fixture
def asked(make_pool, make_question, ask_teacher):
    """Return what makes a teacher, and questions for it."""

    def make(count, **fields):
        teacher = ask_teacher(**fields)
        pool = make_pool(teacher.project)
        return teacher, [make_question(pool) for _each in range(count)]

    return make


def in_another_session(reply_to):
    """Return what answers in the server's own thread, and lets go of the database after that."""

    def reply(question, before):
        try:
            return reply_to(question, before)
        finally:
            connection.close()

    return reply


def order(teacher, **fields):
    return collecting.start_collection(teacher=teacher, by=None, **fields)


def run(teacher, **fields):
    job = order(teacher, **fields)
    collecting.run_collection(job=job)
    job.refresh_from_db()
    return job


def test_every_question_is_asked_once_and_its_answer_kept_and_marked(asked, server):
    teacher, questions = asked(9)

    job = run(teacher)

    assert (job.state, job.asked, job.stored, job.failed) == (JobState.SUCCEEDED, 9, 9, 0)
    assert sorted(server.asked) == sorted(question.text for question in questions)
    assert {trace.verdict for trace in Trace.objects.all()} == {"right"}
    assert Trace.objects.filter(collection=job).count() == 9


def test_a_trace_keeps_thinking_answer_tokens_and_price(asked, server):
    server.reply_to = lambda question, _before: completion(
        "Final Answer: 0", thinking="So it is.", tokens_in=1000, tokens_out=3000
    )
    teacher, _questions = asked(1, price_in_usd=Decimal(1), price_out_usd=Decimal(2), max_tokens=5000)

    job = run(teacher)

    trace = Trace.objects.get()
    assert (trace.thinking, trace.answer, trace.verdict) == ("So it is.", "Final Answer: 0", "wrong")
    assert (trace.thinking_tokens + trace.answer_tokens, trace.tokens_counted_by) == (3000, "usage")
    assert trace.cost_usd == job.cost_usd == Decimal("0.007")
    assert server.requests[0]["max_tokens"] == 5000


def test_asking_again_asks_only_what_is_left(asked, make_pool, make_question, server):
    teacher, questions = asked(3)
    run(teacher)
    new = make_question(questions[0].pool)
    server.asked.clear()

    job = run(teacher)

    assert (server.asked, job.stored) == ([new.text], 1)


def test_a_limit_of_questions_holds_and_the_next_order_goes_on(asked, server):
    teacher, _questions = asked(7)

    first, second = run(teacher, question_limit=3), run(teacher, question_limit=3)

    assert (first.stored, second.stored) == (3, 3)
    assert len(set(server.asked)) == len(server.asked) == 6


def test_banned_questions_are_not_asked(asked, server):
    teacher, (banned, open_one) = asked(2)
    banned.standing = "banned"
    banned.save()

    run(teacher)

    assert server.asked == [open_one.text]


def test_the_options_are_asked_with_the_question(make_question, ask_teacher, server):
    question = make_question(text="Which?", options=["red", "blue"], key="B")
    server.reply_to = lambda *_: completion("Answer: B")

    run(ask_teacher(question.project))

    assert "A. red" in server.asked[0]
    assert "B. blue" in server.asked[0]
    assert question.traces.get().verdict == "right"


def test_an_answer_that_fails_now_and_then_is_asked_again_by_the_client(asked, server):
    server.reply_to = lambda question, before: (
        failure(429 if before % 2 else 500) if before < 4 else sums(question, before)
    )
    teacher, _questions = asked(4)

    job = run(teacher)

    assert (job.stored, job.failed, len(server.asked)) == (4, 0, 8)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (failure(500), "the stand-in is told to fail"),
        (failure(400, "too long"), "too long"),
        (failure(429), "the stand-in is told to fail"),
        ((200, b'{"choices": [{"message"'), ""),
        ((200, b"<html>welcome</html>"), ""),
        ((200, b"[]"), ""),
        ((200, b"null"), ""),
        ((200, b'"hello"'), ""),
        (whole([]), "sent a reply without choices"),
        ((200, b'{"choices": [{"index": 0}]}'), ""),
        ((200, b'{"choices": [null]}'), ""),
        ((200, b'{"choices": 7}'), ""),
    ],
)
def test_a_reply_that_cannot_be_used_is_counted_and_the_others_are_kept(asked, server, reply, why):
    teacher, questions = asked(3)
    server.reply_to = lambda question, before: (
        reply if question == questions[1].text else sums(question, before)
    )

    job = run(teacher)

    assert (job.state, job.asked, job.stored, job.failed) == (JobState.SUCCEEDED, 3, 2, 1)
    assert not questions[1].traces.exists()
    with pytest.raises(EndpointFailed, match=f"Ada at {server.url}.*{why}"):
        raise_first_failure(teacher, questions[1])


def raise_first_failure(teacher, question):
    with client(address_of(teacher)) as line:
        line.ask(Prompt(question.text))


def test_a_failed_question_is_asked_by_the_next_order(asked, server):
    teacher, questions = asked(3)
    server.reply_to = lambda question, before: (
        failure(400) if question == questions[0].text else sums(question, before)
    )
    run(teacher)
    server.reply_to = sums

    job = run(teacher)

    assert (job.stored, Trace.objects.count()) == (1, 3)


def test_an_endpoint_that_answers_nothing_is_given_up_with_a_sentence(asked):
    teacher, _questions = asked(30, base_url=dead_url(), max_in_flight=32)

    with pytest.raises(
        EndpointFailed, match=r"Ada at http://127.0.0.1:\d+/v1 gave no answer: nothing answers there"
    ):
        run(teacher)

    job = Collection.objects.get()
    assert job.state == JobState.FAILED
    assert "gave no answer" in job.failure
    assert (job.stored, Trace.objects.count()) == (0, 0)
    assert job.failed >= FAILURES_IN_A_ROW


def test_an_endpoint_that_dies_on_the_way_keeps_what_it_gave(asked, server):
    teacher, _questions = asked(25, max_in_flight=1)
    server.reply_to = lambda question, before: failure(400) if before >= 5 else sums(question, before)

    with pytest.raises(EndpointFailed):
        run(teacher)

    job = Collection.objects.get()
    assert (job.stored, Trace.objects.count()) == (5, 5)
    assert job.failed - FAILURES_IN_A_ROW in {0, 1}  # one more was on its way


def test_the_order_s_limit_stops_it_before_it_is_passed(asked, server):
    server.reply_to = lambda *_: completion("Final Answer: 1", tokens_out=100)
    teacher, _questions = asked(9, **PRICED)

    job = run(teacher, max_cost_usd=Decimal("0.35"))

    assert job.failure == (
        "The order's limit of 0.35 USD does not allow another answer: the next might cost $0.10, "
        "$0.05 is left; raise it to go on."
    )
    assert (job.state, job.stored, job.cost_usd) == (JobState.PAUSED, 3, Decimal("0.3"))
    assert len(server.asked) == 3


def test_a_limit_is_used_up_by_what_answers_cost_and_not_by_what_they_could(asked, server):
    server.reply_to = lambda *_: completion("Final Answer: 1", tokens_out=10)
    teacher, _questions = asked(40, **PRICED)

    job = run(teacher, max_cost_usd=Decimal("0.35"))

    assert job.cost_usd == Decimal("0.26")  # a 27th could have cost 0.10


def test_a_limit_that_suffices_for_the_last_question_fails_nothing(asked):
    teacher, _questions = asked(3, **PRICED)

    assert run(teacher, max_cost_usd=Decimal("0.14")).state == JobState.SUCCEEDED  # 0.02 each


def test_the_project_s_limit_stops_every_order(asked, server):
    server.reply_to = lambda *_: completion("Final Answer: 1", tokens_out=100)
    teacher, _questions = asked(9, **PRICED)
    teacher.project.money_limit_usd = Decimal("0.25")
    teacher.project.save()

    assert "its owner can raise it in the settings" in run(teacher).failure
    with pytest.raises(LimitReached, match=r"The project's money limit of 0\.25 USD .* \$0\.05 is left"):
        run(teacher)

    assert get_spent_usd(teacher.project) == Decimal("0.2")
    assert len(server.asked) == 2


def test_what_other_work_costs_counts_for_the_project_s_limit(asked, make_teacher, server):
    teacher, _questions = asked(2, **PRICED)
    project = teacher.project
    Collection.objects.create(
        project=project, teacher=make_teacher(project), cost_usd=project.money_limit_usd - Decimal("0.05")
    )

    with pytest.raises(LimitReached):
        run(teacher)

    assert (server.asked, Collection.objects.filter(teacher=teacher).exists()) == ([], False)


def test_an_order_taken_up_again_remembers_what_it_cost_though_its_worker_died(asked, make_trace, server):
    server.reply_to = lambda *_: completion("Final Answer: 1", tokens_out=100)
    teacher, questions = asked(6, **PRICED)
    job = order(teacher, max_cost_usd=Decimal("0.35"), question_limit=5)
    for question in questions[:2]:  # a worker stored them, each with its price on the order, and was killed
        make_trace(question, teacher, collection=job, cost_usd=Decimal("0.1"))
    Collection.objects.filter(pk=job.pk).update(asked=2, stored=2, cost_usd=Decimal("0.2"))

    collecting.run_collection(job=job)

    job.refresh_from_db()
    assert job.state == JobState.PAUSED
    assert (job.stored, job.cost_usd, len(server.asked)) == (3, Decimal("0.3"), 1)


def test_an_order_taken_up_again_asks_no_more_than_it_may(asked, make_trace, server):
    teacher, questions = asked(6)
    job = order(teacher, question_limit=3)
    for question in questions[:2]:
        make_trace(question, teacher, collection=job)
    Collection.objects.filter(pk=job.pk).update(asked=2, stored=2)

    collecting.run_collection(job=job)

    assert (job.state, server.asked) == (JobState.SUCCEEDED, [questions[2].text])


@pytest.mark.parametrize("question_limit", [None, 30])
def test_progress_counts_what_all_who_took_an_order_up_have_done(asked, server, monkeypatch, question_limit):
    monkeypatch.setattr("common.jobs.BEAT_SECONDS", 0.0)
    teacher, _questions = asked(40, max_in_flight=2)
    job = order(teacher, question_limit=question_limit)
    seen = []

    def watch(running):
        row = Collection.objects.get(pk=running.pk)
        seen.append((row.shown_done, row.shown_total, row.stored + row.failed))
        if row.stored >= 5 and row.claims == 1:
            row.request_pause()

    server.reply_to = lambda question, before: (
        failure(400) if before % 4 == 0 else (slowly(), sums(question, before))[1]
    )
    collecting.run_collection(job=job, watch=watch)
    rested = Collection.objects.get()
    assert rested.state == JobState.PAUSED
    rested.requeue(now=timezone.now())
    server.reply_to = sums
    collecting.run_collection(job=rested, watch=watch)

    assert {total for _done, total, _counted in seen} == {question_limit or 40}
    assert all(done == counted for done, _total, counted in seen)
    assert (rested.shown_done, rested.shown_total) == (rested.stored + rested.failed, question_limit or 40)
    ended = Collection.objects.get()
    assert (ended.stored, ended.shown_done) == (question_limit or 40, question_limit or 40)


@pytest.mark.parametrize("whose", ["order", "teacher", "project"])
def test_no_order_begins_that_cannot_pay_for_a_single_answer(asked, server, whose):
    teacher, _questions = asked(3, **PRICED)
    spent = make_spent(teacher, Decimal("0.23"))
    limit = Decimal("0.09")
    if whose == "project":
        teacher.project.money_limit_usd = limit + spent
        teacher.project.save()
    if whose == "teacher":
        teacher.money_limit_usd = limit + spent
        teacher.save()

    with pytest.raises(LimitReached) as refused:
        order(teacher, max_cost_usd=limit if whose == "order" else Decimal(5))

    words = {
        "order": "raise it to go on",
        "teacher": "raise it on its page",
        "project": "raise it in the settings",
    }
    assert words[whose] in str(refused.value)
    assert "the next might cost $0.10, $0.09 is left" in str(refused.value)
    assert Collection.objects.count() == 1


def test_an_order_to_a_model_that_costs_nothing_needs_no_money(asked):
    teacher, _questions = asked(3)
    teacher.project.money_limit_usd = 0
    teacher.project.save()

    assert run(teacher, max_cost_usd=Decimal(0)).stored == 3


def make_spent(teacher, usd):
    """Make an order to a teacher that has cost so much."""
    now = timezone.now()
    Collection.objects.create(
        project=teacher.project, teacher=teacher, cost_usd=usd, state="cancelled", finished_at=now
    )
    return usd


@pytest.mark.parametrize("what", ["limit", "address"])
def test_an_order_that_ends_early_leaves_one_line_in_the_log(asked, server, caplog, what):
    server.reply_to = lambda *_: completion("Final Answer: 1", tokens_out=100)
    base_url = dead_url() if what == "address" else server.url
    teacher, _questions = asked(12, base_url=base_url, max_in_flight=12, price_out_usd=1000, max_tokens=100)
    job = order(teacher, max_cost_usd=Decimal("1.3") if what == "address" else Decimal("0.25"))

    with caplog.at_level("INFO", logger="curator"):
        tasks.run_collection(job_id=job.pk)

    lines = [
        (record.levelname, record.exc_info) for record in caplog.records if record.name == "common.tasks"
    ]
    assert lines == ([] if what == "limit" else [("WARNING", None)])
    assert Collection.objects.get().state == (JobState.PAUSED if what == "limit" else JobState.FAILED)


def test_a_cancelled_order_stops_and_keeps_what_was_under_way(asked, server):
    teacher, _questions = asked(200, max_in_flight=2)
    job = order(teacher)
    seen = []

    def cancel_at_the_first_beat(running):
        if not seen:
            Collection.objects.get(pk=running.pk).request_cancel(now=timezone.now())
        seen.append(len(server.asked))

    server.reply_to = lambda question, before: (slowly(), sums(question, before))[1]
    collecting.run_collection(job=job, watch=cancel_at_the_first_beat)

    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert job.stored == Trace.objects.count() == len(server.asked) < 200


def slowly():
    from time import sleep

    sleep(0.05)


def test_a_cancelled_order_can_be_put_back_and_goes_on(asked, server):
    teacher, _questions = asked(4)
    job = order(teacher)
    job.request_cancel(now=timezone.now())
    job.requeue(now=timezone.now())

    collecting.run_collection(job=job)

    assert (job.state, Trace.objects.count()) == (JobState.SUCCEEDED, 4)


def test_a_second_order_to_a_busy_teacher_is_refused(asked):
    teacher, _questions = asked(2)
    order(teacher)

    with pytest.raises(Refusal, match="Ada is being asked already; wait, or cancel that order"):
        order(teacher)


@pytest.mark.django_db(transaction=True)
def test_of_orders_at_the_same_moment_one_is_taken(asked):
    teacher, _questions = asked(1)

    def try_it(_attempt):
        try:
            order(teacher)
        except Refusal:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as people:
        taken = list(people.map(try_it, range(8)))

    assert (sum(taken), Collection.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_message_ask_nothing_twice(asked, server):
    teacher, _questions = asked(5)
    job = order(teacher)
    server.gate.clear()

    def carry():
        try:
            collecting.run_collection(job=Collection.objects.get(pk=job.pk))
        finally:
            connection.close()

    first = Thread(target=carry)
    first.start()
    deadline = monotonic() + 10
    while not server.asked and monotonic() < deadline:
        pass
    with pytest.raises(AlreadyClaimed):
        collecting.run_collection(job=Collection.objects.get(pk=job.pk))
    server.gate.set()
    first.join()

    assert (len(server.asked), Trace.objects.count()) == (5, 5)


def test_a_worker_that_lost_its_order_stores_what_was_under_way_and_says_so(asked, server):
    teacher, _questions = asked(50, max_in_flight=2)
    job = order(teacher)

    def taken_over(running):
        Collection.objects.filter(pk=running.pk).update(claims=9)
        running.beat(now=timezone.now())

    with pytest.raises(ClaimLost):
        collecting.run_collection(job=job, watch=taken_over)

    assert Trace.objects.count() == len(server.asked) < 50


def test_the_database_keeps_one_answer_of_a_teacher_to_a_question(make_trace):
    trace = make_trace()

    with pytest.raises(IntegrityError, match="trace_sample_once"), transaction.atomic():
        make_trace(trace.question, trace.teacher)


def test_a_teacher_without_an_address_cannot_be_asked(make_teacher):
    with pytest.raises(Refusal, match="has no address; enter one, or import its traces"):
        order(make_teacher())


def test_hostile_output_is_made_harmless(asked, server):
    server.reply_to = lambda *_: completion(
        "Final Answer: <|im_end|>5\u0000", thinking="\ud800 think <|im_start|>system"
    )
    teacher, _questions = asked(1)

    run(teacher)

    trace = Trace.objects.get()
    assert (trace.thinking, trace.answer) == ("\ufffd think <im_start>system", "Final Answer: <im_end>5")
    assert trace.neutralised


def test_an_estimate_without_traces_takes_the_mean_of_s1(asked):
    teacher, _questions = asked(10, price_out_usd=Decimal(10))

    estimate = collecting.estimate_collection(teacher=teacher, question_limit=4)

    assert estimate.questions == 4
    assert 4 * 4_700 < estimate.tokens < 4 * 4_710  # the questions themselves are a few tokens each
    assert estimate.usd == Decimal("0.188")


def test_an_estimate_with_traces_takes_their_mean(asked, make_trace):
    teacher, questions = asked(5, price_out_usd=Decimal(10))
    make_trace(questions[0], teacher, thinking_tokens=100, answer_tokens=20)
    make_trace(questions[1], teacher, thinking_tokens=200, answer_tokens=80)

    estimate = collecting.estimate_collection(teacher=teacher)

    assert (estimate.questions, estimate.usd) == (3, Decimal("0.006"))
    assert 600 < estimate.tokens < 630


def test_an_estimate_counts_what_is_read_as_well_as_what_is_written(ask_teacher, make_pool, make_question):
    teacher = ask_teacher(price_in_usd=Decimal(8))
    pool = make_pool(teacher.project)
    make_question(pool, text="x" * 4000)
    make_question(pool, text="题" * 1500, language="zh")

    assert collecting.estimate_collection(teacher=teacher).usd == Decimal("0.016")  # 1,000 tokens each


def test_an_estimate_of_tries_takes_the_mean_of_those_made_and_counts_only_what_is_missing(
    solver, make_pool, make_question
):
    solver.price_out_usd = Decimal(1000)
    solver.save()
    pool = make_pool(solver.project)
    first, _second = make_question(pool), make_question(pool)
    Attempt.objects.create(question=first, solver=solver, sample=1, answer_tokens=40)

    estimate = collecting.estimate_probe(solver=solver, samples=2)

    assert (estimate.questions, estimate.usd) == (3, Decimal("0.12"))
    assert "last 1 tries" in estimate.basis


@pytest.fixture
def solver(make_project, server):
    return endpoints.create_solver(
        project=make_project(), name="weak", base_url=server.url, model="m", max_in_flight=4
    )


def probe(solver, **fields):
    job = collecting.start_probe(solver=solver, by=None, **fields)
    collecting.run_probe(job=job)
    job.refresh_from_db()
    return job


def test_a_solver_tries_each_question_as_often_as_ordered(solver, make_pool, make_question, server):
    pool = make_pool(solver.project)
    questions = [make_question(pool) for _each in range(3)]
    make_question(pool, key="")  # without a key, a try cannot be marked

    job = probe(solver, samples=2)

    assert (job.state, job.stored) == (JobState.SUCCEEDED, 6)
    tries = set(Attempt.objects.values_list("question_id", "sample", "verdict"))
    assert tries == {(question.pk, sample, "right") for question in questions for sample in (0, 1)}


def test_more_tries_are_added_to_those_there(solver, make_pool, make_question, server):
    make_question(make_pool(solver.project))
    probe(solver, samples=1)

    job = probe(solver, samples=3)

    assert (job.stored, Attempt.objects.count(), len(server.asked)) == (2, 3, 3)


def test_only_the_tries_that_are_missing_are_made(solver, make_pool, make_question, server):
    question = make_question(make_pool(solver.project))
    Attempt.objects.create(question=question, solver=solver, sample=1, answer="kept")  # 0 and 2 were lost

    job = probe(solver, samples=3)

    assert (job.stored, len(server.asked)) == (2, 2)
    assert sorted(Attempt.objects.values_list("sample", flat=True)) == [0, 1, 2]
    assert Attempt.objects.get(sample=1).answer == "kept"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["teacher", "solver"])
def test_what_a_worker_thought_dead_stores_meanwhile_is_not_stored_twice(
    kind, asked, solver, make_pool, make_question, server
):
    teacher, questions = asked(3, max_in_flight=1)
    if kind == "solver":
        questions = [make_question(make_pool(solver.project)) for _each in range(3)]

    def answered_elsewhere(question, before):
        if question == questions[1].text and kind == "teacher":
            Trace.objects.create(question=questions[1], teacher=teacher, answer="first", content_hash="h")
        elif question == questions[1].text:
            Attempt.objects.create(question=questions[1], solver=solver, answer="first")
        return sums(question, before)

    server.reply_to = in_another_session(answered_elsewhere)
    job = run(teacher) if kind == "teacher" else probe(solver)

    assert (job.state, job.stored, job.failed) == (JobState.SUCCEEDED, 2, 0)
    answers = Trace.objects if kind == "teacher" else Attempt.objects
    assert answers.count() == 3
    assert answers.get(question=questions[1]).answer == "first"


@pytest.mark.django_db(transaction=True)
def test_an_answer_to_a_question_that_was_removed_meanwhile_ends_nothing(asked, server):
    teacher, questions = asked(3, max_in_flight=1)

    def removed(question, before):
        if question == questions[1].text:
            questions[1].delete()
        return sums(question, before)

    server.reply_to = in_another_session(removed)
    job = run(teacher)

    assert (job.state, job.stored, job.failed) == (JobState.SUCCEEDED, 2, 1)


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_marked_against_the_key_as_it_is_when_it_comes(asked, server):
    teacher, (question,) = asked(1)

    def corrected(_asked, _before):
        Question.objects.filter(pk=question.pk).update(key="77")
        return completion("Final Answer: 77")

    server.reply_to = in_another_session(corrected)
    run(teacher)

    assert Trace.objects.get().verdict == "right"


def test_orders_beside_each_other_keep_to_the_project_s_limit_together(asked, make_teacher, server):
    server.reply_to = lambda *_: (slowly(), completion("Final Answer: 1", tokens_out=100))[1]
    teacher, _questions = asked(60, **{**PRICED, "max_in_flight": 1})
    teacher.project.money_limit_usd = Decimal(5)
    teacher.project.save()
    other = make_teacher(teacher.project)

    def spent_beside(_running):
        if not Collection.objects.filter(teacher=other).exists():
            Collection.objects.create(project=teacher.project, teacher=other, cost_usd=Decimal("3.5"))

    job = order(teacher)
    collecting.run_collection(job=job, watch=spent_beside)

    assert job.state == JobState.PAUSED
    assert get_spent_usd(teacher.project) <= 5


def test_a_probe_is_held_by_its_limit(solver, make_pool, make_question, server):
    pool = make_pool(solver.project)
    for _each in range(5):
        make_question(pool)
    server.reply_to = lambda *_: completion("Final Answer: 1", tokens_out=100)
    solver.price_out_usd, solver.max_tokens = PRICED["price_out_usd"], PRICED["max_tokens"]
    solver.save()

    assert probe(solver, samples=2, max_cost_usd=Decimal("0.2")).state == JobState.PAUSED
    assert Attempt.objects.count() == 2


def test_a_second_probe_of_a_busy_solver_is_refused(solver):
    collecting.start_probe(solver=solver, by=None)

    with pytest.raises(Refusal, match="weak is being asked already"):
        collecting.start_probe(solver=solver, by=None)


@pytest.mark.parametrize(
    "fields",
    [
        {"question_limit": -1},
        {"question_limit": 10**12},
        {"max_cost_usd": Decimal("1e11")},
        {"most_pass_rate": -0.1},
        {"most_pass_rate": 1.1},
    ],
)
def test_a_limit_that_is_none_is_refused_in_words(asked, fields):
    teacher, _questions = asked(1)

    with pytest.raises(
        Refusal, match=r"Most questions: Ensure|Limit \(USD\): Ensure|Most right tries: Ensure"
    ):
        order(teacher, **fields)

    assert not Collection.objects.exists()


def test_a_solver_s_order_shows_its_cost_before_it_is_started(client, solver, make_pool, make_question):
    client.force_login(solver.project.membership_set.get().user)
    solver.price_out_usd, solver.max_tokens = Decimal(100), 1000
    solver.save()
    make_question(make_pool(solver.project))

    response = client.get(solver.get_absolute_url(), {"samples": 3, "max_cost_usd": "2"})

    assert "about $0.30" in response.text
    assert "Start the order" in response.text


# --- what was cut off ---


def cut_at(tokens):
    """Return a reply that ran into a limit of so many tokens."""
    message = {"role": "assistant", "content": "", "reasoning_content": f"Let me see, {tokens} …"}
    usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens}
    return whole([{"index": 0, "finish_reason": "length", "message": message}], usage)


def test_what_was_cut_off_is_asked_again_with_more_tokens_and_stays_beside_the_new_answer(asked, server):
    teacher, (cut, fine) = asked(2, max_tokens=100)
    server.reply_to = lambda question, _before: cut_at(100) if len(server.asked) == 1 else completion("42")
    run(teacher)
    teacher.max_tokens = 1_000
    teacher.save()
    server.reply_to = lambda *_: completion("42", thinking="All of it.")

    usual = run(teacher)
    again = run(teacher, cut_again=True)
    once_more = run(teacher, cut_again=True)

    traces = list(
        Trace.objects.order_by("question", "sample").values_list("question", "sample", "finish_reason")
    )
    assert (usual.asked, again.stored, once_more.asked) == (0, 1, 0)
    assert sorted(traces) == sorted([(cut.pk, 0, "length"), (cut.pk, 1, "stop"), (fine.pk, 0, "stop")])
    assert server.requests[-1]["max_tokens"] == 1_000


def test_what_is_cut_off_at_the_higher_limit_too_is_not_asked_for_a_third_time(asked, server):
    teacher, _questions = asked(1, max_tokens=100)
    server.reply_to = lambda *_: cut_at(100)
    run(teacher)
    teacher.max_tokens = 1_000
    teacher.save()
    server.reply_to = lambda *_: cut_at(1_000)
    run(teacher, cut_again=True)

    third = run(teacher, cut_again=True)

    assert (third.asked, len(server.asked), Trace.objects.count()) == (0, 2, 2)


def test_at_the_limit_that_cut_it_off_nothing_is_asked_again(asked, server):
    teacher, _questions = asked(1, max_tokens=100)
    server.reply_to = lambda *_: cut_at(100)
    run(teacher)

    estimate = collecting.estimate_collection(teacher=teacher, cut_again=True)
    again = run(teacher, cut_again=True)

    assert (estimate.questions, again.asked, len(server.asked)) == (0, 0, 1)


def test_a_provider_that_cuts_earlier_than_its_limit_is_paid_once(asked, server):
    teacher, _questions = asked(1, max_tokens=1_000)
    server.reply_to = lambda *_: cut_at(100)
    run(teacher)

    run(teacher, cut_again=True)

    assert (len(server.asked), Trace.objects.count()) == (1, 1)
