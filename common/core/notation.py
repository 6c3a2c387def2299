"""The many ways of writing one answer, folded into one: full-width forms, TeX, white space."""

import re
import unicodedata
from fractions import Fraction

LONGEST = 4_000  # characters; more is never an answer, and every pattern below stays cheap

_BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")  # a single space needs no change
_LINE_ENDS = re.compile(r"\s*\n\s*")
_NOISE = re.compile(r"\\(?:left|right|displaystyle|limits)(?![a-z])|(?<!\\)\\[,!;: ]|\\?\$|\\[()\[\]]")
_WRAPPED = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|normal)?|math(?:rm|bf|bb|sf|it)|mbox|operatorname)\s?\{([^{}]*)\}"
)
_DEGREES = re.compile(r"\^\s?\{?\s?\\circ\s?\}?|°")
_TEMPERATURE = re.compile(rf"(?:{_DEGREES.pattern})\s?([CF])\b")
_ROOT = re.compile(r"(?:\\sqrt|√)\s?(?:\{([^{}]*)\}|(\w))")
_FRACTION = re.compile(r"\\[dtc]?frac\s?(?:\{([^{}]*)\}|(\w))\s?(?:\{([^{}]*)\}|(\w))")
_ONE_TERM = re.compile(r"-?(?:[\w.]+|\w*\(\w*\))")
_RAISED = re.compile("[⁺⁻]?[⁰¹²³⁴-⁹]+|[½⅓⅔¼¾⅕-⅞]")
_INDEXED = re.compile(r"(?<=[A-Za-z])([₀-₉])(?=\s?[=＝])")  # of a name; H₂O has a count
_RAISED_SIGNS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_CIRCLED = re.compile("[①-⑳]+")
# 0.1\overline{6}, 0.1\dot{6} and 0.\dot{1}2\dot{3}, where the dots stand on the first and the last digit that come again.
_REPEATING = re.compile(
    r"(?<![\d.])(?P<whole>\d{0,12})\.(?P<before>\d{0,12}?)(?:\\dot\s?\{?(?P<first>\d)\}?(?P<middle>\d{0,10})\\dot\s?\{?(?P<last>\d)\}?"
    r"|\\(?:overline|dot|bar)\s?(?:\{(?P<run>\d{1,12})\}|(?P<digit>\d)))"
)
_BRACED = re.compile(r"([\^_])\{(\w)\}")
_SIGNS = {
    "\\%": "%", "{,}": ",", "−": "-", "–": "-", "\\cdot": "*", "\\times": "*", "×": "*", "·": "*", "\\pi": "pi",
    "π": "pi", "\\infty": "inf", "∞": "inf", "\\le ": "<=", "\\leq": "<=", "≤": "<=", "\\geq": ">=", "≥": ">=",
    "\\div": "/", "÷": "/", "\\pm": "+-", "±": "+-", "\\mu": "μ", "\\Omega": "Ω", "~": " ",
}  # fmt: skip
_SIGN = re.compile("|".join(map(re.escape, sorted(_SIGNS, key=len, reverse=True))))


def folded(text: str) -> str:
    """Return a text with full-width forms made half-width and every run of blanks made one."""
    raised = _RAISED.sub(_raised, _INDEXED.sub(_indexed, text[:LONGEST]))
    if _CIRCLED.search(raised):
        plain = "".join(
            part if _CIRCLED.fullmatch(part) else unicodedata.normalize("NFKC", part)
            for part in re.split("([①-⑳]+)", raised)
        )
    else:
        plain = unicodedata.normalize("NFKC", raised)
    return _BLANKS.sub(" ", plain)[:LONGEST]


def _indexed(found: "re.Match[str]") -> str:
    """Return "x₁ = 2" as "x_1 = 2"."""
    return "_" + unicodedata.normalize("NFKC", found[1])


def _raised(found: "re.Match[str]") -> str:
    """Return "m²" as "m^2" and "5½" as "5 1/2": NFKC alone would make them m2 and 51/2."""
    if not found[0][-1].isnumeric() or unicodedata.decomposition(found[0][-1]).startswith("<super>"):
        digits = found[0].translate(_RAISED_SIGNS)
        return f"^{digits}" if len(digits) == 1 else f"^{{{digits}}}"
    blank = " " if found.string[: found.start()][-1:].isdigit() else ""
    return blank + unicodedata.normalize("NFKC", found[0]).replace("\u2044", "/")


def tail(text: str) -> str:
    """Return the end of a text, composed, each run of blanks or line ends made one."""
    short = _BLANKS.sub(" ", unicodedata.normalize("NFC", text[-2 * LONGEST :]))
    return _LINE_ENDS.sub("\n", short)[-LONGEST:]


def without_tex(text: str) -> str:
    """Return folded text with TeX's dressing gone and its fractions, roots and signs written plainly."""
    plain = _WRAPPED.sub(r"\1", _NOISE.sub("", _REPEATING.sub(_as_fraction, text)))
    plain = _SIGN.sub(lambda found: _SIGNS[found[0]], plain)
    plain = _BRACED.sub(r"\1\2", plain)
    plain = _ROOT.sub(
        lambda found: f"sqrt({found[1] or found[2]})", _DEGREES.sub("", _TEMPERATURE.sub(r" deg\1", plain))
    )
    for _depth in range(3):
        plain, changed = _FRACTION.subn(_plain_fraction, plain)
        if not changed:
            break
    return plain


def _as_fraction(found: "re.Match[str]") -> str:
    """Return 0.1\\dot{6}, whose last digits come again without end, as 1/6."""
    named = {name: digits or "" for name, digits in found.groupdict().items()}
    again = named["run"] + named["digit"] + named["first"] + named["middle"] + named["last"]
    cycle, ends = int(10 ** len(again) - 1), int(10 ** len(named["before"]))
    once = Fraction(int(named["whole"] + named["before"] or "0"), ends)
    value = once + Fraction(int(again), cycle * ends)
    return f"{value.numerator}/{value.denominator}"


def _plain_fraction(found: "re.Match[str]") -> str:
    over, under = ((found[place] or found[place + 1] or "").strip() for place in (1, 3))
    # 5\frac12 is five and a half, not 51/2.
    joint = "+" if found.string[: found.start()].rstrip()[-1:].isdigit() else ""
    return f"{joint}{_as_term(over)}/{_as_term(under)}"


def _as_term(text: str) -> str:
    return text if _ONE_TERM.fullmatch(text) else f"({text})"
