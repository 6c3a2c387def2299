"""Queues: what is handed out to whom, leases that lapse, counts that stay true, warm-up, assignment."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.access import Role
from common.core.refusal import Refusal
from curator.models import Adjudication, Lease, Queue, QueueItem, Review
from curator.queries.queues import get_queue_figures, get_queue_reviewers
from curator.services import queues, reviews, selections
from curator.services.queues import QueueSettings
from curator.services.reviews import Word

ACCEPT, REJECT = Word("accept", seconds=60), Word("reject", seconds=60)


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def make_queue(project, make_pool, make_question, make_trace, make_teacher):
    def make(size=3, name="first reading", **settings):
        pool, teacher = make_pool(project), make_teacher(project)
        for _each in range(size):
            make_trace(make_question(pool), teacher)
        return queues.open_queue(project=project, name=name, by=None, settings=QueueSettings(**settings))

    return make


@pytest.fixture
def people(project, make_member):
    return [make_member(project, Role.REVIEWER) for _each in range(3)]


def judge(item, reviewer, word=ACCEPT):
    return reviews.judge(trace=item.trace, reviewer=reviewer, word=word)


def test_each_reviewer_gets_another_trace_and_keeps_it_until_they_judge(make_queue, people):
    queue = make_queue()
    ann, bo, _cy = people

    first, second = queues.take(queue=queue, reviewer=ann), queues.take(queue=queue, reviewer=bo)
    again = queues.take(queue=queue, reviewer=ann)
    judge(first, ann)
    next_one = queues.take(queue=queue, reviewer=ann)

    assert first != second
    assert again == first
    assert next_one not in (first, second)
    assert Lease.objects.filter(reviewer=ann).count() == 1


def test_a_queue_ends_and_its_sums_are_true(make_queue, people):
    queue = make_queue(size=2, overlap=2)
    ann, bo, cy = people

    for reviewer in (ann, bo, ann, bo):
        judge(queues.take(queue=queue, reviewer=reviewer), reviewer)
    queue.refresh_from_db()

    assert queues.take(queue=queue, reviewer=cy) is None
    assert (queue.total, queue.done, queue.waiting) == (2, 2, 0)
    assert get_queue_figures(queue, ann).mine == 2


def test_no_more_reviewers_hold_a_trace_than_are_wanted(make_queue, people):
    queue = make_queue(size=1, overlap=2)

    held = [queues.take(queue=queue, reviewer=person) for person in people]

    assert held[0] == held[1]
    assert held[2] is None


def test_a_dead_browser_gives_its_trace_back_and_its_late_word_still_counts(make_queue, people):
    queue = make_queue(size=2, lease_minutes=15)
    ann, bo, _cy = people
    start = timezone.now()
    lost = queues.take(queue=queue, reviewer=ann, now=start)
    other = queues.take(queue=queue, reviewer=bo, now=start)
    judge(other, bo)

    early = queues.take(queue=queue, reviewer=bo, now=start + timedelta(minutes=14))
    late = queues.take(queue=queue, reviewer=bo, now=start + timedelta(minutes=16))
    judge(lost, ann)
    queue.refresh_from_db()

    assert early is None
    assert late == lost
    assert Review.objects.filter(trace=lost.trace, reviewer=ann).exists()
    assert (queue.done, queue.waiting) == (2, 0)


def test_reading_puts_the_end_of_a_lease_off(make_queue, people):
    queue = make_queue(size=1, lease_minutes=15)
    ann, bo, _cy = people
    start = timezone.now()
    item = queues.take(queue=queue, reviewer=ann, now=start)

    held = queues.hold(item=item, reviewer=ann, now=start + timedelta(minutes=14))
    after = queues.take(queue=queue, reviewer=bo, now=start + timedelta(minutes=20))
    queues.take(queue=queue, reviewer=bo, now=start + timedelta(minutes=40))

    assert held
    assert after is None
    assert not queues.hold(item=item, reviewer=ann)  # somebody else has it now


def test_what_is_skipped_comes_back_after_all_the_others(make_queue, people):
    queue = make_queue(size=3)
    ann = people[0]
    skipped = queues.take(queue=queue, reviewer=ann)
    queues.pass_over(item=skipped, reviewer=ann)

    order = []
    for _each in range(3):
        item = queues.take(queue=queue, reviewer=ann)
        order.append(item)
        judge(item, ann)

    assert order[2] == skipped
    assert len(set(order)) == 3


def test_an_undone_word_lets_the_trace_wait_again(make_queue, people):
    queue = make_queue(size=1)
    ann = people[0]
    judge(queues.take(queue=queue, reviewer=ann), ann)

    reviews.undo(reviewer=ann, queue=queue)
    queue.refresh_from_db()

    assert (queue.done, queue.waiting) == (0, 1)
    assert get_queue_figures(queue, ann).mine == 0
    assert queues.take(queue=queue, reviewer=ann) is not None


def test_another_word_of_the_same_reviewer_counts_once(make_queue, people):
    queue = make_queue(size=2, overlap=2)
    ann = people[0]
    item = queues.take(queue=queue, reviewer=ann)

    judge(item, ann)
    judge(item, ann, REJECT)
    item.refresh_from_db()

    assert item.wanted == 1
    assert get_queue_figures(queue, ann).mine == 1


def test_words_from_before_the_queue_count(make_queue, people, project):
    first = make_queue(size=2)
    judge(queues.take(queue=first, reviewer=people[0]), people[0])

    second = queues.open_queue(
        project=project, name="second reading", by=None, settings=QueueSettings(overlap=2)
    )

    assert (second.total, second.done, second.waiting) == (2, 0, 3)


def test_a_target_stops_the_queue(make_queue, people):
    queue = make_queue(size=5, target=2)
    ann = people[0]

    for _each in range(2):
        judge(queues.take(queue=queue, reviewer=ann), ann)
        queue.refresh_from_db()

    assert queues.take(queue=queue, reviewer=ann) is None
    assert get_queue_figures(queue, ann).share == 1


def test_a_closed_queue_hands_nothing_out_and_holds_nothing(make_queue, people):
    queue = make_queue()
    queues.take(queue=queue, reviewer=people[0])

    queues.set_open(queue=queue, is_open=False)

    assert queues.take(queue=queue, reviewer=people[0]) is None
    assert not Lease.objects.filter(queue=queue).exists()


def test_assigned_traces_go_to_their_reviewer_first_and_to_nobody_else(make_queue, people):
    queue = make_queue(size=4)
    ann, bo, _cy = people

    assigned = queues.assign(queue=queue, reviewer=bo, count=2)
    of_ann = []
    while item := queues.take(queue=queue, reviewer=ann):
        of_ann.append(item)
        judge(item, ann)
    own = queues.take(queue=queue, reviewer=bo)
    freed = queues.unassign(queue=queue, reviewer=bo)

    assert assigned == 2
    assert [item.position for item in of_ann] == [3, 4]
    assert own.position == 1
    assert freed == 2


def test_more_reviewers_a_trace_are_counted_anew(make_queue, people):
    queue = make_queue(size=2)
    judge(queues.take(queue=queue, reviewer=people[0]), people[0])

    queues.change_settings(queue=queue, name="again", settings=QueueSettings(overlap=3))

    assert (queue.done, queue.waiting) == (0, 5)


def test_new_reviewers_begin_with_traces_whose_verdict_is_known(
    make_queue, people, make_trace, project, make_user
):
    queue = make_queue(size=2)
    ann, bo, _cy = people
    known = make_trace(make_trace().question)
    decided = queue.items.get(position=1).trace
    for trace in (decided,):
        Adjudication.objects.create(trace=trace, judgement="reject", decided_by=bo, note="Step 2 fails.")

    count = queues.set_warm_up(queue=queue, count=10)
    warm = queues.take(queue=queue, reviewer=ann)
    judge(warm, ann)
    first = queues.take(queue=queue, reviewer=ann)
    [reviewer] = [row for row in get_queue_reviewers(queue) if row.reviewer == ann]

    assert known.question.project != project
    assert count == 1
    assert warm.trace == decided
    assert warm.known["judgement"] == "reject"
    assert first.known is None
    assert (reviewer.judged, reviewer.warmed_up, reviewer.agreed) == (0, 1, 0)
    assert queues.take(queue=queue, reviewer=people[2]).trace == decided  # everybody begins with it
    assert (queue.total, queue.waiting) == (1, 1)
    assert queues.set_warm_up(queue=queue, count=0) == 0
    assert queue.total == 2


def test_a_queue_of_a_selection_has_its_members_in_order(project, make_pool, make_question, make_trace):
    pool = make_pool(project)
    for _each in range(5):
        make_trace(make_question(pool))
    job = selections.start_selection(project=project, method="random", size=3, by=None)
    selections.run_selection(job=job)
    members = list(reviews.members(job.selection if hasattr(job, "selection") else job))

    queue = queues.open_queue(project=project, name="members", by=None, selection=members[0].selection)

    assert [item.trace_id for item in queue.items.all()] == [row.trace_id for row in members]
    assert queues.take_in(queue=queue) == 0


def test_a_filter_finds_its_traces_and_new_ones_can_be_taken_in(
    project, make_pool, make_question, make_trace
):
    pool = make_pool(project)
    wrong = make_trace(make_question(pool), verdict="wrong")
    make_trace(make_question(pool))
    make_trace(make_question(pool, standing="banned"), verdict="wrong")

    queue = queues.open_queue(project=project, name="wrong", by=None, filters={"verdict": ["wrong"]})
    make_trace(make_question(pool), verdict="wrong")

    assert [item.trace for item in queue.items.all()] == [wrong]
    assert queues.take_in(queue=queue) == 1
    assert queue.total == 2


def test_an_empty_queue_and_a_taken_name_are_refused(make_queue, project):
    make_queue(name="one")

    with pytest.raises(Refusal, match="has a queue “one” already"):
        queues.open_queue(project=project, name="one", by=None)
    with pytest.raises(Refusal, match="No trace is like that"):
        queues.open_queue(project=project, name="two", by=None, filters={"verdict": ["unparsed"]})
    assert [queue.name for queue in Queue.objects.filter(project=project)] == ["one"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_sums_of_a_queue_are_what_a_count_of_its_rows_gives(make_queue, people, data):
    overlap = data.draw(st.integers(1, 3))
    queue = make_queue(size=4, name=f"q{Queue.objects.count()}-{data.draw(st.uuids())}", overlap=overlap)

    for act in data.draw(st.lists(st.tuples(st.sampled_from("jusp"), st.integers(0, 2)), max_size=15)):
        reviewer = people[act[1]]
        item = queues.take(queue=queue, reviewer=reviewer)
        if act[0] == "j" and item:
            judge(item, reviewer)
        elif act[0] == "p" and item:
            queues.pass_over(item=item, reviewer=reviewer)
        elif act[0] == "u":
            try:
                reviews.undo(reviewer=reviewer, queue=queue)
            except Refusal:
                continue
    queue.refresh_from_db()
    kept = (queue.total, queue.done, queue.waiting)
    queues.recount(queue=queue)

    assert kept == (queue.total, queue.done, queue.waiting)
    for item in queue.items.all():
        assert item.wanted == max(overlap - item.trace.reviews.count(), 0)


@pytest.mark.django_db(transaction=True)
def test_eight_reviewers_at_once_judge_everything_as_often_as_wanted(make_queue, project, make_member):
    queue = make_queue(size=24, overlap=2)
    people = [make_member(project, Role.REVIEWER) for _each in range(8)]
    given: list[tuple[int, int]] = []

    def work(reviewer):
        try:
            while item := queues.take(queue=queue, reviewer=reviewer):
                given.append((item.pk, reviewer.pk))
                judge(item, reviewer)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, people))
    queue.refresh_from_db()
    counts = Counter(Review.objects.values_list("trace_id", flat=True))

    assert len(given) == len(set(given)) == 48  # nothing is handed out once too often
    assert set(counts.values()) == {2}
    assert (queue.done, queue.waiting) == (24, 0)
    assert not Lease.objects.exists()
    assert not QueueItem.objects.filter(wanted__gt=0).exists()


@pytest.mark.django_db(transaction=True)
def test_a_trace_that_somebody_takes_at_this_moment_is_waited_for(make_queue, people):
    queue = make_queue(size=1, overlap=2)
    ann, bo, _cy = people
    took = threading.Event()

    def ask():
        try:
            took.set()
            return queues.take(queue=queue, reviewer=bo)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            first = queues.take(queue=queue, reviewer=ann)
            asked = threads.submit(ask)
            took.wait()
            with pytest.raises(TimeoutError):
                asked.result(timeout=0.2)
        got = asked.result(timeout=10)

    assert got == first
    assert queues.take(queue=queue, reviewer=people[2]) is None


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_long_for_a_trace_that_is_locked(make_queue, people, monkeypatch):
    monkeypatch.setattr("curator.services.handing_out._MOST_LOOKS", 3)
    queue = make_queue(size=1, overlap=2)

    def ask():
        try:
            return queues.take(queue=queue, reviewer=people[1])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        queues.take(queue=queue, reviewer=people[0])
        got = threads.submit(ask).result(timeout=10)

    assert got is None
    assert queues.take(queue=queue, reviewer=people[1]) is not None
