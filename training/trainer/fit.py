"""TRL's supervised trainer, set up as the recipe says; it and `batches` are the only files that know it.

On one card or CPU it is plain torch. Under torchrun every process runs this same code: they agree at
the end of each step whether to save or stop, and only rank 0 writes what is not its own shard.
"""

import hashlib
import math
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
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from transformers.trainer_pt_utils import get_model_param_count
from trl import SFTConfig, SFTTrainer

from common.core.chat import MARKUPS
from common.core.refusal import Refusal
from training.core.conversation import EncodedRow
from training.core.recipe import Recipe
from training.trainer.batches import PackTrainer, RowTrainer

SAVE_SECONDS = 120.0  # how much work a kill may cost
QUICKLY_SAVED_PARAMETERS = 430e6  # 6 GB of state, so 6 s on a disk of 1 GB/s: a twentieth of the time above
COMPLETE = (
    "complete"  # the marker that is written last into a training state; it holds the number of processes
)
READ_BYTES = 16 * 2**20
OUT_OF_MEMORY = {
    "rows": "The card ran out of memory; lower rows_per_card, or shard over more cards with zero3.",
    "packed": "The card ran out of memory; take more cards, which makes packs smaller, or the layout rows.",
}


class NoModel(Refusal):
    """The base is no model that can be loaded."""


class WrongBatch(Refusal):
    """The cards cannot make up the recipe's batch."""


class OtherCards(Refusal):
    """A training state was saved by another number of processes."""


class Diverged(Refusal):
    """The loss is no number any more."""


class OutOfMemory(Refusal):
    """A card has too little memory for the recipe."""


class BadCheckpoint(Refusal):
    """The weights that were saved are not those that were trained."""


@dataclass(frozen=True)
class Prepared:
    """All that a training needs beside its rows."""

    arguments: Any
    model: Any
    tokenizer: Any
    recipe: Recipe


@dataclass(frozen=True)
class Outcome:
    """A finished or stopped training; `final_loss` is the mean over the last epoch's steps."""

    trainer: Any
    steps: int
    final_loss: float
    tokens: int
    stopped: bool


def prepare(folder: Path, base: str, recipe: Recipe) -> Prepared:
    """Return settings, model and tokenizer. The settings come first: with them ZeRO-3 loads in shards.

    Raises:
        NoModel: the base cannot be loaded; with its name and the reason.
        WrongBatch: the cards cannot make up the batch.
    """
    arguments = _arguments(folder, recipe)
    _meet(arguments)
    if Path(base).is_absolute() and not Path(base).is_dir():
        raise NoModel(f"There is no model folder {base}; name one with config, weights and tokenizer.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        model, loading = AutoModelForCausalLM.from_pretrained(
            base,
            dtype=torch.float32,  # fp32 masters, as s1
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise NoModel(
            f"The base model {base} cannot be loaded ({reason}); name a folder with config, weights and tokenizer."
        ) from error
    if missing := sorted(loading["missing_keys"]):
        raise NoModel(
            f"The base model {base} lacks {len(missing)} weights, {missing[0]} among them; copy it again."
        )
    return Prepared(arguments, model, tokenizer, recipe)


def _meet(arguments: Any) -> None:
    """Let the processes find each other: ZeRO-3 must know how many shards to load a model in."""
    if arguments.device.type == "cpu" and arguments.deepspeed:
        import deepspeed  # only a machine that shards has it

        deepspeed.init_distributed("gloo")  # on cards, asking for the device has done it


def fit(prepared: Prepared, rows: list[EncodedRow], *, folder: Path, report: Callable[..., None]) -> Outcome:
    """Train to the end, or to the step at which a STOP file is found.

    Raises:
        NoModel: the tokenizer has tokens that the model does not know.
        Diverged, OutOfMemory, OtherCards: as they say.
    """
    _check_ids(prepared, rows)
    tokens_per_epoch = sum(len(row.input_ids) for row in rows)
    reporter = _Reporter(folder, report, tokens_per_epoch)
    trainer = _trainer(prepared, rows, reporter)
    try:
        trainer.train(resume_from_checkpoint=_last_state(folder))
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(OUT_OF_MEMORY[prepared.recipe.layout]) from error
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    last_epoch = losses[-max(1, len(losses) // round(prepared.arguments.num_train_epochs)) :]
    return Outcome(
        trainer=trainer,
        steps=trainer.state.global_step,
        final_loss=sum(last_epoch) / len(last_epoch),
        tokens=round(tokens_per_epoch * float(trainer.state.epoch or 0)),
        stopped=reporter.stopped,
    )


def _trainer(prepared: Prepared, rows: list[EncodedRow], reporter: TrainerCallback) -> SFTTrainer:
    columns = {"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]}
    options: dict[str, Any] = {
        "model": prepared.model,
        "args": prepared.arguments,
        "train_dataset": Dataset.from_dict(columns),
        "processing_class": prepared.tokenizer,
        "callbacks": [reporter],
    }
    weighs_rows = prepared.recipe.loss_weighting == "sample"
    if prepared.recipe.layout == "packed":
        options |= {"batch_size": prepared.recipe.batch_size, "weighs_rows": weighs_rows}
        return PackTrainer(sequence_parallel=prepared.recipe.sequence_parallel, **options)
    return RowTrainer(**options) if weighs_rows else SFTTrainer(**options)


def _check_ids(prepared: Prepared, rows: list[EncodedRow]) -> None:
    known = prepared.model.config.get_text_config().vocab_size
    if (largest := max(max(row.input_ids) for row in rows)) >= known:
        raise NoModel(
            f"The tokenizer gives token {largest} and the model knows {known}: they do not belong together; "
            f"name a base model with its own tokenizer."
        )


def _processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def _arguments(folder: Path, recipe: Recipe) -> Any:
    rows_at_once, passes = _rows_at_once(recipe)
    on_cpu = not torch.cuda.is_available()
    zero3 = recipe.zero3 and _processes() > 1  # alone, there is nothing to shard
    return SFTConfig(
        output_dir=str(folder / "state"),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=rows_at_once,
        gradient_accumulation_steps=passes,
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
        activation_checkpointing=recipe.gradient_checkpointing,
        deepspeed=_zero3() if zero3 else None,
        seed=recipe.seed,
        data_seed=recipe.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would show the mean so far in place of a loss that is no number
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataloader_pin_memory=not on_cpu,
        loss_type="nll",
        eos_token=MARKUPS[recipe.markup].end,
    )


def _rows_at_once(recipe: Recipe) -> tuple[int, int]:
    """Return how many rows a card takes in one pass, and the passes of a step; of packs, on average and one.

    Raises:
        WrongBatch: the cards cannot make up the batch so.
    """
    processes = _processes()
    if processes % recipe.sequence_parallel:
        raise WrongBatch(
            f"The {processes} cards cannot share packs by {recipe.sequence_parallel}; "
            f"change sequence_parallel or the number of cards."
        )
    if recipe.layout == "packed":
        if recipe.batch_size < (packs := processes // recipe.sequence_parallel):
            raise WrongBatch(
                f"The recipe's batch_size {recipe.batch_size} is too small for {packs} packs; "
                f"raise batch_size, or take fewer cards."
            )
        return math.ceil(recipe.batch_size / processes), 1
    rows_at_once = recipe.rows_per_card * processes
    if recipe.batch_size % rows_at_once:
        raise WrongBatch(
            f"The recipe's batch_size {recipe.batch_size} is no multiple of the {rows_at_once} rows that the cards take "
            f"at once; change batch_size, rows_per_card or the number of cards."
        )
    return recipe.rows_per_card, recipe.batch_size // rows_at_once


def _zero3() -> dict[str, Any]:
    """Return DeepSpeed's stage 3 without offload: what s1's FSDP does, in DeepSpeed's words."""
    return {
        "bf16": {"enabled": "auto"},
        "zero_optimization": {
            "stage": 3,
            "overlap_comm": True,
            "contiguous_gradients": True,
            "reduce_bucket_size": "auto",
            "stage3_prefetch_bucket_size": "auto",
            "stage3_param_persistence_threshold": "auto",
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
        self.save_seconds = SAVE_SECONDS
        self.stopped = False

    def on_train_begin(self, args: Any, state: Any, control: Any, *, model: Any, **_more: Any) -> None:
        """Save the more rarely, the longer it takes: a full state has 14 bytes for each parameter."""
        self.save_seconds = SAVE_SECONDS * max(1.0, get_model_param_count(model) / QUICKLY_SAVED_PARAMETERS)

    def on_step_end(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        """Look for STOP and for the time of a save; after the last step neither counts."""
        if state.global_step >= state.max_steps:
            return
        is_due = time.monotonic() - self.saved > self.save_seconds
        self.stopped, is_due = _agreed((self.folder / "STOP").exists(), is_due, device=args.device)
        control.should_training_stop = control.should_training_stop or self.stopped
        if is_due or self.stopped:
            self.saved = time.monotonic()
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        """Mark the state complete, which counts only then, and drop the ones before."""
        if torch.distributed.is_initialized():
            torch.distributed.barrier()  # every rank has written its shard
        if not state.is_world_process_zero:
            return
        newest = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (newest / COMPLETE).write_text(str(_processes()))
        for older in Path(args.output_dir).glob("checkpoint-*"):
            if older != newest:
                shutil.rmtree(older)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_more: Any
    ) -> None:
        """Report one step."""
        if not logs or "loss" not in logs:
            return
        loss, norm = float(logs["loss"]), logs.get("grad_norm")
        if not math.isfinite(loss) or not math.isfinite(norm or 0.0):
            raise Diverged(
                f"At step {state.global_step} the loss is {loss} and the gradient's norm {norm}; "
                f"lower the learning rate, which was {float(logs['learning_rate']):g}."
            )
        self.report(
            phase="training",
            done=state.global_step,
            total=state.max_steps,
            step=state.global_step,
            loss=loss,
            learning_rate=float(logs["learning_rate"]),
            grad_norm=None if norm is None else float(norm),
            tokens=round(self.tokens_per_epoch * float(state.epoch or 0)),
            seconds=round(time.monotonic() - self.began, 3),
        )


def _agreed(*flags: bool, device: Any) -> list[bool]:
    """Return which flags any rank has raised: ranks that stop or save at different steps wait for ever."""
    votes = torch.tensor(flags, dtype=torch.int32, device=device)
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(votes, op=torch.distributed.ReduceOp.MAX)
    return [bool(vote) for vote in votes.tolist()]


def _last_state(folder: Path) -> str | None:
    """Return the newest complete training state.

    Raises:
        OtherCards: another number of processes saved it, and each kept a shard of its own.
    """
    states = [marker.parent for marker in (folder / "state").glob(f"checkpoint-*/{COMPLETE}")]
    newest = max(states, key=lambda state: int(state.name.rpartition("-")[2]), default=None)
    if newest is None:
        return None
    if (saved_by := int((newest / COMPLETE).read_text())) != _processes():
        raise OtherCards(
            f"The state {newest} was saved by {saved_by} processes and there are {_processes()} now; "
            f"start as many again, or delete {newest.parent} to begin anew."
        )
    return str(newest)


def save(folder: Path, trainer: Any, tokenizer: Any) -> Path:
    """Save model and tokenizer beside the place of the checkpoint; all ranks must call it."""
    part = folder / "checkpoint.part"
    if trainer.is_world_process_zero():
        shutil.rmtree(part, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(part))
    if trainer.is_world_process_zero():
        tokenizer.save_pretrained(str(part))
        (part / "training_args.bin").unlink(missing_ok=True)  # a pickle, and it names this machine's paths
    return part


def check(part: Path, model: Any) -> str:
    """Return the SHA-256 of saved weights that are whole: the model's own names, every value a number.

    Raises:
        BadCheckpoint: naming what is missing or broken.
    """
    digest, saved = hashlib.sha256(), set[str]()
    for file in sorted(part.glob("*.safetensors")):
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - it is no mapping
                if not torch.isfinite(weights.get_tensor(name)).all():
                    raise BadCheckpoint(
                        f"The trained weight {name} holds values that are no numbers; lower the learning rate."
                    )
                saved.add(name)
        with file.open("rb") as content:
            while block := content.read(READ_BYTES):
                digest.update(block)
    trained = {name for name, _parameter in model.named_parameters()}
    if missing := sorted(trained - saved):
        raise BadCheckpoint(
            f"Of {len(trained)} weights {len(missing)} were not saved, {missing[0]} among them; start again."
        )
    return digest.hexdigest()


def publish(folder: Path, part: Path) -> None:
    """Give a checked checkpoint its name, in one move."""
    final = folder / "checkpoint"
    shutil.rmtree(final, ignore_errors=True)
    part.replace(final)


def use_threads(count: int) -> None:
    """Let torch work with so many threads."""
    torch.set_num_threads(count)


def versions() -> dict[str, str]:
    """Return the versions of what made the checkpoint."""
    return {name: version(name) for name in ("torch", "transformers", "trl", "accelerate", "datasets")}
