"""Our own servers: shared by all who need them, stopped by the last, and never in the way of the next start."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from config import embedded

ROOT = Path(__file__).resolve().parents[2]
# Starts the services as every command does, says their addresses, and holds them until its input ends.
HOLDER = """
import os, sys
from config import embedded
try:
    embedded.start()
except embedded.ServiceNotStarted as refusal:
    sys.exit(f"qianti: {refusal}")
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.read()
"""
STOP_SECONDS = 20


class Holder:
    """A process that holds the services of one home."""

    def __init__(self, home: Path) -> None:
        named = ("DATABASE_URL", "REDIS_URL", "QIANTI_HOME", "XDG_RUNTIME_DIR")
        kept = {name: value for name, value in os.environ.items() if name not in named}
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER],
            cwd=ROOT,
            env=kept | {"QIANTI_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def addresses(self) -> list[str]:
        """Wait until the services run; return their addresses."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return line.split()

    def leave(self) -> tuple[int, str]:
        """End as a command ends; return the status and what it said."""
        _out, said = self.process.communicate("", timeout=STOP_SECONDS)
        return self.process.returncode, said

    def kill(self) -> None:
        """End as a crash ends."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=STOP_SECONDS)


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a home with a short path, for the sockets; whatever still runs in it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="qh-"))
    yield folder
    for process in (*embedded._processes_of(folder / "postgres"), redis_of(folder)):
        if process:
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(embedded._runtime_folder(folder), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hold(home: Path):
    """Return what starts a holder of that home; all are ended."""
    holders: list[Holder] = []

    def start() -> Holder:
        holders.append(Holder(home))
        return holders[-1]

    yield start
    for holder in holders:
        if not holder.process.stdout.closed:
            holder.kill()


def servers_of(home: Path) -> list[int]:
    """Return the living PostgreSQL and Redis of a home."""
    found = embedded._processes_of(home / "postgres")[:1]
    if pid := redis_of(home):
        found.append(pid)
    return found


def redis_of(home: Path) -> int:
    import redis

    client = redis.Redis.from_url(f"unix://{embedded._runtime_folder(home) / 'redis.sock'}")
    try:
        return int(client.info("server")["process_id"])
    except redis.RedisError:
        return 0
    finally:
        client.close()


def is_running(pid: int) -> bool:
    """Tell whether a process lives; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ask(url: str, statement: str):
    with psycopg.connect(url, autocommit=True) as connection:
        answer = connection.execute(statement)
        return answer.fetchall() if answer.description else None


def wait_until(statement) -> bool:
    deadline = monotonic() + STOP_SECONDS
    while not statement() and monotonic() < deadline:
        sleep(0.05)
    return statement()


def test_two_processes_share_the_servers_and_the_last_one_stops_them(home, hold):
    first, second = hold(), hold()  # at the same moment, in an empty home

    database, broker = first.addresses()
    assert second.addresses() == [database, broker]
    assert ask(database, "select 1") == [(1,)]
    assert broker.startswith("unix://")
    assert len(servers := servers_of(home)) == 2
    assert first.leave() == (0, "")
    assert servers_of(home) == servers
    assert second.leave() == (0, "")
    assert wait_until(lambda: not any(map(is_running, servers)))


def test_a_killed_holder_blocks_nobody_and_loses_nothing(home, hold):
    killed = hold()
    database, _broker = killed.addresses()
    ask(database, "create table kept as select 7 as number")
    killed.kill()
    assert len(servers_of(home)) == 2  # nobody was there to stop them

    next_one = hold()

    assert next_one.addresses()[0] == database
    assert ask(database, "select number from kept") == [(7,)]
    assert next_one.leave() == (0, "")
    assert wait_until(lambda: not servers_of(home))


def test_killed_servers_come_back_with_what_was_committed(home, hold):
    killed = hold()
    database, _broker = killed.addresses()
    ask(database, "create table kept as select 7 as number")
    killed.kill()
    for server in servers_of(home):
        os.kill(server, signal.SIGKILL)

    next_one = hold()

    database, _broker = next_one.addresses()
    assert ask(database, "select number from kept") == [(7,)]
    assert len(servers_of(home)) == 2
    assert next_one.leave() == (0, "")


def test_the_number_of_a_dead_server_may_be_another_s_by_now(home, hold):
    first = hold()
    first.addresses()
    assert first.leave() == (0, "")
    stranger = subprocess.Popen(["sleep", "60"])
    (home / "postgres" / "postmaster.pid").write_text(
        f"{stranger.pid}\n{home / 'postgres'}\n1700000000\n5432\n{home}\n\n 1 2\nready   \n"
    )

    next_one = hold()

    database, _broker = next_one.addresses()
    assert ask(database, "select 1") == [(1,)]
    assert next_one.leave() == (0, "")
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_folder_whose_first_start_was_cut_off_is_made_anew(home, hold):
    (home / "postgres" / "base").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("18\n")

    holder = hold()

    database, _broker = holder.addresses()
    assert ask(database, "select 1") == [(1,)]
    assert holder.leave() == (0, "")


def test_a_home_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "a file").write_text("")

    holder = Holder(tmp_path / "a file")

    status, said = holder.leave()
    assert status == 1
    assert said.startswith(f"qianti: {tmp_path / 'a file'} cannot be written")
    assert said.endswith("name another folder in QIANTI_HOME\n")


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("migrate", True),
        ("import_pool law x.csv", True),
        ("serve", True),
        ("", False),
        ("help", False),
        ("version", False),
        ("collectstatic --no-input", False),
        ("migrate --help", False),
        ("import_pool -h", False),
    ],
)
def test_only_what_needs_a_database_starts_one(words, needed):
    assert embedded.needed_by(["manage.py", *words.split()]) is needed


def test_addresses_of_other_servers_are_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/x")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    monkeypatch.setenv("QIANTI_HOME", str(tmp_path / "home"))

    embedded.start()

    assert os.environ["DATABASE_URL"] == "postgresql://elsewhere/x"
    assert not (tmp_path / "home").exists()
