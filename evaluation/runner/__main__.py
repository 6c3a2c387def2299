"""`python -m evaluation.runner JOB_FOLDER`: think, cut and answer as job.json says; go on from what is there.

job.json names `model`, `markup`, `items` (a JSONL in the folder with id and prompt), `policies` and
`answer_tokens`, and may name `engine`, `dtype`, `batch_size` (questions between two looks at STOP) and
`threads`. Every finished question is one line of thoughts.jsonl; result.json comes last, in one piece.
A file STOP in the folder ends the run between two batches.
"""

import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from common.core.chat import MARKUPS, Markup, question_prompt
from common.core.refusal import Refusal
from evaluation.core.forcing import Answer, Generator, Thought, sweep
from evaluation.core.policy import BudgetPolicy, policies_from, widest

QUESTIONS_AT_ONCE = 42


class Engine(Generator, Protocol):
    """A generator that a program can run: it knows its room and names itself for the record."""

    context_tokens: int  # the most that prompt, thinking and answer may have together

    def describe(self) -> dict[str, str]: ...


class BadJob(Refusal):
    """The job folder does not hold what a run needs."""


class Stopped(Exception):
    """A STOP file was found."""


def main(argv: list[str]) -> int:
    """Run the job of one folder; return the exit status."""
    if len(argv) != 1:
        sys.stderr.write("usage: python -m evaluation.runner JOB_FOLDER\n")
        return 2
    folder = Path(argv[0])
    if not folder.is_dir():
        sys.stderr.write(f"{folder} is no folder; name one that holds a job.json.\n")
        return 1
    try:
        result = {"state": "succeeded", **evaluate(folder)}
    except Stopped:
        result = {"state": "cancelled"}
    except Refusal as refusal:
        result = {"state": "failed", "failure": str(refusal)}
    except Exception as error:
        traceback.print_exc()
        result = {"state": "failed", "failure": f"{type(error).__name__}: {error}"}
    part = folder / "result.json.part"
    part.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    part.replace(folder / "result.json")
    return 1 if result["state"] == "failed" else 0


def evaluate(folder: Path) -> dict[str, Any]:
    """Answer every question that has no line yet; return what result.json says.

    Raises:
        Refusal: the job cannot be run as it is; Stopped: a STOP file was found.
    """
    began = time.monotonic()
    job = read_job(folder)
    policies = policies_from(job["policies"])
    markup = MARKUPS[job["markup"]]
    items = read_items(folder / job["items"])
    done = finished(folder / "thoughts.jsonl", policies)
    report(folder, phase="loading", done=len(done), total=len(items), generated_tokens=sum(done.values()))
    generator = open_generator(job)
    left = [item for item in items if item["id"] not in done]
    check_room(generator, left, markup, widest(policies).max_tokens + job["answer_tokens"])
    tokens, at_once = sum(done.values()), job.get("batch_size", QUESTIONS_AT_ONCE)
    for start in range(0, len(left), at_once):
        if (folder / "STOP").exists():
            raise Stopped
        batch = left[start : start + at_once]
        tokens += answer_batch(folder, generator, batch, policies, markup, job["answer_tokens"])
        answered, seconds = len(done) + start + len(batch), round(time.monotonic() - began, 3)
        report(
            folder,
            phase="thinking",
            done=answered,
            total=len(items),
            generated_tokens=tokens,
            seconds=seconds,
        )
    return {
        "items": len(items),
        "generated_tokens": tokens,
        "seconds": round(time.monotonic() - began, 3),
        "engine": generator.describe(),
    }


def answer_batch(
    folder: Path,
    generator: Engine,
    items: Sequence[dict[str, Any]],
    policies: Sequence[BudgetPolicy],
    markup: Markup,
    answer_tokens: int,
) -> int:
    """Think about a batch of questions and append a line for each; return the tokens generated."""
    prompts = [generator.encode(question_prompt(markup, item["prompt"])) for item in items]
    swept = sweep(generator, prompts, policies, markup=markup, answer_tokens=answer_tokens)
    lines = [
        line_of(item["id"], thought, answers, generator.decode(thought.token_ids))
        for item, (thought, answers) in zip(items, swept, strict=True)
    ]
    with (folder / "thoughts.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return sum(line["generated_tokens"] for line in lines)


def line_of(item: str, thought: Thought, answers: Sequence[Answer], text: str) -> dict[str, Any]:
    """Return one question's line: the thought with every token spent, and each policy's answer."""
    asked = {answer.cut: answer.answer_tokens for answer in answers}
    return {
        "id": item,
        "token_ids": thought.token_ids,
        "forced_at": thought.forced_at,
        "stops": thought.stops,
        "text": text,
        "generated_tokens": len(thought.token_ids) - len(thought.forced_at) + sum(asked.values()),
        "answers": [
            {
                "policy": answer.policy,
                "cut_at": answer.cut.length,
                "forced_end": answer.cut.forced_end,
                "forced_tokens": answer.cut.forced_tokens,
                "text": answer.text,
                "answer_tokens": answer.answer_tokens,
            }
            for answer in answers
        ],
    }


def check_room(engine: Engine, items: Sequence[dict[str, Any]], markup: Markup, tokens: int) -> None:
    """Check that every question leaves room for so many tokens more.

    Raises:
        BadJob: one does not; the message names it and the budget that it would leave.
    """
    marks = len(engine.encode(f"\n{markup.answer_start}{markup.final_answer}"))
    for item in items:
        asked = len(engine.encode(question_prompt(markup, item["prompt"]))) + marks
        if (over := asked + tokens - engine.context_tokens) > 0:
            raise BadJob(
                f"The question {item['id']} has {asked} tokens; with {tokens} for thinking and answer it does not fit "
                f"the model's {engine.context_tokens}: lower the largest budget by {over} or leave the question out."
            )


def open_generator(job: dict[str, Any]) -> Engine:
    """Return the engine that the job names, loaded only now.

    Raises:
        BadJob: no such engine.
    """
    engine = job.get("engine", "transformers")
    if engine == "transformers":
        from evaluation.runner.transformers_generator import TransformersGenerator

        return TransformersGenerator(
            job["model"], dtype=job.get("dtype", "float32"), threads=job.get("threads")
        )
    if engine == "vllm":
        from evaluation.runner.vllm_generator import VllmGenerator

        return VllmGenerator(job["model"], dtype=job.get("dtype", "bfloat16"))
    raise BadJob(f"There is no engine {engine!r}; there are transformers and vllm.")


def read_job(folder: Path) -> dict[str, Any]:
    """Return the job.

    Raises:
        BadJob: there is none, it lacks a field, or its markup is not known.
    """
    path = folder / "job.json"
    try:
        job: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadJob(f"{path} cannot be read as a job ({error}).") from error
    if not isinstance(job, dict):
        raise BadJob(f"{path} holds no object; write it with model, markup, items and policies.")
    if missing := {"model", "markup", "items", "policies", "answer_tokens"} - job.keys():
        raise BadJob(f"{path} does not name {', '.join(sorted(missing))}.")
    if job["markup"] not in MARKUPS:
        raise BadJob(f"{path} names the markup {job['markup']!r}; there are {', '.join(MARKUPS)}.")
    for name in ("answer_tokens", "batch_size", "threads"):
        if name in job and not (type(job[name]) is int and job[name] > 0):
            raise BadJob(f"{path} gives {name} as {job[name]!r}; it is a whole number above 0.")
    return job


def read_items(path: Path) -> list[dict[str, Any]]:
    """Return the questions of a JSONL, each with its `id` and `prompt`.

    Raises:
        BadJob: it cannot be read, is empty, or has a line without these or an id twice.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        raise BadJob(f"{path} cannot be read ({error}).") from error
    if not lines:
        raise BadJob(f"{path} is empty; there is nothing to ask.")
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not isinstance(line, dict) or not all(
            isinstance(line.get(name), str) for name in ("id", "prompt")
        ):
            raise BadJob(f"Question {number} of {path} has no id and prompt; give both as texts.")
        if line["id"] in seen:
            raise BadJob(f"Question {number} of {path} has the id {line['id']} of an earlier one.")
        seen.add(line["id"])
    return lines


def finished(path: Path, policies: Sequence[BudgetPolicy]) -> dict[str, int]:
    """Return the tokens of each question that has a whole line; a torn last line is taken off.

    Raises:
        BadJob: the lines answer to other policies.
    """
    if not path.exists():
        return {}
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    lines = [json.loads(line) for line in whole.splitlines()]
    labels = [policy.label for policy in policies]
    if any([answer["policy"] for answer in line["answers"]] != labels for line in lines):
        raise BadJob(f"{path} holds answers under other policies; take a new folder for this job.")
    return {line["id"]: line["generated_tokens"] for line in lines}


def report(folder: Path, **line: Any) -> None:
    """Append one line of progress."""
    with (folder / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
