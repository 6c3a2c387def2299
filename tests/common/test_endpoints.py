"""What comes back from an endpoint is text and counts that make sense, or one sentence that names it."""

import json
import random
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import CancelledError, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from common.core.refusal import Refusal
from common.endpoints import (
    Address,
    AddressRefused,
    Bounds,
    EndpointFailed,
    Fault,
    Prompt,
    Reply,
    back_off_seconds,
    check_address,
    check_extra_body,
    client,
    with_retries,
)
from common.endpoints.addresses import is_public
from common.endpoints.faults import judge, retry_after_seconds
from common.endpoints.replies import Arriving
from tests.stand_in import (
    Told,
    completion,
    dead_url,
    events_of,
    failure,
    most_in_a_window,
    standing_in,
    ways,
    whole,
)

QUICK = Bounds(silence_seconds=0.3, total_seconds=1.0)
MESSAGE = {"role": "assistant", "content": "Two and two is four."}


@pytest.fixture
def server():
    with standing_in() as server:
        yield server


@pytest.fixture
def put(server):
    """Return what asks the stand-in server one question."""

    def put(reply=None, *, key="sk-1", base_url=""):
        if reply is not None:
            server.reply_to = lambda *_: reply
        address = Address("Ada", base_url or server.url, "some-model", key, max_tokens=64, temperature=0.5)
        with client(address) as line:
            return line.ask(Prompt("How much is 2 and 2?"))

    return put


def test_the_question_goes_out_with_model_limit_and_key(put, server):
    put(completion("4"))

    assert server.requests == [
        {
            "model": "some-model",
            "messages": [{"role": "user", "content": "How much is 2 and 2?"}],
            "max_tokens": 64,
            "temperature": 0.5,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert server.keys == ["Bearer sk-1"]


def test_a_task_goes_out_before_the_question_and_json_is_asked_for_in_the_standard_way(server):
    server.reply_to = lambda *_: completion("{}")
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as line:
        line.ask(Prompt("Sort this.", system="You sort.", wants_json=True))

    assert server.requests[0]["messages"] == [
        {"role": "system", "content": "You sort."},
        {"role": "user", "content": "Sort this."},
    ]
    assert server.requests[0]["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("status", [400, 422])
def test_an_endpoint_that_refuses_the_json_form_is_asked_without_it(server, status):
    server.reply_to = lambda _question, before: (
        failure(status) if "response_format" in server.requests[before] else completion("{}")
    )
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as line:
        replies = [line.ask(Prompt("Sort this.", wants_json=True)) for _each in range(2)]

    assert [reply.answer for reply in replies] == ["{}", "{}"]
    assert len(server.asked) == 3  # the form is tried once


def test_what_was_left_out_in_vain_is_not_left_out_for_every_question(server):
    server.reply_to = lambda *_: failure(400, "stream_options: this prompt is refused")
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as line:
        for _each in range(3):
            with pytest.raises(EndpointFailed):
                line.ask(Prompt("Sort this."))

    assert len(server.asked) == 3 + 2  # without the counts, and without a stream, for the first alone


def test_an_upstream_is_no_stream(server):
    server.reply_to = lambda *_: failure(400, "upstream rejected this prompt")
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as line, pytest.raises(EndpointFailed):
        line.ask(Prompt("Sort this."))

    assert len(server.asked) == 1


SCHEMA = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}


@pytest.mark.parametrize(
    ("taken", "forms"),
    [
        ({"json_schema", "json_object", None}, ["json_schema"] * 2),
        ({"json_object", None}, ["json_schema", "json_object", "json_object"]),
        ({None}, ["json_schema", "json_object", None, None]),
    ],
)
def test_a_schema_goes_out_in_the_standard_way_and_gives_way_to_what_the_endpoint_takes(server, taken, forms):
    def form(request):
        return request.get("response_format", {}).get("type")

    server.reply_to = lambda _question, before: (
        completion("{}") if form(server.requests[before]) in taken else failure(400)
    )
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as line:
        for _each in range(2):
            line.ask(Prompt("Sort this.", wants_json=True, schema=SCHEMA))

    assert [form(request) for request in server.requests] == forms
    sent = server.requests[0]["response_format"]["json_schema"]
    assert sent == {"name": "reply", "strict": True, "schema": SCHEMA}


def test_a_question_that_is_refused_with_and_without_the_form_says_nothing_about_the_form(server):
    server.reply_to = lambda question, _before: failure(400) if "long" in question else completion("{}")
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as line:
        with pytest.raises(EndpointFailed):
            line.ask(Prompt("Too long.", wants_json=True))
        line.ask(Prompt("Sort this.", wants_json=True))

    assert "response_format" in server.requests[-1]


@pytest.mark.parametrize(
    ("sent", "thinking", "answer"),
    [
        (completion("4", thinking="2+2"), "2+2", "4"),
        (completion("4", reasoning="2+2"), "2+2", "4"),
        (completion("<think>2+2</think>\n\n4"), "2+2", "4"),
        (completion("4", reasoning_content=["2+2"]), "2+2", "4"),
        (completion("4", reasoning_content={"text": "2+2"}), "2+2", "4"),
        (completion("4", reasoning_content=22), "", "4"),
        (completion([{"type": "text", "text": "4"}]), "", "4"),
        (completion("思考之后：四", thinking="二加二"), "二加二", "思考之后：四"),
    ],
)
def test_thinking_and_answer_are_found_wherever_a_provider_puts_them(put, sent, thinking, answer):
    reply = put(sent)

    assert (reply.thinking, reply.answer) == (thinking, answer)


def test_tokens_are_those_that_the_endpoint_counted(put):
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 100,
        "completion_tokens_details": {"reasoning_tokens": 70},
    }

    reply = put(whole([{"message": MESSAGE, "finish_reason": "length"}], usage))

    assert (reply.tokens_in, reply.thinking_tokens, reply.answer_tokens) == (9, 70, 30)
    assert (reply.tokens_counted_by, reply.finish_reason) == ("usage", "length")


def test_one_count_for_thinking_and_answer_is_shared_out_by_length(put):
    reply = put(completion("x" * 10, thinking="y" * 30, tokens_out=100))

    assert (reply.thinking_tokens, reply.answer_tokens) == (75, 25)


def test_without_a_count_tokens_are_estimated_and_it_says_so(put):
    reply = put(whole([{"message": {**MESSAGE, "reasoning_content": "abcd" * 10}}]))

    assert (reply.thinking_tokens, reply.answer_tokens) == (10, 5)
    assert reply.tokens_counted_by == "estimate"


@pytest.mark.parametrize("count", [-5, 10**12, "many", None, 1.5, [3]])
def test_a_count_that_makes_no_sense_is_replaced_by_an_estimate(put, count):
    reply = put(whole([{"message": MESSAGE}], {"prompt_tokens": count, "completion_tokens": count}))

    assert (reply.tokens_in, reply.answer_tokens, reply.tokens_counted_by) == (5, 5, "estimate")


def test_more_thinking_tokens_than_tokens_leave_no_negative_rest(put):
    usage = {"prompt_tokens": 1, "completion_tokens": 8, "completion_tokens_details": {"reasoning_tokens": 9}}

    reply = put(whole([{"message": MESSAGE}], usage))

    assert (reply.thinking_tokens, reply.answer_tokens) == (8, 0)


def test_a_price_is_per_million_tokens_thinking_included():
    reply = Reply("t", "a", "stop", 1_000, 2_000, 500, "usage")

    assert reply.cost(price_in_usd=Decimal(2), price_out_usd=Decimal(8)) == Decimal("0.022")


@pytest.mark.parametrize(
    "sent",
    [
        failure(400, "too long"),
        failure(500),
        (200, b"<html>hello</html>"),
        (200, b'{"choices": [{"mess'),
        (200, b""),
        (200, b"[1, 2]"),
        (200, b"null"),
        (200, b'{"choices": []}'),
        (200, b'{"choices": "none"}'),
        (200, b'{"choices": {"0": 1}}'),
        (200, b'{"choices": [null]}'),
        (200, b'{"choices": [{"message": null}]}'),
        (200, b'{"choices": [{"message": "four"}]}'),
        (200, b"\xff\xfe\x00"),
        (307, b"http://169.254.169.254/latest/"),
    ],
)
def test_what_is_no_chat_completion_is_refused_with_name_and_address(put, server, sent):
    with pytest.raises(EndpointFailed) as refused:
        put(sent)

    assert str(refused.value).startswith(f"Ada at {server.url} ")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            "\n<!DOCTYPE html><html><head><title> Not\nfound &amp; gone </title></head><body><p>x</p></body></html>",
            "Not found & gone",
        ),
        (
            "<html><head><style>p {}</style><title></title></head><body><p>No <b>way</b></p></body></html>",
            "No way",
        ),
        (
            "<html><body><script>alert(1)</script><!-- <p>hid</p> --><h1>502</h1> Bad\nGateway",
            "502 Bad Gateway",
        ),
    ],
)
def test_a_web_page_is_quoted_by_its_title_or_its_words(put, page, words):
    with pytest.raises(EndpointFailed) as refused:
        put((404, page.encode()))

    assert str(refused.value).endswith(f"/v1 gave no answer: {words} (status 404)")


def test_an_endless_page_of_tags_keeps_nobody_busy(put):
    began = time.monotonic()

    with pytest.raises(EndpointFailed):
        put((404, b"<html>" + b"<script" * 100_000))

    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 9)"),
            "nothing answers there; is the server",
        ),
        (
            socket.gaierror(-2, "Name or service not known"),
            "no machine of that name is known; correct the address",
        ),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version"), "does the server speak https"),
        (OSError(113, "No route to host"), "it cannot be reached (No route to host); correct the address"),
        (
            TimeoutError(),
            "nothing answers there in time; is the server running, and can it be reached from here",
        ),
    ],
)
def test_a_connection_that_is_not_made_says_why_and_what_to_do(put, monkeypatch, failure, words):
    async def fail(_stream_class, _place, _port):
        raise failure

    monkeypatch.setattr("common.endpoints.network._Stream.to", classmethod(fail))

    with pytest.raises(EndpointFailed) as refused:
        put()

    assert words in str(refused.value)
    assert "Connect call" not in str(refused.value)


def test_the_key_stands_in_no_refusal(put):
    with pytest.raises(EndpointFailed) as refused:
        put(failure(401), key="sk-do-not-tell")

    assert "sk-do-not-tell" not in str(refused.value)


def test_a_redirect_is_not_followed(put, server):
    with standing_in() as elsewhere:
        with pytest.raises(EndpointFailed):
            put((307, f"{elsewhere.url}/chat/completions".encode()))

        assert elsewhere.asked == []


def test_an_address_where_nobody_listens_is_named(put):
    url = dead_url()

    with pytest.raises(
        EndpointFailed, match=rf"Ada at {url} gave no answer: nothing answers there; is the server running\?"
    ):
        put(base_url=url)


@pytest.mark.parametrize(
    "url",
    ["", "example.com/v1", "ftp://example.com", "file:///etc/passwd", "http://", "https:///v1"],
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(AddressRefused, match="http"):
        check_address(url)


@pytest.mark.parametrize("place", ["127.0.0.1:99999", "127.0.0.1:abc", "127.0.0.1:-1", "["])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_place_or_port_that_is_none_is_refused(settings, place, allowed):
    settings.ALLOW_PRIVATE_ENDPOINTS = allowed

    with pytest.raises(AddressRefused, match="correct it"):
        check_address(f"http://{place}/v1")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.5.5",
        "169.254.169.254",
        "[::1]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "0.0.0.0",
        "100.64.0.1",
        "2130706433",
        "0x7f.1",
    ],
)
def test_on_a_public_site_an_address_in_a_closed_network_is_refused(settings, host):
    settings.ALLOW_PRIVATE_ENDPOINTS = False

    with pytest.raises(AddressRefused, match="lies in a private network"):
        check_address(f"http://{host}:8000/v1")


def test_a_public_address_is_allowed_on_a_public_site(settings):
    settings.ALLOW_PRIVATE_ENDPOINTS = False

    check_address("https://1.1.1.1/v1")


def test_a_name_that_is_nobody_s_is_refused_on_a_public_site(settings):
    settings.ALLOW_PRIVATE_ENDPOINTS = False

    with pytest.raises(AddressRefused, match=r"The name nobody\.invalid cannot be resolved"):
        check_address("https://nobody.invalid/v1")


# Many at once.


@pytest.fixture
def line_to(server):
    """Return what opens a line to the stand-in server."""

    def line_to(bounds=QUICK, **fields):
        address = Address("Ada", server.url, "some-model", "sk-1", max_tokens=64, temperature=0.5)
        return client(replace(address, **fields), bounds)

    return line_to


def test_many_questions_are_in_flight_at_once_over_connections_that_are_kept(server, line_to):
    server.latency_seconds = 0.05

    with line_to(Bounds()) as line:
        futures = [line.submit(Prompt(f"How much is {number} and 1?")) for number in range(64)]
        answers = [future.result().answer for future in futures]
        line.ask(Prompt("How much is 2 and 2?"))

    assert answers == [f"Final Answer: {number + 1}" for number in range(64)]
    assert server.most_in_flight == server.connections == 64


def test_a_cancelled_future_hangs_up_and_leaves_the_others_alone(server, line_to):
    server.reply_to = lambda question, _before: (
        ways["silent"](completion("4")) if "Wait" in question else completion("4")
    )

    with line_to(Bounds()) as line:
        waiting = line.submit(Prompt("Wait."))
        assert line.ask(Prompt("How much?")).answer == "4"
        assert waiting.cancel()
        until = time.monotonic() + 5
        while not server.stats()["broken_off"] and time.monotonic() < until:
            time.sleep(0.01)

        assert line.ask(Prompt("How much?")).answer == "4"

    assert waiting.cancelled()
    assert server.stats()["broken_off"] == 1


def test_a_closed_line_leaves_nothing_in_flight(server, line_to):
    server.reply_to = lambda *_: ways["silent"](completion("4"))

    with line_to(Bounds()) as line:
        futures = [line.submit(Prompt("Wait.")) for _each in range(3)]

    assert all(future.cancelled() for future in wait(futures, timeout=5).done)
    assert len(futures) == 3
    with pytest.raises(CancelledError):
        futures[0].result(timeout=1)


# Streams.

GOOD = completion("答案：四 😀", thinking="二加二\nmakes 4", tokens_in=3, tokens_out=9)


@pytest.mark.parametrize(
    ("way", "thinking", "answer"),
    [
        ("slow", "二加二\nmakes 4", "答案：四 😀"),
        ("ignores-stream", "二加二\nmakes 4", "答案：四 😀"),
        ("field", "二加二\nmakes 4", "答案：四 😀"),
        ("reasoning", "二加二\nmakes 4", "答案：四 😀"),
        ("details", "二加二\nmakes 4", "答案：四 😀"),
        ("tags", "二加二\nmakes 4", "答案：四 😀"),
        ("unclosed", "二加二\nmakes 4 答案：四 😀", ""),
        ("closed-only", "二加二\nmakes 4", "答案：四 😀"),
        ("summary", "二加二\nmakes 4", "答案：四 😀"),
        ("no-thinking", "", "答案：四 😀"),
    ],
)
@pytest.mark.parametrize("streams", [True, False])
def test_a_reply_is_the_same_streamed_and_whole(put, way, thinking, answer, streams):
    reply = put(replace(ways[way](GOOD), streams=streams and way != "ignores-stream"))

    assert (reply.thinking, reply.answer) == (thinking, answer)
    assert (reply.tokens_in, reply.thinking_tokens + reply.answer_tokens) == (3, 9)
    assert (reply.tokens_counted_by, reply.is_summary) == ("usage", way == "summary")


def test_a_million_tokens_are_taken_in(put, server):
    reply = put(ways["million"](GOOD))

    assert (len(reply.answer), reply.answer_tokens) == (3_000_000 - 1, 1_000_000)
    assert server.stats()["tokens_out"] == 1_000_000


SPLITS = st.lists(st.integers(0, 2000), max_size=30)
ADDRESS = Address("Ada", "http://ada/v1", "m", "", max_tokens=64, temperature=0.5)


@given(splits=SPLITS, ends_lines_with=st.sampled_from([b"\n", b"\r\n"]), says_kind=st.booleans())
def test_events_are_read_however_the_network_cuts_them(splits, ends_lines_with, says_kind):
    sent = b": hello\n\n" + b"".join(events_of(GOOD[1], include_usage=True, pieces=4))
    sent = sent.replace(b"\n", ends_lines_with)
    arriving = Arriving(ADDRESS, Bounds())

    arriving.begin("text/event-stream" if says_kind else "")
    places = sorted({0, len(sent), *(place for place in splits if place < len(sent))})
    for start, end in pairwise(places):
        arriving.feed(sent[start:end])
    arriving.end()

    assert arriving.reply(Prompt("?")) == Reply("二加二\nmakes 4", "答案：四 😀", "stop", 3, 6, 3, "usage")


@given(sent=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"data: {text}\n\n".encode()))
def test_any_bytes_are_a_reply_or_one_failure(sent):
    arriving = Arriving(ADDRESS, Bounds())

    def read():
        arriving.begin("")
        arriving.feed(sent)
        arriving.end()
        arriving.reply(Prompt("?"))

    with pytest.raises(EndpointFailed, match=r"^Ada at http://ada/v1 "):
        read()


def streamed(*events):
    return Told(200, b"", raw_events=tuple(f"data: {each}\n\n".encode() for each in events))


def delta(text, **choice):
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}, **choice}]})


def test_halves_of_a_surrogate_pair_meet_and_what_cannot_be_stored_is_taken_out(put):
    reply = put(
        streamed(delta("\ud83d"), delta("\ude00\x00\ud83d"), delta("!", finish_reason="stop"), "[DONE]")
    )

    assert reply.answer == "😀\ufffd!"


def test_an_answer_that_was_whole_when_the_connection_broke_is_kept(put):
    body = streamed(delta("4"), delta("", finish_reason="stop"), "{").raw_events
    reply = put(Told(200, b"", raw_events=(*body, *body), cut_at=0.5))

    assert (reply.answer, reply.finish_reason) == ("4", "stop")


def test_what_follows_the_end_of_an_answer_is_not_waited_for(put, server):
    done = b"data: [DONE]\n\n"
    first = f"data: {delta('4', finish_reason='stop')}\n\n".encode()
    began = time.monotonic()

    reply = put(Told(200, b"", raw_events=(first, done, b": more\n\n"), pauses_seconds=0.05, ends=False))

    assert reply.answer == "4"
    assert time.monotonic() - began < 5


def test_usage_is_found_where_moonshot_puts_it(put):
    usage = {"prompt_tokens": 7, "completion_tokens": 2}

    reply = put(streamed(delta("4"), delta("", finish_reason="stop", usage=usage), "[DONE]"))

    assert (reply.tokens_in, reply.answer_tokens, reply.tokens_counted_by) == (7, 2, "usage")


# What an endpoint does not take.


def refusing(*fields, message="unknown parameter", then=GOOD):
    """Return what refuses requests with any of the fields, by name, and answers others."""

    def reply_to(server):
        def answer(_question, before):
            bad = [field for field in fields if field in server.requests[before]]
            return failure(400, f"{message}: {bad[0]}") if bad else then

        return answer

    return reply_to


@pytest.mark.parametrize("refused", ["stream_options", "stream"])
def test_a_stream_that_is_refused_is_not_asked_for_again(server, line_to, refused):
    server.reply_to = refusing(refused)(server)

    with line_to() as line:
        replies = [line.ask(Prompt("?")) for _each in range(3)]

    assert [reply.answer for reply in replies] == ["答案：四 😀"] * 3
    assert "stream_options" not in server.requests[-1]
    assert ("stream" in server.requests[-1]) == (refused == "stream_options")
    assert len(server.asked) == (4 if refused == "stream_options" else 5)


def test_a_most_of_tokens_under_its_other_name_is_sent_so(server, line_to):
    server.reply_to = refusing("max_tokens", message="use 'max_completion_tokens' instead of")(server)

    with line_to() as line:
        line.ask(Prompt("?"))
        line.ask(Prompt("?"))

    assert [request.get("max_completion_tokens") for request in server.requests] == [None, 64, 64]


def test_a_refused_question_is_asked_once(server, line_to):
    server.reply_to = lambda *_: failure(400, "too long", code="context_length_exceeded")

    with line_to() as line, pytest.raises(EndpointFailed) as failed:
        line.ask(Prompt("?"))

    assert (len(server.asked), failed.value.fault) == (1, Fault.GIVE_UP)


def test_more_fields_go_out_and_null_leaves_one_out(server, line_to):
    with line_to(extra_body={"enable_thinking": True, "temperature": None}) as line:
        line.ask(Prompt("How much is 2 and 2?"))

    assert server.requests[0]["enable_thinking"] is True
    assert "temperature" not in server.requests[0]


@pytest.mark.parametrize("field", ["model", "messages", "stream", "stream_options", "n"])
def test_more_fields_may_not_change_what_is_asked(line_to, field):
    with pytest.raises(Refusal, match=f"“{field}”"), line_to(extra_body={field: 1}):
        pass


def test_more_fields_are_an_object():
    with pytest.raises(Refusal, match="no JSON object"):
        check_extra_body([1])


def test_nothing_of_the_environment_goes_out(server, line_to, monkeypatch):
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-the-operator")
    monkeypatch.setenv("HTTP_PROXY", dead_url())

    with line_to() as line:
        line.ask(Prompt("How much is 2 and 2?"))

    assert "of-the-operator" not in str(server.headers)


# Failures, and what they ask for.


@pytest.mark.parametrize(
    ("way", "fault", "was_cut", "says"),
    [
        ("busy", Fault.RETRY, False, "too many requests"),
        ("error", Fault.RETRY, False, "out of order"),
        ("too-long", Fault.GIVE_UP, False, "too long"),
        ("wrong-key", Fault.PAUSE, False, "no such key"),
        ("no-money", Fault.MONEY, False, "pay first"),
        ("cut", Fault.RETRY, True, "the connection broke"),
        ("cut-at-once", Fault.RETRY, False, "the connection broke"),
        ("broken-json", Fault.RETRY, True, "no JSON object"),
        ("broken-event", Fault.RETRY, True, "no JSON"),
        ("empty", Fault.RETRY, False, "empty answer"),
        ("nothing", Fault.RETRY, False, "empty answer"),
        ("wrong-type", Fault.RETRY, False, "text/html"),
        ("silent", Fault.RETRY, False, "said nothing for too long"),
        ("drip", Fault.RETRY, True, "took too long in all"),
        ("idle", Fault.RETRY, False, "took too long in all"),
        ("redirect", Fault.PAUSE, False, "169.254.169.254"),
        ("bomb", Fault.PAUSE, False, "packed reply (gzip)"),
        ("endless-line", Fault.GIVE_UP, True, "more than 1048576 bytes"),
    ],
)
def test_each_way_to_fail_has_its_fault(server, line_to, way, fault, was_cut, says):
    server.reply_to = lambda *_: ways[way](GOOD)
    bounds = Bounds(silence_seconds=0.4, total_seconds=0.8, line_bytes=2**20)

    with line_to(bounds) as line, pytest.raises(EndpointFailed) as failed:
        line.ask(Prompt("How much is 2 and 2?"))

    assert (failed.value.fault, failed.value.was_cut) == (fault, was_cut)
    assert str(failed.value).startswith(f"Ada at {server.url} ")
    assert says in str(failed.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "said", "fault"),
    [
        (429, "slow down", Fault.RETRY),
        (408, "", Fault.RETRY),
        (409, "", Fault.RETRY),
        (503, "overloaded", Fault.RETRY),
        (529, "", Fault.RETRY),
        (400, "bad", Fault.GIVE_UP),
        (413, "", Fault.GIVE_UP),
        (422, "", Fault.GIVE_UP),
        (400, "API key not valid. Please pass a valid API key.", Fault.PAUSE),
        (400, "Model Not Exist", Fault.PAUSE),
        (401, "", Fault.PAUSE),
        (403, "", Fault.PAUSE),
        (403, "Your chosen model requires moderation and your input was flagged", Fault.GIVE_UP),
        (404, "The model x does not exist (model_not_found)", Fault.PAUSE),
        (307, "", Fault.PAUSE),
        (402, "", Fault.MONEY),
        (402, "Insufficient Balance", Fault.MONEY),
        (429, "You exceeded your current quota (insufficient_quota)", Fault.MONEY),
        (429, "You exceeded your current quota, check your plan (RESOURCE_EXHAUSTED)", Fault.RETRY),
        (429, "余额不足或无可用资源包,请充值。 (1113)", Fault.MONEY),
        (400, "Access denied (Arrearage)", Fault.MONEY),
        (403, "Sorry, your account balance is insufficient (30001)", Fault.MONEY),
    ],
)
def test_status_and_words_make_a_fault(status, said, fault):
    assert judge(status, said) is fault


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ({"error": {"message": "Provider returned error", "code": 502}}, Fault.RETRY),
        ({"error": {"message": "no credits", "code": 402}}, Fault.MONEY),
        ({"error": "overloaded"}, Fault.RETRY),
        ({"object": "error", "message": "too long", "code": 400}, Fault.GIVE_UP),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, Fault.MONEY),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, Fault.RETRY),
        ({"choices": [{"index": 0, "delta": {}, "error": {"message": "no", "code": 429}}]}, Fault.RETRY),
    ],
)
@pytest.mark.parametrize("streams", [True, False])
def test_an_error_inside_a_reply_that_began_well_is_one(put, sent, fault, streams):
    told = streamed(json.dumps(sent)) if streams else (200, json.dumps(sent).encode())

    with pytest.raises(EndpointFailed) as failed:
        put(told)

    assert failed.value.fault is fault


def test_a_failure_is_one_short_line_without_the_key(put):
    said = "no key sk-do-not-tell is known\n\x1b[31m" + "so " * 1000

    with pytest.raises(EndpointFailed) as failed:
        put(failure(401, said), key="sk-do-not-tell")

    assert "sk-do-not-tell" not in str(failed.value)
    assert "no key … is known [31mso so" in str(failed.value)
    assert len(str(failed.value)) < 300


@pytest.mark.parametrize("key", ["钥匙", "sk-1\nHost: elsewhere"])
def test_a_key_that_cannot_be_sent_is_told(put, server, key):
    with pytest.raises(EndpointFailed, match="enter it again") as failed:
        put(key=key)

    assert failed.value.fault is Fault.PAUSE
    assert server.asked == []


def test_what_was_counted_for_an_empty_answer_is_told(put):
    with pytest.raises(EndpointFailed, match="empty answer") as failed:
        put(completion("", tokens_in=4, tokens_out=6))

    assert (failed.value.billed.tokens_in, failed.value.billed.answer_tokens) == (4, 6)


def test_an_answer_that_a_filter_kept_back_is_given_up(put):
    with pytest.raises(EndpointFailed, match="content_filter") as failed:
        put(whole([{"message": {"content": ""}, "finish_reason": "content_filter"}]))

    assert failed.value.fault is Fault.GIVE_UP


def test_a_model_that_thought_in_secret_until_its_tokens_were_up_has_replied(put):
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 64,
        "completion_tokens_details": {"reasoning_tokens": 64},
    }

    reply = put(whole([{"message": {"content": ""}, "finish_reason": "length"}], usage))

    assert (reply.answer, reply.finish_reason, reply.thinking_tokens) == ("", "length", 64)


NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "86400"}, 900),
        ({"retry-after": "1e999"}, 900),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Thu, 01 Jan 2026 12:01:30 GMT"}, 90),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
    ],
)
def test_how_long_to_wait_is_read_from_headers(headers, seconds):
    assert retry_after_seconds(headers, NOW) == seconds


def test_an_endpoint_that_asks_for_hours_lets_an_order_rest(server):
    server.reply_to = lambda *_: Told(*failure(429, "quota"), headers=(("Retry-After", "7200"),))
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as line, pytest.raises(EndpointFailed, match="left alone for 120 minutes") as caught:
        line.ask(Prompt("Sort this."))

    assert caught.value.fault is Fault.PAUSE


def test_a_busy_endpoint_says_how_long_to_wait(put):
    with pytest.raises(EndpointFailed) as failed:
        put(ways["busy"](GOOD))

    assert failed.value.retry_after_seconds == 1


@given(seed=st.integers(), failures=st.integers(1, 10_000))
def test_the_back_off_grows_up_to_a_most_and_no_endpoint_is_asked_early(seed, failures):
    rng = random.Random(seed)

    assert 0.5 <= back_off_seconds(failures, None, rng) <= 60
    assert 7 <= back_off_seconds(failures, 7, rng) <= 8.75


def test_a_call_is_tried_again_only_where_that_may_help():
    waits, faults = [], [Fault.RETRY, Fault.RETRY, Fault.PAUSE]

    def call():
        raise EndpointFailed("no", fault=faults[len(waits)], retry_after_seconds=2)

    with pytest.raises(EndpointFailed) as failed:
        with_retries(call, sleep=waits.append, rng=random.Random(0))

    assert failed.value.fault is Fault.PAUSE
    assert len(waits) == 2
    assert all(2 <= seconds <= 2.5 for seconds in waits)


def test_a_call_is_tried_so_often_and_no_more():
    calls = []

    def call():
        calls.append(1)
        raise EndpointFailed("no")

    with pytest.raises(EndpointFailed):
        with_retries(call, tries=3, sleep=lambda _seconds: None)

    assert len(calls) == 3


# Bounds.


@pytest.mark.parametrize(
    ("told", "bounds"),
    [
        (Told(200, GOOD[1] + b" " * 5000, streams=False), Bounds(whole_bytes=4000)),
        (replace(ways["drip"](GOOD), pauses_seconds=0.0001), Bounds(stream_bytes=10_000)),
        (Told(*completion("x" * 5000)), Bounds(characters=4000)),
        (Told(500, b"x" * 5000), Bounds(error_bytes=4000)),
    ],
)
def test_a_reply_without_end_is_not_read_to_it(server, line_to, told, bounds):
    server.reply_to = lambda *_: told

    with line_to(bounds) as line, pytest.raises(EndpointFailed, match="of more than") as failed:
        line.ask(Prompt("How much is 2 and 2?"))

    assert failed.value.fault is Fault.GIVE_UP


# Addresses.


@pytest.fixture
def names(monkeypatch):
    """Return a table of names that stand for addresses, each looked up in turn."""
    table = {}
    real = socket.getaddrinfo

    def look_up(host, port, *rest, **more):
        found = table.get(host)
        if found is None:
            return real(host, port, *rest, **more)
        place = found.pop(0) if len(found) > 1 else found[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


def test_a_name_that_turns_to_a_closed_network_after_the_check_is_refused(server, settings, names):
    settings.ALLOW_PRIVATE_ENDPOINTS = False
    names["turns.example"] = ["93.184.216.34", "127.0.0.1"]
    address = Address("Ada", f"http://turns.example:{server.server_port}/v1", "m", "", 64, 0.5)

    with client(address) as line, pytest.raises(AddressRefused, match="lies in a private network") as refused:
        line.ask(Prompt("How much is 2 and 2?"))

    assert refused.value.fault is Fault.PAUSE
    assert server.connections == 0


def test_the_address_is_checked_at_every_call(server, settings, line_to):
    with line_to() as line:
        settings.ALLOW_PRIVATE_ENDPOINTS = False

        with pytest.raises(AddressRefused):
            line.ask(Prompt("How much is 2 and 2?"))

    assert server.connections == 0


@pytest.mark.parametrize(
    ("place", "is_open"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("::ffff:1.1.1.1", True),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::101:101", True),
        ("64:ff9b:1::7f00:1", False),
        ("::ffff:0:7f00:1", False),
        ("5f00::1", False),
        ("3fff::1", False),
        ("2002:7f00:1::", False),
        ("::7f00:1", False),
        ("fec0::1", False),
        ("239.1.1.1", False),
        ("ff02::1", False),
        ("fe80::1%eth0", False),
        ("255.255.255.255", False),
    ],
)
def test_an_address_is_of_the_open_internet_if_what_it_holds_is(place, is_open):
    assert is_public(place) is is_open


def test_an_address_that_holds_a_password_is_refused_without_telling_it():
    with pytest.raises(AddressRefused, match="holds a name or a password") as refused:
        check_address("https://me:secret@example.com/v1")

    assert "secret" not in str(refused.value)


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """Return the files of a certificate for teacher.example that this machine trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "teacher.example")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("teacher.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    secret = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.public_bytes(form) + secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_name_is_asked_for_by_its_name_at_the_address_that_was_checked(certificate, names):
    names["teacher.example"] = ["127.0.0.1"]

    with standing_in(tls=certificate) as server:
        url = f"https://teacher.example:{server.server_port}/v1"
        with client(Address("Ada", url, "m", "", 64, 0.5)) as line:
            replies = [line.ask(Prompt("How much is 2 and 2?")) for _each in range(2)]

    assert [reply.answer for reply in replies] == ["Final Answer: 4"] * 2
    assert server.headers[0]["host"] == f"teacher.example:{server.server_port}"
    assert server.connections == 1


def test_a_server_with_the_certificate_of_another_name_is_not_talked_to(certificate, names):
    names["other.example"] = ["127.0.0.1"]

    with standing_in(tls=certificate) as server:
        url = f"https://other.example:{server.server_port}/v1"
        with (
            client(Address("Ada", url, "m", "", 64, 0.5)) as line,
            pytest.raises(EndpointFailed, match=r"its certificate cannot be trusted \(.*other\.example"),
        ):
            line.ask(Prompt("How much is 2 and 2?"))

    assert server.asked == []


# Tokens.


def test_a_tokenizer_counts_where_the_endpoint_does_not(put, settings, tmp_path):
    tokenizer = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    folder = tmp_path / "some-tokenizer"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings.TOKENIZER_FILE = str(folder / "tokenizer.json")

    reply = put(whole([{"message": {"content": "it is four", "reasoning": "two and two"}}]))

    assert (reply.tokens_in, reply.thinking_tokens, reply.answer_tokens) == (7, 3, 3)
    assert reply.tokens_counted_by == "tokenizer:some-tokenizer"


def test_a_tokenizer_that_cannot_be_read_costs_no_reply(put, settings, tmp_path, caplog):
    settings.TOKENIZER_FILE = str(tmp_path / "nothing.json")

    reply = put(whole([{"message": MESSAGE}]))

    assert (reply.answer_tokens, reply.tokens_counted_by) == (5, "estimate")
    assert "QIANTI_TOKENIZER" in caplog.text


# The stand-in as a program.


def test_the_stand_in_keeps_its_own_bill_in_a_process_of_its_own():
    command = [sys.executable, "-m", "tests.stand_in", "--latency-ms", "50", "--tell", "10:busy"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        url = program.stdout.readline().strip()
        with client(Address("Ada", url, "m", "", max_tokens=64, temperature=0.5)) as line:
            futures = [line.submit(Prompt(f"Question {number}")) for number in range(64)]
            failures = [future.exception() for future in futures]
        with urllib.request.urlopen(f"{url}/stats") as reply:
            stats = json.load(reply)
        program.terminate()

    replies = [future.result() for future in futures if not future.exception()]
    assert len([failure for failure in failures if failure]) == 6
    assert (stats["requests"], stats["answered"], stats["questions"]) == (64, 58, 64)
    assert stats["models"]["m"]["most_in_flight"] == stats["models"]["m"]["most_in_a_window"] == 64
    assert stats["tokens_in"] == sum(reply.tokens_in for reply in replies)
    assert stats["tokens_out"] == sum(reply.thinking_tokens + reply.answer_tokens for reply in replies)


def test_the_most_in_a_window_counts_no_more_than_a_window():
    events = [(0, 1), (10, 1), (59.9, 1), (60, 1), (119, 5), (120, 1)]

    assert most_in_a_window(events, 60) == 7
    assert most_in_a_window([], 60) == 0
