"""Twenty reviewers at once at the desk of one queue, over real HTTP, with 236,000 traces in the database.

Times are the web server's own, from the request's first byte to the answer's last, as its log says them: the
twenty clients share its two cores, and what they take to read an answer is not the server's.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx2
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from common.access import Role
from common.models import Membership, Project, User
from curator.models import Queue, Review, Trace
from curator.services import queues
from tests.bench import traced
from tests.bench.commands import ROOT
from tests.bench.figures import Figure
from tests.bench.selection import S1_ROWS

NAME = "Twenty reviewers at once"
REVIEWERS, ROUNDS = 20, 12
READING_SECONDS = (4.0, 12.0)  # people take minutes
MOST_SECONDS = 0.050
WARM_UP_SECONDS = 1.0
_KINDS = (("next trace", MOST_SECONDS), ("its signals", None), ("submit", MOST_SECONDS))
_COPIES = """
insert into curator_trace (question_id, teacher_id, content_hash, neutralised, sample, thinking, answer,
  thinking_tokens, answer_tokens, tokens_counted_by, finish_reason, verdict, verdict_rule, cost_usd, created_at,
  is_summary, terms)
select question_id, %(teacher)s, encode(sha256((content_hash || %(name)s)::bytea), 'hex'), neutralised, sample,
  left(thinking, 800), answer, 200, answer_tokens, tokens_counted_by, finish_reason, verdict, verdict_rule,
  cost_usd, created_at, is_summary, terms
from curator_trace where teacher_id = %(first)s
"""


@dataclass
class Tally:
    """What one reviewer has seen."""

    submits: int = 0
    traces: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def run(scale: float) -> list[Figure]:
    """Let twenty people judge at once; nothing may be handed out twice, lost or fail."""
    project = traced.long_traces("reviewing", round(S1_ROWS * scale))
    _three_more_teachers(project)
    queue = _queue(project)
    people = [_reviewer(project, number) for number in range(REVIEWERS)]
    with TemporaryDirectory() as folder:
        log = Path(folder, "requests")
        with _served(log) as address:
            for session in people[:4]:  # every worker has read its templates once
                Reviewer(address, queue, session, 0).work(Tally(), rounds=2)
            already, read = Review.objects.count(), len(log.read_text())
            with ThreadPoolExecutor(REVIEWERS) as threads:
                browsers = [Reviewer(address, queue, key, number) for number, key in enumerate(people)]
                tallies = list(threads.map(lambda each: each.work(Tally(), ROUNDS), browsers))
        times = _server_times(log.read_text()[read:])
    return _figures(tallies, times, Review.objects.count() - already)


def _server_times(log: str) -> dict[str, list[float]]:
    """Return how long the server took over each kind of request, in seconds, the shortest first."""
    times: dict[str, list[float]] = {name: [] for name, _limit in _KINDS}
    for line in log.splitlines():
        method, path, microseconds = line.split()
        name = "submit" if method == "POST" else "its signals" if path.endswith("/signals/") else "next trace"
        times[name].append(int(microseconds) / 1e6)
    return {name: sorted(each) for name, each in times.items()}


def _figures(tallies: list[Tally], times: dict[str, list[float]], judged: int) -> list[Figure]:
    given = Counter(trace for tally in tallies for trace in tally.traces)
    faults = [fault for tally in tallies for fault in tally.faults]
    twice, sent = sum(count > 1 for count in given.values()), sum(tally.submits for tally in tallies)
    note = f"{sent} judged, {twice} handed out twice, {sent - judged} lost, {len(faults)} errors {faults[:2]}"
    is_sound = not faults and not twice and sent == judged
    figures = []
    for name, limit in _KINDS:
        p95, middle = (times[name][int(share * len(times[name]))] for share in (0.95, 0.5))
        figures.append(
            Figure(
                f"{name}, p95",
                p95,
                "its median",
                middle,
                p95 / middle,
                f"under {limit * 1000:.0f} ms" if limit else "",
                note if name == "submit" else f"{Trace.objects.count():,} traces, {REVIEWERS} reviewers",
                kept=p95 < limit and is_sound if limit else None,
            )
        )
    return figures


def _three_more_teachers(project: Project) -> None:
    """Give every question three more traces, short ones: four times as many in all."""
    first = project.teachers.get()
    with connection.cursor() as cursor:
        for name in ("second", "third", "fourth"):
            teacher = project.teachers.create(name=name)
            cursor.execute(_COPIES, {"teacher": teacher.pk, "first": first.pk, "name": name})
    traced.settle()


def _queue(project: Project) -> Queue:
    """Open a queue that begins with the long traces and holds all the others behind them."""
    long = project.teachers.get(name="teacher")
    queue = queues.open_queue(project=project, name="all", by=None, filters={"teacher": [long.pk]})
    queue.filters = {}
    queue.save(update_fields=["filters"])
    queues.take_in(queue=queue)
    traced.settle()
    return queue


def _reviewer(project: Project, number: int) -> str:
    """Return the key of a session of a reviewer who has signed in."""
    user = User.objects.create_user(f"reviewer{number}@school.example", None)
    Membership.objects.create(project=project, user=user, role=Role.REVIEWER)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


@contextmanager
def _served(log: Path) -> Iterator[str]:
    """Run the web server as `serve` does, a worker to each core; yield its address. It logs how long it took."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "8", "--log-level", "warning"]
    command += ["--access-logfile", str(log), "--access-logformat", "%(m)s %(U)s %(D)s"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ) as server:
        try:
            _wait_for(address)
            yield address
        finally:
            server.terminate()


def _wait_for(address: str) -> None:
    for _each in range(120):
        try:
            httpx2.get(f"{address}/accounts/login/")
        except httpx2.TransportError:
            time.sleep(0.25)
        else:
            time.sleep(WARM_UP_SECONDS)
            return
    raise TimeoutError(address)


class Reviewer:
    """A browser of one reviewer: takes the next trace, reads it for a while, says a word."""

    def __init__(self, address: str, queue: Queue, session: str, number: int) -> None:
        self.address, self.url = address, f"{address}/queues/{queue.pk}/review/"
        self.client = httpx2.Client(cookies={settings.SESSION_COOKIE_NAME: session}, timeout=60)
        self.rng = Random(number)

    def work(self, tally: Tally, rounds: int) -> Tally:
        """Judge so many traces, and close the window."""
        with self.client:
            return self._judge(tally, rounds)

    def _judge(self, tally: Tally, rounds: int) -> Tally:
        time.sleep(self.rng.random() * READING_SECONDS[0])
        for _round in range(rounds):
            page = self._asked(tally, "GET")
            found = re.search(r'data-trace="(\d+)"', page)
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
            if not found or not token:
                tally.faults.append("no trace on the page")
                continue
            tally.traces.append(int(found[1]))
            self._asked(tally, "GET", at=f"{self.address}/traces/{found[1]}/signals/")
            time.sleep(self.rng.uniform(*READING_SECONDS))
            word = {"trace": found[1], "judgement": "accept", "seen": "0", "seconds": "60"}
            self._asked(tally, "POST", word | {"csrfmiddlewaretoken": token[1]})
            tally.submits += 1
        return tally

    def _asked(self, tally: Tally, method: str, sent: dict[str, str] | None = None, at: str = "") -> str:
        reply = self.client.request(method, at or self.url, data=sent, headers={"Referer": self.url})
        if reply.status_code != (302 if sent else 200):
            tally.faults.append(f"{method} {reply.status_code}")
        return reply.text
