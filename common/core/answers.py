"""Find the final answer in a reply, and decide whether it agrees with the key.

The same marker serves the traces of curation and the answers of an evaluation. A reply in which no
answer is found is unparsed: never wrong by default, never "A". Model text is only ever compared,
never evaluated, and only its end is read.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.core.notation import folded, tail, without_tex
from common.core.quantities import AGREE, Quantity, likeness, quantities_in, quantity


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


# A heading that names an answer: words and a colon or verb, or words that fill a line of their own.
_NAMED = re.compile(
    r"(?:(?P<final>final\s?answer|最终答案)|(?:correct|best|right)?\s?\b(?:answer|option|choice)|正确答案|参考答案|正确选项|答案)"
    r"[\s*_`)）】]{0,4}(?:(?:应该|应当|应)?[:：是为=]|\b(?:is|are)\b[\s*_]{0,4}:?|[*_#]{0,3}\n|(?<=】))[\s*_#]{0,6}(?P<said>[^\n]*)",
    re.IGNORECASE,
)
_PICKED = re.compile(
    r"(?:故|应|因此|所以|综上|本题|正确|答案|当|我)(?:此题|本题)?[,，]?选择?[:：为是]?\s?(?P<said>[(（【]?[A-ZＡ-Ｚ][^\n]*)"
)
_BOX = re.compile(r"\\(?:boxed|fbox)\s?\{")
# A letter is an option's name only where no word goes on after it: not "A dog", not "A公司".
_LETTERS = re.compile(
    r"[\s(\[【*_{}\\]*(?:(?:[Oo]ption|[Cc]hoice|选项|选择|选)\s?)?(?:\\?(?:text|mathrm|mathbf|boldsymbol|textbf)\s?)?[{(\[【]?\s?"
    r"(?P<letters>[A-Z](?:(?:[\s,、;/&]|和|与|及|and\b){0,4}[A-Z]){0,25}|[a-z](?=[\s)\].]*$|[).]))"
    r"(?=\s?(?:$|[^\w\s]|because\b|since\b|as\b|is\b|or\b|项|选项|正确|是|为|或))"
)
_HEDGED = re.compile(r"[\s)\].]{0,3}(?:or\b|或者?)[\s(\[]{0,3}[A-Z](?![A-Za-z])")
_ALL_OF_THEM = frozenset(
    {"以上全对", "以上都对", "以上都是", "以上全部", "全选", "全部", "都选", "alloftheabove"}
)
_LETTER_KEY = re.compile(r"[A-Z]{1,10}(?:\s?[,、;和]\s?[A-Z]{1,10}){0,40}")
_CLOSING = " \t\n.。,，;；:：*_`"


def final_answer(reply: str) -> str | None:
    """Return the last answer that a reply (the text after its thinking) names, or None.

    A box outranks all words but a "Final Answer:" after it; a box that was never closed is an
    answer cut off, and so none. A reply that is nothing but letters or a number counts as one.
    """
    return _final_answer(tail(reply))


def _final_answer(text: str) -> str | None:
    boxes = list(_BOX.finditer(text))
    place, said = _last_named(text, after=boxes[-1].start() if boxes else -1)
    if boxes:
        boxed = _closed_from(text, boxes[-1].end())
        return said if said and boxed is not None and place > boxes[-1].end() + len(boxed) else boxed
    if said:
        return said
    bare = text.strip()
    return bare if _is_bare(bare) else None


def _last_named(text: str, *, after: int) -> tuple[int, str | None]:
    """Return place and words of the last answer named; behind a box only a final one counts."""
    found = [
        match for match in _NAMED.finditer(text) if after < 0 or (match["final"] and match.start() > after)
    ]
    found += [] if after >= 0 else _PICKED.finditer(text)
    for match in sorted(found, key=lambda match: match.end("said"), reverse=True):
        if said := _innermost(match["said"]):
            return match.start(), said
    return -1, None


def _innermost(said: str) -> str:
    """Return what a heading names that is followed by another: "Final Answer: Answer: 5"."""
    while again := _NAMED.match(said.lstrip(_CLOSING)) or _PICKED.match(said):
        if not again["said"].strip(_CLOSING):
            break
        said = again["said"]
    return _bare(said)


def _bare(said: str) -> str:
    return said.lstrip(" \t\n*_`:：").rstrip(_CLOSING)


def _closed_from(text: str, start: int) -> str | None:
    """Return what stands in a brace that opened just before `start`, or None if it never closes."""
    depth = 1
    for brace in re.finditer(r"\\[{}]|[{}]", text[start:]):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            return text[start : start + brace.start()].strip() or None
    return None


def _is_bare(text: str) -> bool:
    if not text or "\n" in text:
        return False
    plain = folded(text).strip("()[]【】 .。:*")
    return bool(_LETTER_KEY.fullmatch(plain)) or quantity(text) is not None


def mark(reply: str, *, key: str, options: Sequence[str] = (), marker: Marker = Marker.AUTO) -> Mark:
    """Mark one reply against its key.

    With options, or a key of capital letters alone, letters are compared as sets; numbers by
    value; all else by its normalised text.
    """
    text = tail(reply)
    answer = _final_answer(text)
    if not key.strip():
        return Mark(Outcome.UNKEYED, answer, "no key")
    if answer is None:
        return Mark(Outcome.UNPARSED, None, "no final answer")
    how = _marker_for(key, options) if marker is Marker.AUTO else marker
    if how is Marker.CHOICE:
        return _mark_sequence(answer, key) or _mark_choice(answer, key, options)
    if how is Marker.NUMBER:
        return _mark_number(answer, key)
    return _mark_text(_all_lines(text, answer) if "\n" in key.strip() else answer, key)


def _marker_for(key: str, options: Sequence[str]) -> Marker:
    if options or _LETTER_KEY.fullmatch(folded(key).strip()):
        return Marker.CHOICE
    return Marker.NUMBER if quantity(key) is not None else Marker.TEXT


def _all_lines(text: str, answer: str) -> str:
    """Return the whole of an answer that may run over several lines, from where it begins."""
    return text[max(text.rfind(answer), 0) :]


def letters_of(text: str) -> frozenset[str]:
    """Return the option letters that an answer begins with: "B", "ABD", "A、B", "(C) because"."""
    found = _LETTERS.match(folded(text))
    letters = found["letters"].replace("and", "").upper() if found else ""
    return frozenset(character for character in letters if "A" <= character <= "Z")


def _mark_sequence(answer: str, key: str) -> Mark | None:
    """Compare "C, A, BD", the letters of several sub-questions in order; None for any other key."""
    groups = re.split(r"\s?,\s?", folded(key).strip())
    ascending = sorted(set("".join(groups))) == list("".join(groups))
    if len(groups) < 2 or not all(re.fullmatch(r"[A-Z]{1,10}", group) for group in groups):
        return None
    if ascending and all(len(group) == 1 for group in groups):
        return None  # also how the letters of one multiple choice are written
    said = re.findall(r"[A-Z]+", folded(answer))
    if all(len(group) == 1 for group in groups) and len(said) == 1:
        said = list(said[0])
    if said == groups:
        return Mark(Outcome.RIGHT, ", ".join(said), "same letters in order")
    some = len(said) == len(groups) and any(a == b for a, b in zip(said, groups, strict=True))
    rule = "some of the parts" if some else "other letters"
    return Mark(Outcome.PARTLY if some else Outcome.WRONG, ", ".join(said), rule)


def _mark_choice(answer: str, key: str, options: Sequence[str]) -> Mark:
    by_words = _option_named(key, options)
    right = by_words if by_words and not _is_bare(key) else letters_of(key)
    said, hedged = _chosen(answer, options)
    if not right or not said:
        return _mark_words(answer, key, options)
    shown = "".join(sorted(said))
    if hedged:
        return Mark(Outcome.WRONG, shown, "one answer or another")
    if said == right:
        return Mark(Outcome.RIGHT, shown, "same letters")
    if len(right) > 1 and said < right:
        return Mark(Outcome.PARTLY, shown, "some of the letters")
    return Mark(Outcome.WRONG, shown, "other letters")


def _chosen(answer: str, options: Sequence[str]) -> tuple[frozenset[str], bool]:
    """Return the letters that an answer chooses, and whether it offers them with an "or"."""
    plain = folded(answer)
    if not re.fullmatch("[A-Za-z]", plain.strip(_CLOSING)) and (named := _option_named(answer, options)):
        return named, False
    found = _LETTERS.match(plain)
    if found:
        hedge = _HEDGED.match(plain[found.end() :])
        letters = letters_of(answer)
        return (letters | {hedge[0][-1]}, True) if hedge else (letters, False)
    if options and normal_answer(answer) in _ALL_OF_THEM:
        return frozenset(_letter(place) for place in range(len(options))), False
    for place, option in enumerate(options):  # "B Paris"
        if normal_answer(answer) == _letter(place).casefold() + normal_answer(option):
            return frozenset(_letter(place)), False
    return frozenset(), False


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _option_named(words: str, options: Sequence[str]) -> frozenset[str]:
    """Return the letter of the one option that says just these words, or nothing."""
    said = normal_answer(words)
    places = [place for place, option in enumerate(options) if normal_answer(option) == said]
    return frozenset(_letter(places[0])) if len(places) == 1 and said else frozenset()


def _mark_words(answer: str, key: str, options: Sequence[str]) -> Mark:
    """Mark a choice whose key or answer bears no letter."""
    if _same_text(answer, key):
        return Mark(Outcome.RIGHT, answer, "same words")
    if options and (letters_of(key) or _option_named(key, options)):
        return Mark(Outcome.UNPARSED, answer, "no option named")
    return Mark(Outcome.WRONG, answer, "other words")


def _mark_number(answer: str, key: str) -> Mark:
    wanted = quantity(key)
    if wanted is None:
        return _mark_text(answer, key)
    said, hedged = _quantity_said(answer)
    if said is None:
        return _mark_text(answer, key)
    if hedged:
        return Mark(Outcome.WRONG, answer, "one answer or another")
    how = likeness(said, wanted)
    return Mark(Outcome.RIGHT if how in AGREE else Outcome.WRONG, answer, how.value)


def _quantity_said(answer: str) -> tuple[Quantity | None, bool]:
    """Return the quantity that an answer gives, and whether it offers another with an "or"."""
    whole = quantity(answer) or quantity(answer.rpartition("=")[2])
    if whole is not None:
        return whole, False
    found = list(quantities_in(answer))
    first = found[0] if found else None
    hedged = len({other.value for other in found}) > 1
    if hedged and not re.search(r"\bor\b|或", answer):
        stated = re.split(r"=|≈|\b(?:is|are)\b|是|为|得|共", answer)[1:]
        return next((other for part in stated for other in quantities_in(part)), first), False
    return first, hedged


def normal_answer(text: str) -> str:
    """Return an answer as it is compared: NFKC, case, white space, TeX dressing and end marks folded."""
    plain = re.sub(r"\s+", "", without_tex(folded(text)).casefold())
    plain = plain.lstrip("*_`\"'“”‘’").rstrip(_CLOSING + "\"'“”‘’")
    inside = plain[1:-1]
    wrapped = plain[:1] == "(" and plain[-1:] == ")" and not re.search(r"[(),]", inside)
    return inside if wrapped else re.sub(r"(?<=[^\W\d_]{2})!+$", "", plain)


def _same_text(answer: str, key: str) -> str:
    """Return by which rule two texts are the same, or "" if they are not."""
    said, wanted = normal_answer(answer), normal_answer(key)
    # "x = 5" answers a key "5"; what is before the sign only names it.
    if wanted in (said, said.rpartition("=")[2]):
        return "same text"
    if _accents_aside(said) == _accents_aside(wanted):
        return "same text, accents aside"
    first_words = re.split(r"[.,;:。，；：]\s|[。，；：]|[.,;:]$|\s[-–(（]", answer, maxsplit=1)[0]
    return "same first words" if normal_answer(first_words) == wanted else ""


def _accents_aside(text: str) -> str:
    return "".join(
        character for character in unicodedata.normalize("NFD", text) if not unicodedata.combining(character)
    )


def _mark_text(answer: str, key: str) -> Mark:
    rule = _same_text(answer, key)
    return Mark(Outcome.RIGHT if rule else Outcome.WRONG, answer, rule or "other text")
