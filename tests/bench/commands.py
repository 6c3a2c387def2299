"""A command of the product, run as a process of its own on two cores: what it said, how long, how much memory."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import MIB, Figure, timed

ROOT = Path(__file__).resolve().parents[2]
CORES = 2
SAMPLED_SECONDS = 0.05
MOST_MEMORY_GROWTH = 3  # of ten times as many


@dataclass(frozen=True)
class Ran:
    """What a command said, how long it took as a process, and the most memory that it held."""

    said: dict[str, Any]
    seconds: float
    peak_bytes: int


def run_command(*arguments: str) -> Ran:
    """Run `manage.py` with these arguments and `--json`.

    Raises:
        CalledProcessError: it failed.
    """
    command, peak = [sys.executable, "manage.py", *arguments, "--json"], 0
    with timed() as clock, subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:CORES])
        while process.poll() is None:
            peak = max(peak, _held_at_most(process.pid))
            time.sleep(SAMPLED_SECONDS)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, said)
    return Ran(json.loads(said), clock.seconds, peak)


def _held_at_most(pid: int) -> int:
    """Return the most bytes that a living process has held so far, or 0 once it is over.

    What `wait` says of a child's peak will not do: it counts its parent, whose memory it shared for a moment.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def memory_growth(name: str, small: Ran, large: Ran) -> Figure:
    """Return the figure of the memory that ten times as many take."""
    ratio = large.peak_bytes / small.peak_bytes
    return Figure(
        name,
        large.seconds,
        ratio=ratio,
        limit=f"at most {MOST_MEMORY_GROWTH}",
        note=f"{small.peak_bytes / MIB:,.0f} MiB, then {large.peak_bytes / MIB:,.0f} MiB",
        kept=ratio <= MOST_MEMORY_GROWTH,
    )
