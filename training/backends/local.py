"""Run a job's program on this machine, detached from whoever started it.

The folder is the record: `pid.json` names the process and when it began (so that a reused number
is not taken for it), `lock` lets only one in, `log.txt` holds its output, `progress.jsonl` and `result.json` are its own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from training.backends.begin import began

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 30
RECORD_SECONDS = 0.01  # between two looks for the record of a program that starts
LOG_TAIL = 4_000


def submit(module: str, folder: Path) -> None:
    """Start `python -m module folder`, unless it lives or has succeeded already."""
    if is_alive(folder):
        return
    result = read_result(folder)  # after asking whether it lives, lest it succeeds in between and begins anew
    if result is not None and result["state"] == "succeeded":
        return
    (folder / "result.json").unlink(missing_ok=True)
    _drop_torn_line(folder / "progress.jsonl")
    with (folder / "log.txt").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "training.backends.begin", module, str(folder)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, **_considerate()},
            start_new_session=True,
        )
    _await_record(folder, started)
    started.returncode = 0  # it is detached, and _reap lets go of it: a Popen must not complain that it runs


def _await_record(folder: Path, started: "subprocess.Popen[bytes]") -> None:
    """Wait until a program has recorded itself, or has ended because another was there first."""
    while started.poll() is None:
        process = _process(folder)
        if process is not None and process["pid"] == started.pid:
            return
        time.sleep(RECORD_SECONDS)


def _drop_torn_line(path: Path) -> None:
    """Take off what a killed program left of its last line, lest the next one write behind it."""
    if path.exists():
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)


def _considerate() -> dict[str, str]:
    """Return settings that leave a core to others: threads that spin for one that is busy cost tenfold."""
    threads = str(max(1, (os.cpu_count() or 2) - 1))
    return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads), "OMP_WAIT_POLICY": "PASSIVE"}


def is_alive(folder: Path) -> bool:
    """Tell whether the folder's program runs."""
    process = _process(folder)
    if process is None:
        return False
    _reap(process["pid"])
    return process["began"] is not None and began(process["pid"]) == process["began"]


def cancel(folder: Path) -> None:
    """Ask the program to stop, and kill it if it does not."""
    (folder / "STOP").touch()
    deadline = time.monotonic() + STOP_SECONDS
    while is_alive(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    process = _process(folder)
    if process is not None and is_alive(folder):
        os.killpg(process["pid"], signal.SIGKILL)


def read_progress(folder: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return the progress lines since `offset` (bytes) and the offset after them; a torn line waits."""
    path = folder / "progress.jsonl"
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    complete = content[: content.rfind(b"\n") + 1]
    return [json.loads(line) for line in complete.splitlines() if line.strip()], offset + len(complete)


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return what the program said at its end, or None while it has not."""
    path = folder / "result.json"
    if not path.exists():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def log_tail(folder: Path) -> str:
    """Return the end of the program's output."""
    path = folder / "log.txt"
    return path.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:] if path.exists() else ""


def _process(folder: Path) -> dict[str, Any] | None:
    path = folder / "pid.json"
    if not path.exists():
        return None
    process: dict[str, Any] = json.loads(path.read_text())
    return process


def _reap(pid: int) -> None:
    """Let go of a child that has ended, if it is ours."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
