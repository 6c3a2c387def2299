"""A taxonomy as a tree of codes: read from typed lines, written as such, and compared with another.

A line is `code name weight`, and its indentation says whose child it is. A code or name with spaces or
quotation marks stands in quotation marks where it could be misread; `-` in place of a weight means none.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

TAB, WIDE_SPACE = 4, 2  # columns that a tab and a full-width space indent by
NO_WEIGHT = "-"
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)')
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Entry:
    """A domain as a file or a person gives it; None means that nothing was said of it."""

    place: int  # the row or line, as a person counts them
    code: str
    name: str | None = None
    parent: str | None = None  # a code, or "" for the top
    weight: str | None = None  # as written


@dataclass(frozen=True)
class Node:
    """A domain of a taxonomy."""

    code: str
    name: str
    parent: str = ""
    weight: float | None = None


def read_outline(text: str) -> list[Entry]:
    """Return a typed tree as entries, in the order of the lines; empty lines count and say nothing."""
    entries: list[Entry] = []
    open_branches: list[tuple[int, str]] = []  # indentation and code of the line above, its parent, …
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        depth = _indentation(line)
        while open_branches and open_branches[-1][0] >= depth:
            open_branches.pop()
        code, name, weight = _parts(line.strip())
        parent = open_branches[-1][1] if open_branches else ""
        entries.append(Entry(place, code, name, parent, weight))
        open_branches.append((depth, code))
    return entries


def _indentation(line: str) -> int:
    widths = {"\t": TAB, "\u3000": WIDE_SPACE}
    return sum(widths.get(character, 1) for character in line[: len(line) - len(line.lstrip())])


def _parts(line: str) -> tuple[str, str, str]:
    """Return code, name and weight of a line; what is not there is empty."""
    code, rest = _first(line)
    if rest.startswith('"') and _QUOTED.match(rest):
        return code, *_first(rest)
    name, _space, last = rest.rpartition(" ") if " " in rest else ("", "", rest)
    if _reads_as_weight(last):
        return code, name.strip(), last
    return code, rest, ""


def _first(line: str) -> tuple[str, str]:
    """Return the first word of a line, its quotation marks taken off, and the rest."""
    quoted = _QUOTED.match(line)
    if quoted:
        return quoted[1].replace('""', '"'), line[quoted.end() :].strip()
    word, *rest = line.split(maxsplit=1)
    return word, rest[0] if rest else ""


def _reads_as_weight(word: str) -> bool:
    weight = weight_of(word)
    return word == NO_WEIGHT or (weight is not None and math.isfinite(weight))  # a name may end in “Infinity”


def weight_of(text: str) -> float | None:
    """Return the number that a weight is written as, with or without a per cent sign; None where it is none.

    The sign changes nothing, as only the share among neighbours counts: 30% beside 70 is what 30 is.
    """
    try:
        return float(text.rstrip("%％"))
    except ValueError:
        return None


def write_outline(nodes: Iterable[Node]) -> str:
    """Return a tree as lines that `read_outline` reads back."""
    lines = []
    for node, depth in walk(nodes):
        weight = "" if node.weight is None else f"{node.weight:g}"
        if weight and float(weight) != node.weight:
            weight = repr(node.weight)
        parts = [_shown_code(node.code), _shown_name(node.name, weight), weight]
        lines.append("  " * depth + " ".join(part for part in parts if part))
    return "\n".join(lines)


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _shown_code(code: str) -> str:
    return _quote(code) if '"' in code or code.split() != [code] else code


def _shown_name(name: str, weight: str) -> str:
    """Return a name, in quotation marks where its end could be read as a weight or its spaces would be lost."""
    last = name.rpartition(" ")[2]
    is_misread = not weight and _reads_as_weight(last)
    if is_misread or name.startswith('"') or name.strip() != name or not name:
        return _quote(name)
    return name


def natural_order(code: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key by which 1.9 comes before 1.10."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in _DIGITS.split(code)
        if part
    )


def walk(nodes: Iterable[Node], *, last: str = "") -> Iterator[tuple[Node, int]]:
    """Yield a tree from top to bottom with each node's depth, by code; the code `last` ends the top level.

    What hangs on itself or on nothing known is not reached.
    """
    children: dict[str, list[Node]] = {}
    for node in sorted(nodes, key=lambda node: (node.code == last, natural_order(node.code), node.code)):
        children.setdefault(node.parent, []).append(node)
    waiting = [(node, 0) for node in reversed(children.get("", []))]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in reversed(children.get(node.code, []))]


def cycle_in(parents: Mapping[str, str]) -> str:
    """Return a code that is its own ancestor, or "" where none is; `parents` gives each code's parent."""
    sound: set[str] = set()
    for code in parents:
        path: list[str] = []
        while code and code not in sound:
            if code in path:
                return code
            path.append(code)
            code = parents.get(code, "")
        sound.update(path)
    return ""


def shares_of(nodes: Sequence[Node]) -> dict[str, float]:
    """Return, for each node with a weight, its share among its siblings with weights."""
    sums: dict[str, float] = {}
    for node in nodes:
        sums[node.parent] = sums.get(node.parent, 0.0) + (node.weight or 0.0)
    return {
        node.code: node.weight / sums[node.parent] if sums[node.parent] else 0.0
        for node in nodes
        if node.weight is not None
    }


@dataclass(frozen=True)
class Changes:
    """What makes one tree of another; a changed node stands in each list that says what of it changed."""

    added: tuple[Node, ...] = ()
    renamed: tuple[tuple[Node, Node], ...] = ()  # before and after
    moved: tuple[tuple[Node, Node], ...] = ()
    reweighed: tuple[tuple[Node, Node], ...] = ()
    removed: tuple[Node, ...] = ()

    def __bool__(self) -> bool:
        return any((self.added, self.renamed, self.moved, self.reweighed, self.removed))


def changes_between(before: Iterable[Node], after: Iterable[Node]) -> Changes:
    """Return what changes when one tree takes the place of another; a node is known by its code."""
    old, new = {node.code: node for node in before}, {node.code: node for node in after}
    both = [(old[code], node) for code, node in new.items() if code in old]
    return Changes(
        added=tuple(node for code, node in new.items() if code not in old),
        renamed=tuple(pair for pair in both if pair[0].name != pair[1].name),
        moved=tuple(pair for pair in both if pair[0].parent != pair[1].parent),
        reweighed=tuple(pair for pair in both if pair[0].weight != pair[1].weight),
        removed=tuple(node for code, node in old.items() if code not in new),
    )


def nearest_kept(code: str, parents: Mapping[str, str], kept: Iterable[str]) -> str:
    """Return the nearest ancestor of a code that is kept, or "" where none is."""
    staying = set(kept)
    while code and code not in staying:
        code = parents.get(code, "")
    return code
