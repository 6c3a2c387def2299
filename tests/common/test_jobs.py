"""A job's row is its truth: who may claim it, how it ends, and what becomes of one that falls silent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from celery import current_app
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from common.jobs import AlreadyClaimed, Cancelled, ClaimLost, JobState, carried, kinds_of_job
from common.tasks import sweep_jobs
from curator.models import Selection


@pytest.fixture
def make_job(make_project):
    def make(**fields):
        return Selection.objects.create(
            project=make_project(), name="a job", method={}, method_name="random", size=1, **fields
        )

    return make


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_exactly_one_claims_a_job(make_job):
    job = make_job()

    def claim(_worker):
        try:
            Selection.objects.get(pk=job.pk).claim(now=timezone.now())
        except AlreadyClaimed:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as workers:
        outcomes = list(workers.map(claim, range(8)))

    assert sum(outcomes) == 1


def test_a_finished_job_cannot_be_claimed(make_job):
    job = make_job()
    with pytest.raises(RuntimeError), carried(job):
        raise RuntimeError("the disk is full")

    with pytest.raises(AlreadyClaimed):
        job.claim(now=timezone.now())


def test_a_failure_is_kept_as_a_sentence_and_raised_again(make_job):
    job = make_job()

    with pytest.raises(RuntimeError), carried(job):
        raise RuntimeError("the disk is full")

    job.refresh_from_db()
    assert (job.state, job.failure) == (JobState.FAILED, "the disk is full")


def test_a_job_asked_to_stop_ends_as_cancelled(make_job):
    job = make_job()

    with carried(job):
        Selection.objects.get(pk=job.pk).request_cancel(now=timezone.now())
        job.beat(now=timezone.now(), done=1)

    job.refresh_from_db()
    assert (job.state, job.progress_done) == (JobState.CANCELLED, 1)


def test_a_waiting_job_is_cancelled_at_once(make_job):
    job = make_job()

    job.request_cancel(now=timezone.now())

    assert job.state == JobState.CANCELLED


def test_a_silent_job_goes_to_another_worker_and_the_first_learns_of_it(make_job, settings):
    slow = make_job()
    slow.claim(now=timezone.now() - timedelta(seconds=settings.JOB_SILENCE_SECONDS + 1))
    Selection.requeue_silent(now=timezone.now())
    quick = Selection.objects.get(pk=slow.pk)
    quick.claim(now=timezone.now())

    with pytest.raises(ClaimLost):
        slow.beat(now=timezone.now(), done=5)

    quick.beat(now=timezone.now(), done=7)
    assert Selection.objects.get(pk=slow.pk).progress_done == 7


def test_a_job_that_beats_is_left_to_its_worker(make_job):
    job = make_job()
    job.claim(now=timezone.now())

    assert Selection.requeue_silent(now=timezone.now()) == []


def test_the_sweep_sends_a_lost_message_again_but_not_at_every_turn(make_job, monkeypatch):
    job = make_job(queued_at=timezone.now() - timedelta(minutes=5))
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, kwargs: sent.append((name, kwargs)))

    sweep_jobs()
    sweep_jobs()

    assert sent == [("curator.tasks.run_selection", {"job_id": job.pk})]


def test_a_cancelled_job_can_be_put_back_and_a_running_one_cannot(make_job):
    job, running = make_job(), make_job()
    job.request_cancel(now=timezone.now())
    running.claim(now=timezone.now())

    assert job.requeue(now=timezone.now())
    assert not running.requeue(now=timezone.now())
    assert job.state == JobState.QUEUED


@pytest.mark.parametrize("forbidden", ["succeeded", "failed"])
def test_the_database_refuses_a_move_that_skips_running(make_job, forbidden):
    job = make_job()
    fields = {"state": forbidden, "finished_at": timezone.now(), "members_hash": "x"}
    fields["failure"] = "" if forbidden == "succeeded" else "why"

    if forbidden == "succeeded":
        with pytest.raises(DatabaseError), transaction.atomic():
            Selection.objects.filter(pk=job.pk).update(**fields)
    else:  # a waiting job may fail: its input can be gone before it starts
        assert Selection.objects.filter(pk=job.pk).update(**fields)


def test_the_database_refuses_a_failed_job_without_a_sentence(make_job):
    job = make_job()
    job.claim(now=timezone.now())

    with pytest.raises(IntegrityError), transaction.atomic():
        Selection.objects.filter(pk=job.pk).update(state="failed", finished_at=timezone.now())


def test_progress_tells_its_rate_and_the_time_left(make_job):
    job = make_job()
    job.claim(now=timezone.now() - timedelta(seconds=10))

    job.beat(now=timezone.now(), done=50, total=100, cost_usd=Decimal("0.5"))

    assert job.share_done == 0.5
    assert job.rate_per_second == pytest.approx(5, rel=0.1)
    assert job.seconds_left == pytest.approx(10, rel=0.1)


def test_a_cancel_inside_the_work_is_no_failure(make_job):
    job = make_job()

    with carried(job):
        raise Cancelled

    assert job.state == JobState.CANCELLED


def test_every_kind_of_job_names_a_task_that_exists():
    current_app.loader.import_default_modules()

    missing = [kind.__name__ for kind in kinds_of_job() if kind.task_name not in current_app.tasks]

    assert missing == []
