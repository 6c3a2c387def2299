"""Questions asked of a teacher that takes 300 ms for each, 64 at once, beside the time that nothing could undercut.

The stand-in runs in a process of its own and is no model. What is timed is the whole order: reading questions,
limits, money, HTTP, reading streams, storing replies, marking, storing traces.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from tests.bench import material
from tests.bench.figures import Figure, at_most, timed

NAME = "Asking a teacher"
QUESTIONS, IN_FLIGHT, LATENCY_MS = 2000, 64, 300
LIMIT = 1.15
LIMITED = {"requests_per_minute": 100_000, "tokens_per_minute": 500_000_000}
PRICED = {"price_in_usd": Decimal("0.55"), "price_out_usd": Decimal("2.19")}


def run(scale: float) -> list[Figure]:
    """Ask the same questions of a free teacher, and of one that has a price and limits a minute."""
    questions = max(IN_FLIGHT * 4, round(QUESTIONS * scale))
    with answering() as url:
        pool = _pool(questions)
        return [
            _figure("free teacher", pool, questions, url, {}),
            _figure("priced teacher with limits", pool, questions, url, {**PRICED, **LIMITED}),
        ]


@contextmanager
def answering() -> Iterator[str]:
    """Serve in a process of its own until the block ends; yield its address."""
    words = [sys.executable, "-m", "tests.stand_in", "--latency-ms", str(LATENCY_MS)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()  # type: ignore[union-attr]
        finally:
            server.terminate()


def _pool(count: int) -> Any:
    """Store questions, and return their pool."""
    from common.models import Project
    from curator.models import Pool, Question

    project = Project.objects.create(slug="asking", name="asking", money_limit_usd=100_000)
    pool = Pool.objects.create(project=project, name="pool", licence="CC0-1.0")
    rows = material.rows(count)
    Question.objects.bulk_create(
        Question(
            project=project,
            pool=pool,
            text=f"{row['question']} ({number})",
            options=row["options"] or [],
            key=str(row["answer"]),
            language=row["language"],
            content_hash=f"{number:064x}",
        )
        for number, row in enumerate(rows)
    )
    return pool


def _figure(name: str, pool: Any, count: int, url: str, fields: dict[str, Any]) -> Figure:
    from curator.services import collecting, endpoints

    teacher = endpoints.create_teacher(
        project=pool.project, name=name, base_url=url, model=name, max_in_flight=IN_FLIGHT, **fields
    )
    job = collecting.start_collection(teacher=teacher, by=None)
    with timed() as clock:
        collecting.run_collection(job=job)
    job.refresh_from_db()
    if job.stored != count:
        raise RuntimeError(f"{job.stored} of {count} answers were stored")
    ideal = count / IN_FLIGHT * LATENCY_MS / 1000
    note = f"{count / clock.seconds:.0f} answers a second, {IN_FLIGHT} in flight"
    return at_most(name, clock.seconds, "latency alone", ideal, LIMIT, note)
