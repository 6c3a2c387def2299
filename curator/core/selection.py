"""The criteria in a method's order: funnel, members, and a reason for each question left out.

The same candidates, method and seed give the same members on any machine, whatever the order of
the rows. Source: s1 (arXiv 2501.19393), section 2.2; m1 (arXiv 2504.00869) for `m1`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
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

NO_DOMAIN = "(no domain)"
DRAWS = ("even-domains", "coverage", "blueprint", "domain-source", "random", "longest", "all")


class BadMethod(Refusal):
    """A method cannot be used as it is written."""


class PoolTooSmall(Refusal):
    """Nothing is left to draw from."""


@dataclass(frozen=True)
class Method:
    """How a selection is made, as data; each field is a knob that a page shows."""

    name: str
    draw: str = "even-domains"
    quality: bool = True  # drop what shows a flaw
    difficulty: bool = True  # drop what solvers pass too often
    most_passed: float = 0.0  # the largest share of a question's attempts that may pass
    only_right: bool = False  # drop traces whose answer does not agree with the key
    keep_untried: bool = True  # keep a question that no solver tried
    bands: int = 7  # of difficulty, for `coverage`
    weights: Mapping[str, float] = field(default_factory=dict)  # by domain, for `blueprint`

    def __post_init__(self) -> None:
        if self.draw not in DRAWS:
            raise BadMethod(f"The method's draw {self.draw!r} is not one of {', '.join(DRAWS)}.")
        if not 0 <= self.most_passed <= 1:
            raise BadMethod(f"The method's most_passed is {self.most_passed}; it is a share, from 0 to 1.")
        if not 1 <= self.bands <= 100:
            raise BadMethod(f"The method's bands is {self.bands}; it goes from 1 to 100.")
        if any(weight < 0 for weight in self.weights.values()):
            raise BadMethod("The method's weights hold a negative one; a weight is 0 or more.")

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they are stored."""
        return asdict(self) | {"weights": dict(self.weights)}


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
        Method("diversity", draw="domain-source", difficulty=False),
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
    if not str(given.get("name", "")).strip():
        raise BadMethod("The method has no name; give it one in the field name.")
    try:
        return Method(**given)
    except TypeError as error:
        raise BadMethod(
            f"The method {given.get('name')!r} holds a value of a wrong kind: {error}."
        ) from error


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question as the criteria see it; `id` is its content hash, `trace` its best trace or None."""

    id: str
    domain: str
    source: str
    trace: int | None
    trace_tokens: int = 0
    is_right: bool = False
    flaw: str = ""  # the reason of the first quality pattern that it shows
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
    members_hash: str


def select(candidates: Iterable[Candidate], method: Method, *, size: int, seed: int) -> Result:
    """Run a method over the candidates.

    Raises:
        PoolTooSmall: no candidate passed; the message gives the counts.
    """
    left = sorted(candidates, key=lambda candidate: candidate.id)
    funnel = [Stage("pool", len(left), 0)]
    verdicts: dict[str, Verdict] = {}
    for stage, refuse in _filters(method):
        reasons = {candidate.id: reason for candidate in left if (reason := refuse(candidate))}
        verdicts |= {id_: Verdict(stage, reason) for id_, reason in reasons.items()}
        left = [candidate for candidate in left if candidate.id not in reasons]
        funnel.append(Stage(stage, len(left), len(reasons)))
    if not left:
        counts = ", ".join(f"{stage.stage} left {stage.kept}" for stage in funnel)
        raise PoolTooSmall(
            f"No question passed the criteria ({counts}); collect traces, or choose a milder method."
        )
    members = _draw(left, method, size, Random(f"qianti {seed}"))
    verdicts |= _verdicts_of_draw(left, members, method)
    funnel.append(Stage("draw", len(members), len(left) - len(members)))
    ids = tuple(member.id for member in members)
    return Result(tuple(funnel), ids, verdicts, hashlib.sha256("\n".join(ids).encode()).hexdigest())


def _filters(method: Method) -> list[tuple[str, Any]]:
    """Return the stages in their order, each with a function from a candidate to its refusal or ""."""
    stages: list[tuple[str, Any]] = [
        ("banned", lambda it: "An expert banned it." if it.banned else ""),
        ("trace", lambda it: "" if it.trace is not None else "No teacher has answered it."),
        ("leak", lambda it: f"The benchmark {it.leaked} holds it." if it.leaked else ""),
    ]
    if method.quality:
        stages.append(("quality", lambda it: "" if it.pinned else it.flaw))
    if method.only_right:
        stages.append(
            (
                "right",
                lambda it: (
                    "" if it.pinned or it.is_right else "The trace's answer does not agree with the key."
                ),
            )
        )
    if method.difficulty:
        stages.append(("difficulty", lambda it: "" if it.pinned else _too_easy(it, method)))
    return stages


def _too_easy(candidate: Candidate, method: Method) -> str:
    verdict = too_easy(passes=candidate.passes, attempts=candidate.attempts, most_passed=method.most_passed)
    if verdict is None:
        return "" if method.keep_untried else "No solver has tried it, so its difficulty is not known."
    return f"Solvers pass it: {candidate.passes} of {candidate.attempts} tries." if verdict else ""


def _draw(left: Sequence[Candidate], method: Method, size: int, rng: Random) -> list[Drawable]:
    """Return the pinned ones, then what the method's draw adds to make `size`."""
    drawable = [Drawable(it.id, it.domain or NO_DOMAIN, it.source, it.trace_tokens) for it in left]
    pinned = {it.id for it in left if it.pinned}
    first = [it for it in drawable if it.id in pinned][:size]
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
    drawn = {member.id for member in members}
    out = Verdict("draw", f"It passed every criterion; the draw ({method.draw}) took {len(members)} others.")
    chosen = Verdict("draw", f"Drawn by {method.name} ({method.draw}).")
    pinned = Verdict("draw", "An expert pinned it.")
    return {it.id: (pinned if it.pinned else chosen) if it.id in drawn else out for it in left}
