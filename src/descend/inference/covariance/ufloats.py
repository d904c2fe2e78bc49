"""Parameters and quantities as correlated values of the uncertainties package, to compute on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.inference.covariance.standard_errors import flat_errors
from descend.inference.estimates import Estimates
from descend.inference.quantities.quadrature import UndefinedError
from descend.inference.quantities.reading import read_quantity

if TYPE_CHECKING:
    from uncertainties import UFloat

    from descend.inference.quantities.estimate import Estimated

Array = NDArray[np.float64]
MOST = 2_000
"""Most parameters of which a matrix of correlations is taken apart."""
NOT_INSTALLED = (
    'Correlated values need the package uncertainties, which is not installed: pip install "descend[uncertainties]".'
)


def correlated_values(estimates: Estimates, quantities: Mapping[str, Estimated]) -> dict[str, Any]:
    """Return parameters and quantities by name as ``ufloat``: numbers that carry their errors and correlations along.

    The free parameters theta with covariance V are ``uncertainties.correlated_values``; what is tied to them, and a
    quantity q, follow to first order, q(theta) + dq/dtheta (theta' - theta), so that all are correlated as they are. A
    fixed parameter has no error, and one that the data do not determine has NaN.

    Raises ConfigError where the package is missing, there is no covariance, or there are very many parameters.
    """
    try:
        import uncertainties
    except ModuleNotFoundError:
        raise ConfigError(NOT_INSTALLED) from None
    covariance, model = estimates.needed_covariance(), estimates.model
    if not isinstance(covariance, np.ndarray) or len(covariance) > MOST:
        raise ConfigError(
            f"Correlated values of {model.parameters.size:,} parameters are too many: their correlations are a matrix, "
            f"and of more than {MOST:,} it is not made. Take a quantity of those that you need: fit.quantity(...)."
        )
    held, shapes = model.constraints, model.every_parameter
    errors = flat_errors(model, estimates.theta, covariance, estimates.undetermined)
    rows = np.eye(estimates.theta.size) if held is None else held.jacobian(estimates.theta)
    values = estimates.theta if held is None else shapes.flat(held.complete(model.parameters.named(estimates.theta)))
    free = _free(uncertainties, estimates, covariance)
    values_with_errors = []
    for label, value, error, row in zip(shapes.labels, values.tolist(), errors.tolist(), rows, strict=True):
        open_ = np.isnan(error) and row.any()
        values_with_errors.append(
            uncertainties.ufloat(value, np.nan, label) if open_ else _along(uncertainties, value, row, free)
        )
    named: dict[str, object] = {}
    for name, theta in shapes.slices.items():
        array = np.array(values_with_errors[theta], dtype=object)
        named[name] = array[0] if shapes.shapes[name] is None else shapes.shaped(name, array)
    return named | {name: _quantity(uncertainties, each, estimates, free) for name, each in quantities.items()}


def _free(uncertainties: ModuleType, estimates: Estimates, covariance: Array) -> list[UFloat | float]:
    """Return the free parameters as correlated values; plain numbers where no error is known."""
    labels = estimates.model.parameters.labels
    known_variances = np.isfinite(covariance.diagonal()) & (covariance.diagonal() > 0.0)
    known_variances &= ~np.isin(labels, estimates.undetermined)
    correlated: list[UFloat | float] = estimates.theta.tolist()
    places = np.flatnonzero(known_variances)
    if places.size:
        values = uncertainties.correlated_values(estimates.theta[places], covariance[np.ix_(places, places)])
        for known_place, value in zip(places.tolist(), values, strict=True):
            correlated[known_place] = value
    return correlated


def _along(uncertainties: ModuleType, value: float, gradient: Array, free: Sequence[UFloat | float]) -> UFloat:
    """Return what follows from the free parameters to first order."""
    total: UFloat | float = value
    for component in np.flatnonzero(gradient).tolist():
        total = total + gradient[component] * (free[component] - getattr(free[component], "n", free[component]))
    if isinstance(total, float):  # a constant: a ufloat without an error would warn
        total = uncertainties.core.AffineScalarFunc(total, uncertainties.core.LinearCombination({}))
    return total


def _quantity(uncertainties: ModuleType, estimated: Estimated, estimates: Estimates, free: Sequence[UFloat]) -> UFloat:
    try:
        value, gradient = read_quantity(estimated.text, estimates.model).with_gradient(estimates.theta)
    except UndefinedError:
        return uncertainties.ufloat(np.nan, np.nan, estimated.name)
    open_labels = np.isin(estimates.model.parameters.labels, estimates.undetermined)
    if gradient[open_labels].any() or (np.isnan(estimated.standard_error) and gradient.any()):
        return uncertainties.ufloat(value, estimated.standard_error, estimated.name)
    return _along(uncertainties, value, gradient, free)
