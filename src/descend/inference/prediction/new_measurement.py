"""How much one more measurement scatters, where a number or an expression says so for any row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.formula.computed_column import PREDICTION, Computed, computed_anywhere
from descend.formula.equations import columns_of_each, is_by_response
from descend.inference.estimates import Estimates
from descend.models import Model

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """The variance of one more measurement, as sigma or weights that are computed have it.

    computed: sigma, or the weight, of any row. of_sigma: which of them it is. unit: the variance at weight 1; 1 with
    sigma. response: the column that is predicted; empty if the left side of the formula is no plain column.
    """

    computed: Computed
    of_sigma: bool
    unit: float
    response: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a new row needs for it."""
        return tuple(name for name in self.computed.columns if name not in (PREDICTION, self.response))

    def share(self, columns: Mapping[str, Array], prediction: Array, response: Array | None = None) -> Array:
        """Return the variance of a measurement in each row, divided by ``unit``, (rows,).

        response: what was measured, NaN where it is not known: the prediction stands for it.
        """
        value = self.computed.over(self.known(columns, prediction, response), len(prediction))
        return value * value if self.of_sigma else 1.0 / value

    def known_in(self, other_columns: Collection[str], *more: str) -> bool:
        """Whether inputs of these names say all that it needs."""
        return set(self.inputs) <= {*other_columns, *more}

    def known(
        self, columns: Mapping[str, Array], prediction: Array, response: Array | None = None
    ) -> Mapping[str, Array]:
        """Return the columns with what stands for the prediction and the response."""
        responses = prediction if response is None else np.where(np.isfinite(response), response, prediction)
        return {PREDICTION: prediction, self.response: responses, **{name: columns[name] for name in self.inputs}}


def measurement_of(estimates: Estimates, names: Collection[str] = ()) -> Measurement | None:
    """Return the variance of one more measurement; None where no sigma or weight is computed.

    names: the columns of the new rows, which come first.
    """
    text = estimates.sigma or estimates.weights
    computed = None if text is None or text in names else computed_anywhere(text)
    if computed is None or (estimates.sigma is None and estimates.deviation is None and estimates.dispersion is None):
        return None
    unit = 1.0 if estimates.deviation is None or estimates.sigma is not None else estimates.deviation**2
    return Measurement(computed, estimates.sigma is not None, unit, _plain_response(estimates.model))


def planned_measurement(estimates: Estimates, sigma: float | None) -> Measurement | None:
    """Return the same for a measurement whose ``sigma`` may be given; None if it is, or errors are not normal."""
    return measurement_of(estimates) if sigma is None and estimates.model.loss.quadratic else None


def even_variance(estimates: Estimates, sigma: float | None, measurement: Measurement | None) -> float | None:
    """Return the variance of a measurement of weight 1 where it is the same anywhere; None if it is not known."""
    if sigma is not None:
        return sigma**2
    alike = measurement is None and estimates.sigma is None
    return estimates.deviation**2 if alike and estimates.deviation is not None else None


def columns_needed(
    model: Model, spread: str | None, interval: str | None, names: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the columns that a prediction with this interval reads; those of ``spread``, the sigma or weight, last.

    names: the columns of the new rows, where they are known.
    """
    if interval != "prediction" or spread is None:
        return model.needed_inputs
    computed = None if spread in names else computed_anywhere(spread)
    columns_added: tuple[str, ...] = (spread,)
    if computed is not None:
        columns_added = Measurement(computed, True, 1.0, _plain_response(model)).inputs
    elif spread not in names and is_by_response(spread):
        columns_added = columns_of_each(spread)
    return (*(name for name in model.needed_inputs if name not in columns_added), *columns_added)


def _plain_response(model: Model) -> str:
    return model.response if model.response in model.response_columns else ""
