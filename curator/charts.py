"""Figures of curation for plotly.js, as plain values; colours are the page's (see static/charts.js)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from curator.queries import Spread

Figure = dict[str, Any]
MOST_DOMAINS = 30
BINS = 24


def domains_figure(spread: Spread) -> Figure | None:
    """Return each domain's share of the members beside its share of all questions."""
    names, members = spread.names[:MOST_DOMAINS], spread.members[:MOST_DOMAINS]
    pool = spread.pool[:MOST_DOMAINS]
    if not names:
        return None
    return {
        "data": [
            _shares(_("all questions"), names, pool, sum(spread.pool), "muted"),
            _shares(_("selected"), names, members, sum(spread.members), "tuned"),
            *_wanted(spread),
        ],
        "layout": {
            "barmode": "group",
            "xaxis": {"type": "category"},
            "yaxis": {"title": {"text": _("share")}, "tickformat": ".0%", "rangemode": "tozero"},
        },
    }


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
            "x": list(spread.names[:MOST_DOMAINS]),
            "y": shares,
            "marker": {"symbol": "line-ew-open", "size": 18, "line": {"width": 3}},
            "hovertemplate": "%{y:.1%}",
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
        "hovertemplate": "%{y:.1%} (%{customdata:,})",
        "meta": {"series": series},
    }


def lengths_figure(selected: Sequence[int], others: Sequence[int]) -> Figure | None:
    """Return how long the selected traces are, and those that were left out, each as shares."""
    if not selected and not others:
        return None
    bins = length_bins([*selected, *others])
    names = [f"{low:,}–{high:,}" for low, high in bins]
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
            "xaxis": {"type": "category", "title": {"text": _("thinking tokens")}},
            "yaxis": {"title": {"text": _("share")}, "tickformat": ".0%", "rangemode": "tozero"},
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
                "x": [word],
                "y": [count],
                "text": [f"{count:,}"],
                "textposition": "auto",
                "hovertemplate": "%{x}: %{y:,}",
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
