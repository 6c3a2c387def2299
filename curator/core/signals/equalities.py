"""Find the equalities between numbers in a text: "17 × 24 = 408", "\\frac{3}{4} = 0.75", "3+4=7".

Only what stands whole between its bounds is one. Where a letter, a function, a base, a remainder or any sign
that is not known touches a side, that side is not ours to read, and nor is what the words around it suppose or deny.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from common.core.units import unit_named

LONGEST_SIDE = 160  # characters
MOST_READ = 250_000  # characters of lines with an equality; a trace of 30,000 tokens has 120,000 in all
LOOKED_BACK = 160  # characters before an equality in which a supposition is looked for
LOOKED_AHEAD = 60
MODULAR_BEFORE, MODULAR_AFTER = 2_000, 300  # characters around a word for sums of another kind

_DIGIT = "0-9０-９"
_NUMBER = (
    rf"(?:[{_DIGIT}]{{1,3}}(?:(?:,|，(?=[0-9]{{3}}[^0-9])|\{{,\}}|\\,)[0-9]{{3}}){{1,8}}(?![0-9]|,[0-9])|[{_DIGIT}]+)"
    rf"(?:[.．][{_DIGIT}]+)?(?:[eE][-+−]?[0-9]{{1,3}}(?![0-9A-Za-z]))?|(?<![{_DIGIT}.])\.[0-9]+"
)
_COMMAND = r"\\(?:times|cdot|div|[dt]?frac|left|right|approx|displaystyle)(?![A-Za-z])|\\[,;:!% $]"
_UNIT = (
    r"(?<=[0-9０-９)}])(?:[ ~]|\\[,;: ]){0,2}"
    r"(?:\\(?:text|mathrm|textrm)\s?\{[^{}\n]{1,24}\}|[A-Za-zΩμ°][A-Za-zΩμ]{0,11}(?:/[A-Za-z]{1,6})?|[一-鿿]{1,3})"
    r"(?=[ $]{0,2}(?:[-+*/=≈×÷·−)）,.;。，；\n]|\\(?:times|div|cdot|approx|[)\]])|\Z))"
)
_RELATION = r"[=≈≒＝]|\\approx(?![A-Za-z])"
_TIMES_X = r"(?<=[0-9０-９)] )[xX](?= [0-9０-９(])"
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<unit>{_UNIT})|(?P<relation>{_RELATION})|(?P<x>{_TIMES_X})"
    rf"|(?P<other>{_COMMAND}|(?<!\\)[()\[\]{{}}（）]|\$(?!\$?[ \t]+\$)"
    r"|[-+*/^%×÷·⋅∙−–✕＋－＊／％⁰¹²³⁴-⁹⁺⁻]|[ \t\u00a0\u2009\u202f\u3000])"
)
_ONE = re.compile(r"[=≈≒＝]|\\approx")
_CONTINUED = re.compile(r"\n(?=[ \t&]{0,20}(?:=|≈|\\approx(?![A-Za-z])))")

_WORD_BEFORE = re.compile(r"(?P<tex>\\?)(?P<word>[A-Za-z]{1,24})[ \t~$]*\Z")
_SMALL_WORDS = frozenset([
    "a", "an", "and", "are", "as", "be", "but", "eg", "for", "get", "gets", "got", "has", "hence", "i", "ie",
    "is", "it", "its", "let", "now", "ok", "or", "so", "that", "the", "then", "thus", "to", "us", "was", "we",
    "with", "you", "yes", "also", "just", "here", "have", "gives", "give", "this", "these", "total", "sum",
    "means",
])  # fmt: skip
_OPERATING = frozenset([
    "of", "by", "minus", "plus", "times", "over", "negative", "square", "squared", "cube", "cubed", "root",
    "half", "twice", "double", "triple", "percent", "than", "mod", "modulo", "base", "log", "ln", "exp", "sin",
    "cos", "tan", "sqrt", "divided", "multiplied", "add", "subtract", "subtracting", "adding", "multiply",
    "divide", "from", "per", "to", "into", "between", "step", "case", "option", "equation", "problem",
    "question", "item", "part", "day", "year", "month", "week", "line", "row", "chapter", "section", "figure",
    "table", "example", "number", "no", "column", "digit", "bit", "power", "third", "quarter", "hundred",
    "thousand", "million", "billion", "within", "exponent", "index", "term", "choice", "answers", "page",
])  # fmt: skip
_JOINS_BEFORE = re.compile(
    r"(?:[乘加减除的负根号第模余比倍万亿点百千从和与每约至差方]|(?<![所可])以|(?<!得)到|[一二三四五六七八九十])\s*\Z"
)
_SAFE_BEFORE = frozenset(" \t\n\u00a0\u3000:：,，;；。.、?？!！“”\"'‘’「『（【[{>→⇒⟹➜—•`|✓✔✅&*#~$\u200b")
_UNSAFE_WHERE_BLANK = frozenset("|~'’^_/\\√π°@")
_AFTER_WORD = re.compile(r"[ \t~]*(?:\\(?:text|mathrm|textrm)\s?\{\s?)?(?P<word>[A-Za-z]{1,24})")
_SMALL_AFTER = frozenset([
    "a", "an", "and", "are", "as", "at", "but", "for", "i", "in", "is", "it", "on", "or", "she", "he", "so",
    "that", "the", "then", "this", "thus", "too", "us", "was", "we", "which", "with", "if", "you", "yes", "ok",
])  # fmt: skip
_GOES_ON = frozenset([
    "mod", "modulo", "thousand", "million", "billion", "trillion", "hundred", "dozen", "percent", "percentage",
    "pct", "remainder", "rem", "base", "times", "plus", "minus", "over", "divided", "multiplied", "per", "sqrt",
    "sin", "cos", "tan", "log", "exp", "sinh", "cosh", "tanh", "cot", "sec", "csc", "max", "min", "gcd", "lcm",
    "out", "half", "million's", "bps", "basis", "k", "degrees", "radians", "to", "of", "by", "not", "squared",
    "cubed", "score", "gross", "third", "thirds", "fourth", "fourths", "quarter", "quarters", "fifth", "fifths",
    "tenth", "tenths", "hundredth", "hundredths",
])  # fmt: skip
_JOINS_AFTER = re.compile(
    r"\s?(?:[万亿千百十余倍分比点成折乘加减除的次又多几半]|个?百分|个基点|[一二三四五六七八九十])"
)
_ENDS_AFTER = re.compile(
    r"\s*(?:\Z|\n|[,;。，；、！)）\]】\"'”’」』>→⇒⟹✓✔✅✗❌—|&`$]|\.(?:\s|\Z|[\"')\]*$])|:(?!\s?[-−]?\(?[0-9])|：|"
    r"\\(?:[)\]\\]|quad|qquad|implies|Rightarrow|rightarrow|to|therefore|hfill|end)|[一-鿿]|[(（]\s?[A-Za-z一-鿿\\]{2})"
)
_MORE_DIGITS = re.compile(r"\s?(?:\.{2,}|…+|\\l?dots)")
_SUPPOSED = re.compile(
    r"\b(?:if|suppos\w*|assum\w*|imagin\w*|pretend\w*|whether|would|were|could|might|maybe|perhaps|instead|rather|not|isn't|"
    r"doesn't|don't|cannot|can't|no|contradict\w*|wrong\w*|mistak\w*|incorrect\w*|error\w*|false\w*|claim\w*|"
    r"thought|unless|absurd|impossible|check|verify|test|is|does|typo|misread|someone|student\w*|"
    r"estimat\w*|approximat\w*|rough\w*|about|close|nearly|around)\b"
    r"|n't\b|≠|\\neq?\b|假设|假如|如果|若|倘|要是|是否|是不是|能不能|错|误|矛盾|不|难道|也许|可能|约|估|验",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"[?？≠✗❌✘]|\\neq?\b|\b(?:not|wrong|incorrect|false|contradict\w*|impossible|R\}?[\s$]*[0-9]+|remainder|rem|mod|modulo|off|invalid|"
    r"fails?|no|nope|error|typo|doesn't|isn't|approximately|roughly|rounded|rounding|round|about|approx|base|close)\b"
    r"|不|错|矛盾|余|约|四舍五入|？",
    re.IGNORECASE,
)
_OTHER_SUMS = re.compile(
    r"\bmod(?:ul[oi]|ular)?\b|(?<=\\)[pb]mod\b|≡|\\equiv|同余|模\s?[0-9nmp]|\bbinary\b|\bhexadecimal|\boctal|\bboolean\b|布尔"
    r"|进制|\bGF\(|\bXOR\b|⊕|\\oplus|\bbitwise\b|二进制|integer division|floor division|\bcomplement\b"
    r"|\bbase[- ](?:\d|two|eight)",
    re.IGNORECASE,
)
_OF_OTHER_SUMS = [
    re.compile(re.escape(word))
    for word in (
        *(
            "mod",
            "pmod",
            "bmod",
            "≡",
            "\\equiv",
            "同余",
            "模",
            "binary",
            "hexadecimal",
            "octal",
            "boolean",
            "布尔",
            "进制",
        ),
        *(
            "gf(",
            "xor",
            "⊕",
            "\\oplus",
            "bitwise",
            "integer div",
            "floor div",
            "complement",
            "base-",
            "base ",
        ),
    )
]
_MATCHING = {")": "(", "]": "[", "}": "{", "）": "("}
_OPENING = {"(": "(", "[": "[", "{": "{", "（": "("}
_BRACKETS = frozenset((*_MATCHING, *_OPENING))
_COMPUTES = re.compile(r"[-+*/^%×÷·⋅∙−–✕＋－＊／％⁰¹²³⁴-⁹]|\\(?:times|cdot|div|[dt]?frac)|[xX]|[0-9)]\(")
_BULLET = re.compile(r"[ \t]*(?:[-+*•–][ \t]+|\(?[0-9]{1,3}\)[ \t]+(?=[0-9(\\$]))")
_DRESSED = " \t\u00a0\u2009\u202f\u3000$"
_LEADS_ON = re.compile(r"[+*/^%×÷·⋅∙✕＋＊／％⁰¹²³⁴-⁹⁺⁻]|\\(?:times|cdot|div|right)|[-−–－]\s")
_TRAILS_ON = re.compile(r"(?:[-+*/^×÷·⋅∙−–✕＋－＊／]|\\(?:times|cdot|div|left|[dt]?frac))\Z")
_AMBIGUOUS = re.compile(
    r"[0-9０-９)}][ \t$]*[ \t][ \t$]*[0-9０-９(（]|(?:[/÷]|\\div)\s*[0-9.,]+\s*(?:[({（]|\\left|\\[dt]?frac)"
    r"|(?:[/÷]|\\div)\s*[0-9.,]+\s*(?:[×*·⋅xX]|\\times|\\cdot)\s*1(?:0|[eE])|\A[-−–－]\s?[0-9.]+\s?\^|[0-9]\s?\\[dt]?frac"
    r"|[0-9]\([0-9]+/[0-9]+\)|(?:÷|\\div|/\s)\s*[0-9.]+/[0-9]|[0-9]/[0-9.]+[*×][0-9]|\\left\s*\{"
    r"|[0-9)}）][ \t$]*\$[ \t$]*(?:[0-9(（{]|\\(?!times|cdot|div))|\A[(（][0-9]+(?:,[0-9]{3})+[)）]\Z"
)
_RANGE = re.compile(r"(?<![0-9.])([0-9]{1,4})[-–]([0-9]{1,4})(?![0-9.])")


@dataclass(frozen=True)
class Side:
    """One side of an equality as it is written, but for its units, which are the same throughout it."""

    text: str
    start: int
    end: int
    unit: str = ""


@dataclass(frozen=True)
class Equality:
    """Two sides that a text says are equal ("=") or about equal ("≈")."""

    left: Side
    right: Side
    sign: str
    goes_on: bool = False  # the decimals of the right side end in dots


@dataclass(frozen=True)
class _Piece:
    """What stands between two relations; for each of them as much of it as belongs there, if that is known."""

    after: Side | None  # as the right side of the relation before it
    before: Side | None  # as the left side of the relation after it


def equalities(text: str) -> Iterator[Equality]:
    """Yield the equalities of a text between two whole sides, in order."""
    plain = _CONTINUED.sub(" ", text)
    others = _places_of_other_sums(plain)
    for tokens in (run for line in _lines_with_one(plain) for run in _runs(plain, *line)):
        start = tokens[0].start()
        if not _COMPUTES.search(plain, start, tokens[-1].end()):
            continue
        place = bisect_left(others, start - MODULAR_BEFORE)
        if place < len(others) and others[place] < start + MODULAR_AFTER:
            continue
        yield from _of_run(plain, tokens)


def _places_of_other_sums(text: str) -> list[int]:
    """Return where a text speaks of remainders, bases or logic, in which other sums hold."""
    # One search for all of these words at once takes ten times as long as one for each.
    lowered = text.lower() if len(text.lower()) == len(text) else text
    places = (found.start() for word in _OF_OTHER_SUMS for found in word.finditer(lowered))
    return sorted(place for place in places if _OTHER_SUMS.match(text, place))


def _lines_with_one(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the lines begin and end that hold a relation, `MOST_READ` characters of them."""
    end = read = 0
    while read < MOST_READ and (found := _ONE.search(text, end)):
        start = text.rfind("\n", end, found.start()) + 1 or end
        end = text.find("\n", found.end())
        end = len(text) if end < 0 else end
        yield start, min(end, start + MOST_READ - read)
        read += end - start


def _runs(text: str, low: int, high: int) -> Iterator[list["re.Match[str]"]]:
    """Yield the tokens of each stretch that is nothing but numbers and their signs, and holds a relation."""
    tokens: list[re.Match[str]] = []
    end, holds_one = -1, False
    for found in _TOKEN.finditer(text, low, high):
        if found.start() != end:
            if holds_one:
                yield tokens
            tokens, holds_one = [], False
        tokens.append(found)
        end = found.end()
        holds_one = holds_one or found.lastgroup == "relation"
    if holds_one:
        yield tokens


def _of_run(text: str, tokens: list["re.Match[str]"]) -> Iterator[Equality]:
    pieces: list[list[re.Match[str]]] = [[]]
    signs: list[str] = []
    for token in tokens:
        if token.lastgroup == "relation":
            signs.append("=" if token[0] in "=＝" else "≈")
            pieces.append([])
        else:
            pieces[-1].append(token)
    is_open = _opens_freely(text, tokens[0].start())
    sides = [
        _piece(text, each, is_first=not place, is_open=is_open or place > 0)
        for place, each in enumerate(pieces)
    ]
    last = len(signs) - 1
    for place, sign in enumerate(signs):
        left, right = sides[place].before, sides[place + 1].after
        if left is None or right is None:
            continue
        if place == last and not _ends_freely(text, right, left):
            continue
        if place == 0 and not _is_said_freely(text, left, right):
            return
        if _is_supposed_after(text, right):
            continue
        goes_on = place == last and bool(_MORE_DIGITS.match(text, right.end))
        yield Equality(left, right, sign, goes_on)


def _piece(text: str, tokens: list["re.Match[str]"], *, is_first: bool, is_open: bool) -> _Piece:
    """Return what a stretch between two relations is to each of them."""
    if not tokens or tokens[-1].end() - tokens[0].start() > 4 * LONGEST_SIDE:
        return _Piece(None, None)
    starts_line = is_first and _starts_line(text, tokens[0].start())
    if not any(token[0] in _BRACKETS for token in tokens):
        side = _side(text, tokens, starts_line=starts_line)
        return _Piece(side, side if is_open else None)
    opened: list[int] = []
    closed = -1  # the first bracket that was opened elsewhere, and the last one
    last_closed = -1
    for place, token in enumerate(tokens):
        sign = token[0]
        if sign in _OPENING:
            opened.append(place)
        elif sign in _MATCHING:
            if opened:
                opened.pop()
            else:
                closed = place if closed < 0 else closed
                last_closed = place
    head = tokens[: min(opened[:1] + ([closed] if closed >= 0 else []), default=len(tokens))]
    if opened and (closed < 0 or opened[0] < closed):
        head = tokens[: opened[0]] if _is_remark(text, tokens, opened[0]) else []
    tail = tokens[opened[-1] + 1 :] if opened else tokens
    known = bool(opened) or is_open
    if last_closed >= 0 and not (opened and opened[-1] > last_closed):
        tail, known = _after_label(text, tokens, last_closed)
    return _Piece(
        _side(text, head), _side(text, tail, starts_line=starts_line and not opened) if known else None
    )


def _is_remark(text: str, tokens: list["re.Match[str]"], place: int) -> bool:
    """Tell whether what a bracket opens at the end of a side is words, and no factor."""
    after = text[tokens[-1].end() : tokens[-1].end() + 3]
    return place == len(tokens) - 1 and place > 0 and tokens[place - 1][0].isspace() and after[:2].isalpha()


def _after_label(text: str, tokens: list["re.Match[str]"], place: int) -> tuple[list["re.Match[str]"], bool]:
    """Return what stands after "(a)" or "1)" where a line begins with it."""
    before = text[max(0, tokens[place].start() - 12) : tokens[place].start()]
    label = re.search(r"(?:^|\n|\s)[(（]?(?:[A-Za-z]|[0-9]{1,2}|i{1,3}|iv|v)\Z", before)
    after = tokens[place + 1 :]
    return after, bool(label and after and after[0][0].isspace())


def _starts_line(text: str, place: int) -> bool:
    return place == 0 or text[place - 1] == "\n"


def _side(text: str, tokens: list["re.Match[str]"], *, starts_line: bool = False) -> Side | None:
    """Return a side, bare of dressing and units; None where it is not one that is whole and plain."""
    if not tokens or tokens[-1].end() - tokens[0].start() > LONGEST_SIDE:
        return None
    start, end = tokens[0].start(), tokens[-1].end()
    if starts_line and (bullet := _BULLET.match(text, start, end)):
        start = bullet.end()
    units = [token for token in tokens if token.lastgroup == "unit" and token.start() >= start]
    bare = "".join(
        "*" if token.lastgroup == "x" else token[0]
        for token in tokens
        if token.start() >= start and token.lastgroup != "unit"
    )
    stripped = bare.strip(_DRESSED)
    if stripped[:2] == "**" or stripped[-2:] == "**":
        stripped = stripped.strip("*" + _DRESSED)
    stripped = _without_dash(text, end, stripped, bare)
    unit = _unit_of(bare, units) if units else ""
    if unit is None or not stripped or _LEADS_ON.match(stripped) or _TRAILS_ON.search(stripped):
        return None
    if _AMBIGUOUS.search(stripped):
        return None
    whole = text[start:end]
    start += len(whole) - len(whole.lstrip(_DRESSED + "*"))
    end -= len(whole) - len(whole.rstrip(_DRESSED + "*-–"))
    return Side(stripped, start, end, unit)


def _without_dash(text: str, end: int, stripped: str, bare: str) -> str:
    """Take off a dash after which words go on: "= 408 - so"."""
    words = stripped[-2:] in (" -", " –") and bare[-1:].isspace() and text[end : end + 2].isalpha()
    return stripped[:-2].rstrip(_DRESSED) if words else stripped


def _unit_of(bare: str, units: list["re.Match[str]"]) -> str | None:
    """Return the one unit of a side: of a single number, each term of a sum, or one factor; else None."""
    names = {_name_of(token[0]) for token in units}
    if len(names) != 1 or None in names:
        return None
    name = names.pop()
    terms = re.split(r"[+＋]|(?<=[0-9 ])[-−–－]", bare.strip(_DRESSED))
    if re.search(r"[(（\[{^]", bare) or any(not term.strip(_DRESSED) for term in terms):
        return None
    if len(terms) == len(units) and not re.search(r"[*/×÷·⋅∙✕]|\\(?:times|cdot|div)", bare):
        return name
    divides = re.search(r"[/÷]|\\div", bare)
    return name if len(terms) == 1 and len(units) == 1 and not divides else None


def _name_of(written: str) -> str | None:
    """Return the name of a unit, or a counted thing; None for a letter, which is a variable."""
    word = re.sub(r"\\(?:text|mathrm|textrm)\s?|[{}~ ]|\\[,;: ]", "", written).strip()
    if named := unit_named(word):
        return named.name
    if word.isascii() and (len(word) < 3 or word.lower() in _GOES_ON or not word.isalpha()):
        return None
    return None if _JOINS_AFTER.match(word) else word.lower().removesuffix("s")


def _opens_freely(text: str, start: int) -> bool:
    """Tell whether nothing before a run belongs to its first side."""
    before = text[max(0, start - 40) : start]
    if not before:
        return True
    last = before[-1]
    if last == "(" or before[-2:] in ("\\(", "\\[", "\\\\"):
        return True
    if _JOINS_BEFORE.search(before):
        return False
    if "一" <= last <= "鿿":
        return True
    if last.isalpha():
        # The blank after a word belongs to the run.
        return text[start : start + 1].isspace() and _word_lets(before)
    if last in ":,.：" and re.match(r"[0-9)}$]", before[-2:-1]) and not text[start : start + 1].isspace():
        return False
    if last == "." and not text[start : start + 1].isspace():
        return False
    if last == "\n" and _TRAILS_ON.search(before.rstrip()):
        return False
    if last in _UNSAFE_WHERE_BLANK:
        return False
    if last in ":：" and re.search(r"[0-9]\s+:\Z", before):
        return False
    return last in _SAFE_BEFORE


def _word_lets(before: str) -> bool:
    """Tell whether a word before a sum has nothing to do with it: "so 3 + 4 = 7", not "half of 3 + 5"."""
    found = _WORD_BEFORE.search(before)
    if not found or found["tex"]:
        return False
    word = found["word"].lower()
    if word == "and" and before[: found.start()].rstrip("$ ")[-1:].isdigit():  # 12 × 1 and 1/4
        return False
    if word in _OPERATING or before[: found.start()][-1:] in ("_", "^", "\\", "{"):
        return False
    return len(word) > 3 or word in _SMALL_WORDS


def _ends_freely(text: str, right: Side, left: Side) -> bool:
    """Tell whether nothing after the last side belongs to it."""
    end = right.end
    if right.unit and not left.unit and unit_named(right.unit):
        return False
    dots = _MORE_DIGITS.match(text, end)
    if dots:
        return not re.match(r"\s?[0-9]|\s?[-+*/^×%％\\]|[eE]-?[0-9]", text[dots.end() : dots.end() + 4])
    after = text[end : end + 40].lstrip("*_$")
    after = re.sub(r"\A[ \t]*[-–][ \t]+(?=[A-Za-z]{2})", " ", after)
    if _JOINS_AFTER.match(after):
        return False
    if found := _AFTER_WORD.match(after):
        return (found.start("word") > 0 or bool(right.unit)) and _word_after_lets(found["word"], after, left)
    if re.match(r"\s?[(（]\s?(?:mod|base|remainder|余|模|in base)", after, re.IGNORECASE):
        return False
    if re.match(r"[,，.]\$?[0-9]|\.\$?[ ]?[0-9]|\s?:\s?[0-9]|\s?and\s?[($\\]{0,2}[0-9]", after):
        return False
    if "一" <= after.strip()[:1] <= "鿿":
        return bool(left.unit) or not any(unit_named(after.strip()[:length]) for length in (1, 2, 3))
    return not after or bool(_ENDS_AFTER.match(after))


def _word_after_lets(word: str, after: str, left: Side) -> bool:
    """Tell whether a word after a sum is no part of it, and no unit that the sum itself lacks."""
    low = word.lower()
    if re.match(r"[ $]*and\s?[($\\]{0,3}(?:frac\{)?[0-9]", after) or _is_a_letter(low, after):
        return False
    if low in _GOES_ON or (unit_named(word) and low not in _SMALL_AFTER and not left.unit):
        return False
    if low == "in" and not re.match(r"\s*in\s+[A-Za-z]", after):
        return False
    return len(low) > 3 or low in _SMALL_AFTER


def _is_a_letter(word: str, after: str) -> bool:
    """Tell a variable from "a" and "I", after which another word stands."""
    return len(word) == 1 and not re.match(r"\s*[aAI]\s[A-Za-z]{2}", after)


def _is_said_freely(text: str, left: Side, right: Side) -> bool:
    """Tell whether the words before an equality suppose, ask or deny nothing."""
    before = text[max(0, left.start - LOOKED_BACK) : left.start]
    sentence = re.split(r"[.。!！?？;；](?=\s)|[。！？；]|\n", before)[-1]
    return not _SUPPOSED.search(sentence)


def _is_supposed_after(text: str, right: Side) -> bool:
    """Tell whether the words right after an equality deny or ask it."""
    said = text[right.start : right.end + LOOKED_AHEAD]
    rest = re.split(r"[.。!！](?=\s|\Z)|[。！]|\n", said, maxsplit=1)[0]
    return bool(_DENIED.search(rest))


def is_a_range(text: str) -> bool:
    """Tell whether a side may be "weeks 3-4" rather than a difference."""
    return any(int(found[1]) < int(found[2]) for found in _RANGE.finditer(text))
