"""Which row of a table holds the column names, and what they are.

Above it people put titles, notes and empty rows; two rows of names come from merged cells. The row is
found by what it says: the names that questions' files have in both languages count most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from curator.core.rows import guess_mapping
from curator.readers.faults import Misread

SEARCHED_ROWS = 30  # from the top
_LONGEST_NAME = 60  # characters of what looks like a column name


@dataclass(frozen=True)
class Header:
    """Where the column names end, counted from 0, and what they are; empty for a column without one.

    The place is -1 where there are none, and every row is a question.
    """

    place: int
    names: tuple[str, ...]

    @property
    def row(self) -> int:
        """Return the number that a person sees beside the last row of names."""
        return self.place + 1

    def columns(self, used: set[int]) -> dict[int, str]:
        """Return the name of each column by its place; one without a name goes unless it is used."""
        return {
            place: name or unnamed(place) for place, name in enumerate(self.names) if name or place in used
        }


def unnamed(place: int) -> str:
    """Return what a column without a name is called; places count from 0."""
    return f"Column {place + 1}"


def header_at(row: int, records: Sequence[Sequence[str]], name: str) -> Header:
    """Return the header in the row that a person says; row 0 is none, and the columns are numbered.

    Raises:
        Misread: there is no such row in the beginning of the file, or nothing in it.
    """
    if row == 0:
        width = max(map(len, records), default=0)
        return Header(-1, tuple(map(unnamed, range(width))))
    names = tuple(map(named, records[row - 1])) if row <= len(records) else ()
    if not any(names):
        raise Misread(f"{name} has no column names in row {row}; choose the row that holds them.")
    return Header(row - 1, names)


def find_header(records: Sequence[Sequence[str]]) -> Header | None:
    """Return the header of a table from its first records; None where all of them are empty."""
    cells = [[named(cell) for cell in record] for record in records[:SEARCHED_ROWS]]
    filled = [place for place, row in enumerate(cells) if any(row)]
    if not filled:
        first = next((place for place, row in enumerate(records) if any(map(named, row))), None)
        return None if first is None else Header(first, tuple(map(named, records[first])))
    place = _place(cells, filled)
    if place + 1 < len(cells) and (joined := _joined(cells[place], cells[place + 1])):
        return Header(place + 1, joined)
    return Header(place, tuple(cells[place]))


def named(cell: str) -> str:
    """Return a cell as a column name: on one line, and without marks that nobody sees."""
    return " ".join(cell.replace("\ufeff", "").replace("\u200b", "").split())


def known_fields(row: Sequence[str]) -> int:
    """Return how many fields of a question a row names; none unless the question is one of them."""
    mapping = guess_mapping([cell for cell in row if cell and len(cell) <= _LONGEST_NAME])
    return len(mapping) if "question" in mapping else 0


def _place(cells: Sequence[Sequence[str]], filled: Sequence[int]) -> int:
    """Return which record is the header."""
    first = filled[0]
    if known_fields(cells[first]) or len(guess_mapping([cell for cell in cells[first] if cell])) > 1:
        return first
    for place in filled:
        if known_fields(cells[place]) > (sum(map(bool, cells[place])) > 1):
            return place
        joined = _joined(cells[place], cells[place + 1]) if place + 1 < len(cells) else None
        if joined and known_fields(joined):
            return place
    return next((place for place in filled if not _is_title(cells, place)), first)


def _is_title(cells: Sequence[Sequence[str]], place: int) -> bool:
    """Tell a line of text above a table: one cell, with what looks like names of more columns below."""
    if sum(map(bool, cells[place])) != 1:
        return False
    below = [row for row in cells[place + 1 :] if any(row)]
    wide = next((row for row in below if sum(map(bool, row)) > 1), None)
    return wide is not None and len(below) > 1 and _look_like_names(wide)


def _look_like_names(row: Sequence[str]) -> bool:
    given = [cell for cell in row if cell]
    return len(set(given)) == len(given) and not any(
        len(cell) > _LONGEST_NAME or cell.replace(".", "").isdigit() for cell in given
    )


def _joined(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...] | None:
    """Return the names of a header in two rows, whose upper cells are merged over several lower ones.

    Under such a cell every lower one is filled, and under every other cell none is; and a lower one
    must be a name that is known, as a row of a question could look like this otherwise.
    """
    width = max(len(upper), len(lower))
    above = [*upper, *[""] * (width - len(upper))]
    below = [*lower, *[""] * (width - len(lower))]
    groups = [place for place, name in enumerate(above) if name]
    if not groups or groups[0] != 0:
        return None
    names: list[str] = []
    for begin, end in zip(groups, [*groups[1:], width], strict=True):
        under = below[begin:end]
        if end - begin == 1 and not under[0]:
            names.append(above[begin])
        elif end - begin > 1 and all(under):
            names += [_under(above[begin], name) for name in under]
        elif not any(under):
            names += [above[begin], *[""] * (end - begin - 1)]
        else:
            return None
    return tuple(names) if guess_mapping([name for name in below if name]) else None


def _under(group: str, name: str) -> str:
    return name if guess_mapping([name]) else f"{group} {name}"
