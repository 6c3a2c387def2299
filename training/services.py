"""What a person can do with a dataset and a base model: start a fine-tune, follow it, keep its model."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from time import sleep
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from common.core.chat import MARKUPS
from common.core.refusal import Refusal
from common.jobs import Cancelled, Job, Pulse, Watch, carried, unwatched
from common.models import Project, User
from curator.models import Dataset
from training.backends import backend_of, end
from training.backends.record import read_progress
from training.core.recipe import RECIPES, Recipe, as_dict, from_dict
from training.models import Model, Run, RunStep


class ProgramFailed(Refusal):
    """A job's program ended with an error; the message is its own sentence."""


def register_base(*, project: Project, name: str, location: str, markup: str) -> Model:
    """Make a base model known to a project; the same name, location and markup twice is one model.

    Raises:
        Refusal: the markup is not known, or the name belongs to another model.
    """
    if markup not in MARKUPS:
        raise Refusal(
            _("The markup %(name)s is not one of %(known)s.") % {"name": markup, "known": ", ".join(MARKUPS)}
        )
    _check_location(location)
    fields = {"kind": Model.Kind.BASE, "location": location, "markup": markup}
    model, _made = Model.objects.get_or_create(project=project, name=name, defaults=fields)
    if (model.kind, model.location, model.markup) != (Model.Kind.BASE, location, markup):
        raise Refusal(
            _("The name %(name)s belongs to another model already; choose another.") % {"name": name}
        )
    return model


def _check_location(location: str) -> None:
    """Refuse a folder without a model; a name is for the machine that trains to resolve."""
    folder = Path(location)
    if (folder.is_absolute() or folder.exists()) and not (folder / "config.json").is_file():
        raise Refusal(
            _("There is no model in %(folder)s; name a folder with config, weights and tokenizer.")
            % {"folder": location}
        )


def recipe_from(recipe: dict[str, Any] | str) -> tuple[str, Recipe]:
    """Return a recipe and its name, from the name of a built-in one or from a whole config.

    Raises:
        Refusal: no such recipe, or a field that cannot be used.
    """
    if not isinstance(recipe, str):
        made = from_dict(recipe)
        return next((name for name, built in RECIPES.items() if built() == made), "custom"), made
    if recipe not in RECIPES:
        raise Refusal(
            _("There is no recipe %(name)s; there are %(known)s.")
            % {"name": recipe, "known": ", ".join(RECIPES)}
        )
    return recipe, RECIPES[recipe]()


def start_run(
    *,
    dataset: Dataset,
    base: Model,
    recipe: dict[str, Any] | str,
    name: str = "",
    max_cost_usd: Decimal | None = None,
    by: User | None,
) -> Run:
    """Queue one fine-tune.

    Raises:
        Refusal: the recipe cannot be used, here or at all, or the base is of another project.
    """
    if base.project_id != dataset.project_id:
        raise Refusal(_("The base model %(name)s belongs to another project.") % {"name": base.name})
    recipe_name, made = recipe_from(recipe)
    if made.sequence_parallel > 1:  # the backend of every run begins one process
        raise Refusal(
            _(
                "A run on this machine is one process, so %(count)d cards cannot share a pack; set sequence_parallel to 1."
            )
            % {"count": made.sequence_parallel}
        )
    run: Run = Run.objects.create(
        project=dataset.project,
        dataset=dataset,
        name=name or f"{base.name} + {dataset.name}",
        base=base.location,
        recipe=as_dict(made),
        recipe_name=recipe_name,
        max_cost_usd=max_cost_usd,
        created_by=by,
    )
    return run


def run_training(*, job: Run, watch: Watch = unwatched) -> None:
    """Carry one run from queued to done: program, progress, checkpoint, model.

    Raises:
        AlreadyClaimed: another worker has it.
        ProgramFailed: with the program's own sentence.
    """
    with carried(job):
        folder = job_folder(job)
        _prepare(job, folder)
        result = follow_program(
            job=job,
            module="training.trainer",
            folder=folder,
            record=lambda lines: _record_steps(job, lines),
            where=job.backend,
            watch=watch,
        )
        _keep_checkpoint(job, folder, result)


def job_folder(job: Job) -> Path:
    """Return the folder that is the record of a job's program; it is made on the first call.

    Raises:
        Refusal: the disk does not take it.
    """
    folder = Path(job.folder) if job.folder else settings.JOBS_ROOT / f"{job._meta.model_name}-{job.pk}"  # type: ignore[attr-defined]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(
            _("The job folder %(folder)s cannot be made (%(why)s); free the disk or move QIANTI_HOME.")
            % {"folder": folder, "why": error.strerror}
        ) from error
    if not job.folder:  # type: ignore[attr-defined]
        job.folder = str(folder)  # type: ignore[attr-defined]
        job.save(update_fields=["folder"])  # type: ignore[misc]
    return folder


def write_job(folder: Path, job: dict[str, Any], **rows: Iterable[dict[str, Any]]) -> None:
    """Write a program's input; job.json comes last, so that a folder with one is complete."""
    if (folder / "job.json").exists():
        return
    for name, lines in rows.items():
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    part = folder / "job.json.part"
    part.write_text(json.dumps(job, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(folder / "job.json")


def _prepare(job: Run, folder: Path) -> None:
    keys = ("question", "options", "thinking", "answer")
    rows = ({key: content[key] for key in keys} for content in _contents(job.dataset))
    write_job(
        folder, {"run": job.pk, "base": job.base, "rows": "rows.jsonl", "recipe": job.recipe}, rows=rows
    )


def _contents(dataset: Dataset) -> Iterator[dict[str, Any]]:
    yield from dataset.rows.values_list("content", flat=True).iterator()


def follow_program(
    *,
    job: Job,
    module: str,
    folder: Path,
    record: Callable[[list[dict[str, Any]]], None],
    where: str = Run.Backend.LOCAL,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """Have a backend run `python -m module folder`, record what it reports, and return its result.

    Raises:
        BadBackend: there is none of the name `where`.
        Cancelled: a person asked for it, and the program has ended.
        ProgramFailed: the program said so, or died without a word.
    """
    backend, pulse = backend_of(where), Pulse(job, watch)
    backend.submit(module, folder)
    offset = 0
    try:
        while True:
            goes_on = backend.follow(folder)  # asked before reading, so that the last lines are not missed
            lines, offset = read_progress(folder, offset)
            if lines:
                record(lines)
            latest = lines[-1] if lines else {}
            pulse(
                int(latest.get("done", job.progress_done)),
                int(latest.get("total", job.progress_total)) or None,
                phase=latest.get("phase"),
            )
            if not goes_on:
                break
            sleep(backend.POLL_SECONDS)
    except (Cancelled, KeyboardInterrupt):
        end(backend, folder, meanwhile=lambda: _beat(job))
        raise
    return _result(backend.collect(folder), folder)


def _beat(job: Job) -> None:
    """Be heard from while a program stops, which may take longer than a job may be silent."""
    with suppress(Cancelled):
        job.beat(now=timezone.now())


def _result(result: dict[str, Any] | None, folder: Path) -> dict[str, Any]:
    if result is None:
        raise ProgramFailed(
            _("The program ended without a result; the end of its log is in %(log)s.")
            % {"log": folder / "log.txt"}
        )
    if result["state"] == "failed":
        raise ProgramFailed(result["failure"])
    if result["state"] == "cancelled":
        raise Cancelled
    return result


def _record_steps(job: Run, lines: list[dict[str, Any]]) -> None:
    steps = [
        RunStep(
            run=job,
            step=line["step"],
            loss=line["loss"],
            learning_rate=line["learning_rate"],
            grad_norm=line.get("grad_norm"),
            tokens=line.get("tokens", 0),
            seconds=line["seconds"],
        )
        for line in lines
        if line.get("loss") is not None
    ]
    RunStep.objects.bulk_create(
        steps,
        update_conflicts=True,
        unique_fields=["run", "step"],
        update_fields=["loss", "learning_rate", "grad_norm", "tokens", "seconds"],
    )


@transaction.atomic
def _keep_checkpoint(job: Run, folder: Path, result: dict[str, Any]) -> None:
    """Record what the program says it made, and register the checkpoint as a model."""
    job.steps, job.final_loss, job.tokens = result["steps"], result["final_loss"], result["tokens"]
    job.versions = result["versions"]
    job.save(update_fields=["steps", "final_loss", "tokens", "versions"])
    recipe = from_dict(job.recipe)
    fields = {
        "kind": Model.Kind.CHECKPOINT,
        "location": str(folder / result["checkpoint"]),
        "markup": recipe.markup,
        "content_hash": result["hash"],
        "base": Model.objects.filter(project=job.project, kind=Model.Kind.BASE, location=job.base).first(),
    }
    if not Model.objects.filter(run=job).exists():
        Model.objects.create(project=job.project, run=job, name=_free_name(job), **fields)


def _free_name(job: Run) -> str:
    taken = Model.objects.filter(project=job.project, name=job.name).exists()
    return f"{job.name} #{job.pk}" if taken else job.name
