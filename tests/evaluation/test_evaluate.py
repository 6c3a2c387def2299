"""`manage.py evaluate`: budgets or a policy file, a model by number or folder, one JSON object."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from common.jobs import JobState
from evaluation.models import Evaluation
from training.models import Model

pytestmark = pytest.mark.django_db

BASE = Path(__file__).parents[2] / "demo" / "base_model"


def refusal_of(*words):
    with pytest.raises(CommandError) as refused:
        call_command("evaluate", *words)
    return refused.value


def test_budgets_are_swept_and_told_in_one_json_object(make_benchmark, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    benchmark = make_benchmark(items=2)

    call_command("evaluate", str(BASE), benchmark.name, "--budgets", "8，16", "--markup", "bare", "--json")

    told, job = json.loads(capsys.readouterr().out), Evaluation.objects.get()
    assert (told["evaluation"], told["items"]) == (job.pk, 2)
    assert told["generated_tokens"] == job.generated_tokens > 0
    assert list(told["scores"]) == ["8", "16"]
    for score in told["scores"].values():
        assert {"accuracy", "low", "high", "thinking_tokens", "outcomes"} <= set(score)
        assert sum(score["outcomes"].values()) == 2
    assert job.state == JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--budgets", "512,many"], "The budget 'many' is no whole number"),
        (["--budgets", "512,-1"], "The budget '-1' is no whole number"),
        (["--budgets", ","], "No budget policy is given"),
        (["--budgets", "512,512"], "share a label"),
        (["--budgets", "99999999"], "max_tokens is 99999999"),
        (["--policy", "nowhere.json"], "The policy nowhere.json cannot be read"),
    ],
)
def test_budgets_that_cannot_be_used_start_nothing(make_benchmark, words, says):
    refused = refusal_of("somewhere", make_benchmark().name, *words)

    assert refused.returncode == 1
    assert says in str(refused)
    assert not Evaluation.objects.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{torn", "is no JSON"),
        ("512", "512 is no budget policy"),
        ('{"budget": 5}', "has no budget"),
        ("[]", "No budget policy is given"),
        ('[{"max_tokens": "5"}]', "max_tokens is '5'"),
    ],
)
def test_a_policy_file_that_cannot_be_used_starts_nothing(make_benchmark, tmp_path, content, says):
    (tmp_path / "policy.json").write_text(content)

    refused = refusal_of("somewhere", make_benchmark().name, "--policy", str(tmp_path / "policy.json"))

    assert says in str(refused)
    assert not Evaluation.objects.exists()


def test_a_name_that_fits_no_benchmark_or_model_is_told(make_benchmark):
    benchmark = make_benchmark()

    assert "0 benchmarks fit 'nothing'" in str(refusal_of("m", "nothing", "--budgets", "5"))
    assert "has no model 999999" in str(refusal_of("999999", benchmark.name, "--budgets", "5"))
    assert not Model.objects.exists()


def test_budgets_and_a_policy_file_together_are_wrong_usage(make_benchmark):
    refused = refusal_of("m", make_benchmark().name, "--budgets", "5", "--policy", "p.json")

    assert "not allowed with" in str(refused)
