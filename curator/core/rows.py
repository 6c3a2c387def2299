"""A row of any file as a question, or the sentence that refuses it."""

import ast
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from string import ascii_uppercase
from typing import Any

from common.core.refusal import Refusal
from common.core.text import content_hash, language_of, neutralise

LONGEST_TEXT = 100_000  # characters of a question, its options, its solution; past that it is none
LONGEST_NAME = 200  # characters of a domain or an id
MOST_OPTIONS = 26
SHOWN_TEXT = 200  # characters of a refused text that the report repeats

# What people call the fields, in both languages, the likeliest first; compared without case, spaces,
# underscores and what stands in brackets.
_NAMES_IN_ORDER = {
    "question": "question questiontext questionstem problem problemtext stem prompt query text "
    "题目 题干 问题 试题 题目内容 试题内容 题面 原题",
    "key": "key answerkey correctanswer correctoption referenceanswer goldanswer groundtruth gold answer "
    "correct target 参考答案 正确答案 标准答案 正确选项 答案",
    "options": "options choices answeroptions answerchoices 选项 备选项 备选答案 选择项",
    "solution": "solution workedsolution referencesolution explanation rationale analysis "
    "解析 详解 答案解析 解答 解题过程 题目解析 分析 解题思路",
    "marks": "marks mark points score fullmarks 分值 分数 满分 得分",
    "language": "language lang 语言 语种",
    "domain": "domain subject topic category chapter unit area "
    "领域 科目 学科 章节 知识点 主题 单元 课程 类别",
    "external_id": "id questionid externalid qid uid number no no. 编号 序号 题号 题目编号 题目id",
}
_KNOWN_NAMES = {field: tuple(names.split()) for field, names in _NAMES_IN_ORDER.items()}
FIELDS = tuple(_KNOWN_NAMES)
_OPTION_COLUMN = re.compile(
    r"^(?:option|choice|answer|选项|选择)?[\s_\-]*[(（]?([A-Z])[)）]?(?:选项|项)?$", re.IGNORECASE
)
# Before an option: "(A)", "[A]", "【A】.", or "A.", "A、", "A)", "A:", at a beginning or behind a break.
_BREAK = r"(?:^|(?<=[\s;；,，。|/]))"
_LETTER_MARKS = (
    _BREAK + r"[(（【\[]{letter}[)）】\]]\s*[.．、:：]?\s*",
    _BREAK + r"{letter}[.．、:：)）]\s*",
)
_LETTERS_ALONE = re.compile(r"[\s(（【\[]*[A-Za-z](?:(?:[\s,，、;；/&和与及]*|\.)[A-Za-z])*[\s)）】\].。]*")
_LETTER_WITH_TEXT = re.compile(r"\s*[(（【\[]?([A-Z])(?:[)）】\]]|[.．、:：])\s*\S")


class MissingColumn(Refusal):
    """A file has no column for a field that every question needs."""


class BadMapping(Refusal):
    """A mapping names a field or a column that does not exist."""


@dataclass(frozen=True)
class QuestionRow:
    """A row that can become a question; `key` is empty where the row has none."""

    row_number: int
    text: str
    options: tuple[str, ...]
    key: str
    solution: str
    marks: Decimal | None
    language: str
    domain: str
    external_id: str
    neutralised: bool

    @property
    def content_hash(self) -> str:
        """Return the question's identity."""
        return content_hash(self.text, self.options)


@dataclass(frozen=True)
class Rejected:
    """A row that cannot: where, why, and the offending text."""

    row_number: int
    column: str
    reason: str
    text: str


class _Refused(Exception):
    def __init__(self, field: str, reason: str, text: Any = "") -> None:
        super().__init__(reason)
        self.field, self.reason, self.text = field, reason, str(text)[:SHOWN_TEXT]


def _folded(name: str) -> str:
    plain = re.sub(r"\((?![A-Za-z]\))[^()]*\)|\[[^\[\]]*\]|\*", "", unicodedata.normalize("NFKC", name))
    return re.sub(r"[\s_\-:]", "", plain).casefold()


def guess_mapping(columns: Sequence[str]) -> dict[str, str]:
    """Return which column holds which field, by the names that people use in both languages.

    Options in one column each are mapped as "option A", "option B" and so on.
    """
    by_name = {_folded(column): column for column in reversed(columns)}
    mapping = {
        field: next(by_name[name] for name in names if name in by_name)
        for field, names in _KNOWN_NAMES.items()
        if any(name in by_name for name in names)
    }
    if "options" not in mapping:
        lettered = {
            found[1].upper(): column for column in columns if (found := _OPTION_COLUMN.match(column.strip()))
        }
        if {"A", "B"} <= lettered.keys():
            mapping |= {f"option {letter}": column for letter, column in sorted(lettered.items())}
    return mapping


def parse_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Read `field=column` pairs as a person types them.

    Raises:
        BadMapping: a pair without "=", or an unknown field.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        field, sign, column = pair.partition("=")
        if not sign or not field or not column:
            raise BadMapping(f"The mapping {pair!r} is no FIELD=COLUMN; write it as in question=题目.")
        if field in mapping:
            raise BadMapping(f"The mapping names {field!r} twice; give each field one column.")
        mapping[field] = column
    check_fields(mapping)
    return mapping


def check_fields(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping of fields that a question does not have.

    Raises:
        BadMapping: naming the fields that there are.
    """
    for field in mapping:
        if field not in FIELDS and not re.fullmatch(r"option [A-Z]", field):
            raise BadMapping(
                f"There is no field {field!r}; there are {', '.join(FIELDS)} and 'option A' to 'option Z'."
            )


def full_mapping(columns: Sequence[str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Return the guessed mapping with what a person gave on top, checked against the columns.

    Raises:
        BadMapping: a given column is not in the file.
        MissingColumn: no column holds the question.
    """
    check_fields(given or {})
    for field, column in (given or {}).items():
        if column and column not in columns:
            raise BadMapping(f"The file has no column {column!r} for {field}; it has {', '.join(columns)}.")
    given = dict(given or {})
    guessed = guess_mapping([column for column in columns if column not in given.values()])
    mapping = {field: column for field, column in (guessed | given).items() if column}
    if "question" not in mapping:
        raise MissingColumn(
            f"No column holds the question; the file has {', '.join(columns)}. "
            f"Name the one that does, as in question={columns[0]}."
        )
    return mapping


def read_row(row: Mapping[str, Any], mapping: Mapping[str, str], row_number: int) -> QuestionRow | Rejected:
    """Read one row of a table; `row_number` is what a person sees in the file, from 1 with the header."""
    try:
        return _read(row, mapping, row_number)
    except _Refused as refused:
        column = mapping.get(refused.field, mapping.get("option A", refused.field))
        return Rejected(row_number, column, refused.reason, refused.text)


def _read(row: Mapping[str, Any], mapping: Mapping[str, str], row_number: int) -> QuestionRow:
    cells = _Cells(row, mapping)
    text = cells.read("question", LONGEST_TEXT)
    if not text:
        empty = not any(_text(value).strip() for value in row.values())
        what = (
            "The row is empty; delete it." if empty else "The question is empty; write it, or delete the row."
        )
        raise _Refused("question", what)
    options = cells.read_options()
    return QuestionRow(
        row_number=row_number,
        text=text,
        options=options,
        key=_key(cells.read("key", LONGEST_TEXT), options),
        solution=cells.read("solution", LONGEST_TEXT),
        marks=_marks(cells.read("marks", LONGEST_NAME)),
        language=_language(cells.read("language", LONGEST_NAME), text),
        domain=cells.read("domain", LONGEST_NAME),
        external_id=cells.read("external_id", LONGEST_NAME),
        neutralised=cells.neutralised,
    )


class _Cells:
    """A row's cells by field, made harmless as they are read; remembers whether anything was changed."""

    def __init__(self, row: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
        self.row, self.mapping, self.neutralised = row, mapping, False

    def read(self, field: str, longest: int) -> str:
        """Return a field's text, empty where the file has none."""
        if field not in self.mapping:
            return ""
        return self._clean(_text(self.row.get(self.mapping[field])).strip(), field, longest)

    def read_options(self) -> tuple[str, ...]:
        """Return the options, from one column or from one column each."""
        if "options" in self.mapping:
            found = _option_list(self.row.get(self.mapping["options"]))
        else:
            columns = [self.mapping[field] for field in sorted(self.mapping) if field.startswith("option ")]
            found = _without_empty_end([_text(self.row.get(column)).strip() for column in columns])
        if len(found) > MOST_OPTIONS:
            many = f"There are {len(found)} options, more than {MOST_OPTIONS}; A to Z is the most."
            raise _Refused("options", many, found)
        return tuple(self._clean(option, "options", LONGEST_TEXT) for option in found)

    def _clean(self, text: str, field: str, longest: int) -> str:
        if len(text) > longest:
            raise _Refused(
                field, f"The text has {len(text)} characters, more than {longest}; shorten it.", text
            )
        clean, changed = neutralise(text)
        self.neutralised |= changed
        return clean.strip()


def _text(value: Any) -> str:
    """Return a cell as text: a float without a fraction is a whole number, as spreadsheets mean it."""
    if value is None or value != value:  # NaN is how some tables write an empty cell
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _without_empty_end(options: list[str]) -> list[str]:
    """Leave out the empty columns after the last option; an empty one between two keeps its letter."""
    while options and not options[-1]:
        options = options[:-1]
    return options


def _option_list(value: Any) -> list[str]:
    """Return options given as a list, as the text of a list, or as lettered or plain lines of text."""
    if isinstance(value, list | tuple):
        return _without_letters([_text(option).strip() for option in value])
    if isinstance(value, dict):
        return _of_mapping(value)
    text = _text(value).strip()
    if not text or text in ("null", "None", "[]", "{}"):
        return []
    if text[0] in "[{" and (written := _written_list(text)) is not None:
        return _option_list(written)
    if lettered := _split_by_letters(text):
        return lettered
    if text[0] in "[{":
        raise _Refused(
            "options", "The options begin like a list but are none; mend it, or write one a line.", text
        )
    return [line.strip() for line in text.splitlines() if line.strip()]


def _written_list(text: str) -> list[Any] | dict[Any, Any] | None:
    """Return the list that a text writes out, as JSON or as Python does, or None."""
    if len(text) > LONGEST_TEXT:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            written = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(written, list | tuple | dict):
            return list(written) if isinstance(written, tuple) else written
    return None


def _of_mapping(value: Mapping[Any, Any]) -> list[str]:
    """Return options given by letter, {"A": …, "B": …}, or as labels beside texts."""
    if isinstance(texts := value.get("text"), list):
        return [_text(text).strip() for text in texts]
    letters = [chr(ord("A") + place) for place in range(len(value))]
    by_letter = {str(letter).strip().upper(): text for letter, text in value.items()}
    if sorted(by_letter) != letters:
        raise _Refused("options", "The options are named, but not A, B, C and on; name them so.", value)
    return [_text(by_letter[letter]).strip() for letter in letters]


def _split_by_letters(text: str) -> list[str]:
    """Return the options of "A. … B. … C. …", or nothing where the letters do not follow each other."""
    for mark in _LETTER_MARKS:
        starts = _letter_places(text, mark)
        if len(starts) > 1 and not text[: starts[0][0]].strip():
            ends = [begin for begin, _ in starts[1:]] + [len(text)]
            return [
                text[begin:end].strip().rstrip(";；") for (_, begin), end in zip(starts, ends, strict=True)
            ]
    return []


def _letter_places(text: str, mark: str) -> list[tuple[int, int]]:
    """Return where A, B, C and on are marked, each behind the one before."""
    places: list[tuple[int, int]] = []
    for letter in ascii_uppercase:
        found = re.compile(mark.format(letter=letter)).search(text, places[-1][1] if places else 0)
        if not found:
            break
        places.append(found.span())
    return places


def _without_letters(options: list[str]) -> list[str]:
    """Leave out letters that every option of a list carries itself."""
    for mark in _LETTER_MARKS:
        marks = [
            re.match(mark.format(letter=letter), option)
            for letter, option in zip(ascii_uppercase, options, strict=False)
        ]
        if len(options) == len(marks) > 1 and all(marks):
            return [
                option[found.end() :].strip() for option, found in zip(options, marks, strict=True) if found
            ]
    return options


def _key(key: str, options: tuple[str, ...]) -> str:
    """Return the key; with options, letters that exist, in order ("C、A" becomes "AC").

    A key in an option's own words stays as it is written, and is compared as text.
    """
    if not options or not key or key in options:
        return key
    plain = unicodedata.normalize("NFKC", key)
    if _LETTERS_ALONE.fullmatch(plain) and _may_be_letters(plain, len(options)):
        letters = {letter for letter in plain.upper() if "A" <= letter <= "Z"}
    elif with_text := _LETTER_WITH_TEXT.match(plain):
        letters = {with_text[1]}
    else:
        return key
    beyond = sorted(letter for letter in letters if ord(letter) - ord("A") >= len(options))
    if beyond:
        last = chr(ord("A") + len(options) - 1)
        ends = f"The answer names {', '.join(beyond)}, but the options end at {last}; correct one."
        raise _Refused("key", ends, key)
    return "".join(sorted(letters))


def _may_be_letters(plain: str, option_count: int) -> bool:
    """Tell "bd" from a word: small letters count where they rise and all name an option."""
    small = [letter for letter in plain if letter.islower()]
    last = chr(ord("a") + option_count)
    return not small or len(small) == 1 or (small == sorted(set(small)) and small[-1] < last)


def _marks(text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        marks = Decimal(unicodedata.normalize("NFKC", text).strip().rstrip("分").strip())
    except InvalidOperation as error:
        raise _Refused(
            "marks", "The marks are no number; write a number, or leave the cell empty.", text
        ) from error
    if not marks.is_finite() or not 0 <= marks < 100_000:
        raise _Refused("marks", "The marks are negative or beyond 99,999; correct them.", text)
    return marks.quantize(Decimal("0.01"))


def _language(named: str, text: str) -> str:
    known = {
        "en": "en",
        "english": "en",
        "英文": "en",
        "英语": "en",
        "zh": "zh",
        "chinese": "zh",
        "中文": "zh",
        "汉语": "zh",
    }
    return known.get(named.strip().casefold(), "") or language_of(text)
