"""What the criteria look at: a project's questions and their traces, as columns.

Rows are questions, in the order of their ids, so that the order in which they came decides nothing.
Flaws are bits: bit k of a mask stands for the k-th of `patterns`, the first being the first to be named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curator.core.best import RANKINGS, STANDARD, Ranking, best_places, typed

NO_DOMAIN = "(no domain)"
MOST_PATTERNS = 60  # bits of a mask, with some to spare

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Masks = NDArray[np.uint64]

QUESTION_COLUMNS: dict[str, Any] = {
    "id": pl.String,  # content hash
    "pk": pl.Int64,
    "domain": pl.String,  # code, "" where it has none
    "branch": pl.String,  # the code under which a blueprint counts it
    "source": pl.String,
    "attempts": pl.Int64,
    "passes": pl.Int64,
    "rating": pl.Int64,  # 1 to 5, 0 where no expert rated it
    "pinned": pl.Boolean,
    "banned": pl.Boolean,
    "leaked": pl.String,  # the benchmark that holds it, or ""
    "leaked_item": pl.Int64,  # the number of the item there, from 1, or 0
    "copy_of": pl.Int64,  # the pk of the question kept in its place, or 0
    "disputed": pl.Boolean,  # files give it different keys, or a reviewer doubts it
    "flaws": pl.UInt64,
}


@dataclass(frozen=True)
class Candidates:
    """Questions (N rows, sorted by id) and their traces (T rows, by question and pk), with the patterns' names."""

    patterns: tuple[str, ...]
    questions: pl.DataFrame
    traces: pl.DataFrame
    reasons: Mapping[str, str]  # what each pattern says of what shows it

    def __len__(self) -> int:
        """Return the number of questions."""
        return self.questions.height

    @cached_property
    def ids(self) -> list[str]:
        """Return the questions' ids in order."""
        return self.questions["id"].to_list()

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Return the row of each id."""
        return {id_: row for row, id_ in enumerate(self.ids)}

    @cached_property
    def row_of_pk(self) -> dict[int, int]:
        """Return the row of each question's key."""
        return {pk: row for row, pk in enumerate(self.questions["pk"].to_list())}

    def numbers(self, column: str) -> Numbers:
        """Return a column of the questions as whole numbers."""
        return self.questions[column].to_numpy()

    def flags(self, column: str) -> Flags:
        """Return a column of the questions as truth values."""
        return self.questions[column].to_numpy()

    @cached_property
    def trace_row(self) -> Numbers:
        """Return the row of each trace's question."""
        order = np.argsort(self.numbers("pk"), kind="stable")
        places = np.searchsorted(self.numbers("pk"), self.traces["question"].to_numpy(), sorter=order)
        return order[places].astype(np.int64)

    @cached_property
    def usd(self) -> NDArray[np.float64]:
        """Return what the traces of each question have cost."""
        spent = np.bincount(self.trace_row, self.traces["usd"].to_numpy(), len(self))
        return np.asarray(spent, dtype=np.float64)

    @cached_property
    def has_trace(self) -> Flags:
        """Return which questions have a trace."""
        return np.bincount(self.trace_row, minlength=len(self)) > 0

    def mask(self, names: Iterable[str]) -> np.uint64:
        """Return the mask of the named patterns; names that it does not know count for nothing."""
        bits = {name: bit for bit, name in enumerate(self.patterns)}
        return np.uint64(sum(1 << bits[name] for name in set(names) if name in bits))

    def best_traces(self, counted: np.uint64, ranking: Ranking = RANKINGS[STANDARD]) -> Numbers:
        """Return the place of each question's best trace by a ranking, or -1 where none can stand for it."""
        best = np.full(len(self), -1, dtype=np.int64)
        places = best_places(self.traces, counted, ranking)
        best[self.trace_row[places]] = places
        return best


def candidates(
    questions: pl.DataFrame | Sequence[dict[str, Any]],
    traces: pl.DataFrame | Sequence[dict[str, Any]],
    patterns: Mapping[str, str],
) -> Candidates:
    """Return columns in their order and types; a trace of no question in them is left out.

    `patterns` gives each pattern's reason by its name, the first to be named first.

    Raises:
        ValueError: two questions have one id, or there are too many patterns for a mask.
    """
    if len(patterns) > MOST_PATTERNS:
        raise ValueError(f"there are {len(patterns)} patterns, more than {MOST_PATTERNS}")
    sorted_questions = _typed(questions, QUESTION_COLUMNS).sort("id")
    ids = sorted_questions["id"]
    if (twice := ids.filter(ids.is_duplicated())).len():
        raise ValueError(f"two candidates have the id {twice[0]}")
    known = typed(traces).join(
        sorted_questions.select(question="pk"), on="question", how="semi", maintain_order="left"
    )
    return Candidates(tuple(patterns), sorted_questions, known, dict(patterns))


def _typed(rows: pl.DataFrame | Sequence[dict[str, Any]], columns: dict[str, Any]) -> pl.DataFrame:
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(list(rows), schema=columns)
    return frame.select(pl.col(name).cast(kind) for name, kind in columns.items())
