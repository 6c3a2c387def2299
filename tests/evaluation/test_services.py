"""Evaluations as a person starts them: real, on the tiny base, to marked answers and scores."""

import json
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from django.utils import timezone

from common.core.intervals import wilson
from common.core.refusal import Refusal
from common.jobs import AlreadyClaimed, JobState
from curator.models import BenchmarkItem
from demo.field import make_question
from evaluation import services
from evaluation.core.policy import BudgetPolicy
from evaluation.models import Evaluation, MarkedAnswer, Round, Thought
from training import services as training_services
from training.backends import local
from training.models import Model

pytestmark = pytest.mark.django_db

BASE = Path(__file__).parents[2] / "demo" / "base_model"
POLICIES = [{"max_tokens": 4}, {"max_tokens": 32}, {"max_tokens": 40, "extensions": 1}]
LABELS = ["4", "32", "40+1 Wait"]


@pytest.fixture(autouse=True)
def _one_thread_and_short_waits(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(local, "POLL_SECONDS", 0.05)


@pytest.fixture
def clock_benchmark(make_benchmark):
    """Return a benchmark of six real questions of the demo's field, of which the base can do the short ones."""
    made, rng = make_benchmark(items=0), Random(6)
    for place in range(6):
        question = make_question(rng, domain="clock", language=("en", "zh")[place % 2], steps=1 + place // 4)
        BenchmarkItem.objects.create(
            benchmark=made,
            position=place,
            content_hash=f"{place:064x}",
            text=question.text,
            key=question.answer,
            marks=Decimal(1 + place),
            language=question.language,
        )
    return made


@pytest.fixture
def start(clock_benchmark):
    def start(location=BASE):
        base = training_services.register_base(
            project=clock_benchmark.project, name="tiny", location=str(location), markup="bare"
        )
        return services.start_evaluation(model=base, benchmark=clock_benchmark, policies=POLICIES, by=None)

    return start


def stored(job):
    """Return what is stored of a job: for each item its thought's tokens and its answers by policy."""
    answers = MarkedAnswer.objects.filter(thought__evaluation=job).select_related("thought__item")
    return sorted((row.thought.item.position, row.policy, row.text, row.outcome) for row in answers)


def test_an_evaluation_ends_with_every_thought_answer_and_score(start, clock_benchmark):
    job, seen = start(), []

    services.run_evaluation(job=job, watch=lambda watched: seen.append(watched.progress_done))

    job.refresh_from_db()
    thoughts = list(Thought.objects.filter(evaluation=job))
    assert (job.state, job.progress_done, job.progress_total) == (JobState.SUCCEEDED, 6, 6)
    assert [thought.item.position for thought in thoughts] == list(range(6))
    assert all(len(thought.token_ids) <= 40 for thought in thoughts)
    assert all(thought.answers.count() == len(LABELS) for thought in thoughts)
    assert job.generated_tokens > sum(len(t.token_ids) - len(t.forced_at) for t in thoughts)
    assert job.engine["name"] == "transformers"
    assert seen[-1] == 6
    with pytest.raises(AlreadyClaimed):
        services.run_evaluation(job=Evaluation.objects.get(pk=job.pk))
    check_scores(job, clock_benchmark)


def check_scores(job, benchmark):
    marks = {item.pk: item.marks for item in benchmark.items.all()}
    assert [score["policy"] for score in job.scores] == LABELS
    for score, policy in zip(job.scores, POLICIES, strict=True):
        rows = MarkedAnswer.objects.filter(thought__evaluation=job, policy=score["policy"])
        right = [row for row in rows if row.outcome == "right"]
        earned = sum(marks[row.thought.item_id] for row in right)  # no item of this field is partly right
        assert score["budget"] == policy["max_tokens"]
        assert score["items"] == sum(score["outcomes"].values()) == 6
        assert score["accuracy"] == pytest.approx(len(right) / 6)
        assert (score["low"], score["high"]) == wilson(len(right), 6)
        assert score["score"] == pytest.approx(float(earned) / 21)
        assert score["thinking_tokens"] == pytest.approx(sum(row.cut_at for row in rows) / 6)
        assert score["forced_ends"] == sum(row.forced_end for row in rows)
    short, enough, _extended = job.scores
    assert short["forced_ends"] == 6
    assert enough["accuracy"] > short["accuracy"]  # the base does one step, where it may think


def test_a_second_try_marks_again_what_was_generated_and_replaces_what_was_stored(start, monkeypatch):
    job = start()
    with monkeypatch.context() as patch:
        patch.setattr(services, "grade", lambda *_texts, **_key: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            services.run_evaluation(job=job)
    assert (job.state, stored(job)) == (JobState.FAILED, [])
    program = (Path(job.folder) / "pid.json").read_text()
    stale = Thought.objects.create(evaluation=job, item=job.benchmark.items.first(), text="of an earlier try")

    job.requeue(now=timezone.now())
    services.run_evaluation(job=job)

    assert job.state == JobState.SUCCEEDED
    assert (Path(job.folder) / "pid.json").read_text() == program  # nothing was generated twice
    assert not Thought.objects.filter(pk=stale.pk).exists()
    assert len(stored(job)) == 6 * len(LABELS)


def test_a_folder_that_is_no_model_fails_the_evaluation_with_the_program_s_sentence(start, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    job = start(location=tmp_path)

    with pytest.raises(training_services.ProgramFailed):
        services.run_evaluation(job=job)

    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert str(tmp_path) in job.failure
    assert "config, weights and tokenizer" in job.failure
    assert (job.scores, stored(job)) == ([], [])


def line_for(item, *, answers):
    return {
        "id": str(item.pk),
        "token_ids": [1, 2, 3],
        "forced_at": [2],
        "stops": [3],
        "text": "thought\x00",
        "answers": [
            {
                "policy": policy,
                "cut_at": 3,
                "forced_end": False,
                "forced_tokens": 1,
                "answer_tokens": 2,
                "text": text,
            }
            for policy, text in answers.items()
        ],
    }


def test_every_outcome_is_counted_for_itself_and_marks_weigh_the_score(
    make_project, make_benchmark, tmp_path
):
    benchmark = make_benchmark(items=4)
    BenchmarkItem.objects.create(
        benchmark=benchmark, position=4, content_hash="e" * 64, text="?", key="ABD", language="zh", marks=6
    )
    items = list(benchmark.items.all())
    model = Model.objects.create(
        project=benchmark.project, name="m", kind="base", location="m", markup="bare"
    )
    job = services.start_evaluation(model=model, benchmark=benchmark, policies=[{"max_tokens": 9}], by=None)
    texts = ["Final Answer: 12", "Final Answer: 13", "no idea\x00", "Final Answer: 12", "故选AB"]
    lines = [line_for(item, answers={"9": text}) for item, text in zip(items, texts, strict=True)]
    (tmp_path / "thoughts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    services._store(
        job, tmp_path, {str(item.pk): item for item in items}, {"generated_tokens": 10, "engine": {}}
    )

    (score,) = job.scores
    assert score["outcomes"] == {"right": 2, "wrong": 1, "partly": 1, "unparsed": 1}
    assert score["accuracy"] == 2 / 5
    assert score["score"] == pytest.approx((2 + 8 + 0.5 * 6) / (2 + 8 + 2 + 8 + 6))
    assert "\x00" not in "".join(Thought.objects.values_list("text", flat=True))


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ([], "No budget policy is given"),
        ([{"max_tokens": -1}], "max_tokens is -1"),
        ([{"max_tokens": 5}, {"max_tokens": 5}], "share a label"),
        (512, "is no budget policy"),
    ],
)
def test_policies_that_cannot_be_swept_start_nothing(start, clock_benchmark, policies, says):
    model = start().model
    Evaluation.objects.all().delete()

    with pytest.raises(Refusal) as refused:
        services.start_evaluation(model=model, benchmark=clock_benchmark, policies=policies, by=None)

    assert says in str(refused.value)
    assert not Evaluation.objects.exists()


def test_a_benchmark_that_is_empty_or_of_another_project_is_refused(make_project, make_benchmark, make_base):
    base = make_base(make_project())

    with pytest.raises(Refusal, match="belongs to another project"):
        services.start_evaluation(
            model=base, benchmark=make_benchmark(), policies=[{"max_tokens": 5}], by=None
        )
    with pytest.raises(Refusal, match="has no items"):
        services.start_evaluation(
            model=base, benchmark=make_benchmark(base.project, items=0), policies=[{"max_tokens": 5}], by=None
        )


def test_policies_are_stored_whole(start):
    assert start().policies == [BudgetPolicy(**fields).as_dict() for fields in POLICIES]


def test_rounds_are_numbered_in_their_project_and_need_ended_evaluations(
    make_project, make_base, make_tuned, make_benchmark, make_evaluation, start
):
    project = make_project()
    tuned = make_tuned(make_base(project))
    ended = make_evaluation(tuned, make_benchmark(project, items=2), {(64, 0): "rw"})
    given = {"project": project, "dataset": tuned.run.dataset, "run": tuned.run}

    first = services.record_round(**given, evaluations=[ended], decision="more clocks")
    second = services.record_round(**given, evaluations=[ended])

    assert (first.number, second.number) == (1, 2)
    assert list(first.evaluations.all()) == [ended]
    with pytest.raises(Refusal, match="is not done"):
        services.record_round(**given, evaluations=[ended, start()])
    assert Round.objects.count() == 2
