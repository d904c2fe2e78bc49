"""Do the residuals look like errors: normal, independent and alike? Each check has a p-value and a verdict in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.scored_rows import counted_rows, rows_that_count
from descend.losses import Loss
from descend.showing import Shown

Array = NDArray[np.float64]
SUSPICIOUS = 0.01
"""A p-value below this gets a verdict that something is off."""
FEWEST = 8
"""With fewer rows than this, nothing can be said of the residuals."""
ANY_ORDER = "the rows"
"""The name of the order if no input gives one; the spread is then not tested along it."""
APART = 0.1
"""Singular value above which a direction counts, so that two nearly equal directions are tested as one."""
MEANS_MORE = 1.1
"""Advantage given to growth along the prediction when it is named, since measuring errors often grow with it."""
LEVER = 1e-6
"""Rows with 1 - leverage below this are ignored: the fit passes through them, so their residuals say nothing."""
ROWS = 10_000
"""Most rows judged; of more, a sample, since a fault that so many rows do not show is too small to matter."""
TOGETHER = 100
"""How many neighbouring rows a sample takes at a time, so that it shows whether neighbours are alike."""


@dataclass(frozen=True)
class Check:
    """One test of the residuals.

    statistic: its value. p: the probability of one as extreme if the errors are normal, alike and independent.
    verdict: what that means, in a sentence.
    """

    name: str
    statistic: float
    p: float
    verdict: str

    @property
    def suspicious(self) -> bool:
        return self.p < SUSPICIOUS


@dataclass(frozen=True)
class Diagnostics(Shown):
    """The checks of a fit's residuals; none if they cannot be judged, and ``note`` then says why.

    lag_one: correlation of each residual with the next. rows: how many were judged. sampled: the number of rows from
    which these were sampled; 0 if all were judged.
    """

    checks: tuple[Check, ...]
    lag_one: float | None = None
    note: str = ""
    rows: int = 0
    sampled: int = 0

    def __getitem__(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)

    @property
    def warning(self) -> str:
        """One sentence on what is off; empty if nothing is."""
        verdicts = "; ".join(check.verdict for check in self.checks if check.suspicious)
        return f"{verdicts}; judged by a sample of {self.rows:,} rows" if verdicts and self.sampled else verdicts


def diagnostics_of(solution: Solution) -> Diagnostics:
    """Check the residuals of a fit (see ``Fit.diagnostics``)."""
    refuse_unknown_distribution(solution.loss_function, solution.model.in_place)
    if solution.objective.arrow:
        return Diagnostics(
            (), note=f"with {solution.theta.size:,} parameters, most of one group each, residuals are not judged"
        )
    many = solution.rows > ROWS
    rows = rows_that_count(solution, ROWS, TOGETHER) if many else counted_rows(solution)
    root = np.sqrt(rows.omega)
    residuals = rows.y - rows.score
    if np.abs(residuals).max() <= 1e-12 * np.abs(rows.y).max():
        return Diagnostics((), note="the model fits perfectly, so only rounding is left to judge")
    row_order: slice | NDArray[np.intp] = slice(None)
    order = ANY_ORDER
    if len(solution.model.inputs) == 1:
        row_order = np.argsort(solution.columns[solution.model.inputs[0]][rows.places], kind="stable")
        order = f"`{solution.model.inputs[0]}`"
    jacobian = (rows.jacobian * root[:, None])[row_order]
    residual_checks = diagnose((root * residuals)[row_order], jacobian, order, rows.score[row_order])
    return replace(residual_checks, sampled=solution.rows) if many else residual_checks


def refuse_unknown_distribution(loss: Loss, module: bool) -> None:
    """Raise ConfigError where it is not known how residuals would be distributed."""
    if module or not loss.quadratic:
        subject = "a module" if module else f"the {loss.name} loss"
        raise ConfigError(f"The residuals of {subject} have no known distribution to be checked against.")


def diagnose(residuals: Array, jacobian: Array, order: str, predicted: Array | None = None) -> Diagnostics:
    """Check residuals, given in the order in which neighbours might depend on each other.

    residuals: (rows,) sqrt(omega) times observed less predicted. jacobian: (rows, p) sqrt(omega) times the derivatives
    of the prediction. order: the name of what orders them. predicted: (rows,) predictions, to test the spread along.
    """
    rows, size = jacobian.shape
    if rows < max(FEWEST, size + 3):
        return Diagnostics((), note=f"{rows} rows with {size} parameters are too few to judge the residuals")
    checks = [normality(residuals), autocorrelation(residuals, jacobian, order), runs(residuals, order)]
    if predicted is not None and (spread := variance(residuals, jacobian, predicted, order)) is not None:
        checks.append(spread)
    return Diagnostics(
        tuple(checks),
        float(residuals[1:] @ residuals[:-1] / (residuals @ residuals)),
        rows=rows,
    )


def normality(residuals: Array) -> Check:
    """Anderson-Darling test of normality, with mean and variance estimated.

    With z the ordered standardized residuals:
        A**2 = -n - sum (2 i - 1) (log Phi(z_i) + log Phi(-z_(n+1-i))) / n,   corrected by 1 + 0.75/n + 2.25/n**2

    Source: Anderson & Darling (1952); p-value, D'Agostino & Stephens (1986), Goodness-of-Fit Techniques, table 4.9.
    """
    n = len(residuals)
    z = np.sort((residuals - residuals.mean()) / residuals.std(ddof=1))
    weights = 2.0 * np.arange(1, n + 1) - 1.0
    square = -n - float(weights @ (_log_normal(z) + _log_normal(-z[::-1]))) / n
    a = square * (1.0 + 0.75 / n + 2.25 / n**2)
    if a >= 0.6:
        p = math.exp(1.2937 - 5.709 * a + 0.0186 * a * a) if a < 13.0 else 0.0
    elif a > 0.34:
        p = math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    elif a > 0.2:
        p = 1.0 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    else:
        p = 1.0 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)
    verdict = "are not normal" if p < SUSPICIOUS else "may be normal"
    return Check("normality", a, p, f"the residuals {verdict} (Anderson-Darling, p = {p:.2g})")


def autocorrelation(residuals: Array, jacobian: Array, order: str) -> Check:
    """Durbin-Watson test of whether neighbouring residuals are alike or opposed.

    d = sum (e_t - e_(t-1))**2 / sum e_t**2, near 2 if they are independent. The p-value is two-sided, from the mean and
    variance of d given the jacobian (exact for a linear model, else for its tangent), with d taken as normal.

    Source: Durbin & Watson (1950), Biometrika 37, 409-428, and (1951) 38, 159-177.
    """
    n, size = jacobian.shape
    d = float(np.square(np.diff(residuals)).sum() / (residuals @ residuals))
    basis, _ = np.linalg.qr(jacobian)
    second = _differenced(basis)
    inner = basis.T @ second
    trace = 2.0 * (n - 1) - float(np.trace(inner))
    squares = 2.0 * (3 * n - 4) - 2.0 * float(np.square(second).sum()) + float(np.square(inner).sum())
    mean = trace / (n - size)
    variance = 2.0 * (squares - trace * mean) / ((n - size) * (n - size + 2))
    p = _two_sided((d - mean) / math.sqrt(variance))
    how = "alike" if d < mean else "opposed"
    outcome = f"are {how}" if p < SUSPICIOUS else "may be independent"
    verdict = f"neighbouring residuals {outcome}, in the order of {order} (Durbin-Watson {d:.3g}, p = {p:.2g})"
    return Check("autocorrelation", d, p, verdict)


def runs(residuals: Array, order: str) -> Check:
    """Wald-Wolfowitz test of whether the signs of the residuals change as often as by chance.

    With n+ and n- residuals above and below zero, the number of runs has mean 1 + 2 n+ n- / n and variance
    2 n+ n- (2 n+ n- - n) / (n**2 (n - 1)); the p-value is two-sided, normal. Residuals of zero are left out.

    Source: Wald & Wolfowitz (1940), Ann. Math. Statist. 11, 147-162.
    """
    signs = residuals[residuals != 0.0] > 0.0
    n, above = len(signs), int(signs.sum())
    count = 1 + int(np.count_nonzero(signs[1:] != signs[:-1]))
    both = 2.0 * above * (n - above)
    variance = both * (both - n) / (n * n * (n - 1.0)) if n > 1 else 0.0
    mean = 1.0 + both / n if n else 0.0
    p = _two_sided((count - mean) / math.sqrt(variance)) if variance > 0.0 else 1.0
    how = "too seldom" if count < mean else "too often"
    outcome = f"change {how}" if p < SUSPICIOUS else "change as by chance"
    verdict = f"the signs of the residuals {outcome}, in the order of {order} ({count} runs, p = {p:.2g})"
    return Check("runs", float(count), p, verdict)


def variance(residuals: Array, jacobian: Array, predicted: Array, order: str) -> Check | None:
    """Breusch-Pagan test, studentised by Koenker, of whether all residuals have the same spread.

    With h_i the leverages and u_i = e_i**2 / (1 - h_i), take n R**2 of the regression of u on 1, the prediction, and
    the place in the order. If the spread depends on neither, it is chi-squared whatever the distribution of the errors,
    with 2 degrees of freedom, or 1 if prediction and order are nearly the same. None if neither varies.

    Source: Breusch & Pagan (1979), Econometrica 47, 1287-1294; Koenker (1981), J. Econometrics 17, 107-112.
    """
    n = len(residuals)
    basis, _ = np.linalg.qr(jacobian)
    left = 1.0 - np.square(basis).sum(axis=1)
    telling = left > LEVER
    squares = np.where(telling, np.square(residuals) / np.where(telling, left, 1.0), 0.0)
    squares = np.where(telling, squares - squares.sum() / max(int(telling.sum()), 1), 0.0)
    by = {"the prediction": predicted}
    if order != ANY_ORDER:
        by[order] = np.arange(float(n))
    along = np.column_stack(list(by.values()))
    along = along - along.mean(axis=0)
    along /= np.maximum(np.sqrt(np.square(along).sum(axis=0)), np.finfo(float).tiny)
    basis, sizes, _ = np.linalg.svd(along, full_matrices=False)
    basis, total = basis[:, sizes > APART], float(squares @ squares)
    if not basis.shape[1] or not total > 0.0:
        return None
    statistic = n * float(np.square(basis.T @ squares).sum()) / total
    p = math.erfc(math.sqrt(statistic / 2.0)) if basis.shape[1] == 1 else math.exp(-statistic / 2.0)
    growth = dict(zip(by, (along.T @ squares).tolist(), strict=True))
    most = max(growth, key=lambda name: abs(growth[name]) * (1.0 if name == order else MEANS_MORE))
    verdict = "may spread alike"
    if p < SUSPICIOUS:
        verdict = f"spread {'more' if growth[most] > 0.0 else 'less'} where {most} is larger"
    return Check("variance", statistic, p, f"the residuals {verdict} (Breusch-Pagan, p = {p:.2g})")


def _differenced(matrix: Array) -> Array:
    """Return A X, where x' A x is the sum of squared differences of neighbouring components of x."""
    steps = np.diff(matrix, axis=0)
    result = np.zeros_like(matrix)
    result[:-1] -= steps
    result[1:] += steps
    return result


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2.0))


def _log_normal(z: Array) -> Array:
    """Return log Phi(z); far out, where Phi underflows, by the first terms of its expansion."""

    def log_normal(value: float) -> float:
        if value > -30.0:
            return math.log(0.5 * math.erfc(-value / math.sqrt(2.0)))
        return -0.5 * value * value - math.log(-value * math.sqrt(2.0 * math.pi))

    return np.array([log_normal(value) for value in z.tolist()])
