"""The demo: the whole loop on the built-in field, each step a service that pages and commands use too.

Every step first looks whether it is done, so that a demo that was stopped goes on where it stood,
and a second call only shows what is there.
"""

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from django.conf import settings

from common.access import Role
from common.core.refusal import Refusal
from common.jobs import JobState, Watch
from common.models import Membership, Project, User
from common.services import create_project
from curator.models import Benchmark, Dataset, Import, Pool, Selection, Solver, Teacher, Trace
from curator.services import (
    benchmarks,
    collecting,
    datasets,
    endpoints,
    imports,
    pools,
    reviews,
    selections,
    taxonomy,
)
from demo import field as demo_field
from demo import sources
from evaluation.models import Evaluation, Round
from evaluation.services import record_round, run_evaluation, start_evaluation
from training.core.recipe import as_dict, tiny_cpu
from training.models import Model, Run
from training.services import register_base, run_training, start_run

SLUG = "demo"
OWNER = "owner@demo.example"
REVIEWER = "scripted.reviewer@demo.example"
BASE_FOLDER = Path(__file__).parent / "base_model"
ENDPOINT_START_SECONDS = 60
ARMS = {"random": "random", "longest": "difficulty"}  # what a person calls the arm → the control method
Bar = Callable[[str], AbstractContextManager[Watch]]


@dataclass(frozen=True)
class Sizes:
    """How much the demo does; the defaults take about five minutes on two cores."""

    pool: int = 3600
    selection: int = 1000
    benchmark_per_cell: int = 5  # items for each domain, language and length
    epochs: int = 4
    budgets: tuple[int, ...] = (16, 32, 64, 128, 192)
    arms: tuple[str, ...] = ("longest",)
    seed: int = 0


@dataclass
class Loop:
    """A demo on its way: its project and people, its sizes, and the seconds that each step took."""

    project: Project
    owner: User
    reviewer: User
    sizes: Sizes
    bar: Bar
    say: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, saying: str) -> Iterator[None]:
        """Say what is done and time it."""
        self.say(f"== {saying}")
        began = monotonic()
        yield
        self.seconds[name] = round(monotonic() - began, 1)


def password() -> str:
    """Return the demo's password, made once for this machine."""
    path = settings.HOME / "demo_password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12))
    return path.read_text()


def people() -> tuple[Project, User, User]:
    """Return the demo's project, its owner and the script that plays the reviewer."""
    owner = User.objects.filter(email=OWNER).first() or User.objects.create_user(
        OWNER, password(), name="Demo owner"
    )
    reviewer = User.objects.filter(email=REVIEWER).first() or User.objects.create_user(
        REVIEWER, None, name="Scripted reviewer (a program)"
    )
    project = Project.objects.filter(slug=SLUG).first() or create_project(
        owner=owner,
        slug=SLUG,
        name="Ledgers, deadlines, clocks 账目·期限·时刻",
        description="The built-in field: running a ledger, counting days to a deadline, setting a clock.",
        languages=["en", "zh"],
    )
    Membership.objects.get_or_create(project=project, user=reviewer, defaults={"role": Role.REVIEWER})
    return project, owner, reviewer


@contextmanager
def endpoint() -> Iterator[str]:
    """Serve the stand-in teacher and the solver on loopback; yield the address."""
    folder = settings.HOME / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "endpoint.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "demo.endpoint", "--port", "0", "--ready-file", str(ready)]
    with (folder / "endpoint.log").open("ab") as log:
        served = subprocess.Popen(command, stdout=log, stderr=log, cwd=settings.BASE_DIR)
    try:
        deadline = monotonic() + ENDPOINT_START_SECONDS
        while not ready.exists():
            if served.poll() is not None or monotonic() > deadline:
                raise Refusal(f"The demo's endpoint did not start; its log is {folder / 'endpoint.log'}.")
            sleep(0.05)
        yield f"http://127.0.0.1:{json.loads(ready.read_text())['port']}/v1"
    finally:
        served.terminate()
        served.wait()


def run(*, sizes: Sizes, bar: Bar, say: Callable[[str], None], address: str) -> dict[str, Any]:
    """Carry the loop from pools to the results; return accuracy by budget and seconds by step."""
    project, owner, reviewer = people()
    loop = Loop(project, owner, reviewer, sizes, bar, say)
    began = monotonic()
    _read_pools(loop)
    _ask_solver(loop, address)
    _ask_teacher(loop, address)
    selection = _select(loop)
    base = register_base(project=project, name="tiny base", location=str(BASE_FOLDER), markup="bare")
    evaluations = {"base": _evaluate(loop, base, "base")}
    arms = {name: selection.arms.get(method_name=ARMS[name]) for name in sizes.arms}
    chosen = {"tuned": selection, **arms}
    for name, picked in chosen.items():
        dataset = _review_and_freeze(loop, picked, name)
        trained = _train(loop, dataset, base, name)
        evaluations[name] = _evaluate(loop, Model.objects.get(run=trained), name)
        _close_round(loop, dataset, trained, [evaluations["base"], evaluations[name]])
    loop.seconds["all"] = round(monotonic() - began, 1)
    scores = {name: evaluation.scores for name, evaluation in evaluations.items()}
    return {**{name: _by_budget(rows) for name, rows in scores.items()}, "seconds": loop.seconds}


def _by_budget(scores: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    keys = ("accuracy", "low", "high", "thinking_tokens")
    return {row["policy"]: {key: round(row[key], 4) for key in keys} for row in scores}


def _read_pools(loop: Loop) -> None:
    """Write the offices' files, then import them as a curator would."""
    with loop.step("pools", "pools: reading the files of several offices"):
        written = sources.write(
            settings.HOME / "demo" / "sources",
            pool_size=loop.sizes.pool,
            benchmark_per_cell=loop.sizes.benchmark_per_cell,
            seed=loop.sizes.seed,
        )
        taxonomy.import_taxonomy(project=loop.project, path=written.taxonomy, file_name=written.taxonomy.name)
        for source in written.pools:
            pool = Pool.objects.filter(project=loop.project, name=source.pool).first() or pools.create_pool(
                project=loop.project, name=source.pool, licence=source.licence, provenance=source.provenance
            )
            if not Import.objects.filter(pool=pool, state=JobState.SUCCEEDED).exists():
                with loop.bar(source.pool) as watch:
                    job = pools.start_import(
                        pool=pool,
                        content=source.path,
                        file_name=source.path.name,
                        mapping=None,
                        by=loop.owner,
                    )
                    imports.run_import(job=job, watch=watch)
        if not Benchmark.objects.filter(project=loop.project).exists():
            benchmarks.import_benchmark(project=loop.project, path=written.benchmark, name="held-out paper")


def _ask_solver(loop: Loop, address: str) -> None:
    """Let the base model try every question once: what it solves is too easy to teach."""
    with loop.step("solver", "difficulty: the base model tries every question"):
        fields: dict[str, Any] = {
            "base_url": address,
            "model": "tiny-base",
            "max_in_flight": 64,
            "max_tokens": 64,
        }
        solver = Solver.objects.filter(project=loop.project).first() or endpoints.create_solver(
            project=loop.project, name="tiny base", temperature=0, **fields
        )
        Solver.objects.filter(pk=solver.pk).update(base_url=address)
        solver.refresh_from_db()
        if collecting.unattempted(solver, 1).exists():
            with loop.bar("asking") as watch:
                collecting.run_probe(job=collecting.start_probe(solver=solver, by=loop.owner), watch=watch)


def _ask_teacher(loop: Loop, address: str) -> None:
    """Collect the teacher's traces; the teacher here is a program that works the answer out."""
    with loop.step("teacher", "traces: the stand-in teacher (a program, not a model) answers the pool"):
        fields: dict[str, Any] = {
            "base_url": address,
            "model": "worked-reasoning",
            "max_in_flight": 16,
            "max_tokens": 1024,
        }
        teacher = Teacher.objects.filter(project=loop.project).first() or endpoints.create_teacher(
            project=loop.project, name="worked reasoning", temperature=0, is_stand_in=True, **fields
        )
        Teacher.objects.filter(pk=teacher.pk).update(base_url=address)
        teacher.refresh_from_db()
        if collecting.unanswered(teacher).exists():
            with loop.bar("asking") as watch:
                collecting.run_collection(
                    job=collecting.start_collection(teacher=teacher, by=loop.owner), watch=watch
                )


def _select(loop: Loop) -> Selection:
    """Pick by the three criteria, and by the control methods beside it."""
    with loop.step("selection", "selection: quality, difficulty, diversity, and the control arms"):
        done = Selection.objects.filter(project=loop.project, arm_of=None, state=JobState.SUCCEEDED).first()
        if done is None:
            with loop.bar("choosing") as watch:
                done = selections.start_selection(
                    project=loop.project,
                    method="coverage",
                    size=loop.sizes.selection,
                    seed=loop.sizes.seed,
                    name="even over domains and lengths",
                    by=loop.owner,
                )
                selections.run_selection(job=done, watch=watch)
        for arm in selections.start_arms(selection=done, methods=tuple(ARMS.values()), by=loop.owner):
            if arm.state == JobState.QUEUED:
                selections.run_selection(job=arm)
    return done


def _review_and_freeze(loop: Loop, selection: Selection, name: str) -> Dataset:
    """Judge every chosen trace by a script that stands in for the expert, then freeze."""
    with loop.step(f"review {name}", f"review ({name}): a script stands in for the expert, and says so"):
        if frozen := selection.datasets.first():
            return frozen
        waiting = reviews.to_review(selection, loop.reviewer)
        for trace in Trace.objects.filter(decisions__in=waiting).select_related("question"):
            judgement, note = scripted_judgement(trace.question.text, trace.thinking, trace.verdict)
            reviews.judge(
                trace=trace, reviewer=loop.reviewer, word=reviews.Word(judgement, note), is_scripted=True
            )
        return datasets.freeze(selection=selection, name=f"{selection.name} ({name})", by=loop.owner)


def scripted_judgement(question: str, thinking: str, verdict: str) -> tuple[str, str]:
    """Return what the script says of a trace: every line must be the one that the field's rules give."""
    try:
        worked = demo_field.solve(question).thinking
    except demo_field.UnreadableQuestion:
        return "reject", "The question cannot be read."
    if verdict != "right":
        return "reject", "The answer does not agree with the key."
    if worked != thinking:
        return "reject", "A line of the reasoning is wrong."
    return "accept", "Every line was worked out again."


def _train(loop: Loop, dataset: Dataset, base: Model, name: str) -> Run:
    """Fine-tune the tiny base with TRL on this machine's CPU."""
    with loop.step(
        f"fine-tune {name}", f"fine-tune ({name}): {dataset.row_count} rows, {loop.sizes.epochs} epochs"
    ):
        done = dataset.runs.filter(state=JobState.SUCCEEDED).first()
        if done is None:
            recipe = as_dict(tiny_cpu()) | {"epochs": loop.sizes.epochs, "seed": loop.sizes.seed}
            done = start_run(dataset=dataset, base=base, recipe=recipe, name=f"tiny {name}", by=loop.owner)
            with loop.bar("training") as watch:
                run_training(job=done, watch=watch)
    return done


def _evaluate(loop: Loop, model: Model, name: str) -> Evaluation:
    """Think once to the largest budget and cut it at every other; once more with a forced "Wait"."""
    with loop.step(
        f"evaluate {name}", f"evaluation ({name}): budgets {', '.join(map(str, loop.sizes.budgets))}"
    ):
        done = model.evaluations.filter(state=JobState.SUCCEEDED).first()
        if done is None:
            policies = [{"max_tokens": budget} for budget in loop.sizes.budgets]
            policies.append({"max_tokens": loop.sizes.budgets[-1], "extensions": 1})
            benchmark = Benchmark.objects.get(project=loop.project)
            done = start_evaluation(model=model, benchmark=benchmark, policies=policies, by=loop.owner)
            with loop.bar("thinking") as watch:
                run_evaluation(job=done, watch=watch)
    return done


def _close_round(loop: Loop, dataset: Dataset, trained: Run, evaluations: Sequence[Evaluation]) -> None:
    if not Round.objects.filter(run=trained).exists():
        record_round(project=loop.project, dataset=dataset, run=trained, evaluations=evaluations)


def report(outcome: dict[str, Any]) -> str:
    """Return the outcome as a small table for a terminal, gain and harm alike."""
    names = [name for name in outcome if name != "seconds"]
    policies = list(outcome["base"])
    lines = [f"{'thinking tokens':>16}" + "".join(f"{name:>14}" for name in names)]
    for policy in policies:
        shares = "".join(f"{100 * outcome[name][policy]['accuracy']:>12.1f} %" for name in names)
        lines.append(f"{policy:>16}{shares}")
    best = max(policies, key=lambda policy: outcome["tuned"][policy]["accuracy"])
    gain = 100 * (outcome["tuned"][best]["accuracy"] - outcome["base"][best]["accuracy"])
    lines.append(f"At {best} tokens the tuned model is {gain:+.1f} points from its base.")
    waits = [policy for policy in policies if "Wait" in policy]
    for policy in waits:
        change = 100 * (
            outcome["tuned"][policy]["accuracy"] - outcome["tuned"][policy.partition("+")[0]]["accuracy"]
        )
        lines.append(f"A forced Wait changed the tuned model's score by {change:+.1f} points.")
    return "\n".join(lines)
