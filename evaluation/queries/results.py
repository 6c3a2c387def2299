"""What was measured on a benchmark, compared item by item.

Answers come out of the database as one array for each evaluation and policy, so that the number of
queries depends neither on the number of items nor on that of models.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, QuerySet

from common.core.intervals import wilson
from common.jobs import JobState
from common.models import Project
from curator.models import Benchmark, BenchmarkItem
from evaluation.core import statistics
from evaluation.models import Evaluation, MarkedAnswer
from evaluation.queries.measured import (
    RIGHT,
    Comparison,
    Curve,
    Group,
    Part,
    Point,
    PolicyKey,
    Results,
    Share,
)
from training.models import Model

MOST_GROUPS = 30
Outcomes = dict[int, str]  # by item
Answered = dict[int, dict[PolicyKey, Outcomes]]  # by model


def get_evaluations(project: Project) -> "QuerySet[Evaluation]":
    """Return a project's evaluations, newest first, with what their rows show."""
    return Evaluation.objects.filter(project=project).select_related("model", "benchmark")


def get_measured_benchmarks(project: Project) -> list[Benchmark]:
    """Return the benchmarks on which something was measured, the most measured first."""
    done = Benchmark.objects.filter(project=project, evaluations__state=JobState.SUCCEEDED)
    return list(done.annotate(measured=Count("evaluations")).order_by("-measured", "name"))


def points_of(evaluation: Evaluation) -> tuple[Point, ...]:
    """Return an evaluation's stored scores, by extensions and budget."""
    points = [Point(**{name: row[name] for name in Point.__dataclass_fields__}) for row in evaluation.scores]
    return tuple(sorted(points, key=lambda point: (point.extensions, point.budget)))


def get_results(benchmark: Benchmark, *, tuned: int | None = None) -> Results:
    """Return what was measured on a benchmark, compared item by item.

    `tuned` is the id of the model to hold against its base; without it, the newest checkpoint that
    is no arm. Of a policy measured twice on a model the newer figures count.
    """
    evaluations = list(_done(benchmark))
    answered = _answered(evaluations)
    curves = _curves(evaluations, tuned)
    items = list(BenchmarkItem.objects.filter(benchmark=benchmark).values_list("pk", "domain", "marks"))
    chosen = next((curve for curve in curves if curve.part is Part.TUNED), None)
    base = _base_of(curves, chosen)
    by_budget = _compare_models(answered, base, chosen)
    best = chosen.best if chosen else base.best if base else None
    ordered = tuple(curve for curve in curves if best and _at(answered, curve, best.key))
    return Results(
        benchmark=benchmark,
        items=len(items),
        curves=curves,
        base=base,
        tuned=chosen,
        by_budget=by_budget,
        against_arms=_compare_arms(answered, curves, chosen, best),
        waits=_compare_waits(answered, curves),
        not_on_base=_not_on_base(base, chosen),
        best=best,
        smallest_difference=_smallest_difference(len(items), by_budget, best),
        slopes=tuple((curve, slope) for curve in curves if (slope := _slope(curve)) is not None),
        grouped=ordered,
        by_domain=_groups(answered, ordered, best, {pk: domain for pk, domain, _marks in items}),
        by_marks=_groups(answered, ordered, best, {pk: marks for pk, _domain, marks in items}),
    )


def _done(benchmark: Benchmark) -> "QuerySet[Evaluation]":
    """Return the ended evaluations, oldest first, so that newer figures replace older ones."""
    done = Evaluation.objects.filter(benchmark=benchmark, state=JobState.SUCCEEDED)
    related = ("model__base", "model__run__dataset__selection")
    return done.select_related(*related).order_by("finished_at", "pk")


def _answered(evaluations: Sequence[Evaluation]) -> Answered:
    """Return every outcome by model, policy and item, in one query."""
    keys = {
        (evaluation.pk, point.policy): (evaluation.model_id, point.key)
        for evaluation in evaluations
        for point in points_of(evaluation)
    }
    marked = MarkedAnswer.objects.filter(thought__evaluation__in=[row.pk for row in evaluations])
    arrays = marked.values_list("thought__evaluation_id", "policy").annotate(
        items=ArrayAgg("thought__item_id", order_by="thought__item_id"),
        outcomes=ArrayAgg("outcome", order_by="thought__item_id"),
    )
    by_source = {
        (pk, policy): dict(zip(items, outcomes, strict=True)) for pk, policy, items, outcomes in arrays
    }
    answered: Answered = {}
    for source, (model_id, key) in keys.items():  # in the order of the evaluations: the newest wins
        if source in by_source:
            answered.setdefault(model_id, {})[key] = by_source[source]
    return answered


def _curves(evaluations: Sequence[Evaluation], tuned: int | None) -> tuple[Curve, ...]:
    models = {evaluation.model_id: evaluation.model for evaluation in evaluations}
    points: dict[int, dict[PolicyKey, Point]] = {}
    for evaluation in evaluations:
        points.setdefault(evaluation.model_id, {}).update(
            {point.key: point for point in points_of(evaluation)}
        )
    chosen = tuned if tuned in models else _newest_tuned(models.values())
    curves = [_curve(model, _part(model, chosen), points[pk].values()) for pk, model in models.items()]
    order = list(Part)
    return tuple(sorted(curves, key=lambda curve: (order.index(curve.part), curve.name)))


def _newest_tuned(models: Iterable[Model]) -> int | None:
    trained = [model for model in models if model.kind == Model.Kind.CHECKPOINT and not _arm_name(model)]
    return max((model.pk for model in trained), default=None)


def _arm_name(model: Model) -> str:
    """Return the control method whose questions taught this model, or nothing."""
    selection = model.run.dataset.selection if model.run else None
    return selection.method_name if selection and selection.arm_of_id else ""


def _part(model: Model, tuned: int | None) -> Part:
    if model.pk == tuned:
        return Part.TUNED
    if _arm_name(model):
        return Part.ARM
    return Part.BASE if model.kind == Model.Kind.BASE else Part.OTHER


def _curve(model: Model, part: Part, points: Iterable[Point]) -> Curve:
    ordered = sorted(points, key=lambda point: (point.extensions, point.budget))
    return Curve(
        model=model,
        part=part,
        name=model.name,
        points=tuple(point for point in ordered if not point.extensions),
        extended=tuple(point for point in ordered if point.extensions),
    )


def _base_of(curves: Sequence[Curve], tuned: Curve | None) -> Curve | None:
    """Return the curve of the very base that was tuned; without a tuned model, any base's."""
    if tuned is not None:
        return next((curve for curve in curves if curve.model.pk == tuned.model.base_id), None)
    return next((curve for curve in curves if curve.part is Part.BASE), None)


def _at(answered: Answered, curve: Curve | None, key: PolicyKey) -> Outcomes:
    return answered.get(curve.model.pk, {}).get(key, {}) if curve else {}


def _compare_models(answered: Answered, base: Curve | None, tuned: Curve | None) -> tuple[Comparison, ...]:
    """Hold the tuned model against its base under every policy that both were measured under."""
    if base is None or tuned is None:
        return ()
    pairs = [
        (base.name, tuned.name, point.key, _at(answered, base, point.key), _at(answered, tuned, point.key))
        for point in tuned.all_points
    ]
    return _compared(pairs)


def _compare_arms(
    answered: Answered, curves: Sequence[Curve], tuned: Curve | None, best: Point | None
) -> tuple[Comparison, ...]:
    """Hold the tuned model against each arm at the tuned model's best budget."""
    if tuned is None or best is None:
        return ()
    arms = [curve for curve in curves if curve.part is Part.ARM]
    chosen = _at(answered, tuned, best.key)
    return _compared([(arm.name, tuned.name, best.key, _at(answered, arm, best.key), chosen) for arm in arms])


def _compare_waits(answered: Answered, curves: Sequence[Curve]) -> tuple[Comparison, ...]:
    """Hold each policy with a forced "Wait" against the same budget without it, model by model."""
    pairs = [
        (
            curve.name,
            curve.name,
            point.key,
            _at(answered, curve, PolicyKey(point.budget, 0)),
            _at(answered, curve, point.key),
        )
        for curve in curves
        for point in curve.extended
    ]
    return _compared(pairs)


def _compared(pairs: Iterable[tuple[str, str, PolicyKey, Outcomes, Outcomes]]) -> tuple[Comparison, ...]:
    """Test every pair that shares items, and correct for their number."""
    raw = [_pair(*pair) for pair in pairs if pair[3].keys() & pair[4].keys()]
    adjusted = statistics.holm([row["p"] for row in raw])
    return tuple(Comparison(**row, adjusted_p=p) for row, p in zip(raw, adjusted, strict=True))


def _pair(
    first_name: str, second_name: str, key: PolicyKey, first: Outcomes, second: Outcomes
) -> dict[str, Any]:
    shared = sorted(first.keys() & second.keys())
    before = [first[item] == RIGHT for item in shared]
    after = [second[item] == RIGHT for item in shared]
    paired = statistics.paired(before, after)
    return {
        "first_name": first_name,
        "second_name": second_name,
        "budget": key.budget,
        "extensions": key.extensions,
        "items": len(shared),
        "first_right": sum(before),
        "second_right": sum(after),
        "gained": paired.gained,
        "lost": paired.lost,
        "difference": paired.difference,
        "low": paired.low,
        "high": paired.high,
        "p": paired.p,
    }


def _not_on_base(base: Curve | None, tuned: Curve | None) -> tuple[Point, ...]:
    """Return the tuned model's points whose policy its base was not measured under."""
    if tuned is None:
        return ()
    known = {point.key for point in base.all_points} if base else set()
    return tuple(point for point in tuned.all_points if point.key not in known)


def _smallest_difference(items: int, by_budget: Sequence[Comparison], best: Point | None) -> float | None:
    """Return the smallest difference that a paired test on these items would mostly find, 0 to 1.

    The share of items on which the two differ is taken from the comparison at the best budget.
    """
    row = next((row for row in by_budget if best and (row.budget, row.extensions) == best.key), None)
    if not items or row is None:
        return None
    return statistics.smallest_detectable(row.items, discordant=(row.gained + row.lost) / row.items)


def _slope(curve: Curve) -> float | None:
    """Return s1's scaling of a curve: points of accuracy for each doubling of the thinking tokens."""
    spent = {point.thinking_tokens: point.accuracy for point in curve.points if point.thinking_tokens > 0}
    return 100 * statistics.scaling(sorted(spent.items())) if len(spent) > 1 else None


def _groups(
    answered: Answered, curves: Sequence[Curve], best: Point | None, group_of: dict[int, Any]
) -> tuple[Group, ...]:
    """Return each group's share of right answers for every curve, at the best budget."""
    if best is None:
        return ()
    members: dict[Any, list[int]] = {}
    for item, group in group_of.items():
        if group not in (None, ""):
            members.setdefault(group, []).append(item)
    marked = [_at(answered, curve, best.key) for curve in curves]
    names = tuple(curve.name for curve in curves)
    groups = [
        Group(group_name(group), len(items), names, tuple(_share(outcomes, items) for outcomes in marked))
        for group, items in sorted(members.items())
    ]
    return tuple(groups[:MOST_GROUPS]) if len(groups) > 1 else ()


def group_name(group: Any) -> str:
    """Write a domain or a number of marks as a heading."""
    return f"{group.normalize():f}" if isinstance(group, Decimal) else str(group)


def _share(outcomes: Outcomes, items: Sequence[int]) -> Share | None:
    known = [outcomes[item] for item in items if item in outcomes]
    if not known:
        return None
    right = sum(outcome == RIGHT for outcome in known)
    low, high = wilson(right, len(known))
    return Share(right, len(known), low, high)


def get_unmeasured_bases(project: Project) -> list[Model]:
    """Return the base models of which no evaluation has ended well or waits to."""
    standing = [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]
    measured = Evaluation.objects.filter(project=project, state__in=standing)
    bases = Model.objects.filter(project=project, kind=Model.Kind.BASE)
    return list(bases.exclude(pk__in=measured.values("model_id")))
