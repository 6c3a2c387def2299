"""Figures of evaluations for plotly.js, as plain values; colours are the page's (see static/charts.js).

Every trace names its series in `meta`, and the page gives that series its colour, so that a model
keeps its colour from chart to chart, in light and in dark.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from curator.charts import as_hovered, lying_layout
from evaluation.models import Evaluation, MarkedAnswer
from evaluation.queries.measured import Comparison, Curve, Group, Part, Point, Results
from training.models import Model

Figure = dict[str, Any]
Trace = dict[str, Any]
BAND_OPACITY = 0.18


def results_figures(results: Results) -> dict[str, Figure]:
    """Return every figure of the results page by name; one without anything to draw is left out."""
    series = series_names(results.curves)
    figures = {
        "scaling": scaling_figure(results.curves, series) if results.curves else None,
        "flips": flips_figure((*results.by_budget, *results.waits)),
        "outcomes": outcomes_figure(results.tuned or results.base),
        "domains": groups_figure(results.by_domain, results.grouped, series),
        "marks": groups_figure(results.by_marks, results.grouped, series),
    }
    return {name: figure for name, figure in figures.items() if figure}


def series_names(curves: Sequence[Curve]) -> dict[int, str]:
    """Return each model's series: base, tuned, or a numbered one for arms and others."""
    others = [curve.model.pk for curve in curves if curve.part not in (Part.BASE, Part.TUNED)]
    numbered = {pk: f"arm{place % 4 + 1}" for place, pk in enumerate(others)}
    return {curve.model.pk: numbered.get(curve.model.pk, curve.part.value) for curve in curves}


def scaling_figure(curves: Sequence[Curve], series: dict[int, str]) -> Figure:
    """Return accuracy over the thinking budget: a band and a line a model, its "Wait" dashed."""
    budgets = sorted({point.budget for curve in curves for point in curve.all_points})
    traces: list[Trace] = []
    for curve in curves:
        name = series[curve.model.pk]
        traces += [_band(curve, name), _line(curve, name)] if curve.points else []
        traces += _extended(curve, name)
    for trace in traces:
        trace["x"] = [_place(budget, budgets) for budget in trace["x"]]
    return {"data": traces, "layout": _scaling_layout(budgets)}


def _place(budget: int, budgets: Sequence[int]) -> float:
    """Return where a budget lies on the axis; no thinking at all lies half a smallest budget in."""
    return budget or next((other / 2 for other in budgets if other), 1)


def evaluation_figure(evaluation: Evaluation, points: Sequence[Point]) -> Figure:
    """Return one evaluation's own curve."""
    part = Part.BASE if evaluation.model.kind == Model.Kind.BASE else Part.TUNED
    curve = Curve(
        model=evaluation.model,
        part=part,
        name=evaluation.model.name,
        points=tuple(point for point in points if not point.extensions),
        extended=tuple(point for point in points if point.extensions),
    )
    return scaling_figure([curve], {evaluation.model.pk: part.value})


def _band(curve: Curve, series: str) -> Trace:
    there, back = curve.points, tuple(reversed(curve.points))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("%(model)s, 95 %% interval") % {"model": curve.name},
        "legendgroup": curve.name,
        "x": [point.budget for point in (*there, *back)],
        "y": [*(point.high for point in there), *(point.low for point in back)],
        "fill": "toself",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": {"series": series, "band": BAND_OPACITY},
    }


def _line(curve: Curve, series: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": curve.name,
        "legendgroup": curve.name,
        "line": {"width": 2.5},
        "marker": {"size": 8},
        "meta": {"series": series},
        **_places(curve.points),
    }


def _extended(curve: Curve, series: str) -> list[Trace]:
    """Return a dashed trace for each number of forced extensions, with an interval at every point."""
    by_count: dict[int, list[Point]] = {}
    for point in curve.extended:
        by_count.setdefault(point.extensions, []).append(point)
    return [_extended_line(curve, series, count, points) for count, points in sorted(by_count.items())]


def _extended_line(curve: Curve, series: str, count: int, points: Sequence[Point]) -> Trace:
    """Return the dashed trace; a single point hangs on the one of the same budget without extension."""
    plain = [point for point in curve.points if len(points) == 1 and point.budget == points[0].budget]
    shown = [*plain, *points]
    named = {"model": curve.name, "count": count}
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": (_("%(model)s, with “Wait”") if count == 1 else _("%(model)s, with “Wait” ×%(count)d"))
        % named,
        "legendgroup": curve.name,
        "line": {"width": 2, "dash": "dash"},
        "marker": {"size": [0] * len(plain) + [11] * len(points), "symbol": "x"},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [0.0] * len(plain) + [point.high - point.accuracy for point in points],
            "arrayminus": [0.0] * len(plain) + [point.accuracy - point.low for point in points],
            "thickness": 1.5,
        },
        "meta": {"series": series},
        **_places(shown),
    }


def _places(points: Iterable[Point]) -> Trace:
    """Return where points lie, and what stands beside each when it is pointed at."""
    points = list(points)
    return {
        "x": [point.budget for point in points],
        "y": [point.accuracy for point in points],
        "customdata": [
            [point.low, point.high, point.right, point.items, point.thinking_tokens] for point in points
        ],
        "hovertemplate": (
            "%{y:.1%} [%{customdata[0]:.1%}, %{customdata[1]:.1%}]<br>"
            + _("%(right)s of %(items)s right; %(tokens)s thinking tokens on average")
            % {"right": "%{customdata[2]}", "items": "%{customdata[3]}", "tokens": "%{customdata[4]:.0f}"}
        ),
    }


def _scaling_layout(budgets: Sequence[int]) -> dict[str, Any]:
    return {
        "xaxis": {
            "type": "log",
            "title": {"text": _("thinking budget (tokens)")},
            "tickvals": [_place(budget, budgets) for budget in budgets],
            "ticktext": [f"{budget:,}" for budget in budgets],
        },
        "yaxis": {"title": {"text": _("answered right")}, "tickformat": ".0%", "range": [0, 1]},
        "legend": {"orientation": "h", "y": -0.25},
    }


def flips_figure(comparisons: Sequence[Comparison]) -> Figure | None:
    """Return how many items each change turned right, upwards, and how many it turned wrong, downwards."""
    if not comparisons:
        return None
    names = [comparison_name(row) for row in comparisons]
    gained = _bars(_("wrong → right"), names, [row.gained for row in comparisons], "good")
    lost = _bars(_("right → wrong"), names, [-row.lost for row in comparisons], "bad")
    for bars, counts in (
        (gained, [row.gained for row in comparisons]),
        (lost, [row.lost for row in comparisons]),
    ):
        bars |= {"text": counts, "textposition": "auto", "hovertemplate": "%{x}: %{text}"}
    return {
        "data": [gained, lost],
        "layout": {
            "barmode": "relative",
            "yaxis": {"title": {"text": _("items")}, "zeroline": True},
            "xaxis": {"type": "category", "automargin": True},
            "legend": {"orientation": "h", "y": 1, "yanchor": "bottom"},
        },
    }


def comparison_name(row: Comparison) -> str:
    """Return what was changed, in a few words."""
    if row.first_name == row.second_name:
        return _("Wait: %(model)s") % {"model": row.first_name}
    if row.extensions:
        return _("tuned, %(budget)s + Wait") % {"budget": row.budget}
    return _("tuned, %(budget)s") % {"budget": row.budget}


def _bars(name: str, places: Sequence[str], heights: Sequence[float], series: str) -> Trace:
    return {"type": "bar", "name": name, "x": list(places), "y": list(heights), "meta": {"series": series}}


OUTCOME_SERIES = {"right": "good", "partly": "partly", "wrong": "bad", "unparsed": "muted"}


def outcomes_figure(curve: Curve | None) -> Figure | None:
    """Return what became of every item at each budget, none of the outcomes merged."""
    if curve is None:
        return None
    points = curve.all_points
    names = [point.policy for point in points]
    return {
        "data": [
            _bars(
                str(label),
                names,
                [point.outcomes.get(outcome, 0) for point in points],
                OUTCOME_SERIES[outcome],
            )
            for outcome, label in MarkedAnswer.Outcome.choices
        ],
        "layout": {
            "barmode": "stack",
            "xaxis": {"type": "category", "title": {"text": _("budget policy")}},
            "yaxis": {"title": {"text": _("items")}},
            "legend": {"orientation": "h", "y": 1, "yanchor": "bottom"},
        },
    }


def groups_figure(groups: Sequence[Group], curves: Sequence[Curve], series: dict[int, str]) -> Figure | None:
    """Return each group's share of right answers, one bar with its interval for every model."""
    if not groups:
        return None
    return {
        "data": [
            _group_bars(groups, place, curve, series[curve.model.pk]) for place, curve in enumerate(curves)
        ],
        "layout": lying_layout(
            [group.name for group in groups],
            {"title": {"text": _("answered right")}, "range": [0, 1.02]},  # with the sign of 100%
            bars=len(curves),
        ),
    }


def _group_bars(groups: Sequence[Group], place: int, curve: Curve, series: str) -> Trace:
    known = [(row, share) for row, group in enumerate(groups) if (share := group.shares[place])]
    return {
        "type": "bar",
        "orientation": "h",
        "name": curve.name,
        "meta": {"series": series},
        "x": [share.accuracy for _row, share in known],
        "y": [row for row, _share in known],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [share.high - share.accuracy for _row, share in known],
            "arrayminus": [share.accuracy - share.low for _row, share in known],
            "thickness": 1,
        },
        "customdata": [[share.right, share.items] for _row, share in known],
        "hovertext": as_hovered([groups[row].name for row, _share in known]),
        "hovertemplate": "%{hovertext}: %{x:.0%} (%{customdata[0]}/%{customdata[1]})",
    }
