"""Where the fit of a loss begins that is best approached by way of another: of censored responses, taken as exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.descent.solution import Solution, starts_at
from descend.errors import ConfigError, DescendError
from descend.losses import LEAST_SQUARES, Loss
from descend.options.request import Request
from descend.parameters.ties import mentioned


def started_as_if_exact(request: Request, loss: Loss, exact: Loss, fitted: Callable[[Request], Solution]) -> Request:
    """Return a request that starts where the fit of all responses as exact ones ends, and at the scale that it leaves.

    loss, exact: that of the request, and the one without censoring. fitted: fits a request to the same rows.
    Starts that the user gave for all parameters are kept if an optimizer was named, to watch its way.
    """
    own = sorted(set(loss.own_parameters) & mentioned(request.fix, request.ties, request.bounds))
    if own:
        raise ConfigError(
            f"`{own[0]}` is a parameter of the {loss.name} loss, which cannot be fixed, tied or bounded. Where it is "
            f"known, give it with {loss.known_by}."
        )
    starts_given = request.start or {}
    plain = request.on_the_way(
        loss=str(exact),
        start={name: value for name, value in starts_given.items() if name not in loss.own_parameters},
        near=True,
        second_look=False,
        notes=(),
    )
    if not request.polish and starts_given:
        plain = plain.but(epochs=0)
    # Of a robust loss, no noise may be found where half of the rows are fitted exactly.
    for simpler in (plain, plain.but(loss=LEAST_SQUARES)) if exact.estimated is not None else (plain,):
        try:
            first_fit = fitted(simpler)
        except DescendError:  # for the same reason the loss that was asked for refuses, by its own name
            continue
        break
    else:
        return request.but(second_look=False)
    start = starts_at(first_fit.model, first_fit.theta)
    rows = first_fit.problem.rows
    if loss.own_parameters:
        mean, y = first_fit.model.predict(first_fit.theta, rows.columns), first_fit.model.observed(rows.columns)
        own_start = loss.started(mean, y, np.ones(len(y)) if rows.omega is None else rows.omega)
        limits, why = loss.limits(own_start)
        if limits:
            bounds = request.bounds or ()
            bounds = (bounds,) if isinstance(bounds, str) else tuple(bounds)
            request = request.but(bounds=(*bounds, *limits), notes=(*request.notes, why))
        start |= own_start
    return request.but(start=start if request.polish else {**start, **starts_given}, second_look=False)
