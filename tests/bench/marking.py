"""The marker on real traces beside the labels that came with them, and on Math-Verify's own cases.

QIANTI_MATH_VERIFY names the folder of an unpacked source distribution of math-verify (Apache-2.0); its
tests are read, not run, and nothing of it is kept here. Without it that part is left out.
"""

import ast
import gzip
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from common.core.answers import Mark, Outcome, final_answer, mark
from tests.bench import material
from tests.bench.figures import Figure, fastest

NAME = "Marking answers"
# The labels that the marker does not share, each looked at: see DISPUTED for how they were judged.
DISPUTED = {
    "label wrong, marker right": 18,
    "label right, marker leaves it to a grader": 6,
}
BARE = 200  # characters; a shorter case of Math-Verify that names no answer is one
SOURCES = [
    "test_all",
    "test_boxed",
    "test_numina_cases",
    "test_open_thoughts",
    "test_strict",
    "test_yujianll",
]


class Case(NamedTuple):
    """A gold answer, a prediction and whether they are the same, of Math-Verify's tests."""

    name: str
    gold: str
    said: str
    is_same: bool


def run(scale: float) -> list[Figure]:
    """Mark all labelled traces, and Math-Verify's cases where they are at hand."""
    del scale  # two thousand traces are few enough
    rows = list(labelled_traces())
    figures = [agreement_figure(rows)] if rows else []
    folder = os.environ.get("QIANTI_MATH_VERIFY")
    return figures + ([math_verify_figure(Path(folder))] if folder else [])


def labelled_traces() -> Iterator[dict[str, Any]]:
    """Yield the real traces that have a key and a label."""
    for path in sorted((material.FOLDER / "traces").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        yield from (row for row in rows if row["reference"] and row["correct"] is not None)


def marked(row: dict[str, Any]) -> Mark:
    """Mark a trace against its key."""
    return mark(row["answer"], key=row["reference"], options=tuple(row["options"] or ()))


def agreement_figure(rows: list[dict[str, Any]]) -> Figure:
    """Return how far marker and labels agree, and the time for one pair."""
    seconds = fastest(lambda: [marked(row) for row in rows])
    said = [marked(row).outcome is Outcome.RIGHT for row in rows]
    lenient = sum(is_right and not row["correct"] for is_right, row in zip(said, rows, strict=True))
    strict = sum(row["correct"] and not is_right for is_right, row in zip(said, rows, strict=True))
    agreed = len(rows) - lenient - strict
    note = (
        f"{agreed} of {len(rows)} labels shared; {lenient} right where the label says wrong, {strict} the other way;"
        f" {seconds / len(rows) * 1e6:.0f} µs a trace"
    )
    limits = list(DISPUTED.values())
    return Figure(
        "labelled traces",
        seconds,
        limit=f"at most {limits} differ",
        note=note,
        kept=[lenient, strict] <= limits,
    )


def math_verify_figure(folder: Path) -> Figure:
    """Return on how many of Math-Verify's cases the marker agrees; list the others on the terminal."""
    cases = list(cases_of(folder))
    began = time.perf_counter()
    outcomes = [(case, mark(_reply(case.said), key=_gold(case.gold))) for case in cases]
    seconds = time.perf_counter() - began
    other = [(case, made) for case, made in outcomes if (made.outcome is Outcome.RIGHT) != case.is_same]
    for case, made in other:
        sys.stderr.write(
            f"{case.name}: {case.gold[-60:]!r} {case.said[-90:]!r}: {case.is_same}, not {made.outcome}: {made.rule}\n"
        )
    unread = sum(made.outcome is Outcome.UNPARSED for _case, made in other)
    note = f"{len(cases) - len(other)} of {len(cases)} as expected; of the others {unread} name no answer"
    return Figure("Math-Verify's cases", seconds, note=f"{note}; {seconds / len(cases) * 1e6:.0f} µs a pair")


def cases_of(folder: Path) -> Iterator[Case]:
    """Yield the cases that stand in the tables of Math-Verify's tests; they are read as literals."""
    for name in SOURCES:
        tree = ast.parse((folder / "tests" / f"{name}.py").read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 2]
        tables = [call.args for call in calls if ast.unparse(call.func).endswith("parametrize")]
        for names, rows in tables:
            columns = [part.strip() for part in ast.literal_eval(names).split(",")]
            for number, row in enumerate(rows.elts):
                if any(isinstance(node, ast.JoinedStr) for node in ast.walk(row)):
                    continue  # one case is computed there
                fields = dict(zip(columns, ast.literal_eval(row), strict=True))
                is_same = fields.get("expected", fields.get("result"))
                said = fields.get("pred", fields.get("prediction"))
                yield Case(f"{name} {number}", fields["gold"], said, bool(is_same))


def _gold(text: str) -> str:
    text = _single(text)
    return final_answer(text) or text.strip().strip("$").strip()


def _reply(text: str) -> str:
    """Return a prediction as a reply: one that is nothing but an answer gets the heading that it lacks."""
    text = _single(text)
    return text if len(text) >= BARE or final_answer(text) else f"Final Answer: {text}"


def _single(text: str) -> str:
    """Return text whose backslashes were doubled by mistake with single ones."""
    return text if "begin{" in text else text.replace("\\\\", "\\")
