"""Decide whether the final answer of a reply agrees with the key, and say by which rule.

The same marker serves the traces of curation and the answers of an evaluation. A reply in which no
answer is found is unparsed: never wrong by default, never "A". Model text is only ever compared,
never evaluated, and only its end is read.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from common.core.dates import dates_in, is_date
from common.core.final_answers import (
    CLOSING,
    DENIED,
    LETTER_KEY,
    answer_in,
    answering_part,
    closing_answer,
    final_answer,
    is_letters_or_number,
)
from common.core.formula_agreement import Agreement, agreement_of, is_formula
from common.core.judgements import same_judgement
from common.core.notation import folded, without_tex
from common.core.quantities import AGREE, likeness, measured, quantity
from common.core.said_numbers import quantity_said

__all__ = [
    "OPPOSITE",
    "WORD_FOR_WORD",
    "Mark",
    "Marker",
    "Outcome",
    "final_answer",
    "is_the_same",
    "letters_of",
    "mark",
    "normal_answer",
]


class Outcome(StrEnum):
    """What the marker says of a reply."""

    RIGHT = "right"
    PARTLY = "partly"  # some of several right options or parts, and no wrong option
    WRONG = "wrong"
    UNPARSED = "unparsed"  # no final answer found
    UNKEYED = "unkeyed"  # there is no key to hold it against


class Marker(StrEnum):
    """How an answer is compared with its key."""

    AUTO = "auto"
    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Mark:
    """An outcome, the answer as it was read, and the rule that decided."""

    outcome: Outcome
    answer: str | None
    rule: str


WORD_FOR_WORD = "the key word for word"
OPPOSITE = "the opposite word"
SHORT = 200  # characters; the options of a question are compared with each of its answers
# A letter is an option's name only where no word goes on after it: not "A dog", not "A公司".
_LETTERS = re.compile(
    r"[\s(\[【*_{}\\\"'“]*(?:(?:[Oo]ptions?|[Cc]hoices?|选项|选择|选)\s?)?(?:\\?(?:text|mathrm|mathbf|boldsymbol|textbf)\s?)?[{(\[【]?\s?"
    r"(?P<letters>[A-Z](?:(?:[\s,、;/&()\[\]·+]|和|与|及|以及|and\b|项){0,6}[A-Z]){0,25}|[a-z](?=[\s)\].]*$|[).]))"
    r"(?=\s?(?:$|[^\w\s]|because\b|since\b|as\b|is\b|are\b|or\b|[两二三四五]?个?选?项|都|均|全部|正确|是|为|或|而不|而非))"
)
_WITH_LETTER = re.compile(r"[*\s(]*(?P<letter>[A-Z])\s?[.)、:：．]\s*")  # "A. Paris"
_REPEATED = re.compile(r"\b([A-Z])\s?[,、]\s?\1\b")  # "B, B, C" answers three questions
_DENIED_FIRST = re.compile(
    r"^[\s*(]*(?:both\s+(?=[A-Z]\b)"
    r"|not\s+(?:option\s+)?\(?[A-Z]\)?[\s,;.]*(?:but\s+(?:rather\s+)?|it is\s+)?"
    r"|(?:options?\s+)?\(?[A-Z]\)?(?:[\s,、]*(?:and|和|与)?\s*\(?[A-Z]\)?)*\s+(?:is|are)\s+(?:both\s+|all\s+|clearly\s+)?"
    r"(?:wrong|incorrect|false|not\s+(?:right|correct|true|the answer))\b"
    r"[\s,;.]*(?:(?:so|thus|hence|therefore|and|but)\b[\s,]*)?(?:(?:the )?answer is\s+|choose\s+)?"
    r"|(?:选项?\s?)?[A-Z](?:[、,]?[A-Z])*(?:是|均|都|项)?(?:错误的?|错|不对|不正确|不选|有误)"
    r"[\s,;。,]*(?:所以|故|因此|而|应)*(?:应?选择?|答案[是为]|正确的?是)?)"
)
_HEDGED = re.compile(r"[\s)\].]{0,3}(?:or\b|或者?)[\s(\[]{0,3}[A-Z](?![A-Za-z])")
_ALL_OF_THEM = frozenset([
    "以上全对", "以上都对", "以上都是", "以上全部", "以上均对", "以上皆是", "以上选项都对", "以上全部正确",
    "以上都正确", "以上均正确", "全选", "全部", "全对", "都对", "都选", "alloftheabove",
    "alloftheseareright", "allofthem", "allofthese", "allarecorrect",
    "alloftheabovearecorrect",
])  # fmt: skip
_NONE_OF_THEM = frozenset([
    "以上都不对", "以上皆非", "以上都不是", "以上均不对", "以上全不对", "以上都错", "以上均不正确",
    "以上都不正确", "都不选", "都不对", "全错", "noneoftheabove", "noneofthese",
    "noneofthem", "noneoftheaboveiscorrect", "noneoftheabovearecorrect",
])  # fmt: skip
_FORMULA = re.compile(r"\$\$?([^$]{1,400})\$\$?|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]")
_CIRCLED = re.compile("[①-⑳]")
_ONLY_CIRCLED = re.compile("[①-⑳、,;和与及\\s()]+")
_ARTICLE = re.compile(r"^(?:the|an?)\s")
_KINDS = re.compile(
    r"^(?:mount|mt\.?|lake|river|president|king|queen|dr\.?|mr\.?)\s|\s(?:ocean|river|sea|city|desert|mountains?)$"
)
_CHINESE_KINDS = re.compile(r"(?<=[一-鿿]{2})[省市县]$")
# "x = 5" answers 5; "x >= 5" and "2x = 10" do not answer 5 and 10.
_NAMES_IT = re.compile(r"^(?:(?!\d\s?[a-z(*])[^=<>!])*(?<![<>!=])=(?!=)(?=[^=]*$)")


def mark(reply: str, *, key: str, options: Sequence[str] = (), marker: Marker = Marker.AUTO) -> Mark:
    """Mark one reply against its key.

    With options, or a key of capital letters alone, letters are compared as sets; numbers, dates and
    formulas by value; all else by its normalised text. A key that argues and ends in a final answer is read to
    that answer; and a reply or an answer that is the whole key, word for word, is right.
    """
    text = answering_part(reply)
    answer = answer_in(text) or _bare_option(text, options)
    if not key.strip():
        return Mark(Outcome.UNKEYED, answer, "no key")
    if answer is None:
        return Mark(Outcome.UNPARSED, None, "no final answer")
    marked = _compared(text, answer, closing_answer(key) or key, options, marker)
    if marked.outcome is not Outcome.RIGHT and (is_the_same(text, key) or is_the_same(answer, key)):
        return Mark(Outcome.RIGHT, marked.answer, WORD_FOR_WORD)
    return marked


def _bare_option(text: str, options: Sequence[str]) -> str | None:
    """Return a reply that is nothing but one of the options, in its own words, with or without its letter."""
    plain = text.strip()
    if not options or "\n" in plain or len(plain) > SHORT + max(map(len, options)):
        return None
    lettered = _WITH_LETTER.match(plain)
    if lettered and (named := _option_named(plain[lettered.end() :], options)):
        return lettered["letter"] if named == {lettered["letter"]} else None
    return plain if _option_named(plain, options) else None


def is_the_same(text: str, key: str) -> bool:
    """Tell whether a text is the key, but for what the normal form leaves aside."""
    if len(text) > SHORT + 2 * len(key):  # white space and TeX dressing make no text so long
        return False
    wanted = normal_answer(key)
    return bool(wanted) and normal_answer(text) == wanted


def _compared(text: str, answer: str, key: str, options: Sequence[str], marker: Marker) -> Mark:
    """Compare an answer with its key in the way that a marker names, or the key asks for."""
    how = _marker_for(key, options) if marker is Marker.AUTO else marker
    if (judged := _mark_judgement(answer, key)) is not None:
        return judged
    if how is Marker.CHOICE:
        return _mark_sequence(answer, key) or _mark_choice(answer, key, options)
    if how is Marker.NUMBER:
        return _mark_number(answer, key)
    if marker is Marker.TEXT:
        return _mark_words_alone(answer, key)
    return _mark_text(_all_lines(text, answer) if "\n" in key.strip() else answer, key)


def _mark_judgement(answer: str, key: str) -> Mark | None:
    """Compare "true" with "√"; None where one is no judgement, or the answer is the key's own word."""
    alike = same_judgement(answer, key)
    if alike is None or _same_text(answer, key):
        return None
    return Mark(Outcome.RIGHT, answer, "same judgement") if alike else Mark(Outcome.WRONG, answer, OPPOSITE)


def _marker_for(key: str, options: Sequence[str]) -> Marker:
    if options or LETTER_KEY.fullmatch(_plain_letters(key)):
        return Marker.CHOICE
    return Marker.NUMBER if quantity(key) is not None else Marker.TEXT


def _plain_letters(key: str) -> str:
    return without_tex(folded(key)).strip().strip("()【】").strip()


def _all_lines(text: str, answer: str) -> str:
    """Return the whole of an answer that may run over several lines, from where it begins."""
    return text[max(text.rfind(answer), 0) :]


def letters_of(text: str) -> frozenset[str]:
    """Return the option letters that an answer begins with: "B", "ABD", "A、B", "(C) because"."""
    found = _LETTERS.match(without_tex(folded(text)))
    letters = found["letters"].replace("and", "").upper() if found else ""
    return frozenset(character for character in letters if "A" <= character <= "Z")


def _mark_sequence(answer: str, key: str) -> Mark | None:
    """Compare "C, A, BD", the letters of several sub-questions in order; None for any other key."""
    groups = re.split(r"\s?,\s?", _plain_letters(key))
    ascending = sorted(set("".join(groups))) == list("".join(groups))
    if len(groups) < 2 or not all(re.fullmatch(r"[A-Z]{1,10}", group) for group in groups):
        return None
    if ascending and all(len(group) == 1 for group in groups):
        return None  # also how the letters of one multiple choice are written
    said = re.findall(r"(?<![A-Za-z\\])[A-Z]+(?![a-z])", without_tex(folded(answer)))
    if all(len(group) == 1 for group in groups) and len(said) == 1:
        said = list(said[0])
    if said == groups:
        return Mark(Outcome.RIGHT, ", ".join(said), "same letters in order")
    some = len(said) == len(groups) and any(a == b for a, b in zip(said, groups, strict=True))
    rule = "some of the parts" if some else "other letters"
    return Mark(Outcome.PARTLY if some else Outcome.WRONG, ", ".join(said), rule)


def _mark_choice(answer: str, key: str, options: Sequence[str]) -> Mark:
    by_words = _option_named(key, options)
    right = by_words if by_words and not is_letters_or_number(key) else letters_of(_plain_letters(key))
    said, hedged = _chosen(answer, options)
    if not right or not said:
        return _mark_words(answer, key, options)
    shown = "".join(sorted(said))
    if hedged:
        return Mark(Outcome.WRONG, shown, "one answer or another")
    if said == right and not _REPEATED.search(answer):
        return Mark(Outcome.RIGHT, shown, "same letters")
    if len(right) > 1 and said < right:
        return Mark(Outcome.PARTLY, shown, "some of the letters")
    return Mark(Outcome.WRONG, shown, "other letters")


def _chosen(answer: str, options: Sequence[str]) -> tuple[frozenset[str], bool]:
    """Return the letters that an answer chooses, and whether it offers them with an "or"."""
    plain = without_tex(folded(answer))
    if not re.fullmatch("[A-Za-z]", plain.strip(CLOSING)) and (named := _option_named(answer, options)):
        return named, False
    if (
        left := _DENIED_FIRST.sub("", plain, count=1)
    ) != plain:  # "A is wrong", "not A but C": what comes after it
        answer = plain = left
    found = _LETTERS.match(plain)
    if found and not (
        options and any(ord(letter) - ord("A") >= len(options) for letter in letters_of(answer))
    ):
        hedge = _HEDGED.match(plain[found.end() :])
        letters = letters_of(answer)
        return (letters | {hedge[0][-1]}, True) if hedge else (letters, False)
    if options and (family := _all_or_none(answer, options)):
        return family, False
    for place, option in enumerate(options):  # "B Paris"
        if normal_answer(answer) == _letter(place).casefold() + normal_answer(option):
            return frozenset(_letter(place)), False
    return _option_worth(answer, options), False


def _all_or_none(answer: str, options: Sequence[str]) -> frozenset[str]:
    """Return what "all of the above" and "none of them" choose: the option that says so, or every one."""
    said = normal_answer(answer)
    for family in (_ALL_OF_THEM, _NONE_OF_THEM):
        if said in family:
            saying = [place for place, option in enumerate(options) if normal_answer(option) in family]
            if len(saying) == 1:
                return frozenset(_letter(saying[0]))
            return frozenset(map(_letter, range(len(options)))) if family is _ALL_OF_THEM else frozenset()
    return frozenset()


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _option_named(words: str, options: Sequence[str]) -> frozenset[str]:
    """Return the letter of the one option that says just these words, or nothing."""
    said = normal_answer(words) if options else ""
    places = [place for place, option in enumerate(options) if said and normal_answer(option) == said]
    return frozenset(_letter(places[0])) if len(places) == 1 else frozenset()


def _option_worth(answer: str, options: Sequence[str]) -> frozenset[str]:
    """Return the letter of the one option that has the value of an answer: 0.5 for \\frac12."""
    if not options or not re.search(r"[\d\\一二三四五六七八九十]", answer):
        return frozenset()
    places = [
        place
        for place, option in enumerate(options)
        if (marked := _by_value(answer, option)) is not None and marked.outcome is Outcome.RIGHT
    ]
    return frozenset(_letter(places[0])) if len(places) == 1 else frozenset()


def _mark_words(answer: str, key: str, options: Sequence[str]) -> Mark:
    """Mark a choice whose key or answer bears no letter."""
    if _same_text(answer, key):
        return Mark(Outcome.RIGHT, answer, "same words")
    if options and (letters_of(key) or _option_named(key, options)):
        return Mark(Outcome.UNPARSED, answer, "no option named")
    return Mark(Outcome.WRONG, answer, "other words")


def _by_value(answer: str, key: str) -> Mark | None:
    """Compare two quantities, dates or formulas; None where they are none, or cannot be compared."""
    if is_date(key):
        return _mark_date(answer, key)
    wanted = quantity(key, beside=measured(key)) if measured(key) else quantity(key)
    said = quantity(answer, beside=wanted.unit) if wanted else None
    if wanted is not None and said is not None:
        how = likeness(said, wanted)
        return Mark(Outcome.RIGHT if how in AGREE else Outcome.WRONG, answer, how.value)
    agreed = Agreement.OPEN if is_date(answer) else agreement_of(answer, key)
    if agreed is Agreement.OPEN:
        return None
    return Mark(Outcome.WRONG if agreed is Agreement.OTHER else Outcome.RIGHT, answer, agreed.value)


def _mark_date(answer: str, key: str) -> Mark | None:
    days = dates_in(answer)
    if not days:
        return None
    same = bool(days & dates_in(key))
    return Mark(Outcome.RIGHT if same else Outcome.WRONG, answer, "same date" if same else "another date")


def _mark_number(answer: str, key: str) -> Mark:
    wanted = quantity(key)
    if wanted is None:
        return _mark_text(answer, key)
    if key.strip() == _decimal_comma(answer):
        return Mark(Outcome.RIGHT, answer, "same number, decimal comma")
    if (marked := _by_value(answer, key)) is not None:
        return marked
    if is_formula(answer):
        return _mark_text(answer, key)
    named = _NAMES_IT.sub("", answer)
    said = quantity_said(named)
    if said.quantity is None:
        marked = _mark_text(answer, key)
        undecided = said.is_conditional and marked.rule == "other text"
        return Mark(Outcome.UNPARSED, answer, "a number under a condition") if undecided else marked
    if said.is_hedged:
        return Mark(Outcome.WRONG, answer, "one answer or another")
    how = likeness(said.quantity, wanted)
    return Mark(Outcome.RIGHT if how in AGREE else Outcome.WRONG, answer, how.value)


def _decimal_comma(answer: str) -> str:
    """Return "12,5" as "12.5"; "1,234" has a thousands separator."""
    found = re.fullmatch(r"(-?\d+),(\d+)", folded(answer).strip(CLOSING + "$"))
    return f"{found[1]}.{found[2]}" if found else ""


def normal_answer(text: str) -> str:
    """Return an answer as it is compared: NFKC, case, white space, TeX dressing and end marks folded."""
    return _short_normal(text) if len(text) < SHORT else _normal(text)


@lru_cache(maxsize=16_384)
def _short_normal(text: str) -> str:
    return _normal(text)


def _normal(text: str) -> str:
    plain = re.sub(r"\s+", "", without_tex(folded(text)).casefold())
    plain = plain.lstrip("*_`\"'“”‘’").rstrip(CLOSING + "\"'“”‘’")
    inside = plain[1:-1]
    wrapped = plain[:1] == "(" and plain[-1:] == ")" and not re.search(r"[(),]", inside)
    return inside if wrapped else re.sub(r"(?<=[^\W\d_]{2})!+$", "", plain)


def _same_text(answer: str, key: str) -> str:
    """Return by which rule two texts are the same, or "" if they are not."""
    said, wanted = normal_answer(answer), normal_answer(key)
    # "x = 5" answers a key "5"; what is before the sign only names it.
    if wanted in (said, _NAMES_IT.sub("", said)):
        return "same text"
    if _accents_aside(said) == _accents_aside(wanted):
        return "same text, accents aside"
    first_words = re.split(r"[.,;:。，；：]\s|[。，；：]|[.,;:]$|\s[-–(（]", answer, maxsplit=1)[0]
    if normal_answer(first_words) == wanted:
        return "same first words"
    return "same name, its kind aside" if _same_name(answer, key) else ""


def _same_name(answer: str, key: str) -> bool:
    """Tell whether an answer is the key's name with a word of its kind: Pacific Ocean, 北京市."""
    said, wanted = (folded(text).strip(CLOSING + "\"'").casefold() for text in (answer, key))
    if len(said) > 80 or len(wanted) < 2 or not wanted[0].isalpha():
        return False
    bare = _ARTICLE.sub("", said)
    return wanted in (bare, _KINDS.sub("", bare), _CHINESE_KINDS.sub("", said))


def _accents_aside(text: str) -> str:
    return "".join(
        character for character in unicodedata.normalize("NFD", text) if not unicodedata.combining(character)
    )


def _mark_text(answer: str, key: str) -> Mark:
    """Mark an answer by its text, then as circled numbers, date or formula."""
    if rule := _same_text(answer, key):
        return Mark(Outcome.RIGHT, answer, rule)
    if _decimal_comma(key) and _decimal_comma(key) == answer:
        return Mark(Outcome.RIGHT, answer, "same number, decimal comma")
    if (circled := _mark_circled(answer, key)) is not None:
        return circled
    marked = _by_value(answer, key) or Mark(Outcome.WRONG, answer, "other text")
    if marked.rule == "other text" and (inside := _formula_within(answer)):
        within = _by_value(inside, key)
        return within if within and within.outcome is Outcome.RIGHT else marked
    return marked


def _formula_within(answer: str) -> str:
    """Return the one formula of a sentence that denies nothing, "" for any other answer."""
    found = _FORMULA.findall(answer)
    rest = _FORMULA.sub("", answer)
    return "".join(found[0]) if len(found) == 1 and rest.strip(CLOSING) and not DENIED.search(rest) else ""


def _mark_words_alone(answer: str, key: str) -> Mark:
    rule = _same_text(answer, key)
    return Mark(Outcome.RIGHT if rule else Outcome.WRONG, answer, rule or "other text")


def _mark_circled(answer: str, key: str) -> Mark | None:
    """Compare "①③④", the numbers of statements, as a set; None for any other key or answer."""
    if not all(
        _CIRCLED.search(text) and _ONLY_CIRCLED.fullmatch(text.strip(CLOSING)) for text in (answer, key)
    ):
        return None
    said, right = (frozenset(_CIRCLED.findall(text)) for text in (answer, key))
    if said == right:
        return Mark(Outcome.RIGHT, answer, "same statements")
    return Mark(Outcome.WRONG, answer, "other statements")
