"""Replies kept under the address of all that was asked, so that nobody pays for the same one again."""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from django.db import connection
from django.db.models import Q

from common.core.text import neutralise
from common.endpoints import Address, Prompt, Reply
from common.models import Project
from curator.models import StoredReply

_COLUMNS = (
    "address",
    "thinking",
    "answer",
    "thinking_tokens",
    "answer_tokens",
    "tokens_in",
    "tokens_counted_by",
    "finish_reason",
    "is_summary",
    "cost_usd",
    "receipt",
)


class Received(NamedTuple):
    """A reply as it came; the receipt is its own, and is the same when it is stored a second time."""

    address: str
    reply: Reply
    cost_usd: Decimal
    receipt: str


class Kept(NamedTuple):
    """A reply that is there already, and what it cost whoever asked first."""

    reply: Reply
    cost_usd: Decimal


def address_of_question(endpoint: Address, prompt: Prompt, sample: str) -> str:
    """Return the SHA-256, in 64 hex digits, of all that decides a reply, and of which try of how many this is."""
    asked = {
        "base_url": endpoint.base_url.rstrip("/"),
        "model": endpoint.model,
        "max_tokens": endpoint.max_tokens,
        "temperature": endpoint.temperature,
        "thinking_form": endpoint.thinking_form,
        "extra_body": dict(endpoint.extra_body),
        "system": prompt.system,
        "user": prompt.user,
        "wants_json": prompt.wants_json,
        "sample": sample,
    } | ({"schema": dict(prompt.schema)} if prompt.schema else {})
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def recall(project: Project, addresses: Iterable[str]) -> dict[str, Kept]:
    """Return the replies that are there, by address: the project's own, or those that both projects share."""
    may_read = Q(project=project)
    if project.shares_answers:
        may_read |= Q(project__shares_answers=True)
    rows = StoredReply.objects.filter(may_read, address__in=list(addresses))
    return {row.address: Kept(_reply(row), row.cost_usd) for row in rows}


def keep(project: Project, received: Sequence[Received]) -> Decimal:
    """Store replies under their addresses; return what is to be paid for them, and was not booked before.

    Where a reply is there already, since two have asked at the same time, that one stays and both are paid for. A
    transaction that is tried again after its connection broke counts none twice that it had stored.
    """
    rows = list({each.receipt: each for each in received}.values())
    place = f"({', '.join(['%s'] * (len(_COLUMNS) + 1))}, now())"
    with connection.cursor() as cursor:
        cursor.execute(
            "select receipt from curator_storedreply where project_id = %s and receipt = any(%s)"
            " and address = any(%s)",
            [project.pk, [row.receipt for row in rows], [row.address for row in rows]],
        )
        booked = {receipt for (receipt,) in cursor.fetchall()}
        cursor.execute(
            f"insert into curator_storedreply (project_id, {', '.join(_COLUMNS)}, created_at) "  # noqa: S608
            f"values {', '.join([place] * len(rows))} "
            "on conflict (address, project_id) do nothing",
            [value for row in rows for value in _row(project, row)],
        )
    return sum((row.cost_usd for row in rows if row.receipt not in booked), Decimal(0))


def _row(project: Project, received: Received) -> tuple[Any, ...]:
    reply = received.reply
    return (
        project.pk,
        received.address,
        neutralise(reply.thinking)[0],
        neutralise(reply.answer)[0],
        reply.thinking_tokens,
        reply.answer_tokens,
        reply.tokens_in,
        reply.tokens_counted_by[:100],
        reply.finish_reason[:40],
        reply.is_summary,
        received.cost_usd,
        received.receipt,
    )


def _reply(row: StoredReply) -> Reply:
    return Reply(
        thinking=row.thinking,
        answer=row.answer,
        finish_reason=row.finish_reason,
        tokens_in=row.tokens_in,
        thinking_tokens=row.thinking_tokens,
        answer_tokens=row.answer_tokens,
        tokens_counted_by=row.tokens_counted_by,
        is_summary=row.is_summary,
    )
