"""How a selection spreads over domains and lengths, beside all that it was drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.core.candidates import Candidates
from curator.core.selection import Result

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class DomainCount:
    """A domain's code, with how many members it has, how many questions there are, and the share it should have."""

    code: str
    members: int
    pool: int
    wanted: float | None = None  # from 0 to 1, where a blueprint gives it a weight


def domain_counts(result: Result, weights: Mapping[str, float]) -> list[DomainCount]:
    """Return every domain of the pool, the largest first.

    `weights` is a blueprint by code; with one, domains are counted under the branch that carries their weight.
    """
    column = result.candidates.questions["branch" if weights else "domain"]
    codes, places = np.unique(np.asarray(column.to_list(), dtype=str), return_inverse=True)
    pool = np.bincount(places, minlength=len(codes))
    members = np.bincount(places[list(result.member_rows)], minlength=len(codes))
    total = sum(weights.values())
    counts = [
        DomainCount(
            code, int(taken), int(there), weights[code] / total if total and code in weights else None
        )
        for code, taken, there in zip(codes.tolist(), members, pool, strict=True)
    ]
    return sorted(counts, key=lambda it: (-it.pool, it.code))


def lengths(result: Result) -> tuple[Numbers, Numbers]:
    """Return the thinking tokens of the members' traces, and of the best traces of those left out."""
    is_member = np.zeros(len(result.candidates), dtype=bool)
    is_member[list(result.member_rows)] = True
    best, tokens = result.trace_of, result.candidates.traces["tokens"].to_numpy()
    return tokens[best[is_member]], tokens[best[~is_member & (best >= 0)]]


def flaw_counts(candidates: Candidates) -> dict[str, int]:
    """Return how many questions or traces show each pattern, by its name."""
    masks = np.concatenate([candidates.questions["flaws"].to_numpy(), candidates.traces["flaws"].to_numpy()])
    return {
        name: int(((masks >> np.uint64(bit)) & np.uint64(1)).sum())
        for bit, name in enumerate(candidates.patterns)
    }


def flaw_examples(candidates: Candidates, most: int) -> dict[str, list[int]]:
    """Return the keys of the first questions that show each pattern, or whose traces do, by its name."""
    own = candidates.questions["flaws"].to_numpy()
    keys, of_traces = candidates.numbers("pk"), candidates.traces["flaws"].to_numpy()
    trace_keys = candidates.traces["question"].to_numpy()
    examples = {}
    for bit, name in enumerate(candidates.patterns):
        shown = [
            of[((masks >> np.uint64(bit)) & np.uint64(1)) == 1][:most]
            for of, masks in ((keys, own), (trace_keys, of_traces))
        ]
        examples[name] = list(dict.fromkeys(np.concatenate(shown).tolist()))[:most]
    return examples
