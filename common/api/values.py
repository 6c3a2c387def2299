"""Values of requests: texts that the database can hold, bodies without unknown fields, and pages of lists."""

import math
from typing import Annotated, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from common.api.errors import Faulty
from common.paging import ROWS_A_PAGE, Cursor, KeysetPage, Order, get_keyset_page, read_cursor

MOST_ROWS = 200  # of a page
LARGEST_KEY = 2**63 - 1


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul_in_text", "The text holds a NUL character")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Key = Annotated[int, Field(ge=1, le=LARGEST_KEY)]


class Given(Schema):
    """A body; what it holds beside its fields is refused, as it would be lost."""

    model_config = ConfigDict(extra="forbid")


class Asked(Schema):
    """Parameters of an address; unknown ones are refused, as a filter that is not heeded finds too much."""

    @model_validator(mode="after")
    def refuse_unknown(self, info: ValidationInfo) -> "Asked":
        """Hold the address against the fields."""
        asked = info.context["request"].GET if info.context else {}
        unknown = sorted(set(asked) - set(type(self).model_fields))
        if unknown:
            names = ", ".join(name[:40] for name in unknown[:5])
            raise PydanticCustomError(
                "unknown_parameter", "There is no such parameter: {names}", {"names": names}
            )
        return self


class PageAsked(Asked):
    """Which part of a list."""

    limit: int = Field(
        default=ROWS_A_PAGE, ge=1, le=MOST_ROWS, description=gettext_noop("How many rows at most.")
    )
    after: Text = Field(
        default="",
        max_length=300,
        description=gettext_noop("The place from which to go on: “after” of the page before, as it came."),
    )

    def page_of(self, rows: Any, order: Order, shown: Any = lambda rows: rows) -> KeysetPage:
        """Return this page of rows.

        Raises:
            Faulty: `after` is no place in this order.
        """
        return get_keyset_page(rows, order, after=self._place(order), size=self.limit, shown=shown)

    def _place(self, order: Order) -> Cursor | None:
        try:
            return read_cursor(self.after, order) if self.after else None
        except ValueError as error:
            raise Faulty(("after", _("It is no place in this list; begin without it."))) from error


class PageOut(Schema):
    """A page of a list."""

    after: str | None = Field(
        description=gettext_noop("Where the next page begins; null at the end of the list."),
        examples=["1042"],
    )


def finite(number: float | None) -> float | None:
    """Return a number that JSON can hold; what is none, as the loss of a run that has burst, is null."""
    return number if number is not None and math.isfinite(number) else None
