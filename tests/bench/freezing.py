"""A thousand reviewed questions with long traces frozen into a dataset."""

from typing import Any

from common.models import Project, User
from curator.core.dataset import dataset_hash
from curator.models import Dataset, Review, Selection
from curator.services import datasets, reviews, selections
from tests.bench import traced
from tests.bench.figures import Figure, timed, within

NAME = "Freezing a thousand"
ROWS, REVIEWERS, MOST_SECONDS = 1000, 3, 2


def run(scale: float) -> list[Figure]:
    """Freeze a selection of which every trace was judged by several people, beside hashing its rows alone."""
    count = max(10, round(ROWS * scale))
    selection = _reviewed(traced.long_traces("freezing", count + count // 10), count)
    with timed() as frozen:
        dataset = datasets.freeze(selection=selection, by=None)
    with timed() as again:
        datasets.freeze(selection=selection, name="again", by=None)
    hashing = _hashing(dataset)
    note = f"{dataset.row_count:,} rows, {Review.objects.count():,} judgements"
    return [
        within("freeze", frozen.seconds, MOST_SECONDS, note),
        Figure(
            "the same",
            frozen.seconds,
            "hashing the rows",
            hashing,
            frozen.seconds / hashing,
            note="what freezing cannot do without",
        ),
        within("freeze what is frozen", again.seconds, MOST_SECONDS, "the same content is the same dataset"),
    ]


def _reviewed(project: Project, count: int) -> Selection:
    """Return a finished selection, each of whose traces was accepted by several reviewers, some once rejected."""
    selection = selections.start_selection(project=project, method="random", size=count, by=None)
    selections.run_selection(job=selection)
    people = [User.objects.create_user(f"reader{number}@school.example") for number in range(REVIEWERS)]
    traces = [decision.trace_id for decision in reviews.members(selection)]
    Review.objects.bulk_create(
        Review(trace_id=trace, reviewer=person, judgement="accept", judged_hash="")
        for trace in traces
        for person in people
    )
    Review.objects.filter(trace__in=traces[::50], reviewer=people[0]).update(judgement="reject")
    return selection


def _hashing(dataset: Dataset) -> float:
    contents: list[dict[str, Any]] = [row.content for row in dataset.rows.all()]
    with timed() as clock:
        found = dataset_hash(contents)
    if found != dataset.content_hash:
        raise AssertionError("The rows that were stored have another hash than those that were frozen.")
    return clock.seconds
