"""Figures of runs for plotly.js, as plain values; colours are the page's (see static/charts.js)."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from training.queries import StepPoint

SMOOTHING = 0.8  # the share of the past in the smoothed line


def loss_figure(steps: Sequence[StepPoint]) -> dict[str, Any]:
    """Return the loss of each step, faint, and a smoothed line over it."""
    places = [point.step for point in steps]
    losses = [point.loss for point in steps]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": _("each step"),
                "x": places,
                "y": losses,
                "opacity": 0.6,
                "line": {"width": 1},
                "meta": {"series": "muted"},
                "hovertemplate": "%{y:.3f}",
            },
            {
                "type": "scatter",
                "mode": "lines",
                "name": _("smoothed"),
                "x": places,
                "y": smoothed(losses),
                "line": {"width": 2.5},
                "meta": {"series": "tuned"},
                "hovertemplate": "%{y:.3f}",
            },
        ],
        "layout": {
            "xaxis": {"title": {"text": _("step")}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": _("loss")}, "rangemode": "tozero"},
            "hovermode": "x unified",
        },
    }


def smoothed(values: Sequence[float], *, keep: float = SMOOTHING) -> list[float]:
    """Return an exponential average that is not drawn to zero by its start."""
    kept, weight, averages = 0.0, 0.0, []
    for value in values:
        kept, weight = keep * kept + (1 - keep) * value, keep * weight + (1 - keep)
        averages.append(kept / weight)
    return averages
