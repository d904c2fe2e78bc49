"""The fit: what a user holds after a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from descend.constraints import Constraints
from descend.descent.module.model import ModuleModel
from descend.descent.objective import Objective
from descend.descent.outcome import Outcome
from descend.descent.step import Trace
from descend.errors import ConfigError
from descend.fit.diagnostics import Diagnostics, diagnose
from descend.fit.intervals import (
    Intervals,
    checked_errors,
    checked_level,
    checked_method,
    refuse_without_data,
    t_intervals,
)
from descend.fit.likelihood import Criteria, criteria, log_likelihood
from descend.fit.predict import Prediction, predict_with_band
from descend.fit.rows import Rows, score_and_jacobian
from descend.fit.uncertainty import LIKELIHOODS, covariance, known_covariance, sandwich
from descend.formula.printers.filled import filled
from descend.losses import Loss
from descend.models import FormulaModel, Model
from descend.table import Table, open_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.descent.out_of_core import Whole

Array = NDArray[np.float64]
MOST_LISTED = 10_000
"""Numbers of a module that `Fit.summary` lists; the weights of a large one are better read from it."""


@dataclass(frozen=True)
class Evidence:
    """What a fit keeps of its run, to answer later questions: the rows it saw, and J on them."""

    columns: Mapping[str, Array]
    objective: Objective
    source: str
    whole: Whole | None = None
    """What is known of all rows, where ``columns`` is a sample of them."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of a fit.

    theta: the parameters as one flat vector, or what stands for those of a module; ``parameters`` names them.
    loss: J there, penalties included. rows: how many were used. epochs: how many were run.
    outcome: how the run ended; advice: what to do about it, in words.
    trace: the steps; empty for a fit that was loaded.
    gradient, optimizer, engine: which were used. learning_rate: of the first step; None where there is none.
    notes: what was chosen or noticed on the way, in sentences.
    """

    model: Model | ModuleModel
    theta: Any
    loss: float
    rows: int
    epochs: int
    outcome: Outcome
    advice: str
    gradient: str
    optimizer: str
    learning_rate: float | None
    engine: str
    seconds: float
    asked: bool
    trace: Trace = field(default_factory=Trace)
    notes: tuple[str, ...] = ()
    undetermined: tuple[str, ...] = ()
    """The parameters that the data do not determine, by their labels; a note says why."""
    penalised: bool = False
    weights: str | None = None
    """The column of relative row weights."""
    sigma: str | None = None
    """The column of known standard deviations of the response."""
    errors: str = ""
    """The kind of ``standard_errors``, "model" or "sandwich"; that of the loss if empty: see ``covariance_of``."""
    table: Table | None = None
    stored: Mapping[str, Any] = field(default_factory=dict)
    evidence: Evidence | None = None
    from_start: Fit | None = None
    """Where the user's own start led, if a search found a lower minimum, which is then this fit."""
    plotter: Callable[[Fit], Figure] | None = None

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name: a float for a scalar, an array for a vector; fixed and tied ones too."""
        named = self.model.parameters.named(self.theta)
        return named if self.constraints is None else self.constraints.complete(named)

    @property
    def constraints(self) -> Constraints | None:
        """Which parameters are fixed, tied or bounded, if any are."""
        return None if isinstance(self.model, ModuleModel) else self.model.constraints

    @cached_property
    def at_bound(self) -> list[str]:
        """The labels of the parameters that ended at a bound."""
        return [] if self.constraints is None else self.constraints.at_bound(self.theta)

    @cached_property
    def column_types(self) -> Mapping[str, str]:
        """The columns the model reads, and their kinds."""
        if self.table is None:
            return dict(self.stored.get("columns", {}))
        names = (*self.model.response_columns, *self.model.inputs)
        if isinstance(self.model, FormulaModel):  # to read its text again, all columns it names must be known
            names = (*names, *self.model.formula.unused)
        return {name: self.table.types[name] for name in names}

    @property
    def loss_function(self) -> Loss:
        return self.model.loss

    @property
    def succeeded(self) -> bool:
        """Whether the run converged, or ran all the epochs that were asked for."""
        return self.outcome is Outcome.CONVERGED or (self.outcome is Outcome.EPOCHS_USED_UP and self.asked)

    @property
    def kind_of_errors(self) -> str:
        """How ``standard_errors`` were found: "model" or "sandwich"."""
        default = "model" if self.loss_function.name in LIKELIHOODS else "sandwich"
        return self.errors or self.stored.get("errors") or default

    @cached_property
    def covariance(self) -> Array | None:
        """(p, p) covariance of the flat parameters, of the kind ``kind_of_errors``; None if there is none."""
        return self.covariance_of(self.kind_of_errors)

    def covariance_of(self, kind: str) -> Array | None:
        """Return the (p, p) covariance of the flat parameters; None if the data or a penalty leave none.

        kind: ``"model"``, from the curvature of J at the minimum: right if the residuals are alike and independent
            (squared), or the rows have the distribution of the loss (poisson, logistic). With ``sigma`` the scale of
            the residuals is taken as known, otherwise it is estimated: s**2 = sum omega r**2 / (n - p).
            ``"sandwich"``, right also if they are not alike: HC3 for these three losses, HC1 for the robust ones,
            a kernel estimate for absolute and pinball (see ``fit.uncertainty.sandwich``).
        """
        checked_errors(kind, self.loss_function)
        if self.evidence is None:
            if kind != self.kind_of_errors:
                refuse_without_data(self, f"{kind} errors")
            stored = self.stored.get("covariance")
            return None if stored is None else np.array(stored, dtype=np.float64)
        return self._covariances(kind)

    def _covariances(self, kind: str) -> Array | None:
        loss = self.loss_function
        if self.penalised or self.outcome is Outcome.DIVERGED or isinstance(self.model, ModuleModel):
            return None  # no curvature matrix is formed for a module
        assert self.evidence is not None and self.degrees_of_freedom is not None
        with np.errstate(all="ignore"):
            whole = self.evidence.whole
            if kind == "sandwich" and whole is not None:
                from descend.fit import whole as sums  # few fits need it

                return sums.sandwich_of_sample(self, whole)
            if kind == "sandwich":
                return sandwich(self.counted_rows, loss, self.degrees_of_freedom)
            point = self.evidence.objective(self.theta, 3)
            if loss.name == "squared" and self.sigma is None:
                return covariance(point, self.degrees_of_freedom)
            total = float(self.counted_rows.omega.sum()) if whole is None else whole.omega
            return known_covariance(point, total, 2.0 if loss.name == "squared" else 1.0)

    @cached_property
    def counted_rows(self) -> Rows:
        """The rows that count, and what each says about the parameters."""
        refuse_without_data(self, "residuals")
        assert self.evidence is not None and not isinstance(self.model, ModuleModel)
        columns = self.evidence.columns
        score, jacobian = score_and_jacobian(self.model, self.theta, columns)
        y, omega = self.model.observed(columns), self._omega(len(score))
        counting = omega > 0.0
        if counting.all():
            return Rows(y, score, jacobian, omega)
        return Rows(y[counting], score[counting], jacobian[counting], omega[counting])

    def _omega(self, rows: int) -> Array:
        weights = self.evidence.objective.engine.weights if self.evidence is not None else None  # type: ignore[attr-defined]
        return np.ones(rows) if weights is None else np.asarray(weights, dtype=np.float64)

    @cached_property
    def degrees_of_freedom(self) -> int | None:
        """Rows of a weight above 0, less the number of parameters that are free to move."""
        if self.evidence is None:
            stored = self.stored.get("degrees_of_freedom")
            return None if stored is None else int(stored)
        free = self.model.parameters.size - len(self.at_bound)
        return self._counting - free

    @property
    def _counting(self) -> int:
        """The number of rows of a weight above 0."""
        assert self.evidence is not None
        whole = self.evidence.whole
        return int(np.count_nonzero(self._omega(self.rows))) if whole is None else whole.counting

    @property
    def sigma_or_weights(self) -> str | None:
        """The column of the row weights in the evidence; of sigma, that of 1 / sigma**2."""
        return self.weights if self.sigma is None else f"1/{self.sigma}^2"

    @property
    def error_degrees(self) -> float:
        """Degrees of freedom of the standard errors: infinite where the scale of the residuals is known."""
        known = self.sigma is not None or self.loss_function.name in ("poisson", "logistic")
        return np.inf if known or self.degrees_of_freedom is None else float(self.degrees_of_freedom)

    @cached_property
    def residual_standard_deviation(self) -> float | None:
        """sqrt(sum omega r**2 / degrees of freedom), of a row of weight 1; None unless the loss is squared.

        With ``sigma`` the residuals are measured in sigmas, so that it is near 1 if these are right.
        """
        if self.evidence is None:
            return self.stored.get("residual_standard_deviation")
        degrees = self.degrees_of_freedom
        if self.loss_function.name != "squared" or degrees is None or degrees <= 0:
            return None
        if self.evidence.whole is not None:
            from descend.fit import whole as sums  # few fits need it

            return float(np.sqrt((sums.squared_error(self, self.evidence.whole) or 0.0) / degrees))
        return float(np.sqrt(self._omega(self.rows) @ self.residuals**2 / degrees))

    @cached_property
    def residuals(self) -> Array:
        """Observed less predicted response of each row."""
        refuse_without_data(self, "residuals")
        assert self.evidence is not None
        columns = self.evidence.columns
        return np.asarray(self.model.observed(columns) - self.model.predict(self.theta, columns), dtype=np.float64)

    def diagnostics(self) -> Diagnostics:
        """Check whether the residuals look like normal, independent errors, each check with a verdict in words.

        Residuals are weighed, and ordered by the input if there is one, else as the rows are. Squared loss only.

        Raises ConfigError for other losses, for modules, and for a fit that was loaded.
        """
        if self.loss_function.name != "squared" or isinstance(self.model, ModuleModel):
            what = "a module" if isinstance(self.model, ModuleModel) else f"the {self.loss_function.name} loss"
            raise ConfigError(f"The residuals of {what} have no known distribution to be checked against.")
        rows = self.counted_rows
        root = np.sqrt(rows.omega)
        residuals = rows.y - rows.score
        if np.abs(residuals).max() <= 1e-12 * np.abs(rows.y).max():
            return Diagnostics((), note="the model fits perfectly, so only rounding is left to judge")
        place: Any = slice(None)
        order = "the rows"
        if len(self.model.inputs) == 1 and self.evidence is not None:
            column = self.evidence.columns[self.model.inputs[0]]
            place = np.argsort(column[self._omega(len(column)) > 0.0], kind="stable")
            order = f"`{self.model.inputs[0]}`"
        return diagnose((root * residuals)[place], (rows.jacobian * root[:, None])[place], order)

    @cached_property
    def correlation(self) -> Array | None:
        """(p, p) correlation of the flat parameters; None where there is no covariance."""
        if self.covariance is None:
            return None
        errors = np.sqrt(self.covariance.diagonal())
        with np.errstate(all="ignore"):
            return self.covariance / errors / errors[:, None]

    @cached_property
    def criteria(self) -> Criteria | None:
        """Log-likelihood, AIC, AICc and BIC (see ``Criteria``); None for robust losses, penalties and modules."""
        if self.evidence is None:
            values = [self.stored.get(name) for name in ("log_likelihood", "aic", "aicc", "bic")]
            return None if values[0] is None else Criteria(*(np.inf if value is None else value for value in values))
        loss = self.loss_function
        if self.penalised or loss.name not in LIKELIHOODS or isinstance(self.model, ModuleModel):
            return None
        estimated = self.model.parameters.size + (loss.name == "squared" and self.sigma is None)
        with np.errstate(all="ignore"):
            if self.evidence.whole is not None:
                from descend.fit import whole as sums  # few fits need it

                total = sums.log_likelihood(self, self.evidence.whole)
                return None if total is None else criteria(total, estimated, self._counting)
            found = log_likelihood(self.counted_rows, loss, self.sigma is not None)
        return criteria(found, estimated, len(self.counted_rows.y))

    @property
    def log_likelihood(self) -> float | None:
        """See ``fit.likelihood.log_likelihood``; None where there are no ``criteria``."""
        return None if self.criteria is None else self.criteria.log_likelihood

    @property
    def aic(self) -> float | None:
        """Akaike's criterion, 2 k - 2 log-likelihood (see ``criteria``)."""
        return None if self.criteria is None else self.criteria.aic

    @property
    def aicc(self) -> float | None:
        """Akaike's criterion, corrected for few rows (see ``criteria``)."""
        return None if self.criteria is None else self.criteria.aicc

    @property
    def bic(self) -> float | None:
        """Schwarz's criterion, k log n - 2 log-likelihood (see ``criteria``)."""
        return None if self.criteria is None else self.criteria.bic

    def intervals(
        self,
        level: float = 0.95,
        method: str = "t",
        *,
        resamples: int = 1000,
        seed: int = 0,
        on_resample: Callable[[int], None] | None = None,
    ) -> Intervals:
        """Return an interval for each parameter: name -> (low, high), with arrays for a vector.

        level: the share of data sets whose interval would hold the true value.
        method: ``"t"``, estimate -+ t quantile * standard error. ``"sandwich"``, the same with robust errors.
            ``"profile"``, every value of a parameter at which the others can still make the data likely enough; ends
            that the data leave open are infinite. ``"bootstrap"``, from fits to ``resamples`` samples of the rows,
            drawn with replacement in an order that ``seed`` fixes; ``on_resample`` is told how many are done.

        Raises ConfigError where there are none, and says why.
        """
        level, method = checked_level(level), checked_method(method)
        if method in ("t", "sandwich"):
            return t_intervals(self, level, self.kind_of_errors if method == "t" else "sandwich", method)
        refuse_without_data(self, f"{method} intervals")
        if method == "profile":
            from descend.fit.profile import profile_intervals

            return profile_intervals(self, level)
        if self.evidence is not None and self.evidence.whole is not None:
            raise ConfigError(
                "The bootstrap draws rows from memory, but the rows of this fit stayed where they are. "
                "Use the method t, sandwich or profile, or fit with --engine numpy."
            )
        from descend.fit.bootstrap import bootstrap_intervals

        return bootstrap_intervals(self, level, resamples, seed, on_resample)

    @cached_property
    def standard_errors(self) -> dict[str, Any] | None:
        """Standard errors by name, in the shapes of ``parameters``; None where there is no covariance.

        Of tied parameters by the delta method; NaN for what is fixed or lies at a bound.
        """
        if self.covariance is None or isinstance(self.model, ModuleModel):
            return None
        errors = np.sqrt(self.covariance.diagonal())
        errors[[label in self.undetermined for label in self.model.parameters.labels]] = np.nan
        if self.constraints is not None:
            return self.constraints.standard_errors(self.theta, self.covariance)
        return self.model.parameters.named(errors)

    @cached_property
    def r_squared(self) -> float | None:
        """1 - sum of squared residuals / sum of squares about the mean of the response; None if it never changes."""
        if self.evidence is None:
            return self.stored.get("r_squared")
        if self.loss_function.name in ("poisson", "logistic"):
            return None
        if self.evidence.whole is not None:
            from descend.fit import whole as sums  # few fits need it

            return sums.r_squared(self, self.evidence.whole)
        columns = self.evidence.columns
        y, predicted = self.model.observed(columns), self.model.predict(self.theta, columns)
        omega = self._omega(len(y))
        spread = float(omega @ (y - np.average(y, weights=omega)) ** 2)
        return 1.0 - float(omega @ (y - predicted) ** 2) / spread if spread > 0.0 else None

    @property
    def fitted_formula(self) -> str:
        """The formula with the parameters' values in it, to four digits; empty for a Python function."""
        if not isinstance(self.model, FormulaModel):
            return ""
        return f"{self.model.response} ~ {filled(self.model.formula, self.parameters)}"

    @overload
    def predict(self, data: Any, missing: str = "raise", *, interval: None = None, level: float = 0.95) -> Array: ...

    @overload
    def predict(self, data: Any, missing: str = "raise", *, interval: str, level: float = 0.95) -> Prediction: ...

    def predict(
        self, data: Any, missing: str = "raise", *, interval: str | None = None, level: float = 0.95
    ) -> Array | Prediction:
        """Return the prediction for each row of ``data``: any source that ``fit`` takes, holding the input columns.

        A module is given tensors too, and predicts as it is now, in evaluation mode.

        interval: ``"confidence"``, where the mean of the response lies; ``"prediction"``, where one more measurement
            would lie (squared loss). The result is then a `Prediction` with ``prediction``, ``low`` and ``high``.
            With weights or sigma, ``"prediction"`` needs that column for the new rows too.
        """
        if interval is not None:
            return predict_with_band(self, data, missing, interval, level)
        if isinstance(self.model, ModuleModel):
            return self.model.predict(self.theta, self.model.read(data, missing))
        table = open_table(data)
        inputs = self.model.inputs
        if not inputs:
            return self.model.predict(self.theta, {"": np.empty(table.rows)})
        return self.model.predict(self.theta, table.numbers(inputs, missing))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file: JSON that `load` reads."""
        from descend.fit.store import save

        save(self, path)

    def plot(self) -> Figure:
        """Draw the data with the fitted curve, and the loss per epoch; returns a Matplotlib figure."""
        if self.plotter is None or self.evidence is None:
            raise ConfigError("This fit was loaded from a file, without its data, so there is nothing to plot.")
        return self.plotter(self)

    def summary(self) -> dict[str, Any]:
        """Return the fit as plain values: the object that `--json` prints."""
        return {
            "parameters": {} if self._too_many_to_list else _plain(self.parameters),
            "standard_errors": _plain(self.standard_errors),
            **self._held_back(),
            "loss": _number(self.loss),
            "rows": self.rows,
            "epochs": self.epochs,
            "outcome": str(self.outcome),
            "advice": self.advice,
            "gradient": self.gradient,
            "optimizer": self.optimizer,
            "learning_rate": None if self.learning_rate is None else _number(self.learning_rate),
            "engine": self.engine,
            "seconds": self.seconds,
            "r_squared": self.r_squared,
            "weights": self.weights,
            "sigma": self.sigma,
            "errors": None if self.covariance is None else self.kind_of_errors,
            "degrees_of_freedom": self.degrees_of_freedom,
            "residual_standard_deviation": self.residual_standard_deviation,
            **{name: _finite(getattr(self, name)) for name in ("log_likelihood", "aic", "aicc", "bic")},
            "formula": str(self.model),
            "loss_function": str(self.loss_function),
            "notes": list(self.notes),
        }

    def _held_back(self) -> dict[str, Any]:
        """Return what is fixed, tied, bounded, and at its bound."""
        held = self.constraints
        return {
            "fixed": {} if held is None else _plain(held.fixed),
            "ties": {} if held is None else dict(held.tie_texts),
            "bounds": [] if held is None or held.bounds is None else held.bounds.texts,
            "at_bound": self.at_bound,
        }

    @property
    def _too_many_to_list(self) -> bool:
        return isinstance(self.model, ModuleModel) and self.model.parameters.size > MOST_LISTED

    def __repr__(self) -> str:
        values = self.model.parameters.mentioned(self.theta)
        values = values or f"{self.model.parameters.size} parameters"
        return f"Fit({self.model}: {values}, loss={self.loss:.6g}, {self.outcome} after {self.epochs} epochs)"


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Turn arrays into lists, and what JSON has no number for into None."""
    if values is None:
        return None
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    return _number(value) if np.ndim(value) == 0 else [_plain_value(part) for part in value]


def _finite(value: float | None) -> float | None:
    return None if value is None else _number(value)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
