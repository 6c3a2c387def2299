"""What several of curation's tests begin with."""

import pytest

from common.endpoints import faults
from common.jobs import unwatched
from curator.services import imports, pools


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
