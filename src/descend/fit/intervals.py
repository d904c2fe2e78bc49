"""Intervals of the parameters, whichever way they are found, and the quantiles they share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.module.model import ModuleModel
from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.fit.uncertainty import LIKELIHOODS
from descend.losses import Loss
from descend.registry import closest

if TYPE_CHECKING:
    from descend.fit.result import Fit

Array = NDArray[np.float64]
KINDS = ("model", "sandwich")
METHODS = ("t", "profile", "bootstrap", "sandwich")


class Intervals(dict[str, tuple[Any, Any]]):
    """Name -> (low, high), with arrays for a vector; an end that the data leave open is infinite.

    level: the share of data sets whose interval would hold the true value. method: one of METHODS.
    notes: what was noticed on the way, in sentences.
    """

    def __init__(self, fit: Fit, low: Array, high: Array, level: float, method: str, notes: Iterable[str] = ()) -> None:
        assert not isinstance(fit.model, ModuleModel)
        ends = (fit.model.parameters.named(low), fit.model.parameters.named(high))
        super().__init__({name: (ends[0][name], ends[1][name]) for name in fit.model.parameters.shapes})
        self.low, self.high, self.level, self.method, self.notes = low, high, level, method, tuple(notes)

    def plain(self) -> dict[str, list[Any]]:
        """Return name -> [low, high] as plain values, with None for an end that is open."""
        return {name: [_plain(low), _plain(high)] for name, (low, high) in self.items()}


def _plain(end: Any) -> Any:
    if np.ndim(end):
        return [_plain(part) for part in end]
    return float(end) if math.isfinite(end) else None


def t_intervals(fit: Fit, level: float, kind: str, method: str) -> Intervals:
    """Return estimate -+ quantile * standard error.

    The quantile is that of Student's t with the degrees of freedom of the fit; of the normal distribution where the
    scale is known, as it is with ``sigma`` and for the poisson and logistic losses.
    """
    covariance = fit.covariance_of(kind)
    if covariance is None:
        raise ConfigError(why_none(fit))
    reach = quantile(level, fit.error_degrees) * np.sqrt(covariance.diagonal())
    return Intervals(fit, fit.theta - reach, fit.theta + reach, level, method)


def quantile(level: float, degrees: float) -> float:
    """Return the number that |t| stays below with probability ``level``; degrees may be infinite."""
    from scipy import special

    upper = 0.5 + 0.5 * level
    return float(special.ndtri(upper) if math.isinf(degrees) else special.stdtrit(degrees, upper))


def checked_errors(kind: str | None, loss: Loss) -> str:
    """Return the kind of standard errors, empty for that of the loss; ConfigError if there is none of that kind."""
    if kind is None:
        return ""
    if kind not in KINDS:
        raise ConfigError(
            f"There are no standard errors of the kind `{kind}`.{closest(str(kind), KINDS)} Known: {', '.join(KINDS)}."
        )
    if kind == "model" and loss.name not in LIKELIHOODS:
        raise ConfigError(
            f"The {loss.name} loss is not the likelihood of a distribution, so its curvature alone tells no standard "
            "errors. Use sandwich."
        )
    return kind


def checked_level(level: Any) -> float:
    """Return a level of confidence; ConfigError unless it is a number between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise ConfigError(f"The level must be a number between 0 and 1, such as 0.95; it is {level!r}.")
    return float(level)


def checked_method(method: str, known: tuple[str, ...] = METHODS) -> str:
    """Return the way intervals are to be found; ConfigError if there is no such way."""
    if method not in known:
        raise ConfigError(
            f"There is no interval by `{method}`.{closest(str(method), known)} Known: {', '.join(known)}."
        )
    return method


def refuse_without_data(fit: Fit, what: str) -> None:
    """Refuse to recompute from rows that a loaded fit does not have."""
    if fit.kept is None:
        raise ConfigError(
            f"This fit was loaded from a file, without its data, so it has no {what}. Fit again to get them."
        )


def why_none(fit: Fit) -> str:
    """Say why a fit has no standard errors, and what to do about it."""
    if isinstance(fit.model, ModuleModel):
        return "A PyTorch module has no standard errors: no curvature matrix is formed for it. Use a formula."
    if fit.penalised:
        return (
            "There are no standard errors: a penalty pulls the parameters away from where the data put them, by an "
            "unknown amount. Fit without --l1 and --l2."
        )
    if fit.outcome is Outcome.DIVERGED:
        return "There are no standard errors: the run diverged. Fit again, with the default optimizer or another start."
    if fit.degrees_of_freedom is not None and fit.degrees_of_freedom <= 0:
        return (
            f"There are no standard errors: {fit.model.parameters.size} parameters leave nothing of as many rows to "
            "tell the size of the errors. Give more rows."
        )
    return (
        "There are no standard errors: the data do not determine each parameter by itself. "
        "Remove one, or give data that tell them apart."
    )
