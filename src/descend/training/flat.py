"""J of a module as a function of one flat vector: to look at it elsewhere after a run, and leave no trace of that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.problem.point import Objective, Point
from descend.training.curvature import hessian
from descend.training.objective import ModuleEngine, ModuleObjective

if TYPE_CHECKING:
    from descend.models.module_weights import ModuleParameters

Array = NDArray[np.float64]


class Flat(Objective):
    """J of a module in evaluation mode, as an `Objective` over the numbers that are trained, (p,) in float64.

    It has no curvature matrix; ``largest_curvature`` finds its largest eigenvalue.
    """

    def __init__(self, objective: ModuleObjective) -> None:
        self.objective = objective
        self.rows = objective.rows
        self.trained = objective.model.parameters.trained

    def __call__(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Point:
        """Evaluate J and its gradient at ``theta``, over all rows or some."""
        self.load(theta)
        total = self.passed(rows, order > 0)
        gradient = None
        if order:
            parts = [np.zeros(part.numel()) if part.grad is None else numbers(part.grad) for part in self.trained]
            gradient = np.concatenate(parts)
        return Point(theta, float(total.item()), gradient, None, None, self, rows)

    def passed(self, rows: NDArray[np.intp] | None, backward: bool) -> Any:
        """Pass rows through the module as it is now."""
        self.objective.modes.evaluate()
        try:
            return self.objective.passed(rows, backward)
        finally:
            self.objective.modes.train()

    def load(self, theta: Array) -> None:
        """Write ``theta`` into the module."""
        import torch

        begin = 0
        with torch.no_grad():
            for tensor in self.trained:
                part = torch.from_numpy(np.array(theta[begin : begin + tensor.numel()]))
                tensor.copy_(part.reshape(tensor.shape))
                begin += tensor.numel()

    def with_rows(self, rows: ModuleEngine) -> Flat:
        """Return J of the same module over other rows."""
        return Flat(ModuleObjective(self.objective.model, rows, self.objective.modes))

    def on(self, chosen: NDArray[np.intp]) -> Flat:
        """Return J of the same module over some of the rows."""
        engine = self.objective.engine
        inputs, y, omega = engine._at(chosen)
        return self.with_rows(ModuleEngine(inputs, y, engine.rows.take(chosen), omega))

    def largest_curvature(self, theta: Array) -> float | None:
        """Return the largest |eigenvalue| of the Hessian at ``theta``; None if there is none."""
        self.load(theta)
        found = hessian(self.objective)
        return None if found is None else found.largest


def numbers(tensor: Any) -> Array:
    """Return a tensor as one flat array of float64."""
    flat: Array = tensor.detach().cpu().double().numpy().ravel().copy()
    return flat


def joined(tensors: list[Any]) -> Array:
    """Return tensors as one flat array of float64."""
    return np.concatenate([numbers(tensor) for tensor in tensors])


@contextlib.contextmanager
def aside(objective: ModuleObjective) -> Iterator[Flat]:
    """Look at a module elsewhere; afterwards it, and what its run knows about it, are as they were."""
    import torch

    parameters: ModuleParameters = objective.model.parameters
    changing = [*parameters.trained, *parameters.module.buffers()]
    before = [tensor.detach().clone() for tensor in changing]
    known = (parameters.present, objective.finite, objective._last)
    try:
        yield Flat(objective)
    finally:
        with torch.no_grad():
            for tensor, copy in zip(changing, before, strict=True):
                tensor.copy_(copy)
        parameters.present, objective.finite, objective._last = known
        objective.clear()
