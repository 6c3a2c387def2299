"""What every file of a dataset says of itself, and what cannot be written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from common.core.refusal import Refusal


class NotWritten(Refusal):
    """An export could not be written; the message says where and why."""


@dataclass(frozen=True)
class Stamp:
    """Which dataset a file holds: its hash, its name, and when it was frozen.

    `card_of` returns README.md for the formats that carry one, given the bytes of the rows unpacked.
    """

    content_hash: str
    name: str = ""
    frozen_at: datetime | None = None
    card_of: Callable[[int], str] = lambda _size: ""

    @property
    def stem(self) -> str:
        """Return how the names of its files begin."""
        return self.content_hash[:12]
