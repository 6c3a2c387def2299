"""One page of a long list in any order, at any depth for the same price."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.expressions import Combinable

ROWS_A_PAGE = 50
_PARTED = "~"  # between a row's value and its key


@dataclass(frozen=True)
class Order:
    """An order of rows: by a value that is never null, then by key, both up or both down.

    Without a value the key alone decides. `read` turns a value's text into the value again.
    """

    value: Combinable | None = None
    is_down: bool = False
    read: Callable[[str], Any] = str


@dataclass(frozen=True)
class Cursor:
    """A place between two rows."""

    value: Any
    key: int


@dataclass(frozen=True)
class KeysetPage:
    """One page of rows in their order, with where the pages beside it begin."""

    rows: list[Any]
    before: str | None  # the page before ends above this place
    after: str | None  # the page after begins below this place


def read_cursor(text: str, order: Order) -> Cursor:
    """Read a place as a page's address names it.

    Raises:
        ValueError: it names no place in this order.
    """
    value, _parted, key = text.rpartition(_PARTED)
    if not (key.isascii() and key.isdigit()) or len(key) > 18 or (order.value is None) != (not _parted):
        raise ValueError(f"{text[:40]!r} is no place in a list")
    try:
        return Cursor(order.read(value) if order.value is not None else None, int(key))
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{text[:40]!r} is no place in a list") from error


def get_keyset_page(
    rows: "QuerySet[Any]",
    order: Order,
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
    size: int = ROWS_A_PAGE,
    shown: Callable[["QuerySet[Any]"], "QuerySet[Any]"] = lambda rows: rows,
) -> KeysetPage:
    """Return the page that follows the place `after`, or precedes the place `before`.

    `shown` says what is read of the page's own rows; the others are ordered by key and value alone.
    """
    value = order.value if order.value is not None else Value(0)
    is_down = order.is_down != (before is not None)
    start = before or after
    ordered = rows.annotate(place=value)
    if start is not None:
        ordered = ordered.filter(_beyond(start, is_down=is_down))
    ordered = ordered.order_by(*_sorted(order, is_down=is_down))
    found = list(ordered.values_list("place", "pk")[: size + 1])
    places, has_more = found[:size], len(found) > size
    if before is not None:
        places.reverse()
    has_before = has_more if before is not None else after is not None
    has_after = has_more if before is None else True
    by_key = shown(rows.model._default_manager.all()).in_bulk([key for _place, key in places])
    return KeysetPage(
        [by_key[key] for _place, key in places if key in by_key],
        _written(places[0][0], places[0][1], order) if places and has_before else None,
        _written(places[-1][0], places[-1][1], order) if places and has_after else None,
    )


def _beyond(start: Cursor, *, is_down: bool) -> Q:
    how = "lt" if is_down else "gt"
    if start.value is None:
        return Q(**{f"pk__{how}": start.key})
    return Q(**{f"place__{how}": start.value}) | Q(**{"place": start.value, f"pk__{how}": start.key})


def _sorted(order: Order, *, is_down: bool) -> list[str]:
    sign = "-" if is_down else ""
    return [f"{sign}pk"] if order.value is None else [f"{sign}place", f"{sign}pk"]


def _written(place: Any, key: int, order: Order) -> str:
    if order.value is None:
        return str(key)
    value = place.isoformat() if hasattr(place, "isoformat") else place
    return f"{value}{_PARTED}{key}"
