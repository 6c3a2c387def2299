"""Marks of traces and attempts, by the one marker."""

from typing import Any

from django.db.models import Q

from common.core.answers import mark
from curator.core.verdicts import settled
from curator.models import Grade, Question, SpotCheck


def verdict_of(question: Question, answer: str) -> dict[str, Any]:
    """Return the verdict of an answer, and the rule that decided, as columns."""
    marked = mark(answer, key=question.key, options=tuple(question.options))
    marked = settled(marked, key=question.key, reply=answer)
    return {"verdict": marked.outcome.value, "verdict_rule": marked.rule[:60]}


def mark_again(question: Question) -> None:
    """Mark every trace and attempt of a question anew, after its key has changed.

    What an assistant or an expert said of an answer was said against the key that it had before.
    """
    for said in (SpotCheck, Grade):
        said.objects.filter(Q(trace__question=question) | Q(attempt__question=question)).delete()
    for answering in (*question.traces.all(), *question.attempts.all()):
        for column, value in verdict_of(question, answering.answer).items():
            setattr(answering, column, value)
        answering.save(update_fields=["verdict", "verdict_rule"])
    question.traces.update(answer_form=None)  # an answer is read by the kind of its key
