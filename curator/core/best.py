"""Which of a question's traces stands for it: a stated rule, and the criterion by which each other one lost.

An expert's choice comes first. Then a trace goes before a reply without thinking, and both before a summary of
thinking that its provider keeps back. Only then does a ranking's own order of criteria count; what they leave
even is decided by a hash of the content, so that the order of the rows never is.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from common.core.answers import Outcome, final_answer, mark, normal_answer
from common.core.quantities import quantity
from common.core.refusal import Refusal

Numbers = NDArray[np.int64]
Key = NDArray[Any]  # of each trace one number; the smaller goes before

CHOSEN, KIND, CONTENT = "chosen", "kind", "content"
LONGEST_FORM = 60  # characters; a longer answer is compared by its hash
BY_KEY = "✓"  # the form of every answer that agrees with the key: such answers agree with one another
_LETTERS = re.compile(r"[A-Z]{1,10}(?:\s?[,、;和]\s?[A-Z]{1,10})*")
_NAMED = re.compile(r"^\s*[\\$(]*\w{1,12}\s*=(?=[^=]*$)")  # "x = 5" answers 5


class Kind(IntEnum):
    """What a teacher's reply is worth as something to learn from; the smaller goes before."""

    TRACE = 0
    BARE = 1  # an answer without thinking: stands for a question only where there is no trace
    SUMMARY = 2  # of thinking that the provider keeps back: stands for a question only if an expert says so


# What a ranking looks at, beside the question, the trace and a project's flaws.
COLUMNS: dict[str, Any] = {
    "question": pl.Int64,
    "trace": pl.Int64,
    "tokens": pl.Int64,
    "is_right": pl.Boolean,
    "flaws": pl.UInt64,
    "usd": pl.Float64,
    "teacher": pl.Int64,
    "kind": pl.Int64,
    "said": pl.String,  # the form of its final answer, or ""
    "content": pl.Int64,  # the beginning of a hash of thinking and answer
    "is_chosen": pl.Boolean,
}
# For columns that were made without thought of several teachers.
MISSING: dict[str, Any] = {"teacher": 0, "kind": 0, "said": "", "content": 0, "is_chosen": False}


class BadRanking(Refusal):
    """A ranking cannot be used as it is written."""


@dataclass(frozen=True)
class Ranking:
    """Criteria in the order in which they count.

    Raises:
        BadRanking: there is none, one is unknown, or one stands twice.
    """

    name: str
    criteria: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.criteria or len(set(self.criteria)) < len(self.criteria):
            raise BadRanking(f"The ranking {self.name} has no criterion, or one twice: {self.criteria!r}.")
        if unknown := [name for name in self.criteria if name not in CRITERIA]:
            raise BadRanking(
                f"The ranking {self.name} names {', '.join(unknown)}; there are {', '.join(CRITERIA)}."
            )


def _is_wrong(traces: pl.DataFrame, _flaws: Numbers) -> Key:
    return ~traces["is_right"].to_numpy()


def _off_middle(traces: pl.DataFrame, _flaws: Numbers) -> Key:
    """Return twice the distance to the middle length of a question's traces; summaries have no say in it."""
    tokens = pl.col("tokens")
    of_traces = pl.when(pl.col("kind") == Kind.TRACE).then(tokens)
    middle = pl.coalesce(of_traces.median().over("question"), tokens.median().over("question"))
    return traces.select(((tokens - middle) * 2).abs().cast(pl.Int64)).to_series().to_numpy()


CRITERIA: Mapping[str, Callable[[pl.DataFrame, Numbers], Key]] = {
    "right": _is_wrong,
    "agreement": lambda traces, _flaws: -traces["agreement"].to_numpy(),
    "flaws": lambda _traces, flaws: flaws,
    "longer": lambda traces, _flaws: -traces["tokens"].to_numpy(),
    "shorter": lambda traces, _flaws: traces["tokens"].to_numpy(),
    "middle": _off_middle,
    "cheaper": lambda traces, _flaws: traces["usd"].to_numpy(),
}

# Longer goes before shorter as a rule: s1 draws by length (arXiv 2501.19393, section 2.2), and LIMO's score for
# a chain gives points for elaboration (arXiv 2502.03387). That right traces are often the shorter ones
# (arXiv 2502.12215) is met by `right` standing first, and by `brief` for whoever wants that.
STANDARD = "standard"
RANKINGS: dict[str, Ranking] = {
    ranking.name: ranking
    for ranking in (
        Ranking(STANDARD, ("right", "agreement", "flaws", "longer", "cheaper")),
        Ranking("alone", ("right", "flaws", "longer", "cheaper")),
        Ranking("brief", ("right", "agreement", "flaws", "shorter", "cheaper")),
        Ranking("middle", ("right", "agreement", "flaws", "middle", "cheaper")),
        Ranking("cheap", ("right", "flaws", "cheaper", "agreement", "longer")),
    )
}


def answer_form(reply: str, *, options: Sequence[str] = (), key: str = "") -> str:
    """Return what a reply answers in the one form in which answers of teachers are compared, or "".

    As the marker reads it: letters where the question has options or a key of letters, else a number
    by its value, else its normalised words. Two replies agree where their forms are the same.
    """
    by_letters = bool(options or _LETTERS.fullmatch(key.strip()))
    marked = mark(reply, key="A" if options else key, options=options)
    if marked.outcome is Outcome.UNPARSED:
        return ""
    if by_letters and marked.answer and _LETTERS.fullmatch(marked.answer):
        return marked.answer
    said = _NAMED.sub("", final_answer(reply) or "", count=1)
    number = quantity(said)
    form = f"{number.value.normalize():f} {number.unit}".strip() if number else normal_answer(said)
    return form if len(form) <= LONGEST_FORM else hashlib.sha256(form.encode()).hexdigest()[:32]


def with_agreement(traces: pl.DataFrame) -> pl.DataFrame:
    """Return traces with the number of other teachers who give the same answer to the same question.

    A trace that names no answer agrees with none; a teacher's other tries do not count.
    """
    voters = traces.lazy().select("question", "said", "teacher").filter(pl.col("said") != "").unique()
    counted = voters.group_by("question", "said").agg(agreement=pl.len().cast(pl.Int64) - 1)
    joined = traces.lazy().join(counted, on=["question", "said"], how="left", maintain_order="left")
    return joined.with_columns(pl.col("agreement").fill_null(0)).collect()


def _flaw_counts(traces: pl.DataFrame, counted: np.uint64) -> Numbers:
    counts: Numbers = np.bitwise_count(traces["flaws"].to_numpy() & counted).astype(np.int64)
    return counts


def _keys(traces: pl.DataFrame, counted: np.uint64, ranking: Ranking) -> dict[str, Key]:
    """Return by name what decides, the first to count first; the last tells every two traces apart."""
    flaws = _flaw_counts(traces, counted)
    return {
        CHOSEN: ~traces["is_chosen"].to_numpy(),
        KIND: traces["kind"].to_numpy(),
        **{name: CRITERIA[name](traces, flaws) for name in ranking.criteria},
        CONTENT: traces["content"].to_numpy(),
        "trace": traces["trace"].to_numpy(),
    }


def best_places(traces: pl.DataFrame, counted: np.uint64, ranking: Ranking) -> Numbers:
    """Return the place of each question's best trace, in the order of the questions.

    `traces` stand question by question and have their agreement; flaws count as far as `counted` holds
    their bits. A question whose replies are all summaries, none of them chosen by an expert, has no best one.
    """
    if not traces.height:
        return np.zeros(0, dtype=np.int64)
    questions = traces["question"].to_numpy()
    starts = np.flatnonzero(np.r_[True, questions[1:] != questions[:-1]])
    sizes = np.diff(np.r_[starts, len(questions)])
    left = np.arange(len(questions))
    # One criterion after the other, each only among those that all before it left even.
    for key in _keys(traces, counted, ranking).values():
        if len(left) == len(sizes):
            break
        values = key[left]
        kept = values == np.repeat(np.minimum.reduceat(values, starts), sizes)
        sizes = np.add.reduceat(kept, starts, dtype=np.int64)
        starts = np.r_[0, np.cumsum(sizes)[:-1]]
        left = left[kept]
    stands = (traces["kind"].to_numpy()[left] != Kind.SUMMARY) | traces["is_chosen"].to_numpy()[left]
    best: Numbers = left[stands]
    return best


@dataclass(frozen=True)
class Step:
    """A trace in the order of a ranking: its place, and by what it lost against the one before it."""

    place: int
    lost_by: str  # a criterion, "chosen", "kind" or "content"; "" for the first of a question


def ranked(traces: pl.DataFrame, counted: np.uint64, ranking: Ranking) -> list[Step]:
    """Return all traces, question by question and the best first, each with why it is not further up."""
    keys = _keys(traces, counted, ranking)
    order = np.lexsort((*reversed(keys.values()), traces["question"].to_numpy()))
    questions = traces["question"].to_numpy()
    steps = []
    for before, place in zip([-1, *order.tolist()], order.tolist(), strict=False):
        is_first = before < 0 or questions[before] != questions[place]
        lost_by = "" if is_first else next(name for name, key in keys.items() if key[before] != key[place])
        steps.append(Step(place, CONTENT if lost_by == "trace" else lost_by))
    return steps


@dataclass(frozen=True)
class Pair:
    """Two teachers: how many questions both gave an answer to, and to how many of them the same."""

    one: int
    other: int
    both: int
    same: int


def pairs(traces: pl.DataFrame) -> list[Pair]:
    """Return every two teachers that both answered a question; of several tries the first one counts."""
    first = (
        traces.lazy()
        .filter(pl.col("said") != "")
        .sort("trace")
        .unique(["question", "teacher"], keep="first", maintain_order=True)
        .select("question", "teacher", "said")
    )
    both = first.join(first, on="question", suffix="_other").filter(
        pl.col("teacher") < pl.col("teacher_other")
    )
    counted = both.group_by("teacher", "teacher_other").agg(
        pl.len().alias("both"), (pl.col("said") == pl.col("said_other")).sum().alias("same")
    )
    return [Pair(*row) for row in counted.sort("teacher", "teacher_other").collect().iter_rows()]


def typed(rows: pl.DataFrame | Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return traces as columns in their types, with their agreement, question by question and by trace."""
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(list(rows), schema=COLUMNS)
    columns = [
        (pl.col(name) if name in frame.columns else pl.lit(MISSING[name])).cast(kind).alias(name)
        for name, kind in COLUMNS.items()
    ]
    whole = frame.select(columns).with_columns(
        pl.col(name).fill_null(value) for name, value in MISSING.items()
    )
    return with_agreement(whole.sort("question", "trace"))
