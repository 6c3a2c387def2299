"""Where programs run. A backend has a program run on a job folder, tells whether it still does, and stops it.

A backend is one module here that has what `Backend` asks for; it is found by its name.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from time import monotonic, sleep
from typing import Any, Protocol

from common.core.refusal import Refusal


class BadBackend(Refusal):
    """There is no such backend."""


class Backend(Protocol):
    """One place where programs run; a folder is a program's, and holds its input and its whole record."""

    POLL_SECONDS: float  # between two looks at a program's files
    STOP_SECONDS: float  # that a program has for its step and for saving, once it is asked to stop

    def submit(self, module: str, folder: Path) -> None:
        """Have `python -m module folder` run, unless it waits, runs or has succeeded already: one program of a folder."""

    def follow(self, folder: Path) -> bool:
        """Tell whether the program waits or runs; cheap enough to be asked every `POLL_SECONDS`."""

    def cancel(self, folder: Path, *, at_once: bool = False) -> None:
        """Ask the program to save and stop, or end it `at_once`; returns without waiting for the end."""

    def collect(self, folder: Path) -> dict[str, Any] | None:
        """Return what an ended program says of its end; None if it said nothing."""


def backend_of(name: str) -> Backend:
    """Return the backend of a name.

    Raises:
        BadBackend: there is none.
    """
    known = [each.name for each in iter_modules(__path__) if hasattr(_module(each.name), "submit")]
    if name not in known:
        raise BadBackend(f"There is no backend {name}; there are {', '.join(known)}.")
    backend: Backend = _module(name)
    return backend


def _module(name: str) -> Any:
    return import_module(f"{__name__}.{name}")


def end(backend: Backend, folder: Path, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Ask a program to stop, wait for that, and end it if it takes too long."""
    backend.cancel(folder)
    deadline = monotonic() + backend.STOP_SECONDS
    while backend.follow(folder) and monotonic() < deadline:
        meanwhile()
        sleep(backend.POLL_SECONDS)
    if backend.follow(folder):
        backend.cancel(folder, at_once=True)
