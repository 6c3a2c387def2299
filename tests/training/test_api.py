"""Runs over HTTP: how far they are, and their stop."""

import math

import pytest

from common.access import Role
from common.jobs import JobState
from curator.models import Dataset, Selection
from training.core.recipe import as_dict, tiny_cpu
from training.models import Run, RunStep


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def make_run(project):
    selection = Selection.objects.create(project=project, name="s", method={}, method_name="random", size=1)
    dataset = Dataset.objects.create(
        project=project, selection=selection, name="d", content_hash="c" * 64, row_count=1
    )

    def make(**fields):
        given = {"name": "r", "base": "m", "recipe": as_dict(tiny_cpu()), "recipe_name": "tiny-cpu"}
        return Run.objects.create(project=project, dataset=dataset, **{**given, **fields})

    return make


def test_runs_come_newest_first_in_pages(make_caller, project, make_run):
    made = [make_run(name=str(number)).pk for number in range(3)]
    viewer = make_caller(project, Role.VIEWER)

    first = viewer.call("runs", query={"limit": 2}, slug=project.slug).json()
    second = viewer.call("runs", query={"limit": 2, "after": first["after"]}, slug=project.slug).json()

    rows = first["items"] + second["items"]
    assert [row["id"] for row in rows] == made[::-1]
    assert second["after"] is None


def test_a_run_shows_its_progress_and_its_loss(make_caller, project, make_run):
    run = make_run()
    Run.objects.filter(pk=run.pk).update(progress_done=2, progress_total=8, phase="training")
    RunStep.objects.create(run=run, step=1, loss=2.5, learning_rate=0.1, seconds=1)
    RunStep.objects.create(run=run, step=2, loss=math.nan, learning_rate=0.1, seconds=1)

    said = make_caller(project, Role.VIEWER).call("run", number=run.pk).json()

    assert (said["work"]["state"], said["work"]["done"], said["work"]["total"]) == ("queued", 2, 8)
    assert [step["loss"] for step in said["reported_steps"]] == [2.5, None]
    assert said["recipe"] == as_dict(tiny_cpu())


def test_a_waiting_run_is_stopped_at_once_and_stays_so(make_caller, project, make_run):
    run, owner = make_run(), make_caller(project)

    states = [owner.call("run_stop", number=run.pk).json()["state"] for _each in range(2)]

    assert states == ["cancelled", "cancelled"]
    run.refresh_from_db()
    assert run.state == JobState.CANCELLED


def test_who_may_not_spend_stops_nothing(make_caller, project, make_run):
    run = make_run()

    refused = make_caller(project, Role.CURATOR).call("run_stop", number=run.pk)

    assert refused.status_code == 403
    run.refresh_from_db()
    assert run.state == JobState.QUEUED
