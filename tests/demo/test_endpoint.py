"""The demo's endpoint as a real process, over real HTTP."""

import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.field import make_benchmark, make_pool
from demo.teacher import work_out

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "demo.endpoint", "--port", "0", "--threads", "1", "--ready-file"]
LEDGER = "The account starts at 49: ① deposit 7; ② withdrew 9. Closing balance?"


def wait_for_port(ready_file, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready_file.exists():
            return json.loads(ready_file.read_text())["port"]
        time.sleep(0.05)
    raise TimeoutError(ready_file)


@contextmanager
def client_of(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def call(port, method, path, body=None, headers=None):
    with client_of(port) as connection:
        text = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, text, headers or {"Authorization": "Bearer any"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def ask(port, model, text, **options):
    body = {"model": model, "messages": [{"role": "user", "content": text}], **options}
    status, answer = call(port, "POST", "/v1/chat/completions", body)
    assert status == 200, answer
    return answer


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    ready_file = tmp_path_factory.mktemp("endpoint") / "ready.json"
    server = subprocess.Popen([*COMMAND, ready_file], cwd=ROOT)
    yield wait_for_port(ready_file)
    server.terminate()
    server.wait(timeout=10)


def test_both_models_are_listed_and_the_stand_in_says_that_it_is_one(port):
    status, answer = call(port, "GET", "/v1/models")

    described = {model["id"]: model["description"] for model in answer["data"]}
    assert status == 200
    assert set(described) == {"worked-reasoning", "tiny-base"}
    assert "stand-in" in described["worked-reasoning"]


def test_the_teacher_returns_thinking_answer_and_usage_apart(port):
    answer = ask(port, "worked-reasoning", LEDGER)

    worked = work_out(LEDGER)
    [choice] = answer["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": worked.content,
        "reasoning_content": worked.thinking,
    }
    assert choice["finish_reason"] == "stop"
    usage = answer["usage"]
    assert 0 < usage["completion_tokens_details"]["reasoning_tokens"] < usage["completion_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_limit_on_tokens_cuts_the_teacher(port):
    answer = ask(port, "worked-reasoning", LEDGER, max_tokens=10)

    [choice] = answer["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == ""
    assert work_out(LEDGER).thinking.startswith(choice["message"]["reasoning_content"])
    assert answer["usage"]["completion_tokens"] == 10


def test_an_unreadable_question_is_refused_by_the_teacher(port):
    answer = ask(port, "worked-reasoning", "Who wrote Hamlet?")

    assert answer["choices"][0]["message"]["content"].startswith("I cannot answer")


def test_the_tiny_base_thinks_and_answers_a_one_step_question(port):
    [question] = make_pool(8, 1, step_weights={1: 1.0})

    answer = ask(port, "tiny-base", question.text)

    message = answer["choices"][0]["message"]
    assert "=" in message["reasoning_content"]
    assert message["content"].startswith("Final Answer:")
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] <= 48


def test_the_tiny_base_keeps_to_a_limit_on_tokens(port):
    question = make_benchmark(1, 1)[6]

    answer = ask(port, "tiny-base", question.text, max_tokens=20)

    assert answer["usage"]["completion_tokens"] <= 20


def test_requests_that_arrive_together_get_the_replies_they_get_alone(port):
    questions = make_pool(9, 120)
    alone = [ask(port, "tiny-base", question.text)["choices"][0]["message"] for question in questions[:5]]

    with ThreadPoolExecutor(32) as threads:
        together = list(threads.map(lambda question: ask(port, "tiny-base", question.text), questions))

    messages = [answer["choices"][0]["message"] for answer in together]
    assert messages[:5] == alone
    right = Counter(
        question.steps == 1
        for question, message in zip(questions, messages, strict=True)
        if message["content"].split(":", 1)[1].strip() == question.answer
    )
    assert right[True] >= 0.9 * sum(question.steps == 1 for question in questions)


def test_one_connection_serves_many_requests(port):
    body = json.dumps({"model": "worked-reasoning", "messages": [{"role": "user", "content": LEDGER}]})

    with client_of(port) as connection:
        replies = []
        for _ in range(50):
            connection.request("POST", "/v1/chat/completions", body)
            replies.append(json.loads(connection.getresponse().read())["choices"][0]["message"]["content"])

    assert set(replies) == {work_out(LEDGER).content}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 400, "must be a JSON object"),
        ({"messages": []}, 404, "does not exist here"),
        ({"model": "gpt", "messages": []}, 404, "'gpt' does not exist"),
        ({"model": "tiny-base"}, 400, "at least one message"),
        ({"model": "tiny-base", "messages": ["x"]}, 400, "`messages[0]`"),
        ({"model": "tiny-base", "messages": [{"role": "system", "content": "x"}]}, 400, "role `user`"),
        ({"model": "tiny-base", "messages": [{"role": "user", "content": " "}]}, 400, "is empty"),
        ({"model": "tiny-base", "messages": [{"role": "user", "content": 3}]}, 400, "must be a text"),
        (
            {"model": "tiny-base", "messages": [{"role": "user", "content": "x"}], "stream": True},
            400,
            "does not stream",
        ),
        ({"model": "tiny-base", "messages": [{"role": "user", "content": "x"}], "n": 2}, 400, "one choice"),
        (
            {"model": "tiny-base", "messages": [{"role": "user", "content": "x"}], "max_tokens": 0},
            400,
            "1 or more",
        ),
        (
            {"model": "tiny-base", "messages": [{"role": "user", "content": "x"}], "max_tokens": 5},
            400,
            "needs max_tokens",
        ),
        (
            {"model": "tiny-base", "messages": [{"role": "user", "content": "① " * 2000}]},
            400,
            "tiny-base reads 900",
        ),
    ],
)
def test_a_bad_request_is_answered_with_the_apis_error_object(port, body, status, words):
    answered, answer = call(port, "POST", "/v1/chat/completions", body)

    assert answered == status
    assert words in answer["error"]["message"]
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/engines", {}, 404),
        ("POST", "/v1/embeddings", {"Content-Length": "0"}, 404),
        ("GET", "/v1/models", {"Authorization": "Basic eA=="}, 401),
        ("POST", "/v1/chat/completions", {"Content-Length": "2000000"}, 413),
        ("POST", "/v1/chat/completions", {"Content-Length": "many"}, 411),
    ],
)
def test_a_request_out_of_place_gets_its_own_status(port, method, path, headers, status):
    answered, answer = call(port, method, path, b"", headers)

    assert answered == status
    assert answer["error"]["message"]


def test_text_parts_are_read_like_a_text(port):
    parts = [{"type": "text", "text": LEDGER}]

    assert ask(port, "worked-reasoning", parts)["choices"] == ask(port, "worked-reasoning", LEDGER)["choices"]


def test_the_server_ends_when_its_parent_is_killed(tmp_path):
    ready_file = tmp_path / "ready.json"
    starter = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", starter, *COMMAND, str(ready_file)], cwd=ROOT)
    port = wait_for_port(ready_file)

    parent.kill()
    parent.wait()

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            call(port, "GET", "/v1/models")
        except ConnectionError:
            return
        time.sleep(0.1)
    pytest.fail("the server outlived its parent by ten seconds")


def test_a_folder_without_a_model_is_named_in_the_refusal(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "demo.endpoint", "--base-model", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert f"{tmp_path} holds no base model" in ended.stderr


def test_a_port_that_is_taken_is_named_in_the_refusal(port):
    ended = subprocess.run([*COMMAND[:4], str(port)], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.stderr
