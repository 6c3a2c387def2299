"""Figures of curation for plotly.js, as plain values; colours are the page's (see static/charts.js)."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from common.core.text import wrapped
from curator.queries import Spread

Figure = dict[str, Any]
MOST_DOMAINS = 30
BINS = 24
LABEL_COLUMNS, LABEL_LINES = 16, 2  # of a name beside its bars
BAR_PIXELS, GAP_PIXELS = 14, 8  # of a bar, and between one name's bars and the next one's
FRAME_PIXELS = 130  # of the legend and the axis
MOST_TICKS = 5  # under ranges of lengths, so that they stand side by side on a phone too
VERDICT_COLUMNS, VERDICT_LINES = 9, 3  # of a word under its bar


def domains_figure(spread: Spread) -> Figure | None:
    """Return each domain's share of the members beside its share of all questions."""
    names, members = spread.names[:MOST_DOMAINS], spread.members[:MOST_DOMAINS]
    pool = spread.pool[:MOST_DOMAINS]
    if not names:
        return None
    return {
        "data": [
            _lying(_shares(_("all questions"), names, pool, sum(spread.pool), "muted")),
            _lying(_shares(_("selected"), names, members, sum(spread.members), "tuned")),
            *_wanted(spread),
        ],
        "layout": lying_layout(names, {"title": {"text": _("share")}, "rangemode": "tozero"}),
    }


def lying_layout(names: Sequence[str], values: Figure, bars: int = 2) -> Figure:
    """Return the layout of shares as bars that lie one name below the other: as high as there are bars.

    A bar's `y` is its name's place in `names`; `values` is the axis of the shares, and `bars` how many each
    name has.
    """
    row = GAP_PIXELS + BAR_PIXELS * max(LABEL_LINES, bars)
    return {
        "barmode": "group",
        "height": FRAME_PIXELS + row * max(2, len(names)),
        "xaxis": {"tickformat": ".0%", "nticks": 6, **values},
        "yaxis": {
            "tickmode": "array",
            "tickvals": list(range(len(names))),
            "ticktext": [escape("\n".join(_label(name))).replace("\n", "<br>") for name in names],
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom"},
    }


def _label(name: str) -> list[str]:
    return wrapped(name, LABEL_COLUMNS, LABEL_LINES)


def _wanted(spread: Spread) -> list[Figure]:
    """Return the shares that a blueprint asks for, as marks over the bars."""
    if not any(spread.wanted):
        return []
    shares = list(spread.wanted[:MOST_DOMAINS])
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("blueprint"),
            "x": shares,
            "y": list(range(len(shares))),
            "text": as_hovered(spread.names[:MOST_DOMAINS]),
            "marker": {"symbol": "line-ns-open", "size": 18, "line": {"width": 3}},
            "hovertemplate": "%{text}: %{x:.1%}",
            "meta": {"series": "arm1"},
        }
    ]


def _shares(name: str, places: Sequence[str], counts: Sequence[int], total: int, series: str) -> Figure:
    return {
        "type": "bar",
        "name": name,
        "x": list(places),
        "y": [count / total if total else 0 for count in counts],
        "customdata": list(counts),
        "hovertemplate": "%{x}: %{y:.1%} (%{customdata:,})",
        "meta": {"series": series},
    }


def _lying(bars: Figure) -> Figure:
    """Return standing bars as lying ones, which say their whole name when they are pointed at."""
    return bars | {
        "orientation": "h",
        "x": bars["y"],
        "y": list(range(len(bars["x"]))),
        "hovertext": as_hovered(bars["x"]),
        "hovertemplate": "%{hovertext}: %{x:.1%} (%{customdata:,})",
    }


def as_hovered(names: Sequence[str]) -> list[str]:
    """Return names as plotly shows them unchanged where a bar is pointed at."""
    return [escape(name) for name in names]


def lengths_figure(selected: Sequence[int], others: Sequence[int]) -> Figure | None:
    """Return how long the selected traces are, and those that were left out, each as shares."""
    if not selected and not others:
        return None
    bins = length_bins([*selected, *others])
    names = [f"{low:,}–{high:,}" for low, high in bins]
    every = -(-len(bins) // MOST_TICKS)
    traces = []
    for name, lengths, series in ((_("left out"), others, "muted"), (_("selected"), selected, "tuned")):
        counts = _counted(lengths, bins)
        if lengths:
            traces.append(_shares(name, names, counts, len(lengths), series))
    return {
        "data": traces,
        "layout": {
            "barmode": "group",
            "bargap": 0.15,
            "xaxis": {
                "type": "category",
                "title": {"text": _("thinking tokens")},
                "tickmode": "array",
                "tickvals": names[::every],
                "ticktext": [f"{low:,}" for low, _high in bins[::every]],
                "tickangle": 0,
            },
            "yaxis": {"title": {"text": _("share")}, "tickformat": ".0%", "rangemode": "tozero"},
            "legend": {"orientation": "h", "y": 1, "yanchor": "bottom"},
        },
    }


def length_bins(lengths: Sequence[int], *, most: int = BINS) -> list[tuple[int, int]]:
    """Return ranges of whole numbers of equal width that hold every length, at most `most` of them."""
    if not lengths:
        return []
    lowest, highest = min(lengths), max(lengths)
    width = _round_up((highest - lowest + 1) / most)
    first = lowest // width * width
    return [(low, low + width - 1) for low in range(first, highest + 1, width)]


def _round_up(width: float) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50 … that is not below `width`."""
    scale = 1
    while True:
        for step in (1, 2, 5):
            if step * scale >= width:
                return step * scale
        scale *= 10


def counted_lengths(selected: Sequence[int], others: Sequence[int]) -> list[tuple[str, int, int]]:
    """Return the numbers behind `lengths_figure`, a line for each range."""
    bins = length_bins([*selected, *others])
    names = [f"{low:,}–{high:,}" for low, high in bins]
    return list(zip(names, _counted(selected, bins), _counted(others, bins), strict=True))


def _counted(lengths: Sequence[int], bins: Sequence[tuple[int, int]]) -> list[int]:
    """Return how many lengths lie in each bin; bins follow each other without a gap."""
    if not bins:
        return []
    edges = [low for low, _high in bins] + [bins[-1][1] + 1]
    return [int(count) for count in np.histogram(np.asarray(lengths, dtype=float), edges)[0]]


def verdicts_figure(counts: Sequence[tuple[str, str, int]]) -> Figure | None:
    """Return how many answers got which verdict; each of `counts` is a verdict, its word and a number."""
    if not counts:
        return None
    series = {"right": "good", "partly": "partly", "wrong": "bad", "unparsed": "arm4", "unkeyed": "muted"}
    return {
        "data": [
            {
                "type": "bar",
                "name": word,
                "x": ["<br>".join(wrapped(word, VERDICT_COLUMNS, VERDICT_LINES))],
                "y": [count],
                "hovertext": [word],
                "text": [f"{count:,}"],
                "textposition": "auto",
                "hovertemplate": "%{hovertext}: %{y:,}",
                "meta": {"series": series[verdict]},
            }
            for verdict, word, count in counts
        ],
        "layout": {
            "showlegend": False,
            "xaxis": {"type": "category"},
            "yaxis": {"title": {"text": _("answers")}, "rangemode": "tozero"},
        },
    }
