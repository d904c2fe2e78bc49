"""The curvature of J itself, where the logarithm of the prediction is linear in the parameters."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import lru_cache

from sympy import Expr, cancel

from descend.gradients.derived import Program
from descend.losses import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE


@lru_cache(maxsize=32)
def with_second_derivatives(program: Program) -> Program | None:
    """Return a program whose curvature is the matrix of second derivatives of J; None where it has that already.

    Of a prediction m = exp(s), s linear in the parameters, d2l/ds2 = m**2 l'' + m l', so that the weight of a row, the
    factor of (dm/dtheta)(dm/dtheta)', is

        l'' + l' / m

    where the usual one is the Fisher information, which a descent that goes by it approaches its minimum the slower
    the fewer rows there are for each parameter. Both are the same for counts.
    """
    value, slope, weight = program.loss.expressions
    first = slope.xreplace({RESIDUAL: PREDICTION - RESPONSE})
    exact = cancel(first.diff(PREDICTION) + first / PREDICTION)
    if cancel(exact - weight.xreplace({RESIDUAL: PREDICTION - RESPONSE})) == 0:
        return None
    return replace(program, loss=_weighed_by(program.loss, (value, slope, exact)))


def _weighed_by(loss: Loss, expressions: tuple[Expr, Expr, Expr]) -> Loss:
    loss_weighed = copy.copy(loss)
    loss_weighed.__dict__["expressions"] = expressions
    return loss_weighed
