"""Question and trace as training text, and which of its tokens carry loss.

Nothing is cut and nothing is masked out whole: a row that cannot be learnt from is refused.
Source: s1 (arXiv 2501.19393), appendix D; its length ablation (Table 8) shows what cutting costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from common.core.chat import TURN_END, TURN_START, Markup, question_prompt, question_with_options, reply
from common.core.refusal import Refusal

NO_LOSS = -100


class RowRefused(Refusal):
    """A row cannot be trained on; the message says why and what to do. `tokens` are its, 0 where not counted."""

    def __init__(self, message: str, *, tokens: int = 0) -> None:
        super().__init__(message)
        self.tokens = tokens


class Encoder(Protocol):
    """What a tokenizer must do: text to ids, with the markup as its special tokens."""

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...


@dataclass(frozen=True)
class EncodedRow:
    """One row as ids; `labels` equal the ids where loss is taken and are -100 elsewhere. Same length."""

    input_ids: list[int]
    labels: list[int]


def training_text(markup: Markup, row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the prompt (no loss) and the completion (loss) of a row: question, options, thinking, answer.

    Raises:
        RowRefused: a text of the row holds the markup itself.
    """
    texts = [row["question"], *row["options"], row["thinking"], row["answer"]]
    if any(mark in text for text in texts for mark in (TURN_START, TURN_END)):
        raise RowRefused(f"a text holds the model's own markup ({TURN_START} or {TURN_END}); take it out.")
    prompt = question_prompt(markup, question_with_options(row["question"], tuple(row["options"])))
    return prompt, reply(markup, thinking=row["thinking"], answer=row["answer"])


def encode_row(
    encoder: Encoder, markup: Markup, row: Mapping[str, Any], *, max_length: int, end_id: int
) -> EncodedRow:
    """Return a row as ids and labels. Prompt and completion are encoded apart, as generation sees them.

    Raises:
        RowRefused: too long, nothing to learn from, or an end that is not the end token.
    """
    prompt, completion = training_text(markup, row)
    prompt_ids = encoder.encode(prompt, add_special_tokens=False)
    completion_ids = encoder.encode(completion, add_special_tokens=False)
    length = len(prompt_ids) + len(completion_ids)
    if length > max_length:
        raise RowRefused(
            f"it has {length} tokens, more than the recipe's max_length {max_length}; raise that, or leave it out.",
            tokens=length,
        )
    if not row["thinking"].strip():
        raise RowRefused("it has no thinking to learn from; leave it out.", tokens=length)
    if completion_ids[-1:] != [end_id]:
        raise RowRefused(
            "its last token is not the model's end token; the tokenizer does not know this markup.",
            tokens=length,
        )
    return EncodedRow(prompt_ids + completion_ids, [NO_LOSS] * len(prompt_ids) + completion_ids)
