"""What lies on a reviewer's desk beside the judgement: drafts, comments, flags, and traces put right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.core.text import estimate_tokens, neutralise
from common.models import User
from curator.core.dataset import trace_hash
from curator.models import Draft, Flag, Grade, Remark, SpotCheck, Trace, TraceEdit
from curator.services.marking import verdict_of

LONGEST_DRAFT = 20_000  # bytes
LONGEST_REMARK = 5_000  # characters
MOST_REMARKS = 200  # on one trace


@dataclass(frozen=True)
class Saved:
    """A draft as it is kept; `is_mine` says whether it is what was just sent."""

    content: Mapping[str, Any]
    version: int
    is_mine: bool


@transaction.atomic
def save_draft(*, trace: Trace, reviewer: User, content: Mapping[str, Any], seen: int) -> Saved:
    """Keep a judgement on its way; where another window has kept a later one, return that and change nothing.

    `seen` is the version of the draft that the window has, 0 for none.

    Raises:
        Refusal: it is too long to be a draft.
    """
    if len(orjson.dumps(dict(content))) > LONGEST_DRAFT:
        raise Refusal(_("The draft is too long to be kept; shorten the note."))
    kept, made = Draft.objects.select_for_update().get_or_create(
        trace=trace, reviewer=reviewer, defaults={"content": dict(content)}
    )
    if made:
        return Saved(kept.content, kept.version, is_mine=True)
    if kept.version != seen:
        return Saved(kept.content, kept.version, is_mine=kept.content == dict(content))
    kept.content, kept.version = dict(content), kept.version + 1
    kept.save()
    return Saved(kept.content, kept.version, is_mine=True)


@transaction.atomic
def remark(*, trace: Trace, author: User, part: str, start: int, end: int, text: str) -> Remark:
    """Comment on a stretch of a trace, from `start` to before `end` in characters of the part.

    Raises:
        Refusal: the stretch is none of the trace's, or nothing or too much is said.
    """
    if part not in Remark.Part.values or not 0 <= start < end <= len(getattr(trace, part)):
        raise Refusal(_("What you marked is not in this trace any more; mark it again."))
    text = neutralise(text)[0].strip()
    if not text or len(text) > LONGEST_REMARK:
        raise Refusal(_("A comment has between 1 and %(most)s characters.") % {"most": f"{LONGEST_REMARK:,}"})
    if trace.remarks.count() >= MOST_REMARKS:
        raise Refusal(_("A trace takes at most %(most)s comments.") % {"most": MOST_REMARKS})
    made: Remark = Remark.objects.create(
        trace=trace,
        author=author,
        part=part,
        start=start,
        end=end,
        text=text,
        content_hash=trace.content_hash,
    )
    return made


def erase_remark(*, remark: Remark, by: User) -> None:
    """Take a comment of one's own away.

    Raises:
        Refusal: somebody else has written it.
    """
    if remark.author_id != by.pk:
        raise Refusal(_("Only who wrote a comment can take it away."))
    remark.delete()


@transaction.atomic
def flag(*, trace: Trace, by: User, note: str = "", colleague: User | None = None) -> Flag:
    """Ask a colleague, or whoever comes first, to look at a trace; a second flag replaces the first."""
    Flag.objects.filter(trace=trace, raised_by=by, settled_at=None).delete()
    raised: Flag = Flag.objects.create(trace=trace, raised_by=by, colleague=colleague, note=note.strip())
    return raised


def settle_flag(*, flag: Flag, by: User) -> None:
    """Say that a flagged trace was looked at; a second such word changes nothing."""
    Flag.objects.filter(pk=flag.pk, settled_at=None).update(settled_at=timezone.now(), settled_by=by)


@transaction.atomic
def rewrite(*, trace: Trace, editor: User, thinking: str, answer: str, reason: str, seen: str) -> Trace:
    """Put a trace right: what it said before is kept, and all that was read of it is read again.

    `seen` is the content hash of the trace on which the editor has worked.

    Raises:
        Refusal: somebody was faster, nothing was changed, no reason is given, or the teacher has another such trace.
    """
    rows = Trace.objects.select_for_update(of=("self",)).select_related("question")
    row: Trace = rows.get(pk=trace.pk)
    if row.content_hash != seen:
        raise Refusal(_("Someone changed this trace while you did; copy your words, and look at it again."))
    thinking, answer = neutralise(thinking)[0], neutralise(answer)[0]
    _refuse_unchanged(row, thinking, answer, reason)
    before = TraceEdit(
        trace=row,
        editor=editor,
        thinking=row.thinking,
        answer=row.answer,
        content_hash=row.content_hash,
        verdict=row.verdict,
        reason=reason.strip(),
    )
    _assign(row, thinking, answer)
    twin = Trace.objects.filter(
        question=row.question, teacher=row.teacher_id, content_hash=row.content_hash
    ).exclude(pk=row.pk)
    if twin.exists():
        raise Refusal(_("The teacher has another trace that says just this; choose that one instead."))
    before.save()
    row.save()
    if row.answer != before.answer:
        for said in (SpotCheck, Grade):  # of the answer before
            said.objects.filter(trace=row).delete()
    return row


def _refuse_unchanged(row: Trace, thinking: str, answer: str, reason: str) -> None:
    if (thinking, answer) == (row.thinking, row.answer):
        raise Refusal(_("Nothing was changed."))
    if not (thinking.strip() or answer.strip()):
        raise Refusal(_("Nothing would be left of the trace; reject it instead."))
    if not reason.strip():
        raise Refusal(_("Say why you change the trace; whoever trains on it later will ask."))


def _assign(row: Trace, thinking: str, answer: str) -> None:
    if thinking != row.thinking:
        row.thinking_tokens = estimate_tokens(thinking)
    if answer != row.answer:
        row.answer_tokens = estimate_tokens(answer)
        for column, value in verdict_of(row.question, answer).items():
            setattr(row, column, value)
    row.tokens_counted_by = "estimate"
    row.thinking, row.answer = thinking, answer
    row.content_hash = trace_hash(thinking, answer)
    row.flaws = row.answer_form = None  # a draw, or a page, reads them again
