"""A number as people write it: sign, thousands, fraction, percent, power of ten, 万 and million, currency, unit.

Decimal arithmetic throughout, so that what was written is what is compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from enum import StrEnum
from functools import lru_cache

from common.core.notation import folded, without_tex
from common.core.numerals import chinese_number, english_number
from common.core.units import Unit, unit_named

CLOSE_DIGITS = 6  # significant ones: a decimal with as many stands for a fraction that has no end as one
_DIGITS = 120  # more of them is no quantity
_SCALES = {
    "thousand": 3, "million": 6, "mn": 6, "mln": 6, "billion": 9, "bn": 9, "trillion": 12,
    "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9, "百亿": 10, "千亿": 11, "万亿": 12,
}  # fmt: skip
_SHARES = {
    "%": 2, "percent": 2, "pct": 2, "个百分点": 2, "‰": 3, "bp": 4, "bps": 4, "个基点": 4, "基点": 4, "折": 1,
}  # fmt: skip
_CLOSING = " \t\n.。,;:*_`\"'"
_ABOUT = re.compile(
    r"(?:≈|~|约为?|大约为?|共有?|总共|一共|合计|等于|about|approximately|approx\.?|around|roughly|a total of)\s?",
    re.IGNORECASE,
)
_CURRENCY = r"(?:US\$|HK\$|\\?\$|¥|€|£|(?:RMB|USD|EUR|CNY)\b)"
_NUMBER = re.compile(
    rf"(?P<currency>{_CURRENCY})?\s?(?P<open>\()?\s?(?P<sign>[-+]?)\s?(?P<after>{_CURRENCY})?\s?(?P<minus>-?)"
    r"(?P<digits>(?:[1-9]\d{0,2}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?:[eE](?P<exponent>[-+]?\d{1,3})(?![\w.])|\s?[*x]?\s?(?<!\d)10\^\{?(?P<ten>[-+]?\d{1,3})\}?)?"
    r"(?:(?:\s?\+\s?|\s)(?P<more>\d+)\s?/\s?(?P<parts>\d+)|\s?/\s?(?P<under>\d+(?:\.\d+)?))?"
    r"(?P<close>\s?\))?\s?"
    r"(?P<share>%|percent(?:age points?)?\b|pct\b|个百分点|‰|bps?\b|basis points?\b|个?基点|折(?![一-鿿]))?\s?"
    r"(?P<scale>thousand|million|billion|trillion|mn\b|mln\b|bn\b|百万|千万|十万|万亿|千亿|百亿|十亿|万|亿|千(?![克米焦瓦帕]))?",
    re.IGNORECASE,
)
_SPACED = re.compile(r"[-+]?[1-9]\d{0,2}(?: \d{3})+(?:\.\d+)?")
_WORD = re.compile(r"\s?([A-Za-z/]+|[一-鿿]{1,3})?")
_FORMULA = re.compile(r"[\d)%][A-Za-z!^_\\]")
_BOUND = re.compile("以上|以下|以内|以外|之间|开外")  # what it says is no quantity
_NO_UNITS = frozenset({"inf", "sqrt", "sin", "cos", "tan", "log", "and", "mod"})
_SIGNED = {
    "US$": "dollar",
    "USD": "dollar",
    "HK$": "hkd",
    "€": "euro",
    "EUR": "euro",
    "£": "gbp",
    "RMB": "yuan",
    "CNY": "yuan",
}


@dataclass(frozen=True)
class Quantity:
    """A value, percent and scale counted in; `places` are the decimals it was written with, if any."""

    value: Decimal
    places: int | None  # None for a fraction, which is exact
    share: int  # how many places a percent sign and its like have moved the value by
    unit: str  # a known unit's one name, or ""
    measure: Unit | None = None

    @property
    def percent(self) -> bool:
        """Tell whether a percent sign was counted in."""
        return bool(self.share)


class Likeness(StrEnum):
    """How two quantities agree, in the words of a mark."""

    SAME = "same number"
    ROUNDED = "same number, rounded as the key"
    PERCENT = "same number, percent sign aside"
    CONVERTED = "same quantity in another unit"
    OTHER_UNIT = "same number, another unit"
    OTHER = "another number"


AGREE = frozenset({Likeness.SAME, Likeness.ROUNDED, Likeness.PERCENT, Likeness.CONVERTED})


def quantity(text: str, *, beside: str = "") -> Quantity | None:
    """Return the quantity that a text is, with at most a short unit after it; None for anything else.

    A single letter that touches its number is a factor, as in "2x", unless it is the unit that the
    quantity `beside` it is counted in.
    """
    return _quantity(text, beside)


@lru_cache(maxsize=8_192)
def _quantity(text: str, beside: str) -> Quantity | None:
    plain = _ABOUT.sub("", _plain(text).strip(_CLOSING.replace(".", "")).rstrip(_CLOSING), count=1).lstrip()
    if worded := chinese_number(plain) or english_number(plain):
        plain = worded[0] + plain[worded[1] :]
    if _SPACED.fullmatch(plain):
        plain = plain.replace(" ", "")
    found = _NUMBER.match(plain)
    if not found:
        return None
    rest = plain[found.end() :].strip(_CLOSING)
    attached = plain[found.end() - 1 : found.end() + 1].isalnum()
    if rest and not _is_unit(rest, attached=attached and not _is_unit_beside(rest, beside)):
        return None
    return _read(found, rest)


def measured(text: str) -> str:
    """Return the unit that a number in a text bears, though it touches it: "V" for "220V", "" for none."""
    found = _NUMBER.match(_plain(text).strip())
    named = unit_named(found.string[found.end() :]) if found else None
    return named.name if named else ""


def quantities_in(text: str) -> Iterator[Quantity]:
    """Return every quantity of a text, in order; what belongs to a formula, as in "2x" and "6!", is none."""
    plain = _plain(text)
    for found in _NUMBER.finditer(plain):
        rest = _WORD.match(plain, found.end())
        word = rest[1] or "" if rest else ""
        attached = bool(_FORMULA.fullmatch(plain[found.end() - 1 : found.end() + 1]))
        named = bool(re.fullmatch(r"[A-Za-z_]\d", plain[max(found.start() - 1, 0) : found.start() + 1]))
        read = None if named or (attached and not unit_named(word)) else _read(found, word)
        if read is not None:
            yield read


def likeness(said: Quantity, key: Quantity) -> Likeness:
    """Say how an answer's quantity agrees with the key's.

    The key's places decide how an answer with more of them is rounded; a whole key rounds nothing.
    A percent sign that only one side bears is put aside, and named. Units of one kind are converted.
    """
    if said.measure and key.measure and said.unit != key.unit:
        return _across_units(said, said.measure, key, key.measure)
    same = _compare(said.value, key)
    if same is Likeness.OTHER and said.percent != key.percent:
        moved = said.value.scaleb(said.share) if said.percent else said.value.scaleb(-key.share)
        same = Likeness.PERCENT if _compare(moved, key) is not Likeness.OTHER else same
    return same


def _across_units(said: Quantity, ours: Unit, key: Quantity, theirs: Unit) -> Likeness:
    if ours.dimensions == theirs.dimensions:
        factor = ours.factor / theirs.factor
        with localcontext() as context:
            context.prec = _DIGITS
            moved = said.value * factor.numerator / factor.denominator
        if _compare(moved, key) is not Likeness.OTHER:
            return Likeness.CONVERTED
    return Likeness.OTHER if _compare(said.value, key) is Likeness.OTHER else Likeness.OTHER_UNIT


def _compare(value: Decimal, key: Quantity) -> Likeness:
    if value == key.value:
        return Likeness.SAME
    if not key.places:
        close = key.places is None and _stands_for(value, key.value)
        return Likeness.ROUNDED if close else Likeness.OTHER
    with localcontext() as context:
        context.prec = 8 * _DIGITS
        exponent = key.value.as_tuple().exponent
        rounded = value.quantize(Decimal(1).scaleb(int(exponent)))
    return Likeness.ROUNDED if key.value and rounded == key.value else Likeness.OTHER


def _stands_for(value: Decimal, fraction: Decimal) -> bool:
    """Tell whether a decimal of six digits or more is a fraction without end, as far as it goes."""
    digits, exponent = len(value.as_tuple().digits), int(value.as_tuple().exponent)
    endless = len(fraction.as_tuple().digits) > 20
    return (
        endless
        and digits >= CLOSE_DIGITS
        and exponent < 0
        and abs(value - fraction) < Decimal(1).scaleb(exponent)
    )


def _read(found: "re.Match[str]", rest: str) -> Quantity | None:
    """Return what one match says; None where it divides by nothing or is endless."""
    if found.end() - found.start() > _DIGITS:
        return None
    digits = found["digits"].replace(",", "")
    value, exact = Decimal(digits), found["under"] or found["parts"]
    if moved := found["exponent"] or found["ten"]:
        value = value.scaleb(int(moved))
    try:
        if found["under"]:
            value /= Decimal(found["under"])
        if found["parts"]:
            value += Decimal(found["more"]) / Decimal(found["parts"])
    except (InvalidOperation, ZeroDivisionError):
        return None
    # An accountant's (25) is -25; a fraction stands in brackets for another reason.
    if found["sign"] == "-" or found["minus"] or (found["open"] and found["close"] and not exact):
        value = -value
    if found["share"] == "折" and value >= 10:  # 八五折 is 8.5折
        value /= 10
    share = _share(found["share"])
    value = value.scaleb(-share)
    if found["scale"]:
        value = value.scaleb(_SCALES[found["scale"].lower()])
    places = None if exact else len(digits.partition(".")[2])
    return _with_unit(value, places, share, found, rest)


def _with_unit(value: Decimal, places: int | None, share: int, found: "re.Match[str]", rest: str) -> Quantity:
    sign = _SIGNED.get((found["currency"] or found["after"] or "").upper(), "")
    measure = unit_named(rest) or (unit_named(sign) if sign else None)
    return Quantity(value, places, share, measure.name if measure else "", measure)


def _share(sign: str | None) -> int:
    word = (sign or "").lower()
    if word.startswith(("percent", "basis")):
        return 2 if word.startswith("percent") else 4
    return _SHARES.get(word, 0)


def _is_unit(rest: str, *, attached: bool) -> bool:
    """Tell a unit from a factor: "5 kg", "3 apples" and "12个" from "2x", "3xy" and "2pi"."""
    if re.fullmatch(r"[一-鿿 ]{1,6}", rest):
        return not _BOUND.search(rest)
    if attached and len(rest) == 1:
        return False
    if unit_named(rest):
        return True
    return not attached and bool(re.fullmatch(r"[A-Za-z]{3,16}", rest)) and rest not in _NO_UNITS


def _is_unit_beside(rest: str, beside: str) -> bool:
    named = unit_named(rest) if beside else None
    return named is not None and named.name == beside


def _plain(text: str) -> str:
    return without_tex(folded(text))
