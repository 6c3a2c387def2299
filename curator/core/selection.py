"""The criteria in a method's order: funnel, members, and a reason for each question left out.

The same candidates, method and seed give the same members on any machine, whatever the order of
the rows. Source: s1 (arXiv 2501.19393), section 2.2; m1 (arXiv 2504.00869) for `m1`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy as np

from common.core.refusal import Refusal
from curator.core import diversity
from curator.core.best import RANKINGS
from curator.core.candidates import NO_DOMAIN, Candidates, Flags, Numbers
from curator.core.difficulty import too_easy
from curator.core.method import Method

POOL, LEAK, DRAW = "pool", "leak", "draw"
DISPUTED = "Its key is disputed: files differ, or a reviewer doubts it. An expert can settle that."
NOT_RIGHT = "The trace's answer does not agree with the key."
ONLY_SUMMARIES = "Its teachers sent only summaries of their thinking; an expert can choose one all the same."


class PoolTooSmall(Refusal):
    """Nothing is left to draw from."""


class TooManyPins(Refusal):
    """More questions are pinned than the selection may hold."""


@dataclass(frozen=True)
class Stage:
    """One step of the funnel: who stayed, who went, and the money of those who went.

    `usd_spent` is what their traces have cost; `usd_saved` is what traces of those without any would have.
    """

    stage: str
    kept: int
    dropped: int
    usd_spent: float = 0.0
    usd_saved: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Why one question is in or out, and at which stage that was decided."""

    stage: str
    reason: str


@dataclass(frozen=True)
class Result:
    """A selection: its funnel, its members in the order drawn, and a verdict for every candidate."""

    candidates: Candidates
    method: Method
    funnel: tuple[Stage, ...]
    member_rows: tuple[int, ...]  # in the order drawn
    stage_of: Numbers  # by row: the place in `funnel` of the stage that decided
    trace_of: Numbers  # by row: the place of its best trace, or -1
    pinned: int  # members that are there because an expert pinned them
    banned: int
    shortfall: str  # a sentence, where fewer questions were left than were wanted

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Return the members' ids in the order drawn."""
        ids = self.candidates.ids
        return tuple(ids[row] for row in self.member_rows)

    @cached_property
    def members_hash(self) -> str:
        """Return SHA-256 over the members' ids in order, in 64 hex digits."""
        return hashlib.sha256("\n".join(self.members).encode()).hexdigest()

    @cached_property
    def position_of(self) -> dict[int, int]:
        """Return the place of each member's row among the drawn, from 0."""
        return {row: position for position, row in enumerate(self.member_rows)}

    @cached_property
    def _questions(self) -> dict[str, list[object]]:
        names = (
            *("domain", "passes", "attempts", "rating", "pinned"),
            *("leaked", "leaked_item", "copy_of", "disputed", "flaws"),
        )
        return {name: self.candidates.questions[name].to_list() for name in names}

    @cached_property
    def _by_domain(self) -> tuple[Counter[str], Counter[str]]:
        """Return how many reached the draw and how many were drawn, by domain."""
        domains = self._questions["domain"]
        reached = np.flatnonzero(self.stage_of == len(self.funnel) - 1).tolist()
        return (
            Counter(str(domains[row]) for row in reached),
            Counter(str(domains[row]) for row in self.member_rows),
        )

    def verdict_at(self, row: int) -> Verdict:
        """Return why the question of a row is in or out."""
        stage = self.funnel[int(self.stage_of[row])].stage
        return Verdict(stage, self._reason(stage, row))

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdict of each row in order."""
        return map(self.verdict_at, range(len(self.candidates)))

    def _reason(self, stage: str, row: int) -> str:
        facts = self._questions
        match stage:
            case "banned":
                return "An expert banned it."
            case "leak":
                return leak_reason(str(facts["leaked"][row]), int(str(facts["leaked_item"][row])))
            case "copy":
                return f"It is a near copy of question {facts['copy_of'][row]}, which is kept in its place."
            case "quality":
                return DISPUTED if facts["disputed"][row] else self._flaw(int(str(facts["flaws"][row])))
            case "trace":
                return ONLY_SUMMARIES if self.candidates.has_trace[row] else "No teacher has answered it."
            case "trace quality":
                return self._flaw(int(self.candidates.traces["flaws"][int(self.trace_of[row])]))
            case "right":
                return NOT_RIGHT
            case "difficulty":
                return self._too_easy(row)
            case _:
                return self._drawn(row)

    def _flaw(self, mask: int) -> str:
        counted = mask & int(self.candidates.mask(self.method.patterns_of(self.candidates.patterns)))
        name = self.candidates.patterns[(counted & -counted).bit_length() - 1]
        return self.candidates.reasons.get(name, f"It shows the pattern {name}.")

    def _too_easy(self, row: int) -> str:
        facts, method = self._questions, self.method
        said = []
        if "passes" in method.difficulty_by:
            tries = f"Solvers pass it: {facts['passes'][row]} of {facts['attempts'][row]} tries."
            said.append(tries if facts["attempts"][row] else "No solver has tried it.")
        if "length" in method.difficulty_by:
            place = int(self.trace_of[row])
            tokens = self.candidates.traces["tokens"][place] if place >= 0 else 0
            said.append(f"Its trace has {tokens:,} tokens, and {method.least_tokens:,} are asked for.")
        if "rating" in method.difficulty_by:
            rated = f"An expert rates it {facts['rating'][row]}, and {method.least_rating} is asked for."
            said.append(rated if facts["rating"][row] else "No expert has rated it.")
        return " ".join(said)

    def _drawn(self, row: int) -> str:
        there, taken = self._by_domain
        domain = str(self._questions["domain"][row])
        counts = f"{taken[domain]:,} of the {there[domain]:,} left in {domain or NO_DOMAIN}"
        if row not in self.position_of:
            return f"It passed every criterion; the draw ({self.method.draw}) took {counts}."
        if self._questions["pinned"][row]:
            return "An expert pinned it."
        drawn = f"{self.position_of[row] + 1:,} of {len(self.member_rows):,}"
        return f"Drawn {drawn} by {self.method.name} ({self.method.draw}): {counts}."


def leak_reason(benchmark: str, item: int) -> str:
    """Return why a question is out that shares a passage with an item of a benchmark, numbered from 1."""
    return f"It shares a passage with item {item} of the benchmark {benchmark}."


def select(
    candidates: Candidates, method: Method, *, size: int, seed: int, usd_per_trace: float = 0.0
) -> Result:
    """Run a method over the candidates.

    An expert's pin outranks quality, difficulty, likeness and the draw; a ban, a missing trace and a leak
    outrank a pin, for nothing that a benchmark holds may be trained on. The method `all` takes every
    question that is left, whatever the size. Where fewer are left than wanted, all of them are
    members and `shortfall` says so. `usd_per_trace` is the price of a trace that was not bought.

    Raises:
        PoolTooSmall: no candidate passed; the message gives the counts.
        TooManyPins: more questions are pinned than `size`.
        ValueError: `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"a selection has 1 question or more, not {size}")
    counted = candidates.mask(method.patterns_of(candidates.patterns))
    best = candidates.best_traces(counted, RANKINGS[method.ranking])
    funnel, stage_of, left = _sieve(candidates, method, best, usd_per_trace)
    if not left.any():
        raise PoolTooSmall(
            f"No question passed the criteria ({_counts(funnel)}); collect traces, or choose a milder method."
        )
    rows = np.flatnonzero(left)
    members = _draw(candidates, method, rows, best, size=size, rng=Random(f"qianti {seed}"))
    funnel.append(Stage(DRAW, len(members), len(rows) - len(members)))
    stage_of[rows] = len(funnel) - 1
    return Result(
        candidates=candidates,
        method=method,
        funnel=tuple(funnel),
        member_rows=tuple(members),
        stage_of=stage_of,
        trace_of=best,
        pinned=int(candidates.flags("pinned")[rows].sum()),
        banned=int(candidates.flags("banned").sum()),
        shortfall=_shortfall(len(members), size, method, funnel),
    )


def _sieve(
    candidates: Candidates, method: Method, best: Numbers, usd_per_trace: float
) -> tuple[list[Stage], Numbers, Flags]:
    """Return the funnel before the draw, the stage that decided of each row, and who is left."""
    left = np.ones(len(candidates), dtype=bool)
    stage_of = np.zeros(len(candidates), dtype=np.int64)
    funnel = [Stage(POOL, len(candidates), 0)]
    for name, refused in _filters(candidates, method, best):
        dropped = left & refused
        left = left & ~refused
        spent = float(candidates.usd[dropped].sum())
        unbought = int((dropped & ~candidates.has_trace).sum()) if name != "trace" else 0
        stage_of[dropped] = len(funnel)
        funnel.append(Stage(name, int(left.sum()), int(dropped.sum()), spent, unbought * usd_per_trace))
    return funnel, stage_of, left


def _filters(candidates: Candidates, method: Method, best: Numbers) -> list[tuple[str, Flags]]:
    """Return the stages in their order, each with whom it refuses.

    Every method has the same stages, so that funnels stand side by side; what it does not ask for
    refuses nothing, but for a question whose key is disputed: no method can tell whether a trace of it is
    right. Only the stage "right" belongs to the methods that train on right traces alone, and
    methods that save the teacher's calls judge difficulty before there are traces.
    """
    free = ~candidates.flags("pinned")
    nobody = np.zeros(len(candidates), dtype=bool)
    counted = candidates.mask(method.patterns_of(candidates.patterns)) if method.quality else np.uint64(0)
    flaws = candidates.questions["flaws"].to_numpy()
    trace_flaws = _at(candidates.traces["flaws"].to_numpy(), best, np.uint64(0))
    is_right = _at(candidates.traces["is_right"].to_numpy(), best, False)
    hard = ("difficulty", free & _too_easy(candidates, method, best) if method.difficulty else nobody)
    copies = candidates.numbers("copy_of") != 0 if method.drop_copies else nobody
    stages = [
        ("banned", candidates.flags("banned")),
        (LEAK, (candidates.questions["leaked"] != "").to_numpy()),
        ("copy", free & copies),
        ("quality", free & (candidates.flags("disputed") | ((flaws & counted) != 0))),
        ("trace", best < 0),
        ("trace quality", free & ((trace_flaws & counted) != 0)),
    ]
    if method.only_right:
        stages.append(("right", free & ~is_right))
    stages.insert(4 if method.before_traces else len(stages), hard)
    return stages


def _at(column: Any, best: Numbers, missing: Any) -> Any:
    """Return what a column of traces says of each row's best one, or `missing` where it has none."""
    if not len(column):
        return np.full(len(best), missing, dtype=column.dtype)
    return np.where(best >= 0, column[best], missing).astype(column.dtype)


def _too_easy(candidates: Candidates, method: Method, best: Numbers) -> Flags:
    judged = too_easy(
        measures=tuple(method.difficulty_by),
        attempts=candidates.numbers("attempts"),
        passes=candidates.numbers("passes"),
        tokens=_at(candidates.traces["tokens"].to_numpy(), best, -1),
        ratings=candidates.numbers("rating"),
        most_passed=method.most_passed,
        least_tokens=method.least_tokens,
        least_rating=method.least_rating,
    )
    return judged.dropped(combine=method.combine, keep_unknown=method.keep_untried)


def _draw(
    candidates: Candidates, method: Method, rows: Numbers, best: Numbers, *, size: int, rng: Random
) -> list[int]:
    """Return the pinned rows, then those of preferred sources, then what the draw adds to make `size`."""
    pinned = rows[candidates.flags("pinned")[rows]]
    if len(pinned) > size and method.draw != "all":
        raise TooManyPins(
            f"{len(pinned)} questions are pinned and {size} wanted; ask for more, or unpin some."
        )
    others = rows[~candidates.flags("pinned")[rows]]
    tokens = _at(candidates.traces["tokens"].to_numpy(), best, 0)
    first = _first(candidates, method, others, best, tokens)
    if len(first) > size - len(pinned) and method.draw != "all":
        first = sorted(rng.sample(first, size - len(pinned)))
    others = others[~np.isin(others, first)]
    chosen = [*pinned.tolist(), *first]
    return chosen + _drawn(candidates, method, others, tokens, size - len(chosen), rng, len(chosen))


def _first(
    candidates: Candidates, method: Method, rows: Numbers, best: Numbers, tokens: Numbers
) -> list[int]:
    """Return the rows that are in from the start: a right trace, long enough, from a source named for it.

    Source: s1 (arXiv 2501.19393), section 2.2: "high-quality sources" first; its data/filter.ipynb.
    """
    if not method.first:
        return []
    is_right = _at(candidates.traces["is_right"].to_numpy(), best, False)
    sources = candidates.questions["source"].to_list()
    least = method.first
    return [
        row
        for row in rows.tolist()
        if sources[row] in least and is_right[row] and tokens[row] >= least[sources[row]]
    ]


def _drawn(
    candidates: Candidates,
    method: Method,
    rows: Numbers,
    tokens: Numbers,
    size: int,
    rng: Random,
    already: int,
) -> list[int]:
    if method.draw == "all":
        return list(rows.tolist())
    if method.draw == "longest":
        return list(rows[np.lexsort((rows, -tokens[rows]))][:size].tolist())
    if method.draw == "random":
        return rng.sample(rows.tolist(), min(size, len(rows)))
    groups = diversity.grouped(rows, _names(candidates, method), tokens)
    match method.draw:
        case "coverage":
            return diversity.draw_covering(groups, tokens, size, rng, method.bands)
        case "blueprint":
            return diversity.draw_by_weights(groups, size, rng, method.weights)
        case "domain-source":
            return diversity.draw_by_source(groups, candidates.questions["source"].to_list(), size, rng)
        case "domains":
            return diversity.draw_evenly(groups, size, rng, diversity.pick_any)
        case "even-then-target":
            evenly = max(0, round(method.even_share * (size + already)) - already)
            return diversity.draw_evenly_then_by_weight(
                groups, size, rng, evenly=evenly, weights=method.weights
            )
        case _:
            return diversity.draw_evenly(groups, size, rng)


def _names(candidates: Candidates, method: Method) -> Sequence[str]:
    column = candidates.questions["branch" if method.draw == "blueprint" else "domain"]
    return [name or NO_DOMAIN for name in column.to_list()]


def _counts(funnel: Sequence[Stage]) -> str:
    """Return the funnel in words: "100 in the pool, 20 dropped by trace, 5 by quality, 75 left"."""
    dropped = [f"{stage.dropped:,} dropped by {stage.stage}" for stage in funnel if stage.dropped]
    return ", ".join([f"{funnel[0].kept:,} in the pool", *dropped, f"{funnel[-1].kept:,} left"])


def _shortfall(drawn: int, size: int, method: Method, funnel: Sequence[Stage]) -> str:
    if drawn >= size or method.draw == "all":
        return ""
    selected = f"{size:,} questions were wanted and {drawn:,} selected ({_counts(funnel)})"
    return f"{selected}: bring in more, or loosen a criterion."
