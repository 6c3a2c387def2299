"""A budget policy decides, round by round, whether a model thinks on or answers.

Source: s1 (arXiv 2501.19393), section 3.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from common.core.refusal import Refusal

WAIT = "Wait"
MOST_TOKENS = 1_000_000
MOST_EXTENSIONS = 32
LONGEST_LABEL = 60


class BadPolicy(Refusal, ValueError):
    """A budget policy cannot be used; the message names the value and its range."""


class Move(StrEnum):
    """What comes next for one chain of thought."""

    THINK = "think"  # the round ended before the model stopped: go on
    EXTEND = "extend"  # the model stopped early: append "Wait" and go on
    ANSWER = "answer"  # close the thinking and ask for the answer


@dataclass(frozen=True)
class BudgetPolicy:
    """How thinking is controlled for one question; one total budget over all its extensions."""

    max_tokens: int  # thinking tokens, the forced ones included
    extensions: int = 0  # how many early stops are answered with the extension word
    extension_word: str = WAIT
    label: str = ""  # as pages name it; made from the numbers where none is given

    def __post_init__(self) -> None:
        _whole("max_tokens", self.max_tokens, 0, MOST_TOKENS)
        _whole("extensions", self.extensions, 0, MOST_EXTENSIONS)
        _text("extension_word", self.extension_word)
        _text("label", self.label)
        if self.extensions and not self.extension_word:
            raise BadPolicy("A policy with extensions needs an extension_word, such as Wait.")
        if not self.label:
            more = f"+{self.extensions} {self.extension_word}" if self.extensions else ""
            object.__setattr__(self, "label", f"{self.max_tokens}{more}")
        if len(self.label) > LONGEST_LABEL:
            raise BadPolicy(
                f"A policy's label has at most {LONGEST_LABEL} characters; shorten {self.label!r}."
            )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they are stored."""
        return asdict(self)


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadPolicy(f"A policy's {name} is {value!r}; it is a whole number from {low} to {high}.")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise BadPolicy(f"A policy's {name} is {value!r}; it is a text.")


def next_move(policy: BudgetPolicy, *, spent: int, extended: int, stopped: bool) -> Move:
    """Return the next move for one chain of thought.

    `spent` counts its thinking tokens so far and `extended` its forced "Wait"s;
    `stopped` says whether the model itself ended the last round.

    Source: s1 (arXiv 2501.19393), section 3.1; one total for all rounds, unlike its code.
    """
    if spent >= policy.max_tokens:
        return Move.ANSWER
    if not stopped:
        return Move.THINK
    return Move.EXTEND if extended < policy.extensions else Move.ANSWER


def policies_from(given: Any) -> list[BudgetPolicy]:
    """Return the policies of a file or form: one object or a list of them.

    Raises:
        BadPolicy: none, an unknown field, a value out of range, a label twice, or two words.
    """
    if isinstance(given, str) or not isinstance(given, Mapping | Sequence):
        raise BadPolicy(f"{given!r} is no budget policy; write an object with max_tokens, or a list of them.")
    rows = [given] if isinstance(given, Mapping) else list(given)
    if not rows:
        raise BadPolicy("No budget policy is given; name at least one budget, such as 512.")
    known = {each.name for each in fields(BudgetPolicy)}
    for row in rows:
        if not isinstance(row, Mapping) or (unknown := sorted(set(row) - known)):
            wrong = ", ".join(unknown) if isinstance(row, Mapping) else repr(row)
            raise BadPolicy(f"A policy has no {wrong}; it has {', '.join(sorted(known))}.")
        if "max_tokens" not in row:
            raise BadPolicy("A policy does not name its max_tokens.")
    policies = [BudgetPolicy(**row) for row in rows]
    labels = [policy.label for policy in policies]
    if len(set(labels)) < len(labels):
        raise BadPolicy(f"Two policies are the same or share a label: {', '.join(labels)}.")
    if len({policy.extension_word for policy in policies if policy.extensions}) > 1:
        raise BadPolicy(
            "The policies extend by different words; a thought is shared only under one. Evaluate twice."
        )
    return policies


def widest(policies: Sequence[BudgetPolicy]) -> BudgetPolicy:
    """Return the policy under which a thought holds every one of these as a cut."""
    word = next((policy.extension_word for policy in policies if policy.extensions), WAIT)
    return BudgetPolicy(
        max_tokens=max(policy.max_tokens for policy in policies),
        extensions=max(policy.extensions for policy in policies),
        extension_word=word,
        label="widest",
    )
