"""Units of measurement, in Chinese and English: what they measure, and how many of the basic one they are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

Dimensions = Mapping[str, int]  # of each basic unit its power: {"m": 1, "s": -1}


@dataclass(frozen=True)
class Unit:
    """A unit by its short name; two of one kind have the same dimensions."""

    name: str
    dimensions: tuple[tuple[str, int], ...]
    factor: Fraction


def _table(text: str) -> dict[str, tuple[Fraction, dict[str, int]]]:
    """Read lines of "names = factor dimension..."; a dimension is a basic unit and its power."""
    table = {}
    for line in text.strip().splitlines():
        names, _equals, meaning = line.partition("=")
        factor, *basics = meaning.split()
        powers = {
            basic.rstrip("-0123456789"): int(
                basic.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$") or 1
            )
            for basic in basics
        }
        for name in names.split():
            table[name] = (Fraction(factor), powers)
    return table


_PREFIXED = _table("""
m meter metre = 1 m
g gram = 1/1000 kg
s sec second = 1 s
A ampere amp = 1 A
K kelvin = 1 K
mol mole = 1 mol
N newton = 1 kg m s-2
J joule = 1 kg m2 s-2
W watt = 1 kg m2 s-3
Pa pascal = 1 kg m-1 s-2
V volt = 1 kg m2 s-3 A-1
C coulomb = 1 A s
Ω ohm Ohm = 1 kg m2 s-3 A-2
F farad = 1 kg-1 m-2 s4 A2
T tesla = 1 kg s-2 A-1
Wb weber = 1 kg m2 s-2 A-1
H henry = 1 kg m2 s-2 A-2
Hz hertz = 1 s-1
L l liter litre = 1/1000 m3
eV = 1602176634/10000000000000000000000000000 kg m2 s-2
cal calorie = 4184/1000 kg m2 s-2
bar = 100000 kg m-1 s-2
Wh = 3600 kg m2 s-2
""")
_ALONE = _table("""
米 = 1 m
厘米 公分 = 1/100 m
毫米 = 1/1000 m
分米 = 1/10 m
千米 公里 = 1000 m
inch in inches = 254/10000 m
ft foot feet = 3048/10000 m
yard yd = 9144/10000 m
mile mi = 1609344/1000 m
克 = 1/1000 kg
千克 公斤 = 1 kg
毫克 = 1/1000000 kg
斤 = 1/2 kg
吨 ton tonne = 1000 kg
lb lbs = 45359237/100000000 kg
秒 = 1 s
min minute 分钟 = 60 s
h hr hour 小时 钟头 = 3600 s
day 天 = 86400 s
week 周 星期 = 604800 s
month 月 个月 = 1 month
year yr 年 = 12 month
degC 摄氏度 = 1 degC
degF 华氏度 = 1 degF
cent = 1/100 dollar
dollar USD usd 美元 = 1 dollar
yuan RMB rmb CNY 元 人民币 块 圆 = 1 yuan
jiao 角 = 1/10 yuan
fen = 1/100 yuan
euro eur EUR 欧元 = 1 euro
GBP 英镑 = 1 gbp
yen JPY 日元 = 1 yen
HKD 港元 港币 = 1 hkd
平方米 = 1 m2
平方厘米 = 1/10000 m2
平方千米 平方公里 = 1000000 m2
公顷 hectare ha = 10000 m2
亩 = 2000/3 m2
升 = 1/1000 m3
毫升 = 1/1000000 m3
立方米 = 1 m3
立方厘米 = 1/1000000 m3
mph = 44704/100000 m s-1
kmh kph = 5/18 m s-1
牛 牛顿 = 1 kg m s-2
焦 焦耳 = 1 kg m2 s-2
千焦 = 1000 kg m2 s-2
瓦 瓦特 = 1 kg m2 s-3
千瓦 = 1000 kg m2 s-3
千瓦时 = 3600000 kg m2 s-2
帕 帕斯卡 = 1 kg m-1 s-2
千帕 = 1000 kg m-1 s-2
伏 伏特 = 1 kg m2 s-3 A-1
安 安培 = 1 A
欧 欧姆 = 1 kg m2 s-3 A-2
赫兹 = 1 s-1
摩尔 = 1 mol
atm = 101325 kg m-1 s-2
torr mmHg = 101325/760 kg m-1 s-2
rad = 1 rad
AU = 149597870700 m
""")  # fmt: skip
_PREFIXES = MappingProxyType({
    "p": Fraction(1, 10**12), "n": Fraction(1, 10**9), "μ": Fraction(1, 10**6), "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000), "c": Fraction(1, 100), "d": Fraction(1, 10), "k": Fraction(1000), "M": Fraction(10**6),
    "G": Fraction(10**9), "T": Fraction(10**12),
})  # fmt: skip
_WORDED = MappingProxyType(
    {"kilo": "k", "milli": "m", "centi": "c", "mega": "M", "micro": "μ", "nano": "n", "giga": "G"}
)
_PIECE = re.compile(
    r"(?P<joint>\s*[/*·.]\s*|\s+per\s+|每|\s+)?(?P<name>[A-Za-zΩμ]+|[一-鿿]{1,4})(?:\^?\{?(?P<power>-?[1-4])\}?)?"
)
_LONGEST = 40


@lru_cache(maxsize=4_096)
def unit_named(text: str) -> Unit | None:
    """Return the unit that a text is: "km/h", "J mol^-1", "平方米"; None where a part of it is none."""
    plain = text.strip(" .~").replace("~", " ").replace("μ ", "μ").replace("(", "").replace(")", "")
    if not plain or len(plain) > _LONGEST:
        return None
    place, factor, powers, is_under = 0, Fraction(1), dict[str, int](), False
    names = []
    while place < len(plain):
        piece = _PIECE.match(plain, place)
        simple = _simple(piece["name"]) if piece else None
        if piece is None or simple is None:
            return None
        joint = (piece["joint"] or "").strip()
        is_under = is_under or joint in ("/", "per", "每")
        power = int(piece["power"] or 1) * (-1 if is_under else 1)
        factor *= simple[0] ** power
        for basic, times in simple[1].items():
            powers[basic] = powers.get(basic, 0) + times * power
        names.append((simple[2], power))
        place = piece.end()
    dimensions = tuple(sorted((basic, power) for basic, power in powers.items() if power))
    return Unit(_written(names), dimensions, factor)


def _simple(name: str) -> tuple[Fraction, dict[str, int], str] | None:
    """Return factor, dimensions and short name of one unit, plural or with a prefix."""
    for form in (
        name,
        name.lower() if len(name) > 2 else name,
        "km" if name == "KM" else "kg" if name == "KG" else name,
    ):
        for single in (form, form.removesuffix("s") if len(form) > 2 else form):
            if single in _ALONE:
                return (*_ALONE[single], _SHORT.get(single, single))
            if single in _PREFIXED:
                return (*_PREFIXED[single], _SHORT.get(single, single))
            if found := _with_prefix(single):
                return found
    return None


def _with_prefix(name: str) -> tuple[Fraction, dict[str, int], str] | None:
    for worded, sign in _WORDED.items():
        if name.startswith(worded) and name[len(worded) :] in _PREFIXED:
            name = sign + _SHORT.get(name[len(worded) :], name[len(worded) :])
    if name[:1] in _PREFIXES and name[1:] in _PREFIXED and len(name) <= 4:
        factor, powers = _PREFIXED[name[1:]]
        return factor * _PREFIXES[name[0]], powers, name
    return None


_SHORT = MappingProxyType({
    "meter": "m", "metre": "m", "gram": "g", "sec": "s", "second": "s", "秒": "s", "minute": "min", "分钟": "min",
    "hr": "h", "hour": "h", "小时": "h", "天": "day", "周": "week", "星期": "week", "个月": "month", "月": "month",
    "yr": "year", "年": "year", "米": "m", "厘米": "cm", "毫米": "mm", "公里": "km", "千米": "km", "克": "g", "千克": "kg",
    "公斤": "kg", "毫克": "mg", "摄氏度": "degC", "华氏度": "degF", "USD": "dollar", "usd": "dollar", "美元": "dollar",
    "RMB": "yuan", "rmb": "yuan", "CNY": "yuan", "元": "yuan", "人民币": "yuan", "块": "yuan", "圆": "yuan", "角": "jiao",
    "eur": "euro", "EUR": "euro", "欧元": "euro", "JPY": "yen", "日元": "yen", "liter": "L", "litre": "L", "l": "L", "升": "L",
    "毫升": "mL", "kmh": "km/h", "kph": "km/h", "伏": "V", "伏特": "V", "volt": "V", "安": "A", "安培": "A", "欧": "Ω",
    "欧姆": "Ω", "ohm": "Ω", "Ohm": "Ω", "牛": "N", "牛顿": "N", "newton": "N", "焦": "J", "焦耳": "J", "joule": "J",
    "mole": "mol",
})  # fmt: skip


def _written(names: list[tuple[str, int]]) -> str:
    over = "·".join(name if power == 1 else f"{name}^{power}" for name, power in names if power > 0)
    under = "·".join(name if power == -1 else f"{name}^{-power}" for name, power in names if power < 0)
    return f"{over or '1'}/{under}" if under else over
