"""The demo carries the whole loop, says who stood in for whom, and does nothing twice."""

import json

import pytest
from django.core.management import call_command

from curator.models import Dataset, Pool, Question, Review, Selection, Teacher, Trace
from demo import services
from evaluation.models import Evaluation, Round
from training.models import Model, Run

SMALL = ["--pool", "240", "--size", "48", "--per-cell", "1", "--epochs", "1", "--arms", "random"]
TABLES = (Pool, Question, Trace, Selection, Review, Dataset, Run, Model, Evaluation, Round)


@pytest.fixture
def demo(capsys, settings, tmp_path):
    """Return what runs a small demo and gives its one JSON object."""
    settings.HOME = tmp_path

    def run():
        call_command("demo", "--no-serve", "--json", *SMALL)
        return json.loads(capsys.readouterr().out)

    return run


@pytest.mark.django_db(transaction=True)
def test_the_loop_is_carried_once_and_a_second_call_shows_it(demo):
    first = demo()
    counts = [table.objects.count() for table in TABLES]

    second = demo()

    assert [table.objects.count() for table in TABLES] == counts
    assert {name: second[name] for name in ("base", "tuned", "random")} == {
        name: first[name] for name in ("base", "tuned", "random")
    }
    assert set(first["tuned"]) == {"16", "32", "64", "128", "192", "192+1 Wait"}
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in first["base"].values())
    assert second["seconds"]["all"] < first["seconds"]["all"] / 3
    assert Teacher.objects.get().is_stand_in
    assert set(Review.objects.values_list("is_scripted", flat=True)) == {True}
    assert Round.objects.count() == 2


def test_the_script_accepts_what_can_be_worked_out_again():
    question = services.demo_field.solve(
        "The account starts at 17: ① received 2; ② withdrew 8. What is the balance now?"
    )

    assert services.scripted_judgement(question.text, question.thinking, "right")[0] == "accept"


@pytest.mark.parametrize(
    ("text", "change", "verdict"), [("", "x", "right"), ("", "", "wrong"), ("What is law?", "", "right")]
)
def test_the_script_rejects_what_it_cannot(text, change, verdict):
    question = services.demo_field.solve(
        "The account starts at 17: ① received 2; ② withdrew 8. What is the balance now?"
    )

    judgement, note = services.scripted_judgement(text or question.text, question.thinking + change, verdict)

    assert judgement == "reject"
    assert note


def test_the_report_names_gain_and_harm():
    row = {"accuracy": 0.1, "low": 0, "high": 1, "thinking_tokens": 1}
    outcome = {
        "base": {"16": row, "16+1 Wait": row},
        "tuned": {"16": row | {"accuracy": 0.6}, "16+1 Wait": row},
        "seconds": {},
    }

    text = services.report(outcome)

    assert "+50.0 points from its base" in text
    assert "Wait changed the tuned model's score by -50.0 points" in text
