"""A project's questions and traces as the columns that the criteria look at, kept between draws."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import connection
from django.db.models import BigIntegerField, Count, Sum
from django.db.models.expressions import RawSQL
from psycopg import sql

from common.access import ProjectRow
from common.models import Project
from curator.core.best import BY_KEY, Kind
from curator.core.candidates import Candidates, candidates
from curator.models import (
    Attempt,
    Benchmark,
    ChosenTrace,
    Domain,
    Doubt,
    Leak,
    NearCopy,
    Pool,
    QualityPattern,
    Question,
    RowReport,
    Trace,
)
from curator.queries.taxonomy import branches_of
from curator.services.flaws import patterns_of

PROJECTS_KEPT = 4  # in the memory of one process
_QUESTIONS = """
select q.content_hash as id, q.id as pk, coalesce(d.code, '') as domain,
  least(p.name collate "C", h.source) as source,
  coalesce(a.attempts, 0) as attempts, coalesce(a.passes, 0) as passes, coalesce(q.rating, 0) as rating,
  (q.standing = 'pinned')::int as pinned, (q.standing = 'banned')::int as banned,
  (q.key_disputed or exists (select from curator_doubt b where b.question_id = q.id and b.settled_at is null)
  )::int as disputed,
  coalesce(l.benchmark, '') as leaked, coalesce(l.item, 0) as leaked_item, coalesce(k.id, 0) as copy_of,
  coalesce(array_to_string(q.flaws, ','), '') as flaws
from curator_question q
join curator_pool p on p.id = q.pool_id
left join curator_domain d on d.id = q.domain_id
left join (select r.duplicate_of_id as question_id, min(s.name collate "C") as source
  from curator_rowreport r join curator_import i on i.id = r.imported_by_id
  join curator_pool s on s.id = i.pool_id and s.project_id = {project}
  where r.duplicate_of_id is not null group by r.duplicate_of_id) h on h.question_id = q.id
left join (select question_id, count(*) as attempts, count(*) filter (where verdict = 'right') as passes
  from curator_attempt group by question_id) a on a.question_id = q.id
left join (select distinct on (l.question_id) l.question_id, b.name as benchmark, i.position + 1 as item
  from curator_leak l join curator_benchmarkitem i on i.id = l.item_id
  join curator_benchmark b on b.id = i.benchmark_id
  where l.overruled_at is null order by l.question_id, b.name, i.position) l on l.question_id = q.id
left join curator_nearcopy n on n.question_id = q.id
left join curator_question k on k.id = n.keeper_id and k.standing <> 'banned'
where q.project_id = {project}
"""
_TRACES = """
select t.question_id as question, t.id as trace, t.thinking_tokens as tokens,
  (t.verdict = 'right')::int as is_right, coalesce(array_to_string(t.flaws, ','), '') as flaws,
  t.cost_usd as usd, t.teacher_id as teacher,
  case when t.is_summary then {summary} when octet_length(t.thinking) = 0 then {bare} else {trace} end as kind,
  case when t.verdict = 'right' then {by_key} else coalesce(t.answer_form, '') end as said,
  ('x' || left(t.content_hash, 15))::bit(60)::bigint as content, (c.id is not null)::int as is_chosen
from curator_trace t join curator_question q on q.id = t.question_id
left join curator_chosentrace c on c.trace_id = t.id and c.question_id = q.id
where q.project_id = {project}
"""
# A row that is written anew gets a new transaction number, so that count and sum of them tell every change
# of a table, by whomever it was made.
_STAMPED: tuple[type[ProjectRow], ...] = (
    Question,
    RowReport,
    Trace,
    ChosenTrace,
    Doubt,
    Attempt,
    Leak,
    NearCopy,
    Domain,
    Pool,
    Benchmark,
    QualityPattern,
)
_TEXT_COLUMNS = {"id", "domain", "source", "leaked", "flaws", "said"}


@dataclass(frozen=True)
class _Kept:
    everywhere: str  # the stamp of the tables as a whole, which is the quicker one
    here: str  # the stamp of the project's own rows
    columns: Candidates


_kept: OrderedDict[int, _Kept] = OrderedDict()


def table_of(project: Project) -> Candidates:
    """Return a project's questions and traces as columns, from memory if nothing of it has changed since."""
    everywhere = _stamp_everywhere()
    kept = _kept.get(project.pk)
    if kept is None or kept.everywhere != everywhere:
        here = _stamp_of(project)
        columns = kept.columns if kept and kept.here == here else _read(project)
        _kept[project.pk] = kept = _Kept(everywhere, here, columns)
    _kept.move_to_end(project.pk)
    while len(_kept) > PROJECTS_KEPT:
        _kept.popitem(last=False)
    return kept.columns


def usd_per_trace(table: Candidates) -> float:
    """Return the mean price of the traces that were paid for, or 0 where none was."""
    paid = table.traces["usd"].filter(table.traces["usd"] > 0)
    return float(paid.mean() or 0) if paid.len() else 0.0  # type: ignore[arg-type]


def _stamp_everywhere() -> str:
    one = sql.SQL("select count(*), sum(xmin::text::bigint) from {}")
    parts = [one.format(sql.Identifier(model._meta.db_table)) for model in _STAMPED]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" union all ").join(parts))
        return str(cursor.fetchall())


def _stamp_of(project: Project) -> str:
    return str([_stamp_of_rows(model, project) for model in _STAMPED])


def _stamp_of_rows(model: type[ProjectRow], project: Project) -> Any:
    rows = model._default_manager.filter(**{model.project_path: project}).order_by()
    number = RawSQL(f'"{model._meta.db_table}".xmin::text::bigint', [], output_field=BigIntegerField())  # noqa: S611 - a name of our own
    return rows.annotate(number=number).aggregate(Count("pk"), Sum("number"))


def _read(project: Project) -> Candidates:
    patterns = patterns_of(project)
    masks = {pattern.name: 1 << bit for bit, pattern in enumerate(patterns)}
    questions = _masked(_columns(_QUESTIONS, project), masks)
    branches = branches_of(Domain.objects.filter(project=project))
    return candidates(
        questions.with_columns(
            pl.col("domain").replace(branches).alias("branch"),
            *(pl.col(flag).cast(pl.Boolean) for flag in ("pinned", "banned", "disputed")),
        ),
        _masked(_columns(_TRACES, project), masks).with_columns(
            pl.col(flag).cast(pl.Boolean) for flag in ("is_right", "is_chosen")
        ),
        {pattern.name: pattern.reason for pattern in patterns},
    )


def _columns(query: str, project: Project) -> pl.DataFrame:
    """Return the rows of a query as columns; COPY hands them over many times faster than rows of Python."""
    whole = sql.SQL("copy ({}) to stdout (format csv, header, force_quote *)").format(
        sql.SQL(query).format(
            project=sql.Literal(project.pk),
            by_key=sql.Literal(BY_KEY),
            **{kind.name.lower(): sql.Literal(kind.value) for kind in Kind},
        )
    )
    with connection.cursor() as cursor, cursor.copy(whole) as copy:
        content = b"".join(copy)
    frame = pl.read_csv(content, infer_schema=False, empty_string_is_null=False)
    return frame.with_columns(
        pl.col(name).cast(pl.Float64 if name == "usd" else pl.Int64)
        for name in frame.columns
        if name not in _TEXT_COLUMNS
    )


def _masked(frame: pl.DataFrame, masks: Mapping[str, int]) -> pl.DataFrame:
    """Return columns whose flaws are bits; a name that is looked for no more counts for nothing."""
    lists = frame["flaws"].unique().to_list()
    bits = [sum(masks.get(name, 0) for name in set(names.split(","))) for names in lists]
    known = pl.DataFrame({"flaws": lists, "mask": bits}, schema={"flaws": pl.String, "mask": pl.UInt64})
    return (
        frame.join(known, on="flaws", how="left", maintain_order="left")
        .drop("flaws")
        .rename({"mask": "flaws"})
    )
