"""Whether two short texts ask the same in other words: "Name the capital of France", "France's capital is …?".

What makes a question that question is what stays when the words of asking are taken out: the things that it
speaks of, its formulas and numbers, and whether it negates. Formulas must be the same, each as often, and so
must negations; of the rest most must be. The order of words says nothing: half as many in May as in April.
"""

import re
from collections import Counter
from functools import cache, lru_cache
from typing import NamedTuple

import snowballstemmer

from common.core.text import CJK

# Shares of the letters of what is spoken of, on the side with more of them. Where each side has something that the
# other has not, one may be put for the other: gold for silver, an area for a perimeter.
LEAST_ALIKE, LEAST_ALIKE_REPLACED = 0.65, 0.78
LEAST_LETTERS = 10  # of that and, twice, of formulas; fewer name a topic and no question
# A longer text that is reworded shares runs, and may be mostly what an exam says each time.
MOST_LETTERS, MOST_CHARACTERS = 120, 400
CJK_LETTERS = 3  # as many letters as a character says

_KEPT = 8192  # texts: each of a benchmark is held against many questions
_SHORTEST_WORD = 3  # letters; shorter ones are symbols, or words of asking
_WORD = re.compile(r"(?<![\\a-z])[a-z]{3,}(?:'s)?(?![a-z])")
_ASKING_WORDS = """
    about all also and any are been being but can could did does each every for from get given had has have her
    him his how into its let like made make many may more most much must now off one only other our out over per
    same she should some such than that the their them then there these they this those through under until
    upon very was way were what when where which while who whom whose why will with would you your
    answer answers ask asked calculate choose compute correct correctly describe determine evaluate explain express
    find following give identify list name number option options pick please say show simplify solve state
    statement statements suppose true value work write
    altogether amount both entire overall total whole
"""
_NEGATING_WORDS = "cannot except false incorrect least neither never none nor not unless unlike without wrong"
_NEGATED = re.compile("不|没|未|非|无|错|除外|除了")
_CJK_ASKING_WORDS = """
    下列 以下 下面 哪一项 哪一个 哪一种 哪些 哪几 哪里 哪座 哪个 哪位 哪种 哪项 哪 什么 多少 几个 几种 几 是否 怎样 怎么 如何
    说法 表述 选项 叙述 正确 符合 题意 属于 关于 有关 对于 请问 请 试 计算 求出 求 解答 回答 写出 指出 判断 选择 答案 问题
    可以 能够 应当 应该 预计 每年 一共 总共 的 了 是 在 和 与 及 则 其 该 这 那 有 为 座 为何
"""
_ASKING, _NEGATIONS = frozenset(_ASKING_WORDS.split()), frozenset(_NEGATING_WORDS.split())
# The longest first: of two that begin alike, an expression takes the one that stands before.
_CJK_ASKING = re.compile("|".join(sorted(_CJK_ASKING_WORDS.split(), key=len, reverse=True)))
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_FORMULA = re.compile(rf"[^\s{CJK}]+")
_LOOSE = ".,:;!?()[]{}\"'“”‘’$。，、：；！？（）《》【】"


class _Said(NamedTuple):
    """What a text speaks of, by stem or character; and its negations."""

    things: Counter[str]
    negations: Counter[str]


def words_alike(one: str, other: str) -> float:
    """Return the share of what two texts in normal form speak of that both do; 0 where they ask other things."""
    if max(len(one), len(other)) > MOST_CHARACTERS or _formulas(one) != _formulas(other):
        return 0.0
    said, also = _said(one), _said(other)
    if said.negations != also.negations:
        return 0.0
    most = max(_letters(said.things), _letters(also.things))
    if most > MOST_LETTERS or most + 2 * sum(map(len, _formulas(one))) < LEAST_LETTERS:
        return 0.0
    alike = _letters(said.things & also.things) / most if most else 1.0
    is_replaced = said.things - also.things and also.things - said.things
    return alike if alike >= (LEAST_ALIKE_REPLACED if is_replaced else LEAST_ALIKE) else 0.0


@cache
def _stem(word: str) -> str:
    return str(snowballstemmer.stemmer("english").stemWord(word))


@lru_cache(maxsize=_KEPT)
def _said(text: str) -> _Said:
    words = [word.removesuffix("'s") for word in _WORD.findall(text)]
    characters = _CJK_CHARACTER.findall(_CJK_ASKING.sub(" ", _NEGATED.sub(" ", text)))
    things = {_stem(word) for word in words if word not in _ASKING | _NEGATIONS}
    return _Said(
        Counter(things) + Counter(characters),
        Counter(word for word in words if word in _NEGATIONS) + Counter(_NEGATED.findall(text)),
    )


@lru_cache(maxsize=_KEPT)
def _formulas(text: str) -> tuple[str, ...]:
    """Return in order what stands between words: numbers, symbols, formulas; loose signs of a sentence are none."""
    chunks = (chunk.strip(_LOOSE) for chunk in _FORMULA.findall(_WORD.sub(" ", text)))
    return tuple(sorted(chunk for chunk in chunks if chunk and not _is_short_word(chunk)))


def _is_short_word(chunk: str) -> bool:
    return chunk.isalpha() and chunk.isascii() and len(chunk) < _SHORTEST_WORD


def _letters(things: Counter[str]) -> int:
    return sum(count * (len(thing) if thing.isascii() else CJK_LETTERS) for thing, count in things.items())
