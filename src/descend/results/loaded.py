"""A fit that was read from a model file: it answers what the file holds, and says what needs the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from descend.descent.outcome import Outcome
from descend.descent.solution import Named, Solution
from descend.diagnosis import Cause, Diagnosis
from descend.errors import ConfigError
from descend.inference.covariance.correlation import Correlation
from descend.inference.covariance.inverse_curvature import Covariance
from descend.inference.covariance.standard_errors import Combinations, errors_by_name, usual_kind
from descend.inference.estimates import Estimates, spread_of_one, why_none
from descend.inference.goodness.chi_square import Goodness
from descend.inference.goodness.likelihood import Criteria
from descend.inference.goodness.penalty_path import PenaltyPath
from descend.inference.rows.outliers import Outliers
from descend.inference.scatter_of_rows import Scatter
from descend.optimizers.curvature import matrix_of
from descend.results.fit import Fit
from descend.results.model_file import Content

if TYPE_CHECKING:
    from descend.inference.priors.weights import PriorWeight
    from descend.inference.quantities.estimate import Estimated

Value = TypeVar("Value")
NO_ROOM = (
    "There is no covariance in the file, as it holds very many fits. Fit the rows of the group by themselves, and save "
    "that fit."
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LoadedFit(Fit):
    """A fit without its data and its steps.

    _content: what the model file holds. _origin: how it came to be without its data.
    """

    _content: Content
    _origin: str = "was loaded from a file"
    solution: None = None

    @property
    def diagnosis(self) -> Diagnosis:
        """Why the run failed or fell short, as far as the file says."""
        cause = self._content.get("cause")
        return Diagnosis(None if cause is None else Cause(cause), self._content.get("evidence") or {})

    def _inferred(self, name: str, function: Callable[[Solution], Value]) -> Value:
        answer: Any = ANSWERS[name](self) if name in ANSWERS else self._content.get(name)
        return answer  # type: ignore[no-any-return]

    def estimates(self, kind: str | None = None) -> Estimates:
        if kind not in (None, self.kind_of_errors):
            self._solved(f"it has no {kind} errors. Fit again to get them.")
        return Estimates(
            self.model,
            self.theta,
            self.covariance,
            self.kind_of_errors,
            self.error_degrees,
            self.undetermined,
            self.at_bound,
            self.at_minimum,
            NO_ROOM
            if self._content.get("standard_errors")
            else why_none(self.model, self.penalised, self.outcome, self.degrees_of_freedom),
            self.weights,
            self.dispersion,
            *spread_of_one(self.sigma, self.weights, self.scatter, self.residual_standard_deviation),
            _combinations(self),
        )

    def _solved(self, otherwise: str, without: str = "data") -> NoReturn:
        raise ConfigError(f"This fit {self._origin}, without its {without}, so {otherwise}")


def _covariance(fit: LoadedFit) -> Covariance | None:
    covariance_saved = fit._content.get("covariance")
    if isinstance(covariance_saved, dict):
        from descend.inference.covariance.arrow import restored

        return restored(covariance_saved)
    return None if covariance_saved is None else np.array(covariance_saved, dtype=np.float64)


def _combinations(fit: LoadedFit) -> Combinations | None:
    saved = fit._content.get("combinations")
    if not saved:
        return None
    return Combinations(*(np.array(saved[name], dtype=np.float64) for name in ("directions", "covariance")))


def _correlation(fit: LoadedFit) -> Correlation | None:
    correlation = matrix_of(fit.covariance)
    return None if correlation is None else Correlation.of_covariance(correlation, fit.model.parameters.labels)


def _standard_errors(fit: LoadedFit) -> Named | None:
    covariance, errors_saved = fit.covariance, fit._content.get("standard_errors")
    if fit.model.in_place:
        return None
    if covariance is None and errors_saved:  # one of many fits, whose file has no room for the covariances
        return {name: np.array(value, dtype=np.float64)[()] for name, value in errors_saved.items()}
    return None if covariance is None else errors_by_name(fit.model, fit.theta, covariance, fit.undetermined)


def _digits(fit: LoadedFit) -> Named | None:
    digits_saved = fit._content.get("digits")
    if not digits_saved or fit.model.in_place:
        return None
    shapes = fit.model.every_parameter
    return shapes.named(shapes.flat(digits_saved))


def _degrees(fit: LoadedFit) -> float | None:
    degrees = fit._content.get("degrees_of_freedom")
    return None if degrees is None else int(degrees) if float(degrees).is_integer() else float(degrees)


def _error_degrees(fit: LoadedFit) -> float:
    degrees = fit.degrees_of_freedom
    if fit.clusters:
        return min(fit.clusters.values()) - 1.0
    return math.inf if _known(fit) or degrees is None else float(degrees)


def _known(fit: LoadedFit) -> bool:
    loss, scale_known = fit.loss_function, fit.sigma is not None or (fit.scatter is not None and fit.scatter.known)
    return (scale_known and loss.likelihood) or loss.dispersion_known


def _criteria(fit: LoadedFit) -> Criteria | None:
    values = [fit._content.get(name) for name in ("log_likelihood", "aic", "aicc", "bic")]
    return None if values[0] is None else Criteria(*(math.inf if value is None else value for value in values))


def _goodness(fit: LoadedFit) -> Goodness | None:
    names = ("chi_square", "degrees_of_freedom", "chi_square_p")
    goodness_saved = [float(value) for name in names if (value := fit._content.get(name)) is not None]
    if len(goodness_saved) < len(names) or not goodness_saved[1] > 0.0:
        return None
    return Goodness(*goodness_saved)


def _quantities(fit: LoadedFit) -> dict[str, Estimated]:
    quantities_saved = fit._content.get("quantities") or {}
    if not quantities_saved:
        return {}
    if fit.covariance is None:  # as in a file of very many fits, which has no covariances
        from descend.inference.quantities.estimate import Estimated

        return {name: Estimated.restored(name, quantity_saved) for name, quantity_saved in quantities_saved.items()}
    from descend.inference.quantities.interval_methods import estimated_quantities

    texts = {name: quantity_saved["expression"] for name, quantity_saved in quantities_saved.items()}
    return estimated_quantities(texts, fit.estimates())


def _priors(fit: LoadedFit) -> tuple[PriorWeight, ...]:
    priors_saved = fit._content.get("priors") or []
    if not priors_saved:
        return ()
    from descend.inference.priors.weights import PriorWeight

    return tuple(map(PriorWeight.of, priors_saved))


ANSWERS: Mapping[str, Callable[[LoadedFit], Any]] = {
    "at_bound": lambda fit: [] if fit.constraints is None else fit.constraints.at_bound(fit.theta),
    "scatter": lambda fit: None if not fit._content.get("scatter") else Scatter.restored(fit._content["scatter"]),
    "column_types": lambda fit: dict(fit._content.get("columns", {})),
    "outliers": lambda fit: None if (stored := fit._content.get("outliers")) is None else Outliers.restored(stored),
    "penalty_path": lambda fit: (
        None if (stored := fit._content.get("penalty_path")) is None else PenaltyPath.restored(stored)
    ),
    "censored": lambda fit: dict(fit._content.get("censored") or {}),
    "response_levels": lambda fit: dict(fit._content.get("response_levels") or {}),
    "kind_of_errors": lambda fit: fit._content.get("errors") or usual_kind(fit.loss_function),
    "at_minimum": lambda fit: fit.outcome is Outcome.CONVERGED or fit.covariance is None,
    "rounding": lambda fit: fit._content.get("rounding") or {},
    "clusters": lambda fit: fit._content.get("clusters") or {},
    "covariance": _covariance,
    "correlation": _correlation,
    "standard_errors": _standard_errors,
    "digits": _digits,
    "priors": _priors,
    "guarantee": lambda fit: None,
    "guarantee_values": lambda fit: fit._content.get("guarantee"),
    "degrees_of_freedom": _degrees,
    "error_degrees": _error_degrees,
    "dispersion": lambda fit: fit.loss_function.known_dispersion if _known(fit) else fit._content.get("dispersion"),
    "criteria": _criteria,
    "goodness": _goodness,
    "quantities": _quantities,
    "units": lambda fit: fit._content.get("units") or {},
    "delta": lambda fit: {},
    "ranges": lambda fit: {name: tuple(ends) for name, ends in (fit._content.get("ranges") or {}).items()},
}
"""How to read what is not simply in the file under its own name."""
