"""Steps that a script takes itself, without an optimizer: w = w - rate * gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.doctor.run import Leaf, Run

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 1_000_000
"""Largest tensor, in numbers, whose steps by hand are followed."""


class ByHand:
    """Keeps the values and gradients of leaves that no optimizer holds, and detects whether the script moves them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.kept: dict[int, tuple[Leaf, Tensor, Tensor]] = {}

    def keep(self, received: list[Leaf]) -> None:
        """Remember the leaves that a backward pass has just reached."""
        for leaf in received:
            if not leaf.optimizers and leaf.tensor.numel() <= LARGEST:
                gradient = leaf.tensor.grad
                if gradient is not None and not gradient.is_sparse:
                    self.kept[id(leaf.tensor)] = (leaf, leaf.tensor.detach().clone(), gradient.detach().clone())

    def moved(self) -> list[Leaf]:
        """Return the leaves that have moved since; the rate of a step along the gradient is kept in the run."""
        import torch

        moved = []
        for leaf, value, gradient in self.kept.values():
            if leaf.optimizers or torch.equal(leaf.tensor.detach(), value):
                continue
            leaf.moved = True
            moved.append(leaf)
            step, slope = (value - leaf.tensor.detach()).double().flatten(), gradient.double().flatten()
            along, size = float(step @ slope), float(slope @ slope)
            straight = 0.999 * size**0.5 * float(step @ step) ** 0.5
            if size > 0.0 and along > straight:
                self.run.by_hand_rate = along / size
            elif size > 0.0 and -along > straight:
                leaf.upwards += 1
        self.kept.clear()
        return moved
