"""Decide whether two formulas say the same: values, lists, sets, tuples, intervals, equations, matrices.

What is the same is decided; numbers that differ are decided too. All else that differs stays open, since the
grammar cannot tell another way of writing from another answer.
"""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from common.core.formula_items import Item, is_value, items_of, letters_of_formula, members_of
from common.core.formula_spans import Bound, is_range, spans_of, turned
from common.core.formula_values import (
    MIXED,
    WHOLE,
    NoValue,
    Number,
    Trial,
    exact,
    real,
    same_number,
    value_of,
)
from common.core.formulas import Node, formula
from common.core.quantities import CLOSE_DIGITS

MOST_ITEMS = 24
_SYMBOLIC = (Trial(0), Trial(1), Trial(2, MIXED), Trial(3, MIXED))
_WHOLE_NUMBERS = tuple(Trial(number, WHOLE) for number in range(1, 9))


class Agreement(StrEnum):
    """What comparing two formulas came to."""

    SAME = "same value"
    ROUNDED = "same value, rounded"
    OTHER = "another value"
    OPEN = "not comparable"


def agreement_of(answer: str, key: str) -> Agreement:
    """Compare an answer with a key, both formulas in TeX or plain; OPEN where either cannot be read."""
    wanted = _read(key)
    if wanted is None:
        return Agreement.OPEN
    said = _read(answer)
    if said is None:
        return Agreement.OPEN
    if not (_says_something(wanted) and _says_something(said)):
        return Agreement.OPEN
    return _Comparison(_has_calls(said) != _has_calls(wanted)).of(said, wanted)


def is_formula(text: str) -> bool:
    """Tell whether a text is one formula, from its beginning to its end."""
    return _read(text) is not None


@lru_cache(maxsize=4_096)
def _read(text: str) -> Node | None:
    return formula(text)


def _says_something(node: Node) -> bool:
    """Tell a formula from a word, whose letters are no product: "no" is not "on"."""
    if node.kind in ("list", "negative") and len(node.parts) == 1:
        return _says_something(node.parts[0])
    if node.kind == "multiply" and all(part.kind == "symbol" and len(part.name) == 1 for part in node.parts):
        return False
    return node.kind != "symbol" or node.name in ("π", "e")


def _has_calls(node: Node) -> bool:
    return node.kind == "call" or any(map(_has_calls, node.parts))


class _Comparison:
    """One answer against one key."""

    def __init__(self, calls_multiply: bool) -> None:
        self.calls_multiply = calls_multiply
        self.rounded = False
        self.closed = True  # only numbers have differed so far
        self._values: dict[tuple[int, Trial], Number | None] = {}
        self._kept: list[Node] = []  # a node that was evaluated lives on, so that its id stays its own

    def of(self, said: Node, wanted: Node) -> Agreement:
        try:
            if self._same(said, wanted):
                return Agreement.ROUNDED if self.rounded else Agreement.SAME
        except NoValue:
            return Agreement.OPEN
        return Agreement.OTHER if self.closed and _is_closed(said, wanted) else Agreement.OPEN

    def _same(self, said: Node, wanted: Node) -> bool:
        ours, theirs = items_of(said), items_of(wanted)
        if len(ours) > MOST_ITEMS or len(theirs) > MOST_ITEMS:
            raise NoValue
        if len(ours) == 1 and len(theirs) == 1:
            one, other = _equations_back(said, ours[0].node, wanted, theirs[0].node)
            return self._same_item(one, other)
        if (spans := self._same_spans(said, wanted)) is not None:
            return spans
        if len(theirs) == 1 and theirs[0].node.kind == "tuple":
            return self._same_ordered([each.node for each in ours], theirs[0].node.parts)
        if len(ours) == 1 and ours[0].node.kind == "tuple" and theirs[0].node.kind != "tuple":
            return self._same_ordered(ours[0].node.parts, [each.node for each in theirs])
        if len(ours) == 1 and ours[0].node.kind == "matrix":
            return self._same_item(ours[0].node, Node("tuple", tuple(each.node for each in theirs), "()"))
        return self._same_lists(ours, theirs)

    def _same_lists(self, ours: list[Item], theirs: list[Item]) -> bool:
        ours, theirs = members_of(ours), members_of(theirs)
        names, wanted_names = [each.name for each in ours], [each.name for each in theirs]
        if (
            all(names)
            and all(wanted_names)
            and len(set(names)) == len(names)
            and set(names) == set(wanted_names)
        ):
            by_name = {each.name: each.node for each in ours}
            return all(self._same_item(by_name[each.name], each.node) for each in theirs)
        heads = {name.partition("_")[0] for name in wanted_names}
        if all(wanted_names) and len(heads) == len(theirs) > 1 and not any(names):
            return self._same_ordered([each.node for each in ours], [each.node for each in theirs])
        return self._same_unordered([each.node for each in ours], [each.node for each in theirs])

    def _same_unordered(self, ours: Sequence[Node], theirs: Sequence[Node]) -> bool:
        """Tell whether each of ours is one of theirs, and each of theirs is among ours."""
        left = list(theirs)
        for each in ours:
            found = next((other for other in left if self._same_item(each, other)), None)
            if found is not None:
                left.remove(found)
            elif not any(self._same_item(each, other) for other in theirs):
                return False
        return all(any(self._same_item(each, other) for each in ours) for other in left)

    def _same_ordered(self, ours: Sequence[Node], theirs: Sequence[Node]) -> bool:
        return len(ours) == len(theirs) and all(
            self._same_item(one, other) for one, other in zip(ours, theirs, strict=True)
        )

    def _same_item(self, said: Node, wanted: Node) -> bool:
        if is_value(said) and is_value(wanted):
            return self._same_value(said, wanted)
        if "matrix" in (said.kind, wanted.kind):
            return self._same_matrix(said, wanted)
        if said.kind == wanted.kind == "ratio":
            return self._same_ratio(said, wanted)
        if (spans := self._same_spans(said, wanted)) is not None:
            return spans
        if {said.kind, wanted.kind} <= {"set", "list"}:
            return self._same_lists(items_of(said), items_of(wanted))
        if {said.kind, wanted.kind} <= {"tuple", "list"}:
            return self._same_tuple(said, wanted)
        if said.kind == wanted.kind == "chain":
            return self._same_chain(said, wanted)
        if said.kind == wanted.kind and said.parts and said.name == wanted.name:
            return self._same_ordered(said.parts, wanted.parts)
        return False

    def _same_value(self, said: Node, wanted: Node) -> bool:
        if said == wanted:
            return True
        if {said.kind, wanted.kind} == {"based", "number"}:
            one, other = (
                node.parts[0].name if node.kind == "based" else node.name for node in (said, wanted)
            )
            return one == other
        if said.kind == wanted.kind == "based" and said.name != wanted.name:
            return False
        letters = letters_of_formula(said) | letters_of_formula(wanted)
        if not letters:
            return self._same_number(said, wanted)
        agrees = self._agrees_at(said, wanted, _SYMBOLIC)
        if not agrees and letters <= {"n", "k", "m"}:
            agrees = self._agrees_at(said, wanted, _WHOLE_NUMBERS)
        return agrees

    def _agrees_at(self, said: Node, wanted: Node, trials: Sequence[Trial]) -> bool:
        """Tell whether two formulas agree wherever both have a value, and that they have one somewhere."""
        met = 0
        for trial in trials:
            here = Trial(trial.number, trial.kind, 1, self.calls_multiply)
            values = [self._value(node, here) for node in (said, wanted)]
            if None in values:
                continue
            if trial.kind == MIXED and not all(map(_is_real, values)):
                continue
            met += 1
            if not same_number(values[0], values[1]):
                return False
        if not met:
            raise NoValue
        return met > 1 or len(trials) == 1

    def _value(self, node: Node, trial: Trial) -> Number | None:
        """Return a node's value, computed once however many others it is compared with."""
        place = (id(node), trial)
        if place not in self._values:
            self._kept.append(node)
            self._values[place] = _value_or_none(node, trial)
        return self._values[place]

    def _same_number(self, said: Node, wanted: Node) -> bool:
        for radians in (False, True) if _has_degrees(said) != _has_degrees(wanted) else (False,):
            trial = Trial(radians=radians)
            value, key = self._value(said, trial), self._value(wanted, trial)
            if value is None or key is None:
                raise NoValue
            if same_number(value, key):
                return True
            if _rounds_to(value, key, said, wanted):
                self.rounded = True
                return True
        return False

    def _same_matrix(self, said: Node, wanted: Node) -> bool:
        ours, theirs = _rows(said), _rows(wanted)
        if ours is None or theirs is None:
            return False
        if [len(row) for row in ours] != [len(row) for row in theirs]:
            # A vector may stand upright, lie down, or be a tuple.
            is_vector = all(len(rows) == 1 or all(len(row) == 1 for row in rows) for rows in (ours, theirs))
            if not is_vector or (said.kind == wanted.kind == "matrix"):
                return False
        return self._same_ordered(
            [cell for row in ours for cell in row], [cell for row in theirs for cell in row]
        )

    def _same_ratio(self, said: Node, wanted: Node) -> bool:
        """Tell whether two ratios are proportional; "12:00" is a time of day."""
        if len(said.parts) != len(wanted.parts):
            return False
        if any(part.name.startswith("0") and len(part.name) > 1 for part in (*said.parts, *wanted.parts)):
            return self._same_ordered(said.parts, wanted.parts)
        first, other = wanted.parts[0], said.parts[0]
        return all(
            self._same_value(Node("multiply", (one, first)), Node("multiply", (another, other)))
            for one, another in zip(said.parts[1:], wanted.parts[1:], strict=True)
        )

    def _same_tuple(self, said: Node, wanted: Node) -> bool:
        if said.kind == wanted.kind == "tuple" and len(wanted.parts) == 2 and said.name != wanted.name:
            return False
        return self._same_ordered(said.parts, wanted.parts)

    def _same_spans(self, said: Node, wanted: Node) -> bool | None:
        """Compare sets of numbers; None where either is none, or neither is written as one."""
        if not (is_range(said) or is_range(wanted)):
            return None
        ours, theirs = spans_of(said), spans_of(wanted)
        if ours is None or theirs is None:
            return None
        return len(ours) == len(theirs) and all(
            self._same_bound(one.low, other.low) and self._same_bound(one.high, other.high)
            for one, other in zip(ours, theirs, strict=True)
        )

    def _same_bound(self, said: Bound, wanted: Bound) -> bool:
        if said.is_in != wanted.is_in or (said.value is None) != (wanted.value is None):
            return False
        if said.value is None or wanted.value is None or _nearly(said.value, wanted.value):
            return True
        close = _rounded_alike(said.value, wanted.value, wanted.places)
        self.rounded |= close
        return close

    def _same_chain(self, said: Node, wanted: Node) -> bool:
        if len(said.parts) == len(wanted.parts) == 2:
            return self._same_relation(said, wanted)
        mirrored = Node("chain", said.parts[::-1], " ".join(turned(sign) for sign in said.name.split()[::-1]))
        return any(
            each.name == wanted.name and self._same_ordered(each.parts, wanted.parts)
            for each in (said, mirrored)
        )

    def _same_relation(self, said: Node, wanted: Node) -> bool:
        """Tell whether two equations or inequalities are one another's multiples."""
        self.closed = False
        ratio = None
        for trial in _SYMBOLIC:
            here = Trial(trial.number, trial.kind, 1, self.calls_multiply)
            one, other = _difference(said, here), _difference(wanted, here)
            if one is None or other is None or one == 0 or other == 0:
                return False
            now = (
                one / other
                if isinstance(one, Fraction) and isinstance(other, Fraction)
                else _divided(one, other)
            )
            if ratio is not None and not same_number(now, ratio):
                return False
            ratio = now
        upright = said.name if real(ratio) > 0 else turned(said.name)
        return upright == wanted.name


def _divided(one: Number, other: Number) -> Number:
    return value_of(Node("fraction", (_constant(one), _constant(other))), Trial())


def _constant(value: Number) -> Node:
    return Node("number", value=exact(value))


def _difference(chain: Node, trial: Trial) -> Number | None:
    left, right = chain.parts
    return _value_or_none(Node("add", (left, Node("negative", (right,)))), trial)


def _value_or_none(node: Node, trial: Trial) -> Number | None:
    try:
        return value_of(node, trial)
    except NoValue:
        return None


def _is_real(value: Number) -> bool:
    try:
        real(value)
    except NoValue:
        return False
    return True


def _is_closed(said: Node, wanted: Node) -> bool:
    """Tell whether two formulas are numbers, or lists, tuples and ranges of numbers."""
    return all(
        not letters_of_formula(each.node) and _is_comparable(each.node)
        for node in (said, wanted)
        for each in items_of(node)
    )


def _is_comparable(node: Node) -> bool:
    if node.kind in ("tuple", "set", "list", "∪", "matrix", "row"):
        return all(map(_is_comparable, node.parts))
    return node.kind == "infinity" or is_value(node)


def _has_degrees(node: Node) -> bool:
    return node.kind == "degrees" or (node.kind != "function" and any(map(_has_degrees, node.parts)))


def _nearly(one: Fraction, other: Fraction) -> bool:
    return one == other or abs(one - other) <= Fraction(1, 10**38) * max(abs(one), abs(other))


def _rounds_to(value: Number, key: Number, said: Node, wanted: Node) -> bool:
    """Tell whether an answer is the key rounded, or rounds to it as the key is written.

    Only a key with decimals of its own rounds an answer; and only an answer with six significant digits or
    more stands for a key that has no end as a decimal.
    """
    if not (_is_real(value) and _is_real(key)):
        return False
    if wanted.kind == "number":
        return _rounded_alike(exact(value), exact(key), wanted.places)
    digits = said.name.replace(".", "").lstrip("0")
    if said.kind == "number" and said.places and len(digits) >= CLOSE_DIGITS and not _ends(key):
        return abs(exact(value) - exact(key)) < Fraction(1, 10**said.places)
    return False


def _rounded_alike(value: Fraction, key: Fraction, places: int | None) -> bool:
    return bool(places) and abs(value - key) <= Fraction(1, 2 * 10 ** (places or 0))


def _ends(value: Number) -> bool:
    if not isinstance(value, Fraction):
        return False
    under = value.denominator
    for factor in (2, 5):
        while under % factor == 0:
            under //= factor
    return under == 1


def _equations_back(said: Node, ours: Node, wanted: Node, theirs: Node) -> tuple[Node, Node]:
    """Return two equations as such where the name was taken off only one: "y = 2x" beside "2x - y = 0"."""
    if (ours.kind == "chain") == (theirs.kind == "chain"):
        return ours, theirs
    first, second = (node.parts[0] if len(node.parts) == 1 else node for node in (said, wanted))
    both = first.kind == second.kind == "chain" and first.name == second.name == "="
    return (first, second) if both else (ours, theirs)


def _rows(node: Node) -> list[Sequence[Node]] | None:
    if node.kind == "matrix":
        return [row.parts for row in node.parts]
    if node.kind in ("tuple", "list"):
        return [node.parts]
    if node.kind == "multiply" and node.parts[-1].kind == "matrix":
        factor = Node("multiply", node.parts[:-1])
        return [[Node("multiply", (factor, cell)) for cell in row.parts] for row in node.parts[-1].parts]
    if node.kind == "negative" and (rows := _rows(node.parts[0])) is not None:
        return [[Node("negative", (cell,)) for cell in row] for row in rows]
    return None
