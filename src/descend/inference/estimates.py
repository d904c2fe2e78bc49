"""Estimates with their covariance: the basis of intervals and of the bands of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.accuracy.digits import errors_hold
from descend.inference.covariance.inverse_curvature import Covariance, Mask
from descend.inference.covariance.standard_errors import (
    Combinations,
    combinations_of,
    covariance_of,
    degrees_of_errors,
    kind_of_errors,
)
from descend.inference.determined import at_bound
from descend.inference.scatter_of_rows import Scatter, scatter_of
from descend.inference.statistics import degrees_of_freedom, dispersion_of, residual_standard_deviation
from descend.models import Model
from descend.wording import spell

Array = NDArray[np.float64]


NO_SANDWICH = (
    "Robust errors tell how estimates scatter from data set to data set, which priors do not. With priors there are "
    "those of the model."
)


@dataclass(frozen=True, eq=False)
class Estimates:
    """The estimates of a solution, or of a fit that was read from a file.

    covariance: (p, p) of the flat parameters; None where there is none, and ``why_none`` then says why. kind: of the
    covariance (see ``Fitted.covariance_of``). degrees: of freedom of the errors, infinite where their scale is known.
    undetermined, at_bound: labels. at_minimum: whether the errors can be trusted (see ``errors_hold``). weights, sigma:
    the names of these columns. dispersion: phi of the likelihood, if known. deviation: standard deviation of a
    measurement of weight 1, if known. combinations: what the data say of redundant parameters together; None where
    none is redundant.
    """

    model: Model
    theta: Array
    covariance: Covariance | None
    kind: str
    degrees: float
    undetermined: tuple[str, ...]
    at_bound: Sequence[str]
    at_minimum: bool
    why_none: str
    weights: str | None
    dispersion: float | None
    sigma: str | None
    deviation: float | None
    combinations: Combinations | None = None

    def needed_covariance(self) -> Covariance:
        """Return the covariance; raises ConfigError where there is none, and says why."""
        if self.covariance is None:
            raise ConfigError(self.why_none)
        return self.covariance

    def determine(self, gradients: Array) -> Mask:
        """Whether the data determine what has these derivatives by the parameters, (p,) or a row for each of several.

        Where the combinations are not known: whether it depends on no undetermined parameter.
        """
        if self.combinations is not None:
            return self.combinations.determine(gradients)
        open_places = [label in self.undetermined for label in self.model.parameters.labels]
        found: Mask = (gradients[..., open_places] == 0.0).all(axis=-1)
        return found

    @property
    def joint_covariance(self) -> Covariance | None:
        """The covariance of whatever the data ``determine``; that of the parameters where none is redundant."""
        return self.covariance if self.combinations is None else self.combinations.covariance

    def needed_joint_covariance(self) -> Covariance:
        """Return the covariance of whatever the data ``determine``; raises ConfigError where there is none."""
        return self.needed_covariance() if self.combinations is None else self.combinations.covariance


def refuse_robust(model: Model, kind: str | None) -> None:
    """Raise ConfigError for robust errors of several responses whose inputs have errors, which they share."""
    if kind not in (None, "", "model") and model.inexact and model.formula is not None and model.formula.parts:
        raise ConfigError(
            f"The errors {kind} take each response by itself, but those of a row share its true inputs. Use model, or "
            "the method profile."
        )


def estimates_of(solution: Solution, kind: str | None = None) -> Estimates:
    """Return the estimates of a solution. kind: of the standard errors; the usual one of the loss if not given.

    Raises ConfigError for sandwich errors beside priors or errors of inputs.
    """
    if kind not in (None, "model") and solution.objective.priors is not None:
        raise ConfigError(NO_SANDWICH)
    refuse_robust(solution.model, kind)
    kind = kind or kind_of_errors(solution)
    return Estimates(
        solution.model,
        solution.theta,
        covariance_of(solution, kind),
        kind,
        degrees_of_errors(solution, kind),
        solution.undetermined,
        at_bound(solution),
        errors_hold(solution),
        why_none(solution.model, solution.penalised, solution.outcome, degrees_of_freedom(solution)),
        solution.weights,
        dispersion_of(solution),
        *spread_of_one(solution.sigma, solution.weights, scatter_of(solution), residual_standard_deviation(solution)),
        combinations_of(solution, kind),
    )


def spread_of_one(
    sigma: str | None, weights: str | None, scatter: Scatter | None, deviation: float | None
) -> tuple[str | None, float | None]:
    """Return sigma, as a text that a number or a column is found by, and the deviation of a row of weight 1, if known.

    A covariance says how far a new row scatters only if all rows scatter alike.
    """
    if scatter is None or not scatter.known or sigma is not None or weights is not None:
        return sigma, deviation
    return None if scatter.deviation is None else repr(scatter.deviation), None


def why_none(model: Model, penalised: bool, outcome: Outcome, degrees: float | None) -> str:
    """Say why a fit has no standard errors, and what to do about it."""
    if model.in_place:
        return f"A {model.kind} has no standard errors: no curvature matrix is formed for it. Use a formula."
    if penalised:
        return (
            "There are no standard errors: a penalty pulls the parameters away from where the data put them, by an "
            f"unknown amount. Fit without {spell('l1')} and {spell('l2')}."
        )
    if outcome is Outcome.DIVERGED:
        return "There are no standard errors: the run diverged. Fit again, with the default optimizer or another start."
    if degrees is not None and degrees <= 0:
        return (
            f"There are no standard errors: {model.parameters.size} parameters leave nothing of as many rows to "
            "tell the size of the errors. Give more rows."
        )
    return (
        "There are no standard errors: the data do not determine each parameter by itself. "
        "Remove one, or give data that tell them apart."
    )
