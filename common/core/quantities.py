"""A number as people write it: sign, thousands, fraction, percent, 万 and million, currency, unit.

Decimal arithmetic throughout, so that what was written is what is compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from enum import StrEnum

from common.core.notation import folded, without_tex

_DIGITS = 120  # more of them is no quantity
_SCALES = {
    "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "千": 3, "万": 4, "百万": 6, "亿": 8, "万亿": 12,
}  # fmt: skip
_UNITS = {
    "mm": "mm", "毫米": "mm", "cm": "cm", "厘米": "cm", "m": "m", "meter": "m", "metre": "m", "米": "m",
    "km": "km", "kilometer": "km", "kilometre": "km", "公里": "km", "千米": "km",
    "mg": "mg", "毫克": "mg", "g": "g", "gram": "g", "克": "g", "kg": "kg", "kilogram": "kg", "千克": "kg", "公斤": "kg",
    "second": "s", "s": "s", "秒": "s", "minute": "min", "min": "min", "分钟": "min", "hour": "h", "h": "h", "小时": "h",
    "day": "day", "天": "day", "week": "week", "周": "week", "month": "month", "月": "month", "个月": "month",
    "year": "year", "年": "year", "m/s": "m/s", "km/h": "km/h", "kmh": "km/h",
    "degc": "degC", "摄氏度": "degC", "degf": "degF", "华氏度": "degF",
    "dollar": "dollar", "usd": "dollar", "美元": "dollar", "cent": "cent", "euro": "euro", "eur": "euro", "欧元": "euro",
    "yuan": "yuan", "rmb": "yuan", "元": "yuan", "人民币": "yuan", "日元": "yen", "yen": "yen", "角": "jiao",
}  # fmt: skip
_CLOSING = " \t\n.。,;:*_`\"'"
_NUMBER = re.compile(
    r"(?P<open>\()?\s?(?P<sign>[-+]?)\s?(?:US\$|\\?\$|¥|€|£|RMB\b|USD\b)?\s?(?P<minus>-?)"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?:(?:\s?\+\s?|\s)(?P<more>\d+)\s?/\s?(?P<parts>\d+)|\s?/\s?(?P<under>\d+(?:\.\d+)?))?"
    r"(?P<close>\s?\))?\s?(?P<percent>%|percent\b|个百分点)?\s?"
    r"(?P<scale>thousand|million|billion|trillion|百万|万亿|万|亿|千(?![克米]))?",
    re.IGNORECASE,
)
_WORD = re.compile(r"\s?([A-Za-z/]+|[一-鿿]{1,3})?")
_FORMULA = re.compile(r"[\d)%][A-Za-z!^_\\]")


@dataclass(frozen=True)
class Quantity:
    """A value, percent and scale counted in; `places` are the decimals it was written with, if any."""

    value: Decimal
    places: int | None  # None for a fraction, which is exact
    percent: bool
    unit: str  # a known unit's one name, or ""


class Likeness(StrEnum):
    """How two quantities agree, in the words of a mark."""

    SAME = "same number"
    ROUNDED = "same number, rounded as the key"
    PERCENT = "same number, percent sign aside"
    OTHER_UNIT = "same number, another unit"
    OTHER = "another number"


AGREE = frozenset({Likeness.SAME, Likeness.ROUNDED, Likeness.PERCENT})


def quantity(text: str) -> Quantity | None:
    """Return the quantity that a text is, with at most a short unit after it; None for anything else."""
    plain = _plain(text).strip(_CLOSING.replace(".", "")).rstrip(_CLOSING)
    found = _NUMBER.match(plain)
    if not found:
        return None
    rest = plain[found.end() :].strip(_CLOSING)
    if rest and not _is_unit(rest, attached=plain[found.end() - 1 : found.end() + 1].isalnum()):
        return None
    return _read(found, rest)


def quantities_in(text: str) -> Iterator[Quantity]:
    """Return every quantity of a text, in order; what belongs to a formula, as in "2x" and "6!", is none."""
    plain = _plain(text)
    for found in _NUMBER.finditer(plain):
        rest = _WORD.match(plain, found.end())
        word = rest[1] or "" if rest else ""
        attached = bool(_FORMULA.fullmatch(plain[found.end() - 1 : found.end() + 1]))
        named = bool(re.fullmatch(r"[A-Za-z_]\d", plain[max(found.start() - 1, 0) : found.start() + 1]))
        read = None if named or (attached and not _unit(word)) else _read(found, word)
        if read is not None:
            yield read


def likeness(said: Quantity, key: Quantity) -> Likeness:
    """Say how an answer's quantity agrees with the key's.

    The key's places decide how an answer with more of them is rounded; a whole key rounds nothing.
    A percent sign that only one side bears is put aside, and named.
    """
    same = _compare(said.value, key)
    if same is Likeness.OTHER and said.percent != key.percent:
        moved = said.value * 100 if said.percent else said.value / 100
        same = Likeness.PERCENT if _compare(moved, key) is not Likeness.OTHER else same
    if same is not Likeness.OTHER and said.unit and key.unit and said.unit != key.unit:
        return Likeness.OTHER_UNIT
    return same


def _compare(value: Decimal, key: Quantity) -> Likeness:
    if value == key.value:
        return Likeness.SAME
    if not key.places:
        return Likeness.OTHER
    with localcontext() as context:
        context.prec = 2 * _DIGITS
        exponent = key.value.as_tuple().exponent
        rounded = value.quantize(Decimal(1).scaleb(int(exponent)))
    return Likeness.ROUNDED if rounded == key.value else Likeness.OTHER


def _read(found: "re.Match[str]", rest: str) -> Quantity | None:
    """Return what one match says; None where it divides by nothing or is endless."""
    if found.end() - found.start() > _DIGITS:
        return None
    digits = found["digits"].replace(",", "")
    value, exact = Decimal(digits), found["under"] or found["parts"]
    try:
        if found["under"]:
            value /= Decimal(found["under"])
        if found["parts"]:
            value += Decimal(found["more"]) / Decimal(found["parts"])
    except (InvalidOperation, ZeroDivisionError):
        return None
    if found["sign"] == "-" or found["minus"] or (found["open"] and found["close"]):
        value = -value
    if found["percent"]:
        value = value.scaleb(-2)
    if found["scale"]:
        value = value.scaleb(_SCALES[found["scale"].lower()])
    places = None if exact else len(digits.partition(".")[2])
    return Quantity(value, places, bool(found["percent"]), _unit(rest))


def _is_unit(rest: str, *, attached: bool) -> bool:
    """Tell a unit from a factor: "5 kg", "3 apples" and "12个" from "2x", "3xy" and "2pi"."""
    if re.fullmatch(r"[\u4e00-\u9fff ]{1,6}", rest):
        return True
    if _unit(rest) and not (attached and len(rest) == 1):
        return True
    return (
        not attached
        and bool(re.fullmatch(r"[A-Za-z]{3,16}", rest))
        and rest not in ("inf", "sqrt", "sin", "cos", "log")
    )


def _unit(rest: str) -> str:
    word = re.sub(r"[\s.]", "", rest).lower()
    return _UNITS.get(word) or _UNITS.get(word.removesuffix("s")) or ""


def _plain(text: str) -> str:
    return without_tex(folded(text))
