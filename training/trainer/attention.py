"""Attention over a pack: each row by itself, and the pack on one card or shared by several.

Cards that share a pack each hold a stretch of its tokens and, for attention alone, all tokens of some heads.
Source: DeepSpeed Ulysses (arXiv 2309.14509). Axes: heads H, tokens T of one pack, width W of a head.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import distributed
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from common.core.refusal import Refusal

PLAIN = {"llama", "qwen2", "qwen3"}  # causal, without caps, sinks or biases of their own


class NotShared(Refusal):
    """The base model's attention cannot be shared among so many cards."""


def use_attention_by_row(model: Any, cards: int) -> None:
    """Let a model attend within the rows of packs, each shared by so many neighbouring processes.

    A model with another attention keeps its own, which finds the rows by their positions; it cannot be shared.

    Raises:
        NotShared: the attention has heads that the cards cannot divide, or is of another kind.
    """
    config = model.config
    if config.model_type not in PLAIN or getattr(config, "sliding_window", None) is not None:
        if cards > 1:
            raise NotShared(
                f"The attention of a {config.model_type} model cannot be shared among cards; "
                f"set sequence_parallel to 1."
            )
        return
    if config.num_key_value_heads % cards:
        raise NotShared(
            f"The base model has {config.num_key_value_heads} heads of keys, which {cards} cards cannot divide; "
            f"change sequence_parallel."
        )
    name = f"by_row_on_{cards}"
    AttentionInterface.register(name, _shared_by(cards) if cards > 1 else attend_by_row)
    model.set_attn_implementation(name)


def attend_by_row(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    row_lengths: Sequence[int],
    **options: Any,
) -> tuple[Any, None]:
    """Return what each row of a pack attends to in itself, (1, T, H, W), by torch's own kernels.

    Query, key and value are (1, H, T, W). No mask of all pairs is built, and no pair of two rows is computed.
    """
    options["is_causal"] = True
    rows = zip(*(each.split(list(row_lengths), dim=2) for each in (query, key, value)), strict=True)
    return torch.cat([sdpa_attention_forward(module, *row, None, **options)[0] for row in rows], dim=1), None


def _shared_by(cards: int) -> Callable[..., Any]:
    """Return attention over packs that so many processes share; all of them must call this."""
    group, _all = distributed.new_subgroups(group_size=cards)  # type: ignore[no-untyped-call]

    def attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **options: Any) -> tuple[Any, None]:
        query, key, value = (_all_tokens(each, cards, group) for each in (query, key, value))
        attended, _nothing = attend_by_row(module, query, key, value, mask, **options)
        return _all_heads(attended, cards, group), None

    return attend


def _all_tokens(own: Any, cards: int, group: Any) -> Any:
    """Return some heads of all tokens, (1, H / cards, T, W), for all heads of some tokens, (1, H, T / cards, W)."""
    _one, heads, tokens, width = own.shape
    sent = own.reshape(cards, heads // cards, tokens, width)
    taken = _exchanged(sent, group)
    return taken.transpose(0, 1).reshape(1, heads // cards, cards * tokens, width)


def _all_heads(own: Any, cards: int, group: Any) -> Any:
    """Return all heads of some tokens, (1, T / cards, H, W), for some heads of all, (1, T, H / cards, W)."""
    _one, tokens, heads, width = own.shape
    sent = own.reshape(cards, tokens // cards, heads, width)
    taken = _exchanged(sent, group)
    return taken.transpose(0, 1).reshape(1, tokens // cards, cards * heads, width)


def _exchanged(sent: Any, group: Any) -> Any:
    return _Exchange.apply(sent, group)  # type: ignore[no-untyped-call]


class _Exchange(torch.autograd.Function):
    """Sends the n-th part to the n-th card and puts what that sent in its place; so do the gradients go back."""

    @staticmethod
    def forward(context: Any, sent: Any, group: Any) -> Any:
        context.group = group
        taken = torch.empty_like(sent, memory_format=torch.contiguous_format)
        distributed.all_to_all_single(taken, sent.contiguous(), group=group)
        return taken

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        [gradient] = gradients
        return _exchanged(gradient, context.group), None
