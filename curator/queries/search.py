"""Full-text search over a project's questions, in Chinese as in English."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    F,
    Func,
    IntegerField,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from common.models import Project
from common.paging import Order
from curator.core.search import Search, Term, read_search
from curator.models import Question
from curator.queries.among import among_keys

# The word of the index that all questions of a project have; no search can name it, for it has a space.
PROJECT_WORD = "project "
# The index first, and what it cannot tell after it. What has no words yet is searched by its text.
_BY_WORDS = """
with unwritten as materialized (
    select q.id from curator_question q where q.project_id = %(project)s
        and not exists (select from curator_questionwords words where words.question_id = q.id)
), found as (
    {hits}
    union all
    select unwritten.id from unwritten cross join lateral (
        select q.text, q.options from curator_question q where q.id = unwritten.id offset 0
    ) q where {terms}
    union all
    select id from curator_question where project_id = %(project)s and external_id = %(typed)s
    union all
    {repeats}
)
select coalesce(array_agg(id)::text, '{{}}') from found
"""
_HITS = """
    select question_id as id from curator_questionwords
    where words @@ (%(own)s::tsquery && to_tsquery('question_words', %(words)s))
"""
# The texts of what the index finds, one by one and by key: left alone, the planner takes the comparison for cheap
# and reads every text; and of a project that has just come it believes that it has one row, and would go through
# all of them for every hit.
_READ_HITS = """
    select hits.id from (
        select question_id as id, words from curator_questionwords
        where words @@ (%(own)s::tsquery && to_tsquery('question_words', %(words)s)) offset 0
    ) hits cross join lateral (
        select q.text, q.options, q.project_id from curator_question q where q.id = hits.id offset 0
    ) q where q.project_id = %(project)s and {literals}{begun}
"""
_BY_TEXT = """
select coalesce(array_agg(id)::text, '{{}}') from curator_question q
where q.project_id = %(project)s and ({terms} or q.external_id = %(typed)s or q.id in ({repeats}))
"""
# Questions that a row with this id repeats: the id is of another file than the question's own.
_REPEATS = """
    select q.id from curator_rowreport r join curator_question q on q.id = r.duplicate_of_id
    where r.external_id = %(typed)s and r.external_id <> '' and q.project_id = %(project)s
"""


# In millionths, of a text as long as it is: PostgreSQL's 1 divides by the logarithm of the length.
_RANK = "(ts_rank(%(expressions)s), 1) * 1000000)::int"
_RANKED = ", to_tsquery('question_words', "
_FIRST = 900_000_000


def searched(rows: "QuerySet[Question]", project: Project, typed: str) -> "QuerySet[Question]":
    """Return the questions that a person's words find, or that they name by number or by id."""
    search = read_search(typed)
    if search.number is not None:
        return rows.filter(pk=search.number)
    if not search.terms:
        return rows
    return rows.filter(among_keys("pk", _keys(project, search)))


def best_match(project: Project, typed: str) -> Order | None:
    """Return the order in which the best match of a search comes first; None where no words are searched.

    The more often and the closer together a question has the words, the better, and its own text outweighs
    its options; the one of which the words are the id in its source is before all. Newer ones come first
    among equals, and questions whose words are not written yet come last.
    """
    search = read_search(typed)
    if search.number is not None or not search.terms:
        return None
    rank = Func(
        F("words__words"),
        Value(search.wanted),
        template=_RANK,
        arg_joiner=_RANKED,
        output_field=IntegerField(),
    )
    # By key: an index has project and key, while the id in its source stands in the long row itself.
    same_id = Question.objects.filter(project=project, external_id=search.typed).order_by()
    named = When(pk__in=same_id.values("pk"), then=Value(_FIRST))
    return Order(Case(named, default=Coalesce(rank, 0)), is_down=True, read=_whole)


def _whole(text: str) -> int:
    if len(text) > len(str(_FIRST)):
        raise ValueError(text)
    return int(text)


def _keys(project: Project, search: Search) -> str:
    """Return the keys of what is found as PostgreSQL writes an array, which it also reads fastest.

    Where a search has no word, as "±" has none, all texts are read.
    """
    given: dict[str, Any] = {"project": project.pk, "words": search.words, "typed": search.typed}
    given["own"] = f"'{PROJECT_WORD}{project.pk}'"
    given |= {f"term{place}": term.pattern for place, term in enumerate(search.terms)}
    terms = list(enumerate(search.terms))
    literals = [(place, term) for place, term in terms if term.is_literal]
    with connection.cursor() as cursor:
        begun = [(place, term) for place, term in terms if term.is_prefix and _is_folded(cursor, term)]
        given |= {f"whole{place}": term.whole for place, term in begun}
        cursor.execute("select numnode(to_tsquery('question_words', %(words)s)) > 0", given)
        statement = _BY_WORDS if cursor.fetchone()[0] else _BY_TEXT
        hits = _READ_HITS.format(literals=_conditions(literals), begun=_begun(begun))
        hits = hits if literals or begun else _HITS
        cursor.execute(statement.format(terms=_conditions(terms), hits=hits, repeats=_REPEATS), given)
        return str(cursor.fetchone()[0])


def _is_folded(cursor: Any, term: Term) -> bool:
    """Tell whether the index has a word otherwise than it is typed, so that what begins like it proves nothing."""
    cursor.execute("select ts_lexize('question_stem', %s)", [term.text])
    return list(cursor.fetchone()[0] or []) != [term.text.lower()]


def _conditions(terms: Sequence[tuple[int, Term]]) -> str:
    """Return what a text must hold, and must not, in SQL that names each pattern by its place."""
    return " and ".join(_says(place, term) for place, term in terms) or "true"


def _says(place: int, term: Term) -> str:
    """Return whether a question's text or one of its options holds a term, or neither does."""
    both = " and " if term.is_excluded else " or "
    parts = ("q.text", "array_to_string(q.options, E'\\n')")
    return f"({both.join(f'{part} {_like(term)} %(term{place})s' for part in parts)})"


def _begun(terms: Sequence[tuple[int, Term]]) -> str:
    """Return what holds of a word that may go on: the index finds it by its stem, and "apples" is no "apply"."""
    return "".join(
        f" and (hits.words @@ to_tsquery('question_words', %(whole{place})s) or {_says(place, term)})"
        for place, term in terms
    )


def _like(term: Term) -> str:
    """Return how a text is compared: for ASCII and for scripts without case in a way twice as fast."""
    is_plain = all(letter.isascii() or letter.lower() == letter.upper() for letter in term.text)
    how = "not ilike" if term.is_excluded else "ilike"
    return f'collate "C" {how}' if is_plain else how
