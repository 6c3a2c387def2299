"""Judge equalities between numbers: exactly, and as a reader would where decimals were rounded.

Each side is read by the marker's grammar and valued in fractions. A side that is one number is taken as rounded to
the digits that it shows, and so is any decimal of three digits or more inside a sum; an equality does not hold
where nothing that rounds so makes it hold.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from common.core.formula_values import NoValue, Trial, value_of
from common.core.formulas import Node, formula
from common.core.units import unit_named
from curator.core.quality import Place
from curator.core.signals.equalities import Equality, Side, equalities, is_a_range
from curator.core.signals.signal import Sign, Signal

MOST_JUDGED = 6_000  # equalities of a text; a trace of 30,000 tokens has some hundreds
MOST_BITS = 12_000  # of a side's value
MOST_COSTLY = 300  # sides of a text whose value has more than COSTLY bits
COSTLY = 600
DIGITS_OF_A_ROUNDED_ONE = 3  # a decimal with as many may be the rounding of one with more
ESTIMATED = Fraction(1, 20)  # how far "≈" may be off
SCALED = Fraction(1, 20)  # how near a quotient is to a thousand that is left unsaid
FINE = 1_000  # a number of so many last digits may be cut off where others are rounded
FAR = 20  # a quotient of whole numbers that is larger may be given as a whole number
_ZERO = Fraction(0)
_LONGEST_VALUE = 24  # characters in which a value is told
_COMPUTES = re.compile(r"(?<![eE])[-+*/^×÷·⋅∙−–✕＋－＊／⁰¹²³⁴-⁹]|\\(?:times|cdot|div|[dt]?frac)|[0-9)]\(")
_FRACTION = re.compile(r"\\[dt]?frac\s?(?:\{([^{}]*)\}|([0-9]))\s?(?:\{([^{}]*)\}|([0-9]))")
_BARE_POINT = re.compile(r"(?<![0-9.])\.(?=[0-9])")
_KINDS = frozenset({"number", "add", "multiply", "negative", "inverse", "fraction", "power", "percent"})
_AMOUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,12})(?:\.[0-9]{1,6})?"
_SHARE = r"(?P<share>[0-9]{1,3}(?:\.[0-9]{1,4})?)\s?"
_PERCENT_OF = re.compile(
    rf"(?<![\w.,%]){_SHARE}(?:%|\\%|percent) of (?:\\?\$)?(?P<of>{_AMOUNT})(?:\s?(?:is|equals)\s|\s?=\s?)"
    rf"(?:\\?\$)?(?P<said>{_AMOUNT})(?![\w%]|[.,][0-9]|\s?[-+*/×^%(?=≈]"
    r"| (?:of|percent|million|billion|thousand|times|plus|minus)\b)"
)
_CHINESE_PERCENT_OF = re.compile(
    rf"(?<![\w.,%])(?P<of>{_AMOUNT})\s?的\s?{_SHARE}[%％]\s?(?:就?是|等于|为|=|＝)\s?(?P<said>{_AMOUNT})"
    r"(?![\w%％.]|\s?[-+*/×^(?=≈？])"
)


@dataclass(frozen=True)
class Span:
    """The numbers from one to another."""

    low: Fraction
    high: Fraction

    def meets(self, other: "Span") -> bool:
        """Tell whether they have a number in common."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Shown:
    """A number as it is written: its value, what its last digit counts, and whether it has decimals."""

    value: Fraction
    last: Fraction
    is_decimal: bool


@dataclass
class _Purse:
    """How much more one text may cost."""

    judged: int = MOST_JUDGED
    costly: int = MOST_COSTLY


def arithmetic(text: str, part: Place) -> Iterator[Signal]:
    """Yield a signal for each equality between numbers that does not hold."""
    purse = _Purse()
    for equality in equalities(text):
        if purse.judged <= 0:
            return
        if not _is_telling(equality):
            continue
        purse.judged -= 1
        computed = _computed(equality, purse)
        if computed is not None:
            yield _signal(text, equality, computed, part)
    yield from _shares(text, part)


def _shares(text: str, part: Place) -> Iterator[Signal]:
    """Yield a signal for each "15% of 80 is 13"."""
    for pattern in (
        (_PERCENT_OF, _CHINESE_PERCENT_OF) if "%" in text or "％" in text or "percent" in text else ()
    ):
        for found in pattern.finditer(text):
            start, end = found.span("of")
            said = Side(found["said"], *found.span("said"))
            product = f"{found['share']}% * {found['of']}"
            equality = Equality(Side(product, found.start(), end), said, "=")
            computed = _computed(equality, _Purse())
            if computed is not None:
                shown = text[min(found.start("share"), start) : max(found.end("share"), end)]
                yield Signal(
                    Sign.ARITHMETIC,
                    part,
                    found.start(),
                    found.end(),
                    "=",
                    found["said"],
                    _told(computed),
                    shown,
                )


def _signal(text: str, equality: Equality, computed: Fraction, part: Place) -> Signal:
    left, right = equality.left, equality.right
    expression, said = (left, right) if _computes(left) else (right, left)
    return Signal(
        Sign.ARITHMETIC, part, left.start, right.end, equality.sign,
        said=text[said.start : said.end], held=_told(computed), expression=text[expression.start : expression.end],
    )  # fmt: skip


def _is_telling(equality: Equality) -> bool:
    """Tell whether an equality computes anything: "2 = 2.0" and "x = 3 = 4" do not."""
    left, right = equality.left, equality.right
    if left.unit != right.unit and (left.unit or unit_named(right.unit)):
        return False
    if left.text == right.text:
        return False
    if _computes(left) or _computes(right):
        return True
    return any("%" in side.text or "％" in side.text for side in (left, right)) and all(
        "." in side.text or "%" in side.text for side in (left, right)
    )


def _computes(side: Side) -> bool:
    """Tell a side with a sign between numbers from a single number, a negative one too."""
    return bool(_COMPUTES.search(side.text.lstrip("-−–－+ ")))


def _computed(equality: Equality, purse: _Purse) -> Fraction | None:
    """Return what the expression of an equality comes to where it does not hold, else None."""
    sides = _read(equality.left.text, equality.right.text)
    if sides is None:
        return None
    if any(_bits(side) > COSTLY for side in sides):
        purse.costly -= 1
        if purse.costly < 0:
            return None
    try:
        left, right = (value_of(side, Trial()) for side in sides)
        if not isinstance(left, Fraction) or not isinstance(right, Fraction):
            return None
        if left == right or _agree(equality, sides, left, right):
            return None
    except (NoValue, ZeroDivisionError):
        return None
    return left if _is_expression(sides[0]) else right


@lru_cache(maxsize=2_048)
def _read(left: str, right: str) -> tuple[Node, Node] | None:
    """Return the trees of both sides, if they are of plain arithmetic and of bounded value."""
    read = formula(" = ".join(_BARE_POINT.sub("0.", _without_fractions(side)) for side in (left, right)))
    chain = read.parts[0] if read is not None and len(read.parts) == 1 else None
    if chain is None or chain.kind != "chain" or len(chain.parts) != 2:
        return None
    one, other = chain.parts
    return (one, other) if _is_plain(one) and _is_plain(other) else None


def _without_fractions(text: str) -> str:
    """Write TeX's fractions with a bar: the grammar reads one after a whole number as a mixed number."""
    if "frac" not in text:
        return text
    for _depth in range(4):
        text, changed = _FRACTION.subn(r"((\1\2)/(\3\4))", text)
        if not changed:
            break
    return text


def _is_plain(node: Node) -> bool:
    if node.kind not in _KINDS or not all(map(_is_plain, node.parts)) or _bits(node) > MOST_BITS:
        return False
    if node.kind != "power":
        return True
    base, exponent = node.parts
    whole = _whole_exponent(exponent)
    return node.name != "root" and base.kind != "power" and whole is not None


def _whole_exponent(node: Node) -> int | None:
    value = node.value
    return int(value) if node.kind == "number" and value is not None and value.denominator == 1 else None


def _bits(node: Node) -> int:
    """Return how many bits a value may take, before it is computed."""
    if node.kind == "number" and node.value is not None:
        return node.value.numerator.bit_length() + node.value.denominator.bit_length()
    inside = sum(map(_bits, node.parts))
    if node.kind == "power":
        exponent = node.parts[1].value
        return _bits(node.parts[0]) * (abs(int(exponent)) if exponent is not None else MOST_BITS) + 8
    return inside + 8


def _is_expression(node: Node) -> bool:
    """Tell a computation from a number, however that is written: -3, 1.2 × 10^5 and 15% are numbers."""
    return _shown(node) is None


@lru_cache(maxsize=4_096)
def _shown(node: Node) -> Shown | None:
    """Return what one number shows; None for a computation."""
    if node.kind == "number" and node.value is not None:
        return _shown_number(node, node.value)
    if node.kind in ("negative", "percent"):
        inside = _shown(node.parts[0])
        if inside is None:
            return None
        if node.kind == "negative":
            return Shown(-inside.value, inside.last, inside.is_decimal)
        under = 1000 if node.name == "‰" else 100
        return Shown(inside.value / under, inside.last / under, True)
    if node.kind == "multiply" and len(node.parts) == 2 and _is_ten_to(node.parts[1]):
        inside = _shown(node.parts[0])
        exponent = _whole_exponent(node.parts[1].parts[1])
        if inside is not None and exponent is not None and abs(exponent) < 400:
            return Shown(
                inside.value * Fraction(10) ** exponent, inside.last * Fraction(10) ** exponent, True
            )
    return None


def _shown_number(node: Node, value: Fraction) -> Shown:
    digits = Fraction(node.name.rstrip(".") or "0") if node.name else value
    if digits and value and digits != value and digits != -value:  # a power of ten stands after it: 1.5e-4
        last = abs(value / digits) / 10 ** len(node.name.partition(".")[2])
        return Shown(value, last, True)
    return Shown(value, Fraction(1, 10 ** (node.places or 0)), node.places is not None)


def _is_ten_to(node: Node) -> bool:
    return node.kind == "power" and node.parts[0].kind == "number" and node.parts[0].value == 10


def _agree(equality: Equality, sides: tuple[Node, Node], left: Fraction, right: Fraction) -> bool:
    """Tell whether two sides agree once what was rounded, estimated or left unsaid is allowed for."""
    if any(map(is_a_range, (equality.left.text, equality.right.text))) or any(map(_adds_percent, sides)):
        return True
    if _is_another_thought(sides, left, right) or _is_scale(left, right) or _is_a_loss(sides, left, right):
        return True
    spans = _spans(equality, sides)
    if (spans[0].meets(spans[1]) and not _is_cut_at_half(sides, left, right)) or _differ_by_a_percent_sign(
        sides, spans
    ):
        return True
    return equality.sign == "≈" and _is_estimate(sides, left, right)


def _is_another_thought(sides: tuple[Node, Node], left: Fraction, right: Fraction) -> bool:
    """Tell whether the right side only begins to work the left one out, or goes on with what it came to.

    "2 × 3 × 4 = 2 × 3 = 6, times 4 …" and "5 + 3 = 8 + 2 = 10": false as written, but no slip of the sum.
    """
    one, other = sides
    ours, theirs = _numbers(one), _numbers(other)
    if not _is_expression(other):
        return False
    if not _is_expression(one):
        # 3.019, and then 37853.8 / 3.019; what is taken from the first number is no thought to go on with: 10 = 11 - 10.
        return theirs[0] == left or (other.kind != "add" and left in theirs)
    counted, wanted = Counter(theirs), Counter(ours)
    if len(theirs) < len(ours) and not counted - wanted:
        return True
    # 7528 × 3.592 ≈ 7528 × 3 = 22584, and then 7528 × 0.592.
    in_parts = one.kind == other.kind in ("multiply", "power") and ours[0] == theirs[0]
    return theirs[0] == left or in_parts


def _is_a_loss(sides: tuple[Node, Node], left: Fraction, right: Fraction) -> bool:
    """Tell whether a product of positive numbers is written down as a loss: "0.4 × 10% = -4%"."""
    return left == -right and any(_is_expression(side) and _is_positive_product(side) for side in sides)


def _is_positive_product(node: Node) -> bool:
    if node.kind == "number":
        return node.value is not None and node.value > 0
    return node.kind in ("multiply", "inverse", "fraction", "percent") and all(
        map(_is_positive_product, node.parts)
    )


def _numbers(node: Node) -> list[Fraction]:
    """Return the numbers of a computation, without their signs, in order."""
    if node.kind == "number" and node.value is not None:
        return [abs(node.value)]
    return [value for part in node.parts for value in _numbers(part)]


def _is_scale(left: Fraction, right: Fraction) -> bool:
    """Tell whether one side is counted in thousands or millions of the other."""
    if not left or not right:
        return False
    ratio = max(abs(left / right), abs(right / left))
    return any(abs(ratio / scale - 1) < SCALED for scale in (10**3, 10**6, 10**9))


def _spans(equality: Equality, sides: tuple[Node, Node]) -> tuple[Span, Span]:
    """Return what each side may stand for."""
    one, other = sides
    if _is_expression(one) and _is_expression(other):
        return _bounds(one, loose=True), _bounds(other, loose=True)
    return _span_of(one, other, goes_on=False), _span_of(other, one, goes_on=equality.goes_on)


def _is_cut_at_half(sides: tuple[Node, Node], left: Fraction, right: Fraction) -> bool:
    """Tell whether a number leaves out a half that rounds up, to the even digit as well: 3/4 = 0.7."""
    for side, value, exact in ((sides[0], left, right), (sides[1], right, left)):
        shown = _shown(side)
        if shown is None or abs(exact) - abs(value) != shown.last / 2:
            continue
        return int(abs(value) / shown.last) % 2 == 1 and not _has_long_decimals(sides)
    return False


def _has_long_decimals(sides: tuple[Node, Node]) -> bool:
    """Tell whether a computation has numbers that may be rounded ones."""
    spans = [_bounds(side) for side in sides if _is_expression(side)]
    return any(span.low != span.high for span in spans)


def _differ_by_a_percent_sign(sides: tuple[Node, Node], spans: tuple[Span, Span]) -> bool:
    """Tell whether a percent sign is all that is missing: "15 / 80 × 100 = 18.75%"."""
    if not any(map(_has_percent, sides)):
        return False
    if any(map(_is_of_percents, sides)) and any(
        _shown(side) and _is_of_whole_numbers(side) for side in sides
    ):
        return True  # 48 = 100% + 20%
    scaled = [Span(span.low * 100, span.high * 100) for span in spans]
    return scaled[0].meets(spans[1]) or spans[0].meets(scaled[1])


def _has_percent(node: Node) -> bool:
    return node.kind == "percent" or any(map(_has_percent, node.parts))


def _is_of_percents(node: Node) -> bool:
    """Tell whether a side is a percentage or a sum of some."""
    if node.kind in ("add", "negative"):
        return all(map(_is_of_percents, node.parts))
    return node.kind == "percent"


def _adds_percent(node: Node) -> bool:
    """Tell whether a percentage is added to what is none: "100 + 5%" may be 105."""
    if node.kind == "add":
        bare = [part.parts[0] if part.kind == "negative" else part for part in node.parts]
        if len({part.kind == "percent" for part in bare}) > 1:
            return True
    return any(map(_adds_percent, node.parts))


def _is_estimate(sides: tuple[Node, Node], left: Fraction, right: Fraction) -> bool:
    off, larger = abs(left - right), max(abs(left), abs(right))
    if off <= ESTIMATED * larger:
        return True
    shown = [each for each in map(_shown, sides) if each is not None]
    return any(off <= _last_digit(each.value, each.last) for each in shown)


def _last_digit(value: Fraction, last: Fraction) -> Fraction:
    """Return what the last digit of a number counts that is no nought before its point: 100 for 1,400."""
    while value and last >= 1 and (value / (last * 10)).denominator == 1:
        last *= 10
    return last


def _span_of(side: Node, other: Node, *, goes_on: bool) -> Span:
    """Return what a side may stand for beside another."""
    shown = _shown(side)
    if shown is None:
        return _bounds(side)
    value, last = shown.value, shown.last
    is_whole = not shown.is_decimal and _is_whole_throughout(other)
    if is_whole and not goes_on:
        return Span(value, value)
    is_far_quotient = not shown.is_decimal and _divides_wholes(other)
    if not shown.is_decimal and not is_far_quotient:
        last = _last_digit(value, last)
    if goes_on or (is_far_quotient and abs(value) >= FAR) or _is_truncated(shown, other):
        return Span(value - last, value + last)
    return Span(value - last / 2, value + last / 2)


def _is_truncated(shown: Shown, other: Node) -> bool:
    """Tell whether a number of some digits may be the beginning of one that goes on: 2/3 = 0.66."""
    if abs(shown.value) / shown.last >= FINE and not _is_of_whole_numbers(other):
        return True
    if shown.last > Fraction(1, 100) or not shown.is_decimal:
        return False
    exact = value_of(other, Trial())
    return isinstance(exact, Fraction) and (exact / shown.last * 100).denominator != 1


def _is_whole_throughout(node: Node) -> bool:
    """Tell whether a computation has whole numbers alone and no quotient so large that its rest hardly counts."""
    if not _is_of_whole_numbers(node):
        return False
    return not _divides(node) or abs(_rational(node)) < FAR


def _divides_wholes(node: Node) -> bool:
    return _divides(node) and _is_of_whole_numbers(node)


def _rational(node: Node) -> Fraction:
    value = value_of(node, Trial())
    return value if isinstance(value, Fraction) else Fraction(0)


def _divides(node: Node) -> bool:
    return node.kind in ("inverse", "fraction") or any(map(_divides, node.parts))


def _is_of_whole_numbers(node: Node) -> bool:
    if node.kind == "number":
        return node.places is None
    return node.kind != "percent" and all(map(_is_of_whole_numbers, node.parts))


def _bounds(node: Node, *, loose: bool = False) -> Span:
    """Return between which numbers a computation lies if its longer decimals were rounded; any, where `loose`.

    Raises:
        NoValue: it divides by what may be nothing.
    """
    spans = [_bounds(part, loose=loose) for part in node.parts]
    match node.kind:
        case "number":
            return _bounds_of_number(node, loose=loose)
        case "add":
            return Span(sum((each.low for each in spans), _ZERO), sum((each.high for each in spans), _ZERO))
        case "multiply":
            return _product(spans)
        case "negative":
            return Span(-spans[0].high, -spans[0].low)
        case "inverse":
            return _inverse(spans[0])
        case "fraction":
            return _product([spans[0], _inverse(spans[1])])
        case "percent":
            under = 1000 if node.name == "‰" else 100
            return Span(spans[0].low / under, spans[0].high / under)
        case "power":
            return _powered(spans[0], _whole_exponent(node.parts[1]) or 0)
    raise NoValue


def _bounds_of_number(node: Node, *, loose: bool) -> Span:
    shown = _shown(node)
    if shown is None or not shown.is_decimal:
        value = node.value if node.value is not None else _ZERO
        return Span(value, value)
    if not loose and abs(shown.value) / shown.last < 10 ** (DIGITS_OF_A_ROUNDED_ONE - 1):
        return Span(shown.value, shown.value)
    off = shown.last if loose else shown.last / 2
    return Span(shown.value - off, shown.value + off)


def _product(spans: Sequence[Span]) -> Span:
    whole = spans[0]
    for span in spans[1:]:
        ends = [one * other for one in (whole.low, whole.high) for other in (span.low, span.high)]
        whole = Span(min(ends), max(ends))
    return whole


def _inverse(span: Span) -> Span:
    if span.low <= 0 <= span.high:
        raise NoValue
    return Span(1 / span.high, 1 / span.low)


def _powered(span: Span, exponent: int) -> Span:
    if exponent < 0:
        return _inverse(_powered(span, -exponent))
    ends = [span.low**exponent, span.high**exponent]
    if span.low < 0 < span.high:
        ends.append(_ZERO)
    return Span(min(ends), max(ends))


def _told(value: Fraction) -> str:
    """Return a value as digits: whole, as a decimal that ends, or to ten places."""
    if value.denominator == 1:
        return str(value.numerator) if abs(value.numerator) < 10**_LONGEST_VALUE else _scientific(value)
    places = next((each for each in range(1, 11) if (value * 10**each).denominator == 1), 0)
    if places:
        return _decimal(value, places)
    return f"{_decimal(value, 6)}…" if abs(value) > Fraction(1, 1000) else _scientific(value)


def _decimal(value: Fraction, places: int) -> str:
    scaled = abs(value.numerator) * 10**places // value.denominator
    whole, rest = divmod(scaled, 10**places)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{places}d}"


def _scientific(value: Fraction) -> str:
    """Return a value in six digits and a power of ten, however large it is."""
    sign = "-" if value < 0 else ""
    size = abs(value)
    exponent = len(str(size.numerator)) - len(str(size.denominator))
    scaled = size / Fraction(10) ** exponent
    if scaled < 1:
        exponent, scaled = exponent - 1, scaled * 10
    return f"{sign}{_decimal(scaled, 5)}e{exponent}"
