"""TeX of strangers as MathML; what cannot or must not be set is shown as its source.

The converter knows no command that loads, links or styles. It is native code that follows the nesting of a
formula with its own, so what goes in is bounded first: in length, in depth, in cells. What comes out is bounded
too: a formula has no space or sign so large that it would cover or push away what is around it.
"""

import re
from functools import lru_cache
from html import escape

from math_core import LatexError, LatexToMathML

LONGEST_FORMULA, LONGEST_MATHML = 3_000, 60_000  # characters
DEEPEST_FORMULA, MOST_CELLS = 30, 400
_DEFINES = re.compile(
    r"\\(?:[egx]?def|let|futurelet|(?:re)?newcommand|providecommand|(?:re)?newenvironment|DeclareMathOperator|"
    r"catcode|input|include|includegraphics|href|url|require)(?![A-Za-z])"
)
_NESTS = re.compile(
    r"(?P<opens>\\(?:begin|left)(?![A-Za-z])|\\sqrt\s*\[|\{)|(?P<closes>\\(?:end|right)(?![A-Za-z])|\})|\\.",
    re.DOTALL,
)
_CHAIN = re.compile(r"(?:\\[A-Za-z]+[\s\[^_]*){61}")  # commands that stand one in another without a brace
_CELL = re.compile(r"&|\\\\")
_NUMBERED = re.compile(r"\\(begin|end)\{(align|gather|equation|multline|alignat|flalign|eqnarray)\}")
_STARRED_TAG = re.compile(r"\\tag\s*\*")
_HUGE = re.compile(r'="-?\d{2,}(?:\.\d*)?[a-z]')  # a length of ten or more of any unit
_STYLE = re.compile(r' style="([^"]*)"')
_LINE = '<mo stretchy="true">\u0332</mo>'  # above or below; browsers stretch U+203E with more fonts
_UNSEEN_BY_NAME = re.compile(r"<mo>&(?:ApplyFunction|InvisibleTimes|InvisibleComma);</mo>")
_UNSEEN = dict.fromkeys(
    range(0x2061, 0x2065)
)  # operators without a sign; rendering shows hidden signs by number
_MACROS = {
    "tag": r"\qquad(\text{#1})",
    "substack": r"{\begin{matrix}#1\end{matrix}}",
    **dict.fromkeys(("mbox", "hbox", "textnormal", "textup"), r"\text{#1}"),
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textasciitilde": r"\sim",
}
_CLASSES = (
    ("text-align: right", "to-right"),
    ("text-align: left", "to-left"),
    ("border-top", "ruled-above"),
    ("border-right", "ruled-after"),
)
CELL_CLASSES = {name for _style, name in _CLASSES}


@lru_cache(maxsize=8192)
def formula(tex: str, *, is_block: bool) -> str:
    """Return a formula as MathML; one that is too large, defines things or cannot be read, as its source."""
    source = f'<code class="tex">{escape(tex.strip())}</code>'
    if _is_unfit(tex):
        return source
    plain = _STARRED_TAG.sub(r"\\tag", _NUMBERED.sub(r"\\\1{\2*}", tex.strip()))
    try:
        made = _converter().convert_with_local_state(plain, displaystyle=is_block)
    except (LatexError, UnicodeEncodeError):
        return source
    if len(made) > LONGEST_MATHML or _HUGE.search(made):
        return source
    made = _UNSEEN_BY_NAME.sub("", made).translate(_UNSEEN)
    return _STYLE.sub(_class_for, made).replace(_LINE, _LINE.replace("\u0332", "\u203e"))


@lru_cache(maxsize=1)
def _converter() -> LatexToMathML:
    return LatexToMathML(
        macros=_MACROS, max_expansions=300, fancy_error=False, allow_unreliable_rendering=True
    )


def _class_for(style: re.Match[str]) -> str:
    """Say by a class what the converter says by a style, which our pages do not allow."""
    names = [name for part, name in _CLASSES if part in style[1]]
    return f' class="{" ".join(names)}"' if names else ""


def _is_unfit(tex: str) -> bool:
    return (
        len(tex) > LONGEST_FORMULA
        or not tex.strip()
        or _DEFINES.search(tex) is not None
        or _CHAIN.search(tex) is not None
        or len(_CELL.findall(tex)) > MOST_CELLS
        or _depth(tex) > DEEPEST_FORMULA
    )


def _depth(tex: str) -> int:
    """Return how deep braces, environments, fences and roots stand in one another."""
    depth = deepest = 0
    for found in _NESTS.finditer(tex):
        depth += bool(found["opens"]) - bool(found["closes"])
        deepest = max(deepest, depth)
    return deepest
