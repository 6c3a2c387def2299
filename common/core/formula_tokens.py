"""Cut a formula, in TeX or plain, into its signs, numbers, letters and commands."""

import re
from dataclasses import dataclass

from common.core.notation import folded

LONGEST = 1_200  # characters
MOST_TOKENS = 400
MOST_DIGITS = 120
FUNCTIONS = {
    "sin": "sin", "cos": "cos", "tan": "tan", "tg": "tan", "cot": "cot", "sec": "sec", "csc": "csc",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "ln": "ln", "log": "log", "lg": "lg", "exp": "exp", "sqrt": "sqrt", "max": "max", "min": "min", "gcd": "gcd", "abs": "abs",
}  # fmt: skip
_GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota",
    "kappa", "lambda", "mu", "nu", "xi", "rho", "varrho", "sigma", "tau", "upsilon", "phi", "varphi", "chi",
    "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Sigma", "Phi", "Psi", "Omega", "ell", "hbar",
]  # fmt: skip
_SIGNS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "pm": "±", "mp": "∓", "le": "<=", "leq": "<=", "leqslant": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "approx": "≈", "simeq": "≈",
    "in": "∈", "cup": "∪", "bigcup": "∪", "cap": "∩", "setminus": "∖", "backslash": "∖", "infty": "∞", "pi": "π",
    "mid": "|", "vert": "|", "lvert": "|", "rvert": "|", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
    "langle": "(", "rangle": ")", "lbrace": "\\{", "rbrace": "\\}", "lbrack": "[", "rbrack": "]", "circ": "°", "degree": "°",
    "emptyset": "∅", "varnothing": "∅", "quad": ",", "qquad": ",", "colon": ":", "wedge": ",", "land": ",", "lor": ",",
    "neg": "-", "prime": "'", "percent": "%",
}  # fmt: skip
_PLAIN_SIGNS = {
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "−": "-", "–": "-", "≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=",
    "≦": "<=", "≧": ">=", "≠": "!=", "!=": "!=", "<=": "<=", ">=": ">=", "≈": "≈", "≒": "≈", "π": "π", "∞": "∞", "√": "√",
    "∈": "∈", "∪": "∪", "∩": "∩", "∖": "∖", "⟨": "(", "⟩": ")", "、": ",", ";": ",", "；": ",", "，": ",", "：": ":",
    "**": "^", "⁄": "/", "∅": "∅", "或": ",", "和": ",", "且": ",", "与": ",", "ø": "∅",
}  # fmt: skip
_DRESSING = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|limits|nolimits|mathstrut|[bB]igg?[lrm]?|hline)(?![a-zA-Z])\s?\.?(?<![0-9]\.)"
    r"|(?<!\\)\\[!,;: ](?!\d{3})|\\?\$|\\[()\[\]](?!\d*pt)|~|\\hspace\{[^{}]*\}|\\phantom\{[^{}]*\}|\{\}"
)
_GROUPED = re.compile(r"(?<=\d)(?:,\s?\\!\s?|\{,\}|\\[,!])(?=\d{3}(?!\d))")
_TOKEN = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<number>(?:[1-9]\d{0,2}(?:,\d{3})+(?![\d,])|\d+)(?:\.(?!\.)\d*)?|\.\d+)(?P<ten>[eE][-+]?\d{1,4}(?![\w.]))?"
    r"|\\(?:text|mbox|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mathsf|operatorname|bm|boldsymbol|mathbb|mathcal)"
    r"\s?\*?\s?(?:\{(?P<worded>[^{}]*)\}|(?P<bolded>[A-Za-z]))"
    r"|(?P<frame>\\(?:begin|end)\s?\{(?P<framed>[a-zA-Z]+)\*?\}(?:\{[lcr|]*\})?)"
    r"|(?P<row>\\\\(?:\[[^\]]*\])?)|(?P<brace>\\[{}|])|\\(?P<command>[a-zA-Z]+)"
    r"|(?P<sign>\*\*|[<>!]=|==|[-+*/^_!%()\[\]{}|<>=:,;&'°])"
    r"|(?P<plain>[×·⋅∙÷−–≤≥⩽⩾≦≧≠≈≒π∞√∈∪∩∖⟨⟩、；，：⁄∅ø±∓⌊⌋⌈⌉°‰′ℝ或和且与])"
    r"|(?P<letters>[A-Za-zα-ωΑ-Ω]+)|\\(?P<escaped>[%#&_])"
)
_LEADING_STOPS = re.compile(r"\A[ \n.。]*?(?=\.\d|[^ \n.。]|\Z)")  # ".5" keeps its point
_NAMES_OF_FUNCTIONS = re.compile("|".join(sorted(FUNCTIONS, key=len, reverse=True)))
_UNIT_WORDS = re.compile(r"[\s~.]*[A-Za-z\u4e00-\u9fff][A-Za-z\u4e00-\u9fff /.·~-]*[\s~.]*(?:\^\{?-?\d\}?)?")


class NotAFormula(Exception):
    """The text is not one that the grammar knows."""


@dataclass(frozen=True, slots=True)
class Token:
    """A sign, a number, a letter or a command; `after_blank` where a blank stood before it."""

    kind: str
    text: str
    after_blank: bool = False


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a formula.

    Raises:
        NotAFormula: a sign or a word is none that formulas have, or there are too many of them.
    """
    plain = _GROUPED.sub("", folded(text))
    plain = _LEADING_STOPS.sub("", _DRESSING.sub(" ", plain), count=1).rstrip(" \n.。")
    made: list[Token] = []
    place, blank = 0, False
    while place < len(plain):
        found = _TOKEN.match(plain, place)
        if not found or len(made) > MOST_TOKENS:
            raise NotAFormula
        place = found.end()
        if found["blank"] is not None:
            blank = True
            continue
        made += _made_of(found, blank, is_last=not plain[place:].strip(" )]}$.\\"))
        blank = False
    return made


def _made_of(found: "re.Match[str]", blank: bool, *, is_last: bool) -> list[Token]:
    """Return the tokens of one match: letters may be several, words of a unit none."""
    if found["number"] is not None:
        if len(found["number"]) > MOST_DIGITS:
            raise NotAFormula
        return [Token("number", found["number"] + (found["ten"] or ""), blank)]
    if found["frame"] is not None:
        return [Token("end" if "\\end" in found["frame"] else "begin", found["framed"], blank)]
    if found["row"] is not None:
        return [Token("sign", "\\\\", blank)]
    if found["brace"] is not None:
        return [Token("sign", "|" if found["brace"] == "\\|" else found["brace"], blank)]
    if found["command"] is not None:
        return _of_command(found["command"], blank)
    if found["plain"] is not None:
        return _of_plain(found["plain"], blank)
    if found["sign"] is not None:
        sign = {"**": "^", "==": "=", ";": ","}.get(found["sign"], found["sign"])
        return [Token("sign", sign, blank)]
    if found["escaped"] is not None:
        return [Token("sign", found["escaped"], blank)]
    if found["letters"] is not None:
        return _of_letters(found["letters"], blank)
    return _of_words(found["worded"] or found["bolded"] or "", blank, is_last=is_last)


def _of_command(name: str, blank: bool) -> list[Token]:
    if name in FUNCTIONS:
        return [Token("function", FUNCTIONS[name], blank)]
    if name in _SIGNS:
        sign = _SIGNS[name]
        return [Token("letter", "π", blank)] if sign == "π" else [Token("sign", sign, blank)]
    if name in _GREEK:
        return [Token("letter", name.removeprefix("var"), blank)]
    if name in {"frac", "dfrac", "tfrac", "cfrac", "binom", "dbinom", "tbinom"}:
        return [Token("binary", "binom" if "binom" in name else "frac", blank)]
    if name in {"overline", "bar", "vec", "overrightarrow", "hat", "widehat", "overarc"}:
        return [Token("over", name, blank)]
    if name.startswith(("quad", "qquad")):
        return [Token("sign", ",", blank), *_of_letters(name.lstrip("q").removeprefix("uad"), blank)]
    if name in {"boxed", "fbox", "rm", "bf", "it", "cm", "mathop"}:
        return []
    raise NotAFormula


def _of_plain(sign: str, blank: bool) -> list[Token]:
    if sign == "π":
        return [Token("letter", "π", blank)]
    if sign == "√":
        return [Token("function", "sqrt", blank)]
    if sign == "ℝ":
        return [Token("letter", "R", blank)]
    return [Token("sign", {"′": "'", "‰": "‰"}.get(sign, _PLAIN_SIGNS.get(sign, sign)), blank)]


def _of_letters(word: str, blank: bool) -> list[Token]:
    """Return letters one by one, functions and a few names whole; three letters and more are a word, no product."""
    if word in ("and", "or"):
        return [Token("sign", ",", blank)]
    if word.lower() in ("inf", "infinity", "oo"):
        return [Token("sign", "∞", blank)]
    if word in ("pi", "Pi"):
        return [Token("letter", "π", blank)]
    if word in _GREEK:
        return [Token("letter", word, blank)]
    if word == "cup" or word == "U":
        return [Token("sign", "∪", blank)] if word == "cup" else [Token("letter", "U", blank)]
    if known := _NAMES_OF_FUNCTIONS.match(word):
        rest = word[known.end() :]
        if len(rest) <= 2:
            return [
                Token("function", FUNCTIONS[known[0]], blank),
                *(Token("letter", letter) for letter in rest),
            ]
    if word.endswith("pi") and len(word) <= 4:
        return [*(Token("letter", letter, blank) for letter in word[:-2]), Token("letter", "π")]
    if len(word) > 2 and not re.fullmatch("[a-z]{3}|[A-Z]{3,4}", word):
        raise NotAFormula
    return [
        Token("letter", letter, blank and not place and len(word) == 1) for place, letter in enumerate(word)
    ]


def _of_words(words: str, blank: bool, *, is_last: bool) -> list[Token]:
    """Return what words inside a formula are: a joint, a name, or a unit at its end, which is none of it."""
    bare = words.strip(" ~.")
    if bare in ("and", "or", "和", "或", "与", "且", "and ", ","):
        return [Token("sign", ",", blank)]
    if re.fullmatch("[A-Za-z]", bare):
        return [Token("letter", bare, blank)]
    if bare.isdigit() and len(bare) < MOST_DIGITS:
        return [Token("number", bare, blank)]
    if not bare:
        return []
    if bare.removeprefix("\\") in FUNCTIONS:
        return [Token("function", FUNCTIONS[bare.removeprefix("\\")], blank)]
    if is_last and _UNIT_WORDS.fullmatch(words):
        return [Token("unit", bare, blank)]
    raise NotAFormula
