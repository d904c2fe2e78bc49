"""The curvature of J where a module stands, without forming a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.models.module_weights import cut, joined
from descend.stability.lanczos import lanczos

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
STEPS, CLOSE = 12, 1e-3
"""Steps of Lanczos' iteration, and the relative change of the largest eigenvalue at which it ends earlier."""
ROOM = 10**8
"""Most numbers that the basis of the iteration may hold."""


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
        return float(np.abs(self.values).max()) or None


def hessian(loss: Callable[[], Tensor], weights: Sequence[Tensor]) -> Ritz | None:
    """Return eigenvalues of the Hessian H of a loss by weights.

    Lanczos' iteration from the gradient g, which itself tends to the directions in which J curves most. H v is the
    gradient of g'v: one pass backwards through the graph of g.

    None if J is straight here or not finite, or the module cannot be differentiated twice.
    """
    import torch

    try:
        gradients = torch.autograd.grad(loss(), weights, create_graph=True, materialize_grads=True)
        if not any(part.requires_grad for part in gradients):
            return None

        def product(vector: Array) -> Array:
            along = cut(vector, weights)
            return joined(torch.autograd.grad(gradients, weights, along, retain_graph=True, materialize_grads=True))

        gradient = joined(gradients)
        values, vectors = lanczos(product, gradient, min(STEPS, max(2, ROOM // gradient.size)), CLOSE)
    except RuntimeError:
        return None
    if not (np.isfinite(values).all() and math.isfinite(float(np.abs(gradient).sum()))):
        return None
    return Ritz(values, vectors, gradient, joined(weights))
