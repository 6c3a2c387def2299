"""How a selection is made, as data; the published methods by name."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from common.core.refusal import Refusal
from curator.core.best import RANKINGS, STANDARD
from curator.core.difficulty import MEASURES
from curator.core.quality import BY_NAME

DRAWS = (
    "even-domains",
    "even-then-target",
    "coverage",
    "blueprint",
    "domain-source",
    "domains",
    "random",
    "longest",
    "all",
)
COMBINATIONS = ("any", "all")


class BadMethod(Refusal):
    """A method cannot be used as it is written."""


@dataclass(frozen=True)
class Method:
    """How a selection is made; each field is a knob that a page shows.

    Raises:
        BadMethod: a value of a wrong kind or out of its range.
    """

    name: str
    draw: str = "even-domains"
    quality: bool = True  # drop what shows a flaw
    patterns: Sequence[str] | None = None  # the flaws that count, by name; None: all that are known
    drop_copies: bool = True  # drop near copies of a question that is kept
    difficulty: bool = True  # drop what is too easy
    difficulty_by: Sequence[str] = ("passes",)  # and by which measures
    combine: str = "any"  # too easy by any of the measures, or by all
    most_passed: float = 0.0  # the largest share of a question's attempts that may pass
    least_tokens: int = 0  # of its trace
    least_rating: int = 1  # by an expert, from 1 to 5
    keep_untried: bool = True  # keep a question that a measure cannot judge
    before_traces: bool = False  # judge difficulty before traces are asked for
    only_right: bool = False  # drop traces whose answer does not agree with the key
    ranking: str = STANDARD  # by which rule one of several traces stands for its question
    first: Mapping[str, int] = field(default_factory=dict)  # source → least tokens of a right trace to be in
    even_share: float = 0.7  # of the size, drawn evenly before the rest by weight, for `even-then-target`
    bands: int = 7  # of difficulty, for `coverage`
    weights: Mapping[str, float] = field(default_factory=dict)  # by domain: a blueprint, or the target's mix

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise BadMethod("The method has no name; give it one in the field name.")
        self._check_choices()
        self._check_numbers()
        self._check_patterns()
        self._check_mappings()

    def _check_choices(self) -> None:
        named = (("draw", DRAWS), ("combine", COMBINATIONS), ("ranking", tuple(RANKINGS)))
        for name, choices in named:
            if getattr(self, name) not in choices:
                raise BadMethod(
                    f"The method's {name} {getattr(self, name)!r} is not one of {', '.join(choices)}."
                )
        for switch in ("quality", "drop_copies", "difficulty", "keep_untried", "before_traces", "only_right"):
            if not isinstance(getattr(self, switch), bool):
                raise BadMethod(f"The method's {switch} is {getattr(self, switch)!r}; it is true or false.")
        given = self.difficulty_by
        if not isinstance(given, list | tuple) or not given or any(it not in MEASURES for it in given):
            raise BadMethod(
                f"The method's difficulty_by is {given!r}; it is a list of {', '.join(MEASURES)}."
            )
        if "length" in given and self.before_traces and self.difficulty:
            raise BadMethod(
                "The method judges length before there are traces; take length out of difficulty_by, "
                "or set before_traces to false."
            )

    def _check_numbers(self) -> None:
        for share in ("most_passed", "even_share"):
            if not _is_number(getattr(self, share)) or not 0 <= getattr(self, share) <= 1:
                raise BadMethod(
                    f"The method's {share} is {getattr(self, share)!r}; it is a share, from 0 to 1."
                )
        for name, least, most in (("bands", 1, 100), ("least_rating", 1, 5), ("least_tokens", 0, 10**9)):
            value = getattr(self, name)
            if not _is_number(value) or value != int(value) or not least <= value <= most:
                raise BadMethod(
                    f"The method's {name} is {value!r}; it is a whole number from {least} to {most}."
                )

    def _check_patterns(self) -> None:
        given = self.patterns
        if given is not None and (
            not isinstance(given, list | tuple) or any(not isinstance(name, str) for name in given)
        ):
            raise BadMethod(f"The method's patterns are {given!r}; it is a list of {', '.join(BY_NAME)}.")

    def _check_mappings(self) -> None:
        for name, of in (("weights", "domain's code"), ("first", "source's name")):
            mapping = getattr(self, name)
            if not isinstance(mapping, Mapping):
                raise BadMethod(f"The method's {name} are no object; write a number for each {of}.")
            for key, number in mapping.items():
                if not _is_number(number) or number < 0:
                    raise BadMethod(
                        f"The method's {name.removesuffix('s')} of {key} is {number!r}; it is a number, 0 or more."
                    )

    def patterns_of(self, known: Sequence[str]) -> Sequence[str]:
        """Return the names of the patterns that count, of those that are known."""
        return known if self.patterns is None else self.patterns

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they are stored."""
        plain = asdict(self) | {"weights": dict(self.weights), "first": dict(self.first)}
        plain["difficulty_by"] = list(self.difficulty_by)
        return plain | {"patterns": None if self.patterns is None else list(self.patterns)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# "s1-paper" and "s1-notebook" differ where the paper and its released code do: the paper draws domains evenly
# throughout, the notebook only up to 700 of 1,000. Which sources are in from the start is a project's own
# choice (`first`); s1's were AIME and GPQA at any length, and MATH above 5,600 tokens.
METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("s1-paper"),
        Method("s1-notebook", draw="even-then-target"),
        Method("coverage", draw="coverage"),
        Method("blueprint", draw="blueprint"),
        Method("m1", draw="domain-source", only_right=True, before_traces=True),
        Method("random", draw="random", quality=False, difficulty=False),
        Method("quality", draw="random", difficulty=False),
        Method("difficulty", draw="longest", difficulty=False),
        Method("diversity", draw="domains", difficulty=False),
        Method("all", draw="all", quality=False, difficulty=False),
    )
}
CONTROL_METHODS = ("random", "quality", "difficulty", "diversity", "all")


def method_from(given: Mapping[str, Any] | str, *, own_patterns: Sequence[str] = ()) -> Method:
    """Return a built-in method by its name, or one from its fields.

    `own_patterns` names a project's patterns beside the built-in ones.

    Raises:
        BadMethod: no such name, an unknown field or pattern, or a value out of range.
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
    method = Method(**given)
    names = [*BY_NAME, *own_patterns]
    if any(name not in names for name in method.patterns or ()):
        raise BadMethod(f"The method's patterns are {method.patterns!r}; it is a list of {', '.join(names)}.")
    return method
