"""A row's values held against its own fields before the database sees them."""

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from common.core.refusal import Refusal

Row = TypeVar("Row", bound=models.Model)


def checked(row: Row, *names: str) -> Row:
    """Return a row whose named fields hold what they can hold: lengths, ranges, choices.

    Raises:
        Refusal: naming the first field that does not, and its limit.
    """
    others = {field.name for field in row._meta.fields} - set(names)
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        label = str(getattr(row._meta.get_field(name), "verbose_name", name))
        raise Refusal(f"{label[:1].upper()}{label[1:]}: {messages[0]}") from error
    return row
