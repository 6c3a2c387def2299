"""Muon in single precision, for the matrices of a small model on a CPU.

Letters: N matrices of one shape, R rows, C columns, R <= C.
Source: Jordan et al., "Muon" (2024); the step's scale is that of Moonlight (arXiv 2502.16982), so that
Muon and AdamW share one learning rate.
"""

# ruff: noqa: N803, N806 - arrays carry their axes.

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import torch

COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)
ROUNDS: Final = 5


def orthogonal(matrices_N_R_C: torch.Tensor) -> torch.Tensor:
    """Return each matrix with its singular values moved close to 1 (Newton-Schulz, fifth order)."""
    first, second, third = COEFFICIENTS
    matrices_N_R_C = matrices_N_R_C / (matrices_N_R_C.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        gram_N_R_R = matrices_N_R_C @ matrices_N_R_C.mT
        mixed_N_R_R = second * gram_N_R_R + third * gram_N_R_R @ gram_N_R_R
        matrices_N_R_C = first * matrices_N_R_C + mixed_N_R_R @ matrices_N_R_C
    return matrices_N_R_C


class Muon(torch.optim.Optimizer):
    """Steps of orthogonalised momentum; matrices of one shape are worked out together."""

    def __init__(
        self,
        matrices: Iterable[torch.nn.Parameter],
        *,
        rate: float,
        momentum: float = 0.95,
        decay: float = 0.01,
    ) -> None:
        super().__init__(list(matrices), {"lr": rate, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[torch.nn.Parameter]] = defaultdict(list)
            for matrix in group["params"]:
                rows, columns = matrix.shape
                by_shape[min(rows, columns), max(rows, columns)].append(matrix)
            for matrices in by_shape.values():
                self._move(matrices, group["lr"], group["momentum"], group["decay"])

    def _move(self, matrices: list[torch.nn.Parameter], rate: float, momentum: float, decay: float) -> None:
        wide = torch.stack([_wide(self._direction(matrix, momentum)) for matrix in matrices])
        scale = 0.2 * wide.shape[-1] ** 0.5
        for matrix, move in zip(matrices, orthogonal(wide), strict=True):
            matrix.mul_(1 - rate * decay)
            matrix.add_(move if move.shape == matrix.shape else move.mT, alpha=-rate * scale)

    def _direction(self, matrix: torch.nn.Parameter, momentum: float) -> torch.Tensor:
        """Return Nesterov's momentum for one matrix."""
        gradient = matrix.grad
        if gradient is None:
            raise ValueError("Muon was given a matrix without a gradient.")
        average = self.state[matrix].setdefault("average", torch.zeros_like(matrix))
        average.lerp_(gradient, 1 - momentum)
        return gradient.lerp(average, momentum)


def _wide(matrix: torch.Tensor) -> torch.Tensor:
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
