"""`python -m training.backends.begin MODULE FOLDER`: be the one program of a folder, and record who that is.

The program records itself, so that it is known even if whoever started it dies in between. The lock
is the kernel's, and ends with the program however that ends.
"""

import fcntl
import json
import os
import runpy
import sys
from pathlib import Path


def began(pid: int) -> str | None:
    """Return when a process began, in the kernel's ticks since boot; None if it is gone or a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = status.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def main(module: str, folder: Path) -> None:
    """Run a module on a folder, unless a program works there already."""
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"A program works in {folder} already; this one ends.")
    part = folder / "pid.json.part"
    part.write_text(json.dumps({"pid": os.getpid(), "began": began(os.getpid())}))
    part.replace(folder / "pid.json")
    sys.argv = [module, str(folder)]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
