"""The fit: what a user holds after a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.descent.step import Trace
from descend.diagnosis import Cause, Diagnosis
from descend.engines.totals import InMemory
from descend.errors import ConfigError
from descend.formula.printers.filled import Rounding
from descend.inference import statistics
from descend.inference.correlation import Correlation
from descend.inference.covariance import Rank
from descend.inference.diagnostics import Diagnostics, diagnostics_of
from descend.inference.digits import digits
from descend.inference.goodness import Goodness, deviance_of, goodness_of
from descend.inference.guarantee import Guarantee, guarantee
from descend.inference.intervals import Intervals, intervals_by
from descend.inference.likelihood import Criteria, criteria_of
from descend.inference.prediction import Prediction, predict_with_band, refuse_not_finite
from descend.inference.row_scores import Rows, counted_rows
from descend.inference.standard_errors import correlation, covariance_of, rank_of_fit, standard_errors
from descend.losses import Loss
from descend.models import Model
from descend.parameters import Constraints
from descend.problem.objective import VectorObjective
from descend.results.commenting import comment
from descend.results.equation import equation, rounding
from descend.results.summary import summary
from descend.showing import handed
from descend.table import Table
from descend.table import rows as table_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.inference.profile_sides import Sides
    from descend.problem.out_of_core import Whole

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kept:
    """What a fit keeps of its run, to answer later questions: the rows it saw, and J on them."""

    rows: table_rows.Rows
    objective: VectorObjective
    source: str
    whole: Whole | None = None
    """What is known of all rows, where ``rows`` is a sample of them."""

    @property
    def columns(self) -> Mapping[str, Array]:
        """The columns of the rows."""
        return self.rows.columns

    @property
    def in_memory(self) -> bool:
        """Whether all that it needs is here, rather than in a file or a database."""
        return isinstance(self.objective.engine, InMemory)


class Shows(Protocol):
    """What shows a fit to people. It lies above this room, so a fit is handed it."""

    def plot(self, fit: Fit, **look: Any) -> Figure:
        """Draw a picture."""

    def animate(self, fit: Fit) -> Any:
        """Return an animation."""

    def page(self, fit: Fit, path: str | os.PathLike[str], intervals: Intervals | None, command: str | None) -> None:
        """Write a page."""

    def short(self, fit: Fit) -> str:
        """Return a few lines of HTML."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of a fit.

    theta: the parameters as one flat vector, or what stands for those of a module; ``parameters`` names them.
    loss: J there, penalties included. rows: how many were used. epochs: how many were run.
    outcome: how the run ended; cause, evidence: why, if it was not healthy; advice: what to do about it, in words.
    trace: the steps; empty for a fit that was loaded.
    gradient, optimizer, engine: which were used. learning_rate: of the first step; None where there is none.
    notes: what was chosen or noticed on the way, in sentences.
    """

    model: Model
    theta: Any
    loss: float
    rows: int
    epochs: int
    outcome: Outcome
    advised: str
    """What to do about the outcome, as far as the outcome alone says."""
    gradient: str
    optimizer: str
    learning_rate: float | None
    engine: str
    seconds: float
    """From the call to the result, whatever was done; of a run that was taken up, those before it too."""
    asked: bool
    trace: Trace = field(default_factory=Trace)
    notes: tuple[str, ...] = ()
    undetermined: tuple[str, ...] = ()
    """The parameters that the data do not determine, by their labels; a note says why."""
    penalised: bool = False
    passes: float = 0.0
    """How often all rows were read; a sample counts by its share of them."""
    weights: str | None = None
    """The column of relative row weights."""
    sigma: str | None = None
    """The column of known standard deviations of the response."""
    errors: str = ""
    """The kind of ``standard_errors``, "model" or "sandwich"; that of the loss if empty: see ``covariance_of``."""
    table: Table | None = None
    stored: Mapping[str, Any] = field(default_factory=dict)
    kept: Kept | None = None
    failures: list[str] = field(default_factory=list)
    """What could not be told of the fit, and why, in sentences: of what was asked for so far."""
    from_start: Fit | None = None
    """Where the user's own start led, if a search found a lower minimum, which is then this fit."""
    call: Callable[[], Mapping[str, Any]] = dict
    """Returns the arguments that were given to `descend.fit`, to repeat it."""
    shown_by: Shows | None = None
    """What draws it, if it has its data."""
    examine: Callable[[], Diagnosis] | None = None
    """Finds out why the run ended as it did; asked when somebody wants to know."""

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name: a float for a scalar, an array for a vector; fixed and tied ones too."""
        named = self.model.parameters.named(self.theta)
        return named if self.constraints is None else self.constraints.complete(named)

    @comment("why the run ended as it did", empty=lambda fit: Diagnosis(None, {}))
    def diagnosis(self) -> Diagnosis:
        """Why the run failed or fell short: its cause, the evidence, and what to do; none for a healthy run."""
        if self.examine is not None:
            return self.examine()
        cause = self.stored.get("cause")
        return Diagnosis(None if cause is None else Cause(cause), self.stored.get("evidence") or {})

    @property
    def cause(self) -> Cause | None:
        """Why the run failed or fell short; None for a healthy one."""
        return self.diagnosis.cause

    @property
    def evidence(self) -> dict[str, Any]:
        """The numbers and names by which ``cause`` was told."""
        return dict(self.diagnosis.evidence)

    @property
    def advice(self) -> str:
        """What to do about how the run ended, in a sentence or two."""
        return self.diagnosis.advice or self.advised

    @property
    def constraints(self) -> Constraints | None:
        """Which parameters are fixed, tied or bounded, if any are."""
        return self.model.constraints

    @comment("the parameters at a bound", empty=lambda fit: [])
    def at_bound(self) -> list[str]:
        """The labels of the parameters that ended at a bound."""
        return [] if self.constraints is None else self.constraints.at_bound(self.theta)

    @cached_property
    def column_types(self) -> Mapping[str, str]:
        """The columns the model reads, and their kinds."""
        if self.table is None:
            return dict(self.stored.get("columns", {}))
        return {name: self.table.types[name] for name in self.model.columns}

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
        default = "model" if self.loss_function.likelihood else "sandwich"
        return self.errors or self.stored.get("errors") or default

    @comment("the covariance")
    def covariance(self) -> Array | None:
        """(p, p) covariance of the flat parameters, of the kind ``kind_of_errors``; None if there is none."""
        return self.covariance_of(self.kind_of_errors)

    def covariance_of(self, kind: str) -> Array | None:
        """Return the (p, p) covariance of the flat parameters; None if the data or a penalty leave none.

        Entries of parameters that the data do not determine by themselves are NaN.

        kind: ``"model"``, from the curvature of J at the minimum: right if the residuals are alike and independent
            (squared), or the rows have the distribution of the loss (poisson, logistic). With ``sigma`` the scale of
            the residuals is taken as known, otherwise it is estimated: s**2 = sum omega r**2 / (n - p).
            ``"sandwich"``, right also if they are not alike: HC3, or for absolute and pinball a kernel estimate
            (see ``fit.uncertainty.sandwich``).
        """
        return covariance_of(self, kind)

    @comment("the rank of the data")
    def rank(self) -> Rank | None:
        """What the data determine where they do not determine all parameters; None if they do."""
        return rank_of_fit(self)

    @cached_property
    def counted_rows(self) -> Rows:
        """The rows that count, and what each says about the parameters."""
        return counted_rows(self)

    @comment("the degrees of freedom")
    def degrees_of_freedom(self) -> int | None:
        """Rows of a weight above 0, less the number of parameters that are free to move and not redundant."""
        return statistics.degrees_of_freedom(self)

    @property
    def error_degrees(self) -> float:
        """Degrees of freedom of the standard errors: infinite where the scale of the residuals is known."""
        return statistics.error_degrees(self)

    @comment("the residual standard deviation")
    def residual_standard_deviation(self) -> float | None:
        """sqrt(sum omega r**2 / degrees of freedom), of a row of weight 1; None unless the loss is squared.

        With ``sigma`` the residuals are measured in sigmas, so that it is near 1 if these are right.
        """
        return statistics.residual_standard_deviation(self)

    @cached_property
    def residuals(self) -> Array:
        """Observed less predicted response of each row."""
        return statistics.residuals(self)

    def diagnostics(self) -> Diagnostics:
        """Check whether the residuals look like normal, independent errors, each check with a verdict in words.

        Residuals are weighed, and ordered by the input if there is one, else as the rows are. Of more than 10,000 rows
        a sample of so many is judged, a hundred neighbours at a time. Squared loss only.

        Raises ConfigError for other losses, for modules, and for a fit that was loaded.
        """
        return handed(diagnostics_of(self), None if self.shown_by is None else self.shown_by.short)

    @comment("the correlations")
    def correlation(self) -> Correlation | None:
        """(p, p) correlation of the flat parameters, by place or by name; None where there is no covariance."""
        found = correlation(self)
        return None if found is None else Correlation.of(found, self.model.parameters.labels)

    @comment("the criteria")
    def criteria(self) -> Criteria | None:
        """Log-likelihood, AIC, AICc and BIC (see ``Criteria``); None for robust losses, penalties and modules."""
        return criteria_of(self)

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

    @comment("the dispersion")
    def dispersion(self) -> float | None:
        """Of what the variance of a response is a multiple (see ``inference.statistics.dispersion_of``)."""
        return statistics.dispersion_of(self)

    @comment("the deviance")
    def deviance(self) -> float | None:
        """Twice what the log-likelihood lacks of one with a mean for each row (see ``fit.goodness.deviance_of``)."""
        return deviance_of(self)

    @comment("chi-square")
    def goodness(self) -> Goodness | None:
        """Chi-square, where sigma or the distribution says how much the data scatter (see ``Goodness``)."""
        return goodness_of(self)

    @cached_property
    def profile_sides(self) -> Sides:
        """Return the profiles of the parameters, as far as they were walked: several levels cost one walk."""
        from descend.inference.profile import sides_of

        return sides_of(self)

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

        No end is beyond a bound; tied parameters have intervals too. Raises ConfigError where there are none, and says
        why.
        """
        return intervals_by(self, level, method, resamples, seed, on_resample)

    @comment("the standard errors")
    def standard_errors(self) -> dict[str, Any] | None:
        """Standard errors by name, in the shapes of ``parameters``; None where there is no covariance.

        Of tied parameters by the delta method; NaN for what is fixed, lies at a bound or is undetermined.
        """
        if self.covariance is None or self.model.in_place:
            return None
        whole = self.model.parameters if self.constraints is None else self.constraints.whole
        return whole.named(standard_errors(self, self.covariance))

    @comment("the digits")
    def digits(self) -> dict[str, Any] | None:
        """How many decimal digits of each parameter the place where the run stopped supports, in their shapes.

        It says how near the minimum is, not how well the data determine it: that is what standard errors say.
        None where it cannot be told (see ``fit.digits.digits``).
        """
        return digits(self)

    @comment("the guarantee")
    def guarantee(self) -> Guarantee | None:
        """How near the minimum the fit is for certain, where J is convex; None elsewhere (see ``Guarantee``)."""
        return guarantee(self)

    @comment("R²")
    def r_squared(self) -> float | None:
        """1 - sum of squared residuals / sum of squares about the mean of the response; None if it never changes."""
        return statistics.r_squared(self)

    @comment("R² about 0")
    def r_squared_about_zero(self) -> float | None:
        """1 - sum of squared residuals / sum of squares of the response, of a line without a constant; else None.

        What R reports for a line through the origin, whose residuals do not add up to 0.
        """
        return statistics.r_squared_about_zero(self)

    @comment("the digits of the equation", empty=lambda fit: {})
    def rounding(self) -> Rounding:
        """By how much each parameter may be rounded in the fitted equation (see ``fit.equation.rounding``)."""
        return rounding(self)

    @property
    def fitted_formula(self) -> str:
        """The formula with its values, to as many digits as predictions need; empty for a Python function."""
        return equation(self)

    @overload
    def predict(self, data: Any, missing: str = "raise", *, interval: None = None, level: float = 0.95) -> Array: ...

    @overload
    def predict(self, data: Any, missing: str = "raise", *, interval: str, level: float = 0.95) -> Prediction: ...

    def predict(
        self, data: Any, missing: str = "raise", *, interval: str | None = None, level: float = 0.95
    ) -> Array | Prediction:
        """Return the prediction for each row of ``data``: any source that ``fit`` takes, holding the input columns.

        A module is given tensors too, and predicts as it is now, in evaluation mode. Raises DataError for a row in
        which a formula or function has no value, such as the logarithm of a negative number.

        interval: ``"confidence"``, where the mean of the response lies; ``"prediction"``, where one more measurement
            would lie (squared loss). The result is then a `Prediction` with ``prediction``, ``low`` and ``high``.
            With weights or sigma, ``"prediction"`` needs that column for the new rows too.
        """
        if interval is not None:
            return predict_with_band(self, data, missing, interval, level)
        columns = self.model.read(data, missing)
        predicted = self.model.predict(self.theta, columns)
        refuse_not_finite(self, columns, predicted)
        return predicted

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file: JSON that `load` reads."""
        from descend.results.store import save

        save(self, path)

    def export(self, to: str, *, table: str = "data", name: str = "prediction", dialect: str = "duckdb") -> str:
        """Return the fitted model as text in another language (see ``descend.results.export.exported``)."""
        from descend.results.export import exported

        return exported(self, to, table=table, name=name, dialect=dialect)

    def plot(
        self,
        *,
        log: str = "",
        x_label: str | None = None,
        y_label: str | None = None,
        title: str | None = None,
        size: tuple[float, float] | None = None,
        residuals: bool = False,
    ) -> Figure:
        """Draw the data with the fitted curve, and the loss per epoch if the run had a way to go.

        Returns a Matplotlib figure, which a notebook shows.

        log: which axes of the data are logarithmic: ``"x"``, ``"y"`` or ``"xy"``. x_label, y_label: the words along
        them. title: the words above; the fitted formula if not given. size: width and height, in inches.
        residuals: whether they are drawn below the curve.
        """
        if self.shown_by is None or self.kept is None:
            raise ConfigError("This fit was loaded from a file, without its data, so there is nothing to plot.")
        return self.shown_by.plot(
            self, log=log, x_label=x_label, y_label=y_label, title=title, size=size, residuals=residuals
        )

    def animate(self) -> Any:
        """Return the run as an animation, which a notebook shows: the moving curve, and the path over J.

        Its ``save`` writes a page (``.html``), a ``.gif`` or a video (``.mp4``); see ``report.animation.Animation``.
        """
        if self.shown_by is None or self.kept is None:
            raise ConfigError("This fit was loaded from a file, without its steps, so there is nothing to animate.")
        return self.shown_by.animate(self)

    def report(
        self, path: str | os.PathLike[str], *, intervals: Intervals | None = None, command: str | None = None
    ) -> None:
        """Write a page, ``.html``, that opens without a network: the answer, its pictures, and how to repeat it.

        intervals: those to show, of ``intervals``; 95% t intervals if not given. command: the command line that was
        typed; one that does the same if not given.

        Raises OutputError if it cannot be written there.
        """
        if self.shown_by is None or self.kept is None:
            raise ConfigError("This fit was loaded from a file, without its data, so there is nothing to report on.")
        self.shown_by.page(self, path, intervals, command)

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows."""
        return None if self.shown_by is None else self.shown_by.short(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy holds, in this process or another: all but the table, and rows that lie elsewhere.

        Pickle is the user's own means; descend itself writes and reads JSON alone.
        """
        from descend.results.store import content_of

        state = dict(self.__dict__) | {"diagnosis": self.diagnosis, "column_types": self.column_types}
        state |= {"examine": None, "table": None, "call": partial(dict, self.call())}
        state.pop("profile_sides", None)
        if self.kept is not None and not self.kept.in_memory:
            state |= {"kept": None, "stored": content_of(self)}
        if self.shown_by is not None:
            state["shown_by"] = getattr(self.shown_by, "__name__", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        name = state["shown_by"]
        self.__dict__.update(state | {"shown_by": None if name is None else import_module(name)})

    def summary(self) -> dict[str, Any]:
        """Return the fit as plain values: the object that `--json` prints."""
        return summary(self)

    def mentioned(self, digits: int = 6) -> str:
        """Write the first parameters on a line, to ``digits`` digits or down to their standard errors."""
        model, errors = self.model, self.standard_errors if self.kept is not None and self.kept.in_memory else None
        if model.in_place or errors is None:
            return model.parameters.mentioned(self.theta, digits)
        shapes = model.parameters if self.constraints is None else self.constraints.whole
        by_label = dict(zip(shapes.labels, shapes.flat(errors).tolist(), strict=True))
        return model.parameters.mentioned(self.theta, digits, errors=by_label)

    def __repr__(self) -> str:
        values = self.mentioned() or f"{self.model.parameters.size} parameters"
        epochs = f"{self.epochs} epoch" + ("" if self.epochs == 1 else "s")
        return f"Fit({self.model}: {values}, loss={self.loss:.6g}, {self.outcome} after {epochs})"
