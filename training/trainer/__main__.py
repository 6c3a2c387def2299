"""`python -m training.trainer JOB_FOLDER`: fine-tune as job.json says, and go on from what the folder holds.

job.json names `base` (a folder, or a name that the machine can resolve), `rows` (a JSONL in the folder
with question, options, thinking, answer) and `recipe`, and may name `threads`. Progress is appended line by
line; result.json comes last, in one piece, and a folder whose result is a success is left as it is. A file
STOP in the folder ends the run at the end of its step.

Under torchrun (`torchrun --nproc-per-node 8 -m training.trainer JOB_FOLDER`) the cards share the work.
"""

import errno
import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from common.core.chat import MARKUPS, Markup
from common.core.refusal import Refusal
from training.core.conversation import EncodedRow
from training.core.preflight import Check, refuse_faults
from training.core.recipe import Recipe, from_dict

OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
LEAST_FREE_BYTES = 2**20  # with less, whatever failed to be written failed for this


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
    if not folder.is_dir():
        sys.stderr.write(f"{folder} is no folder; name one that holds a job.json.\n")
        return 1
    if has_succeeded(folder):
        return 0
    result = carry_out(folder)
    if is_main_rank() and not written(folder, result):
        return 1
    return 1 if result["state"] == "failed" else 0


def has_succeeded(folder: Path) -> bool:
    """Tell whether an earlier start has finished the job."""
    path = folder / "result.json"
    return path.exists() and bool(json.loads(path.read_text(encoding="utf-8"))["state"] == "succeeded")


def carry_out(folder: Path) -> dict[str, Any]:
    """Train, and return what result.json is to say, whatever happens; the log gets the traceback."""
    try:
        return {"state": "succeeded", **train(folder)}
    except Stopped:
        return {"state": "cancelled"}
    except Refusal as refusal:
        if refusal.__cause__ is not None:
            traceback.print_exc()
        return {"state": "failed", "failure": str(refusal)}
    except Exception as error:
        traceback.print_exc()
        words = failure(folder, error)
        if is_main_rank():
            shutil.rmtree(folder / "checkpoint.part", ignore_errors=True)  # room for the result itself
        return {"state": "failed", "failure": words}


def failure(folder: Path, error: Exception) -> str:
    """Return one sentence for an error that nobody foresaw; a full disk is the one that has a remedy."""
    words = (str(error).strip() or type(error).__name__).splitlines()[0]
    is_full = any(os.strerror(code) in words for code in OUT_OF_SPACE)
    if is_full or shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        return f"The disk of {folder} is full ({words}); free some of it and start again."
    return f"{type(error).__name__}: {words}; the log has the details."


def is_main_rank() -> bool:
    """Tell whether this process writes the folder's files: rank 0 does."""
    return os.environ.get("RANK", "0") == "0"


def written(folder: Path, result: dict[str, Any]) -> bool:
    """Write result.json in one piece and say a failure on stderr too; return whether the disk took it."""
    if result["state"] == "failed":
        sys.stderr.write(f"{result['failure']}\n")
    part = folder / "result.json.part"
    try:
        part.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
        part.replace(folder / "result.json")
    except OSError as error:
        sys.stderr.write(f"{failure(folder, error)} The result was: {result}\n")
        return False
    if result["state"] == "succeeded":
        # Only now, so that a kill between checkpoint and result leaves something to go on from.
        shutil.rmtree(folder / "state", ignore_errors=True)
    return True


def report(folder: Path, **line: Any) -> None:
    """Append one line of progress."""
    if is_main_rank():
        with (folder / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def train(folder: Path) -> dict[str, Any]:
    """Load, check every row, train, save, check what was saved; return what result.json says of it.

    Raises:
        Refusal: the job cannot be run as it is; Stopped: a STOP file was found.
    """
    job = read_job(folder)
    recipe = from_dict(job["recipe"])
    report(folder, phase="loading", done=0, total=0)
    # Imported here, after the job was read, so that a bad job is refused in a moment.
    from training.trainer import fit

    began = time.monotonic()
    if "threads" in job:
        fit.use_threads(job["threads"])
    prepared = fit.prepare(folder, job["base"], recipe)
    rows = encode_rows(folder / job["rows"], prepared.tokenizer, recipe)
    outcome = fit.fit(prepared, rows, folder=folder, report=lambda **line: report(folder, **line))
    if outcome.stopped:
        raise Stopped
    report(folder, phase="saving", done=outcome.steps, total=outcome.steps)
    part = fit.save(folder, outcome.trainer, prepared.tokenizer)
    if not is_main_rank():
        return {}
    report(folder, phase="checking", done=outcome.steps, total=outcome.steps)
    digest = fit.check(part, prepared.model)
    fit.publish(folder, part)
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
    threads = job.get("threads", 1)
    if type(threads) is not int or threads < 1:
        raise BadJob(f"{path} gives {threads!r} threads; it is a whole number from 1.")
    return job


def encode_rows(path: Path, tokenizer: Any, recipe: Recipe) -> list[EncodedRow]:
    """Return every row of the dataset as ids and labels.

    Raises:
        RowsRefused: naming the rows that cannot be trained on.
        BadJob: the file is missing, empty or torn.
    """
    markup = MARKUPS[recipe.markup]
    _check_marks(tokenizer, markup)
    end_id = tokenizer.convert_tokens_to_ids(markup.end)
    check = Check(tokenizer, markup, max_length=recipe.max_length, end_id=end_id)
    try:
        lines = path.read_bytes().split(b"\n")  # a text may hold other line ends, such as U+2028
    except OSError as error:
        raise BadJob(f"The rows {path} cannot be read ({error.strerror}).") from error
    encoded: list[EncodedRow] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            made = check.add(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise BadJob(f"{path}, line {number}, is no row of a dataset ({error!r}).") from error
        encoded += [made] if made else []
    refuse_faults(check.finished())
    if not encoded:
        raise BadJob(f"The rows {path} are empty; there is nothing to train on.")
    return encoded


def _check_marks(tokenizer: Any, markup: Markup) -> None:
    for mark in (markup.stop, markup.end):
        if len(tokenizer.encode(mark, add_special_tokens=False)) != 1:
            raise BadJob(
                f"The base model's tokenizer has no single token for {mark}; choose the markup that it was made with."
            )


if __name__ == "__main__":
    status = main(sys.argv[1:])
    if "RANK" in os.environ:  # under torchrun: the group's threads abort a process that unwinds beside them
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
