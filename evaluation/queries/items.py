"""One evaluation's items: what the model thought about each, where the budgets cut, and the marks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db.models import QuerySet

from evaluation.models import Evaluation, MarkedAnswer, Thought
from training.models import Model
from training.queries import get_tokenizer


def get_marked_items(evaluation: Evaluation, *, outcome: str = "", policy: str = "") -> "QuerySet[Thought]":
    """Return an evaluation's thoughts in the order of its items, with their answers, by outcome if asked."""
    thoughts = Thought.objects.filter(evaluation=evaluation).select_related("item").defer("token_ids", "text")
    if outcome:
        answers = MarkedAnswer.objects.filter(thought__evaluation=evaluation, outcome=outcome)
        if policy:
            answers = answers.filter(policy=policy)
        thoughts = thoughts.filter(pk__in=answers.values("thought_id"))
    return thoughts.prefetch_related("answers").order_by("item__position")


def get_neighbours(thought: Thought) -> tuple[int | None, int | None]:
    """Return the positions of the items before and after this one in its evaluation."""
    positions = Thought.objects.filter(evaluation=thought.evaluation).order_by("item__position")
    before = (
        positions.filter(item__position__lt=thought.item.position)
        .values_list("item__position", flat=True)
        .last()
    )
    after = (
        positions.filter(item__position__gt=thought.item.position)
        .values_list("item__position", flat=True)
        .first()
    )
    return before, after


@dataclass(frozen=True)
class Segment:
    """A stretch of a thought's text; `cuts` are the policies whose thinking ends right before it."""

    text: str
    forced: bool
    cuts: tuple[str, ...]
    stopped: bool  # the model itself wanted to end right before it
    position: int  # tokens before it


def segments(
    thought: Thought, cuts: dict[str, int], text_of: Callable[[Sequence[int]], str]
) -> list[Segment]:
    """Return a thought's text in stretches, parted wherever a budget cuts, a stop or a forced token lies.

    `cuts` are thinking tokens by policy label. A character whose bytes a boundary would part goes to
    the stretch in which it is complete. The last segment may be empty: it holds the marks at the end.
    """
    total = len(thought.token_ids)
    forced, stops = set(thought.forced_at), set(thought.stops)
    changes = {place for place in range(1, total) if (place in forced) != (place - 1 in forced)}
    wanted = {cut for cut in cuts.values() if cut <= total} | {stop for stop in stops if stop <= total}
    places = sorted({0, total} | changes | wanted)
    ends = {place: text_of(thought.token_ids[:place]).rstrip("�") for place in places}
    whole = text_of(thought.token_ids)
    made = [
        _segment(whole[len(ends[start]) : len(ends[end])], start, start in forced, cuts, stops)
        for start, end in pairwise(places)
    ]
    return [*made, _segment(whole[len(ends[total]) :], total, forced=False, cuts=cuts, stops=stops)]


def _segment(text: str, start: int, forced: bool, cuts: dict[str, int], stops: set[int]) -> Segment:
    labels = tuple(label for label, cut in cuts.items() if cut == start)
    return Segment(text=text, forced=forced, cuts=labels, stopped=start in stops, position=start)


def get_decoder(model: Model) -> Callable[[Sequence[int]], str] | None:
    """Return what turns a model's token ids into text, or None where its tokenizer is not on this machine."""
    tokenizer = get_tokenizer(model)
    if tokenizer is None:
        return None
    return lambda ids: tokenizer.decode(list(ids), skip_special_tokens=False)


def in_order_of_policies(thought: Thought) -> list[MarkedAnswer]:
    """Return a thought's answers in the order of its evaluation's policies."""
    order = {policy["label"]: place for place, policy in enumerate(thought.evaluation.policies)}
    return sorted(thought.answers.all(), key=lambda answer: order.get(answer.policy, len(order)))
