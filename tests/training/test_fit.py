"""TRL's trainer as the recipe sets it up: what it is fed, in which mathematics, and what it says when it cannot."""

import json
import math
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

from demo.field import make_question
from training.core.conversation import NO_LOSS
from training.core.recipe import WEIGHTINGS, as_dict, from_dict, tiny_cpu
from training.trainer import fit
from training.trainer.__main__ import encode_rows, main

ROOT = Path(__file__).parents[2]
BASE = ROOT / "demo" / "base_model"


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_rows(count):
    rng = Random(7)
    made = [make_question(rng, domain="law", language="zh", steps=2 + place % 3) for place in range(count)]
    return [
        {"question": each.text, "options": [], "thinking": each.thinking, "answer": each.answer}
        for each in made
    ]


def write_folder(folder, *, rows=None, base=BASE, threads=None, **recipe):
    folder.mkdir(parents=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows or make_rows(6)]
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    values = as_dict(tiny_cpu()) | {"epochs": 1, "batch_size": 4, "rows_per_card": 1} | recipe
    job = {"base": str(base), "rows": "rows.jsonl", "recipe": values}
    (folder / "job.json").write_text(json.dumps(job | ({"threads": threads} if threads is not None else {})))
    return folder


def read_result(folder):
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def losses_of(folder):
    lines = (folder / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    return [line["loss"] for line in map(json.loads, lines) if "loss" in line]


def phases_of(folder):
    lines = (folder / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["phase"] for line in lines))


def prepared_in(folder):
    job = json.loads((folder / "job.json").read_text())
    recipe = from_dict(job["recipe"])
    prepared = fit.prepare(folder, job["base"], recipe)
    return prepared, encode_rows(folder / "rows.jsonl", prepared.tokenizer, recipe)


def copy_of_base(folder):
    shutil.copytree(BASE, folder)
    return folder


def failure_of(folder):
    assert main([str(folder)]) == 1
    result = read_result(folder)
    assert result["state"] == "failed"
    assert "\n" not in result["failure"]
    assert not list(folder.glob("checkpoint*"))
    return result["failure"]


def test_the_trainer_is_fed_every_token_with_the_label_that_was_made_for_it(tmp_path):
    folder = write_folder(tmp_path / "job", batch_size=3, rows_per_card=3)
    prepared, rows = prepared_in(folder)
    fed = []
    prepared.model.register_forward_pre_hook(lambda _model, _args, given: fed.append(given), with_kwargs=True)

    fit.fit(prepared, rows, folder=folder, report=lambda **_line: None)

    labels_of = {tuple(row.input_ids): row.labels for row in rows}
    seen = []
    for batch in fed:
        for ids, labels, real in zip(
            batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
        ):
            length = int(real.sum())
            seen.append(tuple(ids[:length].tolist()))
            assert labels[:length].tolist() == labels_of[seen[-1]]
            assert set(labels[length:].tolist()) <= {NO_LOSS}
    assert sorted(seen) == sorted(labels_of)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_loss_is_the_mean_over_what_the_recipe_says_of_thinking_and_answer(tmp_path, weighting):
    folder = write_folder(tmp_path / "job", batch_size=6, rows_per_card=2, loss_weighting=weighting)
    prepared, rows = prepared_in(folder)
    sums, counts = [], []
    with torch.no_grad():
        for row in rows:
            scores = prepared.model(torch.tensor([row.input_ids])).logits[0, :-1].double()
            sums.append(
                float(
                    torch.nn.functional.cross_entropy(scores, torch.tensor(row.labels[1:]), reduction="sum")
                )
            )
            counts.append(sum(label != NO_LOSS for label in row.labels))

    assert main([str(folder)]) == 0

    of_rows = sum(total / count for total, count in zip(sums, counts, strict=True)) / len(rows)
    expected = {"sample": of_rows, "token": sum(sums) / sum(counts)}
    assert losses_of(folder)[0] == pytest.approx(expected[weighting], rel=1e-4)
    assert expected["sample"] != pytest.approx(expected["token"], rel=1e-3)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_step_is_the_same_in_however_many_passes(tmp_path, weighting):
    folders = [
        write_folder(tmp_path / str(rows), rows_per_card=rows, epochs=2, loss_weighting=weighting)
        for rows in (1, 2, 4)
    ]

    for folder in folders:
        assert main([str(folder)]) == 0

    one, *others = [losses_of(folder) for folder in folders]
    assert len(one) == 4
    for other in others:
        assert other == pytest.approx(one, rel=1e-3)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_two_processes_make_the_steps_of_one(tmp_path, weighting):
    alone, together = (
        write_folder(tmp_path / name, loss_weighting=weighting) for name in ("alone", "together")
    )
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    assert main([str(alone)]) == 0
    done = subprocess.run(
        [*torchrun, "-m", "training.trainer", str(together)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    assert len(losses_of(together)) == 2, "one rank reports, and only one"
    assert losses_of(together)[0] == pytest.approx(losses_of(alone)[0], rel=1e-4)
    assert read_result(together)["state"] == "succeeded"


def test_a_run_reports_its_phases_in_order(tmp_path):
    folder = write_folder(tmp_path / "job")

    assert main([str(folder)]) == 0

    assert phases_of(folder) == ["loading", "training", "saving", "checking"]


def test_a_run_that_has_succeeded_is_left_as_it_is(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps({"state": "succeeded", "hash": "as it was"}))

    assert main([str(tmp_path)]) == 0

    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]
    assert read_result(tmp_path)["hash"] == "as it was"


def test_a_folder_that_is_not_there_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 1

    assert "nowhere is no folder; name one that holds a job.json." in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085", "\r\n", "\x0c"])
def test_a_line_end_inside_a_text_does_not_tear_its_row(tmp_path, mark):
    rows = make_rows(2)
    rows[0]["question"] = f"first{mark}second"

    folder = write_folder(tmp_path / "job", rows=rows)

    prepared, encoded = prepared_in(folder)
    assert len(encoded) == 2
    assert f"first{mark}second" in prepared.tokenizer.decode(encoded[0].input_ids)


def test_a_row_that_is_not_utf_8_is_named_by_its_line(tmp_path):
    folder = write_folder(tmp_path / "job")
    with (folder / "rows.jsonl").open("ab") as file:
        file.write("会计".encode("gb18030") + b"\n")

    assert "rows.jsonl, line 7, is no row of a dataset" in failure_of(folder)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True, None])
def test_threads_are_a_whole_number(tmp_path, threads):
    folder = write_folder(tmp_path / "job")
    job = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(job | {"threads": threads}))

    assert f"gives {threads!r} threads; it is a whole number from 1." in failure_of(folder)


def test_torch_works_with_the_threads_that_the_job_gives_it(tmp_path):
    folder = write_folder(tmp_path / "job", threads=2)

    assert main([str(folder)]) == 0

    assert torch.get_num_threads() == 2


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    base = copy_of_base(tmp_path / "base")
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * math.nan
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})

    failure = failure_of(write_folder(tmp_path / "job", base=base))

    assert failure.startswith("At step 1 the loss is nan")
    assert "lower the learning rate" in failure


def test_a_base_that_lacks_a_weight_is_refused_and_not_filled_with_random_ones(tmp_path):
    base = copy_of_base(tmp_path / "base")
    weights = load_file(base / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})

    failure = failure_of(write_folder(tmp_path / "job", base=base))

    assert failure.endswith("lacks 1 weights, model.layers.1.mlp.up_proj.weight among them; copy it again.")


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_base_with_a_torn_file_is_refused(tmp_path, file):
    base = copy_of_base(tmp_path / "base")
    os.truncate(base / file, 100)

    failure = failure_of(write_folder(tmp_path / "job", base=base))

    assert f"The base model {base} cannot be loaded" in failure


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    base = copy_of_base(tmp_path / "base")
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Qwen2Config(vocab_size=64, num_key_value_heads=2, **sizes)
    Qwen2ForCausalLM(config).save_pretrained(base)

    failure = failure_of(write_folder(tmp_path / "job", base=base))

    assert "and the model knows 64: they do not belong together" in failure


def test_a_tokenizer_without_the_markup_is_refused(tmp_path):
    base = copy_of_base(tmp_path / "base")
    tokenizer = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["added_tokens"] = [
        each for each in tokenizer["added_tokens"] if each["content"] != "<|im_start|>"
    ]
    (base / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")

    failure = failure_of(write_folder(tmp_path / "job", base=base))

    assert "no single token for <|im_start|>" in failure


def test_a_disk_that_takes_no_more_ends_the_run_in_a_sentence_and_leaves_no_half_checkpoint(tmp_path):
    folder = write_folder(tmp_path / "job")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        failure = failure_of(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert failure.startswith(f"The disk of {folder} is full")
    assert "free some of it and start again" in failure


def test_a_state_of_another_number_of_processes_is_refused(tmp_path):
    folder = write_folder(tmp_path / "job")
    (folder / "state" / "checkpoint-1").mkdir(parents=True)
    (folder / "state" / "checkpoint-1" / fit.COMPLETE).write_text("2")

    assert "was saved by 2 processes and there are 1 now" in failure_of(folder)


def test_a_state_without_its_marker_does_not_count(tmp_path):
    folder = write_folder(tmp_path / "job")
    (folder / "state" / "checkpoint-1").mkdir(parents=True)

    assert main([str(folder)]) == 0

    assert len(losses_of(folder)) == 2


@pytest.mark.parametrize(
    ("parameters", "least", "most"),
    [(10**6, 120, 120), (7 * 10**9, 1_800, 2_100), (32_500_000_000, 9_000, 9_200)],
)
def test_a_state_is_saved_the_more_rarely_the_longer_it_takes(tmp_path, parameters, least, most):
    side = math.isqrt(parameters)
    model = torch.nn.Linear(side, side, bias=False, device="meta")
    reporter = fit._Reporter(tmp_path, lambda **_line: None, 1)

    reporter.on_train_begin(None, None, None, model=model)

    assert least <= reporter.save_seconds <= most


def test_saved_weights_are_checked_against_the_model(tmp_path):
    part = copy_of_base(tmp_path / "part")
    model = AutoModelForCausalLM.from_pretrained(BASE, local_files_only=True)

    assert len(fit.check(part, model)) == 64

    weights = load_file(part / "model.safetensors")
    broken = weights | {"model.norm.weight": weights["model.norm.weight"] * math.inf}
    save_file(broken, part / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(fit.BadCheckpoint, match=r"The trained weight model\.norm\.weight holds values"):
        fit.check(part, model)

    del weights["model.norm.weight"]
    save_file(weights, part / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(fit.BadCheckpoint, match=r"1 were not saved, model\.norm\.weight among them"):
        fit.check(part, model)
