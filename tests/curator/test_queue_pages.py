"""Queues over HTTP: opened, worked off at the desk, skipped, undone, held, assigned, closed and deleted."""

import pytest

from common.access import Role
from curator.models import Adjudication, Lease, Queue, Review
from curator.services import queues
from curator.services.queues import QueueSettings


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def traces(project, make_pool, make_question, make_trace, make_teacher):
    pool, teacher = make_pool(project), make_teacher(project, name="Kimi K2")
    return [make_trace(make_question(pool), teacher) for _each in range(3)]


@pytest.fixture
def queue(project, traces):
    return queues.open_queue(project=project, name="first reading", by=None, settings=QueueSettings())


@pytest.fixture
def reviewer(client, project, make_member):
    member = make_member(project, Role.REVIEWER)
    client.force_login(member)
    return member


@pytest.fixture
def curator(client, project, make_member):
    member = make_member(project, Role.CURATOR)
    client.force_login(member)
    return member


def said(trace, word="accept", **more):
    return {"trace": trace.pk, "judgement": word, "seen": 0, "seconds": 30, **more}


def test_a_queue_is_opened_by_a_form_and_listed(client, project, traces, curator):
    assert "No queue yet" in client.get(f"/projects/{project.slug}/queues/").text

    form = {"name": "wrong ones", "overlap": 2, "lease_minutes": 20, "is_blind": "on", "verdict": ["right"]}
    made = client.post(f"/projects/{project.slug}/queues/", form)
    queue = Queue.objects.get()
    again = client.post(f"/projects/{project.slug}/queues/", form)

    assert made.url == f"/queues/{queue.pk}/"
    assert (queue.overlap, queue.total, queue.filters) == (2, 3, {"verdict": ["right"]})
    assert "has a queue “wrong ones” already" in again.text
    assert "wrong ones" in client.get(f"/projects/{project.slug}/queues/").text
    assert client.get(f"/projects/{project.slug}/review/").url == f"/projects/{project.slug}/queues/"


def test_an_empty_filter_opens_nothing(client, project, traces, curator):
    form = {"name": "none", "overlap": 1, "lease_minutes": 20, "verdict": ["unparsed"]}

    page = client.post(f"/projects/{project.slug}/queues/", form)

    assert "widen the filter" in page.text
    assert not Queue.objects.exists()


def test_a_reviewer_goes_through_a_queue_to_its_end(client, queue, traces, reviewer):
    address = f"/queues/{queue.pk}/review/"
    page = client.get(address)

    for trace in traces:
        item = queue.items.get(trace=trace)
        assert f'data-trace="{trace.pk}"' in page.text
        assert f"/queues/{queue.pk}/review/{item.pk}/hold/" in page.text
        page = client.post(address, said(trace), headers={"HX-Request": "true"})
    done = client.get(address).text

    assert page.headers["HX-Redirect"] == address
    assert "The queue is done" in done
    assert "3 judgements of it are yours" in done
    assert Review.objects.filter(reviewer=reviewer).count() == 3


def test_names_are_hidden_until_it_is_judged(client, queue, traces, reviewer):
    before = client.get(f"/queues/{queue.pk}/review/").text
    client.post(f"/queues/{queue.pk}/review/", said(traces[0]))
    after = client.get(f"/queues/{queue.pk}/review/?item={queue.items.get(trace=traces[0]).pk}").text

    assert "Kimi K2" not in before
    assert 'data-key="h"' not in before
    assert "Kimi K2" in after


def test_skip_gives_the_trace_back_and_undo_brings_it_again(client, queue, traces, reviewer):
    address = f"/queues/{queue.pk}/review/"
    client.get(address)
    first = queue.items.get(trace=traces[0])

    skipped = client.post(f"{address}skip/", {"item": first.pk}, headers={"HX-Request": "true"}).text
    client.post(address, said(traces[1]))
    undone = client.post(f"{address}undo/", headers={"HX-Request": "true"}).text

    assert f'data-trace="{traces[1].pk}"' in skipped
    assert f'data-trace="{traces[1].pk}"' in undone
    assert not Review.objects.exists()
    assert Lease.objects.filter(item__trace=traces[1], reviewer=reviewer).exists()


def test_two_windows_never_lose_a_word(client, queue, traces, reviewer):
    address = f"/queues/{queue.pk}/review/"
    client.post(address, said(traces[0], note="from the first window"))

    late = client.post(address, said(traces[0], "reject"), headers={"HX-Request": "true"}).text

    assert "in another window meanwhile" in late
    assert f'data-trace="{traces[0].pk}"' in late
    assert Review.objects.get().note == "from the first window"


def test_holding_says_whether_the_trace_is_still_ones_own(client, queue, traces, reviewer):
    client.get(f"/queues/{queue.pk}/review/")
    item = queue.items.get(trace=traces[0])
    address = f"/queues/{queue.pk}/review/{item.pk}/hold/"

    assert client.post(address).json() == {"is_held": True}
    Lease.objects.all().delete()
    assert client.post(address).json() == {"is_held": False}


def test_a_warm_up_trace_tells_what_the_last_word_was(client, queue, traces, reviewer, make_user):
    Adjudication.objects.create(
        trace=traces[2], judgement="reject", decided_by=make_user(), note="Step 2 <fails>."
    )
    queues.set_warm_up(queue=queue, count=5)

    page = client.get(f"/queues/{queue.pk}/review/").text
    after = client.post(f"/queues/{queue.pk}/review/", said(traces[2]), headers={"HX-Request": "true"}).text

    assert "warm-up 1 of 1" in page
    assert "you said “accept”; the last word was “reject”" in after
    assert "Step 2 &lt;fails&gt;." in after
    assert f'data-trace="{traces[0].pk}"' in after


def test_an_owner_assigns_closes_changes_and_deletes(client, queue, traces, curator, make_member, project):
    reviewer = make_member(project, Role.REVIEWER)
    stranger = make_member(project, Role.VIEWER)
    page = f"/queues/{queue.pk}/"

    def post(path, **form):
        return client.post(f"{page}{path}/", form, follow=True).text

    assert f"2 traces wait for {reviewer}" in post("assign", reviewer=reviewer.pk, count=2)
    assert "Select a valid choice" in post("assign", reviewer=stranger.pk, count=2)
    assert f"2 traces of {reviewer} go to whoever comes" in post("assign", reviewer=reviewer.pk, count=0)
    assert "The queue is closed" in post("close")
    assert "The queue is open again" in post("close")
    assert "Saved" in post("settings", name="second", overlap=2, lease_minutes=5)
    assert "No trace has come since" in post("new-traces")
    assert "settle a disagreement first" in post("warm-up", count=3)
    assert "judgements stay" in client.get(f"{page}delete/").text
    assert "is gone" in post("delete")
    queue_names = list(Queue.objects.values_list("name", flat=True))
    assert queue_names == []


def test_the_desk_of_a_queue_asks_no_more_of_the_database_for_a_longer_queue(
    client, project, traces, reviewer, django_assert_max_num_queries
):
    queue = queues.open_queue(project=project, name="counted", by=None)
    address = f"/queues/{queue.pk}/review/"
    client.get(address)

    with django_assert_max_num_queries(45):
        client.get(address)
    with django_assert_max_num_queries(75):
        client.post(address, said(traces[0]), headers={"HX-Request": "true"})
