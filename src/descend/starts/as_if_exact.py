"""Where the fit of censored responses begins: at that of the same values, taken as exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.descent.solution import Solution
from descend.errors import ConfigError, DataError
from descend.losses import Loss
from descend.options.request import Request
from descend.parameters.ties import mentioned
from descend.wording import spell

LEAST = 1e-6
"""Least scale to begin with, as a share of that of the response about its mean."""
EXACT = 1e-13
"""A scale below this share is rounding."""


def started_as_if_exact(request: Request, loss: Loss, exact: Loss, fitted: Callable[[Request], Solution]) -> Request:
    """Return a request that starts where the fit of all responses as exact ones ends, and at the scale that it leaves.

    loss, exact: that of the request, and the one without censoring. fitted: fits a request to the same rows.
    Starts that the user gave for all parameters are kept if an optimizer was named, to watch its way.
    """
    own = sorted(set(loss.own_parameters) & mentioned(request.fix, request.ties, request.bounds))
    if own:
        raise ConfigError(
            f"`{own[0]}` is a parameter of the {loss.name} loss, which cannot be fixed, tied or bounded. Where it is "
            f"known, give it with {spell('sigma')}."
        )
    given = request.start or {}
    plain = request.but(
        loss=str(exact),
        start={name: value for name, value in given.items() if name not in loss.own_parameters},
        quantities=None,
        checkpoint=None,
        errors=None,
        bare=True,
        second_look=False,
        notes=(),
    )
    if not request.polish and given:
        plain = plain.but(epochs=0)
    found = fitted(plain)
    start = dict(found.model.parameters.named(found.theta))
    for name in loss.own_parameters:
        rows = found.problem.rows
        mean, y = found.model.predict(found.theta, rows.columns), found.model.observed(rows.columns)
        omega = np.ones(len(y)) if rows.omega is None else rows.omega
        spread = exact.scale_of(np.full(len(y), y.mean()), y, omega)
        scale = exact.scale_of(mean, y, omega)
        if not scale > EXACT * spread:
            raise DataError(
                f"The formula fits every value of {found.source} exactly, so that no {name} can be estimated. Give one "
                f"with {spell('sigma')}, or use fewer parameters."
            )
        start[name] = max(scale, LEAST * spread)
    return request.but(start=start if request.polish else {**start, **given}, second_look=False)
