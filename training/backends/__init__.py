"""Where programs run. A backend has a program run on a job folder, tells how it stands, and stops it.

A kind of backend is one module here with a `BACKEND`; nothing else names it. A backend's settings are
plain data: its kind, and what that kind itself reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Literal, Protocol

from common.core.refusal import Refusal

KIND = "kind"  # the key of a backend's settings that names its module
LOCAL = "local"


class BadBackend(Refusal):
    """There is no such kind of backend."""


@dataclass(frozen=True)
class Order:
    """One program to run: `python -m module folder`. The folder holds its input and its whole record.

    There is one program of a folder, however often it is asked for.
    """

    module: str
    folder: Path
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """How a program stands. `says` is a sentence for people, empty where there is nothing to say."""

    stage: Literal["waiting", "running", "ended"]
    says: str = ""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come of the program."""
        return self.stage == "ended"


class Backend(Protocol):
    """One kind of place where programs run."""

    poll_seconds: float  # between two looks at a program's files

    def submit(self, order: Order) -> None:
        """Have the program run, unless it waits, runs or has succeeded already."""

    def follow(self, order: Order) -> Standing:
        """Return how the program stands; cheap enough to be asked every `poll_seconds`."""

    def cancel(self, order: Order, *, at_once: bool = False) -> None:
        """Ask the program to save and stop, or end it `at_once`; returns without waiting for the end."""

    def collect(self, order: Order) -> dict[str, Any] | None:
        """Return what an ended program says of its end; None if it said nothing."""


def kinds() -> list[str]:
    """Return the kinds of backends that there are."""
    return [name for _finder, name, _package in iter_modules(__path__) if hasattr(_module(name), "BACKEND")]


def backend_of(settings: Mapping[str, Any]) -> Backend:
    """Return the backend that settings are for.

    Raises:
        BadBackend: there is no such kind.
    """
    kind = settings.get(KIND)
    if kind not in (known := kinds()):
        raise BadBackend(f"There is no kind of backend {kind}; there are {', '.join(known)}.")
    backend: Backend = _module(str(kind)).BACKEND
    return backend


def _module(name: str) -> Any:
    return import_module(f"{__name__}.{name}")
