"""Fine-tunes as a person starts them: real, on the tiny base, to a registered model or a failure's sentence."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from django.utils import timezone

from common.core.refusal import Refusal
from common.jobs import AlreadyClaimed, Cancelled, JobState
from curator.models import Dataset, DatasetRow, Selection
from demo.field import make_question
from tests.training.test_local import wait_until
from training import backends, services
from training.backends import local
from training.core.recipe import as_dict, s1, tiny_cpu
from training.models import Model, Run, RunStep

pytestmark = pytest.mark.django_db

BASE = Path(__file__).parents[2] / "demo" / "base_model"
QUICK = as_dict(tiny_cpu()) | {"epochs": 2, "batch_size": 8, "rows_per_card": 8}


@pytest.fixture(autouse=True)
def _one_thread_and_short_waits(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(local, "POLL_SECONDS", 0.05)


@pytest.fixture
def make_dataset(make_project):
    """Return what makes datasets of the demo's field."""

    def make(project=None, rows=16, **content):
        project, rng = project or make_project(), Random(8)
        number = Dataset.objects.count()
        selection = Selection.objects.create(
            project=project,
            name=f"picked {number}",
            method={},
            method_name="coverage",
            size=rows,
            state=JobState.SUCCEEDED,
            finished_at=timezone.now(),
            members_hash="a" * 64,
        )
        made = Dataset.objects.create(
            project=project,
            selection=selection,
            name=f"clocks {number}",
            content_hash=f"{number:064x}",
            row_count=rows,
        )
        questions = [make_question(rng, domain="clock", language="en", steps=3) for _row in range(rows)]
        DatasetRow.objects.bulk_create(
            DatasetRow(
                dataset=made,
                position=place,
                question_hash=f"{place:064x}",
                trace_hash="c" * 64,
                content={
                    "question": each.text,
                    "options": [],
                    "thinking": each.thinking,
                    "answer": each.answer,
                    **content,
                },
            )
            for place, each in enumerate(questions)
        )
        return made

    return make


@pytest.fixture
def make_run(make_dataset):
    """Return what makes queued runs on the tiny base."""

    def make(location=BASE, recipe=None, **content):
        dataset = make_dataset(**content)
        base = services.register_base(
            project=dataset.project, name="tiny", location=str(location), markup="bare"
        )
        return services.start_run(dataset=dataset, base=base, recipe=recipe or QUICK, by=None)

    return make


def test_a_run_ends_with_its_steps_recorded_and_its_model_registered(make_run):
    job, seen = make_run(), []

    services.run_training(job=job, watch=lambda watched: seen.append((watched.phase, watched.progress_done)))

    job.refresh_from_db()
    steps = list(RunStep.objects.filter(run=job).values_list("step", flat=True))
    model = Model.objects.get(run=job)
    assert job.state == JobState.SUCCEEDED
    assert steps == [1, 2, 3, 4]
    assert (job.steps, job.progress_done, job.progress_total) == (4, 4, 4)
    assert job.final_loss < RunStep.objects.get(run=job, step=1).loss
    assert job.tokens > 0
    assert job.versions["trl"]
    assert (model.kind, model.markup, model.base.name) == ("checkpoint", "bare", "tiny")
    assert len(model.content_hash) == 64
    assert (Path(model.location) / "model.safetensors").exists()
    assert seen[-1] == ("checking", 4)
    with pytest.raises(AlreadyClaimed):
        services.run_training(job=Run.objects.get(pk=job.pk))


def test_a_run_that_is_cancelled_keeps_no_model_and_goes_on_when_tried_again(make_run):
    job = make_run()

    def cancel(watched):
        Run.objects.get(pk=watched.pk).request_cancel(now=timezone.now())

    services.run_training(job=job, watch=cancel)

    assert job.state == JobState.CANCELLED
    assert not Model.objects.filter(run=job).exists()

    job.requeue(now=timezone.now())
    services.run_training(job=job)

    assert job.state == JobState.SUCCEEDED
    assert Model.objects.filter(run=job).count() == 1
    assert list(RunStep.objects.filter(run=job).values_list("step", flat=True)) == [1, 2, 3, 4]


def test_a_base_that_is_no_model_fails_the_run_with_the_program_s_sentence(make_run, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    job = make_run(location=tmp_path)

    with pytest.raises(services.ProgramFailed) as failed:
        services.run_training(job=job)

    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert job.failure == str(failed.value)
    assert str(tmp_path) in job.failure
    assert "config, weights and tokenizer" in job.failure
    assert not Model.objects.filter(run=job).exists()


def test_a_program_that_dies_without_a_word_leaves_the_place_of_its_log(make_run, tmp_path):
    job = make_run()
    job.claim(now=timezone.now())

    with pytest.raises(services.ProgramFailed, match=r"ended without a result; .*log\.txt"):
        services.follow_program(
            job=job, module="training.nothing_here", folder=tmp_path, record=lambda _lines: None
        )

    assert "training.nothing_here" in (tmp_path / "log.txt").read_text()


def test_a_cancel_that_the_program_noticed_first_is_no_failure(make_run, tmp_path):
    with pytest.raises(Cancelled):
        services._result({"state": "cancelled"}, tmp_path)


DEAF = """
import sys, time
from pathlib import Path

Path(sys.argv[1], "begun").touch()
time.sleep(600)
"""


def test_who_cancels_a_program_that_does_not_stop_is_heard_from_until_it_is_ended(
    make_run, tmp_path, monkeypatch
):
    (tmp_path / "deaf_program.py").write_text(DEAF, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(local, "STOP_SECONDS", 2)
    job, beats = make_run(), []
    job.claim(now=timezone.now())

    def cancel(watched):
        if (tmp_path / "begun").exists():
            Run.objects.get(pk=watched.pk).request_cancel(now=timezone.now())

    def note(folder):
        beats.append(Run.objects.get(pk=job.pk).heartbeat_at)
        return follow(folder)

    follow = local.follow
    monkeypatch.setattr(local, "follow", note)

    with pytest.raises(Cancelled):
        services.follow_program(
            job=job, module="deaf_program", folder=tmp_path, record=lambda _lines: None, watch=cancel
        )

    asked = next(
        place for place, beat in enumerate(beats) if (tmp_path / "STOP").stat().st_mtime < beat.timestamp()
    )
    assert len(set(beats[asked:])) > 3
    wait_until(lambda: not local.follow(tmp_path))


def test_a_backend_is_found_by_the_name_of_its_module():
    assert backends.backend_of(Run.Backend.LOCAL) is local
    for unknown in ("", "record", "begin", "../os"):
        with pytest.raises(backends.BadBackend, match=r"there are local\."):
            backends.backend_of(unknown)


def test_a_job_s_input_is_written_once(tmp_path):
    services.write_job(tmp_path, {"base": "a"}, rows=[{"question": "题"}])
    services.write_job(tmp_path, {"base": "b"}, rows=[])

    assert '"a"' in (tmp_path / "job.json").read_text()
    assert (tmp_path / "rows.jsonl").read_text(encoding="utf-8") == '{"question": "题"}\n'


def test_a_folder_that_cannot_be_made_is_a_sentence(make_run, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.JOBS_ROOT = tmp_path / "file" / "jobs"
    job = make_run()

    with pytest.raises(Refusal, match="cannot be made"):
        services.run_training(job=job)

    assert job.state == JobState.FAILED


def test_a_run_keeps_the_whole_recipe_that_it_was_started_with(make_dataset, make_user):
    dataset, person = make_dataset(), make_user()
    base = services.register_base(project=dataset.project, name="tiny", location="base", markup="bare")

    named = services.start_run(dataset=dataset, base=base, recipe="s1", max_cost_usd=Decimal(50), by=person)
    changed = services.start_run(dataset=dataset, base=base, recipe={"epochs": 3}, name="mine", by=person)

    assert (named.recipe, named.recipe_name) == (as_dict(s1()), "s1")
    assert named.name == f"tiny + {dataset.name}"
    assert (named.state, named.max_cost_usd, named.created_by) == (JobState.QUEUED, Decimal(50), person)
    assert (changed.recipe["epochs"], changed.recipe_name, changed.name) == (3, "custom", "mine")
    assert services.recipe_from(as_dict(tiny_cpu()))[0] == "tiny-cpu"


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("s2", "There is no recipe s2; there are s1, tiny-cpu"),
        ({"epochs": 0}, "The recipe's epochs is 0"),
        ({"epoch": 3}, "has no field epoch"),
        (["s1"], "is no recipe"),
        (None, "is no recipe"),
        ({"sequence_parallel": 2}, "cards share packs alone"),
        ({"sequence_parallel": 2, "layout": "packed"}, "so 2 cards cannot share a pack"),
    ],
)
def test_a_recipe_that_cannot_be_used_starts_nothing(make_dataset, recipe, says):
    dataset = make_dataset()
    base = services.register_base(project=dataset.project, name="tiny", location="base", markup="bare")

    with pytest.raises(Refusal) as refused:
        services.start_run(dataset=dataset, base=base, recipe=recipe, by=None)

    assert says in str(refused.value)
    assert not Run.objects.exists()


def test_a_base_of_another_project_is_refused(make_dataset, make_project):
    stranger = services.register_base(project=make_project(), name="theirs", location="x", markup="bare")

    with pytest.raises(Refusal, match="belongs to another project"):
        services.start_run(dataset=make_dataset(), base=stranger, recipe="s1", by=None)


def test_a_base_is_registered_once_and_its_name_is_its_own(make_project):
    project = make_project()
    first = services.register_base(project=project, name="tiny", location="here", markup="bare")

    again = services.register_base(project=project, name="tiny", location="here", markup="bare")

    assert again == first
    with pytest.raises(Refusal, match="belongs to another model"):
        services.register_base(project=project, name="tiny", location="there", markup="bare")
    with pytest.raises(Refusal, match=r"The markup llama is not one of qwen2\.5, bare"):
        services.register_base(project=project, name="other", location="here", markup="llama")


def test_a_base_is_not_quietly_kept_in_another_markup(make_project):
    project = make_project()
    services.register_base(project=project, name="tiny", location="here", markup="bare")

    with pytest.raises(Refusal, match="belongs to another model"):
        services.register_base(project=project, name="tiny", location="here", markup="qwen2.5")


def test_a_folder_without_a_model_is_refused_before_it_is_registered(make_project, tmp_path):
    project = make_project()

    with pytest.raises(Refusal, match="no model in"):
        services.register_base(project=project, name="base", location=str(tmp_path), markup="bare")

    assert not Model.objects.exists()
