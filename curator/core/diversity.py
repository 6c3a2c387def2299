"""Criterion 3: a small set that covers many domains.

Each draw takes groups of rows and returns rows in the order drawn. Groups come in the order of their names
and rows longest first, so that the order of the input decides nothing; the randomness is the caller's.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random

import numpy as np

from curator.core.candidates import Numbers
from curator.core.difficulty import bands

Groups = Mapping[str, Sequence[int]]
Pick = Callable[[list[int], Random], int]


def grouped(rows: Numbers, names: Sequence[str], tokens: Numbers) -> dict[str, list[int]]:
    """Return the rows of each name, the names in order and the longest trace first.

    `names` and `tokens` are columns of all rows; `rows` says which of them to group, in ascending order.
    """
    if not len(rows):
        return {}
    known, codes = np.unique(np.asarray(names, dtype=object)[rows].astype(str), return_inverse=True)
    order = np.lexsort((rows, -tokens[rows], codes))
    ends = np.cumsum(np.bincount(codes, minlength=len(known)))[:-1]
    parts = np.split(rows[order], ends)
    return {str(name): part.tolist() for name, part in zip(known, parts, strict=True)}


def pick_long(longest_first: list[int], rng: Random) -> int:
    """Remove and return one row: the k-th longest (k from 0) has weight 2**-k.

    The rank is drawn by tossing a coin until it says stop, which is the geometric law; a rank past
    the end is drawn again, which is that law cut to the rows there are.
    """
    while True:
        rank = 0
        while rng.random() < 0.5:
            rank += 1
        if rank < len(longest_first):
            return longest_first.pop(rank)


def pick_any(rows: list[int], rng: Random) -> int:
    """Remove and return one row, all equally likely."""
    place = rng.randrange(len(rows))
    rows[place], rows[-1] = rows[-1], rows[place]
    return rows.pop()


def draw_evenly(groups: Groups, size: int, rng: Random, pick: Pick = pick_long) -> list[int]:
    """Draw without replacement: a group, all equally likely, then one of its rows by `pick`.

    Exhausted groups drop out; fewer than `size` come back where there are no more.

    Source: s1 (arXiv 2501.19393), section 2.2, diversity, Algorithm 1.
    """
    left = {name: list(rows) for name, rows in sorted(groups.items()) if rows}
    names = list(left)
    drawn: list[int] = []
    while names and len(drawn) < size:
        name = names[rng.randrange(len(names))]
        drawn.append(pick(left[name], rng))
        if not left[name]:
            names.remove(name)
    return drawn


def draw_evenly_then_by_weight(
    groups: Groups, size: int, rng: Random, *, evenly: int, weights: Mapping[str, float]
) -> list[int]:
    """Draw `evenly` rows as `draw_evenly` does, and the rest with each domain as likely as its weight.

    Groups without a weight give nothing to the rest, unless no group that is left has one.

    Source: s1's data/filter.ipynb, which draws evenly up to 700 and then by the target exams' mix of domains.
    """
    first = draw_evenly(groups, min(evenly, size), rng)
    taken = set(first)
    left = {name: [row for row in rows if row not in taken] for name, rows in sorted(groups.items())}
    drawn = list(first)
    while len(drawn) < size:
        names = [name for name, rows in left.items() if rows and weights.get(name, 0) > 0]
        names = names or [name for name, rows in left.items() if rows]
        if not names:
            break
        name = rng.choices(names, [weights.get(name, 0) or 1 for name in names])[0]
        drawn.append(pick_long(left[name], rng))
    return drawn


def draw_covering(groups: Groups, tokens: Numbers, size: int, rng: Random, band_count: int) -> list[int]:
    """Draw evenly over domain and difficulty band: each cell in turn gives one, until enough or empty."""
    cells: dict[str, list[int]] = {}
    for name, rows in sorted(groups.items()):
        in_band = bands(tokens[np.asarray(rows)], band_count).tolist()
        for row, band in zip(rows, in_band, strict=True):
            cells.setdefault(f"{name}\x1f{band:03d}", []).append(row)
    for rows in cells.values():
        rng.shuffle(rows)
    order = sorted(cells)
    drawn: list[int] = []
    while order and len(drawn) < size:
        rng.shuffle(order)
        drawn += [cells[cell].pop() for cell in order[: size - len(drawn)]]
        order = sorted(cell for cell in order if cells[cell])
    return drawn


def draw_by_weights(
    groups: Groups, size: int, rng: Random, weights: Mapping[str, float], pick: Pick = pick_any
) -> list[int]:
    """Draw quotas by the weights of a blueprint; what a short group cannot give, the others do.

    Groups without a weight get none unless no group has one; then all are equal.
    """
    left = {name: list(rows) for name, rows in sorted(groups.items()) if rows}
    weighted = {name: weights.get(name, 0.0) for name in left if weights.get(name, 0.0) > 0}
    weighted = weighted or dict.fromkeys(left, 1.0)
    drawn: list[int] = []
    while weighted and len(drawn) < size:
        for name, count in quotas(weighted, size - len(drawn)).items():
            drawn += [pick(left[name], rng) for _ in range(min(count, len(left[name])))]
        weighted = {name: weight for name, weight in weighted.items() if left[name]}
    return drawn


def quotas(weights: Mapping[str, float], size: int) -> dict[str, int]:
    """Share `size` out by weight, whole numbers, by the largest remainders."""
    total = sum(weights.values())
    exact = {name: size * weight / total for name, weight in weights.items()}
    shares = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in by_remainder[: size - sum(shares.values())]:
        shares[name] += 1
    return shares


def draw_by_source(groups: Groups, sources: Sequence[str], size: int, rng: Random) -> list[int]:
    """Draw a domain, then a source in it, then a question, each equally likely.

    Source: m1 (arXiv 2504.00869), src/select_data.
    """
    left = {domain: _by_source(rows, sources) for domain, rows in sorted(groups.items()) if rows}
    drawn: list[int] = []
    while left and len(drawn) < size:
        domain = rng.choice(sorted(left))
        source = rng.choice(sorted(left[domain]))
        drawn.append(pick_any(left[domain][source], rng))
        if not left[domain][source]:
            del left[domain][source]
        if not left[domain]:
            del left[domain]
    return drawn


def _by_source(rows: Sequence[int], sources: Sequence[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for row in rows:
        groups.setdefault(sources[row], []).append(row)
    return groups
