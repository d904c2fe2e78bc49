"""The logistic loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.bernoulli import Bernoulli, Outcomes
from descend.losses.contract import Loss


@dataclass(frozen=True)
class Logistic(Outcomes):
    """Negative log-likelihood of outcomes 0 or 1 (or shares between) whose probability is sigmoid(score).

    With the score s: softplus(s) - y s; slope sigmoid(s) - y; weight sigmoid(s) sigmoid(-s).

    The formula gives the score (log-odds): `y ~ a + b*x`. If its outermost function is `sigmoid`, however written, it
    gives the probability, and the loss works on what is inside: `y ~ sigmoid(a + b*x)` is the same model. Another
    formula that stays between 0 and 1, such as `y ~ c + (1 - c)*sigmoid(a + b*x)`, is a probability too: it is fitted
    by `Bernoulli`, and a note says so. `predict` returns probabilities in all cases.
    Source: Cox (1958), J. R. Stat. Soc. B 20, 215-242.

    >>> import numpy as np
    >>> Logistic().slope(prediction=np.array([0.0, 0.0]), y=np.array([0.0, 1.0]))
    array([ 0.5, -0.5])
    """

    name = "logistic"
    aliases = "bce cross_entropy crossentropy log_loss logloss logit"
    chinese = "逻辑损失（是或否）"
    advised_for = "two levels"
    modules = "BCELoss BCEWithLogitsLoss"
    value_text = "softplus(prediction) - y*prediction"
    slope_text = "sigmoid(prediction) - y"
    weight_text = "sigmoid(prediction)*sigmoid(-prediction)"
    link = "sigmoid"
    convex = True
    certain = 1e-12
    # p (1 - p) changes by no more than itself per unit of the score.
    curvature_left_text = "exp(-moved)"

    @property
    def of_mean(self) -> Loss:
        """The loss whose prediction is the probability."""
        return Bernoulli()
