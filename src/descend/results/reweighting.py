"""Weights that follow from the prediction itself: the fit is repeated until they no longer change."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.descent import Step
from descend.descent.outcome import Outcome
from descend.errors import ConfigError, DataError
from descend.formula.computed_column import PREDICTION, Computed, read_computed
from descend.inference.statistics import degrees_of_freedom
from descend.losses import LOSSES
from descend.options.request import Request
from descend.results.solved import SolvedFit
from descend.table import Table
from descend.table.rows import Rows, Weighing
from descend.wording import spell

Array = NDArray[np.float64]
Fitting = Callable[[Request, Callable[[Step], None] | None], SolvedFit]
"""Fits a request whose weights are known."""
ROUNDS = 200
SETTLED = 1e-10
"""Largest relative change of a standard deviation at which the weights have settled."""
ROUNDING, ALIKE = 1e-13, 1e-10
"""Residuals that are a smaller share of the predictions are rounding; predictions that differ by less are alike."""
NO_POWER = "The data do not determine the power of the variance:"
EXTREME = 100.0
"""Logarithm of the ratio of two standard deviations from which on an estimate has run away."""
SPARE = 3
"""Rows beside those that the curve takes from which on a power is looked for."""
EARLY, FLOOR = 5, 0.02
"""In the first rounds, while the curve is not known, no standard deviation is below this share of their median."""


@dataclass(frozen=True)
class OfPrediction:
    """A sigma, or weights, that an expression of columns and the prediction gives."""

    role: str
    computed: Computed

    @property
    def text(self) -> str:
        return self.computed.text

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is computed from."""
        return tuple(name for name in self.computed.columns if name != PREDICTION)

    def weighing(self, prediction: Array, left: Array, rows: Rows) -> Weighing:
        """Return the weights that belong to predictions and residuals."""
        columns = {**rows.columns, PREDICTION: prediction}
        values = self.computed.over(columns, rows.count)
        return Weighing(self.role, self.text, np.abs(values) if self.role == "sigma" else values)


@dataclass(frozen=True)
class OfVariance:
    """A standard deviation s |f|**p, or s exp(p f), of the prediction f, with p estimated.

    Given predictions and residuals r, with z = log |f| or f, p is where the likelihood of the residuals is largest:

        l(p) = -n/2 log sum r**2 exp(-2 p z) - p sum z,   l'' = -2 n Var(z),

    the variance of z weighted by r**2 exp(-2 p z). The curve is then fitted again with weights exp(-2 p z), until
    neither changes: generalised least squares with pseudo-likelihood, which is what nlme's ``gnls`` gives with
    ``varPower()`` and ``varExp()``. The standard error of p is 1 / sqrt(-l'').

    Source: Carroll & Ruppert (1988), Transformation and Weighting in Regression, ch. 3; Davidian & Carroll (1987),
    J. Am. Stat. Assoc. 82, 1079-1091.
    """

    form: str

    text = "the variance"
    columns: ClassVar[tuple[str, ...]] = ()

    def weighing(self, prediction: Array, left: Array, rows: Rows) -> Weighing:
        """Return the weights that belong to predictions and residuals."""
        along = self._along(prediction)
        if not np.abs(left).max() > ROUNDING * np.abs(prediction).max():
            raise DataError(f"{NO_POWER} the curve meets every row.")
        power, error = estimated_power(left, along)
        if not abs(power * float(np.ptp(along))) < EXTREME:
            raise DataError(
                f"The variance has no {self.form} that fits: p runs away, to {power:.3g}. Leave out "
                f"{spell('variance')}, or look for what the formula misses."
            )
        name = "1/abs(prediction)^" if self.form == "power" else "exp(-prediction*"
        text = f"{name}({2.0 * power!r})" + ("" if self.form == "power" else ")")
        return Weighing("weights", text, np.exp(-2.0 * power * along), (self.form, power, error))

    def _along(self, prediction: Array) -> Array:
        if self.form == "exponential":
            return prediction
        if not prediction.all():
            row = int(np.argmin(prediction != 0.0))
            raise DataError(
                f"The prediction is 0 in row {row + 1}, of which no power says how far it scatters. Leave such rows "
                f"out, or use {spell('variance', 'exponential')}."
            )
        return np.log(np.abs(prediction))


def estimated_power(left: Array, along: Array) -> tuple[float, float]:
    """Return p and its standard error (see ``OfVariance``). left: residuals; along: z.

    Raises DataError where p is not determined.
    """
    squares, mean = left * left, float(along.mean())
    centred = along - mean
    if not np.ptp(along) > ALIKE * np.abs(along).max():
        raise DataError(f"{NO_POWER} the predictions are all alike.")

    def moments(power: float) -> tuple[float, float]:
        exponent = -2.0 * power * centred
        weights = squares * np.exp(exponent - exponent.max())
        weights = weights / weights.sum()
        first = float(weights @ centred)
        return first, float(weights @ (centred - first) ** 2)

    low, high, power = -math.inf, math.inf, 0.0
    for _ in range(ROUNDS):
        slope, spread = moments(power)  # l' / n, which falls as p rises, and -l'' / (2 n)
        low, high = (power, high) if slope > 0.0 else (low, power)
        step = slope / (2.0 * spread) if spread > 0.0 else math.copysign(1.0, slope)
        ahead = power + float(np.clip(step, -2.0, 2.0))
        if not low < ahead < high:
            ahead = 0.5 * (low + high)
        if abs(ahead - power) <= 1e-14 * max(abs(power), 1.0):
            break
        power = ahead
    error = 1.0 / math.sqrt(2.0 * len(left) * spread) if spread > 0.0 else math.inf
    return power, error


def reweighted(request: Request, table: Table, fit: Fitting, on_step: Callable[[Step], None] | None) -> SolvedFit:
    """Return the fit whose weights are those of its own predictions.

    At the end the gradient of the weighted squares is zero with the weights held, sum omega(f) r df/dtheta = 0: not the
    minimum of sum omega(f) r**2, which large predictions make small whatever the data.

    Source: Wedderburn (1974), Biometrika 61, 439-447; Motulsky & Brown (2006), on relative weighting.

    Raises ConfigError for rows that are not in memory, and for a loss that is not squared.
    """
    _refuse(request)
    rule = _rule(request, table)
    plain = request.but(sigma=None, weights=None, variance=None, weighed_by=rule.columns)
    quiet = plain.but(
        quantities=None, checkpoint=None, errors=None, bare=True, optimizer=None, learning_rate=None, epochs=None
    ).but(schedule="constant", batch_size=None, tolerance=None, time_limit=None)
    weighted_fit, before, settled, number = fit(quiet, None), None, False, 0
    for number in range(1, ROUNDS + 1):
        weighing, change = _next(rule, weighted_fit, before, number)
        settled = before is not None and change <= SETTLED
        start = weighted_fit.model.parameters.named(weighted_fit.theta)
        if settled:
            break
        weighted_fit = fit(quiet.but(weighing=weighing, start=start, second_look=False), None)
        before = weighing
    again = f"settled after {number} rounds of reweighting" if settled else "did not settle by reweighting"
    notes = (*plain.notes, f"{_named(rule)} {again}")
    last = fit(plain.but(weighing=weighing, start=start, second_look=False, notes=notes), on_step)
    return last if settled or not last.succeeded else _unsettled(last, rule)


def _next(
    rule: OfPrediction | OfVariance, fit: SolvedFit, before: Weighing | None, number: int
) -> tuple[Weighing, float]:
    """Return the weights of the predictions of a fit, and by how much, relatively, a standard deviation changed."""
    solution = fit.solution
    if solution.all_rows is not None:
        raise ConfigError(_not_in_memory())
    prediction = fit.model.predict(fit.theta, solution.columns)
    left = fit.model.observed(solution.columns) - prediction
    scattered = bool(np.abs(left).max() > ROUNDING * np.abs(prediction).max())
    spare = degrees_of_freedom(solution)
    if isinstance(rule, OfVariance) and spare is not None and spare < SPARE and scattered:
        raise DataError(
            f"{solution.rows:,} rows leave {max(int(spare), 0)} beside {fit.theta.size} parameters, too few to tell "
            f"how their scatter changes. Leave out {spell('variance')}, or give more rows."
        )
    weighing = rule.weighing(prediction, left, solution.sample)
    sizes = weighing.deviations
    if number <= EARLY and np.isfinite(sizes).any():
        usual = float(np.median(np.abs(sizes[np.isfinite(sizes)])))
        raised = ~(sizes > FLOOR * usual)
        if raised.any():
            return weighing.of_deviations(np.where(raised, FLOOR * usual, sizes)), math.inf
    if before is None or before.values.shape != weighing.values.shape:
        return weighing, math.inf
    ratio = sizes / before.deviations
    ratio = ratio if weighing.role == "sigma" else ratio / float(np.median(ratio))
    return weighing, float(np.abs(ratio - 1.0).max())


def _unsettled(last: SolvedFit, rule: OfPrediction | OfVariance) -> SolvedFit:
    """Return a fit that is told not to have converged."""
    advice = f"{_named(rule).capitalize()} went on changing: give an expression that depends less on the prediction."
    solution = replace(last.solution, outcome=Outcome.STALLED, remedy=advice)
    return replace(last, solution=solution, outcome=Outcome.STALLED)


def _named(rule: OfPrediction | OfVariance) -> str:
    return rule.text if isinstance(rule, OfVariance) else f"{rule.role} `{rule.text}`"


def _rule(request: Request, table: Table) -> OfPrediction | OfVariance:
    if request.variance is not None:
        return OfVariance(request.variance)
    role = "sigma" if request.sigma is not None else "weights"
    text = request.sigma if request.sigma is not None else request.weights
    assert text is not None
    return OfPrediction(role, read_computed(text, table.names, role, (PREDICTION,)))


def _refuse(request: Request) -> None:
    if request.sigma is not None and request.weights is not None:
        raise ConfigError("Both sigma and weights say how far each row is trusted. Give one of them.")
    if request.variance is not None and (request.sigma is not None or request.weights is not None):
        rival = "sigma" if request.sigma is not None else "weights"
        raise ConfigError(
            f"{spell('variance')} estimates how far rows scatter, and {spell(rival)} says so. Leave out one of the two."
        )
    loss = LOSSES.build(request.loss)
    if not loss.quadratic:
        raise ConfigError(
            f"Weights that follow from the prediction go with the squared loss: the {loss.name} loss has its own. "
            "Leave out one of the two."
        )
    if request.engine == "query" or request.memory_limit is not None:
        raise ConfigError(_not_in_memory())


def _not_in_memory() -> str:
    return (
        "Weights that follow from the prediction are computed again and again of rows in memory, but these stay where "
        f"they are. Leave out {spell('engine', 'query')} and {spell('memory_limit')}, or give a column."
    )
