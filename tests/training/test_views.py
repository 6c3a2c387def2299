"""Pages of runs and models, as a browser sees them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.access import Role
from common.jobs import JobState
from curator.models import Dataset, DatasetRow, Selection
from training import tasks
from training.core.recipe import as_dict, tiny_cpu
from training.models import Model, Run, RunStep

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project: Callable[..., Any]) -> Any:
    return make_project()


@pytest.fixture
def owner(make_member: Callable[..., Any], project: Any) -> Any:
    return make_member(project, Role.OWNER)


@pytest.fixture
def base(project: Any) -> Model:
    return Model.objects.create(
        project=project, name="tiny base", kind="base", location="base", markup="bare"
    )


@pytest.fixture
def dataset(project: Any) -> Dataset:
    ended = timezone.now()
    selection = Selection.objects.create(
        project=project,
        name="picked",
        method={},
        method_name="coverage",
        size=2,
        state=JobState.SUCCEEDED,
        finished_at=ended,
        members_hash="a" * 64,
    )
    made = Dataset.objects.create(
        project=project, selection=selection, name="ledgers", content_hash="b" * 64, row_count=20
    )
    content = {"question": "How much is 49 and 14?", "options": [], "thinking": "49+14=63", "answer": "63"}
    rows = [
        DatasetRow(
            dataset=made, position=place, question_hash=f"{place:064x}", trace_hash="c" * 64, content=content
        )
        for place in range(20)
    ]
    DatasetRow.objects.bulk_create(rows)
    return made


@pytest.fixture
def make_run(project: Any, dataset: Dataset, base: Model) -> Callable[..., Run]:
    def make(state: str = JobState.QUEUED, **fields: Any) -> Run:
        now = timezone.now()
        times: dict[str, Any] = {"started_at": now - timedelta(seconds=10), "heartbeat_at": now}
        times |= {} if state in (JobState.QUEUED, JobState.RUNNING) else {"finished_at": now}
        times |= {"final_loss": 0.25, "tokens": 5000} if state == JobState.SUCCEEDED else {}
        times |= {"failure": "The disk is full."} if state == JobState.FAILED else {}
        given = {
            "name": "tiny run",
            "base": base.location,
            "recipe": as_dict(tiny_cpu()),
            "recipe_name": "tiny-cpu",
        }
        return Run.objects.create(
            project=project, dataset=dataset, state=state, **{**times, **given, **fields}
        )

    return make


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record which jobs were sent to a worker; a worker is another process."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_training, "delay_on_commit", lambda *, job_id: ids.append(job_id))
    return ids


def test_polling_goes_on_while_the_run_is_active_and_ends_by_itself(client, owner, make_run):
    client.force_login(owner)
    running, done = make_run(JobState.RUNNING), make_run(JobState.SUCCEEDED)

    live = client.get(running.get_absolute_url(), headers={"HX-Request": "true"})
    ended = client.get(done.get_absolute_url(), headers={"HX-Request": "true"})

    assert 'hx-trigger="every 2s"' in live.text
    assert "hx-trigger" not in ended.text
    assert "<html" not in live.text


def test_the_loss_of_every_step_is_drawn_and_stands_in_the_table(client, owner, make_run):
    client.force_login(owner)
    run = make_run(JobState.RUNNING)
    RunStep.objects.bulk_create(
        RunStep(run=run, step=step, loss=3 / step, learning_rate=1e-3, seconds=step) for step in (1, 2, 3)
    )

    page = client.get(run.get_absolute_url())

    assert page.context["figure"]["data"][0]["y"] == [3.0, 1.5, 1.0]
    assert "1.5000" in page.text


def test_a_long_run_is_thinned_but_keeps_its_last_step(client, owner, make_run):
    client.force_login(owner)
    run = make_run(JobState.RUNNING)
    RunStep.objects.bulk_create(
        RunStep(run=run, step=step, loss=1.0, learning_rate=1e-3, seconds=step) for step in range(1, 2001)
    )

    drawn = client.get(run.get_absolute_url()).context["figure"]["data"][0]["x"]

    assert len(drawn) <= 601
    assert drawn[-1] == 2000


def test_the_end_of_the_log_is_shown_without_the_lines_that_a_progress_bar_rewrote(
    client, owner, make_run, tmp_path
):
    client.force_login(owner)
    (tmp_path / "log.txt").write_bytes(b"old\n" * 100 + b"0%\r50%\r100%\nlast <b>line</b>\n")
    run = make_run(JobState.FAILED, folder=str(tmp_path))

    page = client.get(run.get_absolute_url())

    assert "100%\nlast &lt;b&gt;line&lt;/b&gt;" in page.text
    assert "50%" not in page.context["log"]
    assert page.context["log"].count("\n") == 39
    assert "The disk is full." in page.text


def test_the_log_and_the_dataset_are_not_a_viewers_business(client, make_member, project, make_run, tmp_path):
    client.force_login(make_member(project, Role.VIEWER))
    (tmp_path / "log.txt").write_text("a secret question")
    run = make_run(JobState.FAILED, folder=str(tmp_path))

    page = client.get(run.get_absolute_url())

    assert page.status_code == 200
    assert "a secret question" not in page.text
    assert run.dataset.get_absolute_url() not in page.text


def test_a_run_is_estimated_before_it_is_started(client, owner, dataset, base, sent):
    client.force_login(owner)
    path = f"/datasets/{dataset.pk}/train/"

    shown = client.get(path, {"base": base.pk, "recipe": "tiny-cpu", "epochs": 3, "batch_size": 8})

    plan = shown.context["estimate"].plan
    assert (plan.rows, plan.steps) == (20, 9)  # 3 steps of 8, 8 and 4 rows, three times
    assert plan.tokens == 3 * 20 * round(len("How much is 49 and 14?49+14=6363") / 3.5)
    assert not Run.objects.exists()
    assert not sent


def test_the_time_on_this_machine_comes_from_the_last_run_of_the_base(client, owner, dataset, base, make_run):
    client.force_login(owner)
    make_run(JobState.SUCCEEDED)  # 5,000 tokens in 10 s
    path = f"/datasets/{dataset.pk}/train/"

    estimate = client.get(path, {"base": base.pk, "recipe": "tiny-cpu"}).context["estimate"]

    assert estimate.seconds_here == pytest.approx(estimate.plan.tokens / 500, rel=0.01)


def test_a_confirmed_run_is_queued_once_with_the_recipe_as_changed(client, owner, dataset, base, sent):
    client.force_login(owner)
    asked = {"base": base.pk, "recipe": "tiny-cpu", "epochs": 2, "name": "second try"}

    answer = client.post(f"/datasets/{dataset.pk}/train/", asked)

    run = Run.objects.get()
    assert answer.headers["Location"] == run.get_absolute_url()
    assert (run.name, run.recipe["epochs"], run.recipe["learning_rate"]) == ("second try", 2, 3e-3)
    assert run.created_by == owner
    assert sent == [run.pk]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"learning_rate": "7"}, "learning_rate is 7.0"),
        ({"epochs": "1000"}, "epochs is 1000"),
        ({"recipe": "magic"}, "magic"),
        ({"base": "999999"}, "choice"),
    ],
)
def test_values_that_cannot_be_used_are_refused_in_a_sentence(
    client, owner, dataset, base, changed, sentence, sent
):
    client.force_login(owner)

    page = client.post(f"/datasets/{dataset.pk}/train/", {"base": base.pk, "recipe": "tiny-cpu", **changed})

    assert sentence in page.text
    assert not Run.objects.exists()


def test_rows_can_be_laid_end_to_end_and_the_run_says_so(client, owner, dataset, base, sent):
    client.force_login(owner)
    asked = {"base": base.pk, "recipe": "tiny-cpu", "layout": "packed"}

    client.post(f"/datasets/{dataset.pk}/train/", asked)
    run = Run.objects.get()
    page = client.get(run.get_absolute_url())

    assert run.recipe["layout"] == "packed"
    assert "end to end, so that every card has as much to do" in page.text


def test_a_base_of_another_project_cannot_be_chosen(client, owner, dataset, make_project, sent):
    client.force_login(owner)
    other = Model.objects.create(
        project=make_project(), name="theirs", kind="base", location="x", markup="bare"
    )

    client.post(f"/datasets/{dataset.pk}/train/", {"base": other.pk, "recipe": "tiny-cpu"})

    assert not Run.objects.exists()


def test_a_failed_run_goes_on_and_a_done_one_does_not(client, owner, make_run, sent):
    client.force_login(owner)
    failed, done = make_run(JobState.FAILED), make_run(JobState.SUCCEEDED)

    for run in (failed, done):
        client.post(f"{run.get_absolute_url()}retry/")

    assert sent == [failed.pk]
    done.refresh_from_db()
    assert done.state == JobState.SUCCEEDED


def test_a_running_run_is_asked_to_stop(client, owner, make_run):
    client.force_login(owner)
    run = make_run(JobState.RUNNING)

    client.post(f"{run.get_absolute_url()}cancel/")

    run.refresh_from_db()
    assert run.cancel_requested


@pytest.mark.parametrize("role", [Role.CURATOR, Role.REVIEWER, Role.VIEWER])
def test_only_an_owner_starts_stops_or_registers(
    client, make_member, project, dataset, base, make_run, role, sent
):
    client.force_login(make_member(project, role))
    run = make_run(JobState.RUNNING)
    paths = [
        f"{run.get_absolute_url()}cancel/",
        f"{run.get_absolute_url()}retry/",
        f"/datasets/{dataset.pk}/train/",
    ]

    codes = [client.post(path).status_code for path in [*paths, f"/projects/{project.slug}/models/"]]

    assert set(codes) <= {403, 404}
    assert not sent


def test_a_base_is_registered_and_a_taken_name_is_refused(client, owner, project, base):
    client.force_login(owner)
    path = f"/projects/{project.slug}/models/"

    client.post(path, {"name": "Qwen 32B", "location": "models/qwen", "markup": "qwen2.5"})
    again = client.post(path, {"name": base.name, "location": "elsewhere", "markup": "bare"})

    assert Model.objects.filter(project=project, name="Qwen 32B", kind="base").exists()
    assert "belongs to another model" in again.text


def test_lists_say_what_to_do_while_they_are_empty(client, owner, project):
    client.force_login(owner)

    assert "Nothing was fine-tuned yet" in client.get(f"/projects/{project.slug}/runs/").text
    assert "No model yet" in client.get(f"/projects/{project.slug}/models/").text


def test_the_number_of_queries_of_the_run_list_does_not_grow(
    client, owner, project, make_run, django_assert_max_num_queries
):
    client.force_login(owner)
    for _place in range(12):
        make_run(JobState.SUCCEEDED)

    with django_assert_max_num_queries(12):
        client.get(f"/projects/{project.slug}/runs/")
