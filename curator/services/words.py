"""A question's words, written for full-text search soon after the question itself.

An import waits for none of this: a question whose words are not there yet is searched by its text.
"""

from typing import Any

from django.db import connection

ROWS_AT_ONCE = 2000
LOCK = 7_014  # of the one writer, among PostgreSQL's advisory locks
# One statement a batch, in the order of the questions.
_WRITE = """
with missing as (
  select question.id, question.text from curator_question question
  where question.id > %(after)s
    and not exists (select from curator_questionwords words where words.question_id = question.id)
  order by question.id limit %(limit)s
  for key share of question
), written as (
  insert into curator_questionwords (question_id, words)
  select id, question_words(text) from missing on conflict do nothing
)
select count(*), max(id) from missing
"""


def write_missing_words(*, limit: int | None = None) -> int:
    """Write the words of questions that have none, `limit` at most; return of how many.

    Each batch stands by itself, so that what is written stays when the rest fails. Of two that write at
    once, the second leaves it to the first, which comes to the newest questions last.
    """
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        try:
            return _write(cursor, limit)
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [LOCK])


def _write(cursor: Any, limit: int | None) -> int:
    written, after = 0, 0
    while limit is None or written < limit:
        size = ROWS_AT_ONCE if limit is None else min(ROWS_AT_ONCE, limit - written)
        cursor.execute(_WRITE, {"after": after, "limit": size})
        found, last = cursor.fetchone()
        if not found:
            break
        written, after = written + found, last
    return written
