"""Criterion 1: what is malformed, truncated or repeated. The first four patterns are s1's, by name.

Each pattern looks at one place, the question or the trace, so that it is looked for once in each text
however many methods ask for it. A project's own patterns are RE2 expressions: linear time on any text.

Source: s1 (arXiv 2501.19393), section 2.2, and its data/filter.ipynb.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import re2

from common.core.answers import Outcome, mark
from common.core.quantities import quantity
from common.core.refusal import Refusal
from common.core.text import count_cjk, language_of
from curator.core.endings import breaks_off

CUT = ("length", "max_tokens")  # finish reasons of a reply that ran into its token limit
REPEATS = 4  # the same line so often in a row is a loop
LEAST_SHARE_OF_NEW_LINES = 0.3
LINES_TO_JUDGE = 12  # a shorter trace may repeat itself without being a loop
PERIOD_MARK = 24  # characters; where the end of a trace stood before, its period may begin
LONGEST_RULE = 400  # characters of one or two kinds, as in a line of dashes
LONGEST_PERIOD = 2_000  # characters that a loop without line ends may take per turn

LETTERS_TO_JUDGE = 60  # fewer letters, as in a trace of formulae, are of no language
SAMPLED = 3_000  # characters of a trace by which its language is judged
LONGEST_EXPRESSION = 500

_P_NUMBER = re.compile(r"p[1-9]\d{0,2}\.")
_UNBROKEN = re.compile(r"[^\s\]]+")
_FIGURE = re.compile(
    r"如(?:下|上|右|左)?图|[下上右左]图(?![章书])|(?<![附版绘地])图\s*[0-9一二三四甲乙]\s*(?:所示|中)|图中"
    r"|\b(?:figure|diagram|picture|image)\s+(?:shown|below|above|shows|at\s+(?:the\s+)?(?:left|right))"
    r"|\b(?:figure|fig\.)\s+\d"
    r"|\b(?:shown|pictured|depicted|drawn|see|refer\s+to)\s+(?:in\s+)?the\s+(?:figure|diagram|picture|graph)\b"
    r"|\bin\s+the\s+(?:figure|diagram|picture|photograph)\b|\b(?:graph|chart)\s+(?:shown|below|above)"
    r"|!\[[^\]\n]*\]\(|<img\b|\\includegraphics\b|[\[【(（](?:图片?|图略)[\]】)）]|见(?:下|上|右|左|附)?图",
    re.IGNORECASE,
)
# An answer that ends so was cut, whatever the endpoint said; a last sentence without a stop may be a habit.
OPEN = ("word", "formula", "code", "box")
_REFUSAL = re.compile(
    r"\W*(?:(?:unfortunately|regrettably|sorry|很遗憾|抱歉)\W{0,3}(?:but\s+)?(?=i\b|i['’]|我|无法|不能))?"
    r"(?:i(?:['’]m| am) (?:very |really )?sorry|i apologi[sz]e|as an? (?:ai|artificial|large language)\b"
    r"|i(?: can(?:no|['’])t|(?:['’]m| am) (?:not able|unable) to| won['’]t(?: be able to)?)"
    r" (?:answer|help|assist|provide|comply|solve|do|fulfil"
    r"|(?:see|view|open|access) (?:the|any|an?|this|your) (?:image|figure|picture|diagram|chart|graph|file|attachment)"
    r"|(?:determine|give) (?:the|an?) (?:answer|solution) without)"
    r"|(?:很|非常)?抱歉|对不起|(?:我|很遗憾\W?)(?:无法|不能)(?:回答|提供|解答|协助|帮|(?:查看|看到|打开)(?:图|附件|文件|表))"
    r"|无法回答|作为(?:一个|一名)?(?:AI|人工智能|语言模型))",
    re.IGNORECASE,
)
_MOJIBAKE = re.compile("\ufffd|锟斤拷|烫烫烫|â€[™œ\x9d“”˜]|Ã[©¨¢¤¶¼±]|[\ue000-\uf8ff]{2}")
_NUMBERED = re.compile(
    r"^[ \t]*(?:[(（]([1-9]\d?)[)）]|([1-9]\d?)[、．)）]|([1-9]\d?)\.(?=\s))", re.MULTILINE
)


class BadPattern(Refusal):
    """An expression cannot be used as a pattern."""


class Place(StrEnum):
    """Where a pattern looks."""

    QUESTION = "question"
    THINKING = "thinking"
    ANSWER = "answer"


@dataclass(frozen=True)
class Specimen:
    """What quality is judged by: a question, and one trace of it where there is one."""

    question: str
    thinking: str = ""
    answer: str = ""
    finish_reason: str = ""
    source: str = ""
    language: str = ""  # of the question
    key: str = ""
    options: Sequence[str] = ()


@dataclass(frozen=True)
class Pattern:
    """A named sign of bad quality, with the sentence that it gives as its reason.

    `expression` says in RE2 about the same as a built-in pattern, to begin one's own with; empty where none can.
    """

    name: str
    place: Place
    reason: str
    found_in: Callable[[Specimen], bool]
    expression: str = ""


def has_bold_number(text: str) -> bool:
    """Tell whether s1's fourth pattern is found: `\\*\\*(?=.*\\d)[^\\s\\]]*\\*\\*`.

    That is two pairs of stars in an unbroken run (no white space, no closing bracket) with a digit
    anywhere behind the first pair on its line. The expression itself takes quadratic time on stars.
    """
    return any(_bold_number_in(line) for line in text.split("\n") if "**" in line)


def _bold_number_in(line: str) -> bool:
    last_digit = max((place for place, character in enumerate(line) if character.isdecimal()), default=-1)
    for unbroken in _UNBROKEN.finditer(line):
        opened = unbroken[0].find("**")
        closed = unbroken[0].rfind("**")
        if 0 <= opened <= closed - 2 and unbroken.start() + opened + 2 <= last_digit:
            return True
    return False


def is_looping(thinking: str) -> bool:
    """Tell whether a trace runs in a circle, in time linear in its length.

    One line many times in a row, hardly a new line at all, or an end that is the same stretch again
    and again, with or without line ends.
    """
    return _repeats_lines(thinking) or _ends_periodically(thinking.rstrip())


def _ends_periodically(text: str) -> bool:
    mark = text[-PERIOD_MARK:]
    before = text.rfind(mark, max(0, len(text) - PERIOD_MARK - LONGEST_PERIOD), len(text) - 1)
    period = len(text) - len(mark) - before
    if before < 0 or len(mark) < PERIOD_MARK:
        return False
    # A rule of dashes is no loop; a page of them is.
    least = LONGEST_RULE if len(set(mark)) <= 2 else REPEATS * PERIOD_MARK
    return text.endswith(text[-period:] * max(REPEATS, -(-least // period)))


def _repeats_lines(thinking: str) -> bool:
    lines = [line.strip() for line in thinking.splitlines() if line.strip()]
    in_a_row = 1
    for before, line in pairwise(lines):
        in_a_row = in_a_row + 1 if line == before else 1
        if in_a_row >= REPEATS:
            return True
    return len(lines) >= LINES_TO_JUDGE and len(set(lines)) / len(lines) < LEAST_SHARE_OF_NEW_LINES


def is_numbered_from_the_middle(text: str) -> bool:
    """Tell whether the lines of a text are numbered on from a number that is not 1: a part was cut off."""
    numbers = [int(next(filter(None, found))) for found in _NUMBERED.findall(text)]
    follows = any(after == before + 1 for before, after in pairwise(numbers))
    return follows and 1 not in numbers and 0 not in numbers


def is_in_another_language(specimen: Specimen) -> bool:
    """Tell whether a trace is written in another language than its question."""
    if not specimen.language:
        return False
    written = specimen.thinking[:SAMPLED] or specimen.answer[:SAMPLED]
    letters = count_cjk(written) if specimen.language != "zh" else sum(map(str.isalpha, written))
    return letters >= LETTERS_TO_JUDGE and language_of(written) != specimen.language


def names_answer(it: Specimen) -> bool:
    """Tell whether an answer says what the question asks for: one of its options, or a number as its key is.

    A question of any other kind is answered by any words.
    """
    if not it.answer.strip() or not (it.options or quantity(it.key)):
        return bool(it.answer.strip())
    key = "A" if it.options else it.key
    return mark(it.answer, key=key, options=it.options).outcome is not Outcome.UNPARSED


PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "asymptote",
        Place.QUESTION,
        "The question holds drawing code ([asy]) instead of a figure.",
        lambda it: "[asy]" in it.question and "aime" not in it.source.casefold(),
        r"\[asy\]",
    ),
    Pattern(
        "image-link",
        Place.QUESTION,
        "The question refers to an image that is not there (![Image]).",
        lambda it: "![Image]" in it.question,
        r"!\[Image\]",
    ),
    Pattern(
        "page-number",
        Place.QUESTION,
        "The question holds a page or problem number from its source (p12.).",
        lambda it: bool(_P_NUMBER.search(it.question)),
        _P_NUMBER.pattern,
    ),
    Pattern(
        "bold-number",
        Place.QUESTION,
        "The question holds numbering from its source in bold (**12**).",
        lambda it: has_bold_number(it.question),
        r"\*\*[^\s\]]*\d[^\s\]]*\*\*",
    ),
    Pattern(
        "missing-figure",
        Place.QUESTION,
        "The question speaks of a figure, and there is none.",
        lambda it: "[asy]" not in it.question and bool(_FIGURE.search(it.question)),
        r"(?i)如(下|上|右|左)?图|[下上右左]图|图中|\[图片?\]|\b(figure|diagram|picture|image) (shown|below|above)\b"
        r"|\b(in|see|refer to) the (figure|diagram|picture|graph|chart)\b|\bfig(ure|\.) \d|!\[[^\]]*\]\(|<img\b",
    ),
    Pattern(
        "unreadable",
        Place.QUESTION,
        "The question holds signs that were read in a wrong encoding.",
        lambda it: bool(_MOJIBAKE.search(it.question)),
        _MOJIBAKE.pattern,
    ),
    Pattern(
        "broken-numbering",
        Place.QUESTION,
        "The numbered parts of the question do not begin with the first.",
        lambda it: is_numbered_from_the_middle(it.question),
    ),
    Pattern(
        "truncated",
        Place.ANSWER,
        "The trace was cut before its end.",
        lambda it: it.finish_reason in CUT or breaks_off(it.answer)[1] in OPEN,
    ),
    Pattern(
        "no-thinking", Place.THINKING, "The trace holds no thinking.", lambda it: not it.thinking.strip()
    ),
    Pattern("no-answer", Place.ANSWER, "The trace ends without an answer.", lambda it: not names_answer(it)),
    Pattern(
        "refusal",
        Place.ANSWER,
        "The teacher declined to answer.",
        lambda it: bool(_REFUSAL.match(it.answer)),
        r"(?i)^\W*(i('m| am) sorry|i apologi[sz]e|as an? (ai|artificial|large language)\b|i (cannot|can't|won't|am unable to)"
        r" (answer|help|assist|provide)|(非常|很)?抱歉|对不起|(我)?(无法|不能)回答|作为(一个|一名)?(AI|人工智能|语言模型))",
    ),
    Pattern("loop", Place.THINKING, "The trace repeats itself.", lambda it: is_looping(it.thinking)),
    Pattern(
        "wrong-language",
        Place.THINKING,
        "The trace is written in another language than the question.",
        is_in_another_language,
    ),
)
BY_NAME = {pattern.name: pattern for pattern in PATTERNS}
S1_PATTERNS = ("asymptote", "image-link", "page-number", "bold-number")


def own_pattern(*, name: str, place: str, expression: str, reason: str) -> Pattern:
    """Return a project's own pattern: an RE2 expression that is looked for in one place.

    Raises:
        BadPattern: the name is a built-in one, the place is none, or the expression cannot be used.
    """
    if name in BY_NAME:
        raise BadPattern(f"There is a built-in pattern {name}; choose another name.")
    if place not in list(Place):
        raise BadPattern(f"A pattern looks in {', '.join(Place)}, not in {place!r}.")
    search = compiled(expression)
    where = {
        Place.QUESTION: lambda it: search(it.question),
        Place.THINKING: lambda it: search(it.thinking),
        Place.ANSWER: lambda it: search(it.answer),
    }
    return Pattern(name, Place(place), reason, where[Place(place)])


def compiled(expression: str) -> Callable[[str], bool]:
    """Return what tells whether an RE2 expression is found in a text.

    Raises:
        BadPattern: it is empty, too long, no RE2 expression, or found in the empty text, thus in every one.
    """
    if not expression.strip() or len(expression) > LONGEST_EXPRESSION:
        raise BadPattern(
            f"An expression has 1 to {LONGEST_EXPRESSION} characters; this one has {len(expression)}."
        )
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(expression, options)
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise BadPattern(f"The expression {expression!r} cannot be used: {why}.") from error
    if found.search(""):
        raise BadPattern(
            f"The expression {expression!r} is found in every text; make it say what to look for."
        )
    return lambda text: found.search(text) is not None


def question_flaws(specimen: Specimen, patterns: Sequence[Pattern] = PATTERNS) -> list[str]:
    """Return the names of the patterns that the question itself shows."""
    return [it.name for it in patterns if it.place == Place.QUESTION and it.found_in(specimen)]


def trace_flaws(specimen: Specimen, patterns: Sequence[Pattern] = PATTERNS) -> list[str]:
    """Return the names of the patterns that the trace shows."""
    return [it.name for it in patterns if it.place != Place.QUESTION and it.found_in(specimen)]
