"""Questions to measure with: the real pools where they lie beside the project, made-up ones elsewhere."""

import csv
import gzip
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

REAL_ROWS = 59_633
FOLDER = Path(os.environ.get("QIANTI_REAL_POOLS", Path(__file__).resolve().parents[3] / "shared" / "data"))
OWNER = "bench@school.example"
COLUMNS = ("id", "question", "options", "answer", "solution", "marks", "language", "domain", "source")
# The mean lengths of the real pools: a question, its solution; a third of them are Chinese.
MADE_UP_WORDS, MADE_UP_SOLUTION_WORDS, CHINESE_EVERY = 50, 40, 3


@cache
def real_rows() -> tuple[dict[str, Any], ...]:
    """Return the rows of all real pools, none where they are absent."""
    files = sorted((FOLDER / "pool_59k").glob("*.jsonl.gz"))
    return tuple(json.loads(line) for file in files for line in gzip.open(file, "rt", encoding="utf-8"))


def rows(count: int) -> list[dict[str, Any]]:
    """Return `count` rows of questions, the same ones at every call.

    More than the real pools have are their rows again, each with words of its own at its end.
    """
    real = real_rows()
    if not real:
        return [made_up(number) for number in range(count)]
    return [
        real[number] if number < len(real) else _varied(real[number % len(real)], number)
        for number in range(count)
    ]


def _varied(row: dict[str, Any], number: int) -> dict[str, Any]:
    words = " ".join(_words(Random(number), 12, row["language"]))
    return row | {"id": f"{row['id']}-{number}", "question": f"{row['question']} {words}"}


def made_up(number: int) -> dict[str, Any]:
    """Return one made-up question, as long as real ones are."""
    rng = Random(number)
    language = "zh" if number % CHINESE_EVERY == 0 else "en"
    blank = "" if language == "zh" else " "
    return {
        "id": f"made-up-{number}",
        "question": blank.join(_words(rng, MADE_UP_WORDS, language)) + "?",
        "options": [blank.join(_words(rng, 4, language)) for _ in range(4)] if number % 2 else None,
        "answer": rng.choice("ABCD") if number % 2 else str(rng.randrange(1000)),
        "solution": blank.join(_words(rng, MADE_UP_SOLUTION_WORDS, language)),
        "marks": None,
        "language": language,
        "domain": rng.choice(["math", "law", "finance", "science"]),
        "source": "made up",
    }


def _words(rng: Random, count: int, language: str) -> Iterator[str]:
    for _ in range(count * 3 if language == "zh" else count):
        if language == "zh":
            yield chr(rng.randrange(0x4E00, 0x5E00))
        else:
            yield "".join(rng.choice("etaoinshrdlucm") for _ in range(rng.randint(2, 9)))


def write_csv(path: Path, count: int) -> Path:
    """Write `count` questions as one CSV, options as a list in one cell; return the path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for row in rows(count):
            options = json.dumps(row["options"], ensure_ascii=False) if row["options"] else ""
            writer.writerow(row | {"options": options})
    return path


def project(slug: str) -> Any:
    """Return a new project with an owner."""
    from common.access import Role
    from common.models import Membership, Project, User

    owner, _made = User.objects.get_or_create(email=OWNER)
    made = Project.objects.create(slug=slug, name=slug)
    Membership.objects.create(project=made, user=owner, role=Role.OWNER)
    return made
