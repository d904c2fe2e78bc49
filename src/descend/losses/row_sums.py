"""What must be summed over rows, besides the loss, to compute the likelihood of a fit: once, wherever the rows are."""

from __future__ import annotations

from sympy import Expr, Integer

from descend.formula.symbols import OMEGA
from descend.losses.contract import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE, Array


def row_terms(loss: Loss, weighted: bool) -> tuple[Expr, ...]:
    """Return the terms to be summed, as expressions of RESPONSE and OMEGA; weighted: False if every omega is 1.

    They are those of the normaliser, and last the least loss of a row times its weight, where a dispersion is estimated
    by the deviance.
    """
    terms = tuple(row for _, row in loss.normaliser_terms(weighted) or () if not row.is_number)
    if loss.dispersion != "estimated" or loss.of_residual:
        return terms
    of_mean = loss.of_mean
    at_response: dict[Expr, Expr] = {PREDICTION: RESPONSE, RESIDUAL: Integer(0)}
    text = of_mean.saturated_text
    least = of_mean.read(text) if text else of_mean.expressions[0].xreplace(at_response)
    return (*terms, OMEGA * least if weighted else least)


def sum_over_rows(loss: Loss, term: Expr, y: Array, omega: Array) -> float:
    """Sum one of ``row_terms`` over the rows of a weight above 0."""
    counting = omega > 0.0
    return float(loss.of_rows(term, {RESPONSE: y[counting], OMEGA: omega[counting]}).sum())
