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
from training.backends.record import STOP, drop_torn_line, has_succeeded, read_result

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.5
STOP_SECONDS = 30.0
RECORD_SECONDS = 0.01  # between two looks for the record of a program that starts


def submit(module: str, folder: Path) -> None:
    """Start `python -m module folder`, unless it lives or has succeeded already."""
    if follow(folder):
        return
    if has_succeeded(folder):  # after asking whether it lives, lest it succeeds in between and begins anew
        return
    (folder / STOP).unlink(missing_ok=True)
    (folder / "result.json").unlink(missing_ok=True)
    drop_torn_line(folder)
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


def _considerate() -> dict[str, str]:
    """Return settings that leave a core to others: threads that spin for one that is busy cost tenfold."""
    threads = str(max(1, (os.cpu_count() or 2) - 1))
    return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads), "OMP_WAIT_POLICY": "PASSIVE"}


def follow(folder: Path) -> bool:
    """Tell whether the folder's program runs."""
    process = _process(folder)
    if process is None:
        return False
    _reap(process["pid"])
    return process["began"] is not None and began(process["pid"]) == process["began"]


def cancel(folder: Path, *, at_once: bool = False) -> None:
    """Ask the program to stop, or kill it `at_once`."""
    if not at_once:
        (folder / STOP).touch()
        return
    process = _process(folder)
    if process is not None and follow(folder):
        os.killpg(process["pid"], signal.SIGKILL)


def collect(folder: Path) -> dict[str, Any] | None:
    """Return what the program said at its end, or None while it has not."""
    return read_result(folder)


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
