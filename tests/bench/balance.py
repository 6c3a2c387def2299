"""The share of sixteen cards' time that is not lost to waiting: packed steps beside one row for each card.

It is computed, not measured on cards: the cost of a row is linear in its tokens, with attention's quadratic part.
The seconds are those that laying out all packs of a run takes.
"""

import gzip
import json
import math
from collections.abc import Callable, Sequence
from random import Random

from common.core.text import estimate_tokens
from tests.bench import material
from tests.bench.figures import Figure, timed
from training.core.packing import packed_balance, row_balance, steps_of_order
from training.core.recipe import s1

NAME = "Balance of sixteen cards"
CARDS, SEQUENCE_PARALLEL = 16, (8, 4, 2, 1)  # 8: the cards of one machine, and 32B's heads of keys
ROWS = 1000
LEAST_BALANCE = 0.95  # of the best layout
CAP = s1().max_length

Lengths = tuple[int, ...]


def run(scale: float) -> list[Figure]:
    """Lay out five epochs of each distribution of lengths, for every way to share a pack among cards."""
    rows = max(64, round(ROWS * scale))
    named: dict[str, Callable[[], Lengths]] = {
        "as long as s1K": lambda: _drawn(rows, 8.57, 0.40, least=600, most=10_000),
        "as long as s1K-1.1, at most 20,000": lambda: _drawn(rows, 9.0, 0.65, least=600, most=20_000),
        "as long as s1K-1.1, at most 32,768": lambda: _drawn(rows, 9.0, 0.65, least=600, most=CAP),
        "real traces": real_lengths,
    }
    return [figure for name, lengths in named.items() for figure in _figures(name, lengths())]


def _drawn(count: int, mean: float, spread: float, *, least: int, most: int) -> Lengths:
    """Return lengths of a log-normal law, clipped. Source: the research figures on training, 3.1."""
    rng = Random(1)
    return tuple(round(min(most, max(least, math.exp(rng.gauss(mean, spread))))) for _ in range(count))


def real_lengths() -> Lengths:
    """Return about how many tokens each real trace with its question and answer has; none where there are none."""
    lengths = []
    for path in sorted((material.FOLDER / "traces").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = map(json.loads, lines)
            lengths += [
                estimate_tokens(row["question"])
                + estimate_tokens(row["thinking"])
                + estimate_tokens(row["answer"])
                for row in rows
            ]
    return tuple(min(each, CAP) for each in lengths)


def _figures(name: str, lengths: Lengths) -> list[Figure]:
    """Return a figure for each number of cards that share a pack; what was promised is that of the best."""
    if not lengths:
        return []
    steps = _steps(lengths)
    one_by_one = row_balance(steps, CARDS)
    balances, seconds = {}, {}
    for shared_by in SEQUENCE_PARALLEL:
        with timed() as clock:
            balances[shared_by] = packed_balance(steps, CARDS // shared_by)
        seconds[shared_by] = clock.seconds
    best = max(balances, key=lambda shared_by: balances[shared_by])
    of_rows = f"{one_by_one:.1%} with one row a card; {sum(lengths) / len(lengths):,.0f} tokens a row"
    return [
        Figure(
            f"{name}: {CARDS // shared_by} packs" + (f", {shared_by} cards each" if shared_by > 1 else ""),
            seconds[shared_by],
            ratio=balance,
            limit=f"at least {LEAST_BALANCE}" if shared_by == best else "",
            note=f"{balance:.1%} of the cards' time is work, {of_rows}",
            kept=balance >= LEAST_BALANCE if shared_by == best else None,
        )
        for shared_by, balance in balances.items()
    ]


def _steps(lengths: Lengths) -> list[Sequence[int]]:
    """Return the tokens of each step's rows, over all epochs of s1's recipe."""
    recipe, rng = s1(), Random(s1().seed)
    return [
        step
        for _epoch in range(recipe.epochs)
        for step in steps_of_order(rng.sample(lengths, len(lengths)), recipe.batch_size)
    ]
