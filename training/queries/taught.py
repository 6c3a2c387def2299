"""What a base model would learn of a dataset: its rows as that model's tokens, and which of them carry loss.

Made with the same lines and the same tokenizer as the training itself.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from tokenizers import Tokenizer

from common.core.chat import MARKUPS, Markup
from common.core.refusal import Refusal
from common.queries import get_kept
from curator.models import Dataset, DatasetRow
from training.core.conversation import RowRefused, training_text
from training.core.preflight import Checked, check_rows
from training.core.recipe import Recipe
from training.models import Model

MOST_CHECKED = 5_000  # rows that a page encodes; a run checks all of them
KEPT_SECONDS = 3600  # what was found of rows that cannot change, with a tokenizer that has not
HEAD_TOKENS, TAIL_TOKENS = 1_200, 300  # of a part that is too long to be shown whole


class NoTokenizer(Refusal):
    """A model's tokenizer is not on this machine, or is not that of its markup."""


@dataclass(frozen=True)
class Piece:
    """Tokens next to each other that all carry loss, or none of which does; `left_out` are not shown, before the last."""

    is_taught: bool
    tokens: tuple[str, ...]
    count: int
    left_out: int
    tail: tuple[str, ...]


@dataclass(frozen=True)
class Lesson:
    """One row as a model reads it; `position` counts from 0."""

    position: int
    pieces: tuple[Piece, ...]
    refused: str

    @property
    def number(self) -> int:
        """Return the row's number, as a run names it."""
        return self.position + 1

    @property
    def tokens(self) -> int:
        """Return all tokens of the row."""
        return sum(piece.count for piece in self.pieces)


class _Encoder:
    """A tokenizer as the core asks for it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids
        return ids


def get_tokenizer(model: Model) -> Tokenizer | None:
    """Return a model's tokenizer, None where it is not on this machine."""
    path = Path(model.location) / "tokenizer.json"
    return _tokenizer(str(path), path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=4)
def _tokenizer(path: str, _changed: int) -> Tokenizer:
    return Tokenizer.from_file(path)


def check_dataset(dataset: Dataset, base: Model, recipe: Recipe) -> Checked:
    """Return what the checks before a training say of a dataset's first rows, `MOST_CHECKED` at most.

    Raises:
        NoTokenizer: the base's tokenizer is not on this machine, or does not know the recipe's markup.
    """
    tokenizer, markup = _usable(base, recipe)
    changed = (Path(base.location) / "tokenizer.json").stat().st_mtime_ns
    key = f"taught-{dataset.content_hash}-{base.pk}-{changed}-{markup.name}-{recipe.max_length}"
    return get_kept(
        key,
        KEPT_SECONDS,
        lambda: check_rows(
            islice(_contents(dataset), MOST_CHECKED),
            _Encoder(tokenizer),
            markup,
            max_length=recipe.max_length,
            end_id=tokenizer.token_to_id(markup.end) or 0,  # `_usable` has seen that there is one
        ),
    )


def get_lessons(
    dataset: Dataset, base: Model, recipe: Recipe, positions: Sequence[int], *, is_whole: bool = False
) -> list[Lesson]:
    """Return rows of a dataset as tokens; unless `is_whole`, the middle of a long part is left out.

    Raises:
        NoTokenizer: as `check_dataset`.
    """
    tokenizer, markup = _usable(base, recipe)
    rows = dict(
        DatasetRow.objects.filter(dataset=dataset, position__in=positions).values_list("position", "content")
    )
    return [
        _lesson(tokenizer, markup, place, rows[place], recipe, is_whole=is_whole)
        for place in positions
        if place in rows
    ]


def _usable(base: Model, recipe: Recipe) -> tuple[Tokenizer, Markup]:
    tokenizer, markup = get_tokenizer(base), MARKUPS[recipe.markup]
    if tokenizer is None:
        raise NoTokenizer(
            _(
                "The tokenizer of %(name)s is not on this machine; the run itself checks the rows, before it trains."
            )
            % {"name": base.name}
        )
    for mark in (markup.stop, markup.end):
        if tokenizer.token_to_id(mark) is None:
            raise NoTokenizer(
                _(
                    "The tokenizer of %(name)s has no single token for %(mark)s; choose the markup that it was made with."
                )
                % {"name": base.name, "mark": mark}
            )
    if _pad_of(base) == markup.end:
        raise NoTokenizer(
            _(
                "%(name)s ends its replies with the token it pads with, %(mark)s; give it another padding token."
            )
            % {"name": base.name, "mark": markup.end}
        )
    return tokenizer, markup


def _pad_of(base: Model) -> str:
    """Return what a model's batches are filled up with, as its tokenizer's settings say."""
    path = Path(base.location) / "tokenizer_config.json"
    said: Any = json.loads(path.read_text(encoding="utf-8")).get("pad_token") if path.is_file() else None
    return str(said.get("content", "") if isinstance(said, dict) else said or "")


def _contents(dataset: Dataset) -> Iterator[dict[str, Any]]:
    rows: models.QuerySet[Any, Any] = DatasetRow.objects.filter(dataset=dataset).order_by("position")
    yield from rows.values_list("content", flat=True).iterator(chunk_size=200)


def _lesson(
    tokenizer: Tokenizer,
    markup: Markup,
    position: int,
    row: dict[str, Any],
    recipe: Recipe,
    *,
    is_whole: bool,
) -> Lesson:
    try:
        texts = training_text(markup, row)
    except RowRefused as error:
        return Lesson(position, (), str(error))
    prompt, completion = (_tokens(tokenizer, text) for text in texts)
    pieces = tuple(
        _piece(tokens, is_taught=is_taught, is_whole=is_whole)
        for is_taught, tokens in ((False, prompt), (True, completion))
    )
    if len(prompt) + len(completion) <= recipe.max_length:
        return Lesson(position, pieces, "")
    too_long = _("Longer than the %(most)s tokens of the recipe: the run refuses it, and cuts nothing.")
    return Lesson(position, pieces, too_long % {"most": recipe.max_length})


def _piece(tokens: list[str], *, is_taught: bool, is_whole: bool) -> Piece:
    if is_whole or len(tokens) <= HEAD_TOKENS + TAIL_TOKENS:
        return Piece(is_taught, tuple(tokens), len(tokens), 0, ())
    left_out = len(tokens) - HEAD_TOKENS - TAIL_TOKENS
    return Piece(is_taught, tuple(tokens[:HEAD_TOKENS]), len(tokens), left_out, tuple(tokens[-TAIL_TOKENS:]))


def _tokens(tokenizer: Tokenizer, text: str) -> list[str]:
    """Return a text token by token; of a character that takes several, the first shows it and the others are empty."""
    shown, done = [], 0
    for start, end in tokenizer.encode(text, add_special_tokens=False).offsets:
        shown.append(text[max(start, done) : end])
        done = max(done, end)
    return shown
