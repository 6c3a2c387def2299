"""Which rows of an optimiser step lie in which pack, and how much of the cards' time a layout loses to waiting.

A pack is rows laid end to end, one for each group of cards that works on its own data; a step waits for its
dearest pack. Longest processing time first keeps the packs near each other and the step's rows what they were.
Source: Graham, Bounds on multiprocessing timing anomalies (1969); the lengths and the cost of a row are those of
the research figures on training, 3.1 and 3.2.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heapreplace

# A row of so many tokens costs as much in attention as in all matrix products: 32B's 31.98e9 weights, each used
# once a token, against half of 2 * 5,120 * 64 for each pair of tokens. Source: the figures named above.
EVEN_TOKENS = 97_600

Places = tuple[int, ...]


def row_cost(tokens: int) -> int:
    """Return what a row costs to train on, in units that compare rows: linear, and quadratic for attention."""
    return tokens * (EVEN_TOKENS + tokens)


def lay_out(costs: Sequence[int], packs: int) -> tuple[Places, ...]:
    """Return for each pack the places of its rows, dearest first.

    A row goes to the pack that is cheapest so far, the dearest row first; of equals the first. No pack is empty
    where there are as many rows as packs, and none costs more than 4/3 - 1/(3 packs) of the best there can be.
    """
    loads = [(0, pack) for pack in range(packs)]
    heapify(loads)
    places: list[list[int]] = [[] for _ in range(packs)]
    for place in sorted(range(len(costs)), key=lambda place: (-costs[place], place)):
        load, pack = loads[0]
        places[pack].append(place)
        heapreplace(loads, (load + costs[place], pack))
    return tuple(map(tuple, places))


def steps_of_order(order: Sequence[int], batch_size: int) -> Iterator[Sequence[int]]:
    """Yield the rows of each optimiser step, in the order that the sampler gave; the last may have fewer."""
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def packs_of_step(rows: Sequence[int], row_tokens: Sequence[int], packs: int) -> tuple[Places, ...]:
    """Return the rows in each pack of one step; `row_tokens` are the lengths of all rows of the dataset."""
    laid = lay_out([row_cost(row_tokens[row]) for row in rows], packs)
    return tuple(tuple(rows[place] for place in places) for places in laid)


def packed_balance(steps: Iterable[Sequence[int]], packs: int) -> float:
    """Return the share of the cards' time that is not lost to waiting, from 0 to 1, of steps packed as above.

    `steps` are the tokens of each step's rows. Cards that share a pack share its work in equal parts.
    """
    return _balance(
        [sum(costs[place] for place in places) for places in lay_out(costs, packs)]
        for costs in map(_costs, steps)
    )


def row_balance(steps: Iterable[Sequence[int]], groups: int) -> float:
    """Return the same share where each group takes one row at a time, and the next when all groups are ready."""
    return _balance(
        costs[start : start + groups]
        + [0] * (groups - len(costs[start : start + groups]))  # they wait, or repeat a row for nothing
        for costs in map(_costs, steps)
        for start in range(0, len(costs), groups)
    )


def _costs(tokens: Sequence[int]) -> list[int]:
    return list(map(row_cost, tokens))


def _balance(passes: Iterable[Sequence[int]]) -> float:
    """Return the work of all groups by the time that they take together; a pass lasts as long as its longest."""
    work = time = 0
    for loads in passes:
        work += sum(loads)
        time += max(loads) * len(loads)
    return work / time if time else 1.0
