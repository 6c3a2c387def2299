"""What a run will take: steps, tokens, memory, hours and dollars, each with how it was computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from common.core.money import gpu_usd
from training.core.recipe import Recipe

CARDS = 16
CARD_HOUR_USD = Decimal("7.2")  # "50 dollars" for s1's 7 H100-hours (research figures of s1, 2.4)
TOKENS_PER_CARD_SECOND_32B = 1_030  # s1's 28 M tokens in 26 minutes on 16 cards: 0.94 to 1.12 thousand
BYTES_PER_PARAMETER = 16  # fp32 weight and gradient, two Adam moments (research figures of s1, 2.4)
S1_PARAMETERS = 32.5e9


@dataclass(frozen=True)
class Plan:
    """An estimate before launch."""

    rows: int
    steps: int
    tokens: int  # over all epochs
    longest_row: int
    memory_per_card_gb: float
    hours: float
    usd: Decimal


def steps_of(rows: int, recipe: Recipe) -> int:
    """Return the optimiser steps of a run; the last step of an epoch may be short."""
    return ceil(rows / recipe.batch_size) * recipe.epochs


def plan_for_32b(row_tokens: Sequence[int], recipe: Recipe) -> Plan:
    """Estimate a run of a 32B model on 16 H100, at the rate that s1's own run had.

    Memory is that of sharded states alone; activations and logits come on top.
    Source: s1 (arXiv 2501.19393), section 4.1: 26 minutes, 7 H100-hours.
    """
    tokens = sum(row_tokens) * recipe.epochs
    hours = tokens / (TOKENS_PER_CARD_SECOND_32B * CARDS) / 3600
    return Plan(
        rows=len(row_tokens),
        steps=steps_of(len(row_tokens), recipe),
        tokens=tokens,
        longest_row=max(row_tokens, default=0),
        memory_per_card_gb=S1_PARAMETERS * BYTES_PER_PARAMETER / CARDS / 1e9,
        hours=hours,
        usd=gpu_usd(cards=CARDS, hours=hours, card_hour_usd=CARD_HOUR_USD),
    )
