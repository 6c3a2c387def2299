"""Options in every form that files give them, and the letters of a key."""

import ast
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from string import ascii_uppercase
from typing import Any

import orjson

from common.core.final_answers import closing_answer, final_answer
from curator.core.rows.cells import LONGEST_TEXT, Refused, shown

# Before an option: "(A)", "[A]", "【A】.", or "A.", "A、", "A)", "A:", at a beginning or behind a break.
_BREAK = r"(?:^|(?<=[\s;；,，。|/]))"
_LETTER_MARKS = (
    _BREAK + r"[(（【\[]{letter}[)）】\]]\s*[.．、:：]?\s*",
    _BREAK + r"{letter}[.．、:：)）]\s*",
)
# In a question's own text they follow more closely: "… is ( )A.one B.two", "…的是____。A.甲B.乙C.丙".
_INLINE_MARKS = (
    r"[(（【\[]{letter}[)）】\]]\s*[.．、:：]?\s*",
    r"(?<![A-Za-z0-9$\\^{{'’(（\[【.．-])(?<![A-Za-z0-9}})]_){letter}[.．、:：]\s*",
)
_MARK_STYLES = tuple(
    tuple(re.compile(mark.format(letter=letter)) for letter in ascii_uppercase) for mark in _LETTER_MARKS
)
_INLINE_STYLES = tuple(
    tuple(re.compile(mark.format(letter=letter)) for letter in ascii_uppercase) for mark in _INLINE_MARKS
)
BEFORE_OPTIONS = frozenset("A(（【[")  # how the letter of a first option begins
# What a text with options inside holds at the least: an A and a B with a mark behind them.
MAY_HOLD_OPTIONS = r"(?s)A[.．、:：)）】\]].*B[.．、:：)）】\]]"
_MAY_HOLD_OPTIONS = re.compile(MAY_HOLD_OPTIONS)
_FEWEST_INLINE = 3  # without a key in letters; two letters are too often two cases of one question
_LONGEST_OPTION_INLINE = 1000  # characters; what is longer is a paragraph of the question
# "B", "abd", "A、C", "(A)(B)", "A and C", "A|B", "A、B、D项", "AC（多选）", "[\"A\", \"C\"]": no more than letters and what
# stands about them. Possessive throughout, so that a long text is left at once.
_LETTERS_ALONE = re.compile(
    r"[\s(【\[\"']*+[A-Za-z][)】\]\"']*+(?:项|选项)?+"
    r"(?:(?:[\s,、;/&|和与及(【\[\"']++(?:and\b[\s(【\[\"']*+)?+|\.(?=[A-Za-z]))?+[A-Za-z][)】\]\"']*+(?:项|选项)?+)*+"
    r"[\s)】\].。,、;]*+(?:(?:多选|单选|全选|正确|都对)题?[)】\]]*+)?+[\s.。]*+"
)
# "A or B", "A-C", "A至C": one of them, all from one to the other, or both ends.
_ADDED = re.compile(r"[A-Z](?:\s*\+\s*[A-Z])+")  # "A+C"; "a+c" is a sum
_OPEN_PAIR = re.compile(
    r"\s*\(?[A-Z]\)?\s*(?:[-–—~或至到]|(?<=[\s)])(?:or|to)(?=[\s(]))\s*\(?[A-Z]\)?\s*[.。]?\s*"
)
_REMARK = re.compile(r"[(【\[]\s*(?=(?:多选|单选|全选)题?\s*[)】\]])")
_LONGEST_LETTERS = 120  # characters of a key of letters alone
_LONGER_KEY = 200  # characters that a key in an option's own words may have more than the longest option
_LETTER_WITH_TEXT = re.compile(r"\s*[(（【\[]?([A-Z])(?:[)）】\]]|[.．、:：])\s*\S")
_NEXT_LETTER = re.compile(r"(?:^|(?<=[\s,、;/|)】\]和与及]))[(【\[]?([A-Z])[)】\].、:]\s*")
_NUMBER = re.compile(r"\d{1,2}")


def without_empty_end(options: list[str]) -> list[str]:
    """Leave out the empty columns after the last option; an empty one between two keeps its letter."""
    while options and not options[-1]:
        options = options[:-1]
    return options


def option_list(value: Any) -> list[str]:
    """Return options given as a list, as the text of a list, or as lettered or plain lines of text."""
    if isinstance(value, list | tuple):
        return _without_letters(_stripped(value))
    if isinstance(value, dict):
        return _of_mapping(value)
    text = shown(value).strip()
    if not text or text in ("null", "None", "[]", "{}"):
        return []
    if text[0] in "[{" and (written := written_list(text)) is not None:
        return option_list(written)
    if lettered := _split_by_letters(text):
        return lettered
    if text[0] in "[{":
        raise Refused(
            "options", "The options begin like a list but are none; mend it, or write one a line.", text
        )
    return [line.strip() for line in text.splitlines() if line.strip()]


def written_list(text: str) -> list[Any] | dict[Any, Any] | None:
    """Return the list that a text writes out, as JSON or as Python does, or None."""
    if len(text) > LONGEST_TEXT:
        return None
    try:
        quick = orjson.loads(text)
    except orjson.JSONDecodeError:
        quick = None
    if isinstance(quick, list) and set(map(type, quick)) == {str}:
        return quick
    for read in (json.loads, ast.literal_eval):  # they keep the digits of a long number
        try:
            written = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(written, list | tuple | dict):
            return list(written) if isinstance(written, tuple) else written
    return None


def _stripped(options: Sequence[Any]) -> list[str]:
    try:
        return list(map(str.strip, options))
    except TypeError:  # not all of them are texts
        return [shown(option).strip() for option in options]


def _of_mapping(value: Mapping[Any, Any]) -> list[str]:
    """Return options given by letter, {"A": …, "B": …}, or as labels beside texts."""
    if isinstance(texts := value.get("text"), list):
        return [shown(text).strip() for text in texts]
    letters = [chr(ord("A") + place) for place in range(len(value))]
    by_letter = {str(letter).strip().upper(): text for letter, text in value.items()}
    if sorted(by_letter) != letters:
        raise Refused("options", "The options are named, but not A, B, C and on; name them so.", value)
    return [shown(by_letter[letter]).strip() for letter in letters]


def _split_by_letters(text: str) -> list[str]:
    """Return the options of "A. … B. … C. …", or nothing where the letters do not follow each other."""
    for style in _MARK_STYLES:
        places = _letter_places(text, style)
        if len(places) > 1 and not text[: places[0][0]].strip():
            return _between(text, places)
    return []


def _between(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    ends = [begin for begin, _ in places[1:]] + [len(text)]
    return [text[begin:end].strip().rstrip(";；") for (_, begin), end in zip(places, ends, strict=True)]


def _letter_places(text: str, style: Sequence[re.Pattern[str]], begin: int = 0) -> list[tuple[int, int]]:
    """Return where A, B, C and on are marked, each behind the one before."""
    places: list[tuple[int, int]] = []
    for mark in style:
        found = mark.search(text, places[-1][1] if places else begin)
        if not found:
            break
        places.append(found.span())
    return places


def _without_letters(options: list[str]) -> list[str]:
    """Leave out letters that every option of a list carries itself."""
    if not options or options[0][:1] not in BEFORE_OPTIONS:
        return options
    for style in _MARK_STYLES:
        marks = [mark.match(option) for mark, option in zip(style, options, strict=False)]
        if len(options) == len(marks) > 1 and all(marks):
            return [
                option[found.end() :].strip() for option, found in zip(options, marks, strict=True) if found
            ]
    return options


def split_inline(text: str, key: str) -> tuple[str, list[str]] | None:
    """Return the stem and the options of a question that ends in its options, or None where it does not.

    "… is ( ) A. one B. two C. three" has them; they are told from other letters by four rules. The
    letters run from A to the end of the text without a gap and begin only once; none of the options is
    empty, a paragraph, or long; something stands before them; and the key names some of them, in rising
    order, or there are three or more and the key is empty or one of their texts.
    """
    if not _MAY_HOLD_OPTIONS.search(text):
        return None
    for style in _INLINE_STYLES:
        begins = [found.start() for found in style[0].finditer(text)]
        if len(begins) != 1:
            continue
        places = _letter_places(text, style, begins[0])
        options = _between(text, places)
        stem = text[: begins[0]].rstrip()
        if stem and _are_options(options) and _fits(key, options):
            return stem, options
    return None


def _are_options(options: Sequence[str]) -> bool:
    return all(
        option and len(option) <= _LONGEST_OPTION_INLINE and "\n\n" not in option for option in options
    )


def _fits(key: str, options: Sequence[str]) -> bool:
    letters = key_letters(key, len(options))
    if letters is not None:
        ends = ord("A") + len(options)
        return len(options) > 1 and ord(letters[-1]) < ends and _stand_in_order(key, letters)
    return len(options) >= _FEWEST_INLINE and (not key or key in options or bool(_argued(key, options)))


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _stand_in_order(key: str, letters: str) -> bool:
    """Tell "A, C" from "C, A, B" and "B; C", which answer several blanks in turn and would lose that."""
    plain = unicodedata.normalize("NFKC", key).upper()
    named = "".join(letter for letter in plain if letter in ascii_uppercase)
    return (named == letters and ";" not in plain) or not _is_letters(plain)


def read_key(key: str, options: Sequence[str]) -> str:
    """Return the key; with options, letters that exist, in order ("C、A" becomes "AC").

    A key in an option's own words stays as it is written, and is compared as text. Of one that argues and
    ends in a final answer, that answer is the key.

    Raises:
        Refused: a letter is beyond the options, the key is a long text that names none of them, or it is not
            clear which letters it means.
    """
    if len(key) == 1 and "A" <= key < _letter(len(options)):
        return key
    if not options or not key or key in options:
        return key
    if _OPEN_PAIR.fullmatch(unicodedata.normalize("NFKC", key)):
        pair = "The key may mean one of two options, both, or those between; write the right ones' letters, as in AC."
        raise Refused("key", pair, key)
    if listed := _listed(key, options):
        return listed
    argued = _argued(key, options)
    if argued in options:
        return argued
    letters = key_letters(argued or key, len(options))
    if letters is None:
        if _NUMBER.fullmatch(key) and not any(key in option for option in options):
            number = "The key is a number that no option says; write the right option's letter."
            raise Refused("key", number, key)
        if len(key) > _LONGER_KEY + max(map(len, options)):
            long = f"The key is a text of {len(key)} characters that ends in no option; write the right option's letter."
            raise Refused("key", long, key)
        return key
    beyond = sorted(letter for letter in letters if ord(letter) - ord("A") >= len(options))
    if beyond:
        last = chr(ord("A") + len(options) - 1)
        ends = f"The answer names {', '.join(beyond)}, but the options end at {last}; correct one."
        raise Refused("key", ends, key)
    return letters


def _argued(key: str, options: Sequence[str]) -> str:
    """Return the option or the letters with which a key in prose ends ("… FINAL ANSWER: B"), or nothing."""
    if _is_letters(unicodedata.normalize("NFKC", key)):
        return ""
    said = closing_answer(key) or final_answer(key) or ""
    if said == key.strip() or not (said in options or key_letters(said, len(options))):
        return ""
    return said


@lru_cache(maxsize=4096)
def key_letters(key: str, option_count: int) -> str | None:
    """Return the letters that a key names, in order, or None where it is something else."""
    plain = unicodedata.normalize("NFKC", key)
    if _ADDED.fullmatch(plain.strip()):
        plain = plain.replace("+", " ")
    if _is_letters(plain) and _may_be_letters(_bare(plain), option_count):
        plain = _bare(plain)
        return "".join(sorted({letter for letter in plain.upper() if "A" <= letter <= "Z"}))
    with_text = _LETTER_WITH_TEXT.match(plain)
    return with_text[1] if with_text else None


def _is_letters(plain: str) -> bool:
    return len(plain) <= _LONGEST_LETTERS and bool(_LETTERS_ALONE.fullmatch(_REMARK.sub("", plain)))


def _bare(plain: str) -> str:
    """Return a key of letters alone without the word that joins two of them."""
    return re.sub(r"(?<=[\s)】\],])and(?=[\s(【\[])", " ", plain)


def _listed(key: str, options: Sequence[str]) -> str:
    """Return the letters of "A. Paris; B. Rome", where each stands before its own option; "" of another key.

    Raises:
        Refused: several letters stand before other words than their options: which are meant is not known.
    """
    plain = unicodedata.normalize("NFKC", key).strip()
    first = _LETTER_WITH_TEXT.match(plain)
    if first is None or (_is_letters(plain) and _may_be_letters(_bare(plain), len(options))):
        return ""
    last = _letter(len(options) - 1)
    places = [found for found in _NEXT_LETTER.finditer(plain) if found[1] <= last]
    letters = [found[1] for found in places]
    if len(set(letters)) < 2 or letters != sorted(set(letters)):
        return ""
    ends = [found.start() for found in places[1:]] + [len(plain)]
    said = [plain[found.end() : end] for found, end in zip(places, ends, strict=True)]
    if _same_words(plain[places[0].end() :], options[ord(letters[0]) - ord("A")]):
        return letters[0]
    if all(
        _same_words(text, options[ord(letter) - ord("A")]) for letter, text in zip(letters, said, strict=True)
    ):
        return "".join(letters)
    several = "The key names several options in other words than theirs; write their letters, as in AC."
    raise Refused("key", several, key)


def _same_words(said: str, option: str) -> bool:
    plain = unicodedata.normalize("NFKC", option)
    return said.strip(" \t\n,、;.。|/和与及").casefold() == plain.strip(" \t\n,、;.。|/").casefold()


def _may_be_letters(plain: str, option_count: int) -> bool:
    """Tell "bd" from a word: small letters count where they rise and all name an option."""
    small = [letter for letter in plain if letter.islower()]
    last = chr(ord("a") + option_count)
    return not small or len(small) == 1 or (small == sorted(set(small)) and small[-1] < last)
