"""One cell of a file as a value of a question's field, or the sentence that refuses it."""

import json
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from common.core.text import language_of, neutralise

LONGEST_TEXT = 100_000  # characters of a question, its options, its solution; past that it is none
LONGEST_NAME = 200  # characters of a domain or an id
LONGEST_TAG = 50
MOST_TAGS = 50
MOST_OPTIONS = 26
SHOWN_TEXT = 200  # characters of a refused text that the report repeats
LONGEST_CELL = 32_767  # characters; a cell of a spreadsheet holds no more
REPEATED_CELL = 40  # characters: sources, licences and marks stand in many rows

_LANGUAGES = {
    **dict.fromkeys(("en", "eng", "en-us", "en-gb", "english", "英文", "英语"), "en"),
    **dict.fromkeys(("zh", "zh-cn", "zh-hans", "cn", "chinese", "中文", "汉语", "简体中文"), "zh"),
}
_RATINGS = {
    **dict.fromkeys(("1", "very easy", "易", "容易", "简单", "easy", "很易", "很容易", "基础"), 1),
    **dict.fromkeys(("2", "较易", "偏易", "较容易", "中易"), 2),
    **dict.fromkeys(("3", "中", "中等", "适中", "一般", "普通", "medium", "moderate", "normal"), 3),
    **dict.fromkeys(("4", "较难", "偏难", "中难"), 4),
    **dict.fromkeys(("5", "难", "困难", "很难", "极难", "hard", "difficult", "very hard"), 5),
}
_STARS = re.compile(r"([★⭐]{1,5})☆*")
_TAG_END = re.compile(r"[,，、;；\n]")


class Refused(Exception):
    """A cell cannot be what its column says it is."""

    def __init__(self, field: str, reason: str, text: Any = "") -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason
        self.text = neutralise(str(text)[:SHOWN_TEXT])[0]


def shown(value: Any) -> str:
    """Return a cell as text: a float without a fraction is a whole number, as spreadsheets mean it."""
    if type(value) is str:
        return value
    if value is None or value != value:  # NaN is how some tables write an empty cell
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict):
        return written(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def written(value: Any) -> str:
    """Return a list or an object as JSON.

    Raises:
        Refused: it is nested deeper than can be read.
    """
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError as error:
        raise Refused("", "A cell holds lists in lists, too deep to read; write them as text.") from error


def kept(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row's cells as a spreadsheet can show them, for a person to correct."""
    cells = {}
    for column, value in row.items():
        try:
            text = shown(value)
            cells[column] = (
                _harmless(text) if len(text) <= REPEATED_CELL else neutralise(text[:LONGEST_CELL])[0]
            )
        except Refused:
            cells[column] = ""
    return cells


@lru_cache(maxsize=4096)
def _harmless(text: str) -> str:
    return neutralise(text)[0]


def clean(text: str, field: str, longest: int) -> tuple[str, bool]:
    """Return a cell's text made harmless, and whether that changed it.

    Raises:
        Refused: the text is too long.
    """
    if len(text) > longest:
        raise Refused(field, f"The text has {len(text)} characters, more than {longest}; shorten it.", text)
    harmless, changed = neutralise(text)
    return harmless.strip(), changed


@lru_cache(maxsize=4096)
def read_marks(text: str) -> Decimal | None:
    """Return the marks of a question, in hundredths."""
    if not text.strip():
        return None
    try:
        marks = Decimal(unicodedata.normalize("NFKC", text).strip().rstrip("分").strip())
    except InvalidOperation as error:
        raise Refused(
            "marks", "The marks are no number; write a number, or leave the cell empty.", text
        ) from error
    if not marks.is_finite() or not 0 <= marks < 100_000:
        raise Refused("marks", "The marks are negative or beyond 99,999; correct them.", text)
    return marks.quantize(Decimal("0.01"))


@lru_cache(maxsize=4096)
def read_rating(text: str) -> int | None:
    """Return a difficulty from 1 to 5 as an expert rates it: in figures, in stars or in words."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if not plain:
        return None
    if stars := _STARS.fullmatch(plain):
        return len(stars[1])
    named = re.sub(r"^(?:level|难度|l)[\s:]*|(?:\.0+|[\s级星])$|题$", "", plain)
    if named not in _RATINGS:
        meant = "The difficulty is none of 1 to 5, 易, 中 or 难, easy, medium or hard; correct it, or empty the cell."
        raise Refused("rating", meant, text)
    return _RATINGS[named]


def read_tags(value: Any) -> tuple[tuple[str, ...], bool]:
    """Return a row's tags, each once and in its order, and whether any had to be made harmless.

    They are given as a list, as the text of one, or as a text with separators.
    """
    if isinstance(value, list | tuple):
        return _tags(tuple(shown(tag) for tag in value))
    text = shown(value).strip()
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list):
            return _tags(tuple(shown(tag) for tag in listed))
    return _tags(tuple(_TAG_END.split(text)))


@lru_cache(maxsize=4096)
def _tags(parts: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    harmless = [neutralise(part) for part in parts]
    tags = dict.fromkeys(tag for part, _ in harmless if (tag := " ".join(part.split())))
    if len(tags) > MOST_TAGS:
        many = f"There are {len(tags)} tags, more than {MOST_TAGS}; keep those that matter."
        raise Refused("tags", many, ", ".join(parts))
    for tag in tags:
        if len(tag) > LONGEST_TAG:
            long = f"A tag has {len(tag)} characters, more than {LONGEST_TAG}; shorten it, or part it with commas."
            raise Refused("tags", long, tag)
    return tuple(tags), any(changed for _, changed in harmless)


def read_language(named: str, text: str) -> str:
    """Return the language that a row names, or else that of its text."""
    return _LANGUAGES.get(named) or _LANGUAGES.get(named.strip().casefold()) or language_of(text)
