"""What a formula that is an answer holds: its items, their names taken off, each "±" as two."""

from collections.abc import Iterator
from dataclasses import dataclass

from common.core.formulas import Node


def letters_of_formula(node: Node) -> frozenset[str]:
    """Return the letters of a formula that stand for numbers."""
    own = {node.name} if node.kind in ("symbol", "call") and node.name not in ("π", "e", "i") else set()
    return frozenset(own).union(*map(letters_of_formula, node.parts))


@dataclass(frozen=True)
class Item:
    """One item of an answer: what it is called, if it is, and what it is."""

    name: str
    node: Node


_VALUES = frozenset(
    {
        "number", "symbol", "add", "multiply", "negative", "inverse", "fraction", "power", "percent", "degrees",
        "with unit", "factorial", "binom", "based", "call", "function",
    }
)  # fmt: skip


def is_value(node: Node) -> bool:
    return node.kind in _VALUES and not any(
        part.kind in ("tuple", "set", "list", "chain", "matrix", "infinity") for part in node.parts
    )


def is_infinite(node: Node) -> bool:
    return node.kind == "infinity" or (node.kind == "negative" and is_infinite(node.parts[0]))


def is_name(node: Node) -> bool:
    """Tell a name from a side of an equation: letters, f(x), |AB|, (p, q), a : b and NO/BO."""
    if node.kind in ("symbol", "call"):
        return True
    if node.kind in ("add", "negative", "multiply", "tuple", "ratio", "fraction", "inverse") or (
        node.kind == "function" and node.name not in ("max", "min", "gcd", "floor", "ceil", "ln", "log", "lg")
    ):
        return all(map(is_name, node.parts))
    return False


def _shown(node: Node) -> str:
    return node.name + "".join(_shown(part) for part in node.parts)


def items_of(node: Node) -> list[Item]:
    """Return the items of an answer, each "±" as two, each name taken off."""
    parts = node.parts if node.kind in ("list", "set") else (node,)
    items = [_named(each) for part in parts for each in _either(part)]
    return _grouped(items)


def members_of(items: list[Item]) -> list[Item]:
    """Return what a single set holds, any other items as they are."""
    if len(items) == 1 and items[0].node.kind in ("set", "list"):
        return items_of(items[0].node)
    return items


def _either(node: Node) -> Iterator[Node]:
    if not _has_either(node) or node.kind in ("set", "list"):
        yield node
        return
    for sign in (1, -1):
        yield _with_sign(node, sign)


def _has_either(node: Node) -> bool:
    return node.kind == "either" or any(map(_has_either, node.parts))


def _with_sign(node: Node, sign: int) -> Node:
    if node.kind == "either":
        inside = _with_sign(node.parts[0], sign)
        positive = (sign == 1) == (node.name == "±")
        return inside if positive else Node("negative", (inside,))
    parts = tuple(_with_sign(part, sign) for part in node.parts)
    return Node(node.kind, parts, node.name, node.value, node.places)


def _named(node: Node) -> Item:
    """Return "x = 3 = 3.0" as 3 called x, "x ∈ S" as S; an equation stays one."""
    if node.kind != "chain":
        return Item("", node)
    signs = node.name.split()
    if signs == ["∈"]:
        return Item(_shown(node.parts[0]), node.parts[1])
    if not set(signs) <= {"=", "≈"}:
        return Item("", node)
    exactly = signs.index("≈") if "≈" in signs else len(signs)
    told = node.parts[max(exactly, 1)]
    named = letters_of_formula(node.parts[0])
    if (named and not is_name(node.parts[0])) or (not named and letters_of_formula(told)):
        return Item("", node)
    name = _shown(node.parts[0]) if is_name(node.parts[0]) else ""
    return Item(name, told)


def _grouped(items: list[Item]) -> list[Item]:
    """Return "p=5, q=2, p=7, q=2" as two pairs."""
    names = [each.name for each in items]
    size = len(set(names))
    if (
        not all(names)
        or not 1 < size < len(names)
        or len(names) % size
        or names[:size] * (len(names) // size) != names
    ):
        return items
    nodes = [each.node for each in items]
    return [
        Item("", Node("tuple", tuple(nodes[place : place + size]), "()"))
        for place in range(0, len(nodes), size)
    ]
