"""Markdown and TeX of strangers as HTML and MathML that can do nothing: no script, no address, no style.

What a model or an uploaded file wrote is shown to people in our own pages. So raw HTML is text, links and
pictures stay as they were typed and fetch nothing, and an allow list says which elements may come out at all.
Signs that turn the direction of writing are shown by their numbers, for they can make a text lie.
"""

import re
import xml.etree.ElementTree as ET
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

import nh3
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from common.core.text import neutralise

LONGEST_RENDERED = 20_000  # characters of one text; a longer one is shown as it is
LONGEST_FORMULA, DEEPEST_FORMULA, MOST_CELLS = 3_000, 30, 400
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DEFINES = re.compile(
    r"\\(?:def|edef|gdef|xdef|let|newcommand|renewcommand|newenvironment|catcode|input|include|href|url|require)\b"
)
_BRACKETS = {r"\(": r"\)", r"\[": r"\]"}
_NUMBERED = re.compile(r"\\(begin|end)\{(align|gather|equation|multline|alignat|flalign|eqnarray)\}")
_CELL = re.compile(r"&|\\\\")
_MATHML = {
    *(
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "ms",
        "mtext",
        "mspace",
        "mfrac",
        "msqrt",
        "mroot",
        "mstyle",
        "merror",
    ),
    *("mpadded", "mphantom", "menclose", "msub", "msup", "msubsup", "munder", "mover", "munderover"),
    *("mmultiscripts", "mprescripts", "none", "mtable", "mtr", "mtd"),
}
_HTML = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "div", "span"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_OF_MATHML = {
    *("mathvariant", "stretchy", "fence", "form", "separator", "linethickness", "accent", "accentunder"),
    *("displaystyle", "scriptlevel", "columnalign", "rowspacing", "columnspacing", "notation", "minsize"),
    *("maxsize", "width", "height", "depth", "lspace", "rspace", "movablelimits", "symmetric", "largeop"),
}
_ATTRIBUTES = dict.fromkeys(_MATHML, _OF_MATHML) | {
    "math": {"display", *_OF_MATHML},
    "ol": {"start"},
    "th": {"scope"},
}
_CLASSES = {"code": {"tex"}, "p": {"heading"}}


class Rendered(NamedTuple):
    """A text as HTML that is safe to show; `is_plain` says that it was too long to be more than its own signs."""

    html: str
    is_plain: bool


def rendered(text: str, *, limit: int = LONGEST_RENDERED) -> Rendered:
    """Return a text of a stranger as HTML and MathML; one longer than `limit` characters just as it stands."""
    shown = _visible(neutralise(text)[0])
    if len(shown) > limit:
        return Rendered(f"<pre>{escape(shown)}</pre>", is_plain=True)
    try:
        html = _markdown().render(shown)
    except RecursionError:  # no text that was tried comes here; one that does is shown as it stands
        return Rendered(f"<pre>{escape(shown)}</pre>", is_plain=True)
    return Rendered(sanitised(html), is_plain=False)


def sanitised(html: str) -> str:
    """Return HTML without anything that is not on the allow list."""
    return nh3.clean(
        html,
        tags=_HTML | _MATHML,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=set(),
        link_rel=None,
        strip_comments=True,
    )


def _visible(text: str) -> str:
    """Show signs that turn the direction of writing by their numbers."""
    return _BIDI.sub(lambda sign: f"⟦U+{ord(sign[0]):04X}⟧", text)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    made.enable(["table", "strikethrough"])
    made.disable(["link", "image", "autolink", "reference", "html_inline", "html_block", "lheading"])
    made.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
    made.use(amsmath_plugin, renderer=lambda content: formula(content, is_block=True))
    made.inline.ruler.before("escape", "math_brackets", _inline_brackets)
    made.block.ruler.before(
        "fence", "math_brackets", _block_brackets, {"alt": ["paragraph", "blockquote", "list"]}
    )
    rules: dict[str, Any] = made.renderer.rules  # type: ignore[attr-defined]
    rules["math_inline"] = lambda tokens, at, *_rest: formula(tokens[at].content, is_block=False)
    rules["math_inline_double"] = lambda tokens, at, *_rest: formula(tokens[at].content, is_block=True)
    for name in ("math_block", "math_block_eqno"):
        rules[name] = lambda tokens, at, *_rest: formula(tokens[at].content, is_block=True)
    # A heading of a stranger's text is none of the page's.
    rules["heading_open"] = lambda *_all: '<p class="heading">'
    rules["heading_close"] = lambda *_all: "</p>\n"
    return made


def _closed_at(state: StateInline | StateBlock, closer: str, start: int) -> int:
    """Return where a formula that begins at `start` is closed, or -1; a text is searched once, not at every opener."""
    key = f"no {closer} in {hash(state.src)}"
    if start >= state.env.get(key, len(state.src)):
        return -1
    found = state.src.find(closer, start, start + LONGEST_FORMULA)
    if found < 0 and state.src.find(closer, start) < 0:
        state.env[key] = start
    return found


def _inline_brackets(state: StateInline, silent: bool) -> bool:
    r"""Read \( … \) and \[ … \] within a line."""
    opener = state.src[state.pos : state.pos + 2]
    if opener not in _BRACKETS:
        return False
    end = _closed_at(state, _BRACKETS[opener], state.pos + 2)
    if end < 0:
        return False
    if not silent:
        token = state.push("math_inline" if opener == r"\(" else "math_inline_double", "math", 0)
        token.content = state.src[state.pos + 2 : end]
    state.pos = end + 2
    return True


def _block_brackets(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    r"""Read \[ … \] that begins a line and ends one, whatever its lines look like."""
    start = state.bMarks[first] + state.tShift[first]
    if not state.src.startswith(r"\[", start):
        return False
    end = _closed_at(state, r"\]", start + 2)
    line = first
    while line < last and state.eMarks[line] < end:
        line += 1
    if end < 0 or line >= last or state.src[end + 2 : state.eMarks[line]].strip(" .,;，。；"):
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.content, token.map, token.block = state.src[start + 2 : end], [first, line + 1], True
        state.line = line + 1
    return True


@lru_cache(maxsize=8192)
def formula(tex: str, *, is_block: bool) -> str:
    """Return a formula as MathML; one that is too large, defines things or cannot be read, as its source."""
    source = f'<code class="tex">{escape(tex.strip())}</code>'
    if _is_unfit(tex):
        return source
    unnumbered = _NUMBERED.sub(r"\\\1{\2*}", tex.strip())
    try:
        made: str = convert(unnumbered, display="block" if is_block else "inline")
        ET.fromstring(made)  # noqa: S314 - the converter's own; whatever is no element of it is shown as its source
        return made
    except Exception:  # noqa: BLE001 - a converter that meets what it does not know raises as it likes
        return source


def _is_unfit(tex: str) -> bool:
    if len(tex) > LONGEST_FORMULA or not tex.strip() or _DEFINES.search(tex):
        return True
    depth = deepest = 0
    for sign in tex:
        depth += (sign in "{[(") - (sign in "}])")
        deepest = max(deepest, depth)
    return (
        deepest > DEEPEST_FORMULA
        or tex.count("\\left") > DEEPEST_FORMULA
        or len(_CELL.findall(tex)) > MOST_CELLS
    )
