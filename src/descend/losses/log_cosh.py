"""The log-cosh loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.contract import Loss


@dataclass(frozen=True)
class LogCosh(Loss):
    """A smooth version of the absolute loss: like r**2 / 2 near zero, like |r| - log 2 far away.

    With r = prediction - y: log(cosh(r)) = |r| + softplus(-2 |r|) - log 2, which cannot overflow;
    slope tanh(r); weight tanh(r) / r, that of reweighted least squares, which unlike 1 - tanh(r)**2 never rounds to 0.

    The crossover is at |r| of about 1, so scale y to unit noise.
    Source: Green (1990), IEEE Trans. Med. Imaging 9, 84-93.

    >>> import numpy as np
    >>> LogCosh().value(prediction=np.array([1000.0]), y=np.zeros(1)).round(4)
    array([999.3069])
    """

    name = "log_cosh"
    chinese = "对数双曲余弦"
    convex = True
    value_text = "where(abs(r) < 1, -log1p(-min(tanh(r)^2, 3/4))/2, abs(r) + log1p(exp(-2*abs(r))) - log(2))"
    slope_text = "tanh(r)"
    weight_text = "tanh(max(abs(r), 1e-9))/max(abs(r), 1e-9)"
    # 1 - tanh(r)^2 changes by no more than twice itself per unit of r.
    curvature_left_text = "exp(-2*moved)"
