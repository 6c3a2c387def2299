"""Rows that say the same question: one account of it, in whatever order they came.

A rule on contents decides between values that contradict, never which of them came first. Two keys are the
exception: no rule can tell which is right, so the first stays in view and the key is disputed.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.core.answers import Outcome, mark, normal_answer
from curator.core.rows.cells import MOST_TAGS

FIELDS = ("key", "solution", "marks", "domain", "rating", "tags", "language", "wording", "neutralised")
# What a row or question says, by field; a field that is not there, it lacks. A domain is its name and code,
# a wording the text with the options behind it.
Saying = Mapping[str, Any]

_BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class Taken:
    """What became of a row's values: those that the question has from it now, and those that it has not."""

    gave: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    contradicts: bool = False  # its key is another than the one in view, or than one that is said already


class Account:
    """What all rows met so far say of one question.

    `own` is what its own row says. `settled` names the fields about which an expert has spoken: no row
    changes them any more, and a settled key is not disputed.
    """

    def __init__(self, own: Saying, *, settled: Collection[str] = ()) -> None:
        self.chosen = dict(own)
        self.settled = frozenset(settled)
        self.is_disputed = False
        self._options = tuple(own.get("wording", ("",)))[1:]
        self._keys = [own["key"]] if "key" in own else []
        self._tag_lists = {own["tags"]} if "tags" in own else set()

    def add(self, said: Saying) -> Taken:
        """Take in what one more row says."""
        before = dict(self.chosen)
        contradicts = "key" in said and self._add_key(said["key"])
        for field in said.keys() - self.settled - {"key", "tags"}:
            self.chosen[field] = min(self.chosen.get(field, said[field]), said[field], key=_RANKS[field])
        if "tags" in said and "tags" not in self.settled:
            self._add_tags(said["tags"])
        changed = [field for field in FIELDS if _is_other(field, before, self.chosen)]
        left = [field for field in FIELDS if _is_left(field, said, self.chosen)]
        return Taken(tuple(changed), tuple(left), contradicts)

    def _add_key(self, key: str) -> bool:
        """Tell whether a key contradicts; of keys that say the same, the shortest stands for all."""
        shown = self.chosen.get("key", "")
        if key in self._keys and not self.is_disputed:
            return False
        if "key" in self.settled or self.is_disputed:
            return bool(shown) and not is_same_key(key, shown, self._options)
        if not all(is_same_key(key, other, self._options) for other in self._keys):
            self.is_disputed = True
            return True
        self._keys.append(key)
        self.chosen["key"] = min(self._keys, key=lambda each: (len(each), each))
        return False

    def _add_tags(self, tags: tuple[str, ...]) -> None:
        """Unite tags; where all rows have the same, they stay in their order."""
        self._tag_lists.add(tags)
        if len(self._tag_lists) == 1:
            self.chosen["tags"] = tags
            return
        united = {tag for each in self._tag_lists for tag in each}
        self.chosen["tags"] = tuple(sorted(united)[:MOST_TAGS])


def is_same_key(one: str, other: str, options: Sequence[str] = ()) -> bool:
    """Tell whether two keys say the same, either way round: "1/2" is 0.5, as the marker has it."""
    if normal_answer(one) == normal_answer(other):
        return True
    return _is_right(one, other, options) or _is_right(other, one, options)


def _is_right(reply: str, key: str, options: Sequence[str]) -> bool:
    return mark(reply, key=key, options=options).outcome == Outcome.RIGHT


def _is_other(field: str, before: Saying, after: Saying) -> bool:
    if field == "tags":
        return set(before.get("tags", ())) != set(after.get("tags", ()))
    return bool(before.get(field) != after.get(field))


def _is_left(field: str, said: Saying, chosen: Saying) -> bool:
    if field not in said or field == "key":  # of a key that is not taken, the kind of the report speaks
        return False
    if field == "tags":
        return not set(said["tags"]) <= set(chosen.get("tags", ()))
    return bool(said[field] != chosen.get(field))


def _wording_rank(wording: tuple[str, ...]) -> tuple[Any, ...]:
    """Rank wordings of one normal form, the best first.

    The longest has kept its line ends and brackets, double blanks apart; one in capitals or without any has
    lost something; and "x²" stands behind "x2" in the order of code points.
    """
    text = "\x1f".join(wording)
    is_uniform = text in (text.lower(), text.upper())
    return (-len(_BLANKS.sub(" ", text)), len(text), is_uniform, [-ord(character) for character in text])


_RANKS: Mapping[str, Callable[[Any], Any]] = {
    "solution": lambda text: (-len(text), text),
    "marks": lambda marks: -marks,
    "domain": lambda label: label,
    "rating": lambda rating: rating,
    "language": lambda language: language,
    "wording": _wording_rank,
    "neutralised": lambda is_neutralised: not is_neutralised,
}
