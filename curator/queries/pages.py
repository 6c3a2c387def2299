"""One page of a long list, at any depth for the same price."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

QUESTIONS_A_PAGE = 50


@dataclass(frozen=True)
class KeysetPage:
    """One page of rows in the order of their keys, with where the pages beside it begin."""

    rows: list[Any]
    before: int | None  # the page before ends below this key
    after: int | None  # the page after begins above this key


def get_keyset_page(
    rows: "QuerySet[Any]",
    *,
    after: int | None = None,
    before: int | None = None,
    size: int = QUESTIONS_A_PAGE,
) -> KeysetPage:
    """Return the page that follows the key `after`, or precedes the key `before`."""
    if before is not None:
        found = list(rows.filter(pk__lt=before).order_by("-pk")[: size + 1])
        page = found[:size][::-1]
        more_before, more_after = len(found) > size, True
    else:
        found = list((rows if after is None else rows.filter(pk__gt=after)).order_by("pk")[: size + 1])
        page = found[:size]
        more_before, more_after = after is not None, len(found) > size
    first, last = (page[0].pk, page[-1].pk) if page else (None, None)
    return KeysetPage(page, first if more_before else None, last if more_after else None)
