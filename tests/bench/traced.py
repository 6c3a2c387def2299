"""Projects whose questions have traces: long real ones from a file's texts, or short ones made by the database."""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from django.db import connection
from psycopg import sql

from common.models import Project
from curator.models import Domain, Pool, Question, Solver, Teacher, Trace
from tests.bench import material

MEAN_BYTES = 17_000  # of a trace: 59,029 of them are 1 GB
SPREAD = 0.8  # of the logarithm of their lengths
ANSWER = "The answer is {}."
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# How many in a thousand traces are spoilt on purpose, beside what is wrong with real ones.
SPOILT = {"truncated": 15, "no-answer": 8, "refusal": 4, "loop": 10, "no-thinking": 3}
QUESTION = {"options": "{}", "tags": "{}", "copy_ruling": "open", "neutralised": "f", "domain_source": "file"}
TIMES = {"created_at": NOW, "changed_at": NOW}
ANSWERING = {
    "sample": 0,
    "answer_tokens": 20,
    "tokens_counted_by": "estimate",
    "verdict_rule": "letters",
    "created_at": NOW,
}


def long_traces(slug: str, count: int) -> Project:
    """Return a project of `count` questions, each with a trace of 17 kB on average and two solvers' tries.

    Everything but the keys of rows is the same at every call.
    """
    project: Project = material.project(slug)
    rows = material.rows(count)
    _questions(project, rows)
    keys = list(Question.objects.filter(project=project).order_by("pk").values_list("pk", flat=True))
    _attempts(project, keys)
    _traces(project, rows, keys)
    settle()
    return project


def gigabytes(project: Project) -> float:
    """Return how many billion bytes of UTF-8 a project's traces have, thinking and answers together."""
    query = (
        "select sum(octet_length(t.thinking) + octet_length(t.answer)) from curator_trace t"
        " join curator_question q on q.id = t.question_id where q.project_id = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [project.pk])
        return int(cursor.fetchone()[0]) / 1e9


def _questions(project: Project, rows: list[dict[str, Any]]) -> None:
    branches = sorted({_branch(row) for row in rows})
    domains = {
        branch: Domain.objects.create(project=project, code=branch, name=branch, weight=1 + number % 3).pk
        for number, branch in enumerate(branches)
    }
    sources = sorted({row["source"].split("/")[0] for row in rows})
    pools = {name: Pool.objects.create(project=project, name=name, licence="unknown").pk for name in sources}
    varied = (
        (
            pools[row["source"].split("/")[0]],
            hashlib.sha256(f"{number} {row['question']}".encode()).hexdigest(),
            domains[_branch(row)],
            row["question"],
            row["answer"],
            row["solution"] or "",
            row["language"],
            _standing(number),
        )
        for number, row in enumerate(rows)
    )
    named = ("pool_id", "content_hash", "domain_id", "text", "key", "solution", "language", "standing")
    _copied(Question, named, varied, {"project_id": project.pk, "external_id": "", **QUESTION, **TIMES})


def _branch(row: Mapping[str, Any]) -> str:
    return f"{row['domain']} {row['source'].split('/')[0]}"


def _standing(number: int) -> str:
    return {0: "pinned", 1: "banned"}.get(number % 5_000, "open")


def _attempts(project: Project, keys: list[int]) -> None:
    fixed = {"thinking": "", "answer": "B", "thinking_tokens": 0, "finish_reason": "stop", "cost_usd": 0}
    for name, passed in (("weak", 0.2), ("strong", 0.5)):
        solver, rng = Solver.objects.create(project=project, name=name), Random(name)
        verdicts = ((key, "right" if rng.random() < passed else "wrong") for key in keys)
        _copied(
            Solver._meta.get_field("attempts").related_model,
            ("question_id", "verdict"),
            verdicts,
            {"solver_id": solver.pk, **fixed, **ANSWERING},
        )


def _traces(project: Project, rows: list[dict[str, Any]], keys: list[int]) -> None:
    teacher = Teacher.objects.create(project=project, name="teacher")
    named = ("question_id", "thinking", "answer", "finish_reason", "thinking_tokens", "verdict")
    varied = ((key, *_trace(number, rows[number])) for number, key in enumerate(keys))
    fixed = {
        "teacher_id": teacher.pk,
        "cost_usd": "0.02",
        "neutralised": "f",
        "is_summary": "f",
        "terms": "",
        **ANSWERING,
    }
    _copied(
        Trace,
        (*named, "content_hash"),
        ((*row, hashlib.sha256(str(row[0]).encode()).hexdigest()) for row in varied),
        fixed,
    )


def _trace(number: int, row: Mapping[str, Any]) -> tuple[str, str, str, int, str]:
    """Return thinking, answer, finish reason, tokens and verdict of the trace of one question."""
    rng = Random(f"trace {number}")
    thinking = _thinking(row["language"], rng)
    answer, finish = ANSWER.format(row["answer"]), "stop"
    match _spoilt(rng.randrange(1000)):
        case "truncated":
            answer, finish = "", "length"
        case "no-answer":
            answer = ""
        case "refusal":
            answer = "I'm sorry, I cannot answer that."
        case "loop":
            thinking += "\nSo we try again." * 50
        case "no-thinking":
            thinking = ""
    return thinking, answer, finish, len(thinking) // 4, rng.choice(("right", "right", "wrong"))


def _spoilt(drawn: int) -> str:
    for name, share in SPOILT.items():
        if drawn < share:
            return name
        drawn -= share
    return ""


def _thinking(language: str, rng: Random) -> str:
    """Return a stretch of real thinking in a language, of a length drawn from a log-normal law."""
    texts, bytes_each = _texts(language)
    # exp(spread² / 2) is the mean of that law where its median is 1.
    median = MEAN_BYTES / bytes_each / 2.718281828 ** (SPREAD**2 / 2)
    length = int(median * rng.lognormvariate(0, SPREAD))
    start = rng.randrange(max(1, len(texts) - length))
    return texts[start : start + length]


@cache
def _texts(language: str) -> tuple[str, float]:
    """Return all thinking in a language as one text, and how many bytes of UTF-8 a character of it takes."""
    joined = "\n\n".join(_chinese() if language == "zh" else _english())
    return joined, len(joined.encode()) / len(joined)


def _english() -> Iterator[str]:
    files = sorted((material.FOLDER / "traces").glob("*.jsonl.gz"))
    if not files:
        yield from (
            row["solution"] for row in map(material.made_up, range(20_000)) if row["language"] == "en"
        )
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            yield from (json.loads(line)["thinking"] for line in lines)


def _chinese() -> Iterator[str]:
    """Yield worked solutions, for no real Chinese thinking lies beside the project."""
    rows = material.real_rows() or tuple(map(material.made_up, range(20_000)))
    return (row["solution"] for row in rows if row["language"] == "zh" and row["solution"])


def short_traces(slug: str, count: int) -> Project:
    """Return a project of `count` questions with a trace each, a few hundred characters long."""
    project: Project = material.project(slug)
    pool = Pool.objects.create(project=project, name="made up", licence="unknown")
    teacher = Teacher.objects.create(project=project, name="teacher")
    for number in range(50):
        Domain.objects.create(project=project, code=f"{slug} {number:02}", name=f"{number:02}")
    with connection.cursor() as cursor:
        cursor.execute(_SHORT_QUESTIONS, {"project": project.pk, "pool": pool.pk, "count": count})
        cursor.execute(_SHORT_TRACES, {"project": project.pk, "teacher": teacher.pk})
    settle()
    return project


_SHORT_QUESTIONS = """
with branches as (select array_agg(id order by id) as ids from curator_domain where project_id = %(project)s)
insert into curator_question (project_id, pool_id, content_hash, external_id, text, options, key, solution,
  language, domain_id, domain_source, tags, copy_ruling, standing, neutralised, created_at, changed_at)
select %(project)s, %(pool)s, encode(sha256(n::text::bytea), 'hex'), '',
  'What is the sum of ' || n || ' and ' || md5(n::text) || '?', '{}', n::text, '', 'en', ids[1 + n %% 50], 'file',
  '{}', 'open', 'open', false, now(), now()
from generate_series(1, %(count)s) as n, branches
"""
_SHORT_TRACES = """
insert into curator_trace (question_id, teacher_id, content_hash, neutralised, sample, thinking, answer,
  thinking_tokens, answer_tokens, tokens_counted_by, finish_reason, verdict, verdict_rule, cost_usd, created_at,
  is_summary, terms)
select id, %(teacher)s, content_hash, false, 0,
  'First, ' || md5(id::text) || E'.\n\nThen, ' || md5(content_hash) || E'.\n\nSo it is ' || key || '.',
  'The answer is ' || key || '.', 100 + id %% 9000, 20, 'estimate', 'stop',
  case when id %% 3 = 0 then 'wrong' else 'right' end, 'numbers', 0.01, now(), false, ''
from curator_question where project_id = %(project)s
"""


def _copied(
    table: type[Any], named: Iterable[str], rows: Iterable[tuple[Any, ...]], fixed: Mapping[str, Any]
) -> None:
    """COPY rows of the named columns into a table, with the same values for all in the other columns."""
    columns = sql.SQL(", ").join(map(sql.Identifier, (*named, *fixed)))
    copy = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table._meta.db_table), columns)
    same = tuple(fixed.values())
    with connection.cursor() as cursor, cursor.copy(copy) as into:
        for row in rows:
            into.write_row((*row, *same))


def settle() -> None:
    """Do what the database's own clean-up would do soon: count rows, and write what was changed to the disk."""
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
        cursor.execute("checkpoint")
