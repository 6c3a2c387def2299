"""Numbers in words: 一百二十, 五万, 三点五, 三分之二, 百分之五, 壹佰, 二〇二四, 3万5千; one hundred and five."""

import re
from collections.abc import Sequence
from decimal import Decimal

from common.core.units import unit_named

_DIGITS = {sign: value for value, signs in enumerate(
    ("零〇○", "一壹幺", "二两贰兩", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
) for sign in signs}  # fmt: skip
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_GREAT = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_SIGNS = "".join((*_DIGITS, *_TENS, *_GREAT))
_ONE = rf"[0-9{_SIGNS}]+(?:点[{''.join(_DIGITS)}]+|\.[0-9]+[{''.join((*_TENS, *_GREAT))}]+)?"
_PART = re.compile(
    rf"(?P<minus>负)?(?:(?P<under>{_ONE})分之(?P<over>{_ONE})"
    rf"|(?P<whole>{_ONE})又(?P<below>{_ONE})分之(?P<above>{_ONE})|(?P<number>(?![百千万亿佰仟萬億]){_ONE}))"
)
_LONGEST = 40
# What a numeral may count, so that 一般 and 万一 are words and no numbers.
_MEASURES = (
    "个只人元角分天年月日岁次倍种条张件本支头匹棵朵块片位名辆台座间家场项股份票段页步户组队层级等期届轮批笔桶瓶"
    "杯盒箱包袋把根颗粒首篇句字米克吨升时秒周成点号折"
)
_AFTER = re.compile(
    rf"\s?(?:个?(?:百分点|月|小时|星期|基点)|[{_MEASURES}](?:人|钱|学生|钟|方米)?|平方?(?:千|厘|分)?米|立方(?:厘|分)?米"
    r"|公里|千米|厘米|毫米|千克|公斤|毫克|毫升|分钟|小时|美元|欧元|日元|人民币|摄氏度|度|公顷|亩|斤)?[。.,，\s]*"
)


_ENGLISH = {word: value for value, word in enumerate((
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
))} | {word: 10 * place for place, word in enumerate(
    ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
)}  # fmt: skip
_ENGLISH_GREAT = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_NUMBER_WORD = "|".join(sorted(_ENGLISH, key=len, reverse=True))
_ENGLISH_WORDS = re.compile(
    rf"(?:{_NUMBER_WORD})(?:[\s-](?:and\s)?(?:{_NUMBER_WORD}|hundred|{'|'.join(_ENGLISH_GREAT)}))*(?![a-z])",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"%|percent|per cent", re.IGNORECASE)
_LONGEST_IN_WORDS = 120


def chinese_number(text: str) -> tuple[str, int] | None:
    """Return what a text begins with as digits ("2/3", "5%", "120"), and where its numeral ends.

    None where it begins with no Chinese numeral, or where words go on after it that it does not count.
    """
    if len(text) > _LONGEST:
        return None
    found = _PART.match(text)
    if not found or found[0].isascii() or _is_written_in_digits(found[0]):
        return None
    if not _AFTER.fullmatch(text, found.end()):
        return None
    digits = _digits_of(found)
    return None if digits is None else (("-" if found["minus"] else "") + digits, found.end())


def english_number(text: str) -> tuple[str, int] | None:
    """Return the number that a text begins with in English words, as digits, and where its words end.

    None where it begins with none, where its words make none ("two three"), or where any word but a unit or percent goes
    on after it: one half is not 1, two dozen not 2, forty odd not 40.
    """
    found = _ENGLISH_WORDS.match(text)
    if not found or len(text) > _LONGEST_IN_WORDS:
        return None
    rest = text[found.end() :].strip(" .,")
    number = _of_words(re.findall("[a-z]+", found[0].lower()))
    if number is None or (rest and not _PERCENT.fullmatch(rest) and not unit_named(rest)):
        return None
    return str(number), found.end()


def _of_words(words: Sequence[str]) -> int | None:
    """Return the value of number words in a row; None where they are not in the order in which a number is said."""
    total = section = 0
    least, greatest = 10**12, 10**12  # what stands before a word is of a higher order than the word
    for word in words:
        if word == "and":
            continue
        great = _ENGLISH_GREAT.get(word)
        if great:
            if great >= greatest or not section:
                return None
            total, section, least, greatest = total + section * great, 0, 10**12, great
        elif word == "hundred":
            if not 0 < section < 100:
                return None
            section, least = section * 100, 100
        else:
            value = _ENGLISH[word]
            if value >= least:
                return None
            section, least = section + value, 10 if value >= 20 else 0
    return total + section


def _is_written_in_digits(text: str) -> bool:
    """Tell "1.2亿", whose scale is read with its digits and decimals, from 3万5千."""
    return re.fullmatch(r"[0-9.,]+(?:万亿|百万|千万|[万亿千])", text) is not None


def _digits_of(found: "re.Match[str]") -> str | None:
    if found["over"]:
        over, under = _number(found["over"]), _number(found["under"])
        if over is None or not under:
            return None
        return f"{over:f}%" if found["under"] in ("百", "一百") else f"{over:f}/{under:f}"
    if found["whole"]:
        whole, above, below = (_number(found[name]) for name in ("whole", "above", "below"))
        if whole is None or above is None or not below:
            return None
        return f"{whole:f} {above:f}/{below:f}"
    number = _number(found["number"])
    return None if number is None else f"{number:f}"


def _number(text: str) -> Decimal | None:
    whole, _point, decimals = text.partition("点")
    if not _point and "." in text:
        return _of_scales(text)
    if all(sign in _DIGITS or sign.isdecimal() for sign in whole):
        value: Decimal | None = Decimal("".join(str(_DIGITS.get(sign, sign)) for sign in whole))
    else:
        value = _of_scales(whole)
    if value is None or not decimals:
        return value
    return value + Decimal("0." + "".join(str(_DIGITS[sign]) for sign in decimals))


def _of_scales(text: str) -> Decimal | None:
    """Return 一百二十 as 120: each digit by the ten, hundred or 万 after it; None for what is no numeral."""
    total = section = Decimal(0)
    last_scale = 10**9
    for digits, scale in re.findall(
        rf"([0-9.]+|[{''.join(_DIGITS)}]*)([{''.join((*_TENS, *_GREAT))}]?)", text
    ):
        if not digits and not scale:
            continue
        plain = digits.strip("零〇○") if not digits.isascii() else digits
        if len(plain) > 1 and not plain.isascii():
            return None  # 七八千 is no number
        digit = Decimal(str(_DIGITS.get(plain, plain))) if plain else Decimal(1 if scale in _TENS else 0)
        if scale in _GREAT:
            total, section = (total + section + digit) * _GREAT[scale] if scale in "亿億" else (
                total + (section + digit) * _GREAT[scale]
            ), Decimal(0)  # fmt: skip
            last_scale = _GREAT[scale]
            continue
        tens = _TENS.get(scale, 1)
        # 三万五 and 一百二 leave the last scale out: 35,000 and 120.
        short = not scale and plain == digits and last_scale in (10**4, 100, 1000) and bool(plain)
        short = short and not plain.isascii() and len(plain) == 1
        section += digit * (last_scale // 10 if short else tens)
        last_scale = tens
    return total + section
