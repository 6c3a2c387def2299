"""The evaluation program: its files, and that a run which was torn, killed or stopped goes on as if it was not."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from demo.field import make_question
from evaluation.runner.__main__ import QUESTIONS_AT_ONCE, main

ROOT = Path(__file__).parents[2]
BASE = ROOT / "demo" / "base_model"
POLICIES = [{"max_tokens": 8}, {"max_tokens": 24}, {"max_tokens": 40, "extensions": 1}]
LABELS = ["8", "24", "40+1 Wait"]


def write_folder(folder, *, questions=6, **changes):
    folder.mkdir(parents=True)
    rng = Random(2)
    texts = [
        make_question(rng, domain="clock", language=("en", "zh")[place % 2], steps=1 + place % 3).text
        for place in range(questions)
    ]
    rows = [{"id": str(100 + place), "prompt": text} for place, text in enumerate(texts)]
    (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    job = {"model": str(BASE), "markup": "bare", "items": "items.jsonl", "policies": POLICIES}
    job |= {"answer_tokens": 12, "engine": "transformers", **changes}
    job = {key: value for key, value in job.items() if value is not None}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "evaluation.runner", str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_result(folder):
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a run that nothing disturbed."""
    folder = write_folder(tmp_path_factory.mktemp("runs") / "whole")
    program = start(folder)
    _nothing, errors = program.communicate(timeout=100)
    assert program.returncode == 0, errors.decode()
    return folder


def test_a_run_answers_every_item_under_every_policy(finished):
    lines = read_lines(finished / "thoughts.jsonl")

    assert [line["id"] for line in lines] == [str(100 + place) for place in range(6)]
    for line in lines:
        assert [answer["policy"] for answer in line["answers"]] == LABELS
        assert len(line["token_ids"]) <= 40
        assert all(answer["cut_at"] <= len(line["token_ids"]) for answer in line["answers"])
        assert all(
            answer["text"].startswith("Final Answer:") for answer in line["answers"] if answer["forced_end"]
        )


def test_a_result_counts_the_items_and_what_was_generated_for_them(finished):
    result, lines = read_result(finished), read_lines(finished / "thoughts.jsonl")

    sampled = sum(len(line["token_ids"]) - len(line["forced_at"]) for line in lines)
    asked = sum(
        sum({answer["cut_at"]: answer["answer_tokens"] for answer in line["answers"]}.values())
        for line in lines
    )
    assert (result["state"], result["items"]) == ("succeeded", 6)
    assert result["generated_tokens"] == sampled + asked > 0
    assert result["engine"]["name"] == "transformers"
    assert {"torch", "transformers", "dtype", "device"} <= set(result["engine"])


def test_a_run_reports_its_progress_to_the_end(finished):
    progress = read_lines(finished / "progress.jsonl")

    stages = [(line["phase"], line["done"], line["total"]) for line in progress]
    assert stages == [("loading", 0, 6), ("thinking", 6, 6)]


def test_a_run_goes_on_after_a_torn_last_line_as_if_nothing_had_been(finished, tmp_path):
    folder = write_folder(tmp_path / "torn")
    whole = (finished / "thoughts.jsonl").read_bytes()
    third = whole.splitlines(keepends=True)[:3]
    (folder / "thoughts.jsonl").write_bytes(b"".join(third)[:-40])

    assert main([str(folder)]) == 0

    assert (folder / "thoughts.jsonl").read_bytes() == whole
    assert read_result(folder)["generated_tokens"] == read_result(finished)["generated_tokens"]


def test_a_finished_run_that_is_started_again_changes_nothing(finished, tmp_path):
    folder = write_folder(tmp_path / "again")
    whole = (finished / "thoughts.jsonl").read_bytes()
    (folder / "thoughts.jsonl").write_bytes(whole)

    assert main([str(folder)]) == 0

    assert (folder / "thoughts.jsonl").read_bytes() == whole
    assert read_result(folder)["generated_tokens"] == read_result(finished)["generated_tokens"]


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path):
    questions = QUESTIONS_AT_ONCE + 6
    undisturbed = write_folder(tmp_path / "undisturbed", questions=questions)
    assert main([str(undisturbed)]) == 0
    killed = write_folder(tmp_path / "killed", questions=questions)
    program = start(killed)
    thoughts, deadline = killed / "thoughts.jsonl", time.monotonic() + 60
    while not thoughts.exists() and program.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    assert not (killed / "result.json").exists(), "the program was killed too late to test anything"

    assert main([str(killed)]) == 0

    assert thoughts.read_bytes() == (undisturbed / "thoughts.jsonl").read_bytes()
    assert read_result(killed)["items"] == questions


def test_a_stop_file_ends_a_run_between_two_batches(tmp_path):
    folder = write_folder(tmp_path / "stopped")
    (folder / "STOP").touch()

    assert main([str(folder)]) == 0

    assert read_result(folder) == {"state": "cancelled"}
    assert not (folder / "thoughts.jsonl").exists()


def test_a_program_that_is_given_no_model_ends_with_one_sentence(tmp_path):
    folder = write_folder(tmp_path / "empty", model=str(tmp_path))
    program = start(folder)

    program.communicate(timeout=100)

    failure = read_result(folder)["failure"]
    assert program.returncode == 1
    assert str(tmp_path) in failure
    assert "config, weights and tokenizer" in failure
    assert "\n" not in failure


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"markup": "llama"}, "names the markup 'llama'; there are qwen2.5, bare"),
        ({"policies": None}, "does not name policies"),
        ({"model": None, "markup": None}, "does not name markup, model"),
        ({"policies": []}, "No budget policy is given"),
        ({"policies": [{"max_tokens": -5}]}, "max_tokens is -5"),
        ({"engine": "abacus"}, "no engine 'abacus'"),
        ({"dtype": "float8"}, "no precision 'float8'"),
        ({"batch_size": 0}, "gives batch_size as 0"),
        ({"answer_tokens": "12"}, "gives answer_tokens as '12'"),
        ({"policies": [{"max_tokens": 1000}]}, "does not fit the model's 1024: lower the largest budget by"),
        ({"items": "elsewhere.jsonl"}, "elsewhere.jsonl cannot be read"),
    ],
)
def test_a_job_that_cannot_be_run_says_why(tmp_path, changes, says):
    folder = write_folder(tmp_path / "bad", **changes)

    assert main([str(folder)]) == 1

    result = read_result(folder)
    assert result["state"] == "failed"
    assert says in result["failure"]
    assert not (folder / "thoughts.jsonl").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '"job"'])
def test_a_torn_job_says_that_it_cannot_be_read(tmp_path, content):
    folder = write_folder(tmp_path / "torn")
    (folder / "job.json").write_text(content, encoding="utf-8")

    assert main([str(folder)]) == 1

    assert "job.json" in read_result(folder)["failure"]


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "is empty"), ("{torn", "cannot be read"), ('{"id": "1"}\n', "Question 1"), ("7\n", "Question 1")],
)
def test_items_that_cannot_be_asked_say_so(tmp_path, content, says):
    folder = write_folder(tmp_path / "noitems")
    (folder / "items.jsonl").write_text(content, encoding="utf-8")

    assert main([str(folder)]) == 1

    assert says in read_result(folder)["failure"]


def test_a_call_without_a_folder_is_wrong_usage(capsys):
    assert main([]) == 2
    assert "usage: python -m evaluation.runner JOB_FOLDER" in capsys.readouterr().err


def test_a_folder_that_is_none_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "nowhere is no folder" in capsys.readouterr().err


def test_a_question_that_stands_twice_is_refused(tmp_path):
    folder = write_folder(tmp_path / "twice")
    items = (folder / "items.jsonl").read_text(encoding="utf-8")
    (folder / "items.jsonl").write_text(items + items.splitlines()[1] + "\n", encoding="utf-8")

    assert main([str(folder)]) == 1

    assert "Question 7 of" in read_result(folder)["failure"]
    assert "has the id 101 of an earlier one" in read_result(folder)["failure"]


def test_answers_under_other_policies_are_not_gone_on_from(finished, tmp_path):
    folder = write_folder(tmp_path / "other", policies=[{"max_tokens": 8}])
    (folder / "thoughts.jsonl").write_bytes((finished / "thoughts.jsonl").read_bytes())

    assert main([str(folder)]) == 1

    assert "holds answers under other policies" in read_result(folder)["failure"]


def test_the_size_of_a_batch_changes_nothing_but_the_progress(finished, tmp_path):
    folder = write_folder(tmp_path / "small", batch_size=4, threads=1)

    assert main([str(folder)]) == 0

    assert (folder / "thoughts.jsonl").read_bytes() == (finished / "thoughts.jsonl").read_bytes()
    assert [line["done"] for line in read_lines(folder / "progress.jsonl")] == [0, 4, 6]


def test_weights_that_are_torn_are_refused_with_the_folder(tmp_path):
    model = tmp_path / "torn"
    shutil.copytree(BASE, model)
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    folder = write_folder(tmp_path / "job", model=str(model))

    assert main([str(folder)]) == 1

    assert read_result(folder)["failure"].startswith(f"The model {model} cannot be loaded")
