"""A question's words, written for full-text search soon after the question itself.

An import waits for none of this: a question whose words are not there yet is searched by its text. Words
bear the mark of how they were made; those that were made otherwise are written anew.
"""

from typing import Any

from django.db import connection

from curator.queries.search import PROJECT_WORD

ROWS_AT_ONCE = 2000
LOCK = 7_014  # of the one writer, among PostgreSQL's advisory locks
MARK = "made with options and project"  # a word of the index that no search can name, for it has spaces
# One statement a batch, in the order of the questions. What the question itself says weighs more than what
# its options say.
_WRITE = """
with missing as (
  select question.id, question.project_id, question.text, array_to_string(question.options, E'\\n') as options
  from curator_question question
  where question.id > %(after)s and not exists (
    select from curator_questionwords words
    where words.question_id = question.id and words.words @@ %(mark)s::tsquery)
  order by question.id limit %(limit)s
  for key share of question
), written as (
  insert into curator_questionwords (question_id, words)
  select id, setweight(question_words(text), 'A') || question_words(options)
    || array_to_tsvector(array[%(name)s, %(project)s || project_id])
  from missing on conflict (question_id) do update set words = excluded.words
)
select count(*), max(id) from missing
"""


def write_missing_words(*, limit: int | None = None) -> int:
    """Write the words of questions that have none of today's making, `limit` at most; return of how many.

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
    asked = {"name": MARK, "mark": f"'{MARK}'", "project": PROJECT_WORD}
    while limit is None or written < limit:
        size = ROWS_AT_ONCE if limit is None else min(ROWS_AT_ONCE, limit - written)
        cursor.execute(_WRITE, asked | {"after": after, "limit": size})
        found, last = cursor.fetchone()
        if not found:
            break
        written, after = written + found, last
    return written
