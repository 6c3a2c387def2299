"""Evaluations over HTTP: what was measured, and their stop."""

import pytest

from common.access import Role
from common.jobs import JobState
from curator.models import Benchmark
from evaluation.models import Evaluation
from training.models import Model

SCORE = {
    "policy": "1024",
    "budget": 1024,
    "extensions": 0,
    "accuracy": 0.61,
    "low": 0.5,
    "high": 0.7,
    "items": 100,
    "thinking_tokens": 812.5,
    "forced_ends": 3,
    "outcomes": {"right": 61, "wrong": 37, "unparsed": 2},
    "score": 0.6,
}


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def make_evaluation(project):
    benchmark = Benchmark.objects.create(project=project, name="模拟卷", file_name="f", content_hash="b")

    def make(name="m", **fields):
        model, _made = Model.objects.get_or_create(
            project=project, name=name, defaults={"kind": "base", "location": "m", "markup": "bare"}
        )
        return Evaluation.objects.create(
            project=project, model=model, benchmark=benchmark, policies=[{"label": "1024"}], **fields
        )

    return make


def test_an_evaluation_shows_its_scores_with_intervals(make_caller, project, make_evaluation):
    found = make_evaluation(scores=[SCORE])

    said = make_caller(project, Role.VIEWER).call("evaluation", number=found.pk).json()

    assert said["scores"] == [SCORE]
    assert said["benchmark_name"] == "模拟卷"


def test_evaluations_are_found_by_their_model(make_caller, project, make_evaluation):
    base, tuned = make_evaluation("base"), make_evaluation("tuned")
    viewer = make_caller(project, Role.VIEWER)

    every = viewer.call("evaluations", slug=project.slug).json()["items"]
    some = viewer.call("evaluations", query={"model": base.model_id}, slug=project.slug).json()["items"]

    assert [row["id"] for row in every] == [tuned.pk, base.pk]
    assert [row["id"] for row in some] == [base.pk]


def test_a_waiting_evaluation_is_stopped(make_caller, project, make_evaluation):
    found = make_evaluation()

    said = make_caller(project).call("evaluation_stop", number=found.pk).json()

    assert said["work"]["state"] == "cancelled"
    found.refresh_from_db()
    assert found.state == JobState.CANCELLED


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER, Role.CURATOR])
def test_who_may_not_spend_stops_nothing(make_caller, project, make_evaluation, role):
    found = make_evaluation()

    refused = make_caller(project, role).call("evaluation_stop", number=found.pk)

    assert refused.status_code == 403
    found.refresh_from_db()
    assert found.state == JobState.QUEUED
