"""The criteria in a method's order: funnel, members, and a reason for each question left out.

The same candidates, method and seed give the same members on any machine, whatever the order of
the rows. Source: s1 (arXiv 2501.19393), section 2.2; m1 (arXiv 2504.00869) for `m1`.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from random import Random
from typing import Any

from common.core.refusal import Refusal
from curator.core.difficulty import too_easy
from curator.core.diversity import (
    Drawable,
    by_domain,
    draw_by_weights,
    draw_covering,
    draw_evenly,
    pick_any,
)
from curator.core.quality import BY_NAME

NO_DOMAIN = "(no domain)"
NOT_RIGHT = "The trace's answer does not agree with the key."
DRAWS = ("even-domains", "coverage", "blueprint", "domain-source", "domains", "random", "longest", "all")


class BadMethod(Refusal):
    """A method cannot be used as it is written."""


class PoolTooSmall(Refusal):
    """Nothing is left to draw from."""


class TooManyPins(Refusal):
    """More questions are pinned than the selection may hold."""


@dataclass(frozen=True)
class Method:
    """How a selection is made, as data; each field is a knob that a page shows.

    Raises:
        BadMethod: a value of a wrong kind or out of its range.
    """

    name: str
    draw: str = "even-domains"
    quality: bool = True  # drop what shows a flaw
    patterns: Sequence[str] = tuple(BY_NAME)  # the flaws that count, by name
    difficulty: bool = True  # drop what solvers pass too often
    most_passed: float = 0.0  # the largest share of a question's attempts that may pass
    only_right: bool = False  # drop traces whose answer does not agree with the key
    keep_untried: bool = True  # keep a question that no solver tried
    bands: int = 7  # of difficulty, for `coverage`
    weights: Mapping[str, float] = field(default_factory=dict)  # by domain, for `blueprint`

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise BadMethod("The method has no name; give it one in the field name.")
        if self.draw not in DRAWS:
            raise BadMethod(f"The method's draw {self.draw!r} is not one of {', '.join(DRAWS)}.")
        for switch in ("quality", "difficulty", "only_right", "keep_untried"):
            if not isinstance(getattr(self, switch), bool):
                raise BadMethod(f"The method's {switch} is {getattr(self, switch)!r}; it is true or false.")
        if not _is_number(self.most_passed) or not 0 <= self.most_passed <= 1:
            raise BadMethod(f"The method's most_passed is {self.most_passed!r}; it is a share, from 0 to 1.")
        if not _is_number(self.bands) or self.bands != int(self.bands) or not 1 <= self.bands <= 100:
            raise BadMethod(f"The method's bands is {self.bands!r}; it is a whole number from 1 to 100.")
        self._check_patterns()
        self._check_weights()

    def _check_patterns(self) -> None:
        known = list(BY_NAME)
        if not isinstance(self.patterns, list | tuple) or any(name not in known for name in self.patterns):
            raise BadMethod(
                f"The method's patterns are {self.patterns!r}; it is a list of {', '.join(known)}."
            )

    def _check_weights(self) -> None:
        if not isinstance(self.weights, Mapping):
            raise BadMethod("The method's weights are no object; write a number for each domain's code.")
        for domain, weight in self.weights.items():
            if not _is_number(weight) or weight < 0:
                raise BadMethod(f"The method's weight of {domain} is {weight!r}; it is a number, 0 or more.")

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they are stored."""
        return asdict(self) | {"weights": dict(self.weights), "patterns": list(self.patterns)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("s1-paper"),
        Method("coverage", draw="coverage"),
        Method("blueprint", draw="blueprint"),
        Method("m1", draw="domain-source", only_right=True),
        Method("random", draw="random", quality=False, difficulty=False),
        Method("quality", draw="random", difficulty=False),
        Method("difficulty", draw="longest", difficulty=False),
        Method("diversity", draw="domains", difficulty=False),
        Method("all", draw="all", quality=False, difficulty=False),
    )
}
CONTROL_METHODS = ("random", "quality", "difficulty", "diversity", "all")


def method_from(given: Mapping[str, Any] | str) -> Method:
    """Return a built-in method by its name, or one from its fields.

    Raises:
        BadMethod: no such name, an unknown field, or a value out of range.
    """
    if isinstance(given, str):
        if given not in METHODS:
            raise BadMethod(f"There is no method {given!r}; there are {', '.join(METHODS)}.")
        return METHODS[given]
    known = {each.name for each in fields(Method)}
    if unknown := sorted(set(given) - known):
        raise BadMethod(f"A method has no field {', '.join(unknown)}; it has {', '.join(sorted(known))}.")
    if "name" not in given:
        raise BadMethod("The method has no name; give it one in the field name.")
    return Method(**given)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question as the criteria see it; `id` is its content hash, `trace` its best trace or None."""

    id: str
    domain: str
    source: str
    trace: int | None
    trace_tokens: int = 0
    is_right: bool = False
    flaw: str = ""  # the reason of the first of the method's quality patterns that it shows
    attempts: int = 0
    passes: int = 0
    pinned: bool = False
    banned: bool = False
    leaked: str = ""  # the benchmark that holds it


@dataclass(frozen=True)
class Stage:
    """One step of the funnel."""

    stage: str
    kept: int
    dropped: int


@dataclass(frozen=True)
class Verdict:
    """Why one question is in or out, and at which stage that was decided."""

    stage: str
    reason: str


@dataclass(frozen=True)
class Result:
    """A selection: its funnel, its members in the order drawn, and a verdict for every candidate."""

    funnel: tuple[Stage, ...]
    members: tuple[str, ...]
    verdicts: Mapping[str, Verdict]
    members_hash: str  # SHA-256 over the members' ids in order
    pinned: int = 0  # members that are there because an expert pinned them
    shortfall: str = ""  # a sentence, where fewer questions were left than were wanted


def select(candidates: Iterable[Candidate], method: Method, *, size: int, seed: int) -> Result:
    """Run a method over the candidates.

    An expert's pin outranks quality, difficulty and the draw; a ban, a missing trace and a leak
    outrank a pin, for nothing that a benchmark holds may be trained on. The method `all` takes every
    question that is left, whatever the size. Where fewer are left than wanted, all of them are
    members and `shortfall` says so.

    Raises:
        PoolTooSmall: no candidate passed; the message gives the counts.
        TooManyPins: more questions are pinned than `size`.
        ValueError: two candidates have one id, or `size` is below 1.
    """
    left = sorted(candidates, key=lambda candidate: candidate.id)
    _check_input(left, size)
    funnel = [Stage("pool", len(left), 0)]
    verdicts: dict[str, Verdict] = {}
    for stage, refuse in _filters(method):
        reasons = {candidate.id: reason for candidate in left if (reason := refuse(candidate))}
        verdicts |= {id_: Verdict(stage, reason) for id_, reason in reasons.items()}
        left = [candidate for candidate in left if candidate.id not in reasons]
        funnel.append(Stage(stage, len(left), len(reasons)))
    if not left:
        raise PoolTooSmall(
            f"No question passed the criteria ({_counts(funnel)}); collect traces, or choose a milder method."
        )
    members = _draw(left, method, size, Random(f"qianti {seed}"))
    verdicts |= _verdicts_of_draw(left, members, method)
    funnel.append(Stage("draw", len(members), len(left) - len(members)))
    ids = tuple(member.id for member in members)
    return Result(
        funnel=tuple(funnel),
        members=ids,
        verdicts=verdicts,
        members_hash=hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        pinned=sum(candidate.pinned for candidate in left),
        shortfall=_shortfall(len(ids), size, method, funnel),
    )


def _check_input(candidates: Sequence[Candidate], size: int) -> None:
    if size < 1:
        raise ValueError(f"a selection has 1 question or more, not {size}")
    for one, next_one in pairwise(candidates):
        if one.id == next_one.id:
            raise ValueError(f"two candidates have the id {one.id}")


def _counts(funnel: Sequence[Stage]) -> str:
    """Return the funnel in words: "100 in the pool, 20 dropped by trace, 5 by quality, 75 left"."""
    dropped = [f"{stage.dropped:,} dropped by {stage.stage}" for stage in funnel if stage.dropped]
    return ", ".join([f"{funnel[0].kept:,} in the pool", *dropped, f"{funnel[-1].kept:,} left"])


def _shortfall(drawn: int, size: int, method: Method, funnel: Sequence[Stage]) -> str:
    if drawn >= size or method.draw == "all":
        return ""
    selected = f"{size:,} questions were wanted and {drawn:,} selected ({_counts(funnel)})"
    return f"{selected}: bring in more, or loosen a criterion."


Refuse = Callable[[Candidate], str]


def _filters(method: Method) -> list[tuple[str, Refuse]]:
    """Return the stages in their order, each with a function from a candidate to its refusal or "".

    Every method has the same stages, so that funnels stand side by side; what it does not ask for
    refuses nothing. Only the stage "right" belongs to the methods that train on right traces alone.
    """
    stages: list[tuple[str, Refuse]] = [
        ("trace", lambda it: "" if it.trace is not None else "No teacher has answered it."),
        ("banned", lambda it: "An expert banned it." if it.banned else ""),
        ("leak", lambda it: f"The benchmark {it.leaked} holds it." if it.leaked else ""),
        ("quality", lambda it: it.flaw if method.quality and not it.pinned else ""),
    ]
    if method.only_right:
        stages.append(("right", lambda it: "" if it.pinned or it.is_right else NOT_RIGHT))
    return [*stages, ("difficulty", lambda it: "" if it.pinned else _too_easy(it, method))]


def _too_easy(candidate: Candidate, method: Method) -> str:
    if not method.difficulty:
        return ""
    verdict = too_easy(passes=candidate.passes, attempts=candidate.attempts, most_passed=method.most_passed)
    if verdict is None:
        return "" if method.keep_untried else "No solver has tried it, so its difficulty is not known."
    return f"Solvers pass it: {candidate.passes} of {candidate.attempts} tries." if verdict else ""


def _draw(left: Sequence[Candidate], method: Method, size: int, rng: Random) -> list[Drawable]:
    """Return the pinned ones, then what the method's draw adds to make `size`."""
    drawable = [Drawable(it.id, it.domain or NO_DOMAIN, it.source, it.trace_tokens) for it in left]
    pinned = {it.id for it in left if it.pinned}
    if len(pinned) > size and method.draw != "all":
        raise TooManyPins(
            f"{len(pinned)} questions are pinned and {size} wanted; ask for more, or unpin some."
        )
    first = [it for it in drawable if it.id in pinned]
    others = [it for it in drawable if it.id not in pinned]
    return first + _drawn(others, method, size - len(first), rng)


def _drawn(others: list[Drawable], method: Method, size: int, rng: Random) -> list[Drawable]:
    if method.draw == "all":
        return others
    if method.draw == "longest":
        return sorted(others, key=lambda it: (-it.trace_tokens, it.id))[:size]
    if method.draw == "random":
        return rng.sample(others, min(size, len(others)))
    if method.draw == "coverage":
        return draw_covering(others, size, rng, method.bands)
    if method.draw == "blueprint":
        return draw_by_weights(by_domain(others), size, rng, method.weights)
    if method.draw == "domain-source":
        return _draw_domain_source(others, size, rng)
    if method.draw == "domains":
        return draw_evenly(by_domain(others), size, rng, pick_any)
    return draw_evenly(by_domain(others), size, rng)


def _draw_domain_source(others: Sequence[Drawable], size: int, rng: Random) -> list[Drawable]:
    """Draw a domain, then a source in it, then a question, each equally likely (m1)."""
    left = {
        domain: {source: list(members) for source, members in _by_source(group).items()}
        for domain, group in by_domain(others).items()
    }
    drawn: list[Drawable] = []
    while left and len(drawn) < size:
        domain = rng.choice(sorted(left))
        source = rng.choice(sorted(left[domain]))
        drawn.append(pick_any(left[domain][source], rng))
        if not left[domain][source]:
            del left[domain][source]
        if not left[domain]:
            del left[domain]
    return drawn


def _by_source(members: Iterable[Drawable]) -> dict[str, list[Drawable]]:
    groups: dict[str, list[Drawable]] = {}
    for member in members:
        groups.setdefault(member.source, []).append(member)
    return groups


def _verdicts_of_draw(
    left: Sequence[Candidate], members: Sequence[Drawable], method: Method
) -> dict[str, Verdict]:
    """Return why each question that reached the draw is in or out, with the counts of its domain."""
    there = Counter(it.domain or NO_DOMAIN for it in left)
    taken = Counter(member.domain for member in members)
    drawn = {member.id: place for place, member in enumerate(members, start=1)}
    verdicts = {}
    for it in left:
        domain = it.domain or NO_DOMAIN
        counts = f"{taken[domain]:,} of the {there[domain]:,} left in {domain}"
        if it.id not in drawn:
            reason = f"It passed every criterion; the draw ({method.draw}) took {counts}."
        elif it.pinned:
            reason = "An expert pinned it."
        else:
            reason = f"Drawn {drawn[it.id]:,} of {len(members):,} by {method.name} ({method.draw}): {counts}."
        verdicts[it.id] = Verdict("draw", reason)
    return verdicts
