"""Criterion 3: a small set that covers many domains.

Each draw takes and returns ids in the order drawn. Candidates come sorted, so that the order of
the rows decides nothing, and the randomness is the caller's.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from curator.core.difficulty import bands


@dataclass(frozen=True)
class Drawable:
    """What a draw looks at."""

    id: str
    domain: str
    source: str
    trace_tokens: int


Groups = Mapping[str, Sequence[Drawable]]
Pick = Callable[[list[Drawable], Random], Drawable]


def by_domain(candidates: Sequence[Drawable]) -> dict[str, list[Drawable]]:
    """Return the candidates of each domain, the longest trace first."""
    groups: defaultdict[str, list[Drawable]] = defaultdict(list)
    for candidate in sorted(candidates, key=lambda it: (-it.trace_tokens, it.id)):
        groups[candidate.domain].append(candidate)
    return dict(sorted(groups.items()))


def pick_long(longest_first: list[Drawable], rng: Random) -> Drawable:
    """Remove and return one candidate: the k-th longest (k from 0) has weight 2**-k.

    The rank is drawn by tossing a coin until it says stop, which is the geometric law; a rank past
    the end is drawn again, which is that law cut to the candidates there are.
    """
    while True:
        rank = 0
        while rng.random() < 0.5:
            rank += 1
        if rank < len(longest_first):
            return longest_first.pop(rank)


def pick_any(candidates: list[Drawable], rng: Random) -> Drawable:
    """Remove and return one candidate, all equally likely."""
    place = rng.randrange(len(candidates))
    candidates[place], candidates[-1] = candidates[-1], candidates[place]
    return candidates.pop()


def draw_evenly(groups: Groups, size: int, rng: Random, pick: Pick = pick_long) -> list[Drawable]:
    """Draw without replacement: a group, all equally likely, then one of its candidates by `pick`.

    Exhausted groups drop out; fewer than `size` come back where there are no more.

    Source: s1 (arXiv 2501.19393), section 2.2, diversity, Algorithm 1.
    """
    left = {name: list(members) for name, members in sorted(groups.items()) if members}
    names = list(left)
    drawn: list[Drawable] = []
    while names and len(drawn) < size:
        name = names[rng.randrange(len(names))]
        drawn.append(pick(left[name], rng))
        if not left[name]:
            names.remove(name)
    return drawn


def draw_covering(candidates: Sequence[Drawable], size: int, rng: Random, band_count: int) -> list[Drawable]:
    """Draw evenly over domain and difficulty band: each cell in turn gives one, until enough or empty."""
    cells: dict[str, list[Drawable]] = {}
    for domain, members in by_domain(candidates).items():
        in_band = bands([member.trace_tokens for member in members], band_count)
        for member, band in zip(members, in_band, strict=True):
            cells.setdefault(f"{domain}\x1f{band:03d}", []).append(member)
    for members in cells.values():
        rng.shuffle(members)
    order = sorted(cells)
    drawn: list[Drawable] = []
    while order and len(drawn) < size:
        rng.shuffle(order)
        drawn += [cells[cell].pop() for cell in order[: size - len(drawn)]]
        order = sorted(cell for cell in order if cells[cell])
    return drawn


def draw_by_weights(
    groups: Groups, size: int, rng: Random, weights: Mapping[str, float], pick: Pick = pick_any
) -> list[Drawable]:
    """Draw quotas by the weights of a blueprint; what a short group cannot give, the others do.

    Groups without a weight get none unless no group has one; then all are equal.
    """
    left = {name: list(members) for name, members in sorted(groups.items()) if members}
    weighted = {name: weights.get(name, 0.0) for name in left if weights.get(name, 0.0) > 0}
    weighted = weighted or dict.fromkeys(left, 1.0)
    drawn: list[Drawable] = []
    while weighted and len(drawn) < size:
        for name, count in _quotas(weighted, size - len(drawn)).items():
            drawn += [pick(left[name], rng) for _ in range(min(count, len(left[name])))]
        weighted = {name: weight for name, weight in weighted.items() if left[name]}
    return drawn


def _quotas(weights: Mapping[str, float], size: int) -> dict[str, int]:
    """Share `size` out by weight, whole numbers, by the largest remainders."""
    total = sum(weights.values())
    exact = {name: size * weight / total for name, weight in weights.items()}
    quotas = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (quotas[name] - exact[name], name))
    for name in by_remainder[: size - sum(quotas.values())]:
        quotas[name] += 1
    return quotas
