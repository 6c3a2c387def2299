"""What comes back from an embeddings endpoint is one unit vector for each text, or one sentence that names it."""

import json
from decimal import Decimal

import numpy as np
import pytest

from common.embeddings import BatchRefused, embed
from common.endpoints import Address, AddressRefused, EndpointFailed, client, faults
from tests.stand_in import dead_url, embeddings, failure, standing_in

TEXTS = ["abc", "资产"]


@pytest.fixture
def server():
    with standing_in() as server:
        yield server


@pytest.fixture
def put(server):
    """Return what asks the stand-in server for the vectors of texts."""

    def put(reply=None, texts=TEXTS, *, base_url=""):
        if reply is not None:
            server.embed_as = lambda *_: reply
        address = Address(
            "Vera", base_url or server.url, "some-model", "sk-1", max_tokens=64, temperature=0.0
        )
        with client(address) as line:
            return embed(line, texts)

    return put


def shuffled(reply):
    status, body = reply
    content = json.loads(body)
    content["data"] = content["data"][::-1]
    return status, json.dumps(content).encode()


def test_the_texts_go_out_together_with_model_and_key(put, server):
    put()

    assert server.requests == [{"input": TEXTS, "model": "some-model", "encoding_format": "float"}]
    assert server.keys == ["Bearer sk-1"]


def test_vectors_come_back_in_the_order_of_the_texts_and_of_length_one(put):
    embedded = put(embeddings([[3, 4], [0, -2]]))

    assert embedded.vectors.dtype == np.float32
    assert embedded.vectors.tolist() == [pytest.approx([0.6, 0.8]), [0, -1]]


def test_a_server_may_answer_out_of_order(put):
    embedded = put(shuffled(embeddings([[3, 4], [0, -2]])))

    assert embedded.vectors.tolist() == [pytest.approx([0.6, 0.8]), [0, -1]]


def test_tokens_are_the_endpoint_s_and_have_a_price(put):
    embedded = put(embeddings([[1, 0], [0, 1]], tokens_in=2000))

    assert (embedded.tokens_in, embedded.tokens_counted_by) == (2000, "usage")
    assert embedded.cost(price_in_usd=Decimal("0.5")) == Decimal("0.001")


@pytest.mark.parametrize("counted", [0, -1, 10**12])
def test_tokens_that_cannot_be_are_estimated(put, counted):
    embedded = put(embeddings([[1, 0], [0, 1]], tokens_in=counted), ["four letters here", "资产资产资产"])

    assert (embedded.tokens_in, embedded.tokens_counted_by) == (8, "estimate")


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (embeddings([[1, 0]]), "sent 1 vectors for 2 texts"),
        (embeddings([[1, 0], [1, 0], [1, 0]]), "sent 3 vectors for 2 texts"),
        (embeddings([[1, 0], [1]]), "not lists of as many numbers each"),
        (embeddings([["a", "b"], ["c", "d"]]), "not lists of as many numbers each"),
        (embeddings([[], []]), "vectors of 0 numbers"),
        (embeddings([[1] * 16_001] * 2), "vectors of 16001 numbers"),
        (embeddings([[1, 0], [0, 0]]), "points nowhere"),
        (embeddings([[1, 0], [float("nan"), 0]]), "no list of vectors"),
        ((200, b"{}"), "no list of vectors"),
        ((200, b'{"object": "list", "data": "none"}'), "no list of vectors"),
        ((200, b"[]"), "no list of vectors"),
        ((200, b"<html>"), "no list of vectors"),
        (failure(401, "who are you"), "who are you"),
        (failure(500, "out of order"), "out of order"),
    ],
)
def test_a_reply_that_is_no_vectors_is_told_in_a_sentence(put, reply, sentence):
    with pytest.raises(EndpointFailed, match="Vera at http") as failed:
        put(reply)

    assert sentence in str(failed.value)
    assert not isinstance(failed.value, BatchRefused)


@pytest.mark.parametrize("status", [400, 422])
def test_a_batch_that_the_endpoint_does_not_take_is_told_apart(put, status):
    with pytest.raises(BatchRefused, match="too long"):
        put(failure(status, "input too long"))


def test_a_failing_endpoint_is_asked_again_a_few_times(put, server):
    with pytest.raises(EndpointFailed):
        put(failure(500))

    assert len(server.batches) == 4


def test_nobody_at_the_address_is_a_failure(put, monkeypatch):
    monkeypatch.setattr(faults, "FIRST_WAIT_SECONDS", 0.01)

    with pytest.raises(EndpointFailed, match="gave no answer: nothing answers there"):
        put(base_url=dead_url())


def test_a_private_address_is_refused_where_the_operator_does_not_allow_it(put, server, settings):
    settings.ALLOW_PRIVATE_ENDPOINTS = False

    with pytest.raises(AddressRefused):
        put()

    assert server.batches == []
