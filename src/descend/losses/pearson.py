"""Squared residuals over their variance, for the dispersion of a likelihood."""

from __future__ import annotations

import dataclasses
from functools import cached_property

from sympy import Expr, Integer

from descend.losses.contract import Loss
from descend.losses.formulas import MEAN, PREDICTION, RESPONSE


@dataclasses.dataclass(frozen=True)
class Pearson(Loss):
    """The square of each residual over its variance under another loss, at a dispersion of 1; never fitted itself.

    >>> import numpy as np
    >>> from descend.losses import Poisson
    >>> Pearson(Poisson()).value(np.array([4.0]), np.array([6.0]))
    array([1.])
    """

    of: Loss

    name = "pearson"

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        """Value, slope, and a placeholder for the weight."""
        variance = self.of.read(f"max({self.of.variance_text}, 1e-300)").xreplace({MEAN: PREDICTION})  # 0 where certain
        value = (PREDICTION - RESPONSE) ** 2 / variance
        return value, value.diff(PREDICTION), Integer(1)
