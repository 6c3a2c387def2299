"""What several of curation's tests begin with."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import pytest
from django.db import connection

from common.endpoints import faults
from common.jobs import unwatched
from curator.services import imports, pools

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def read_in(tmp_path):
    """Return what reads a text into a pool as a file."""

    def read(pool, content, file_name="bank.csv", watch=unwatched, **mapping):
        path = tmp_path / file_name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        job = pools.start_import(pool=pool, content=path, file_name=file_name, mapping=mapping, by=None)
        imports.run_import(job=job, watch=watch)
        return job

    return read


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Let no test wait for an endpoint as long as an order would."""
    monkeypatch.setattr(faults, "FIRST_WAIT_SECONDS", 0.001)


@pytest.fixture
def killed():
    """Return what runs a command in a process of its own and kills it when `enough` says so."""
    place = connection.settings_dict
    url = f"postgresql://{place['USER']}@{quote(place['HOST'], safe='')}:{place['PORT']}/{place['NAME']}"

    def run(*words, enough):
        program = [sys.executable, "manage.py", *words]
        environment = {**os.environ, "DATABASE_URL": url}
        with subprocess.Popen(program, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as running:
            deadline = monotonic() + 60
            while not enough() and monotonic() < deadline and running.poll() is None:
                sleep(0.02)
            running.kill()
            said = running.stderr.read().decode()
        assert running.returncode == -signal.SIGKILL, said

    return run
