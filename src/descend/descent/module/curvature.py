"""The largest curvature of J where a module begins, without forming a matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.descent.module.modes import undisturbed

if TYPE_CHECKING:
    from descend.descent.module.objective import ModuleObjective

SAMPLE = 1024
"""Rows that are enough to tell how curved J is."""
ITERATIONS, CLOSE = 50, 1e-3


def largest_curvature(objective: ModuleObjective) -> float | None:
    """Return the largest |eigenvalue| of the Hessian H of J over a sample of rows, in training mode.

    Power iteration: v <- H v / |H v|, with |H v| tending to the eigenvalue. H v is the gradient of g'v, one pass
    backwards through the graph of the gradient g.

    None if it is zero (J is straight here), or the module cannot be differentiated twice.
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
            return _power_iteration(gradients, trained)
        except RuntimeError:
            return None


def _power_iteration(gradients: Any, trained: list[Any]) -> float | None:
    import torch

    # The gradient itself leans towards the directions in which J curves most; its own scale does not matter.
    length = math.sqrt(sum(float((part.detach() ** 2).sum()) for part in gradients))
    vector = (
        [part.detach() / length for part in gradients] if length > 0.0 else [torch.ones_like(part) for part in trained]
    )
    curvature = 0.0
    for _ in range(ITERATIONS):
        if not any(part.requires_grad for part in gradients):
            return None
        product = torch.autograd.grad(gradients, trained, vector, retain_graph=True, materialize_grads=True)
        before, curvature = curvature, math.sqrt(sum(float((part**2).sum()) for part in product))
        if not (math.isfinite(curvature) and curvature > 0.0):
            return None
        vector = [part / curvature for part in product]
        if abs(curvature - before) <= CLOSE * curvature:
            break
    return curvature
