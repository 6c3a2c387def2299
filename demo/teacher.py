"""A stand-in for a reasoning model: it works the field's questions out by rule, and errs on purpose.

It is no model. Of a hundred answers about two carry a wrong step, two are cut and one or two run in a loop,
chosen by a hash of the question, so that the criteria and the reviewers after it have real work.
"""

import hashlib
import random
from dataclasses import dataclass, replace
from typing import Final

from demo.field import COUNTINGS, LANGUAGES, Sheet, UnreadableQuestion, lines_of, read_sheet

SHARE_WRONG: Final = 0.02
SHARE_CUT: Final = 0.02
SHARE_LOOPING: Final = 0.015
LOOPS: Final = 24
REFUSALS: Final = {
    "en": "I cannot answer this: it is no question about a ledger, a deadline or a clock.",
    "zh": "我无法回答：这不是关于账目、期限或钟表的问题。",
}


@dataclass(frozen=True)
class WorkedReply:
    """A worked answer; where the thinking was cut, `finish_reason` is "length" and `content` is empty."""

    thinking: str
    content: str
    finish_reason: str = "stop"


def work_out(text: str) -> WorkedReply:
    """Return the reply to a question, the same one every time; to any other text, a refusal."""
    try:
        sheet = read_question(text)
    except UnreadableQuestion:
        return WorkedReply("", REFUSALS[LANGUAGES[any("\u4e00" <= sign <= "\u9fff" for sign in text)]])
    rng = random.Random(hashlib.sha256("\n".join((sheet.language, *sheet.lines())).encode()).digest())
    draw = rng.random()
    if draw < SHARE_WRONG:
        return _slipped(rng, sheet)
    if draw < SHARE_WRONG + SHARE_CUT:
        return _cut(rng, _right(sheet))
    if draw < SHARE_WRONG + SHARE_CUT + SHARE_LOOPING:
        return _looping(rng, sheet)
    return _right(sheet)


def read_question(text: str) -> Sheet:
    """Return the question in a text: all of it, or the first line that is one.

    Raises:
        UnreadableQuestion: neither the text nor a line of it is a question of the field.
    """
    for candidate in (text, *text.splitlines()):
        try:
            return read_sheet(candidate)
        except UnreadableQuestion:
            continue
    raise UnreadableQuestion(f"No line of {text.strip()[:60]!r} is a question of the field.")


def _right(sheet: Sheet) -> WorkedReply:
    return WorkedReply("\n".join(sheet.lines()), f"Final Answer: {sheet.answer()}")


def _slipped(rng: random.Random, sheet: Sheet) -> WorkedReply:
    """Return a reply with one wrong sum, carried on rightly to a wrong answer."""
    counting = COUNTINGS[sheet.domain]
    at = rng.randrange(1, len(sheet.changes) + 1)
    slip = rng.choice([1, -1, 2]) * (5 if sheet.domain == "clock" else 1)
    values = [
        counting.after(value, slip) if place >= at else value for place, value in enumerate(sheet.values())
    ]
    answer = counting.write(values[-1], sheet.language)
    return WorkedReply("\n".join(lines_of(sheet, values)), f"Final Answer: {answer}")


def _cut(rng: random.Random, worked: WorkedReply) -> WorkedReply:
    """Return a reply that was stopped in the middle of its thinking."""
    at = rng.randrange(len(worked.thinking) // 3, len(worked.thinking) * 9 // 10)
    return WorkedReply(worked.thinking[:at], "", "length")


def _looping(rng: random.Random, sheet: Sheet) -> WorkedReply:
    """Return a reply that writes one line over and over before it goes on to the right answer."""
    lines = sheet.lines()
    at = rng.randrange(len(lines))
    lines[at : at + 1] = [lines[at]] * LOOPS
    return replace(_right(sheet), thinking="\n".join(lines))
