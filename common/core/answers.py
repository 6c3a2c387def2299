"""Find the final answer in a reply, and decide whether it agrees with the key.

The same marker serves the traces of curation and the answers of an evaluation. A reply in which no
answer is found is unparsed: never wrong by default, never "A". Model text is only ever compared,
never evaluated.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation
from enum import StrEnum

READ_AT_MOST = 4_000  # characters from the end of a reply; the answer stands there


class Outcome(StrEnum):
    """What the marker says of a reply."""

    RIGHT = "right"
    PARTLY = "partly"  # a proper part of several right options, and no wrong one
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


_NAMED = re.compile(
    r"(?:final\s+answer|the\s+(?:correct\s+|best\s+)?answer\s+is|answer|最终答案|正确答案|参考答案|答案|故选|应选|选择)"
    r"[\s*_]*(?:[:：是为]|\bis\b)?[\s*_]*(?P<said>[^\n]*)",
    re.IGNORECASE,
)
# Capital letters that stand alone, or one small letter that does: "ABD", "A、B", "(C) because", "b".
_LETTERS = re.compile(
    r"^[\s(（【\[*_$\\{}]*(?:(?:option|choice|选项?)\s*)?(?:(?:text|mathrm|mathbf|boldsymbol)\s*)?[{(（]?\s*"
    r"([A-Z](?:(?:[\s,，、;；和与及&/]|and\b)*[A-Z])*|[a-z])(?![A-Za-z'’])"
)
_ALONE = re.compile(r"^[\s(（【\[]*([A-Z]{1,10}(?:\s*[,，、]\s*[A-Z])*)[\s)）】\].。:：]*$")
_SCALES = {
    "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "万": 4, "亿": 8, "万亿": 12, "千": 3, "百万": 6,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+−]?)\s*(?:[$¥￥€£]|US\$|RMB|USD)?\s*(?P<sign2>[-−]?)(?P<digits>\d[\d,]*(?:\.\d+)?|\.\d+)"
    r"(?:\s*/\s*(?P<under>\d+(?:\.\d+)?))?(?P<close>\))?\s*(?P<percent>%|percent|个百分点)?\s*"
    r"(?P<scale>thousand|million|billion|trillion|百万|万亿|万|亿|千)?",
    re.IGNORECASE,
)
_LATEX_NOISE = re.compile(r"\\(?:left|right|displaystyle|,|!|;|:| )|\$|\\[()\[\]]")
_LATEX_WRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|mbox|textbf)\s*\{([^{}]*)\}")
_CLOSING = " \t\n.。,，;；:：!！*_"


def final_answer(reply: str) -> str | None:
    """Return the last answer that a reply (the text after its thinking) names, or None.

    A box outranks words; among words the last that name an answer count. A short reply of one
    line that is nothing but an answer counts as one.
    """
    text = unicodedata.normalize("NFC", reply)[-READ_AT_MOST:]
    if (boxed := _last_boxed(text)) is not None:
        return boxed.strip() or None
    named = [_innermost(found["said"]) for found in _NAMED.finditer(text)]
    said = [words for words in named if words]
    if said:
        return said[-1]
    bare = text.strip()
    return (
        bare
        if bare and "\n" not in bare and (_ALONE.match(bare) or _whole_number(bare) is not None)
        else None
    )


def _innermost(said: str) -> str:
    """Return what a heading names that is followed by another: "Final Answer: Answer: 5"."""
    while (again := _NAMED.match(said)) and again["said"].strip(_CLOSING):
        said = again["said"]
    return said.strip(_CLOSING)


def _last_boxed(text: str) -> str | None:
    start = text.rfind("\\boxed")
    if start < 0:
        return None
    opened = text.find("{", start)
    if opened < 0:
        return None
    depth = 0
    for place in range(opened, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[opened + 1 : place]
    return None


def mark(reply: str, *, key: str, options: Sequence[str] = (), marker: Marker = Marker.AUTO) -> Mark:
    """Mark one reply against its key.

    With options, or a key of capital letters alone, letters are compared as sets; numbers by
    value; all else by its normalised text.
    """
    if not key.strip():
        return Mark(Outcome.UNKEYED, final_answer(reply), "no key")
    answer = final_answer(reply)
    if answer is None:
        return Mark(Outcome.UNPARSED, None, "no final answer")
    how = _marker_for(key, options) if marker is Marker.AUTO else marker
    if how is Marker.CHOICE:
        return _mark_choice(answer, key, options)
    if how is Marker.NUMBER:
        return _mark_number(answer, key)
    return _mark_text(answer, key)


def _marker_for(key: str, options: Sequence[str]) -> Marker:
    if options or re.fullmatch(r"[A-Z]{1,10}(?:\s*[,，、]\s*[A-Z]{1,10})*", _half_width(key).strip()):
        return Marker.CHOICE
    return Marker.NUMBER if _whole_number(key) is not None else Marker.TEXT


def _half_width(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def letters_of(text: str) -> frozenset[str]:
    """Return the option letters that an answer begins with: "B", "ABD", "A、B", "(C) because"."""
    found = _LETTERS.match(_half_width(text))
    if not found:
        return frozenset()
    letters = found[1].replace("and", "").upper()
    return frozenset(character for character in letters if "A" <= character <= "Z")


def _mark_choice(answer: str, key: str, options: Sequence[str]) -> Mark:
    right, said = letters_of(key), letters_of(answer)
    if not said or not right:  # the option's own words, in place of its letter
        return _mark_option_text(answer, key, options)
    shown = "".join(sorted(said))
    if said == right:
        return Mark(Outcome.RIGHT, shown, "same letters")
    if len(right) > 1 and said < right:
        return Mark(Outcome.PARTLY, shown, "some of the letters")
    return Mark(Outcome.WRONG, shown, "other letters")


def _mark_option_text(answer: str, key: str, options: Sequence[str]) -> Mark:
    said = normal_answer(answer)
    chosen = [chr(ord("A") + place) for place, option in enumerate(options) if normal_answer(option) == said]
    if said == normal_answer(key) or (len(chosen) == 1 and frozenset(chosen) == letters_of(key)):
        return Mark(Outcome.RIGHT, answer, "same words")
    if len(chosen) == 1:
        return Mark(Outcome.WRONG, chosen[0], "another option's words")
    if not letters_of(key):
        return Mark(Outcome.WRONG, answer, "other words")
    return Mark(Outcome.UNPARSED, answer, "no option named")


def _mark_number(answer: str, key: str) -> Mark:
    wanted = _whole_number(key)
    said = _first_number(answer)
    if said is None or wanted is None:
        return _mark_text(answer, key)
    same = said == wanted or any(said == other for other in _scaled(key, wanted))
    return Mark(Outcome.RIGHT if same else Outcome.WRONG, answer, "same number" if same else "another number")


def _scaled(key: str, wanted: Decimal) -> list[Decimal]:
    """Return what a key with a percent sign may also be written as: 12 % as 12."""
    return [wanted * 100] if re.search(r"%|percent", key) else []


def _value(found: "re.Match[str]") -> Decimal | None:
    try:
        number = Decimal(found["digits"].replace(",", ""))
        if found["under"]:
            number /= Decimal(found["under"])
    except (InvalidOperation, DivisionByZero):
        return None
    if found["sign"] in ("-", "−") or found["sign2"] or (found["open"] and found["close"]):
        number = -number
    if found["percent"]:
        number /= 100
    if found["scale"]:
        number = number.scaleb(_SCALES[found["scale"].lower()])
    return number.normalize()


def _whole_number(text: str) -> Decimal | None:
    """Return the value of a text that is one number, with currency, scale or a short unit."""
    plain = _plain_latex(_half_width(text)).strip(_CLOSING)
    found = _NUMBER.match(plain)
    if not found:
        return None
    rest = plain[found.end() :].strip(_CLOSING)
    return _value(found) if len(rest) <= 12 and not re.search(r"[\d=+*/^\\<>(\[{:：]", rest) else None


def _first_number(text: str) -> Decimal | None:
    """Return the number that an answer gives: the one after the last equals sign, else the first."""
    plain = _plain_latex(_half_width(text))
    found = _NUMBER.search(plain.rpartition("=")[2]) or _NUMBER.search(plain)
    return _value(found) if found else None


def _plain_latex(text: str) -> str:
    plain = _LATEX_WRAPPED.sub(r"\1", _LATEX_NOISE.sub("", text))
    plain = re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2", plain)
    plain = re.sub(r"\\[dt]?frac\s*(\d)\s*(\d)", r"\1/\2", plain)
    return plain.replace("\\%", "%").replace("{,}", ",").replace("−", "-")


def normal_answer(text: str) -> str:
    """Return an answer as it is compared: NFKC, case, white space, TeX dressing and end marks folded."""
    plain = _plain_latex(_half_width(text)).casefold()
    plain = re.sub(r"\^\{?\\?circ\}?|°", "", plain)
    return re.sub(r"\s+", "", plain).strip(_CLOSING + "()（）\"'“”‘’")


def _mark_text(answer: str, key: str) -> Mark:
    said, wanted = normal_answer(answer), normal_answer(key)
    # "x = 5" answers a key "5"; what is before the sign only names it.
    same = wanted in (said, said.rpartition("=")[2])
    return Mark(Outcome.RIGHT if same else Outcome.WRONG, answer, "same text" if same else "other text")
