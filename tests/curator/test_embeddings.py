"""Questions become vectors over real HTTP: each is asked for and paid for once, whatever ends the order."""

from decimal import Decimal

import numpy as np
import pytest
from django.utils import timezone

from common.core.refusal import Refusal
from common.endpoints import EndpointFailed
from common.jobs import Cancelled, Paused
from curator.models import Classification, Embedder, Embedding
from curator.services import embeddings
from curator.services.embeddings import embed_questions, estimate_embedding, unembedded, vectors_of
from tests.stand_in import embeddings as vectors_reply
from tests.stand_in import failure, letters, standing_in


@pytest.fixture
def server():
    with standing_in() as server:
        yield server


@pytest.fixture
def order(make_project, make_pool, make_question, server):
    """Return what makes an order to embed so many questions, its worker having claimed it."""

    def make(count=3, *, job_fields=None, project=None, **fields):
        project = project or make_project()
        pool = make_pool(project)
        for _each in range(count):
            make_question(pool)
        embedder = Embedder.objects.create(
            project=project, name="Vera", base_url=server.url, model="v", **{"max_in_flight": 2, **fields}
        )
        return claimed(project, embedder, **(job_fields or {}))

    return make


def claimed(project, embedder, **fields):
    job = Classification.objects.create(project=project, way="nearest", embedder=embedder, **fields)
    job.claim(now=timezone.now())
    return job


def test_every_question_is_embedded_once_with_its_options(order, server):
    job = order(2)
    job.project.questions.update(options=["gold", "iron"])

    assert embed_questions(job=job, embedder=job.embedder) == 0
    assert embed_questions(job=job, embedder=job.embedder) == 0

    assert len(server.batches) == 1
    assert all(text.endswith("?\ngold\niron") for text in server.batches[0])
    assert Embedding.objects.count() == 2


def test_vectors_come_back_by_key_and_of_length_one(order):
    job = order(3)
    embed_questions(job=job, embedder=job.embedder)

    keys, vectors = vectors_of(job.project, job.embedder)

    assert keys == sorted(job.project.questions.values_list("pk", flat=True))
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 26)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1])
    stored = Embedding.objects.get(question=keys[1])
    assert vectors[1].tolist() == pytest.approx(list(stored.vector))


def test_without_vectors_there_is_an_empty_table(order):
    job = order(1)

    keys, vectors = vectors_of(job.project, job.embedder)

    assert keys == []
    assert len(vectors) == 0


def test_a_changed_question_is_embedded_anew_and_its_old_vector_not_used(order, server):
    job = order(3)
    embed_questions(job=job, embedder=job.embedder)
    changed = job.project.questions.first()
    changed.text, changed.content_hash = "Quite another one", "f" * 64
    changed.save()

    assert len(vectors_of(job.project, job.embedder)[0]) == 2
    embed_questions(job=job, embedder=job.embedder)

    assert server.batches[1:] == [["Quite another one"]]
    assert len(vectors_of(job.project, job.embedder)[0]) == 3


def test_banned_questions_cost_nothing(order, server):
    job = order(2)
    job.project.questions.update(standing="banned")

    embed_questions(job=job, embedder=job.embedder)

    assert server.batches == []


def test_two_models_and_two_projects_keep_apart(order, make_project):
    first, other = order(2), order(3)
    second_model = Embedder.objects.create(project=first.project, name="W", base_url=first.embedder.base_url)
    embed_questions(job=first, embedder=first.embedder)
    embed_questions(job=other, embedder=other.embedder)

    assert len(vectors_of(first.project, first.embedder)[0]) == 2
    assert len(vectors_of(other.project, other.embedder)[0]) == 3
    assert unembedded(first.project, second_model).count() == 2


def test_questions_go_out_in_batches(order, server, monkeypatch):
    monkeypatch.setattr(embeddings, "BATCH_TEXTS", 2)
    job = order(5)

    embed_questions(job=job, embedder=job.embedder)

    assert sorted(map(len, server.batches)) == [1, 2, 2]
    assert Embedding.objects.count() == 5


def test_long_questions_make_small_batches(order, server, monkeypatch):
    monkeypatch.setattr(embeddings, "BATCH_BYTES", 60)
    job = order(4)
    job.project.questions.update(text="资产负债表" * 3)

    embed_questions(job=job, embedder=job.embedder)

    assert [len(batch) for batch in server.batches] == [1, 1, 1, 1]


def test_the_price_is_kept_with_the_vectors(order, server):
    server.embed_as = lambda texts, _before: vectors_reply([[1, 0]] * len(texts), tokens_in=5000)
    job = order(3, price_in_usd=Decimal(2))

    embed_questions(job=job, embedder=job.embedder)

    job.refresh_from_db()
    assert job.cost_usd == Decimal("0.01")


def test_the_estimate_counts_what_is_left(order):
    job = order(3, price_in_usd=Decimal(1000))
    job.project.questions.update(text="a" * 400)
    job.project.questions.filter(pk=job.project.questions.first().pk).update(text="资" * 150, language="zh")

    estimate = estimate_embedding(project=job.project, embedder=job.embedder)

    assert (estimate.questions, estimate.tokens, estimate.usd) == (3, 300, Decimal("0.3"))
    embed_questions_free(job)
    assert estimate_embedding(project=job.project, embedder=job.embedder).questions == 0


def embed_questions_free(job):
    Embedder.objects.filter(pk=job.embedder.pk).update(price_in_usd=0)
    job.embedder.refresh_from_db()
    embed_questions(job=job, embedder=job.embedder)


@pytest.mark.parametrize("whose", ["order", "project", "model"])
def test_a_limit_stops_before_it_is_passed_and_what_came_is_kept(order, server, monkeypatch, whose):
    monkeypatch.setattr(embeddings, "BATCH_TEXTS", 1)
    server.embed_as = lambda texts, _before: vectors_reply([[1, 0]], tokens_in=1000)
    limit = Decimal("3.50")  # a batch of 1000 tokens costs 1 USD, and so it can at most
    job = order(
        6,
        price_in_usd=Decimal(1000),
        max_in_flight=1,
        money_limit_usd=limit if whose == "model" else None,
        job_fields={"max_cost_usd": limit if whose == "order" else None},
    )
    job.project.questions.update(text="x" * 1000)
    if whose == "project":
        job.project.money_limit_usd = limit
        job.project.save()

    with pytest.raises(Paused, match=r"3\.50 USD.* the next might cost \$1\.00, \$0\.50 is left; .*raise it"):
        embed_questions(job=job, embedder=job.embedder)

    job.refresh_from_db()
    assert (job.cost_usd, job.reserved_usd) == (3, 0)  # what is too little for a batch lies idle for nobody
    assert Embedding.objects.count() == 3


def test_batches_in_flight_are_set_aside_so_that_no_limit_is_passed(order, server, monkeypatch):
    monkeypatch.setattr(embeddings, "BATCH_TEXTS", 1)
    server.embed_as = lambda texts, _before: vectors_reply([[1, 0]], tokens_in=400)  # less than it could be
    job = order(9, price_in_usd=Decimal(1000), max_in_flight=4, job_fields={"max_cost_usd": Decimal("2.50")})
    job.project.questions.update(text="x" * 1000)

    with pytest.raises(Paused):
        embed_questions(job=job, embedder=job.embedder)

    job.refresh_from_db()
    assert Decimal("1.50") < job.cost_usd <= Decimal("2.50")
    assert Embedding.objects.count() * Decimal("0.4") == job.cost_usd


def test_what_other_work_has_set_aside_is_not_spent_on_vectors(order, server):
    job = order(2, price_in_usd=Decimal(1000))
    job.project.questions.update(text="x" * 400)
    job.project.money_limit_usd = Decimal(1)
    job.project.save()
    claimed(job.project, job.embedder, cost_usd=Decimal("0.5"))

    with pytest.raises(Paused, match=r"project's money limit of 1\.00 USD"):
        embed_questions(job=job, embedder=job.embedder)

    assert server.batches == []


def test_a_text_that_is_too_long_is_embedded_by_its_beginning_and_holds_up_no_other(order, server):
    def picky(texts, before):
        return failure(400, "too long") if any(len(text) > 50 for text in texts) else letters(texts, before)

    server.embed_as = picky
    job = order(4)
    long = job.project.questions.first()
    long.text = "y" * 150
    long.save()

    assert embed_questions(job=job, embedder=job.embedder) == 0

    assert Embedding.objects.count() == 4
    assert ["y" * 37] in server.batches


def test_a_text_that_is_taken_at_no_length_counts_as_failed(order, server):
    def picky(texts, before):
        return failure(400, "never") if any("never" in text for text in texts) else letters(texts, before)

    server.embed_as = picky
    job = order(3)
    stubborn = job.project.questions.first()
    stubborn.text = "never" * 20
    stubborn.save()

    assert embed_questions(job=job, embedder=job.embedder) == 1

    assert Embedding.objects.count() == 2
    assert list(unembedded(job.project, job.embedder)) == [stubborn]


def test_an_endpoint_that_refuses_everything_is_told(order, server):
    server.embed_as = lambda *_: failure(400, "no such model")
    job = order(3)

    with pytest.raises(EndpointFailed, match="no such model"):
        embed_questions(job=job, embedder=job.embedder)


def test_an_endpoint_that_is_down_ends_the_order_and_keeps_what_came(order, server, monkeypatch):
    monkeypatch.setattr(embeddings, "BATCH_TEXTS", 1)
    server.embed_as = lambda texts, before: letters(texts, before) if before < 2 else failure(500, "down")
    job = order(20, max_in_flight=1)

    with pytest.raises(EndpointFailed, match="down"):
        embed_questions(job=job, embedder=job.embedder)

    assert Embedding.objects.count() == 2
    server.embed_as = letters
    embed_questions(job=job, embedder=job.embedder)
    assert Embedding.objects.count() == 20


def test_one_failed_batch_ends_nothing(order, server, monkeypatch):
    monkeypatch.setattr(embeddings, "BATCH_TEXTS", 1)
    job = order(6, max_in_flight=1)
    unlucky = job.project.questions.order_by("pk")[2].text
    server.embed_as = lambda texts, before: failure(500) if texts == [unlucky] else letters(texts, before)

    assert embed_questions(job=job, embedder=job.embedder) == 1

    assert Embedding.objects.count() == 5


def test_a_cancelled_order_keeps_what_is_on_its_way(order, server, monkeypatch):
    monkeypatch.setattr(embeddings, "BATCH_TEXTS", 1)
    job = order(8, max_in_flight=2)

    def cancel(watched):
        if watched.progress_done:
            Classification.objects.filter(pk=job.pk).update(cancel_requested=True)

    monkeypatch.setattr("common.jobs.BEAT_SECONDS", 0)
    with pytest.raises(Cancelled):
        embed_questions(job=job, embedder=job.embedder, watch=cancel)

    assert Embedding.objects.count() == len(server.batches) < 8


def test_a_model_whose_vectors_change_length_is_refused(order, server):
    job = order(1)
    embed_questions(job=job, embedder=job.embedder)
    job.project.questions.update(content_hash="e" * 64)
    server.embed_as = lambda texts, _before: vectors_reply([[1, 0]] * len(texts))

    with pytest.raises(Refusal, match="vectors of 2 numbers, and gave 26 before"):
        embed_questions(job=job, embedder=job.embedder)


def test_a_question_that_went_away_meanwhile_is_left_out(order, monkeypatch):
    job = order(3)
    store = embeddings._store

    def store_late(embedder, taken):
        job.project.questions.first().delete()
        store(embedder, taken)

    monkeypatch.setattr(embeddings, "_store", store_late)
    embed_questions(job=job, embedder=job.embedder)

    assert Embedding.objects.count() == 2
