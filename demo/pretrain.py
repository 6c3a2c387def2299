"""Train the demo's base model from random weights: `python -m demo.pretrain --to demo/base_model`.

The model has Qwen2's architecture and about a million parameters. It learns single skills (demo.corpus) and
can solve one-step questions, but was never shown a chain of two steps. A killed run goes on from its last
checkpoint, in the folder beside the target whose name ends in `.partial`.

Letters: B rows of a batch, T tokens of a row.
"""

# ruff: noqa: N806 - arrays carry their axes.

import argparse
import json
import platform
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from transformers.utils.logging import disable_progress_bar

from common.core.chat import TURN_END
from demo.corpus import (
    END_OF_TEXT,
    SPECIAL_TOKENS,
    Document,
    Mix,
    make_document,
    make_listing,
    make_one_entry,
    make_one_step,
    think_document,
)
from demo.field import WORDINGS, make_question
from demo.muon import Muon

CHAT_TEMPLATE: Final = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# A letter run with the space before it, one digit, one run of other signs, or white space.
PIECES: Final = r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+"
LEAST_SECONDS_BETWEEN_CHECKPOINTS: Final = 60.0
PROBE_STEPS: Final = 10


@dataclass(frozen=True)
class PretrainRecipe:
    """All that decides the outcome, but for the machine's rounding.

    `prompt_weight` is the loss on a prompt's tokens, which are random draws, relative to a lesson's.
    """

    seed: int = 0
    steps: int = 6000
    rows: int = 12
    tokens_a_row: int = 256
    rate: float = 4e-3
    warm_up_steps: int = 100
    prompt_weight: float = 0.1
    vocabulary: int = 800
    width: int = 128
    layers: int = 4
    heads: int = 4
    inner_width: int = 384
    mix: Mix = field(default_factory=Mix)


class OtherRun(Exception):
    """An unfinished run with another recipe stands where this one would go on."""


@dataclass
class Training:
    """A run on its way: what a checkpoint holds."""

    model: Any
    optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer]
    step: int = 0
    seconds: float = 0.0


def train_tokenizer(recipe: PretrainRecipe, documents: int = 20_000) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on the corpus; every digit is a token of its own."""
    rng = random.Random(f"tokenizer {recipe.seed}")
    drawn = (make_document(rng, recipe.mix) for _ in range(documents))
    # The trainer knows no special tokens in a text and would merge their signs with those around them.
    between = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
    passages = (passage for doc in drawn for passage in between.split(doc.prompt + doc.lesson))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(passages, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=END_OF_TEXT,
        chat_template=CHAT_TEMPLATE,
        model_max_length=1024,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def new_model(recipe: PretrainRecipe, tokenizer: PreTrainedTokenizerFast) -> Any:
    """Return a model with random weights."""
    torch.manual_seed(recipe.seed)
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=recipe.width,
            intermediate_size=recipe.inner_width,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            max_position_embeddings=1024,
            initializer_range=0.04,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def draw_batch(
    recipe: PretrainRecipe, step: int, tokenizer: PreTrainedTokenizerFast
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens (B, T + 1) and the weight of the loss on each, drawn from the seed and the step alone."""
    rng = random.Random(f"{recipe.seed} {step}")
    rows = [_draw_row(rng, recipe, tokenizer) for _ in range(recipe.rows)]
    tokens_B_T = torch.tensor([[token for token, _ in row] for row in rows])
    weights_B_T = torch.tensor([[weight for _, weight in row] for row in rows])
    return tokens_B_T, weights_B_T


def _draw_row(
    rng: random.Random, recipe: PretrainRecipe, tokenizer: PreTrainedTokenizerFast
) -> list[tuple[int, float]]:
    """Fill one row with documents, the last one cut."""
    row: list[tuple[int, float]] = []
    while len(row) <= recipe.tokens_a_row:
        document = make_document(rng, recipe.mix)
        row += [(token, recipe.prompt_weight) for token in _encode(tokenizer, document.prompt)]
        row += [(token, 1.0) for token in _encode(tokenizer, document.lesson + END_OF_TEXT)]
    return row[: recipe.tokens_a_row + 1]


def _encode(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    ids: list[int] = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def new_training(recipe: PretrainRecipe, model: Any) -> Training:
    """Give the layers' matrices to Muon and the rest to AdamW."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    adam = torch.optim.AdamW(others, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=0.01)
    return Training(model, (Muon(matrices, rate=recipe.rate), adam))


def rate_at(recipe: PretrainRecipe, step: int) -> float:
    """Return the learning rate of a step: a warm-up, then a straight line to zero."""
    if step < recipe.warm_up_steps:
        return recipe.rate * (step + 1) / recipe.warm_up_steps
    return recipe.rate * (recipe.steps - step) / (recipe.steps - recipe.warm_up_steps)


def train_step(recipe: PretrainRecipe, training: Training, tokenizer: PreTrainedTokenizerFast) -> float:
    """Take one step and return the loss on the lessons' and prompts' tokens, weighted."""
    tokens_B_T, weights_B_T = draw_batch(recipe, training.step, tokenizer)
    logits = training.model(input_ids=tokens_B_T[:, :-1], use_cache=False).logits
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), tokens_B_T[:, 1:].flatten(), reduction="none"
    )
    weights = weights_B_T[:, 1:].flatten()
    loss = (losses * weights).sum() / weights.sum()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(training.model.parameters(), 1.0)
    for optimizer in training.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(recipe, training.step)
        optimizer.step()
        optimizer.zero_grad()
    training.step += 1
    return loss.item()


def save_checkpoint(training: Training, folder: Path) -> None:
    """Write all that a killed run needs to go on, in one move."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        "model": training.model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in training.optimizers],
        "step": training.step,
        "seconds": training.seconds,
    }
    torch.save(state, folder / "checkpoint.new")
    (folder / "checkpoint.new").replace(folder / "checkpoint.pt")


def load_checkpoint(training: Training, folder: Path) -> None:
    """Go on from a checkpoint, where there is one."""
    if not (folder / "checkpoint.pt").exists():
        return
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    training.model.load_state_dict(state["model"])
    for optimizer, optimizer_state in zip(training.optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(optimizer_state)
    training.step, training.seconds = state["step"], state["seconds"]


def train(
    recipe: PretrainRecipe, training: Training, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> Iterator[float]:
    """Train to the recipe's last step, with checkpoints on the way; yield each step's loss."""
    load_checkpoint(training, folder)
    saved = time.monotonic()
    while training.step < recipe.steps:
        started = time.monotonic()
        loss = train_step(recipe, training, tokenizer)
        training.seconds += time.monotonic() - started
        yield loss
        if time.monotonic() - saved > LEAST_SECONDS_BETWEEN_CHECKPOINTS:
            save_checkpoint(training, folder)
            saved = time.monotonic()


@torch.no_grad()
def complete(
    model: Any, tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], max_tokens: int
) -> list[str]:
    """Return the greedy continuation of each prompt, up to the end of the turn and without it."""
    inputs = tokenizer(list(prompts), return_tensors="pt", padding=True, add_special_tokens=False)
    output = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=max_tokens,
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    replies = tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=False)
    return [reply.partition(TURN_END)[0].partition(END_OF_TEXT)[0] for reply in replies]


def make_four_step(rng: random.Random, domain: str, language: str) -> Document:
    """Draw a question of four steps, which the base has never been taught."""
    question = make_question(rng, domain=domain, language=language, steps=4)
    return think_document(question.text, question.thinking, question.answer)


SKILLS: Final[dict[str, Callable[[random.Random, str, str], Document]]] = {
    "one_step": make_one_step,
    "one_entry": make_one_entry,
    "listing": make_listing,
    "four_steps": make_four_step,
}


def measure_skills(
    model: Any, tokenizer: PreTrainedTokenizerFast, *, seed: int, a_cell: int
) -> dict[str, float]:
    """Return the share of right replies by skill, domain and language; a list must be right as a whole."""
    rng = random.Random(f"skills {seed}")
    model.eval()
    shares: dict[str, float] = {}
    for skill, make in SKILLS.items():
        for domain, language in WORDINGS:
            documents = [make(rng, domain, language) for _ in range(a_cell)]
            replies = complete(model, tokenizer, [document.prompt for document in documents], 128)
            right = [
                _final(reply) == _final(document.lesson)
                for reply, document in zip(replies, documents, strict=True)
            ]
            shares[f"{skill} {domain} {language}"] = round(sum(right) / a_cell, 3)
    model.train()
    return shares


def skill_means(shares: dict[str, float]) -> dict[str, float]:
    """Return the mean of each skill over domains and languages."""
    cells = {
        skill: [share for name, share in shares.items() if name.startswith(f"{skill} ")] for skill in SKILLS
    }
    return {skill: round(sum(values) / len(values), 3) for skill, values in cells.items()}


def _final(reply: str) -> str:
    """Return the final answer of a reply, or the whole of a reply without one."""
    return reply.removesuffix(TURN_END).rpartition("Final Answer:")[2].strip()


def save_base(
    recipe: PretrainRecipe, training: Training, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> dict[str, Any]:
    """Save model, tokenizer and card in one move, and return the card; the skills are those of the files."""
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    training.model.to(torch.bfloat16)
    training.model.generation_config.update(do_sample=False, max_new_tokens=192)
    training.model.save_pretrained(fresh)
    # Measuring has left its padding in the tokenizer; a file with it would pad for whoever loads it.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(fresh)
    saved = transformers.AutoModelForCausalLM.from_pretrained(fresh, dtype=torch.bfloat16)
    shares = measure_skills(saved, tokenizer, seed=recipe.seed, a_cell=50)
    card = {
        "recipe": asdict(recipe),
        "parameters": sum(p.numel() for p in training.model.parameters()),
        "tokens_seen": recipe.steps * recipe.rows * recipe.tokens_a_row,
        "seconds": round(training.seconds, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "skills": skill_means(shares),
        "skills_by_cell": shares,
    }
    (fresh / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)
    return card


def steps_within(minutes: float, recipe: PretrainRecipe, tokenizer: PreTrainedTokenizerFast) -> int:
    """Return how many steps of a recipe this machine takes in the given time, at least 10."""
    probe = new_training(recipe, new_model(recipe, tokenizer))
    train_step(recipe, probe, tokenizer)
    started = time.monotonic()
    for _ in range(PROBE_STEPS):
        train_step(recipe, probe, tokenizer)
    return max(10, int(minutes * 60 / (time.monotonic() - started) * PROBE_STEPS))


def kept_recipe(recipe: PretrainRecipe, folder: Path, *, same_steps: bool) -> PretrainRecipe:
    """Return the recipe of the run that stands in a folder, or keep the given one for a new run.

    Raises:
        OtherRun: the folder holds a run with another recipe.
    """
    path = folder / "recipe.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(recipe)), encoding="utf-8")
        return recipe
    stored = json.loads(path.read_text(encoding="utf-8"))
    kept = recipe if same_steps else replace(recipe, steps=stored["steps"])
    if stored != asdict(kept):
        raise OtherRun(
            f"{folder} holds an unfinished run with another recipe; finish it so, or delete the folder."
        )
    return kept


def say(text: str) -> None:
    """Write one line of progress to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def run(recipe: PretrainRecipe, folder: Path, *, minutes: float | None, measure_every: int) -> None:
    """Train and save the base model, telling how far it is."""
    partial = folder.with_name(f"{folder.name}.partial")
    tokenizer = train_tokenizer(recipe)
    if minutes is not None:
        recipe = replace(recipe, steps=steps_within(minutes, recipe, tokenizer))
    recipe = kept_recipe(recipe, partial, same_steps=minutes is None)
    training = new_training(recipe, new_model(recipe, tokenizer))
    recent: list[float] = []
    for loss in train(recipe, training, tokenizer, partial):
        recent = [*recent[-99:], loss]
        if training.step % 50 == 0:
            rate = training.step / training.seconds
            say(
                f"step {training.step}/{recipe.steps}  loss {sum(recent) / len(recent):.4f}  "
                f"{rate:.2f} steps/s  {(recipe.steps - training.step) / rate / 60:.1f} min left"
            )
        if measure_every and training.step % measure_every == 0:
            say(json.dumps(measure_skills(training.model, tokenizer, seed=1, a_cell=12)))
    card = save_base(recipe, training, tokenizer, folder)
    shutil.rmtree(partial, ignore_errors=True)
    say(json.dumps(card["skills"]))


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m demo.pretrain", description=__doc__.split("\n")[0])
    parser.add_argument("--to", type=Path, default=Path("demo/base_model"), help="folder of the base model")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=PretrainRecipe.steps)
    length.add_argument("--minutes", type=float, help="as many steps as fit in this time here")
    parser.add_argument("--seed", type=int, default=PretrainRecipe.seed)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--measure-every", type=int, default=500, help="steps between measures; 0: at the end"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    disable_progress_bar()
    recipe = PretrainRecipe(seed=options.seed, steps=options.steps)
    try:
        run(recipe, options.to, minutes=options.minutes, measure_every=options.measure_every)
    except OtherRun as refusal:
        parser.exit(1, f"{refusal}\n")


if __name__ == "__main__":
    main()
