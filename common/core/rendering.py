"""Markdown and TeX of strangers as HTML and MathML that can do nothing: no script, no address, no style.

What a model or an uploaded file wrote is shown to people in our own pages. So raw HTML is text, links and
pictures stay as they were typed and fetch nothing, and an allow list says which elements may come out at all.
Signs that turn the direction of writing, and those that nobody sees, are shown by their numbers, for they can
make a text lie. Every block says at which character of the text its first line begins.
"""

import re
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from common.core.mathml import CELL_CLASSES, LONGEST_FORMULA, formula
from common.core.text import is_cjk, neutralise

LONGEST_RENDERED = 20_000  # characters of one text; a longer one is shown as it is
DEEPEST = 20  # lists and quotes, one in another
_WIDE_TABLE = re.compile(r"^(?:[^|\n]*\|){101}", re.MULTILINE)
# Signs of direction, invisible operators, tags, and the marks between which a text is not shown.
_HIDDEN = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2061-\u206f\ufff9-\ufffb\U000e0000-\U000e007f]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_BRACKETS = {r"\(": r"\)", r"\[": r"\]"}
_PLACED = {"paragraph_open", "heading_open", "list_item_open", "tr_open", "fence"}
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
    *("mathvariant", "stretchy", "fence", "form", "separator", "symmetric", "largeop", "movablelimits"),
    *("accent", "accentunder", "displaystyle", "scriptlevel", "notation", "linethickness"),
    *("lspace", "rspace", "minsize", "maxsize"),
}
_ATTRIBUTES = dict.fromkeys(_MATHML, _OF_MATHML) | {
    "math": {"display", *_OF_MATHML},
    "mspace": {"width"},
    "ol": {"start"},
    **{tag: {"data-start"} for tag in ("p", "li", "tr", "code")},
}
_CLASSES = {"code": {"tex"}, "p": {"heading"}, "mtd": CELL_CLASSES}


class Rendered(NamedTuple):
    """A text as HTML that is safe to show; `is_plain` says that it was too much to be more than its own signs."""

    html: str
    is_plain: bool


def rendered(text: str, *, limit: int = LONGEST_RENDERED) -> Rendered:
    """Return a text of a stranger as HTML and MathML.

    A block has `data-start`: the character of `text` at which the line begins in which the block does. A text
    longer than `limit` characters, or that is nested or tabled beyond reading, is shown just as it stands.
    """
    shown = _dedented(neutralise(text)[0])
    if len(shown) > limit or _WIDE_TABLE.search(shown):
        return _as_it_stands(shown)
    env = {"starts": [0, *(found.end() for found in _LINE_END.finditer(text))]}
    markdown = _markdown()
    try:
        tokens = markdown.parse(shown, env)
        if any(token.level >= DEEPEST - 1 for token in tokens):  # what stands deeper was left out
            return _as_it_stands(shown)
        html = markdown.renderer.render(tokens, markdown.options, env)
    except RecursionError:  # no text that was tried comes here; one that does is shown as it stands
        return _as_it_stands(shown)
    # Entities have become their signs by now.
    return Rendered(visible(sanitised(html)), is_plain=False)


def _dedented(text: str) -> str:
    """Take the indent of a text's first line from the lines below it: a step out of a list is a list again."""
    indent = len(text) - len(text.lstrip(" "))
    if not indent:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith(" " * indent):
            break
        lines[number] = line[indent:]
    return "\n".join(lines)


def _as_it_stands(shown: str) -> Rendered:
    return Rendered(f"<pre>{visible(escape(shown))}</pre>", is_plain=True)


def sanitised(html: str) -> str:
    """Return HTML without anything that is not on the allow list."""
    return _cleaner().clean(html)


@lru_cache(maxsize=1)
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_HTML | _MATHML,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=set(),
        link_rel=None,
        strip_comments=True,
    )


def visible(text: str) -> str:
    """Show signs that turn the direction of writing, or that nobody sees, by their numbers."""
    return _HIDDEN.sub(lambda sign: f"⟦U+{ord(sign[0]):04X}⟧", text)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": DEEPEST})
    made.enable(["table", "strikethrough"])
    made.disable(["link", "image", "autolink", "reference", "html_inline", "html_block", "lheading"])
    made.disable("code")  # models indent lists and remarks; code they fence
    made.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
    made.use(amsmath_plugin, renderer=lambda content: formula(content, is_block=True))
    made.inline.ruler.before("escape", "math_brackets", _inline_brackets)
    made.inline.ruler.at("emphasis", _emphasis)
    made.block.ruler.before(
        "fence", "math_brackets", _block_brackets, {"alt": ["paragraph", "blockquote", "list"]}
    )
    made.core.ruler.push("places", _placed)
    rules: dict[str, Any] = made.renderer.rules  # type: ignore[attr-defined]
    rules["math_inline"] = lambda tokens, at, *_rest: formula(tokens[at].content, is_block=False)
    for name in ("math_inline_double", "math_block", "math_block_eqno"):
        rules[name] = lambda tokens, at, *_rest: formula(tokens[at].content, is_block=True)
    return made


def _placed(state: StateCore) -> None:
    """Say at which character of the text a block begins; and a heading of a stranger's text is none of the page's."""
    starts = state.env["starts"]
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "p"
        if token.type == "heading_open":
            token.attrSet("class", "heading")
        if token.type == "fence":
            token.info = ""  # the name of a language would be a class
        if token.map and token.type in _PLACED:
            token.attrSet("data-start", str(starts[min(token.map[0], len(starts) - 1)]))


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Read * and _ as CommonMark does, * beside Chinese punctuation too, **结论：**因此, and not in 2*3*4.

    Source: the amendment for Chinese, Japanese and Korean of markdown-cjk-friendly.
    """
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    scanned = state.scanDelims(state.pos, marker == "*")
    end = state.pos + scanned.length
    before, after = state.src[max(0, state.pos - 1) : state.pos], state.src[end : min(end + 1, state.posMax)]
    is_star = marker == "*"
    is_product = is_star and _is_letter_or_digit(before) and _is_letter_or_digit(after)
    opens = not is_product and (scanned.can_open or (is_star and is_cjk(before) and bool(after.strip())))
    closes = not is_product and (scanned.can_close or (is_star and is_cjk(after) and bool(before.strip())))
    for _each in range(scanned.length):
        state.push("text", "", 0).content = marker
        token = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord(marker), scanned.length, token, -1, opens, closes))
    state.pos = end
    return True


def _is_letter_or_digit(sign: str) -> bool:
    return sign.isascii() and sign.isalnum()


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
