"""The curvature of J where a module stands, without forming a matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.models.module_modes import undisturbed
from descend.stability.lanczos import lanczos

if TYPE_CHECKING:
    from descend.training.objective import ModuleObjective

Array = NDArray[np.float64]
SAMPLE = 1024
"""Rows that are enough to tell how curved J is."""
STEPS, CLOSE = 12, 1e-3
"""Steps of Lanczos' iteration, and the relative change of the largest eigenvalue at which it ends earlier."""
ROOM = 10**8
"""Numbers that its basis may hold."""


@dataclass(frozen=True)
class Ritz:
    """Eigenvalues, ascending, and eigenvectors (p, m) that Lanczos' iteration found; weights and gradient, flat."""

    values: Array
    vectors: Array
    gradient: Array
    theta: Array

    @property
    def largest(self) -> float | None:
        """The largest eigenvalue in absolute value; None if it is 0."""
        largest = float(np.abs(self.values).max())
        return largest if largest > 0.0 else None


def hessian(objective: ModuleObjective) -> Ritz | None:
    """Return eigenvalues of the Hessian H of J over a sample of rows, in training mode.

    Lanczos' iteration from the gradient g, which itself leans towards the directions in which J curves most. H v is the
    gradient of g'v: one pass backwards through the graph of g.

    None if J is straight here or not finite, or the module cannot be differentiated twice.
    """
    import torch

    trained = objective.model.parameters.trained
    rows = None
    if objective.rows > SAMPLE:
        rows = np.linspace(0, objective.rows - 1, SAMPLE).astype(np.intp)
    objective.modes.train()
    with undisturbed(objective.model.module), torch.enable_grad():
        inputs, y, weights = next(objective.engine.blocks(rows, whole=True))
        score = objective.model.score(inputs)
        value = objective.value(score, y, score - y)
        loss = value.mean() if weights is None else (value * weights).sum() / weights.sum()
        try:
            gradients = torch.autograd.grad(loss, trained, create_graph=True, materialize_grads=True)
            if not any(part.requires_grad for part in gradients):
                return None

            def product(vector: Array) -> Array:
                parts = _like(vector, trained)
                return _flat(torch.autograd.grad(gradients, trained, parts, retain_graph=True, materialize_grads=True))

            gradient = _flat(gradients)
            steps = min(STEPS, max(2, ROOM // gradient.size))
            values, vectors = lanczos(product, gradient, steps, CLOSE)
        except RuntimeError:
            return None
    if not (np.isfinite(values).all() and math.isfinite(float(np.abs(gradient).sum()))):
        return None
    return Ritz(values, vectors, gradient, _flat(trained))


def _flat(tensors: Any) -> Array:
    return np.concatenate([tensor.detach().cpu().double().numpy().ravel() for tensor in tensors])


def _like(vector: Array, tensors: list[Any]) -> list[Any]:
    """Cut a flat vector into tensors like these."""
    import torch

    parts, begin = [], 0
    for tensor in tensors:
        part = torch.from_numpy(vector[begin : begin + tensor.numel()]).reshape(tensor.shape)
        parts.append(part.to(device=tensor.device, dtype=tensor.dtype))
        begin += tensor.numel()
    return parts
