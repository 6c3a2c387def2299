"""The hyper-parameters of one run, frozen, checked when made.

Source of the defaults: s1 (arXiv 2501.19393), appendix D, and its train/sft.sh.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from common.core.chat import MARKUPS
from common.core.refusal import Refusal

WEIGHTINGS = ("sample", "token")
LAYOUTS = ("rows", "packed")


class BadRecipe(Refusal):
    """A recipe holds a value that cannot be used; the message names field, value and range."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One fine-tune's whole configuration. Loss is taken on thinking and answer.

    `loss_weighting` says what a step's loss is the mean of: of "sample", every row counts the same, as in the
    stack that s1 was trained with (transformers 4.46); of "token", a row counts as much as it has tokens.

    `layout` says how a step's rows are given to the cards: of "rows", `rows_per_card` at a time, padded to the
    longest of them; of "packed", all at once, laid end to end in packs of about the same work, one for every
    `sequence_parallel` cards, which share it. The mathematics is the same; a card needs memory for its whole share
    of the step.
    """

    learning_rate: float = 1e-5
    epochs: int = 5
    batch_size: int = 16  # rows in one optimiser step, over all cards
    rows_per_card: int = 1  # rows in one pass of one card
    warmup_share: float = 0.05  # of all steps, linear; then a cosine to 0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.95
    weight_decay: float = 1e-4
    max_grad_norm: float = 1.0
    max_length: int = 32_768  # tokens; a longer row stops the run, none is cut
    precision: str = "bf16"
    gradient_checkpointing: bool = True
    zero3: bool = True  # DeepSpeed ZeRO-3; off on one CPU
    loss_weighting: str = "sample"
    layout: str = "rows"
    sequence_parallel: int = 1  # cards that share a pack: neighbours, so inside one machine
    markup: str = "qwen2.5"
    seed: int = 42

    def __post_init__(self) -> None:
        _within("learning_rate", self.learning_rate, 0, 1, open_low=True)
        _within("epochs", self.epochs, 1, 100)
        _within("batch_size", self.batch_size, 1, 4096)
        _within("rows_per_card", self.rows_per_card, 1, self.batch_size)
        _within("warmup_share", self.warmup_share, 0, 1)
        _within("adam_beta1", self.adam_beta1, 0, 1)
        _within("adam_beta2", self.adam_beta2, 0, 1)
        _within("weight_decay", self.weight_decay, 0, 10)
        _within("max_grad_norm", self.max_grad_norm, 0, 1000, open_low=True)
        _within("max_length", self.max_length, 16, 1_000_000)
        _within("seed", self.seed, 0, 2**31 - 1)
        _within("sequence_parallel", self.sequence_parallel, 1, 64)
        _among("precision", self.precision, ("bf16", "fp32"))
        _among("loss_weighting", self.loss_weighting, WEIGHTINGS)
        _among("layout", self.layout, LAYOUTS)
        _among("markup", self.markup, tuple(MARKUPS))
        _flag("gradient_checkpointing", self.gradient_checkpointing)
        _flag("zero3", self.zero3)
        if self.batch_size % self.rows_per_card:
            raise BadRecipe(
                f"The recipe's batch_size is {self.batch_size}; it is a multiple of rows_per_card {self.rows_per_card}."
            )
        if self.sequence_parallel > 1 and self.layout != "packed":
            raise BadRecipe(
                f"The recipe's sequence_parallel is {self.sequence_parallel} and its layout {self.layout}; "
                f"cards share packs alone, so choose the layout packed, or 1."
            )


def _within(name: str, value: float, low: float, high: float, *, open_low: bool = False) -> None:
    whole = name in {"epochs", "batch_size", "rows_per_card", "max_length", "seed", "sequence_parallel"}
    wrong_kind = isinstance(value, bool) or not isinstance(value, int if whole else int | float)
    if wrong_kind or not low <= value <= high or (open_low and value == low):
        raise BadRecipe(
            f"The recipe's {name} is {value!r}; "
            f"it is a {'whole number' if whole else 'number'} {'above' if open_low else 'from'} {low} to {high}."
        )


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise BadRecipe(f"The recipe's {name} is {value!r}; it is true or false.")


def _among(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadRecipe(f"The recipe's {name} is {value!r}; it is one of {', '.join(known)}.")


def s1() -> Recipe:
    """Return the recipe of s1-32B: Qwen2.5-32B-Instruct, 315 steps on 1,000 rows, 16 cards."""
    return Recipe()


def tiny_cpu() -> Recipe:
    """Return a recipe for a model of a million parameters on a laptop's CPU (measured for the demo)."""
    return Recipe(
        learning_rate=3e-3,
        epochs=4,
        rows_per_card=1,  # no padding, and a row stays in the cache: a third faster than 16, same mathematics
        max_length=512,
        precision="fp32",
        gradient_checkpointing=False,
        zero3=False,
        loss_weighting="token",
        markup="bare",
        seed=0,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {"s1": s1, "tiny-cpu": tiny_cpu}


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """Return plain values, as a run stores them."""
    return asdict(recipe)


def from_dict(given: object) -> Recipe:
    """Return a recipe from its fields; those not given are s1's.

    Raises:
        BadRecipe: no object, an unknown field, or a value out of range.
    """
    if not isinstance(given, Mapping):
        raise BadRecipe(f"{given!r} is no recipe; write an object with its fields, such as epochs.")
    known = {each.name for each in fields(Recipe)}
    if unknown := sorted(set(given) - known):
        raise BadRecipe(f"A recipe has no field {', '.join(unknown)}; it has {', '.join(sorted(known))}.")
    return Recipe(**given)


def recipe_hash(recipe: Recipe) -> str:
    """Return a recipe's identity: SHA-256 of its fields."""
    return hashlib.sha256(json.dumps(as_dict(recipe), sort_keys=True).encode()).hexdigest()
