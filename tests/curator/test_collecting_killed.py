"""Orders whose worker, Redis or PostgreSQL is killed: nothing is lost, and at most what was in flight is asked again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from urllib.request import urlopen

import psutil
import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from config import embedded
from curator.models import Collection, Question, StoredReply, Trace
from curator.services import collecting, endpoints

ROOT = Path(__file__).resolve().parents[2]
IN_FLIGHT = 16
PRICE = {"price_in_usd": Decimal(100), "price_out_usd": Decimal(1000)}


@contextmanager
def answering(*words: str) -> Iterator[str]:
    """Serve as a stand-in in a process of its own; yield its address."""
    command = [sys.executable, "-m", "tests.stand_in", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def stats(url):
    with urlopen(f"{url}/stats", timeout=10) as reply:
        return json.load(reply)


def billed(counted):
    """Return what the stand-in's own count comes to."""
    sums = PRICE["price_in_usd"] * counted["tokens_in"] + PRICE["price_out_usd"] * counted["tokens_out"]
    return sums / 1_000_000


# Begins workers, one for each line that it reads: a fork knows all modules already, so that ten take no minute.
BEGINNER = """
import os, sys
import django
django.setup()
from curator.models import Collection
from curator.services import collecting
for line in sys.stdin:
    if not (child := os.fork()):
        collecting.run_collection(job=Collection.objects.get(pk=int(line)))
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def worker_beginner():
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    here = os.environ | {
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    with subprocess.Popen(
        [sys.executable, "-c", BEGINNER],
        cwd=ROOT,
        env=here,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as beginner:
        yield beginner
        beginner.stdin.close()


def carry(beginner, job, seconds, *, at_work=False):
    """Let a worker take an order up, and kill it after so many seconds, at work or since it began; return how it ended."""
    before = Trace.objects.count()
    Collection.requeue_silent(now=timezone.now() + timedelta(hours=1))  # as the sweep does after a silence
    beginner.stdin.write(f"{job.pk}\n")
    beginner.stdin.flush()
    worker = int(beginner.stdout.readline())
    begun_by = time.monotonic() + 60
    while at_work and Trace.objects.count() == before and time.monotonic() < begun_by:
        time.sleep(0.01)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(worker, signal.SIGKILL)
    return int(beginner.stdout.readline())


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_ten_times_leaves_one_trace_of_each_question_and_a_bill_that_is_right(
    make_pool, make_question
):
    rng, kills, count = Random(4), 10, 800
    pool = make_pool()
    pool.project.money_limit_usd = 10_000
    pool.project.save()
    for _each in range(count):
        make_question(pool)

    with answering("--latency-ms", "100", "--thinking-tokens", "30") as url, worker_beginner() as beginner:
        teacher = endpoints.create_teacher(
            project=pool.project, name="Ada", base_url=url, model="m", max_in_flight=IN_FLIGHT, **PRICE
        )
        job = collecting.start_collection(teacher=teacher, by=None)
        # On a busy machine a worker needs long to begin: every other one is killed only once it has stored something.
        ends = [carry(beginner, job, rng.uniform(0.0, 0.4), at_work=place % 2 == 1) for place in range(kills)]
        under_way = Trace.objects.count()
        ends.append(carry(beginner, job, None))
        counted = stats(url)

    job.refresh_from_db()
    assert ends == [-signal.SIGKILL] * kills + [0]
    assert 0 < under_way < count  # it was killed at work
    assert (job.state, job.reserved_usd, job.stored, job.claims) == ("succeeded", 0, count, kills + 1)
    assert Trace.objects.filter(teacher=teacher).values("question").distinct().count() == count
    assert Trace.objects.count() == Question.objects.count() == count
    paid = StoredReply.objects.aggregate(usd=Sum("cost_usd"))["usd"]
    assert job.cost_usd == paid == Trace.objects.aggregate(usd=Sum("cost_usd"))["usd"]
    each = max(StoredReply.objects.values_list("cost_usd", flat=True))
    assert 0 <= billed(counted) - paid <= kills * IN_FLIGHT * each
    assert count <= counted["requests"] <= count + kills * IN_FLIGHT
    assert counted["most_for_one_question"] <= kills + 1


# An order in a home of its own, whose servers can be killed without harm to other tests.
ORDER = """
import json, os, sys
from config import embedded
embedded.start()
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from decimal import Decimal
from django.db.models import Sum
from common.models import Project
from curator.models import Pool, Question, StoredReply, Trace
from curator.services import collecting, endpoints
project = Project.objects.create(slug="field", name="field", money_limit_usd=10_000)
pool = Pool.objects.create(project=project, name="pool", licence="CC0-1.0")
Question.objects.bulk_create(
    Question(project=project, pool=pool, text=f"How much is {n}?", key="42", content_hash=f"{n:064x}")
    for n in range(int(sys.argv[2]))
)
teacher = endpoints.create_teacher(
    project=project, name="Ada", base_url=sys.argv[1], model="m", max_in_flight=16, price_out_usd=Decimal(1000),
    price_in_usd=Decimal(100), requests_per_minute=100_000, tokens_per_minute=1_000_000_000,
)
job = collecting.start_collection(teacher=teacher, by=None)
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
collecting.run_collection(job=job)
job.refresh_from_db()
print(json.dumps({
    "state": job.state, "stored": job.stored, "failed": job.failed, "traces": Trace.objects.count(),
    "cost": str(job.cost_usd), "kept": str(StoredReply.objects.aggregate(usd=Sum("cost_usd"))["usd"]),
    "reserved": str(job.reserved_usd),
}), flush=True)
"""


@pytest.fixture
def home():
    """Return a home with a short path, for the sockets; whatever still runs in it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="qk-"))
    yield folder
    for process in [*embedded._processes_of(folder / "postgres"), *redis_of(folder)]:
        os.kill(process, signal.SIGKILL)
    shutil.rmtree(embedded._runtime_folder(folder), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def redis_of(home):
    socket = str(embedded._runtime_folder(home) / "redis.sock")
    named = (each for each in psutil.process_iter(["name", "cmdline"]) if each.info["name"] == "redis-server")
    return [each.pid for each in named if socket in " ".join(each.info["cmdline"] or [])]


def postmaster_of(home):
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def wait_for_requests(url, count, seconds=60):
    deadline = time.monotonic() + seconds
    while stats(url)["requests"] < count:
        assert time.monotonic() < deadline, f"no {count} requests came in {seconds} s"
        time.sleep(0.05)


def test_an_order_outlives_a_restart_of_redis_and_one_of_postgresql(home):
    count = 1200
    without = ("DATABASE_URL", "REDIS_URL", "XDG_RUNTIME_DIR")
    here = {name: value for name, value in os.environ.items() if name not in without}
    here |= {"QIANTI_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings"}

    with answering("--latency-ms", "100", "--thinking-tokens", "30") as url:
        worker = subprocess.Popen(
            [sys.executable, "-c", ORDER, url, str(count)],
            cwd=ROOT,
            env=here,
            stdout=subprocess.PIPE,
            text=True,
        )
        database, broker = worker.stdout.readline().split()
        wait_for_requests(url, 200)
        os.kill(redis_of(home)[0], signal.SIGKILL)
        time.sleep(0.5)
        assert embedded._start_redis(home) == broker
        wait_for_requests(url, 600)
        os.kill(postmaster_of(home), signal.SIGQUIT)  # at once, as when the machine fails
        time.sleep(1)
        assert embedded._start_postgres(home) == database
        made = json.loads(worker.communicate(timeout=120)[0])
        counted = stats(url)

    assert worker.returncode == 0
    assert (made["state"], made["stored"], made["failed"], made["traces"]) == ("succeeded", count, 0, count)
    assert (
        Decimal(made["cost"]) == Decimal(made["kept"]) == billed(counted)
    )  # no worker died: nothing was lost
    assert (counted["requests"], counted["most_for_one_question"]) == (count, 1)
    assert counted["models"]["m"]["most_in_flight"] <= IN_FLIGHT
    assert Decimal(made["reserved"]) == 0
