"""Reads for the pages: runs and their steps, models, what a base model would learn of a dataset."""

from training.queries.runs import (
    Estimate,
    StepPoint,
    get_base,
    get_estimate,
    get_log_tail,
    get_models,
    get_runs,
    get_steps,
    get_trained_model,
    is_measured,
    thinned,
)
from training.queries.taught import Lesson, Piece, check_dataset, get_lessons, get_tokenizer

__all__ = [
    "Estimate",
    "Lesson",
    "Piece",
    "StepPoint",
    "check_dataset",
    "get_base",
    "get_estimate",
    "get_lessons",
    "get_log_tail",
    "get_models",
    "get_runs",
    "get_steps",
    "get_tokenizer",
    "get_trained_model",
    "is_measured",
    "thinned",
]
