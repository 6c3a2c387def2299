"""One row of a file of traces as replies to a question, and all by which that question may be found.

What is thought and what is answered stands in columns of their own, in whole replies with tags, or in a
conversation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from common.core.text import content_hash, shortened
from common.core.thinking import part, split_thinking, text_of
from curator.core.rows import QuestionRow, read_row
from curator.core.rows.cells import shown
from curator.core.rows.options import split_inline, written_list

_QUESTION_SHOWN = 200  # columns that a row's question takes in a report


class Fault(StrEnum):
    """Why a row, or one reply in it, is no trace."""

    EMPTY = "empty"
    NO_QUESTION = "no_question"
    NO_REPLY = "no_reply"
    NO_CONVERSATION = "no_conversation"
    SEVERAL_TURNS = "several_turns"
    UNEVEN = "uneven"


@dataclass(frozen=True)
class Sample:
    """One reply: what was thought, what was answered, and how it ended."""

    thinking: str
    answer: str
    finish_reason: str = ""
    is_summary: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell that nothing was thought and nothing answered."""
        return not self.thinking.strip() and not self.answer.strip()


@dataclass(frozen=True)
class TraceRow:
    """A row as replies to a question, and all by which that question may be found.

    `identities` are the hashes of its content, the likeliest first.
    """

    question: str
    identities: tuple[str, ...]
    gives_options: bool
    external_id: str
    samples: tuple[Sample, ...]
    teacher: str = ""
    licence: str = ""


@dataclass(frozen=True)
class NoTrace:
    """A row that holds no trace: why, and the beginning of its question."""

    fault: Fault
    question: str = ""


class _Unfit(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def read_trace_row(row: Mapping[str, Any], mapping: Mapping[str, str]) -> TraceRow | NoTrace:
    """Read one row of a table under a complete mapping; several replies in it are several samples."""
    asked = shown(row.get(mapping.get("question", ""))).strip()
    try:
        messages = _messages(row.get(mapping["conversation"])) if "conversation" in mapping else []
        texts = [text for text in (asked, _asked_in(messages)) if text]
        external_id = shown(row.get(mapping.get("external_id", ""))).strip()
        if not texts and not external_id:
            raise _Unfit(Fault.NO_QUESTION)
        samples = tuple(_samples(row, mapping, messages))
    except _Unfit as unfit:
        return NoTrace(unfit.fault, shortened(asked, _QUESTION_SHOWN))
    if not samples:
        return NoTrace(Fault.NO_REPLY, shortened(asked, _QUESTION_SHOWN))
    readings = [reading for text in texts for reading in _readings(text, row, mapping)]
    return TraceRow(
        question=shortened(texts[0], _QUESTION_SHOWN) if texts else "",
        identities=_once(reading.content_hash for reading in readings),
        gives_options=any(reading.options for reading in readings),
        external_id=external_id,
        samples=samples,
        teacher=shown(row.get(mapping.get("teacher", ""))).strip(),
        licence=shown(row.get(mapping.get("licence", ""))).strip(),
    )


def _once(hashes: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hashes))


@dataclass(frozen=True)
class _Reading:
    """A question as a pool may hold it."""

    text: str
    options: tuple[str, ...] = field(default=())

    @property
    def content_hash(self) -> str:
        """Return the identity that the question would have."""
        return content_hash(self.text, self.options)


# What makers put around a question when they ask for it; a pool has the question alone.
_AROUND = (
    re.compile(r"\A\s*return your final response within \\boxed\{\}\.?\s*", re.IGNORECASE),
    re.compile(
        r"\s*(?:please )?(?:let's think|think|reason) step[- ]by[- ]step,?"
        r"(?: and put your final answer within \\boxed\{\})?[.!]?\s*\Z",
        re.IGNORECASE,
    ),
    re.compile(
        r"\s*请(?:你)?(?:通过)?(?:逐步|一步步|一步一步)(?:地)?推理[^。]*(?:\\boxed\{\}[^。]*)?。?\s*\Z"
    ),
)


def _readings(text: str, row: Mapping[str, Any], mapping: Mapping[str, str]) -> Iterator[_Reading]:
    """Yield a question as a pool may hold it: with its options and without, and without what is around it."""
    bare = text
    for around in _AROUND:
        bare = around.sub("", bare)
    columns = {name: column for name, column in mapping.items() if name.startswith("option")}
    cells = {column: row.get(column) for column in columns.values()}
    for each in dict.fromkeys((text, bare)):
        # A name that no column of the file has, so that it hides none of them.
        read = read_row({**cells, "\x00": each}, {**columns, "question": "\x00"}, 1)
        if isinstance(read, QuestionRow):
            yield _Reading(read.text, read.options)
        if parted := split_inline(each, "A"):  # of two options too, as where the key is known to be a letter
            yield _Reading(parted[0], tuple(parted[1]))
        yield _Reading(each)


def _samples(
    row: Mapping[str, Any], mapping: Mapping[str, str], messages: Sequence[Mapping[str, Any]]
) -> Iterator[Sample]:
    ends = [shown(end) for end in _listed(row.get(mapping.get("finish_reason", "")))]
    complete = _listed(row.get(mapping.get("complete", "")))
    for place, sample in enumerate(_replies(row, mapping, messages)):
        end = ends[place] if place < len(ends) else ""
        if place < len(complete) and complete[place] is False:
            end = end or "length"
        end = end or sample.finish_reason  # empty where nothing is known of its end
        yield Sample(sample.thinking, sample.answer, end[:40], sample.is_summary)


def _replies(
    row: Mapping[str, Any], mapping: Mapping[str, str], messages: Sequence[Mapping[str, Any]]
) -> Iterator[Sample]:
    if "conversation" in mapping:
        yield from (_sample(message) for message in messages if _role(message) == "assistant")
    elif "reply" in mapping:
        yield from map(_whole_reply, _listed(row.get(mapping["reply"])))
    else:
        yield from _in_columns(row.get(mapping["thinking"]), row.get(mapping["answer"]))


def _listed(value: Any) -> list[Any]:
    """Return what a cell holds as a list; in CSV it is written out as JSON."""
    if isinstance(value, str) and value[:1] == "[":
        written = written_list(value)
        value = written if isinstance(written, list) else value
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


def _sample(message: Mapping[str, Any]) -> Sample:
    parted = part({"content": message.get("value"), **message})
    return Sample(
        parted.thinking, parted.answer, shown(message.get("finish_reason")), is_summary=parted.is_summary
    )


def _whole_reply(reply: Any) -> Sample:
    if isinstance(reply, Mapping):
        return _sample(reply)
    sample = _sample({"content": shown(reply)})
    if sample.thinking:
        return sample
    thinking, answer = _at_final_answer(sample.answer)
    return Sample(thinking, answer)


_FINAL = re.compile(
    r"^[ \t]*(?:\*\*|#{1,4})[ \t]*(?:Final Answer|最终答案|答案)[ \t]*[:：]?[ \t]*(?:\*\*)?",
    re.IGNORECASE | re.MULTILINE,
)


def _at_final_answer(text: str) -> tuple[str, str]:
    """Part a chain of thought without tags where it comes to its answer: at the heading, or the last boxed.

    One that has neither is all thinking.
    """
    headings = list(_FINAL.finditer(text))
    if headings:
        begin = headings[-1].start()
    else:
        begin = text.rfind("\n\n", 0, max(text.rfind("\\boxed{"), 0)) if "\\boxed{" in text else len(text)
    begin = max(begin, 0)
    return text[:begin].strip(), text[begin:].strip()


def _in_columns(thinking: Any, answer: Any) -> Iterator[Sample]:
    """Yield the samples of two columns: a list of answers is several, a list of thinking alone is its parts."""
    thoughts, answers = _listed(thinking), _listed(answer)
    if len(answers) > 1:
        if len(thoughts) != len(answers):
            raise _Unfit(Fault.UNEVEN)
        yield from map(_in_two, thoughts, answers)
    else:
        yield _in_two("\n\n".join(_text(thought) for thought in thoughts), answers[0] if answers else "")


def _text(value: Any) -> str:
    return text_of(value) or shown(value)


def _in_two(thinking: Any, answer: Any) -> Sample:
    thought, said = _text(thinking), _text(answer)
    inside, rest = split_thinking(thought)
    if inside and not (rest and said.strip()):  # the column keeps the tags, or the answer too
        thought, said = inside, rest or said
    return _sample({"reasoning_content": thought, "content": said})


_ROLES = {
    "human": "user",
    "user": "user",
    "prompt": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "bot": "assistant",
}


def _role(message: Mapping[str, Any]) -> str:
    said = str(message.get("role") or message.get("from") or "").casefold()
    return _ROLES.get(said, said)


def _messages(value: Any) -> list[Mapping[str, Any]]:
    """Return the messages of a conversation in which one question is asked.

    Raises:
        _Unfit: it is none, nothing is answered, or more is asked after the first answer.
    """
    found = _listed(value)
    if not found or not all(isinstance(message, Mapping) for message in found):
        raise _Unfit(Fault.NO_CONVERSATION)
    said = [message for message in found if _role(message) in ("user", "assistant")]
    roles = [_role(message) for message in said]
    if "assistant" not in roles:
        raise _Unfit(Fault.NO_REPLY)
    if roles.count("user") > 1:
        raise _Unfit(Fault.SEVERAL_TURNS)
    return said


def _asked_in(messages: Sequence[Mapping[str, Any]]) -> str:
    asked = (message for message in messages if _role(message) == "user")
    return next((text_of(message.get("content") or message.get("value")).strip() for message in asked), "")
