"""Makers of benchmarks, models and ended evaluations, with answers marked as a test wants them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from common.core.intervals import wilson
from common.jobs import JobState
from curator.models import Benchmark, BenchmarkItem, Dataset, Selection
from evaluation.models import Evaluation, MarkedAnswer, Thought
from training.models import Model, Run

_number = count(1)


@pytest.fixture
def make_benchmark(make_project: Callable[..., Any]) -> Callable[..., Benchmark]:
    """Return what makes benchmarks, whose items alternate between two domains and two numbers of marks."""

    def make(project: Any = None, items: int = 10) -> Benchmark:
        number = next(_number)
        made = Benchmark.objects.create(
            project=project or make_project(),
            name=f"paper {number}",
            file_name="p.jsonl",
            content_hash="a" * 64,
        )
        rows = [
            BenchmarkItem(
                benchmark=made,
                position=place,
                content_hash=f"{place:064x}",
                text=f"第{place}题：十加二等于多少？" if place % 2 else f"Question {place}: ten and two?",
                key="12",
                marks=Decimal(2 + place % 2 * 6),
                language="zh" if place % 2 else "en",
                domain="law" if place % 2 else "clock",
            )
            for place in range(items)
        ]
        BenchmarkItem.objects.bulk_create(rows)
        return made

    return make


@pytest.fixture
def make_base(make_project: Callable[..., Any]) -> Callable[..., Model]:
    """Return what makes base models."""

    def make(project: Any, **fields: Any) -> Model:
        given = {"name": f"base {next(_number)}", "kind": "base", "location": "base", "markup": "bare"}
        return Model.objects.create(project=project, **{**given, **fields})

    return make


@pytest.fixture
def make_tuned() -> Callable[..., Model]:
    """Return what makes tuned models with the run, dataset and selection that they came of."""

    def make(
        base: Model, *, name: str = "", arm_of: Selection | None = None, method: str = "coverage"
    ) -> Model:
        number, now, project = next(_number), timezone.now(), base.project
        ended = {"state": JobState.SUCCEEDED, "started_at": now, "heartbeat_at": now, "finished_at": now}
        selection = Selection.objects.create(
            project=project,
            name=f"selection {number}",
            method={},
            method_name=method,
            size=5,
            arm_of=arm_of,
            members_hash="a" * 64,
            **ended,
        )
        dataset = Dataset.objects.create(
            project=project,
            selection=selection,
            name=f"dataset {number}",
            content_hash=f"{number:064x}",
            row_count=5,
        )
        run = Run.objects.create(
            project=project,
            dataset=dataset,
            name=f"run {number}",
            base=base.location,
            recipe={},
            recipe_name="tiny-cpu",
            final_loss=0.3,
            **ended,
        )
        return Model.objects.create(
            project=project,
            name=name or f"tuned {number}",
            kind="checkpoint",
            location="nowhere",
            markup="bare",
            run=run,
            base=base,
            content_hash="c" * 64,
        )

    return make


@pytest.fixture
def make_evaluation() -> Callable[..., Evaluation]:
    """Return what makes ended evaluations.

    `outcomes` has one string for each policy, (budget, extensions): a letter for each item in order,
    r(ight), p(artly), w(rong) or u(nparsed).
    """

    def make(
        model: Model, benchmark: Benchmark, outcomes: dict[tuple[int, int], str], **fields: Any
    ) -> Evaluation:
        now = timezone.now()
        given = {"state": JobState.SUCCEEDED, "started_at": now - timedelta(seconds=60), "finished_at": now}
        made = Evaluation.objects.create(
            project=model.project,
            model=model,
            benchmark=benchmark,
            policies=[_policy(*key) for key in outcomes],
            scores=[_score(key, letters) for key, letters in outcomes.items()],
            heartbeat_at=now,
            **{**given, **fields},
        )
        longest = max(budget for budget, _extensions in outcomes)
        items = list(benchmark.items.all())
        thoughts = [
            Thought(
                evaluation=made, item=item, token_ids=list(range(longest)), stops=[longest], text="thinking"
            )
            for item in items
        ]
        Thought.objects.bulk_create(thoughts)
        MarkedAnswer.objects.bulk_create(_answers(thoughts, outcomes))
        return made

    return make


LETTERS = {"r": "right", "p": "partly", "w": "wrong", "u": "unparsed"}


def _label(budget: int, extensions: int) -> str:
    return f"{budget}+wait{extensions}" if extensions else str(budget)


def _policy(budget: int, extensions: int) -> dict[str, Any]:
    named = {"label": _label(budget, extensions), "max_tokens": budget, "extensions": extensions}
    return named | {"extension_word": "Wait"}


def _score(key: tuple[int, int], letters: str) -> dict[str, Any]:
    right, items = letters.count("r"), len(letters)
    low, high = wilson(right, items)
    return {
        "policy": _label(*key),
        "budget": key[0],
        "extensions": key[1],
        "accuracy": right / items,
        "low": low,
        "high": high,
        "items": items,
        "thinking_tokens": 0.9 * key[0],
        "forced_ends": 3,
        "outcomes": {outcome: letters.count(letter) for letter, outcome in LETTERS.items()},
        "score": right / items,
    }


def _answers(thoughts: Sequence[Thought], outcomes: dict[tuple[int, int], str]) -> list[MarkedAnswer]:
    return [
        MarkedAnswer(
            thought=thought,
            policy=_label(*key),
            cut_at=key[0],
            forced_end=True,
            text="Final Answer: 12",
            answer="12",
            outcome=LETTERS[letter],
            credit=1.0 if letter == "r" else 0.5 if letter == "p" else 0.0,
        )
        for key, letters in outcomes.items()
        for thought, letter in zip(thoughts, letters, strict=True)
    ]
