"""Marks of traces and attempts, by the one marker."""

from typing import Any

from common.core.answers import mark
from curator.models import Question


def verdict_of(question: Question, answer: str) -> dict[str, Any]:
    """Return the verdict of an answer, and the rule that decided, as columns."""
    marked = mark(answer, key=question.key, options=tuple(question.options))
    return {"verdict": marked.outcome.value, "verdict_rule": marked.rule[:60]}


def mark_again(question: Question) -> None:
    """Mark every trace and attempt of a question anew, after its key has changed."""
    for answering in (*question.traces.all(), *question.attempts.all()):
        for column, value in verdict_of(question, answering.answer).items():
            setattr(answering, column, value)
        answering.save(update_fields=["verdict", "verdict_rule"])
