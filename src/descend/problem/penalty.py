"""Penalties on the size of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula import Formula
from descend.formula.symbols import Parameter
from descend.models import Model

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Penalty:
    """l2 * theta**2 + l1 * |theta|, summed over the parameters; one factor per component."""

    l1: Array
    l2: Array

    @property
    def has_l1(self) -> bool:
        return bool(self.l1.any())


def penalty_of(model: Model, l1: float, l2: float) -> Penalty:
    """Spread the penalties over the components, leaving out parameters of the loss and intercepts, merely added.

    These are added to the prediction, or to what is linear in all parameters and inside a function, as in exp(a + b*x).
    """
    factors = np.ones(model.parameters.size)
    for name in model.loss.own_parameters:
        factors[model.parameters.slices[name]] = 0.0
    if (symbolic := model.of_one_class) is not None:
        for name in _merely_added(symbolic.formula, symbolic.linear_predictor):
            factors[model.parameters.slices[name]] = 0.0
    return Penalty(l1 * factors, l2 * factors)


@lru_cache(maxsize=128)
def _merely_added(formula: Formula, inside: Expr | None) -> tuple[str, ...]:
    """Return the parameters that are added to the prediction, or to what is linear in all parameters and inside it."""
    slopes = {symbol: slope if inside is None else inside.diff(symbol) for symbol, slope in formula.jacobian.items()}
    return tuple(
        symbol.name
        for symbol, added in slopes.items()
        if isinstance(symbol, Parameter) and added.is_number and added != 0
    )
