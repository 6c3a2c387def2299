"""Sets of numbers: intervals, inequalities, unions and what is left out of them, as spans in order."""

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from common.core.formula_items import is_infinite, is_name, is_value, items_of, letters_of_formula
from common.core.formula_values import NoValue, Trial, exact, value_of
from common.core.formulas import Node


@dataclass(frozen=True)
class Bound:
    """An end of an interval; a `value` of None lies at infinity."""

    value: Fraction | None
    is_in: bool
    places: int | None = None


@dataclass(frozen=True)
class Span:
    """The numbers from one bound to another."""

    low: Bound
    high: Bound


def is_range(node: Node) -> bool:
    """Tell whether a node is written as a range of numbers: not as a point of two coordinates."""
    if node.kind in ("list", "set"):
        return any(map(is_range, node.parts))
    if node.kind == "chain":
        signs = set(node.name.split())
        return bool(signs & {"<", ">", "<=", ">=", "!="}) or ("∈" in signs and is_range(node.parts[1]))
    if node.kind == "tuple":
        return node.name in ("[)", "(]") or any(is_infinite(part) for part in node.parts)
    return node.kind in ("∪", "∩", "∖")


def spans_of(node: Node) -> list[Span] | None:
    """Return the set of numbers that a node is, as spans in order that do not touch; None for anything else."""
    try:
        spans = _spans(node)
    except NoValue:
        return None
    return None if spans is None else _merged(spans)


def _spans(node: Node) -> list[Span] | None:
    match node.kind:
        case "list" | "set":
            return _spans_of_items(node)
        case "tuple":
            return _interval(node)
        case "symbol":
            return [Span(Bound(None, False), Bound(None, False))] if node.name == "R" else None
        case "chain":
            return _spans_of_chain(node)
        case "∪" | "∩" | "∖":
            return _combined(node)
    if is_value(node) and not letters_of_formula(node):
        value = exact(value_of(node, Trial()))
        return [Span(Bound(value, True, node.places), Bound(value, True, node.places))]
    return None


def _spans_of_items(node: Node) -> list[Span] | None:
    found = [_spans(each.node) for each in items_of(node)]
    if any(each is None for each in found):
        return None
    spans = [span for each in found for span in each or ()]
    everything = len(found) > 1 and _merged(spans) == [Span(Bound(None, False), Bound(None, False))]
    if not everything:
        return spans
    common = found[0] or []
    for each in found[1:]:  # "x > 1, x < 3" means both
        common = _intersection(common, each or [])
    return common


def _interval(node: Node) -> list[Span] | None:
    if len(node.parts) != 2:
        return None
    low = _bound(node.parts[0], node.name[0] == "[")
    high = _bound(node.parts[1], node.name[1] == "]")
    if low.value is not None and high.value is not None and low.value >= high.value:
        return None
    return [Span(low, high)]


def _bound(node: Node, is_in: bool) -> Bound:
    if is_infinite(node):
        return Bound(None, False)
    if letters_of_formula(node) or not is_value(node):
        raise NoValue
    return Bound(exact(value_of(node, Trial())), is_in, node.places)


def _spans_of_chain(node: Node) -> list[Span] | None:
    signs = node.name.split()
    if signs == ["∈"]:
        return _spans(node.parts[1])
    if not set(signs) <= {"<", ">", "<=", ">=", "!="}:
        return None
    if len(signs) == 2:
        return _spans_between(node, signs)
    if len(signs) != 1:
        return None
    left, right = node.parts
    if letters_of_formula(right) and not letters_of_formula(left):
        left, right, signs = right, left, [turned(signs[0])]
    if is_name(left) and left.kind not in ("add", "negative", "multiply", "fraction"):
        return _half(signs[0], _bound(right, True), left)
    return _solved(left, right, signs[0])


def _half(sign: str, bound: Bound, name: Node) -> list[Span]:
    ends = Bound(None, False)
    out = Bound(bound.value, False, bound.places)
    if sign == "!=":
        return [Span(ends, out), Span(out, ends)]
    bound = bound if "=" in sign else out
    spans = [Span(bound, ends)] if sign[0] == ">" else [Span(ends, bound)]
    return _mirrored(spans) if name.kind == "function" and name.name == "abs" else spans


def _mirrored(spans: list[Span]) -> list[Span]:
    """Return the numbers whose absolute value lies in a span."""
    zero = Bound(Fraction(0), True)
    kept = _intersection(spans, [Span(zero, Bound(None, False))])
    return [*kept, *(Span(_negated(each.high), _negated(each.low)) for each in kept)]


def _negated(bound: Bound) -> Bound:
    return Bound(None if bound.value is None else -bound.value, bound.is_in, bound.places)


def _spans_between(node: Node, signs: list[str]) -> list[Span] | None:
    if not is_name(node.parts[1]) or signs[0][0] != signs[1][0] or "!=" in signs:
        return None
    first, last = (_bound(node.parts[place], "=" in signs[place // 2]) for place in (0, 2))
    low, high = (first, last) if signs[0][0] == "<" else (last, first)
    span = [Span(low, high)]
    middle = node.parts[1]
    return _mirrored(span) if middle.kind == "function" and middle.name == "abs" else span


def _solved(left: Node, right: Node, sign: str) -> list[Span] | None:
    """Return what a linear inequality in one letter comes to."""
    letters = letters_of_formula(left) | letters_of_formula(right)
    if len(letters) != 1:
        return None
    difference = Node("add", (left, Node("negative", (right,))))
    letter = next(iter(letters))
    at = [
        exact(value_of(difference, Trial(letters=MappingProxyType({letter: Fraction(x)})))) for x in range(3)
    ]
    slope = at[1] - at[0]
    if slope == 0 or at[2] - at[1] != slope:
        return None
    return _half(
        sign if slope > 0 else turned(sign), Bound(-at[0] / slope, True), Node("symbol", name=letter)
    )


def turned(sign: str) -> str:
    return sign.translate(str.maketrans("<>", "><"))


def _combined(node: Node) -> list[Span] | None:
    left, right = (_spans(part) for part in node.parts)
    if left is None or right is None:
        return None
    if node.kind == "∪":
        return [*left, *right]
    return _intersection(left, _merged(right) if node.kind == "∩" else _outside(_merged(right)))


def _outside(spans: list[Span]) -> list[Span]:
    """Return all numbers outside of spans that are in order."""
    outside, low = [], Bound(None, False)
    for span in spans:
        if span.low.value is not None:
            outside.append(Span(low, Bound(span.low.value, not span.low.is_in, span.low.places)))
        low = Bound(span.high.value, not span.high.is_in, span.high.places)
        if span.high.value is None:
            return outside
    return [*outside, Span(low, Bound(None, False))]


def _low_key(bound: Bound) -> tuple[int, Any, int]:
    return (0, 0, 0) if bound.value is None else (1, bound.value, 0 if bound.is_in else 1)


def _high_key(bound: Bound) -> tuple[int, Any, int]:
    return (2, 0, 0) if bound.value is None else (1, bound.value, 1 if bound.is_in else 0)


def _intersection(one: list[Span], other: list[Span]) -> list[Span]:
    met = [
        Span(max(a.low, b.low, key=_low_key), min(a.high, b.high, key=_high_key)) for a in one for b in other
    ]
    return [span for span in met if not _is_empty(span)]


def _is_empty(span: Span) -> bool:
    low, high = span.low.value, span.high.value
    if low is None or high is None:
        return False
    return low > high or (low == high and not (span.low.is_in and span.high.is_in))


def _merged(spans: list[Span]) -> list[Span]:
    """Return spans in order, those that touch made one."""
    merged: list[Span] = []
    for span in sorted((each for each in spans if not _is_empty(each)), key=lambda each: _low_key(each.low)):
        if merged and _touch(merged[-1].high, span.low):
            high = max(merged[-1].high, span.high, key=_high_key)
            merged[-1] = Span(merged[-1].low, high)
        else:
            merged.append(span)
    return merged


def _touch(high: Bound, low: Bound) -> bool:
    if high.value is None or low.value is None:
        return True
    return low.value < high.value or (low.value == high.value and (low.is_in or high.is_in))
