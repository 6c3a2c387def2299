"""Any page of a list of 59,633 questions, in every order and at any depth, and searches for words.

Times are the server's own: the whole request, from the address to the last byte of the page, without a network.
"""

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client

from common.models import Project, User
from curator import queries
from curator.services import words
from tests.bench import imports, material
from tests.bench.figures import Figure, timed, within

NAME = "Browsing and searching all questions"
SLUG = "browsing"
TIMES = 7
DEPTHS = (0.0, 0.5, 0.98)  # where in the list a page begins
MOST_SECONDS, MOST_SEARCH_SECONDS, MOST_BYTES = 0.100, 0.200, 60_000
DOMAINS = 40
# Rare words and frequent ones, words that say nothing, several, one that goes on, Chinese of one to four
# characters, a phrase, and one that must not be there.
SEARCHES = (
    "photosynthesis", "company", "which", "the", "of the", "which of the following", "th", "company act",
    "的", "公司", "劳动合同", "下列说法正确的是", '"net income"', "velocity -mass", "integral 函数",
)  # fmt: skip
_DOMAINS = """
insert into curator_domain (project_id, code, name)
select %(project)s, to_char(number, 'FM00'), 'Domain ' || number from generate_series(1, %(domains)s) number
"""
# As after a classification and some days of an expert's work: each value from the question's own key.
_KNOWN = """
update curator_question question set
  domain_id = domain.id, domain_source = 'model', domain_confidence = (question.id %% 97) / 97.0,
  marks = question.id %% 12, rating = nullif(question.id %% 6, 0)
from curator_domain domain where question.project_id = %(project)s and domain.project_id = %(project)s
  and domain.code = to_char(1 + question.id %% %(domains)s, 'FM00')
"""


@dataclass(frozen=True)
class Timed:
    """One address: the median of its seconds, and the bytes of its page."""

    what: str
    seconds: float
    size: int


def run(scale: float) -> list[Figure]:
    """Import all questions, as a person would, and ask for pages as a signed-in browser does."""
    project = _filled(round(material.REAL_ROWS * scale))
    client = _signed_in()
    pages = [_timed(client, what, address) for what, address in _pages(project)]
    searches = [_timed(client, f"“{text}”", {"text": text}) for text in SEARCHES]
    slowest, largest = max(pages, key=_seconds), max([*pages, *searches], key=lambda each: each.size)
    found = max(searches, key=_seconds)
    total = f"{queries.get_questions(project).count():,} questions"
    return [
        within(
            "a page of the list, slowest",
            slowest.seconds,
            MOST_SECONDS,
            f"{total}, {len(pages)} pages; {slowest.what}",
        ),
        Figure("the same, median", statistics.median(map(_seconds, pages))),
        within(
            "a search, slowest", found.seconds, MOST_SEARCH_SECONDS, f"{len(searches)} searches; {found.what}"
        ),
        Figure("the same, median", statistics.median(map(_seconds, searches))),
        Figure(
            "largest page",
            largest.seconds,
            limit=f"at most {MOST_BYTES // 1000} kB",
            note=f"{largest.size / 1000:.1f} kB; {largest.what}",
            kept=largest.size <= MOST_BYTES,
        ),
    ]


def _seconds(each: Timed) -> float:
    return each.seconds


def _filled(count: int) -> Project:
    with tempfile.TemporaryDirectory() as folder:
        imports.import_once(material.write_csv(Path(folder) / "bank.csv", count), SLUG)
    project = Project.objects.get(slug=SLUG)
    with connection.cursor() as cursor:
        for statement in (_DOMAINS, _KNOWN):
            cursor.execute(statement, {"project": project.pk, "domains": DOMAINS})
    words.write_missing_words()
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")  # as PostgreSQL does by itself within a minute
    return project


def _signed_in() -> Client:
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.get(email=material.OWNER))
    return client


def _pages(project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    found = queries.get_questions(project)
    count = found.count()
    for name, order in queries.ORDERS.items():
        for depth in DEPTHS:
            skipped = round(count * depth)
            place = queries.get_keyset_page(found, order, size=skipped).after if skipped else ""
            yield f"{name}, from row {skipped:,}", {"order": name, "after": place}


def _timed(client: Client, what: str, address: dict[str, Any]) -> Timed:
    url = f"/projects/{SLUG}/questions/?{urlencode(address)}"
    taken, size = [], 0
    for _ in range(TIMES):
        with timed() as clock:
            answer = client.get(url)
        if answer.status_code != 200:
            raise AssertionError(f"{url} answers {answer.status_code}")
        taken.append(clock.seconds)
        size = len(answer.content)
    return Timed(what, statistics.median(taken), size)
