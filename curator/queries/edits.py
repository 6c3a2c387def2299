"""What people changed of questions: each field as it is noted, and a question's history."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from curator.core.differences import Piece, condensed, differences
from curator.models import Question, QuestionEdit, Standing

LATEST_EDITS = 50
MOST_COMPARED = 20_000  # characters of a text; the comparison grows with the square
_LISTS = ("options", "tags")
NOTED_AS = "overruled"  # in the history: a hit in a benchmark that an expert lets pass, with the reason


@dataclass(frozen=True)
class Change:
    """One noted change, as a person reads it."""

    edit: QuestionEdit
    label: str
    pieces: list[Piece]
    is_current: bool  # the field still says what it was changed to


def noted(question: Question, field: str) -> str:
    """Return a field as the history keeps it: lists in JSON, domains by code, pools by name."""
    return _NOTED[field](question)


def _as_text(field: str) -> Callable[[Question], str]:
    return lambda question: str(getattr(question, field))


def _as_json(field: str) -> Callable[[Question], str]:
    return lambda question: json.dumps(list(getattr(question, field)), ensure_ascii=False)


_NOTED: Mapping[str, Callable[[Question], str]] = {
    **{field: _as_text(field) for field in ("text", "key", "solution", "language", "standing")},
    **{field: _as_json(field) for field in _LISTS},
    "marks": lambda question: "" if question.marks is None else f"{question.marks.normalize():f}",
    "rating": lambda question: "" if question.rating is None else str(question.rating),
    "domain": lambda question: question.domain.code if question.domain else "",
    "pool": lambda question: str(question.pool.name),
}


def get_changes(question: Question) -> list[Change]:
    """Return the latest changes of a question, newest first."""
    edits = QuestionEdit.objects.filter(question=question).select_related("changed_by")[:LATEST_EDITS]
    return [_change(question, edit) for edit in edits]


def _change(question: Question, edit: QuestionEdit) -> Change:
    before, after = (_readable(edit.field, text)[:MOST_COMPARED] for text in (edit.before, edit.after))
    pieces = condensed(differences(before, after))
    is_other = edit.before != edit.after  # a disputed key can be settled by leaving it as it is
    is_current = is_other and edit.field in _NOTED and noted(question, edit.field) == edit.after
    return Change(edit, _label(edit.field), pieces, is_current)


def _label(field: str) -> str:
    if field == NOTED_AS:
        return gettext("overruled overlap")
    column: Any = Question._meta.get_field(field)
    named = column.related_model._meta if column.related_model else column
    return str(named.verbose_name)


def _readable(field: str, text: str) -> str:
    if field == "tags":
        return ", ".join(json.loads(text or "[]"))
    if field == "options":
        return "\n".join(
            f"{chr(65 + place)}. {option}" for place, option in enumerate(json.loads(text or "[]"))
        )
    if field == "standing":
        return str(Standing(text).label)
    return text
