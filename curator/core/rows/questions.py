"""A row of any file as a question, or the sentence that refuses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from string import ascii_uppercase
from typing import Any

from common.core.text import content_hash
from curator.core.rows.cells import (
    LONGEST_NAME,
    LONGEST_TAG,
    LONGEST_TEXT,
    MOST_OPTIONS,
    MOST_TAGS,
    SHOWN_TEXT,
    Refused,
    clean,
    kept,
    read_language,
    read_marks,
    read_rating,
    read_tags,
    shown,
)
from curator.core.rows.names import has_numbered_options
from curator.core.rows.options import option_list, read_key, split_inline, without_empty_end

__all__ = [
    "LONGEST_NAME",
    "LONGEST_TAG",
    "LONGEST_TEXT",
    "MOST_OPTIONS",
    "MOST_TAGS",
    "SHOWN_TEXT",
    "QuestionRow",
    "Rejected",
    "read_row",
]


@dataclass(frozen=True)
class QuestionRow:
    """A row that can become a question; `key` is empty where the row has none.

    `rating` is the difficulty from 1 to 5 as an expert gives it. `neutralised` says that something in
    the row's texts was made harmless.
    """

    row_number: int
    text: str
    options: tuple[str, ...]
    key: str
    solution: str
    marks: Decimal | None
    language: str
    domain: str
    external_id: str
    neutralised: bool
    rating: int | None = None
    tags: tuple[str, ...] = ()

    @cached_property
    def content_hash(self) -> str:
        """Return the question's identity; it is worked out once."""
        return content_hash(self.text, self.options)


@dataclass(frozen=True)
class Rejected:
    """A row that cannot: where, why, the offending text, and the whole row to be corrected.

    `cells` are the row's texts by column, made harmless and cut where a cell of a spreadsheet ends.
    """

    row_number: int
    column: str
    reason: str
    text: str
    cells: dict[str, str] = field(default_factory=dict)


def read_row(row: Mapping[str, Any], mapping: Mapping[str, str], row_number: int) -> QuestionRow | Rejected:
    """Read one row of a table; `row_number` is what a person sees in the file, from 1 with the header."""
    try:
        return _read(row, mapping, row_number)
    except Refused as refused:
        column = mapping.get(refused.field) or mapping.get("option A") or refused.field or mapping["question"]
        return Rejected(row_number, column, refused.reason, refused.text, kept(row))


def _read(row: Mapping[str, Any], mapping: Mapping[str, str], row_number: int) -> QuestionRow:
    cells = _Cells(row, mapping)
    text = cells.read("question", LONGEST_TEXT)
    if not text:
        empty = not any(shown(value).strip() for value in row.values())
        what = (
            "The row is empty; delete it." if empty else "The question is empty; write it, or delete the row."
        )
        raise Refused("question", what)
    options = cells.read_options()
    key = cells.read("key", LONGEST_TEXT)
    if not options and (parted := split_inline(text, key)):
        text, options = parted[0], tuple(parted[1])
    if has_numbered_options(mapping):
        key = _lettered(key, options)
    return QuestionRow(
        row_number=row_number,
        text=text,
        options=options,
        key=read_key(key, options),
        solution=cells.read("solution", LONGEST_TEXT),
        marks=read_marks(cells.read("marks", LONGEST_NAME)),
        language=read_language(cells.read("language", LONGEST_NAME), text),
        domain=cells.read("domain", LONGEST_NAME),
        external_id=cells.read("external_id", LONGEST_NAME),
        rating=read_rating(cells.read("rating", LONGEST_NAME)),
        tags=cells.read_tags(),
        neutralised=cells.neutralised,
    )


def _lettered(key: str, options: Sequence[str]) -> str:
    """Return the letter of a key that counts the options from 1, unless it is an option's own text."""
    is_number = key.isascii() and key.isdecimal() and len(key) < 3 and key not in options
    return ascii_uppercase[int(key) - 1] if is_number and 1 <= int(key) <= len(options) else key


class _Cells:
    """A row's cells by field, made harmless as they are read; remembers whether anything was changed."""

    def __init__(self, row: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
        self.row, self.mapping, self.neutralised = row, mapping, False

    def read(self, field: str, longest: int) -> str:
        """Return a field's text, empty where the file has none."""
        if field not in self.mapping:
            return ""
        return self._clean(shown(self.row.get(self.mapping[field])).strip(), field, longest)

    def read_options(self) -> tuple[str, ...]:
        """Return the options, from one column or from one column each."""
        if "options" in self.mapping:
            found = option_list(self.row.get(self.mapping["options"]))
        else:
            columns = [self.mapping[field] for field in sorted(self.mapping) if field.startswith("option ")]
            found = without_empty_end([shown(self.row.get(column)).strip() for column in columns])
        check_count(found)
        return tuple(self._clean(option, "options", LONGEST_TEXT) for option in found)

    def read_tags(self) -> tuple[str, ...]:
        """Return the tags, each once."""
        if "tags" not in self.mapping:
            return ()
        tags, changed = read_tags(self.row.get(self.mapping["tags"]))
        self.neutralised |= changed
        return tags

    def _clean(self, text: str, field: str, longest: int) -> str:
        harmless, changed = clean(text, field, longest)
        self.neutralised |= changed
        return harmless


def check_count(options: Sequence[str]) -> None:
    """Refuse more options than there are letters.

    Raises:
        Refused: with how many there are.
    """
    if len(options) > MOST_OPTIONS:
        many = f"There are {len(options)} options, more than {MOST_OPTIONS}; A to Z is the most."
        raise Refused("options", many, options)
