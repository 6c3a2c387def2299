"""Packed steps against rows one by one: the same loss, gradients and weights, on however many processes."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from demo.field import make_question
from training.core.conversation import NO_LOSS, EncodedRow
from training.core.recipe import WEIGHTINGS, as_dict, tiny_cpu
from training.trainer import fit
from training.trainer.__main__ import main
from training.trainer.attention import NotShared, use_attention_by_row
from training.trainer.batches import PackSampler, pack_rows

ROOT = Path(__file__).parents[2]
BASE = ROOT / "demo" / "base_model"
ROWS, BATCH, EPOCHS = 9, 4, 2  # steps of 4, 4 and 1 rows: in the last one all processes but one have none
STEPS = 6
# Runs one job after another; one that is to be stopped is, amid the second epoch, and then goes on.
PROGRAM = """
import os, sys
from pathlib import Path
from training.trainer import fit
from training.trainer.__main__ import main

def ask_to_stop(reporter, args, state, control, **more):
    folder = reporter.folder
    if folder.name.endswith("stopped") and state.global_step == 4 and not (folder / "result.json").exists():
        (folder / "STOP").touch()

fit._Reporter.on_step_begin = ask_to_stop
fit.use_threads(1)
status = 0
for folder in map(Path, sys.argv[1:]):
    status |= main([str(folder)])
    if (folder / "STOP").exists() and os.environ["RANK"] == "0":
        (folder / "STOP").unlink()
    if folder.name.endswith("stopped"):
        status |= main([str(folder)])
os._exit(status)
"""


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_rows(count=ROWS):
    rng = Random(11)
    made = [
        make_question(rng, domain="law", language=("zh", "en")[place % 2], steps=1 + place % 5)
        for place in range(count)
    ]
    return [
        {"question": each.text, "options": [], "thinking": each.thinking, "answer": each.answer}
        for each in made
    ]


def write_folder(folder, *, count=ROWS, **recipe):
    folder.mkdir(parents=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in make_rows(count)]
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    values = as_dict(tiny_cpu()) | {"epochs": EPOCHS, "batch_size": BATCH, "layout": "packed"} | recipe
    job = {"base": str(BASE), "rows": "rows.jsonl", "recipe": values}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def run_together(processes, folders, tmp_path):
    """Run jobs in one start of so many processes."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        str(processes),
    ]
    done = subprocess.run(
        [*torchrun, str(program), *map(str, folders)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-5000:]


def steps_of(folder):
    lines = (folder / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    return [step for line in lines if "loss" in (step := json.loads(line))]


def result_of(folder):
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def weights_of(folder):
    return torch.cat(
        [each.flatten() for _name, each in sorted(load_file(folder / "model.safetensors").items())]
    )


def assert_same_training(folder, reference):
    """Assert that each step had the same loss and gradient, and that the weights went the same way."""
    made, expected = steps_of(folder), steps_of(reference)
    assert len(expected) == STEPS
    for name in ("loss", "grad_norm", "learning_rate"):
        assert [step[name] for step in made] == pytest.approx([step[name] for step in expected], rel=1e-4)
    base, one, other = map(weights_of, (BASE, folder / "checkpoint", reference / "checkpoint"))
    way = (other - base).norm()
    assert way > 1
    assert (one - other).norm() < 1e-3 * way


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    """Return a folder for each weighting in which rows were trained on one by one, in one process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("rows")
    made = {
        weighting: write_folder(home / weighting, layout="rows", loss_weighting=weighting)
        for weighting in WEIGHTINGS
    }
    for folder in made.values():
        assert main([str(folder)]) == 0
    torch.set_num_threads(before)
    return made


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_packed_steps_are_those_of_rows_one_by_one(tmp_path, side_by_side, weighting):
    folder = write_folder(tmp_path / "packed", loss_weighting=weighting)

    assert main([str(folder)]) == 0

    assert_same_training(folder, side_by_side[weighting])
    assert steps_of(side_by_side["sample"])[0]["loss"] != pytest.approx(
        steps_of(side_by_side["token"])[0]["loss"], rel=1e-3
    )


def test_a_pack_is_computed_again_as_it_was_where_memory_is_saved_so(tmp_path, side_by_side):
    folder = write_folder(tmp_path / "packed", loss_weighting="sample", gradient_checkpointing=True)

    assert main([str(folder)]) == 0

    assert_same_training(folder, side_by_side["sample"])


@pytest.mark.parametrize("processes", [2, 4])
def test_packs_on_several_processes_make_the_steps_of_one_and_go_on_exactly(
    tmp_path, side_by_side, processes
):
    folders = {
        weighting: write_folder(tmp_path / weighting, loss_weighting=weighting) for weighting in WEIGHTINGS
    }
    stopped = write_folder(tmp_path / "stopped", loss_weighting="sample")
    shared = {
        cards: write_folder(
            tmp_path / f"shared-by-{cards}",
            loss_weighting="sample",
            sequence_parallel=cards,
            gradient_checkpointing=cards == 2,
        )
        for cards in (2, 4)[: processes // 2]
    }

    run_together(processes, [*folders.values(), stopped, *shared.values()], tmp_path)

    for weighting, folder in folders.items():
        assert_same_training(folder, side_by_side[weighting])
    for folder in shared.values():
        assert_same_training(folder, side_by_side["sample"])
    assert [step["step"] for step in steps_of(stopped)] == list(range(1, STEPS + 1)), "no step is done twice"
    assert result_of(stopped)["hash"] == result_of(folders["sample"])["hash"]


@pytest.mark.skipif(find_spec("deepspeed") is None, reason="DeepSpeed is not installed")
def test_packs_over_shards_of_a_model_make_the_steps_of_one_process(tmp_path, side_by_side):
    folders = {
        weighting: write_folder(tmp_path / weighting, zero3=True, loss_weighting=weighting)
        for weighting in WEIGHTINGS
    }

    run_together(2, folders.values(), tmp_path)

    for weighting, folder in folders.items():
        assert_same_training(folder, side_by_side[weighting])


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32, local_files_only=True).eval()


def some_rows(lengths):
    rng = Random(5)
    made = []
    for length in lengths:
        ids = [rng.randrange(3, 700) for _ in range(length)]
        made.append({"input_ids": ids, "labels": [NO_LOSS] * (length // 3) + ids[length // 3 :]})
    return made


def logits_of(model, pack):
    given = {name: value for name, value in pack.items() if name not in {"shift_labels", "weights"}}
    with torch.no_grad():
        return model(**given, use_cache=False).logits[0]


@pytest.mark.parametrize("attention", ["sdpa", "eager", "by row"])
def test_a_row_in_a_pack_is_read_as_if_it_were_alone(model, attention):
    rows = some_rows([40, 7, 1, 23])
    model.set_attn_implementation("sdpa")
    alone = [logits_of(model, {"input_ids": torch.tensor([row["input_ids"]])}) for row in rows]
    pack = pack_rows(rows, weighs_rows=True)

    if attention == "by row":
        use_attention_by_row(model, 1)
    else:
        model.set_attn_implementation(attention)
    packed = logits_of(model, pack).split(pack["row_lengths"])

    for one, other in zip(packed, alone, strict=True):
        assert torch.allclose(one, other, atol=2e-5)


def test_a_mask_of_ones_would_let_rows_see_each_other(model):
    # This is why a pack has none.
    pack = pack_rows(some_rows([40, 23]), weighs_rows=True)
    model.set_attn_implementation("sdpa")

    packed = logits_of(model, pack)
    masked = logits_of(model, pack | {"attention_mask": torch.ones_like(pack["input_ids"])})

    assert torch.allclose(packed[:40], masked[:40], atol=2e-5)
    assert (packed[40:] - masked[40:]).abs().max() > 0.01


def test_no_gradient_goes_from_a_row_to_another(model):
    pack = pack_rows(some_rows([12, 9]), weighs_rows=True)
    use_attention_by_row(model, 1)
    states = model.get_input_embeddings()(pack["input_ids"]).detach().requires_grad_()

    outputs = model(
        inputs_embeds=states,
        position_ids=pack["position_ids"],
        row_lengths=pack["row_lengths"],
        use_cache=False,
    )
    outputs.logits[0, 12:].sum().backward()

    assert states.grad[0, :12].abs().max() == 0
    assert states.grad[0, 12:].abs().max() > 0


def test_attention_by_rows_needs_to_know_the_rows(model):
    use_attention_by_row(model, 1)

    with pytest.raises(TypeError, match="row_lengths"):
        model(input_ids=torch.tensor([[5, 6, 7]]), use_cache=False)


def test_a_pack_is_its_rows_end_to_end_without_a_mask():
    rows = [
        {"input_ids": [5, 6, 7], "labels": [NO_LOSS, 6, 7]},
        {"input_ids": [8, 9], "labels": [8, 9]},
    ]

    packs = {weighs: pack_rows(rows, weighs_rows=weighs) for weighs in (True, False)}

    pack = packs[True]
    assert set(pack) == {"input_ids", "shift_labels", "position_ids", "weights", "row_lengths"}
    assert pack["input_ids"].tolist() == [[5, 6, 7, 8, 9]]
    assert pack["shift_labels"].tolist() == [[6, 7, NO_LOSS, 9, NO_LOSS]], (
        "8 is not predicted from the first row"
    )
    assert pack["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert pack["row_lengths"] == [3, 2]
    assert pack["weights"].tolist() == [[0.5, 0.5, 0, 1, 0]]
    assert packs[False]["weights"].tolist() == [[1, 1, 0, 1, 0]]


@pytest.mark.parametrize("cards", [1, 2, 4])
def test_a_pack_without_rows_has_no_weight(cards):
    pack = pack_rows([], weighs_rows=True, multiple_of=cards)

    assert pack["weights"].sum() == 0
    assert set(pack["shift_labels"].flatten().tolist()) == {NO_LOSS}
    assert pack["input_ids"].shape == pack["position_ids"].shape == (1, cards)


def test_a_pack_that_is_shared_is_filled_up_by_a_row_of_nothing():
    pack = pack_rows(some_rows([6, 3]), weighs_rows=False, multiple_of=4)

    assert pack["row_lengths"] == [6, 3, 3]
    assert pack["input_ids"].shape == (1, 12)
    assert pack["position_ids"][0, 9:].tolist() == [0, 1, 2]
    assert pack["weights"][0, 9:].tolist() == [0, 0, 0]
    assert pack_rows(some_rows([6, 2]), weighs_rows=False, multiple_of=4)["row_lengths"] == [6, 2]


def test_attention_that_cards_cannot_divide_is_refused(model):
    with pytest.raises(NotShared, match="has 4 heads of keys, which 3 cards cannot divide"):
        use_attention_by_row(model, 3)


def test_attention_of_another_kind_is_left_alone_and_not_shared(model):
    class Other:
        config = type("Config", (), {"model_type": "gemma2"})

    use_attention_by_row(Other, 1)
    with pytest.raises(NotShared, match="a gemma2 model cannot be shared"):
        use_attention_by_row(Other, 2)


@pytest.mark.parametrize("packs", [1, 2, 3, 5])
def test_all_packs_together_hold_the_sampler_s_steps(packs):
    order = Random(2).sample(range(23), 23)
    tokens = [10 + row * row for row in range(23)]

    each = [list(PackSampler(order, tokens, batch_size=4, packs=packs, pack=pack)) for pack in range(packs)]

    assert {len(steps) for steps in each} == {6}
    assert len(PackSampler(order, tokens, batch_size=4, packs=packs, pack=0)) == 6
    for number, laid in enumerate(zip(*each, strict=True)):
        assert sorted(row for rows in laid for row in rows) == sorted(order[4 * number : 4 * number + 4])


def test_the_steps_hold_the_rows_that_they_hold_one_by_one(tmp_path):
    fed = {}
    for layout in ("rows", "packed"):
        folder = write_folder(tmp_path / layout, layout=layout)
        job = json.loads((folder / "job.json").read_text())
        prepared = fit.prepare(folder, job["base"], fit.Recipe(**job["recipe"]))
        rows = [
            EncodedRow([number + 3] * (4 + number), [NO_LOSS] + [number + 3] * (3 + number))
            for number in range(ROWS)
        ]
        seen = fed[layout] = []
        prepared.model.register_forward_pre_hook(
            lambda _model, _args, given, seen=seen: seen.append(set(given["input_ids"].flatten().tolist())),
            with_kwargs=True,
        )
        fit.fit(prepared, rows, folder=folder, report=lambda **_line: None)

    assert len(fed["packed"]) == STEPS
    assert [len(rows) for rows in fed["packed"]] == [4, 4, 1] * EPOCHS
    one_by_one = iter(fed["rows"])
    for rows in fed["packed"]:
        assert set.union(*(next(one_by_one) for _ in rows)) == rows


@pytest.mark.parametrize(
    ("processes", "recipe", "says"),
    [
        (5, {"batch_size": 4}, "batch_size 4 is too small for 5 packs"),
        (16, {"batch_size": 4, "sequence_parallel": 2}, "batch_size 4 is too small for 8 packs"),
        (6, {"sequence_parallel": 4}, "The 6 cards cannot share packs by 4"),
    ],
)
def test_cards_that_cannot_take_the_packs_are_refused(monkeypatch, processes, recipe, says):
    monkeypatch.setenv("WORLD_SIZE", str(processes))

    with pytest.raises(fit.WrongBatch, match=says):
        fit._rows_at_once(fit.Recipe(layout="packed", **recipe))


def test_cards_need_not_divide_a_packed_batch(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")

    assert fit._rows_at_once(fit.Recipe(batch_size=16, layout="packed")) == (6, 1)
    with pytest.raises(fit.WrongBatch):
        fit._rows_at_once(fit.Recipe(batch_size=16, layout="rows"))
