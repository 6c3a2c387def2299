"""Fine-tuning the built-in tiny model on the CPU, beside TRL as it comes, and what a run takes before its first step.

Rows, epochs, model and thread are the same; tokens are those of our own count. The seconds are those of the
training loop alone, without imports and tokenising, which the last figure holds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from common.core.chat import MARKUPS
from demo.field import make_question
from tests.bench.figures import Figure, at_most, faster, fastest
from training.core.conversation import training_text
from training.core.recipe import Recipe, as_dict, tiny_cpu

NAME = "Fine-tuning on the CPU"
ROOT = Path(__file__).parents[2]
BASE = ROOT / "demo" / "base_model"
ROWS = 600
LEAST_SPEED_UP = 1.0
MOST_START = (
    2.5  # times a bare import of TRL: the start also loads the model, reads the rows, makes the trainer
)
BARE_IMPORT = "from trl import SFTConfig, SFTTrainer"


def run(scale: float) -> list[Figure]:
    """Train in both layouts and by TRL's own defaults, in this process; then time the start of a program."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _rows(max(64, round(ROWS * scale)))
        seconds, tokens = {}, 0
        for layout in ("rows", "packed"):
            recipe = Recipe(**as_dict(tiny_cpu()) | {"epochs": 1, "layout": layout})
            seconds[layout], tokens = _ours(_job(Path(folder) / layout, rows, recipe))
        as_it_comes = _trl(Path(folder) / "trl", rows)
        alike = _trl(Path(folder) / "alike", rows, bf16=False, activation_checkpointing=False)
        return [*_speeds(seconds, as_it_comes, alike, tokens), _start(Path(folder) / "start", rows[:64])]


def _rows(count: int) -> list[dict[str, Any]]:
    """Return rows of the built-in field, from one step of thinking to eight."""
    rng = Random(6)
    made = [
        make_question(rng, domain="clock", language=("en", "zh")[number % 2], steps=1 + number % 8)
        for number in range(count)
    ]
    return [
        {"question": each.text, "options": [], "thinking": each.thinking, "answer": each.answer}
        for each in made
    ]


def _job(folder: Path, rows: list[dict[str, Any]], recipe: Recipe) -> Path:
    folder.mkdir()
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    job = {"base": str(BASE), "rows": "rows.jsonl", "recipe": as_dict(recipe), "threads": 1}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def _ours(folder: Path) -> tuple[float, int]:
    """Return the seconds of the training loop and the tokens that it was fed."""
    from training.core.recipe import from_dict
    from training.trainer import fit
    from training.trainer.__main__ import encode_rows

    fit.use_threads(1)
    recipe = from_dict(json.loads((folder / "job.json").read_text())["recipe"])
    prepared = fit.prepare(folder, str(BASE), recipe)
    rows = encode_rows(folder / "rows.jsonl", prepared.tokenizer, recipe)
    outcome = fit.fit(prepared, rows, folder=folder, report=lambda **_line: None)
    return _loop_seconds(outcome.trainer), outcome.tokens


def _trl(folder: Path, rows: list[dict[str, Any]], **options: Any) -> float:
    """Return the seconds of TRL's loop over the same texts, with its own settings but for those given."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    texts = [training_text(MARKUPS[tiny_cpu().markup], row) for row in rows]
    columns = {"prompt": [text[0] for text in texts], "completion": [text[1] for text in texts]}
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(BASE, dtype="float32"),
        args=SFTConfig(
            output_dir=str(folder),
            num_train_epochs=1,
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
            dataloader_pin_memory=False,
            **options,
        ),
        train_dataset=Dataset.from_dict(columns),
        processing_class=AutoTokenizer.from_pretrained(BASE),
    )
    trainer.train()
    return _loop_seconds(trainer)


def _loop_seconds(trainer: Any) -> float:
    return float(trainer.state.log_history[-1]["train_runtime"])


def _speeds(seconds: dict[str, float], as_it_comes: float, alike: float, tokens: int) -> list[Figure]:
    figures = []
    for layout, taken in seconds.items():
        note = f"{tokens / taken:,.0f} tokens a second, TRL {tokens / as_it_comes:,.0f}; {tokens:,} tokens"
        figures += [
            faster(f"training, layout {layout}", taken, "TRL's defaults", as_it_comes, LEAST_SPEED_UP, note),
            Figure("the same", taken, "TRL in fp32, nothing computed twice", alike, alike / taken),
        ]
    return figures


def _start(folder: Path, rows: list[dict[str, Any]]) -> Figure:
    """Time a program from its start to the report of its first step."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", BARE_IMPORT]
    imported = fastest(lambda: subprocess.run(command, cwd=ROOT, env=environment, check=True), times=2)
    _job(folder, rows, tiny_cpu())
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "training.trainer", str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as program:
        while not _has_stepped(folder) and program.poll() is None:
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        if program.wait():
            raise RuntimeError((folder / "result.json").read_text(encoding="utf-8"))
    note = "model of 0.9 million weights, 64 rows"
    return at_most("start to first step", seconds, "import of TRL", imported, MOST_START, note)


def _has_stepped(folder: Path) -> bool:
    path = folder / "progress.jsonl"
    return path.exists() and '"loss"' in path.read_text(encoding="utf-8")
