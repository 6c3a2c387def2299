"""As many rows as s1 began with, 1 GB of traces, written to files in little memory."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from common.models import Project
from curator.models import Dataset, Selection
from tests.bench import traced
from tests.bench.commands import run_command
from tests.bench.figures import MIB, Figure, timed
from tests.bench.selection import S1_ROWS

NAME = "Exporting a gigabyte"
MOST_MIB = 500
FORMATS = ("jsonl", "messages", "parquet", "hf")
_ROWS = """
insert into curator_datasetrow (dataset_id, position, question_hash, trace_hash, content)
select %s, row_number() over (order by t.id) - 1, q.content_hash, t.content_hash, jsonb_build_object(
    'id', q.content_hash, 'external_id', q.external_id, 'question', q.text, 'options', to_jsonb(q.options),
    'key', q.key, 'solution', q.solution, 'marks', null, 'language', q.language, 'domain', d.code,
    'source', p.name, 'licence', p.licence, 'thinking', t.thinking, 'answer', t.answer, 'teacher', 'teacher',
    'thinking_tokens', t.thinking_tokens, 'verdict', t.verdict, 'trace_hash', t.content_hash)
from curator_trace t join curator_question q on q.id = t.question_id
join curator_pool p on p.id = q.pool_id left join curator_domain d on d.id = q.domain_id
where q.project_id = %s
"""


@dataclass(frozen=True)
class Exported:
    """What one command wrote, how long it took as a process, and the most memory that it held."""

    written_bytes: int
    seconds: float
    peak_bytes: int


def run(scale: float) -> list[Figure]:
    """Export by the command, in several formats, beside the database's own way of giving out the same rows."""
    dataset = _frozen(traced.long_traces("exporting", round(S1_ROWS * scale)))
    baseline = _given_out(dataset)
    figures = []
    for name in FORMATS:
        done = exported(dataset, name)
        held = done.peak_bytes / MIB
        note = f"{held:,.0f} MiB of memory, {done.written_bytes / 1e9:.2f} GB written, {dataset.row_count:,} rows"
        figures.append(
            Figure(
                f"export {name}",
                done.seconds,
                "COPY of the same rows",
                baseline,
                done.seconds / baseline,
                f"at most {MOST_MIB} MiB",
                note,
                kept=held <= MOST_MIB,
            )
        )
    return figures


def _frozen(project: Project) -> Dataset:
    """Return a dataset of all traces of a project, its rows made by the database."""
    selection = Selection.objects.create(project=project, name="s", method={}, method_name="all", size=1)
    count = project.questions.count()
    dataset: Dataset = Dataset.objects.create(
        project=project,
        selection=selection,
        name="all",
        content_hash="e" * 64,
        row_count=count,
        card={"pools": [{"name": "all", "licence": "unknown", "rows": count}], "terms": []},
    )
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [dataset.pk, project.pk])
    return dataset


def _given_out(dataset: Dataset) -> float:
    """Return the seconds in which the rows come out of the database, in order and unread."""
    query = f"copy (select content from curator_datasetrow where dataset_id = {dataset.pk} order by position) to stdout"
    with timed() as clock, connection.cursor() as cursor, cursor.copy(query) as copy:
        for _block in copy:
            pass
    return clock.seconds


def exported(dataset: Dataset, file_format: str) -> Exported:
    """Run `manage.py export`."""
    with tempfile.TemporaryDirectory(prefix="qianti-bench-") as folder:
        ran = run_command("export", str(dataset.pk), "--format", file_format, "--to", folder)
        written = sum(Path(file).stat().st_size for file in ran.said["files"])
    return Exported(written, ran.seconds, ran.peak_bytes)
