"""Where the fit of censored responses begins: at that of the same values, taken as exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.descent.solution import Solution
from descend.losses import Loss
from descend.options.request import Request

LEAST = 1e-6
"""Least scale to begin with, as a share of that of the response about its mean."""


def started_as_if_exact(request: Request, loss: Loss, exact: Loss, fitted: Callable[[Request], Solution]) -> Request:
    """Return a request that starts where the fit of all responses as exact ones ends, and at the scale that it leaves.

    loss, exact: that of the request, and the one without censoring. fitted: fits a request to the same rows.
    Starts that the user gave for all parameters are kept if an optimizer was named, to watch its way.
    """
    plain = request.but(
        loss=str(exact), quantities=None, checkpoint=None, errors=None, bare=True, second_look=False, notes=()
    )
    if not request.polish and request.start:
        plain = plain.but(epochs=0)
    found = fitted(plain)
    start = dict(found.model.parameters.named(found.theta))
    for name in loss.own_parameters:
        rows = found.problem.rows
        mean, y = found.model.predict(found.theta, rows.columns), found.model.observed(rows.columns)
        omega = np.ones(len(y)) if rows.omega is None else rows.omega
        spread = exact.scale_of(np.full(len(y), y.mean()), y, omega)
        start[name] = max(exact.scale_of(mean, y, omega), LEAST * spread)
    return request.but(start={**start, **(request.start or {})} if not request.polish else start, second_look=False)
