"""A transformers model as a Generator: greedy, batched, with the key-value cache.

Letters: B rows of a batch, T tokens of a row.
"""

import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from common.core.refusal import Refusal
from evaluation.core.forcing import Completion

ROWS_AT_ONCE = 64
PRECISIONS = ("float32", "bfloat16", "float16")


class NoModel(Refusal):
    """There is no model that can be loaded; the message names the place and the reason."""


def end_ids_of(given: int | Sequence[int] | None) -> frozenset[int]:
    """Return a model's own ends of text, which its configuration names as one id, several or none."""
    if given is None:
        return frozenset()
    return frozenset({given} if isinstance(given, int) else given)


class TransformersGenerator:
    """A causal language model of transformers, on a card where there is one."""

    def __init__(
        self,
        model: str,
        *,
        dtype: str = "float32",
        rows_at_once: int = ROWS_AT_ONCE,
        threads: int | None = None,
    ) -> None:
        if threads:
            torch.set_num_threads(threads)
        if dtype not in PRECISIONS:
            raise NoModel(
                f"There is no precision {dtype!r} to load a model in; there are {', '.join(PRECISIONS)}."
            )
        if Path(model).is_absolute() and not Path(model).is_dir():
            raise NoModel(
                f"The model {model} cannot be loaded (no such folder); name a folder with config, weights and tokenizer."
            )
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model)
            loaded = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise NoModel(
                f"The model {model} cannot be loaded ({reason}); name a folder with config, weights and tokenizer."
            ) from error
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = loaded.to(self.device).eval()
        self.dtype, self.rows_at_once = dtype, rows_at_once
        self.context_tokens: int = loaded.config.max_position_embeddings
        self.end_ids = end_ids_of(loaded.generation_config.eos_token_id)

    def describe(self) -> dict[str, str]:
        """Return engine, versions, precision and device, for the record of a result."""
        found = {name: version(name) for name in ("torch", "transformers")}
        return {"name": "transformers", "dtype": self.dtype, "device": self.device, **found}

    def encode(self, text: str) -> list[int]:
        """Return a text's ids, its markup as single tokens."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of ids, markup included."""
        text: str = self.tokenizer.decode(
            list(token_ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def generate(
        self, prompts: Sequence[Sequence[int]], *, max_tokens: Sequence[int], stop_ids: frozenset[int]
    ) -> list[Completion]:
        """Complete each prompt greedily, rows of like length together."""
        stop_ids |= self.end_ids
        completions: list[Completion | None] = [None] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda place: (max_tokens[place], len(prompts[place])))
        for start in range(0, len(order), self.rows_at_once):
            places = order[start : start + self.rows_at_once]
            done = self._batch(
                [prompts[place] for place in places], [max_tokens[place] for place in places], stop_ids
            )
            for place, completion in zip(places, done, strict=True):
                completions[place] = completion
        return [completion for completion in completions if completion is not None]

    def _padded(self, prompts: list[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and mask of prompts that all end in the last column."""
        width = max(map(len, prompts))
        input_B_T = torch.zeros(len(prompts), width, dtype=torch.long, device=self.device)
        mask_B_T = torch.zeros_like(input_B_T)
        for row, prompt in enumerate(prompts):
            input_B_T[row, width - len(prompt) :] = torch.tensor(prompt)
            mask_B_T[row, width - len(prompt) :] = 1
        return input_B_T, mask_B_T

    @torch.inference_mode()
    def _batch(
        self, prompts: list[Sequence[int]], max_tokens: list[int], stop_ids: frozenset[int]
    ) -> list[Completion]:
        """Complete one batch; a row that has ended leaves it, so that the others go faster."""
        ids_B: list[list[int]] = [[] for _ in prompts]
        stopped_B = [False] * len(prompts)
        live = [row for row in range(len(prompts)) if max_tokens[row] > 0]
        if not live:
            return [Completion([], stopped=False) for _ in prompts]
        input_B_T, mask_B_T = self._padded([prompts[row] for row in live])
        position_B_T = (mask_B_T.cumsum(1) - 1).clamp(min=0)
        cache: Any = DynamicCache(config=self.model.config)
        while live:
            output = self.model(
                input_ids=input_B_T,
                attention_mask=mask_B_T,
                position_ids=position_B_T,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            chosen = output.logits[:, -1].argmax(-1)
            keep: list[int] = []
            for place, (row, token) in enumerate(zip(live, chosen.tolist(), strict=True)):
                if token in stop_ids:
                    stopped_B[row] = True
                    continue
                ids_B[row].append(token)
                if len(ids_B[row]) < max_tokens[row]:
                    keep.append(place)
            if len(keep) < len(live):
                kept = torch.tensor(keep, dtype=torch.long, device=self.device)
                live = [live[place] for place in keep]
                if not live:
                    break
                cache.batch_select_indices(kept)
                chosen, mask_B_T, position_B_T = chosen[kept], mask_B_T[kept], position_B_T[kept]
            input_B_T = chosen[:, None]
            mask_B_T = torch.cat([mask_B_T, torch.ones_like(input_B_T)], 1)
            position_B_T = position_B_T[:, -1:] + 1
        return [Completion(ids, stopped) for ids, stopped in zip(ids_B, stopped_B, strict=True)]
