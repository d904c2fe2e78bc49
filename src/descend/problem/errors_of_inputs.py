"""Inputs that have errors, too: where that means nothing, and what is to be said of the size of errors."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from descend.errors import ConfigError
from descend.gradients.contract import Summand
from descend.models import Model
from descend.options.request import Request
from descend.table.rows import Rows
from descend.wording import spell


def notes_of_inexact(model: Model, code: Summand, rows: Rows) -> Iterator[str]:
    """Say what is taken for the errors of a response, and from how many rows their common scale is estimated.

    With n rows of q responses and p parameters the costs at the minimum add up to s**2 (nq - p) on average, of which
    ODRPACK makes an estimate of s**2 by n - p: too large by their ratio.
    """
    several = model.formula is not None and bool(model.formula.parts)
    if rows.roles.spread is None and model.response_columns and not several:
        yield (
            f"the errors of `{model.response}` are taken as 1, in its unit, beside those in `x_sigma`; if they are "
            "not, give `sigma` or `weights`"
        )
    if rows.roles.scale_known:
        return
    count, responses, size = code.counted(rows), rows.counting().count, model.parameters.size
    if count > size and responses > count:
        factor = math.sqrt((count - size) / (responses - size))
        yield (
            f"the size of the errors is estimated from {count:,} rows less {size} parameters, as in ODRPACK; from all "
            f"{responses:,} responses less {size} the standard errors would be {factor:.3g} times these"
        )


def mean_square_of_inputs(model: Model, rows: Rows) -> float:
    """Return the mean of sum_k (x_k / sigma_k)**2: the size of J of a curve without response, were it at the origin."""
    squares = 0.0
    for name, sigma in model.inexact.items():
        errors = rows.columns[sigma] if isinstance(sigma, str) else np.full(rows.count, sigma)
        exact = errors == 0.0
        squares += float(np.square(np.where(exact, 0.0, rows.columns[name] / np.where(exact, 1.0, errors))).mean())
    return squares


def check_errors_of_inputs(model: Model, request: Request) -> None:
    """Raise ConfigError for errors of inputs that would count for nothing, and for a model that lacks them."""
    if request.x_sigma and not model.inexact:
        raise ConfigError(
            f"Errors of inputs need the derivatives of the prediction by them, and `{model}` is no formula that tells "
            f"them. Write it as a formula, or leave out {spell('x_sigma')}."
        )
    if not (model.response_columns or model.in_place or request.x_sigma or request.bare):
        first = (*model.inputs, "x")[0]
        raise ConfigError(
            f"`{model}` has no response: it holds between columns, which have errors. Say how large these are, such "
            f"as {spell('x_sigma', {first: 1})}, or write the column to predict on the left."
        )
