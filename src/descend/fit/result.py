"""The fit: what a user holds after a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.constraints import Constraints
from descend.descent.module.model import ModuleModel
from descend.descent.objective import Objective
from descend.descent.outcome import Outcome
from descend.descent.step import Trace
from descend.fit.uncertainty import covariance
from descend.formula.printers.filled import filled
from descend.losses import Loss
from descend.models import FormulaModel, Model
from descend.table import Table, open_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
MOST_LISTED = 10_000
"""Numbers of a module that `Fit.summary` lists; the weights of a large one are better read from it."""


@dataclass(frozen=True)
class Evidence:
    """What a fit keeps of its run, to answer later questions: the rows it saw, and J on them."""

    columns: Mapping[str, Array]
    objective: Objective
    source: str


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

    @cached_property
    def covariance(self) -> Array | None:
        """(p, p) covariance of the flat parameters: squared loss without penalty only, None otherwise."""
        if self.evidence is None:
            stored = self.stored.get("covariance")
            return None if stored is None else np.array(stored, dtype=np.float64)
        if self.loss_function.name != "squared" or self.penalised or self.outcome is Outcome.DIVERGED:
            return None
        if isinstance(self.model, ModuleModel):
            return None  # no curvature matrix is formed for a module
        with np.errstate(all="ignore"):
            return covariance(self.evidence.objective(self.theta, 2), self.rows)

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
        columns = self.evidence.columns
        y, predicted = self.model.observed(columns), self.model.predict(self.theta, columns)
        weights = self.evidence.objective.engine.weights  # type: ignore[attr-defined]
        omega = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
        spread = float(omega @ (y - np.average(y, weights=omega)) ** 2)
        return 1.0 - float(omega @ (y - predicted) ** 2) / spread if spread > 0.0 else None

    @property
    def fitted_formula(self) -> str:
        """The formula with the parameters' values in it, to four digits; empty for a Python function."""
        if not isinstance(self.model, FormulaModel):
            return ""
        return f"{self.model.response} ~ {filled(self.model.formula, self.parameters)}"

    def predict(self, data: Any, missing: str = "raise") -> Array:
        """Return the prediction for each row of ``data``: any source that ``fit`` takes, holding the input columns.

        A module is given tensors too, and predicts as it is now, in evaluation mode.
        """
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
            from descend.errors import ConfigError

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


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
