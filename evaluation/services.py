"""What a person can do with a model and a benchmark: measure it under budget policies, and close a round."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from common.core.chat import question_with_options
from common.core.intervals import wilson
from common.core.refusal import Refusal
from common.jobs import JobState, Watch, carried, unwatched
from common.models import Project, User
from curator.models import Benchmark, BenchmarkItem, Dataset
from evaluation.core.grading import Grade, grade
from evaluation.core.policy import policies_from
from evaluation.models import Evaluation, MarkedAnswer, Round, Thought
from training.models import Model, Run
from training.services import follow_program, job_folder, write_job

ANSWER_TOKENS_AT_MOST = 32


def start_evaluation(
    *, model: Model, benchmark: Benchmark, policies: Sequence[dict[str, Any]], by: User | None
) -> Evaluation:
    """Queue one model on one benchmark under these policies.

    Raises:
        Refusal: a policy cannot be used, the benchmark is empty, only held out, or of another project.
    """
    if model.project_id != benchmark.project_id:
        raise Refusal(_("The benchmark %(name)s belongs to another project.") % {"name": benchmark.name})
    if benchmark.is_exam:
        raise Refusal(
            _("%(name)s is held out only; read it as a benchmark with keys to measure a model on it.")
            % {"name": benchmark.name}
        )
    if not benchmark.items.exists():
        raise Refusal(_("The benchmark %(name)s has no items.") % {"name": benchmark.name})
    evaluation: Evaluation = Evaluation.objects.create(
        project=model.project,
        model=model,
        benchmark=benchmark,
        policies=[policy.as_dict() for policy in policies_from(policies)],
        created_by=by,
    )
    return evaluation


def run_evaluation(
    *, job: Evaluation, watch: Watch = unwatched, answer_tokens: int = ANSWER_TOKENS_AT_MOST
) -> None:
    """Carry one evaluation from queued to done: program, thoughts, marks, scores.

    Raises:
        AlreadyClaimed: another worker has it.
        ProgramFailed: with the program's own sentence.
    """
    with carried(job):
        folder = job_folder(job)
        items = list(job.benchmark.items.all())
        settings = {
            "model": job.model.location,
            "markup": job.model.markup,
            "items": "items.jsonl",
            "policies": job.policies,
            "answer_tokens": answer_tokens,
            "engine": "transformers",
        }
        prompts = (
            {"id": str(item.pk), "prompt": question_with_options(item.text, tuple(item.options))}
            for item in items
        )
        write_job(folder, settings, items=prompts)
        result = follow_program(
            job=job, module="evaluation.runner", folder=folder, record=lambda lines: None, watch=watch
        )
        _store(job, folder, {str(item.pk): item for item in items}, result)


@transaction.atomic
def _store(job: Evaluation, folder: Path, items: dict[str, BenchmarkItem], result: dict[str, Any]) -> None:
    """Replace what an earlier try of this job stored by what the program wrote, marked."""
    job.thoughts.all().delete()
    lines = list(_lines(folder / "thoughts.jsonl"))
    thoughts = Thought.objects.bulk_create(
        [_thought(job, items[line["id"]], line) for line in lines], batch_size=500
    )
    answers = [
        _marked(thought, items[line["id"]], answer)
        for thought, line in zip(thoughts, lines, strict=True)
        for answer in line["answers"]
    ]
    MarkedAnswer.objects.bulk_create(answers, batch_size=2000)
    job.generated_tokens, job.engine = result["generated_tokens"], result["engine"]
    job.scores = _scores(job, items)
    job.save(update_fields=["generated_tokens", "engine", "scores"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _thought(job: Evaluation, item: BenchmarkItem, line: dict[str, Any]) -> Thought:
    return Thought(
        evaluation=job,
        item=item,
        token_ids=line["token_ids"],
        forced_at=line["forced_at"],
        stops=line["stops"],
        text=line["text"].replace("\x00", "�"),
    )


def _marked(thought: Thought, item: BenchmarkItem, answer: dict[str, Any]) -> MarkedAnswer:
    marked: Grade = grade(answer["text"], key=item.key, options=tuple(item.options))
    return MarkedAnswer(
        thought=thought,
        policy=answer["policy"],
        cut_at=answer["cut_at"],
        forced_end=answer["forced_end"],
        forced_tokens=answer["forced_tokens"],
        answer_tokens=answer["answer_tokens"],
        text=answer["text"].replace("\x00", "�"),
        answer=(marked.answer or "").replace("\x00", "�"),
        outcome=marked.outcome,
        rule=marked.rule,
        credit=marked.credit,
    )


def _scores(job: Evaluation, items: dict[str, BenchmarkItem]) -> list[dict[str, Any]]:
    """Return one row of figures a policy; every outcome is counted for itself."""
    rows = MarkedAnswer.objects.filter(thought__evaluation=job).values_list(
        "policy", "outcome", "credit", "cut_at", "forced_end", "thought__item_id"
    )
    by_policy: dict[str, list[tuple[Any, ...]]] = {policy["label"]: [] for policy in job.policies}
    for policy, *row in rows:
        by_policy[policy].append(tuple(row))
    return [_score(policy, by_policy[policy["label"]], items) for policy in job.policies]


def _score(
    policy: dict[str, Any], rows: list[tuple[Any, ...]], items: dict[str, BenchmarkItem]
) -> dict[str, Any]:
    outcomes = {outcome: sum(row[0] == outcome for row in rows) for outcome in MarkedAnswer.Outcome.values}
    right, total = outcomes["right"], len(rows)
    low, high = wilson(right, total)
    marks = {pk: float(item.marks) if item.marks is not None else 1.0 for pk, item in items.items()}
    worth = sum(marks[str(row[4])] for row in rows)
    return {
        "policy": policy["label"],
        "budget": policy["max_tokens"],
        "extensions": policy["extensions"],
        "accuracy": right / total,
        "low": low,
        "high": high,
        "items": total,
        "thinking_tokens": sum(row[2] for row in rows) / total,
        "forced_ends": sum(row[3] for row in rows),
        "outcomes": outcomes,
        "score": sum(marks[str(row[4])] * row[1] for row in rows) / worth if worth else 0.0,
    }


@transaction.atomic
def record_round(
    *, project: Project, dataset: Dataset, run: Run, evaluations: Sequence[Evaluation], decision: str = ""
) -> Round:
    """Close a round: what was taught, how, and what it measured; the next number is its own.

    Raises:
        Refusal: an evaluation has not ended well.
    """
    if unfinished := [row for row in evaluations if row.state != JobState.SUCCEEDED]:
        raise Refusal(_("The evaluation %(name)s is not done.") % {"name": unfinished[0]})
    Project.objects.select_for_update().get(pk=project.pk)  # two rounds at once get two numbers
    last = Round.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    made: Round = Round.objects.create(
        project=project, number=last + 1, dataset=dataset, run=run, decision=decision
    )
    made.evaluations.set(evaluations)
    return made
