"""Programs' way in to curation: parse, call one service, answer; beside the pages, and with the same services."""

from ninja import Router

from curator.api import datasets, questions, reviews, selections, traces

__all__ = ["ROUTERS"]

ROUTERS: tuple[Router, ...] = (
    questions.router,
    traces.router,
    reviews.router,
    selections.router,
    datasets.router,
)
