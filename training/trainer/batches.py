"""How TRL's trainer is fed: rows side by side, as the reference, or all rows of a step in packs of like work.

Both take the same rows in each step, in the order of one seeded sampler, and make the same loss of them. Only in
its last step does an epoch differ: side by side, cards without a row repeat one from the epoch's beginning;
packed, they take a pack without weight, and each row counts once. Neighbouring processes may share a pack.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from math import ceil
from typing import Any

import torch
from accelerate.data_loader import DataLoaderShard, SeedableRandomSampler
from torch.utils.data import Sampler
from trl import SFTTrainer

from training.core.conversation import NO_LOSS
from training.core.packing import packs_of_step, steps_of_order
from training.trainer.attention import use_attention_by_row

FILLER_ID = 0  # of any vocabulary; it carries no loss, and no row sees it


class RowTrainer(SFTTrainer):
    """TRL's trainer with a step's loss as the mean of its rows' means, over all passes and cards of the step.

    What TRL counts in a batch are its tokens; here they are its rows. Source: the stack of s1, which averaged
    the means of single rows (research note on training, fact 5).
    """

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
        count = torch.tensor(sum(len(batch["labels"]) for batch in batch_samples), device=device)
        return self.accelerator.gather(count).sum()

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the share that a pass has in its step's loss; the cards' mean makes it whole."""
        outputs = model(**inputs, use_cache=False, fused_lm_head=True)
        tokens = outputs.label_mask.sum(dim=-1).clamp(min=1)
        rows = -outputs.log_probs.sum(dim=-1) / tokens  # log_probs are 0 where there is no label
        return rows.sum() / num_items_in_batch * self.accelerator.num_processes


class PackTrainer(SFTTrainer):
    """TRL's trainer with a step in one pass: each process takes one pack of the step's rows, or its part of one.

    `weighs_rows`: the loss is the mean of the rows' means, over all packs; else it is the mean over their tokens.
    `sequence_parallel` processes, each the next one's neighbour, share a pack.
    """

    def __init__(self, *, batch_size: int, weighs_rows: bool, sequence_parallel: int, **options: Any) -> None:
        self.rows_in_step, self.weighs_rows, self.shared_by = batch_size, weighs_rows, sequence_parallel
        super().__init__(**options)
        use_attention_by_row(self.model, sequence_parallel)

    def get_train_dataloader(self) -> Any:
        """Return what yields this process's packs; accelerate's own sharding would cut whole steps off."""
        tokens = [len(ids) for ids in self.train_dataset["input_ids"]]
        sampler = PackSampler(
            SeedableRandomSampler(range(len(tokens)), data_seed=self.args.data_seed),
            tokens,
            batch_size=self.rows_in_step,
            packs=self.accelerator.num_processes // self.shared_by,
            pack=self.accelerator.process_index // self.shared_by,
        )
        return DataLoaderShard(
            self.train_dataset,
            device=self.accelerator.device,
            batch_sampler=sampler,
            collate_fn=self._own_part,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def _own_part(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        pack = pack_rows(rows, weighs_rows=self.weighs_rows, multiple_of=self.shared_by)
        part = self.accelerator.process_index % self.shared_by
        return {
            name: value.chunk(self.shared_by, dim=1)[part] if torch.is_tensor(value) else value
            for name, value in pack.items()
        }

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
        """Return the weight of all packs of the step: the number of its rows, or of its tokens with a label."""
        [pack] = batch_samples
        return self.accelerator.gather(pack["weights"].to(device).double().sum()).sum()

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the share that a pack has in its step's loss; the cards' mean makes it whole."""
        given = {name: value for name, value in inputs.items() if name != "weights"}
        outputs = model(**given, use_cache=False, fused_lm_head=True)
        loss = -(outputs.log_probs * inputs["weights"]).sum()
        return loss * (self.accelerator.num_processes / num_items_in_batch).float()


class PackSampler(Sampler[list[int]]):
    """Yields the rows of one pack for each optimiser step, none where a step has too few; as many for each pack.

    `sampler` gives an epoch's order, the same in every process; accelerate tells it the epoch by this name.
    """

    def __init__(
        self, sampler: Any, row_tokens: Sequence[int], *, batch_size: int, packs: int, pack: int
    ) -> None:
        self.sampler, self.row_tokens = sampler, row_tokens
        self.batch_size, self.packs, self.pack = batch_size, packs, pack

    def __len__(self) -> int:
        return ceil(len(self.row_tokens) / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        for rows in steps_of_order(list(self.sampler), self.batch_size):
            yield list(packs_of_step(rows, self.row_tokens, self.packs)[self.pack])


def pack_rows(rows: Sequence[dict[str, Any]], *, weighs_rows: bool, multiple_of: int = 1) -> dict[str, Any]:
    """Return rows laid end to end as one batch of one line, filled up to a multiple of so many tokens.

    Positions begin anew with each row, and there is no attention mask: one of ones would let rows see each other.
    A token's `shift_labels` is the label of the one after it in its row. `weights` are what each counts in the
    loss, 0 where there is none, so nothing where there are no rows.
    """
    lengths = [len(row["input_ids"]) for row in rows]
    # Never the first token of the next row: it is predicted from nothing, as when its row stands alone.
    labels = [[*row["labels"][1:], NO_LOSS] for row in rows]
    ids = [row["input_ids"] for row in rows]
    weights = [_weights(each, weighs_rows=weighs_rows) for each in labels]
    if filler := -sum(lengths) % multiple_of if rows else multiple_of:
        lengths, ids = [*lengths, filler], [*ids, [FILLER_ID] * filler]
        labels, weights = [*labels, [NO_LOSS] * filler], [*weights, [0.0] * filler]
    return {
        "input_ids": _line(ids),
        "shift_labels": _line(labels),
        "position_ids": _line(map(range, lengths)),
        "weights": _line(weights, torch.float32),
        "row_lengths": lengths,
    }


def _line(values: Any, dtype: Any = torch.int64) -> Any:
    return torch.tensor([list(chain.from_iterable(values))], dtype=dtype)


def _weights(labels: Sequence[int], *, weighs_rows: bool) -> list[float]:
    count = sum(label != NO_LOSS for label in labels)
    weight = 1 / count if weighs_rows and count else 1.0
    return [0.0 if label == NO_LOSS else weight for label in labels]
