"""What is known about a fit: where and how it ended, and what follows from that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.descent.solution import Named, Solution
from descend.descent.step import Trace
from descend.inference.inferred import Inferred
from descend.losses import Loss
from descend.models import Model
from descend.parameters import Constraints

if TYPE_CHECKING:
    from descend.diagnosis import Cause, Diagnosis
    from descend.formula.printers.filled import Rounding
    from descend.inference.accuracy.guarantee import Guarantee
    from descend.inference.covariance.correlation import Correlation
    from descend.inference.covariance.inverse_curvature import Covariance
    from descend.inference.estimates import Estimates
    from descend.inference.goodness.chi_square import Goodness
    from descend.inference.goodness.diagnostics import Diagnostics
    from descend.inference.goodness.likelihood import Criteria
    from descend.inference.goodness.penalty_path import PenaltyPath
    from descend.inference.intervals import Intervals
    from descend.inference.priors.weights import PriorWeight
    from descend.inference.quantities.estimate import Estimated
    from descend.inference.rows.outliers import Outliers
    from descend.inference.scatter_of_rows import Scatter
    from descend.inference.units import Texts

Array = NDArray[np.float64]
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted(ABC):
    """The result of a fit, or what a model file holds of one.

    theta: the parameters as one flat vector, or a stand-in for those of a module; ``parameters`` has them by name.
    loss: J there, penalties included. rows: how many were used. epochs: how many were run.
    passes: how often all rows were read; reading a sample counts as its share of them.
    outcome: how the run ended; cause, evidence: why, if it was not healthy; advice: what to do about it, in words.
    trace: the steps; empty for a fit that was loaded.
    gradient, optimizer, engine: which were used. learning_rate: of the first step; None where there is none.
    seconds: from the call to the result, all included; for a resumed run, with the time before it was interrupted.
    penalised: whether J includes a penalty. weights, sigma: the columns of relative row weights, of known deviations.
    undetermined: the labels of the parameters that the data do not determine; a note says why.
    notes: what was chosen or noticed on the way, in sentences. failures: results that could not be computed, and why,
    among those asked for so far.
    from_start: where the user's own start led, if a search found a lower minimum, which is then this fit.

    What follows from the solution is computed when it is first asked for, and kept. All of it is quick, except `cause`,
    `evidence` and `advice` of a run that seems well: these may take as long as the run itself, or a second. For a run
    that failed they are known at its end.
    """

    solution: Solution | None
    """What the descent found, with its rows and objective; None for a loaded fit."""
    model: Model
    theta: Any
    loss: float
    rows: int
    passes: float
    epochs: int
    outcome: Outcome
    gradient: str
    optimizer: str
    learning_rate: float | None
    engine: str
    seconds: float
    penalised: bool
    weights: str | None
    sigma: str | None
    undetermined: tuple[str, ...]
    notes: tuple[str, ...]
    trace: Trace = field(default_factory=Trace)
    failures: list[str] = field(default_factory=list)
    from_start: Fitted | None = None
    _epochs_given: bool
    """Whether the user asked for this number of epochs, so that running them all is a success."""

    @property
    @abstractmethod
    def diagnosis(self) -> Diagnosis:
        """Why the run failed or fell short: its cause, the evidence, and what to do; none for a healthy run."""

    @abstractmethod
    def _inferred(self, name: str, function: Callable[[Solution], Value]) -> Value:
        """Return ``function`` of the solution, or what the file holds under ``name``."""

    @abstractmethod
    def estimates(self, kind: str | None = None) -> Estimates:
        """Return the parameters with their covariance, of a kind (see ``covariance_of``), and what it rests on."""

    @abstractmethod
    def _solved(self, otherwise: str, without: str = "data") -> Solution:
        """Return the solution. A loaded fit raises ConfigError: it came "without its ``without``, so ``otherwise``"."""

    @property  # What was fitted, and how it ended.
    def parameters(self) -> Named:
        """Parameters by name: a float for a scalar, an array for a vector; fixed and tied ones too."""
        return self.model.complete(self.theta)

    @property
    def loss_function(self) -> Loss:
        return self.model.loss

    @property
    def constraints(self) -> Constraints | None:
        """Which parameters are fixed, tied or bounded, if any are."""
        return self.model.constraints

    scatter: ClassVar[Inferred[Scatter | None]] = Inferred("scatter_of_rows:scatter_of")
    """How rows scatter, where a covariance of them was given or a variance estimated (see ``Scatter``); else None."""
    column_types: ClassVar[Inferred[dict[str, str]]] = Inferred("columns:column_types")
    response_levels: ClassVar[Inferred[dict[str, float]]] = Inferred("columns:response_levels")
    """The columns the model reads, and their kinds; what each word of a response of words counts as."""
    outliers: ClassVar[Inferred[Outliers | None]] = Inferred(lambda run: run.answers.get("outliers"))
    """`Outliers`, if they were asked for: rows too far off for normal scatter, listed or left out of this fit."""
    penalty_path: ClassVar[Inferred[PenaltyPath | None]] = Inferred(lambda run: run.answers.get("penalty_path"))
    """`PenaltyPath`, if a penalty was chosen by cross-validation: the error at each that was tried."""
    censored: ClassVar[Inferred[dict[str, int]]] = Inferred("columns:censored")
    """How many responses are censored: ``left``, ``right``, ``interval``; empty if the loss knows of none."""
    measures: ClassVar[Inferred[dict[str, float] | None]] = Inferred(lambda run: dict(run.measures or {}) or None)
    """What else was measured of a module: ``validation_loss``, and metrics by name."""
    at_bound: ClassVar[Inferred[list[str]]] = Inferred("determined:at_bound")
    """The labels of the parameters that ended at a bound."""

    @property
    def succeeded(self) -> bool:
        """Whether the run converged, ran all the epochs that were asked for, or ended by `patience`."""
        ended = self.outcome in (Outcome.CONVERGED, Outcome.STOPPED_EARLY)
        return ended or (self.outcome is Outcome.EPOCHS_USED_UP and self._epochs_given)

    @property
    def cause(self) -> Cause | None:
        """Why the run failed or fell short; None for a healthy one."""
        return self.diagnosis.cause

    @property
    def evidence(self) -> dict[str, Any]:
        """The numbers and names from which ``cause`` was found."""
        return dict(self.diagnosis.evidence)

    @property
    def advice(self) -> str:
        """What to do about how the run ended, in a sentence or two."""
        return self.diagnosis.advice or self._inferred("advice", lambda solution: solution.advice)

    units: ClassVar[Inferred[Texts]] = Inferred("units:units_of")
    """The unit of each parameter, quantity and column by name, where it is known; ``1`` of a pure number."""

    # How certain the parameters are.

    kind_of_errors: ClassVar[Inferred[str]] = Inferred("covariance.standard_errors:kind_of_errors")
    """How ``standard_errors`` were found: "model", "sandwich" or another kind of ``covariance_of``."""
    clusters: ClassVar[Inferred[dict[str, int]]] = Inferred("covariance.standard_errors:clusters")
    """How many clusters there are, by the column that tells them apart; empty unless ``errors`` are clustered."""
    covariance: ClassVar[Inferred[Covariance | None]] = Inferred("covariance.standard_errors:covariance")
    """(p, p) covariance of the flat parameters, of the kind ``kind_of_errors``; None if there is none."""
    standard_errors: ClassVar[Inferred[Named | None]] = Inferred("covariance.standard_errors:standard_errors")
    """Standard errors by name, in the shapes of ``parameters``; None where there is no covariance.

    Those of tied parameters are by the delta method; NaN for what is fixed, at a bound or undetermined.
    """
    correlation: ClassVar[Inferred[Correlation | None]] = Inferred("covariance.standard_errors:correlation")
    """(p, p) correlation of the flat parameters, indexed by place or by name; None where there is no covariance."""
    priors: ClassVar[Inferred[tuple[PriorWeight, ...]]] = Inferred("priors.weights:prior_weights")
    """How much each prior weighs in the estimates (see ``PriorWeight``)."""
    at_minimum: ClassVar[Inferred[bool]] = Inferred("accuracy.digits:errors_hold")
    """Whether the run ended near enough to the minimum for the standard errors to be trusted."""
    digits: ClassVar[Inferred[Named | None]] = Inferred("accuracy.digits:digits")
    """How many decimal digits of each parameter are right, in the shapes of ``parameters``.

    This says how near the minimum the run stopped, not how well the data determine a parameter: see standard errors.
    None where it cannot be told. Where inputs have errors, or groups are very many, it reads all rows anew (see
    ``inference.accuracy.digits.digits``).
    """
    guarantee: ClassVar[Inferred[Guarantee | None]] = Inferred("accuracy.guarantee:guarantee")
    """A certain bound on the distance to the minimum, where J is convex; None elsewhere (see ``Guarantee``)."""
    guarantee_values: ClassVar[Inferred[dict[str, object] | None]] = Inferred("accuracy.guarantee:guarantee_values")
    """The guarantee as plain values, as in a model file."""

    def covariance_of(self, kind: str) -> Covariance | None:
        """Return the (p, p) covariance of the flat parameters; None if the data or a penalty do not allow one.

        Entries of parameters that the data do not determine by themselves are NaN.

        kind: ``"model"``, from the curvature of J at the minimum: right if the residuals are alike and independent
            (squared), or the rows have the distribution of the loss (poisson, logistic). With ``sigma`` the scale of
            the residuals is taken as known, otherwise it is estimated: s**2 = sum omega r**2 / (n - p). That is the
            expected (Fisher) information, as in R's `glm`; ``"observed"``: of all second derivatives of J.
            ``"sandwich"``, right even if they are not alike: HC3, or for absolute and pinball a kernel estimate
            (see ``inference.covariance.sandwich``); ``"HC0"`` to ``"HC3"`` by name. ``"iid"``, of a robust loss whose
            residuals are alike, as MASS's rlm. ``"cluster(site)"``, where rows of a site depend on each other.
        """
        from descend.inference.intervals import checked_errors

        checked = checked_errors(kind, self.loss_function, (self.weights, self.sigma) != (None, None))
        return self.estimates(checked).covariance

    quantities: ClassVar[Inferred[Mapping[str, Estimated]]] = Inferred("quantities.quantities_asked:quantities_of")
    """The quantities asked for in the fit, by name: value, standard error, and 95% t interval."""
    delta: ClassVar[Inferred[dict[str, Array]]] = Inferred("columns:delta")
    """How far the true values of inputs that have errors lie from the measured ones. ``ranges``: those of the data."""
    ranges: ClassVar[Inferred[dict[str, tuple[float, float]]]] = Inferred("columns:ranges")

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

        level: the share of data sets whose interval would contain the true value.
        method: ``"t"``, estimate -+ t quantile * standard error. ``"sandwich"``, the same with robust errors.
            ``"profile"``, every value of a parameter at which the others can still make the data likely enough; ends
            that the data leave open are infinite. ``"bootstrap"``, from fits to ``resamples`` samples of the rows,
            drawn with replacement, reproducibly by ``seed``; ``on_resample`` is called with the number done so far.

        No end is beyond a bound; tied parameters have intervals too. Raises ConfigError where there are none.
        """
        from descend.inference.intervals import checked_level, checked_method, refuse_clusters

        level, method = checked_level(level), checked_method(method)
        refuse_clusters(self.clusters, method)
        intervals = self._intervals(level, method, resamples, seed, on_resample)
        if self.quantities:
            from descend.inference.quantities.interval_methods import estimated_quantities

            texts = {name: each.text for name, each in self.quantities.items()}
            estimates = self.estimates("sandwich" if method == "sandwich" else None)
            intervals.quantities = estimated_quantities(texts, estimates, self.solution, level, method, resamples, seed)
        return intervals

    def _intervals(
        self, level: float, method: str, resamples: int, seed: int, on_resample: Callable[[int], None] | None
    ) -> Intervals:
        if method in ("t", "sandwich"):
            from descend.inference.intervals import checked_errors, t_intervals

            checked_errors(None if method == "t" else method, self.loss_function)
            return t_intervals(self.estimates("sandwich" if method == "sandwich" else None), level, method)
        solution = self._solved(f"it has no {method} intervals. Fit again to get them.")
        if method == "profile":
            from descend.inference.profile.intervals import profile_intervals

            return profile_intervals(solution, level)
        from descend.inference.bootstrap import bootstrap_intervals

        return bootstrap_intervals(solution, level, resamples, seed, on_resample)

    # How good the fit is.

    degrees_of_freedom: ClassVar[Inferred[float | None]] = Inferred("statistics:degrees_of_freedom")
    """Rows with a weight above 0, minus the number of parameters that are free to move and not redundant."""
    error_degrees: ClassVar[Inferred[float]] = Inferred("covariance.standard_errors:degrees_of_errors")
    """Degrees of freedom of the standard errors: infinite where the scale is known; of clustered ones clusters - 1."""
    residual_standard_deviation: ClassVar[Inferred[float | None]] = Inferred("statistics:residual_standard_deviation")
    """sqrt(sum omega r**2 / degrees of freedom), for a row of weight 1; None unless the loss is squared.

    With ``sigma`` the residuals are measured in sigmas, so it is near 1 if the sigmas are right.
    """
    r_squared: ClassVar[Inferred[float | None]] = Inferred("statistics:r_squared")
    """1 - sum of squared residuals / sum of squares about the mean of the response; None if it never changes."""
    r_squared_about_zero: ClassVar[Inferred[float | None]] = Inferred("statistics:r_squared_about_zero")
    """1 - sum of squared residuals / sum of squares of the response, for a line without a constant; None otherwise.

    This is what R reports for a line through the origin, whose residuals do not add up to 0.
    """
    dispersion: ClassVar[Inferred[float | None]] = Inferred("statistics:dispersion_of")
    """phi, of which the variance of a response is a multiple (see ``inference.statistics.dispersion_of``)."""
    deviance: ClassVar[Inferred[float | None]] = Inferred("goodness.chi_square:deviance_of")
    """Twice the log-likelihood lost against one mean for each row (see ``inference.goodness.chi_square``)."""
    goodness: ClassVar[Inferred[Goodness | None]] = Inferred("goodness.chi_square:goodness_of")
    """Chi-square, where sigma or the distribution says how much the data should scatter (see ``Goodness``)."""
    criteria: ClassVar[Inferred[Criteria | None]] = Inferred("goodness.likelihood:criteria_of")
    """Log-likelihood, AIC, AICc and BIC (see ``Criteria``); None for robust losses, penalties and modules."""

    @property
    def log_likelihood(self) -> float | None:
        """See ``inference.goodness.likelihood.log_likelihood``; None where there are no ``criteria``."""
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

    @property
    def residuals(self) -> Array:
        """Observed less predicted response of each row. Raises ConfigError for classes, which have no difference."""
        from descend.inference.statistics import residuals

        self.loss_function.refuse_classes("no residuals")
        return residuals(self._solved("it has no residuals. Fit again to get them."))

    def diagnostics(self) -> Diagnostics:
        """Check whether the residuals look like normal, independent errors, each check with a verdict in words.

        Residuals are weighted, and ordered by the input if there is one, else as the rows are. Of more than 10,000 rows
        a sample of 10,000 is judged, taken a hundred neighbours at a time. Squared loss only: raises ConfigError for
        other losses, for modules, and for a fit that was loaded.
        """
        from descend.inference.goodness.diagnostics import diagnostics_of, refuse_unknown_distribution

        refuse_unknown_distribution(self.loss_function, self.model.in_place)
        return diagnostics_of(self._solved("it has no residuals. Fit again to get them."))

    rounding: ClassVar[Inferred[Rounding]] = Inferred("equation:rounding")
    """By how much each parameter may be rounded in the fitted equation (see ``inference.equation.rounding``)."""

    @property
    def fitted_formula(self) -> str:
        """The formula with its values, to as many digits as predictions need; empty for a Python function."""
        from descend.inference.equation import equation

        return equation(self.model, self.parameters, self.rounding)

    def mentioned(self, digits: int = 6) -> str:
        """Write the first parameters on a line, to ``digits`` digits or down to their standard errors."""
        in_memory = self.solution is not None and self.solution.in_memory
        errors = self.standard_errors if in_memory else None
        if errors is None or self.model.in_place:
            return self.model.parameters.mentioned(self.theta, digits)
        shapes = self.model.every_parameter
        by_label = dict(zip(shapes.labels, shapes.flat(errors).tolist(), strict=True))
        return self.model.parameters.mentioned(self.theta, digits, errors=by_label)
