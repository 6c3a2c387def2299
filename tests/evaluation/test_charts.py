"""Figures say what the rows say, hold no colour, and are plain values."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from evaluation import charts
from evaluation.queries.results import get_results

pytestmark = pytest.mark.django_db


@pytest.fixture
def figures(
    make_project, make_benchmark, make_base, make_tuned, make_evaluation
) -> Callable[[], dict[str, Any]]:
    project = make_project()
    benchmark, base = make_benchmark(project, items=10), make_base(project, name="small base")
    tuned = make_tuned(base, name="taught")
    arm = make_tuned(base, name="longest", arm_of=tuned.run.dataset.selection, method="difficulty")
    make_evaluation(base, benchmark, {(16, 0): "w" * 10, (64, 0): "r" + "w" * 9})
    make_evaluation(
        tuned, benchmark, {(16, 0): "w" * 9 + "u", (64, 0): "r" * 9 + "p", (64, 1): "r" * 3 + "w" * 7}
    )
    make_evaluation(arm, benchmark, {(16, 0): "w" * 10, (64, 0): "r" * 2 + "w" * 8})
    return lambda: charts.results_figures(get_results(benchmark))


def drawn(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in figure["data"]}


def test_every_model_has_a_line_of_its_accuracy_over_a_logarithmic_budget(figures):
    figure = figures()["scaling"]

    lines = drawn(figure)
    assert figure["layout"]["xaxis"]["type"] == "log"
    assert figure["layout"]["xaxis"]["tickvals"] == [16, 64]
    assert (lines["taught"]["x"], lines["taught"]["y"]) == ([16, 64], [0.0, 0.9])
    assert (lines["small base"]["x"], lines["small base"]["y"]) == ([16, 64], [0.0, 0.1])
    assert lines["longest"]["meta"]["series"] == "arm1"


def test_the_band_goes_up_along_the_high_ends_and_back_along_the_low_ones(figures):
    band = drawn(figures()["scaling"])["taught, 95 % interval"]

    assert band["x"] == [16, 64, 64, 16]
    assert band["y"][1] > 0.9 > band["y"][2]
    assert band["fill"] == "toself"
    assert band["meta"]["series"] == "tuned"


def test_wait_is_a_dashed_series_that_hangs_on_the_point_without_it(figures):
    wait = drawn(figures()["scaling"])["taught, with “Wait”"]

    assert (wait["x"], wait["y"], wait["line"]["dash"]) == ([64, 64], [0.9, 0.3], "dash")
    assert wait["meta"]["series"] == "tuned"
    assert wait["error_y"]["arrayminus"][0] == 0 < wait["error_y"]["arrayminus"][1]


def test_losses_go_down_as_far_as_they_are(figures):
    flips = drawn(figures()["flips"])

    place = flips["wrong → right"]["x"].index("tuned, 64")
    wait = flips["wrong → right"]["x"].index("Wait: taught")
    assert flips["wrong → right"]["y"][place] == 8
    assert (flips["right → wrong"]["y"][wait], flips["right → wrong"]["text"][wait]) == (-6, 6)


def test_outcomes_are_stacked_and_none_is_merged(figures):
    bars = drawn(figures()["outcomes"])

    assert bars["right"]["y"] == [0, 9, 3]
    assert bars["partly right"]["y"] == [0, 1, 0]
    assert bars["wrong"]["y"] == [9, 0, 7]
    assert bars["no answer found"]["y"] == [1, 0, 0]


def test_groups_have_a_bar_for_each_model(figures):
    bars = drawn(figures()["domains"])

    assert bars["taught"]["hovertext"] == ["clock", "law"]
    assert (bars["taught"]["y"], bars["taught"]["x"]) == ([0, 1], [1, 0.8])
    assert bars["taught"]["customdata"] == [[5, 5], [4, 5]]
    assert set(bars) == {"small base", "taught", "longest"}


def test_figures_are_plain_values_without_a_colour(figures):
    text = json.dumps(figures())

    assert "color" not in text
    assert "#" not in text
