"""A dataset's row as the consumers of each format want it.

Sources: s1K's columns (arXiv 2501.19393, data/tokenization.py); TRL 1.16, dataset formats, conversational
prompt-completion; the guides to supervised fine-tuning of OpenAI, of Together (reasoning fine-tuning: the field
`reasoning` of an assistant's message) and of SiliconFlow (only `role` and `content`).
"""

from collections.abc import Mapping
from typing import Any

from common.core.chat import QWEN, question_prompt, question_with_options, reply
from curator.core.dataset import utf8

Row = Mapping[str, Any]

# What a frozen row may hold, in the order of columns, with the value of a row that was frozen without it.
COLUMNS: dict[str, Any] = {
    "id": "",
    "external_id": "",
    "question": "",
    "options": [],
    "key": "",
    "solution": "",
    "marks": None,
    "language": "",
    "domain": "",
    "source": "",
    "licence": "",
    "thinking": "",
    "answer": "",
    "teacher": "",
    "thinking_tokens": None,
    "verdict": "",
    "trace_hash": "",
    "terms": "",
}
NUMBERS = {"marks": float, "thinking_tokens": int}


def evened(row: Row) -> dict[str, Any]:
    """Return a row with every column, as a table wants it, and no text that is none.

    Raises:
        ValueError: it holds a field that is no column, which would be lost.
    """
    if unknown := row.keys() - COLUMNS.keys():
        raise ValueError(f"A row holds {', '.join(sorted(unknown))}, for which a table has no column.")
    return {name: _clean(row.get(name, default)) for name, default in COLUMNS.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else utf8(value).decode()
    return [_clean(each) for each in value] if isinstance(value, list) else value


def _question(row: Row) -> dict[str, str]:
    return {
        "role": "user",
        "content": question_with_options(row["question"], tuple(row.get("options") or ())),
    }


def _origin(row: Row, dataset_hash: str) -> dict[str, str]:
    """Return which row it is, who wrote its trace under which terms, and of which dataset."""
    named = {name: str(row.get(name, "")) for name in ("id", "source", "licence", "teacher", "terms")}
    return {**named, "dataset_hash": dataset_hash}


def as_messages(row: Row, dataset_hash: str) -> dict[str, Any]:
    """Return chat messages with the thinking in `reasoning_content`, as templates of reasoning models read it."""
    answer = {"role": "assistant", "reasoning_content": row["thinking"], "content": row["answer"]}
    return {"messages": [_question(row), answer], **_origin(row, dataset_hash)}


def as_s1(row: Row, dataset_hash: str) -> dict[str, Any]:
    """Return the columns of s1K, with the training text in the markup of Qwen2.5."""
    question = _question(row)["content"]
    return {
        "question": question,
        "solution": row.get("solution") or row.get("key", ""),
        "source_type": row.get("source", ""),
        "cot_type": row.get("domain", ""),
        "thinking_trajectories": [row["thinking"]],
        "attempt": row["answer"],
        "text": question_prompt(QWEN, question) + reply(QWEN, thinking=row["thinking"], answer=row["answer"]),
        **_origin(row, dataset_hash),
    }


def _thought_and_answer(row: Row) -> str:
    """Return thinking and answer as one text: a chat template that knows no field for thinking drops it."""
    return f"<think>\n{row['thinking']}\n</think>\n\n{row['answer']}"


def as_prompt_and_completion(row: Row, dataset_hash: str) -> dict[str, Any]:
    """Return TRL's conversational prompt and completion; its trainer lays the loss on the completion alone."""
    completion = [{"role": "assistant", "content": _thought_and_answer(row)}]
    return {"prompt": [_question(row)], "completion": completion, **_origin(row, dataset_hash)}


def as_plain_chat(row: Row, _dataset_hash: str) -> dict[str, Any]:
    """Return messages of `role` and `content` and nothing else: OpenAI's form, and SiliconFlow's."""
    answer = {"role": "assistant", "content": _thought_and_answer(row)}
    return {"messages": [_question(row), answer]}


def as_together(row: Row, _dataset_hash: str) -> dict[str, Any]:
    """Return messages with the thinking in `reasoning`, as Together tunes reasoning models."""
    answer = {"role": "assistant", "reasoning": row["thinking"], "content": row["answer"]}
    return {"messages": [_question(row), answer]}
