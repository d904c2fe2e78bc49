"""What each row has to say about the parameters: its score, and the derivatives of the score by the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.losses import Loss
from descend.starts.search import sampled

if TYPE_CHECKING:
    from descend.results.fit import Fit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """The rows of a fit, at its parameters. Rows of weight 0 are left out: they count for nothing.

    y, score, omega: (rows,) response, what the loss works on, and row weight (1 if there are none).
    jacobian: (rows, p) derivatives of the score. loss: that of these rows, whose own columns it knows.
    places: where they are among the rows that the fit keeps.
    """

    y: Array
    score: Array
    jacobian: Array
    omega: Array
    loss: Loss
    places: slice | NDArray[np.intp] = field(default_factory=lambda: slice(None))


def refuse_without_data(fit: Fit, what: str) -> None:
    """Refuse to recompute from rows that a loaded fit does not have."""
    if fit.kept is None:
        raise ConfigError(
            f"This fit was loaded from a file, without its data, so it has no {what}. Fit again to get them."
        )


def row_weights(fit: Fit) -> Array:
    """Return (rows,) the weight of each row that is kept, 1 if there are none."""
    assert fit.kept is not None
    omega = fit.kept.rows.omega
    return np.ones(fit.kept.rows.count) if omega is None else omega


def weighted(fit: Fit) -> bool:
    """Whether the rows of a fit that has its data have weights."""
    assert fit.kept is not None
    return fit.kept.rows.omega is not None


def counted_rows(
    fit: Fit, most: int | None = None, together: int = 1, instead: Mapping[str, Array] | None = None
) -> Rows:
    """Return the rows that count, at the parameters of a fit that has its data; a sample of ``most`` of more rows.

    together: how many neighbours are taken at a time, for what depends on the order of the rows. instead: other values
    of some columns.
    """
    refuse_without_data(fit, "residuals")
    assert fit.kept is not None
    columns, omega = fit.kept.columns, row_weights(fit)
    places: slice | NDArray[np.intp] = slice(None)
    if instead:
        columns = {**columns, **instead}
    if most is not None and len(omega) > most:
        places = sampled(len(omega), most, together)
        omega, columns = omega[places], {name: column[places] for name, column in columns.items()}
    score, jacobian = fit.model.scores_and_jacobian(fit.theta, columns)
    y = fit.model.observed(columns)
    counting = omega > 0.0
    own = {name: columns[name][counting] for name in fit.loss_function.own_columns}
    loss = fit.loss_function.given(own, fit.parameters)
    if counting.all():
        return Rows(y, score, jacobian, omega, loss, places)
    places = np.flatnonzero(counting) if isinstance(places, slice) else places[counting]
    return Rows(y[counting], score[counting], jacobian[counting], omega[counting], loss, places)
