"""An import beside a bare COPY of the same rows, into a table of the same columns."""

import tempfile
from pathlib import Path
from typing import Any

from django.db import connection

from curator.models import Question
from curator.services import imports, pools, words
from tests.bench import material
from tests.bench.commands import Ran, memory_growth, run_command
from tests.bench.figures import Figure, at_most, fastest, timed, within

NAME = "Importing a file of questions"
TIMES = 3
TEN_TIMES, MOST_GROWTH = 10, 11


def run(scale: float) -> list[Figure]:
    """Import one CSV of all questions, and COPY what it stored once more, into tables without our code."""
    count = round(material.REAL_ROWS * scale)
    with tempfile.TemporaryDirectory() as folder:
        path = material.write_csv(Path(folder) / "bank.csv", count)
        seconds = min(import_once(path, f"imports-{time}") for time in range(TIMES))
        again = import_again(path)
    with timed() as worded:
        written = words.write_missing_words(limit=count)
    stored = Question.objects.filter(project__slug="imports-0")
    note = f"{count:,} rows, {stored.count():,} of them new; read, mapped, compared, stored, searchable"
    bare, whole = copied_again("")[0], copied_again("including all")[0]
    return [
        at_most("import of one CSV", seconds, "COPY, same columns, no index", bare, 3, note),
        Figure("the same", seconds, "COPY of text made ready", ready := streamed_again(), seconds / ready),
        Figure("the same", seconds, "COPY, same indexes and checks", whole, seconds / whole),
        within("the same, beside Label Studio's 18.5 s", seconds, 15 * max(scale, 0.1)),
        within(
            "the same questions in another file",
            again,
            15 * max(scale, 0.1),
            "compared with all that are there; none added",
        ),
        Figure(
            "words for search, after it", worded.seconds, note=f"{written:,} questions, in the background"
        ),
        *growth(count),
    ]


def growth(count: int) -> list[Figure]:
    """Import by the command, into projects of their own, and ten times as many questions."""
    few, many = (imported(size) for size in (count, TEN_TIMES * count))
    note = f"{many.said['imported']:,} of them new; the whole command"
    base = f"{count:,} rows"
    return [
        at_most("import, growth", many.seconds, base, few.seconds, MOST_GROWTH, note),
        memory_growth("the same, memory", few, many),
    ]


def imported(count: int) -> Ran:
    """Run `manage.py import_pool` on a file of so many questions."""
    project = material.project(f"grown-{count}")
    with tempfile.TemporaryDirectory() as folder:
        path = material.write_csv(Path(folder) / "bank.csv", count)
        return run_command("import_pool", project.slug, str(path), "--pool", "bank", "--licence", "unknown")


def import_once(path: Path, slug: str) -> float:
    """Import a file into a project of its own; return the seconds from its upload to the end of the job."""
    pool = pools.create_pool(project=material.project(slug), name="bank", licence="unknown")
    with timed() as clock:
        job = pools.start_import(pool=pool, content=path, file_name=path.name, mapping=None, by=None)
        imports.run_import(job=job)
    return clock.seconds


def import_again(path: Path) -> float:
    """Read the questions once more, from a file that differs in its last bytes; return the seconds."""
    other = path.with_name("again.csv")
    other.write_bytes(path.read_bytes() + b"\n")
    pool = pools.create_pool(project=Question.objects.latest("pk").project, name="again", licence="unknown")
    with timed() as clock:
        job = pools.start_import(pool=pool, content=other, file_name=other.name, mapping=None, by=None)
        imports.run_import(job=job)
    if job.rows_imported:
        raise AssertionError(f"{job.rows_imported} questions were added twice")
    return clock.seconds


def copied_again(like: str) -> tuple[float, int]:
    """Return the seconds of a COPY of the stored rows into an empty table, and how many there were."""
    with connection.cursor() as cursor:
        cursor.execute("select * from curator_question where project_id = %s", [first_project()])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        types = [column.type_code for column in cursor.description]

        def copy() -> None:
            cursor.execute("drop table if exists bench_copy")
            cursor.execute(f"create table bench_copy (like curator_question {like})")
            with cursor.copy("copy bench_copy from stdin") as into:
                into.set_types(types)
                for row in rows:
                    into.write_row(row)

        return fastest(copy, TIMES), len(rows)


def streamed_again() -> float:
    """Return the seconds of a COPY of the stored rows whose text stands ready: what PostgreSQL alone takes."""
    whose = f"from curator_question where project_id = {first_project()}"
    with connection.cursor() as cursor:
        with cursor.copy(f"copy (select * {whose}) to stdout") as out:
            blocks = [bytes(block) for block in out]

        def copy() -> None:
            cursor.execute("drop table if exists bench_copy")
            cursor.execute("create table bench_copy (like curator_question)")
            with cursor.copy("copy bench_copy from stdin") as into:
                for block in blocks:
                    into.write(block)

        return fastest(copy, TIMES)


def first_project() -> int:
    """Return the project of the first import."""
    return Question.objects.filter(project__slug="imports-0").values_list("project_id", flat=True)[0]
