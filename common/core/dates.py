"""A calendar date as people write it, in Chinese and English."""

import re
from dataclasses import dataclass
from datetime import date

from common.core.notation import folded
from common.core.numerals import chinese_number

_MONTH_NAMES = [
    "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
    "september sep sept", "october oct", "november nov", "december dec",
]  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_CHINESE = r"[0-9〇○零一二三四五六七八九十廿]"
_DATES = [
    re.compile(
        r"(?<![\d.])(?P<year>\d{4})\s?(?P<joint>[-/.])\s?(?P<month>\d{1,2})\s?(?P=joint)\s?(?P<day>\d{1,2})(?![\d/])"
    ),
    re.compile(
        rf"(?:公元)?(?P<year>{_CHINESE}{{4}})\s?年\s?(?P<month>{_CHINESE}{{1,3}})\s?月(?:\s?(?P<day>{_CHINESE}{{1,3}})\s?[日号])?"
    ),
    re.compile(rf"(?P<month>{_CHINESE}{{1,3}})\s?月\s?(?P<day>{_CHINESE}{{1,3}})\s?[日号]"),
    re.compile(rf"\b(?P<name>{_MONTH})\.?\s{_DAY}\b(?!:)(?:\s?,?\s(?P<year>\d{{4}}))?", re.IGNORECASE),
    re.compile(rf"\b{_DAY}\s(?:of\s)?(?P<name>{_MONTH})\b\.?(?:,?\s(?P<year>\d{{4}}))?", re.IGNORECASE),
    re.compile(rf"\b(?P<name>{_MONTH})\.?,?\s(?:of\s)?(?P<year>\d{{4}})\b", re.IGNORECASE),
    re.compile(r"^\s*(?P<year>(?:19|20)\d{2})-(?P<month>0[1-9]|1[0-2])\s*$"),
]
_SHORT = re.compile(r"(?<![\d/.-])(\d{1,2})(?P<joint>[/.-])(\d{1,2})(?P=joint)(\d{4})(?![\d/])")
_LONGEST = 60


@dataclass(frozen=True)
class Day:
    """A date of which the year or the day may be left open."""

    year: int | None
    month: int
    day: int | None


def dates_in(text: str) -> frozenset[Day]:
    """Return the ways to read the one date that a short text holds, none where it holds none or several."""
    if len(text) > _LONGEST:
        return frozenset()
    text = folded(text)
    matches = (pattern.search(text) for pattern in _DATES)
    found = [day for match in matches if match and (day := _day_of(match))]
    if found:
        fullest = max(found, key=lambda day: (day.year is not None) + (day.day is not None))
        return frozenset({fullest})
    if match := _SHORT.search(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        return frozenset(day for day in (_valid(year, first, second), _valid(year, second, first)) if day)
    return frozenset()


def is_date(text: str) -> bool:
    """Tell whether a text is a date and nothing else."""
    rest = folded(text[: _LONGEST + 1]).strip(" .。,，")
    return bool(dates_in(rest)) and any(pattern.fullmatch(rest) for pattern in (*_DATES, _SHORT))


def _day_of(found: "re.Match[str]") -> Day | None:
    named = found.groupdict()
    month = _MONTHS[named["name"].lower()] if named.get("name") else _count(named["month"])
    day = _count(named["day"]) if named.get("day") else None
    year = _year(named["year"]) if named.get("year") else None
    return None if month is None else _valid(year, month, day)


def _valid(year: int | None, month: int, day: int | None) -> Day | None:
    try:
        date(year or 2000, month, day or 1)
    except ValueError:
        return None
    return Day(year, month, day)


def _count(digits: str) -> int | None:
    if digits.isascii():
        return int(digits)
    read = chinese_number(digits.replace("廿", "二十"))
    return int(read[0]) if read and read[0].isdecimal() else None


def _year(digits: str) -> int | None:
    return int(
        "".join(
            str("〇一二三四五六七八九".find(sign)) if not sign.isascii() else sign
            for sign in re.sub("[○零]", "〇", digits)
        )
    )
