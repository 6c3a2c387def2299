"""Which column of a file holds which field of a question, by the names that people use."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from common.core.refusal import Refusal

# What people call the fields, in both languages, the likeliest first; compared without case, spaces,
# underscores and what stands in brackets.
_NAMES_IN_ORDER = {
    "question": "question questiontext questionstem questioncontent problem problemtext problemstatement stem "
    "itemtext itemstem prompt query instruction text "
    "题目 题目描述 题干 问题 试题 题目内容 试题内容 题干内容 问题内容 题面 原题 試題 題目 題幹",
    "key": "key answerkey correctanswer correctoption correctchoice correctanswers rightanswer "
    "referenceanswer standardanswer goldanswer expectedanswer groundtruth gold answer answers ans correct target "
    "reference "
    "参考答案 正确答案 标准答案 正确选项 答案 正解 參考答案 正確答案",
    "options": "options choices answeroptions answerchoices alternatives candidates "
    "选项 备选项 备选答案 选择项 候选答案 选项内容 選項",
    "solution": "solution workedsolution referencesolution explanation rationale analysis "
    "解析 详解 答案解析 试题解析 解答 解题过程 题目解析 分析 解题思路 参考解析 詳解",
    "marks": "marks mark points score fullmarks maxmarks maxscore 分值 分数 满分 得分 題分",
    "language": "language lang 语言 语种 語言",
    "domain": "domain subject topic category chapter unit area discipline field "
    "领域 科目 学科 章节 知识点 主题 单元 课程 类别 分类 考点 領域",
    "external_id": "id questionid externalid qid uid number no no. index "
    "编号 序号 题号 题目编号 试题编号 题目id 試題編號",
    "rating": "rating difficulty difficultylevel difficultyrating hardness 难度 难易度 难易程度 难度等级 难度级别 題目難度",
    "tags": "tags tag labels keywords 标签 标记 关键词 关键字 標籤",
}
_KNOWN_NAMES = {field: tuple(names.split()) for field, names in _NAMES_IN_ORDER.items()}
FIELDS = tuple(_KNOWN_NAMES)
# Beside one of these, an answer is what a model replied and "correct" a verdict; the key is the reference.
_REPLIED = ("answer", "answers", "correct")
_OF_A_MODEL = (
    "thinking thinkingtrajectory thinkingtrajectories reasoning reasoningcontent thought thoughts cot "
    "chainofthought teacher model response 思考 思考过程 推理 推理过程"
)
_OPTION_COLUMN = re.compile(
    r"^(?:options?|choices?|answers?|opt|选项|选择|選項)?[\s_\-]*[(（]?([A-Z])[)）]?(?:选项|项)?$",
    re.IGNORECASE,
)


_NUMBERED_OPTION = re.compile(
    r"^(?:options?|choices?|answers?|opt|alternatives?|选项|选择|選項)[\s_\-]*[(（]?(\d{1,2})[)）]?$",
    re.IGNORECASE,
)


class MissingColumn(Refusal):
    """A file has no column for a field that every question needs.

    The message says nothing of how the column is named, which a page and a command do in ways of their own.
    """


class BadMapping(Refusal):
    """A mapping names a field or a column that does not exist."""


def _folded(name: str) -> str:
    plain = re.sub(r"\((?![A-Za-z]\))[^()]*\)|\[[^\[\]]*\]|\*", "", unicodedata.normalize("NFKC", name))
    return re.sub(r"[\s_\-:]", "", plain).casefold()


def guess_mapping(columns: Sequence[str]) -> dict[str, str]:
    """Return which column holds which field, by the names that people use in both languages.

    Options in one column each are mapped as "option A", "option B" and so on.
    """
    by_name = {_folded(column): column for column in reversed(columns)}
    if "reference" in by_name and not by_name.keys().isdisjoint(_OF_A_MODEL.split()):
        by_name = {name: column for name, column in by_name.items() if name not in _REPLIED}
    mapping = {
        field: next(by_name[name] for name in names if name in by_name)
        for field, names in _KNOWN_NAMES.items()
        if any(name in by_name for name in names)
    }
    if "options" not in mapping:
        lettered = {
            found[1].upper(): column for column in columns if (found := _OPTION_COLUMN.match(column.strip()))
        }
        if not {"A", "B"} <= lettered.keys():
            lettered = _numbered(columns)
        if {"A", "B"} <= lettered.keys():
            mapping |= {f"option {letter}": column for letter, column in sorted(lettered.items())}
    return mapping


def _numbered(columns: Sequence[str]) -> dict[str, str]:
    """Return "Option 1", "Option 2" and on by letter, where they count from 1 without a gap."""
    numbers = {
        int(found[1]): column for column in columns if (found := _NUMBERED_OPTION.match(column.strip()))
    }
    if sorted(numbers) != list(range(1, len(numbers) + 1)) or len(numbers) > len(ascii_uppercase):
        return {}
    return {ascii_uppercase[number - 1]: column for number, column in numbers.items()}


def has_numbered_options(mapping: Mapping[str, str]) -> bool:
    """Tell whether options are taken from columns that count them from 1: a key of 3 then names the third."""
    given = {field[-1]: column for field, column in mapping.items() if field.startswith("option ")}
    return bool(given) and given == _numbered(list(given.values()))


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
        raise MissingColumn(f"No column holds the question; the file has {', '.join(columns)}.")
    return mapping
