"""The covariance of a fit's parameters, and the standard errors and correlations it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.module.model import ModuleModel
from descend.descent.outcome import Outcome
from descend.fit.intervals import checked_errors
from descend.fit.rows import refuse_without_data
from descend.fit.uncertainty import covariance, known_covariance, sandwich

if TYPE_CHECKING:
    from descend.fit.result import Fit

Array = NDArray[np.float64]


def covariance_of(fit: Fit, kind: str) -> Array | None:
    """Return the (p, p) covariance of a kind (see ``Fit.covariance_of``); that of a loaded fit is stored."""
    checked_errors(kind, fit.loss_function)
    if fit.evidence is not None:
        return _computed(fit, kind)
    if kind != fit.kind_of_errors:
        refuse_without_data(fit, f"{kind} errors")
    stored = fit.stored.get("covariance")
    return None if stored is None else np.array(stored, dtype=np.float64)


def _computed(fit: Fit, kind: str) -> Array | None:
    loss = fit.loss_function
    if fit.penalised or fit.outcome is Outcome.DIVERGED or isinstance(fit.model, ModuleModel):
        return None  # no curvature matrix is formed for a module
    assert fit.evidence is not None and fit.degrees_of_freedom is not None
    with np.errstate(all="ignore"):
        if kind == "sandwich":
            return sandwich(fit.counted_rows, loss, fit.degrees_of_freedom)
        point = fit.evidence.objective(fit.theta, 3)
        if loss.name == "squared" and fit.sigma is None:
            return covariance(point, fit.degrees_of_freedom)
        total = float(fit.counted_rows.omega.sum())
        return known_covariance(point, total, 2.0 if loss.name == "squared" else 1.0)


def standard_errors(fit: Fit) -> dict[str, Any] | None:
    """Return standard errors by name (see ``Fit.standard_errors``)."""
    if fit.covariance is None or isinstance(fit.model, ModuleModel):
        return None
    if fit.constraints is not None:
        return fit.constraints.standard_errors(fit.theta, fit.covariance)
    errors = np.sqrt(fit.covariance.diagonal())
    errors[[label in fit.undetermined for label in fit.model.parameters.labels]] = np.nan
    return fit.model.parameters.named(errors)


def correlation(fit: Fit) -> Array | None:
    """Return the (p, p) correlation of the flat parameters; None where there is no covariance."""
    if fit.covariance is None:
        return None
    errors = np.sqrt(fit.covariance.diagonal())
    with np.errstate(all="ignore"):
        return fit.covariance / errors / errors[:, None]
