"""A trace's thinking cut into the steps in which a person reads it: once, and the same on every machine."""

from curator.core.steps.cutting import (
    LONGEST,
    MOST_STEPS,
    SHORTEST,
    STEPS_VERSION,
    Step,
    cut,
    number_at,
    title,
)
from curator.core.steps.folding import Fold, folds, opened
from curator.core.steps.kinds import Kind, kind_of

__all__ = [
    "LONGEST",
    "MOST_STEPS",
    "SHORTEST",
    "STEPS_VERSION",
    "Fold",
    "Kind",
    "Step",
    "cut",
    "folds",
    "kind_of",
    "number_at",
    "opened",
    "title",
]
