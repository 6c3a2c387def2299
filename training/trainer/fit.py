"""TRL's supervised trainer, set up as the recipe says; the only file that knows it."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

from common.core.refusal import Refusal
from training.core.conversation import EncodedRow
from training.core.recipe import Recipe

SAVE_SECONDS = 120.0  # how much work a kill may cost
COMPLETE = "complete"  # the marker that is written last into a training state


class NoModel(Refusal):
    """The base is no model that can be loaded."""


class WrongBatch(Refusal):
    """The cards cannot make up the recipe's batch."""


@dataclass
class Outcome:
    """A finished or stopped training."""

    trainer: Any
    steps: int
    final_loss: float
    tokens: int
    stopped: bool


def load(base: str, recipe: Recipe) -> tuple[Any, Any]:
    """Return model and tokenizer of a base.

    Raises:
        NoModel: with the folder or name and the reason.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)  # fp32 masters, as s1
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise NoModel(
            f"The base model {base} cannot be loaded ({reason}); name a folder with config, weights and tokenizer."
        ) from error
    return model, tokenizer


def fit(
    folder: Path,
    model: Any,
    tokenizer: Any,
    rows: list[EncodedRow],
    recipe: Recipe,
    *,
    report: Callable[..., None],
) -> Outcome:
    """Train to the end, or to the step at which a STOP file is found."""
    columns = {"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]}
    tokens_per_epoch = sum(len(row.input_ids) for row in rows)
    reporter = _Reporter(folder, report, tokens_per_epoch)
    trainer = SFTTrainer(
        model=model,
        args=_arguments(folder, recipe),
        train_dataset=Dataset.from_dict(columns),
        processing_class=tokenizer,
        callbacks=[reporter],
    )
    trainer.train(resume_from_checkpoint=_last_state(folder))
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    last_epoch = losses[-max(1, len(losses) // recipe.epochs) :]
    return Outcome(
        trainer=trainer,
        steps=trainer.state.global_step,
        final_loss=sum(last_epoch) / len(last_epoch) if last_epoch else float("nan"),
        tokens=round(tokens_per_epoch * float(trainer.state.epoch or 0)),
        stopped=reporter.stopped,
    )


def _arguments(folder: Path, recipe: Recipe) -> Any:
    rows_at_once = recipe.rows_per_card * int(os.environ.get("WORLD_SIZE", "1"))
    if recipe.batch_size % rows_at_once:
        raise WrongBatch(
            f"The recipe's batch_size {recipe.batch_size} is no multiple of the {rows_at_once} rows that the cards take "
            f"at once; change batch_size, rows_per_card or the number of cards."
        )
    on_cpu = not torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder / "state"),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.rows_per_card,
        gradient_accumulation_steps=recipe.batch_size // rows_at_once,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup_share,
        adam_beta1=recipe.adam_beta1,
        adam_beta2=recipe.adam_beta2,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        max_length=None,  # every row was measured before; none is ever cut
        bf16=recipe.precision == "bf16",
        use_cpu=on_cpu,
        gradient_checkpointing=recipe.gradient_checkpointing,
        deepspeed=_zero3() if recipe.zero3 and not on_cpu else None,
        seed=recipe.seed,
        data_seed=recipe.seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataloader_pin_memory=not on_cpu,
        loss_type="nll",
    )


def _zero3() -> dict[str, Any]:
    """Return DeepSpeed's stage 3 without offload: what s1's FSDP does, in DeepSpeed's words."""
    return {
        "bf16": {"enabled": "auto"},
        "zero_optimization": {
            "stage": 3,
            "overlap_comm": True,
            "contiguous_gradients": True,
            "stage3_gather_16bit_weights_on_model_save": True,
        },
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
    }


class _Reporter(TrainerCallback):
    """Appends each step to the progress, saves now and then, and stops where a STOP file lies."""

    def __init__(self, folder: Path, report: Callable[..., None], tokens_per_epoch: int) -> None:
        self.folder, self.report, self.tokens_per_epoch = folder, report, tokens_per_epoch
        self.began = self.saved = time.monotonic()
        self.stopped = False

    def on_step_end(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        """Look for STOP and for the time of a save."""
        if (self.folder / "STOP").exists():
            self.stopped = control.should_training_stop = True
        if time.monotonic() - self.saved > SAVE_SECONDS or (
            self.stopped and state.global_step < state.max_steps
        ):
            self.saved = time.monotonic()
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        """Mark the state complete, which counts only then, and drop the ones before."""
        newest = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (newest / COMPLETE).touch()
        for older in Path(args.output_dir).glob("checkpoint-*"):
            if older != newest:
                shutil.rmtree(older)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_more: Any
    ) -> None:
        """Report one step."""
        if logs and "loss" in logs:
            self.report(
                phase="training",
                done=state.global_step,
                total=state.max_steps,
                step=state.global_step,
                loss=float(logs["loss"]),
                learning_rate=float(logs["learning_rate"]),
                grad_norm=float(logs["grad_norm"]) if "grad_norm" in logs else None,
                tokens=round(self.tokens_per_epoch * float(state.epoch or 0)),
                seconds=round(time.monotonic() - self.began, 3),
            )


def _last_state(folder: Path) -> str | None:
    """Return the newest complete training state."""
    states = [marker.parent for marker in (folder / "state").glob(f"checkpoint-*/{COMPLETE}")]
    newest = max(states, key=lambda state: int(state.name.rpartition("-")[2]), default=None)
    return str(newest) if newest else None


def save(folder: Path, trainer: Any, tokenizer: Any) -> str:
    """Save model and tokenizer under their final name in one move; return the SHA-256 of the weights."""
    part, final = folder / "checkpoint.part", folder / "checkpoint"
    shutil.rmtree(part, ignore_errors=True)
    trainer.save_model(str(part))
    tokenizer.save_pretrained(str(part))
    digest = hashlib.sha256()
    for file in sorted(part.glob("*.safetensors")):
        digest.update(file.read_bytes())
    shutil.rmtree(final, ignore_errors=True)
    part.replace(final)
    shutil.rmtree(folder / "state", ignore_errors=True)
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of what made the checkpoint."""
    return {name: version(name) for name in ("torch", "transformers", "trl", "accelerate", "datasets")}
