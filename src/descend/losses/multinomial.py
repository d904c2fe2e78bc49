"""The multinomial loss: classes without an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from descend.losses.classes import Classes, softmax
from descend.losses.formulas import Array


@dataclass(frozen=True)
class Multinomial(Classes):
    """Negative log-likelihood of classes 0 to K - 1 without an order: the cross-entropy of softmax.

        P(y = k) = exp(s_k) / (1 + sum over j of exp(s_j)),   s_0 = 0

    Each class but the first, the reference, has a score s_k by the formula with parameters of its own, as in R's
    ``nnet::multinom``: under `species ~ w @ [x1, x2] + b` there are `w` and `b` for each species but one,
    differences of log-odds from it. The classes are in the order of their words or numbers; ``reference`` chooses
    another first one. `predict` returns the likeliest class. With two classes it is the logistic loss.
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 5; Boehning (1992), Ann. Inst. Statist. Math. 44,
    197-200.

    >>> Multinomial(levels="a, b, c").probabilities(np.log([[2.0, 1.0]]), {})
    array([[0.25, 0.5 , 0.25]])
    """

    name = "multinomial"
    aliases = "softmax multinom categorical categorical_cross_entropy multiclass mlogit"
    chinese = "多类别"
    advised_for = "several levels"
    convex = True
    per_class = True
    # Of two classes; of more the model of all scores knows them (see ``models.per_class``).
    value_text = "softplus(prediction) - y*prediction"
    slope_text = "sigmoid(prediction) - y"
    weight_text = "sigmoid(prediction)*sigmoid(-prediction)"

    @cached_property
    def plain(self) -> bool:
        return False

    def probabilities(self, score: Array, parameters: Mapping[str, float]) -> Array:
        return softmax(np.column_stack([np.zeros(len(score)), score]))
