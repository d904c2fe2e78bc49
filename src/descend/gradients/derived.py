"""The gradient derived from the formula, symbolically."""

from __future__ import annotations

from functools import lru_cache

from descend.formula.formula import Formula
from descend.gradients.contract import Program
from descend.losses import Loss
from descend.models.formula import score_slopes
from descend.parameters import Parameters


@lru_cache(maxsize=128)
def derived(formula: Formula, loss: Loss) -> Program:
    """Derive everything an engine sums for ``formula`` under ``loss``.

    With score s(theta), loss l(s, y) and row weights omega:
        J = sum omega l / sum omega,   dJ/dtheta_k = sum omega l'(s, y) ds/dtheta_k / sum omega
    so only the score is differentiated here; the loss brings its own slope l'.
    """
    score = loss.score(formula.expression)
    parameters, found = Parameters(formula.parameters), score_slopes(formula, loss)
    return Program(formula, loss, parameters, score, found, more_columns=loss.own_columns)
