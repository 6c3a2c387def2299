"""What comes back from an endpoint is text and counts that make sense, or one sentence that names it."""

from decimal import Decimal

import pytest

from common.endpoints import (
    Address,
    AddressRefused,
    EndpointFailed,
    Line,
    Prompt,
    Reply,
    ask,
    check_address,
    client,
    split_thinking,
)
from tests.stand_in import completion, dead_url, failure, standing_in, whole

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
        with client(address) as opened:
            return ask(opened, address, Prompt("How much is 2 and 2?"))

    return put


def test_the_question_goes_out_with_model_limit_and_key(put, server):
    put(completion("4"))

    assert server.requests == [
        {
            "model": "some-model",
            "messages": [{"role": "user", "content": "How much is 2 and 2?"}],
            "max_tokens": 64,
            "temperature": 0.5,
        }
    ]
    assert server.keys == ["Bearer sk-1"]


def test_a_task_goes_out_before_the_question_and_json_is_asked_for_in_the_standard_way(server):
    server.reply_to = lambda *_: completion("{}")
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as opened:
        ask(opened, address, Prompt("Sort this.", system="You sort.", wants_json=True))

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

    with client(address) as opened:
        line = Line(opened, address)
        replies = [line.ask(Prompt("Sort this.", wants_json=True)) for _each in range(2)]

    assert [reply.answer for reply in replies] == ["{}", "{}"]
    assert len(server.asked) == 3  # the form is tried once


def test_a_question_that_is_refused_with_and_without_the_form_says_nothing_about_the_form(server):
    server.reply_to = lambda question, _before: failure(400) if "long" in question else completion("{}")
    address = Address("Ada", server.url, "m", "", max_tokens=64, temperature=0)

    with client(address) as opened:
        line = Line(opened, address)
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
        (completion("4", reasoning_content=["2+2"]), "", "4"),
        (completion("4", reasoning_content={"text": "2+2"}), "", "4"),
        (completion(None), "", ""),
        (completion([{"type": "text", "text": "4"}]), "", ""),
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

    assert (reply.tokens_in, reply.answer_tokens, reply.tokens_counted_by) == (0, 5, "estimate")


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

    with pytest.raises(EndpointFailed, match=f"Ada at {url} gave no answer: Connection error"):
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


@pytest.mark.parametrize(
    ("content", "thinking", "answer"),
    [
        ("4", "", "4"),
        ("<think>2+2</think>4", "2+2", "4"),
        ("2+2</think>4", "2+2", "4"),
        ("<think>2+2", "2+2", ""),
        ("The tag <think> is not closed", "", "The tag <think> is not closed"),
        ("<think>\n\n</think>\n\n4", "", "4"),
        ("", "", ""),
    ],
)
def test_a_thought_is_parted_from_its_answer(content, thinking, answer):
    assert split_thinking(content) == (thinking, answer)
