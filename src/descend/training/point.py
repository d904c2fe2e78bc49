"""J of a PyTorch module and the norm of its gradient at one moment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.models.module_weights import Weights
from descend.training.curvature import Ritz
from descend.training.sums import Sums

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


class PassedAgain(Sums, Protocol):
    """J of a module, evaluated anew: see `ModuleObjective`, which is one."""

    @property
    def gradients(self) -> list[Tensor]:
        """The gradients of those trained parameters that the prediction depends on."""

    def descent(self, rows: NDArray[np.intp] | None) -> Tensor:
        """Return J over some rows in training mode, leaving its gradient in ``.grad``."""

    def __call__(self, theta: Weights, order: int = 1, rows: NDArray[np.intp] | None = None) -> ModulePoint:
        """Evaluate J at the present parameters."""


class Known(Protocol):
    """J and its gradient at a flat theta: see `ModuleEvaluation`, which is one."""

    theta: Array

    @property
    def loss(self) -> float: ...

    @property
    def gradient(self) -> Array: ...


class ModulePoint:
    """J and |dJ/dparameters| of a module at one moment; what a `TorchOptimizer` is given.

    The gradient itself lies in ``.grad`` of the parameters until the module runs again.
    """

    proximal = False
    curvature = None

    def __init__(self, theta: Weights, total: Tensor, objective: PassedAgain, rows: NDArray[np.intp] | None) -> None:
        self.theta, self.total, self.objective, self.rows = theta, total, objective, rows
        self.rate, self.run = 0.0, objective.runs
        self.lean, self.ended = False, ""
        self.measures: Mapping[str, float] | None = None
        self.promised = math.inf
        self._loss: float | None = None
        self.known_norm: float | None = None
        self.here: Known | None = None

    @classmethod
    def known(cls, theta: Weights, here: Known, objective: PassedAgain) -> ModulePoint:
        """Return a point where J and its gradient over all rows are known; ``.grad`` will hold the latter."""
        import torch

        objective.runs, objective.passes = objective.runs + 1, objective.passes + 1.0
        found = cls(theta, torch.tensor(here.loss, dtype=torch.float64), objective, None)
        found.here, found._loss, found.known_norm = here, here.loss, float(np.linalg.norm(here.gradient))
        objective.model.parameters.take_gradient(here.gradient)
        return found

    # Both wait for the device, so they are computed once, and in batches not at all.
    @property
    def loss(self) -> float:
        if self._loss is None:
            self._loss = self.total.item()
        return self._loss

    @property
    def norm(self) -> float:
        """Euclidean norm of the gradient over all trained parameters."""
        if self.known_norm is None:
            import torch

            gradients = self.objective.gradients
            norms = torch._foreach_norm(gradients) if gradients else ()
            self.known_norm = torch.linalg.vector_norm(torch.stack(norms)).item() if norms else 0.0
        return self.known_norm

    def reached(self, theta: Weights) -> None:
        """Return None: J at the end of a step is not known before the module has run there."""

    @property
    def excess(self) -> float:
        """The size of J, by which its changes are measured."""
        return abs(self.loss)

    # `Point` knows these from a curvature or from single rows, neither of which a module has.
    def curved(self) -> None:
        return None

    def held(self) -> bool:
        return False

    def remaining(self, scales: Array, first_loss: float, scale: float = 0.0) -> float:
        """Say how far the gradient is from zero, as a share of J: see `Point.remaining`, with s = 1."""
        if self.lean:
            return math.inf  # the gradient is that of the last batch
        reference = max(abs(self.loss), abs(first_loss - self.loss) * 1e-3, scale * 1e-8)
        if self.here is not None:
            largest = float(np.max(np.abs(self.here.gradient) * np.maximum(np.abs(self.here.theta), 1.0)))
        else:
            trained = self.objective.model.parameters.trained
            pairs = ((tensor.detach(), tensor.grad) for tensor in trained if tensor.numel())
            parts = (float((grad.abs() * at.abs().clamp(min=1.0)).max()) for at, grad in pairs if grad is not None)
            largest = max(parts, default=0.0)
        return largest / reference if reference > 0.0 else largest

    def closure(self) -> Tensor:
        """Leave the gradient of a training pass over these rows in ``.grad`` and return J, as ``torch.optim`` expects.

        The pass that made this point is reused if it was a training pass and nothing has run since.
        """
        objective = self.objective
        if self.run == objective.runs and (self.rows is not None or not objective.modes.differ):
            self.run = -1
            return self.total
        self.run = -1
        return objective.descent(self.rows)

    def hessian(self) -> Ritz | None:
        """Return eigenvalues of the Hessian of J over a sample of rows; None if there are none."""
        return self.objective.hessian()

    def largest_curvature(self) -> float | None:
        """Return the largest eigenvalue of that Hessian in absolute value; None if there is none."""
        found = self.hessian()
        return None if found is None else found.largest

    def descends(self, rate: float, signs: bool = False) -> bool:
        """Whether a step against the gradient, or against its signs, does not raise J; the module stays as it is."""
        import torch

        objective = self.objective
        objective(self.theta, 1)
        moves = [(tensor, tensor.detach().clone(), tensor.grad) for tensor in objective.model.parameters.trained]
        with torch.no_grad():
            for tensor, _, gradient in moves:
                if gradient is not None:
                    tensor.sub_(rate * (gradient.sign() if signs else gradient))
            loss = objective(self.theta, 0).loss
            for tensor, before, _ in moves:
                tensor.copy_(before)
        return loss <= self.loss
