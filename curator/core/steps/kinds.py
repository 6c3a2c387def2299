"""What the words with which a stretch of thinking begins say that it does, in English and in Chinese."""

import re
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a step does."""

    PLAIN = "plain"
    CORRECTION = "correction"
    CHECK = "check"
    ALTERNATIVE = "alternative"
    PART = "part"
    CONCLUSION = "conclusion"


class Beginning(NamedTuple):
    """What the first words of a stretch say.

    `is_turn`: the thinking goes another way here; `is_named`: "Step 2", "B." or 第三步 stands first;
    `is_numbered`: so does a number.
    """

    kind: Kind
    is_turn: bool
    is_named: bool
    is_numbered: bool


READ = 100  # characters of a beginning that are looked at
# Words that may stand before "wait", "let me check" and "alternatively" and change nothing.
_HINGE = r"(?:(?:but|and|or|oh|ah|okay|ok|so|now|well|yes|yeah|still|also|hmm+)\b[,.…]*\s+){0,2}"
_LET_ME = (
    r"(?:let me |let's |let us |i(?:'ll| will| should| need to| want to| can)? |we(?: should| need to| can| must)? |to )"
    r"?(?:just |quickly |also |now |first )?"
)
# What begins a sentence that does this; in English with the word's end, in Chinese without.
_MARKERS = {
    Kind.CORRECTION: (
        (
            rf"{_HINGE}(?:wait|hmm+|hold on|oops|actually|no(?=[,.])|not so fast|scratch that|i made a mistake|"
            r"i mis\w+|that(?:'s| is) (?:not right|wrong|incorrect))\b"
        ),
        (
            r"(?:嗯，|但是?，?|可是，?|哦，?)?(?:等等|等一下|等下|不对|不，|慢着|且慢|哦不|回头|其实|重新|"
            r"我(?:刚才|之前)?(?:算|弄|看|想|搞)?错了)"
        ),
    ),
    Kind.CHECK: (
        (
            rf"{_HINGE}{_LET_ME}(?:double[- ]check|re-?check|re-?examine|re-?read|check|verify|confirm|test|"
            r"make sure|checking|verification|verifying|as a check|sanity check)\b"
        ),
        (
            r"(?:现在|最后|那么|再|，)*(?:让|来|需要|可以|应该)?(?:我们?|咱们)?(?:需要|可以|应该|来|再|先|重新|仔细)*"
            r"(?:验证|检验|检查|验算|核对|复核|确认|代入检验|再看一[遍下])"
        ),
    ),
    Kind.ALTERNATIVE: (
        (
            rf"{_HINGE}(?:alternatively|(?:(?:is|are) there )?another (?:way|approach|method|idea|angle|"
            r"option|possibility)|on the other hand|or (?:maybe|perhaps))\b"
        ),
        r"或者|另外|另一(?:种|个|方面)|还有一种|换一?[种个]|要么",
    ),
    Kind.PART: (
        r"(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|finally|lastly|step \d{1,3}|case \d{1,3})\b",
        r"首先|其次|再次|然后|接着|接下来|最后|第[一二三四五六七八九十\d]{1,3}[步种]",
    ),
    Kind.CONCLUSION: (
        (
            r"(?:so|therefore|thus|hence|in (?:conclusion|summary)|to (?:conclude|summarize)|overall|"
            r"(?:the )?(?:final )?answer)\b"
        ),
        r"因此|所以|综上|总之|于是|由此|可得|故|答案|结论",
    ),
}
_GUESS = re.compile(rf"(?:{_HINGE}(?:maybe|perhaps|what if)\b|也许|或许)", re.IGNORECASE)
_BEGINS = [
    *(
        (kind, re.compile(rf"(?:{english}|{chinese})", re.IGNORECASE))
        for kind, (english, chinese) in _MARKERS.items()
    ),
    (Kind.ALTERNATIVE, _GUESS),
]
_SIGNS = re.compile(r"[\s#>*_\-•·]*")
_NAME = re.compile(
    r"(?:\(?[A-J][.)](?=\s|\*)|[A-J][、．]|第[一二三四五六七八九十\d]{1,3}[步种个点]|"
    r"(?:step|case|option|part|choice|statement|method|approach) (?:\(?[a-j\d]{1,3}\)?|[ivx]{1,4})\b|"
    r"(?:情况|选项|方法|步骤)\s?[一二三四五六七八九十\dA-J])[.:：、]?[\s*_]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?:\(?\d{1,3}[.)](?!\d)|[（(][一二三四五六七八九十\d]{1,3}[）)]|[\d一二三四五六七八九十]{1,3}、|[①-⑳])[\s*_]*"
)


def _after_sentence(kinds: tuple[Kind, ...]) -> re.Pattern[str]:
    markers = "|".join("|".join(_MARKERS[kind]) for kind in kinds)
    end = r"(?:[。！？!?；]|[.:…](?=\s)|\n)[”’」』）)\"']*[ \t]*"
    return re.compile(rf"{end}(?=[^\W\d_])(?={markers})", re.IGNORECASE)


# Where in a paragraph the thinking turns, and where anything is marked at all.
TURNS = _after_sentence((Kind.CORRECTION, Kind.ALTERNATIVE))
MARKS = _after_sentence(tuple(_MARKERS))


def beginning_of(text: str) -> Beginning:
    """Return what the first words of a text say."""
    head = text[:READ]
    at = _end(_SIGNS, head, 0)
    named = _end(_NAME, head, at)
    words = named if named > at else _end(_NUMBER, head, at)
    kind, pattern = next(
        ((kind, each) for kind, each in _BEGINS if each.match(head, words)), (Kind.PLAIN, None)
    )
    is_turn = kind in {Kind.CORRECTION, Kind.CHECK, Kind.ALTERNATIVE} and pattern is not _GUESS
    if words > at and kind in {Kind.PLAIN, Kind.CONCLUSION}:
        kind = Kind.PART
    return Beginning(kind, is_turn, is_named=named > at, is_numbered=words > named)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def kind_of(text: str) -> Kind:
    """Return what the first words of a text say that it does."""
    return beginning_of(text).kind
