"""The logistic loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from descend.losses.contract import Loss


@dataclass(frozen=True)
class Logistic(Loss):
    """Negative log-likelihood of outcomes 0 or 1 (or shares between) whose probability is sigmoid(score).

    With the score s: softplus(s) - y s; slope sigmoid(s) - y; weight sigmoid(s) sigmoid(-s).

    The formula gives the score (log-odds): `y ~ a + b*x`. If its outermost function is `sigmoid` it gives the
    probability, and the loss works on what is inside: `y ~ sigmoid(a + b*x)` is the same model. `predict` returns
    probabilities either way.
    Source: Cox (1958), J. R. Stat. Soc. B 20, 215-242.

    >>> import numpy as np
    >>> Logistic().slope(prediction=np.array([0.0, 0.0]), y=np.array([0.0, 1.0]))
    array([ 0.5, -0.5])
    """

    name: ClassVar[str] = "logistic"
    value_text: ClassVar[str] = "softplus(prediction) - y*prediction"
    slope_text: ClassVar[str] = "sigmoid(prediction) - y"
    weight_text: ClassVar[str] = "sigmoid(prediction)*sigmoid(-prediction)"
    link: ClassVar[str | None] = "sigmoid"
    certain: ClassVar[float] = 1e-12
    fisher: ClassVar[bool] = True
    response_domain: ClassVar[tuple[str, str] | None] = ("y >= 0 and y <= 1", "0, 1 or a share between them")
