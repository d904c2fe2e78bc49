"""Products of the curvature of J of a module with vectors, where a matrix of it is never formed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from descend.losses.curved_rows import CurvedRows
from descend.models.module_weights import cut, joined
from descend.training.jacobian import RowJacobian

if TYPE_CHECKING:
    from torch import Tensor

    from descend.losses.curved_rows import Terms

Array = NDArray[np.float64]
Part: TypeAlias = "tuple[Tensor, Tensor, tuple[Tensor, ...], Terms, Tensor]"
"""Scores, u, J'u, the terms of some rows and their shares."""
PROBES = 8
"""Random signs of the rows from which the diagonal of a curvature is estimated that is never formed."""


class Rows(Protocol):
    """The rows of a module, and how their scores are had: see `Surface`, which is one."""

    trained: Sequence[Tensor]
    jacobian: RowJacobian
    loss: CurvedRows
    size: int

    @property
    def count(self) -> int:
        """The number of rows."""

    def parts(self, rows: NDArray[np.intp] | None) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield inputs, y and the share of each row in J."""


class Graphs:
    """Products of the curvature with vectors: forward by differentiating J'u by u, then backward."""

    def __init__(self, theta: Array, surface: Rows, rows: NDArray[np.intp] | None) -> None:
        self.surface, self.rows = surface, rows
        # Copies: the module itself moves on while these graphs are in use.
        self.trained = [part.requires_grad_() for part in cut(theta, surface.trained)]
        self.weights = dict(zip(surface.jacobian.trained, self.trained, strict=True))
        self.kept: list[Part] = []

    def parts(self) -> Iterator[Part]:
        """Yield scores, u, J'u, the terms of the rows and their shares, with their graphs."""
        import torch

        if self.kept:
            yield from self.kept
            return
        surface = self.surface
        with torch.enable_grad():
            for inputs, y, share in surface.parts(self.rows):
                scores = surface.jacobian.scores(self.weights, inputs)
                dual = torch.zeros_like(scores, requires_grad=True)
                backward = torch.autograd.grad(scores, self.trained, dual, create_graph=True, materialize_grads=True)
                part = (scores, dual, backward, surface.loss.terms(scores.detach().double(), y), share)
                if len(inputs) == (surface.count if self.rows is None else len(self.rows)):
                    self.kept = [part]
                yield part

    def product(self, vector: Array) -> Array:
        """Return C v."""
        import torch

        total = np.zeros_like(vector)
        for scores, dual, backward, terms, share in self.parts():
            along = cut(vector, self.trained)
            (change,) = torch.autograd.grad(backward, dual, along, retain_graph=True, materialize_grads=True)
            curved = share[:, None] * terms.curved(change.double())
            total += joined(
                torch.autograd.grad(
                    scores, self.trained, curved.to(scores.dtype), retain_graph=True, materialize_grads=True
                )
            )
        return total

    def diagonal(self) -> Array:
        """Estimate the diagonal of C: the mean of (J'B v)**2 over random signs v of the rows.

        Source: Hutchinson (1990), Commun. Stat. Simul. 19, 433-450.
        """
        import torch

        random = torch.Generator().manual_seed(0)
        total: Array = np.zeros(self.surface.size)
        for _ in range(PROBES):
            summed: Array = np.zeros(self.surface.size)
            for scores, _, _, terms, share in self.parts():
                signs = torch.randint(0, 2, scores.shape, generator=random).to(scores.device).double() * 2.0 - 1.0
                weighted = share.sqrt()[:, None] * terms.spread(signs)
                summed += joined(
                    torch.autograd.grad(
                        scores, self.trained, weighted.to(scores.dtype), retain_graph=True, materialize_grads=True
                    )
                )
            total += summed**2
        return total / PROBES
