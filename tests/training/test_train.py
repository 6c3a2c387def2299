"""`manage.py train`: what it is given is read and checked before anything runs."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from common.jobs import JobState
from curator.models import Dataset, DatasetRow, Selection
from training.core.recipe import as_dict, tiny_cpu
from training.models import Model, Run

pytestmark = pytest.mark.django_db

BASE = Path(__file__).parents[2] / "demo" / "base_model"


@pytest.fixture
def dataset(make_project):
    project = make_project()
    selection = Selection.objects.create(
        project=project,
        name="picked",
        method={},
        method_name="random",
        size=1,
        state=JobState.SUCCEEDED,
        finished_at=timezone.now(),
        members_hash="a" * 64,
    )
    made = Dataset.objects.create(
        project=project, selection=selection, name="one row", content_hash="b" * 64, row_count=1
    )
    content = {"question": "How much is 4 and 1?", "options": [], "thinking": "4+1=5", "answer": "5"}
    DatasetRow.objects.create(
        dataset=made, position=0, question_hash="d" * 64, trace_hash="c" * 64, content=content
    )
    return made


def refusal_of(*words):
    with pytest.raises(CommandError) as refused:
        call_command("train", *words)
    assert refused.value.returncode == 1
    return str(refused.value)


def test_a_base_is_tuned_and_the_model_named_in_one_json_object(dataset, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    recipe = as_dict(tiny_cpu()) | {"epochs": 1}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))

    call_command(
        "train", str(dataset.pk), "--base", str(BASE), "--recipe", str(tmp_path / "recipe.json"), "--json"
    )

    told = json.loads(capsys.readouterr().out)
    run, model = Run.objects.get(), Model.objects.get(kind="checkpoint")
    assert told["run"] == run.pk
    assert (told["model"], told["location"]) == (model.pk, model.location)
    assert (told["state"], told["steps"], told["cost_usd"]) == ("succeeded", 1, 0.0)
    assert told["final_loss"] == pytest.approx(run.final_loss)
    assert told["seconds"] > 0
    assert model.base.markup == "bare"  # as the recipe says
    assert run.recipe == recipe


def test_a_dataset_is_named_by_its_number_or_hash(dataset):
    assert "0 datasets fit '999999'" in refusal_of("999999", "--base", "b")
    assert "0 datasets fit 'ffff'" in refusal_of("ffff", "--base", "b")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("{torn", "is no JSON"),
        ("[]", "is no recipe"),
        (json.dumps({"epochs": "many"}), "The recipe's epochs is 'many'"),
        (json.dumps({"rate": 1}), "has no field rate"),
    ],
)
def test_a_recipe_file_that_cannot_be_used_starts_nothing(dataset, tmp_path, content, says):
    path = tmp_path / "recipe.json"
    if content is not None:
        path.write_text(content)

    assert says in refusal_of(str(dataset.pk), "--base", "b", "--recipe", str(path))
    assert not Run.objects.exists()
