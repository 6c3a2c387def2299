"""What is checked of a dataset's rows before anything is trained: lengths, what carries loss, how each row ends.

Every row is looked at and every fault is named; nothing is cut, dropped or masked out to make a run begin.
Source: the silent losses of today's trainers (rows dropped at 1,024 tokens, all labels masked, an end that is
never trained), against each of which stands a check.
"""

import hashlib
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.core.chat import Markup
from common.core.refusal import Refusal
from training.core.conversation import NO_LOSS, EncodedRow, Encoder, RowRefused, encode_row


class RowsRefused(Refusal):
    """Rows of a dataset cannot be trained on; the message names the first of them with its reason."""


@dataclass(frozen=True)
class Fault:
    """A row that cannot be trained on; `number` counts from 1."""

    number: int
    reason: str


@dataclass(frozen=True)
class Checked:
    """All rows of a dataset, encoded. `lengths` are tokens of every row, 0 where they could not be counted."""

    lengths: tuple[int, ...]
    taught: int  # tokens that carry loss, of the rows without a fault
    kept: int  # all tokens of those rows
    faults: tuple[Fault, ...]
    twins: int  # rows that say the same as one before them

    @property
    def rows(self) -> int:
        """Return how many rows were looked at."""
        return len(self.lengths)

    @property
    def taught_share(self) -> float:
        """Return the share of tokens that carry loss, from 0 to 1."""
        return self.taught / self.kept if self.kept else 0.0

    @property
    def landmarks(self) -> tuple[int, ...]:
        """Return the places of the shortest, the middle and the longest row; of fewer rows, each once."""
        order = sorted(range(self.rows), key=lambda place: (self.lengths[place], place))
        return tuple(dict.fromkeys((order[0], order[len(order) // 2], order[-1]))) if order else ()


class Check:
    """Encodes rows one by one and keeps what there is to say of them, and none of their ids."""

    def __init__(self, encoder: Encoder, markup: Markup, *, max_length: int, end_id: int) -> None:
        self._encoder, self._markup = encoder, markup
        self._max_length, self._end_id = max_length, end_id
        self._lengths = array("q")
        self._faults: list[Fault] = []
        self._seen: set[bytes] = set()
        self._taught = self._kept = self._twins = 0

    def add(self, row: Mapping[str, Any]) -> EncodedRow | None:
        """Encode the next row; None where it cannot be trained on."""
        try:
            made = encode_row(
                self._encoder, self._markup, row, max_length=self._max_length, end_id=self._end_id
            )
        except RowRefused as refused:
            self._lengths.append(refused.tokens)
            self._faults.append(Fault(len(self._lengths), str(refused)))
            return None
        self._lengths.append(len(made.input_ids))
        self._kept += len(made.input_ids)
        self._taught += sum(label != NO_LOSS for label in made.labels)
        digest = hashlib.sha256(array("q", made.input_ids).tobytes()).digest()
        self._twins += digest in self._seen
        self._seen.add(digest)
        return made

    def finished(self) -> Checked:
        """Return what was found."""
        return Checked(tuple(self._lengths), self._taught, self._kept, tuple(self._faults), self._twins)


def check_rows(
    rows: Iterable[Mapping[str, Any]], encoder: Encoder, markup: Markup, *, max_length: int, end_id: int
) -> Checked:
    """Encode every row and return what is to be said of them."""
    check = Check(encoder, markup, max_length=max_length, end_id=end_id)
    for row in rows:
        check.add(row)
    return check.finished()


def refuse_faults(checked: Checked) -> None:
    """Refuse a dataset in which a row cannot be trained on.

    Raises:
        RowsRefused: naming the first fault, and how many there are.
    """
    if not checked.faults:
        return
    first, count = checked.faults[0], len(checked.faults)
    if count > 1:
        raise RowsRefused(
            f"{count} rows of the dataset cannot be trained on, row {first.number} first: {first.reason}"
        )
    raise RowsRefused(f"Row {first.number} of the dataset cannot be trained on: {first.reason}")
