"""`python -m training.trainer JOB_FOLDER`: fine-tune as job.json says, and go on from what the folder holds.

job.json names `base` (a folder, or a name that the machine can resolve), `rows` (a JSONL in the folder
with question, options, thinking, answer) and `recipe`. Progress is appended line by line; result.json
comes last, in one piece. A file STOP in the folder ends the run at the next step.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from common.core.chat import MARKUPS
from common.core.refusal import Refusal
from training.core.conversation import EncodedRow, RowRefused, encode_row
from training.core.recipe import Recipe, from_dict


class BadJob(Refusal):
    """The job folder does not hold what a run needs."""


class Stopped(Exception):
    """A STOP file was found."""


def main(argv: list[str]) -> int:
    """Run the job of one folder; return the exit status."""
    if len(argv) != 1:
        sys.stderr.write("usage: python -m training.trainer JOB_FOLDER\n")
        return 2
    folder = Path(argv[0])
    try:
        result = {"state": "succeeded", **train(folder)}
    except Stopped:
        result = {"state": "cancelled"}
    except Refusal as refusal:
        result = {"state": "failed", "failure": str(refusal)}
    except OSError as error:
        traceback.print_exc()
        result = {
            "state": "failed",
            "failure": f"{error.strerror or error} ({error.filename or folder}); free the disk and try again.",
        }
    except Exception as error:
        traceback.print_exc()
        result = {"state": "failed", "failure": f"{type(error).__name__}: {error}"}
    if is_main_rank():
        write_result(folder, result)
    return 1 if result["state"] == "failed" else 0


def is_main_rank() -> bool:
    """Tell whether this process writes the folder's files: rank 0 does."""
    return os.environ.get("RANK", "0") == "0"


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write result.json in one piece."""
    part = folder / "result.json.part"
    part.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    part.replace(folder / "result.json")


def report(folder: Path, **line: Any) -> None:
    """Append one line of progress."""
    if is_main_rank():
        with (folder / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def train(folder: Path) -> dict[str, Any]:
    """Load, check every row, train, save; return what result.json says of it.

    Raises:
        Refusal: the job cannot be run as it is; Stopped: a STOP file was found.
    """
    job = read_job(folder)
    recipe = from_dict(job["recipe"])
    report(folder, phase="loading", done=0, total=0)
    # Imported here, after the job was read, so that a bad job is refused in a moment.
    from training.trainer import fit

    began = time.monotonic()
    model, tokenizer = fit.load(job["base"], recipe)
    rows = encode_rows(folder / job["rows"], tokenizer, recipe)
    outcome = fit.fit(folder, model, tokenizer, rows, recipe, report=lambda **line: report(folder, **line))
    if outcome.stopped:
        raise Stopped
    report(folder, phase="saving", done=outcome.steps, total=outcome.steps)
    digest = fit.save(folder, outcome.trainer, tokenizer)
    return {
        "steps": outcome.steps,
        "final_loss": outcome.final_loss,
        "tokens": outcome.tokens,
        "seconds": round(time.monotonic() - began, 3),
        "checkpoint": "checkpoint",
        "hash": digest,
        "versions": fit.versions(),
    }


def read_job(folder: Path) -> dict[str, Any]:
    """Return the job.

    Raises:
        BadJob: there is none, or it lacks a field.
    """
    path = folder / "job.json"
    try:
        job: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadJob(
            f"{path} cannot be read as a job ({error}); write it with base, rows and recipe."
        ) from error
    if not isinstance(job, dict):
        raise BadJob(f"{path} holds no object; write it with base, rows and recipe.")
    if missing := {"base", "rows", "recipe"} - job.keys():
        raise BadJob(f"{path} does not name {', '.join(sorted(missing))}.")
    return job


def encode_rows(path: Path, tokenizer: Any, recipe: Recipe) -> list[EncodedRow]:
    """Return every row of the dataset as ids and labels.

    Raises:
        RowRefused: naming the first row that cannot be trained on.
        BadJob: the file is missing, empty or torn.
    """
    markup = MARKUPS[recipe.markup]
    end_id = tokenizer.convert_tokens_to_ids(markup.end)
    encoded: list[EncodedRow] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadJob(f"The rows {path} cannot be read ({error.strerror}).") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            encoded.append(encode_row(tokenizer, markup, row, max_length=recipe.max_length, end_id=end_id))
        except RowRefused as refused:
            raise RowRefused(f"Row {number} of the dataset cannot be trained on: {refused}") from refused
        except (ValueError, KeyError, TypeError) as error:
            raise BadJob(f"{path}, line {number}, is no row of a dataset ({error!r}).") from error
    if not encoded:
        raise BadJob(f"The rows {path} are empty; there is nothing to train on.")
    return encoded


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
