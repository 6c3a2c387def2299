"""Which column of a file of traces holds what, by the layouts of known makers or by the names people use.

A layout is a mapping from fields to columns, known by the columns that a file has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.core.refusal import Refusal
from curator.core.rows import guess_mapping

QUESTION_FIELDS = ("question", "options", *(f"option {letter}" for letter in "ABCDEFGH"), "external_id")
# The three ways in which a row holds what was thought and answered, and what else it may say of that.
WAYS = (("thinking", "answer"), ("reply",), ("conversation",))
ABOUT_FIELDS = ("finish_reason", "complete", "teacher", "licence")
FIELDS = (*QUESTION_FIELDS, *(each for way in WAYS for each in way), *ABOUT_FIELDS)
_CONTENT = tuple(each for way in WAYS for each in way)

_NAMES = {
    "thinking": "thinking reasoning reasoning_content thinking_trajectories thinking_trajectory thought "
    "thoughts trace cot chain_of_thought 思考 思考过程 推理 推理过程",
    "answer": "answer attempt content response final_answer output 回答 回复",
    "reply": "generations generation responses response completions completion output reply 回答 回复",
    "conversation": "messages conversations conversation dialogue 对话",
    "external_id": "uuid custom_id problem_id",
    "finish_reason": "finish_reason finish_reasons stop_reason",
    "complete": "is_reasoning_complete",
    "teacher": "teacher teacher_name teacher_model 教师 教师模型",
    "licence": "licence license 许可 许可证",
}
_KNOWN_NAMES = {name: tuple(names.split()) for name, names in _NAMES.items()}
# Columns of one maker among several: deepseek_thinking_trajectory beside deepseek_attempt.
_PAIRS = (("_thinking_trajectory", "_attempt"), ("_reasoning", "_solution"))


class NoTraces(Refusal):
    """A file's columns do not say where its traces are; the message names those that are missing."""


@dataclass(frozen=True)
class Layout:
    """A known way to lay traces out: the columns by which it is known, and what they mean.

    `is_whole` says that the file has no other columns.
    """

    name: str
    columns: frozenset[str]
    mapping: Mapping[str, str]
    is_whole: bool = False

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell whether a file with these columns is laid out so."""
        return self.columns == columns if self.is_whole else self.columns <= columns


# Source: the column names of the published sets; the first that fits counts.
LAYOUTS = (
    Layout(
        "s1K",
        frozenset({"question", "thinking_trajectories", "attempt"}),
        {"thinking": "thinking_trajectories", "answer": "attempt"},
    ),
    Layout("open-r1", frozenset({"problem", "generations"}), {"reply": "generations"}),
    Layout("LIMO", frozenset({"question", "solution", "answer"}), {"reply": "solution"}, is_whole=True),
    Layout("OpenThoughts", frozenset({"conversations"}), {"conversation": "conversations"}),
    Layout("chat", frozenset({"messages"}), {"conversation": "messages"}),
)
PLAIN, PAIRED, GIVEN = "columns", "pairs", "given"


@dataclass(frozen=True)
class Recognised:
    """What the columns of a file seem to mean: the layout's name, and a column for each field found.

    `makers` are those whose replies stand side by side, of which one has to be chosen.
    """

    layout: str
    mapping: Mapping[str, str]
    makers: tuple[str, ...] = ()


def makers(columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the columns of thinking and answer of each maker whose replies stand side by side."""
    found = {}
    for thinking, answer in _PAIRS:
        for column in columns:
            name = column.removesuffix(thinking)
            if name and name != column and name + answer in columns:
                found[name] = (column, name + answer)
    return found


def recognise(columns: Sequence[str], *, maker: str = "", teacher: str = "") -> Recognised:
    """Return what a file's columns seem to mean.

    `maker` says whose replies are wanted where several stand side by side; else the one whose name the
    teacher's has in it. A column that names the teachers is looked for where no teacher is named.
    """
    layout, content, names = _content(columns, maker, teacher)
    used = set(content.values())
    rest = [column for column in columns if column not in used]
    return Recognised(layout, {**_about(rest, teacher), **_of_question(rest), **content}, names)


def look_like_traces(columns: Sequence[str]) -> bool:
    """Tell whether a file holds what models thought, and not only questions."""
    found = recognise(columns)
    return bool(found.makers) or not found.mapping.keys().isdisjoint(("thinking", "conversation"))


def _content(columns: Sequence[str], maker: str, teacher: str) -> tuple[str, dict[str, str], tuple[str, ...]]:
    pairs = makers(columns)
    if pairs:
        chosen = _chosen(tuple(pairs), maker, teacher)
        content = dict(zip(("thinking", "answer"), pairs[chosen], strict=True)) if chosen else {}
        return PAIRED, content, tuple(pairs)
    for layout in LAYOUTS:
        if layout.fits(frozenset(columns)):
            return layout.name, dict(layout.mapping), ()
    return PLAIN, _by_name(columns), ()


def _chosen(names: tuple[str, ...], maker: str, teacher: str) -> str:
    """Return the one maker that is meant, or nothing."""
    if maker:
        return maker if maker in names else ""
    meant = [name for name in names if name.casefold() in teacher.casefold()]
    return (meant or names)[0] if len(meant or names) == 1 else ""


def _by_name(columns: Sequence[str]) -> dict[str, str]:
    """Return the first of the three ways for which columns have names that people use."""
    by_name = {column.strip().casefold(): column for column in reversed(columns)}
    found = {
        name: next(by_name[each] for each in _KNOWN_NAMES[name] if each in by_name)
        for name in _CONTENT
        if any(each in by_name for each in _KNOWN_NAMES[name])
    }
    whole = next((way for way in WAYS if all(each in found for each in way)), ("thinking", "answer"))
    return {each: found[each] for each in whole if each in found}


def _of_question(columns: Sequence[str]) -> dict[str, str]:
    guessed = guess_mapping(columns)
    found = {name: guessed[name] for name in QUESTION_FIELDS if name in guessed}
    return _named(columns, "external_id") | found


def _about(columns: Sequence[str], teacher: str) -> dict[str, str]:
    """Return what columns say of the replies; the teacher is the one that a person names for all rows."""
    named = ("finish_reason", "complete", "licence", *(() if teacher else ("teacher",)))
    return {name: column for each in named for name, column in _named(columns, each).items()}


def _named(columns: Sequence[str], name: str) -> dict[str, str]:
    by_name = {column.strip().casefold(): column for column in columns}
    column = next((by_name[each] for each in _KNOWN_NAMES[name] if each in by_name), "")
    return {name: column} if column else {}


def complete_mapping(
    columns: Sequence[str],
    given: Mapping[str, str],
    *,
    maker: str = "",
    teacher: str = "",
    file_name: str,
) -> Recognised:
    """Return what the columns mean, with what a person gave on top; a field given as empty has no column.

    Raises:
        NoTraces: a field or a column is none, or what every trace needs is missing.
    """
    _check_given(columns, given, file_name)
    found = recognise(columns, maker=maker, teacher=teacher)
    mapping = {name: column for name, column in found.mapping.items() if column not in given.values()}
    if any(given.get(name) for name in _CONTENT):
        way = next(way for way in WAYS if any(given.get(name) for name in way))
        mapping = {name: column for name, column in mapping.items() if name in way or name not in _CONTENT}
    mapping = {name: column for name, column in {**mapping, **given}.items() if column}
    if found.makers and not mapping.keys() & set(_CONTENT):
        raise NoTraces(
            f"{file_name} has replies of {', '.join(found.makers)} side by side; say whose are wanted."
        )
    _check_complete(mapping, columns, file_name)
    content = {name: column for name, column in mapping.items() if name in _CONTENT}
    is_found = all(found.mapping.get(name) == column for name, column in content.items())
    return Recognised(found.layout if is_found else GIVEN, mapping, found.makers)


def _check_given(columns: Sequence[str], given: Mapping[str, str], file_name: str) -> None:
    for name, column in given.items():
        if name not in FIELDS:
            raise NoTraces(f"There is no field {name!r} of a trace; there are {', '.join(FIELDS)}.")
        if column and column not in columns:
            raise NoTraces(f"{file_name} has no column {column!r} for {name}; it has {', '.join(columns)}.")


def _check_complete(mapping: Mapping[str, str], columns: Sequence[str], file_name: str) -> None:
    """Refuse a mapping that does not say where the replies are, or which question they are to.

    Raises:
        NoTraces: with the names that such a column would have.
    """
    if "reply" not in mapping and "conversation" not in mapping:
        for name in ("thinking", "answer"):
            if name not in mapping:
                wanted = " / ".join(_KNOWN_NAMES[name])
                raise NoTraces(f"{file_name} has no column {wanted}; it has {', '.join(columns)}.")
    if not mapping.keys() & {"question", "external_id", "conversation"}:
        raise NoTraces(
            f"{file_name} has neither a column question nor a column id; name the one that says which question."
        )


def parse_trace_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Read `field=column` pairs as a person types them.

    Raises:
        NoTraces: a pair without "=", or a field that is none or is named twice.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or not name:
            raise NoTraces(f"The mapping {pair!r} is no FIELD=COLUMN; write it as in thinking=思考.")
        if name in mapping:
            raise NoTraces(f"The mapping names {name!r} twice; give each field one column.")
        mapping[name] = column
    _check_given(tuple(mapping.values()), mapping, "The file")
    return mapping
