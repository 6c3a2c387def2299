"""The fine-tuning program on the tiny base: it learns, it resumes, it stops, and it refuses in one sentence."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from common.core.chat import BARE, TURN_END
from demo.field import make_question
from training.core.recipe import as_dict, tiny_cpu
from training.trainer.__main__ import main

ROOT = Path(__file__).parents[2]
BASE = ROOT / "demo" / "base_model"
STEPS = 6  # 24 rows, 8 a step, 2 epochs
EAGER = (  # saves its state after every step, so that a kill finds one
    "import sys; from training.trainer import fit; fit.SAVE_SECONDS = 0.0;"
    "from training.trainer.__main__ import main; sys.exit(main(sys.argv[1:]))"
)


def make_rows(count=24):
    rng = Random(4)
    made = [
        make_question(rng, domain="clock", language=("en", "zh")[place % 2], steps=3)
        for place in range(count)
    ]
    return [
        {"question": each.text, "options": [], "thinking": each.thinking, "answer": each.answer}
        for each in made
    ]


def write_folder(folder, *, rows=None, recipe=None, **changes):
    folder.mkdir(parents=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in (make_rows() if rows is None else rows)]
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    values = as_dict(tiny_cpu()) | {"epochs": 2, "batch_size": 8, "rows_per_card": 8} | (recipe or {})
    job = {"base": str(BASE), "rows": "rows.jsonl", "recipe": values} | changes
    job = {key: value for key, value in job.items() if value is not None}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def start(folder, *, eager=False):
    program = ["-c", EAGER] if eager else ["-m", "training.trainer"]
    return subprocess.Popen(
        [sys.executable, *program, str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run_to_its_end(folder):
    program = start(folder)
    _nothing, errors = program.communicate(timeout=100)
    assert program.returncode == 0, errors.decode()


def read_result(folder):
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def steps_of(folder):
    lines = (folder / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    return [step for line in lines if "loss" in (step := json.loads(line))]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a run that nothing disturbed."""
    folder = write_folder(tmp_path_factory.mktemp("runs") / "whole")
    run_to_its_end(folder)
    return folder


def test_every_step_is_reported_and_the_loss_falls(finished):
    steps, result = steps_of(finished), read_result(finished)

    assert [(step["step"], step["done"], step["total"]) for step in steps] == [
        (number, number, STEPS) for number in range(1, STEPS + 1)
    ]
    assert result["final_loss"] < 0.8 * steps[0]["loss"]
    assert result["final_loss"] == pytest.approx(sum(step["loss"] for step in steps[-3:]) / 3, abs=1e-6)
    assert steps[-1]["learning_rate"] < max(step["learning_rate"] for step in steps)


def test_a_result_counts_every_token_of_every_epoch(finished):
    result = read_result(finished)
    tokenizer = AutoTokenizer.from_pretrained(BASE, local_files_only=True)
    from training.core.conversation import training_text

    texts = ["".join(training_text(BARE, row)) for row in make_rows()]
    tokens = sum(len(tokenizer.encode(text, add_special_tokens=False)) for text in texts)

    assert (result["state"], result["steps"], result["tokens"]) == ("succeeded", STEPS, 2 * tokens)
    assert {"torch", "transformers", "trl"} <= set(result["versions"])


def test_the_checkpoint_loads_and_is_the_one_that_the_hash_names(finished):
    result = read_result(finished)
    checkpoint = finished / result["checkpoint"]
    weights = b"".join(file.read_bytes() for file in sorted(checkpoint.glob("*.safetensors")))

    model = AutoModelForCausalLM.from_pretrained(checkpoint, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, local_files_only=True)

    assert hashlib.sha256(weights).hexdigest() == result["hash"]
    assert tokenizer.eos_token == TURN_END
    base = AutoModelForCausalLM.from_pretrained(BASE, local_files_only=True)
    pairs = zip(model.parameters(), base.parameters(), strict=True)
    assert not all(torch.equal(one.float(), other.float()) for one, other in pairs)


def test_a_finished_run_leaves_no_half_made_files(finished):
    assert not (finished / "state").exists()
    assert not list(finished.glob("*.part"))


def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_weights(finished, tmp_path):
    folder = write_folder(tmp_path / "killed")
    program = start(folder, eager=True)
    deadline = time.monotonic() + 60
    while not list(folder.glob("state/checkpoint-*/complete")) and time.monotonic() < deadline:
        assert program.poll() is None, program.communicate()[1].decode()
        time.sleep(0.002)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    assert not (folder / "result.json").exists(), "the program was killed too late to test anything"
    known = len(steps_of(folder))

    run_to_its_end(folder)

    assert steps_of(folder)[known]["step"] > 1, "it began anew"
    assert steps_of(folder)[-1]["step"] == STEPS
    assert read_result(folder)["hash"] == read_result(finished)["hash"]
    assert read_result(folder)["final_loss"] == pytest.approx(read_result(finished)["final_loss"])


def test_a_stop_file_ends_a_run_at_its_step_and_keeps_what_was_learnt(tmp_path):
    folder = write_folder(tmp_path / "stopped")
    (folder / "STOP").touch()

    run_to_its_end(folder)

    assert read_result(folder) == {"state": "cancelled"}
    assert not (folder / "checkpoint").exists()
    assert [step["step"] for step in steps_of(folder)] == [1]
    assert (folder / "state" / "checkpoint-1" / "complete").exists()


def test_a_row_that_is_too_long_stops_the_run_and_is_not_cut(tmp_path):
    rows = make_rows(3)
    rows[1]["thinking"] *= 30
    folder = write_folder(tmp_path / "long", rows=rows)

    assert main([str(folder)]) == 1

    assert_refused(folder, "Row 2 of the dataset cannot be trained on: it has ")
    assert "more than the recipe's max_length 512" in read_result(folder)["failure"]


def assert_refused(folder, says):
    result = read_result(folder)
    assert result["state"] == "failed"
    assert says in result["failure"]
    assert "\n" not in result["failure"]
    assert not (folder / "checkpoint").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"base": str(ROOT / "docs")}, "config, weights and tokenizer"),
        ({"base": str(ROOT / "nowhere")}, "nowhere"),
        ({"base": None}, "does not name base"),
        ({"recipe": {"epochs": 0}}, "The recipe's epochs is 0"),
        ({"recipe": {"markup": "llama"}}, "The recipe's markup is 'llama'"),
        ({"rows": []}, "are empty; there is nothing to train on"),
        ({"rows": [{"question": "a"}]}, "line 1, is no row of a dataset"),
        ({"rows": ["a row"]}, "line 1, is no row of a dataset"),
        ({"rows": [{**make_rows(1)[0], "options": None}]}, "line 1, is no row of a dataset"),
        ({"rows": [{**make_rows(1)[0], "thinking": " "}]}, "Row 1 of the dataset cannot be trained on"),
        ({"rows": [{**make_rows(1)[0], "answer": "<|im_end|>"}]}, "the model's own markup"),
    ],
)
def test_a_job_that_cannot_be_run_says_why_and_leaves_no_checkpoint(tmp_path, changes, says):
    folder = write_folder(tmp_path / "bad", **changes)

    assert main([str(folder)]) == 1

    assert_refused(folder, says)


def test_rows_that_are_not_there_are_named(tmp_path):
    folder = write_folder(tmp_path / "gone")
    (folder / "rows.jsonl").unlink()

    assert main([str(folder)]) == 1

    assert_refused(folder, "rows.jsonl cannot be read")


@pytest.mark.parametrize("content", ["", "{", "[]", "7"])
def test_a_torn_job_says_that_it_cannot_be_read(tmp_path, content):
    folder = write_folder(tmp_path / "torn")
    (folder / "job.json").write_text(content, encoding="utf-8")

    assert main([str(folder)]) == 1

    assert_refused(folder, "write it with base, rows and recipe")


def test_more_cards_than_the_batch_has_rows_are_refused(tmp_path, monkeypatch):
    from training.trainer import fit

    monkeypatch.setenv("WORLD_SIZE", "3")

    with pytest.raises(fit.WrongBatch, match="batch_size 16 is no multiple of the 3 rows"):
        fit._arguments(tmp_path, tiny_cpu())


def test_a_call_without_a_folder_is_wrong_usage(capsys):
    assert main([]) == 2
    assert "usage: python -m training.trainer JOB_FOLDER" in capsys.readouterr().err
