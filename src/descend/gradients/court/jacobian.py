"""The trial of a Jacobian: the derivatives of the predictions, held against the true ones in every row.

Single rows say more than their sum, so that each column is looked at as a whole: a mistake is named only if it explains
the column in every row and at every point, within rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.gradients.court.chain_rule import CONSTANTS, factor_between, usable
from descend.gradients.court.evidence import SAFETY, SINGLE, Case, Rows, natural_scales, points, spread_rows
from descend.gradients.court.judgement import Finding, Judgement
from descend.gradients.court.taylor import extrapolated, taylor_slope
from descend.gradients.court.trial import NOWHERE, Stepped
from descend.gradients.court.wording import FRESH, SLACKS, Mistake, about_factor, plain, roughly, rounded, swapped

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
MOST = 1 << 21
"""Entries that are looked at; of longer columns an evenly spread sample of rows."""
FACTORED = 120
"""Rows in which factors are looked for."""
ALONE = "Return the derivative of the prediction alone"
DRAWS = 3
"""How many sets of rounded inputs are tried."""


@dataclass(eq=False)
class Evidence:
    """A Jacobian under test and the true one at one point, and how far rounding may part them: all (n, p)."""

    theta: Array
    truth: Array
    allowed: Array
    given: Array

    @property
    def right(self) -> NDArray[np.bool_]:
        """(p,) which columns are right."""
        with np.errstate(invalid="ignore"):
            return np.asarray((np.abs(self.given - self.truth) <= self.allowed).all(axis=0))


def hold(
    case: Case,
    jacobian_given: Callable[[Array, Columns], Array],
    turned: bool,
    model: str,
    stepped: Stepped = lambda theta: None,
) -> Judgement:
    """Judge a Jacobian.

    jacobian_given: (theta, columns) -> (n, p). turned: whether the user returns its transpose, (p, n). stepped:
    (theta) -> the same by a complex step, or None; shown beside the others.

    Raises ConfigError if there is no point near the start where J and its gradient are finite.
    """
    scales = natural_scales(case)
    court_points = points(case, scales)
    if not court_points:
        raise ConfigError(NOWHERE)
    rows_chosen = spread_rows(case) if case.rows * case.start.size > MOST and case.model.exact else np.arange(case.rows)
    columns = case.part(rows_chosen)
    strict = [_evidence(case, point.theta, columns, scales, jacobian_given) for point in court_points]
    trial, mistakes = _tried(case, columns, scales, strict)
    square = len(rows_chosen) == case.start.size
    if mistakes and square and not _tried(case, columns, scales, [_turned(each) for each in strict])[1]:
        turned, mistakes = True, {}
    if turned:
        size = (len(rows_chosen), case.start.size)
        mistakes = {k: _transposed(mistakes.get(k), size) for k in range(case.start.size)}
    return _judgement(case, trial, mistakes, rows_chosen, model, stepped)


def _tried(case: Case, columns: Columns, scales: Array, strict: Sequence[Evidence]) -> tuple[Trial, dict[int, Mistake]]:
    """Look for mistakes, and more leniently where differences alone tell the truth and no mistake explains the rest."""
    trials_held: list[tuple[Trial, dict[int, Mistake]]] = []
    for slack in SLACKS[:1] if case.model.exact else SLACKS:
        trial = Trial(case, columns, [_slackened(each, slack) for each in strict], scales, slack)
        mistakes = {int(k): trial.mistake(int(k)) for k in trial.wrong}
        if all(mistake.named for mistake in mistakes.values()):
            return trial, mistakes
        trials_held.append((trial, mistakes))
    return trials_held[0]


def _slackened(each: Evidence, slack: float) -> Evidence:
    return replace(each, allowed=each.allowed + slack * np.abs(each.truth).max(axis=0))


def _evidence(
    case: Case, theta: Array, columns: Columns, scales: Array, jacobian_given: Callable[[Array, Columns], Array]
) -> Evidence:
    """Return the true Jacobian at a point, what rounding in single precision allows, and the one under test."""
    with np.errstate(all="ignore"):
        truth, error = case.model.jacobian(theta, columns, scales)
        rng, spread = np.random.default_rng(20), np.zeros_like(truth)
        for _ in range(DRAWS if case.model.exact else 1):
            moved_theta = theta * (1.0 + SINGLE * rng.choice([-1.0, 1.0], theta.size))
            other_jacobian, _ = case.model.jacobian(moved_theta, columns, scales)
            spread = np.fmax(spread, np.abs(other_jacobian - truth))
        # A row that switches to another branch says nothing about rounding within a branch.
        spread = np.minimum(spread, 100.0 * np.quantile(spread, 0.9, axis=0))
        largest = np.nanmax(np.where(np.isfinite(truth), np.abs(truth), 0.0), axis=0, initial=0.0)
        allowed = SAFETY * (spread + SINGLE * (np.abs(truth) + 0.1 * largest)) + 4.0 * error
        return Evidence(theta, truth, allowed, np.asarray(jacobian_given(theta.copy(), columns), dtype=np.float64))


def _turned(each: Evidence) -> Evidence:
    return Evidence(each.theta, each.truth, each.allowed, each.given.T)


def _transposed(mistake: Mistake | None, size: tuple[int, int]) -> Mistake:
    text = (
        f"it is the transpose. Return {size}: a row for each row of data, a column for each parameter, as `curve_fit` "
        "takes it."
    )
    if mistake is None:
        return Mistake("transposed", text)
    return Mistake(mistake.verdict, f"{mistake.explanation} Besides, {text}", mistake.factor, mistake.ratio)


class Trial:
    """Finds the mistakes in a Jacobian, column by column."""

    def __init__(
        self, case: Case, columns: Columns, evidence_seen: Sequence[Evidence], scales: Array, slack: float = 0.0
    ) -> None:
        self.close = max(2e-5, 2.0 * slack)
        self.case, self.columns, self.seen, self.scales = case, columns, evidence_seen, scales
        self.labels = case.model.parameters.labels
        self.truth, self.allowed, self.given = (
            np.concatenate([getattr(each, name) for each in evidence_seen]) for name in ("truth", "allowed", "given")
        )
        self.wrong = np.flatnonzero(~np.all([each.right for each in evidence_seen], axis=0))

    def mistake(self, k: int) -> Mistake:
        """Return what is wrong with column k."""
        jacobian, truth = self.given[:, k], self.truth[:, k]
        unfinite = np.flatnonzero(~np.isfinite(jacobian) & np.isfinite(truth))
        if unfinite.size:
            row = int(unfinite[0]) % len(self.seen[0].given) + 1
            return Mistake("wrong", f"it is {jacobian[unfinite[0]]:g} in row {row}, where the derivative is finite.")
        if not jacobian.any():
            return Mistake("wrong", "it is 0 everywhere, but the derivative is not.", 0.0)
        return (
            self._remembered(k)
            or self._constant_factor(k)
            or self._swapped(k)
            or self._of_the_loss(k)
            or self._weighted(k)
            or self._factor(k)
            or self._added(k)
            or self._unchanging(k)
            or self._unexplained(k)
        )

    def _same(self, column_given: Array, expected: Array, k: int, size: float = 1.0) -> bool:
        allowed = 2.0 * self.allowed[:, k] * max(1.0, size) + 1e-7 * np.abs(expected)
        with np.errstate(invalid="ignore"):
            return bool((np.abs(column_given - expected) <= allowed).all())

    def _remembered(self, k: int) -> Mistake | None:
        """Look for a column that is the same at every point, though the true one is not."""
        first, *columns = (each.given[:, k] for each in self.seen)
        moves = any(not self._same_at(each.truth[:, k], self.seen[0].truth[:, k], k) for each in self.seen[1:])
        if not columns or not moves or any(not np.array_equal(first, later_column) for later_column in columns):
            return None
        for theta in [self.case.start, *(each.theta for each in self.seen)]:
            truth, _ = self.case.model.jacobian(theta, self.columns, self.scales)
            if self._same_at(first, truth[:, k], k):
                at = ", ".join(f"{name}={value:.4g}" for name, value in zip(self.labels[:4], theta, strict=False))
                return Mistake("stale", f"it is the Jacobian at {at} wherever it is asked for. {FRESH}")
        return None

    def _unchanging(self, k: int) -> Mistake | None:
        first, *later_columns = (each.given[:, k] for each in self.seen)
        if not later_columns or any(not np.array_equal(first, later_column) for later_column in later_columns):
            return None
        return Mistake("stale", f"it does not change with the parameters, though the derivative does. {FRESH}")

    def _same_at(self, column_given: Array, expected: Array, k: int) -> bool:
        allowed = 4.0 * self.seen[0].allowed[:, k] + 1e-7 * np.abs(expected)
        return bool((np.abs(column_given - expected) <= allowed).all())

    def _ratio(self, column_given: Array, expected: Array, k: int) -> float | None:
        """Return the one number by which a column differs from what is expected, if there is one."""
        below = float(expected @ expected)
        if not below > 0.0 or not np.isfinite(below):
            return None
        factor = float(expected @ column_given) / below
        return factor if factor and self._same(column_given, factor * expected, k, abs(factor)) else None

    def _constant_factor(self, k: int) -> Mistake | None:
        factor = self._ratio(self.given[:, k], self.truth[:, k], k)
        if factor is None:
            return None
        factor = rounded(factor, self.close)
        if factor == -1.0:
            return Mistake(
                "sign", "it has the wrong sign, as that of the residual y - prediction. Put a minus before it.", -1.0
            )
        rows = self.case.rows
        if abs(factor * rows - 1.0) < self.close and not plain(factor):
            text = f"it is divided by n = {rows}. The derivative in each row is due, not its share of a mean."
            return Mistake("mean_not_sum", text, factor)
        return Mistake("factor", about_factor(factor), factor)

    def _swapped(self, k: int) -> Mistake | None:
        for m in self.wrong:
            if m == k or not self._same(self.given[:, k], self.truth[:, m], k):
                continue
            back = self._same(self.given[:, m], self.truth[:, k], int(m))
            swap = any(self._same(self.given[:, j], self.truth[:, k], int(j)) for j in self.wrong if j != k)
            if swap:
                return swapped(self.labels, k, int(m), back, "column")
        return None

    def _slopes(self) -> Array:
        loss, model = self.case.model.loss, self.case.model
        y = model.response(self.columns)
        return np.concatenate([loss.slope(model.score(each.theta, self.columns), y) for each in self.seen])

    def _of_the_loss(self, k: int) -> Mistake | None:
        """Look for the gradient of each row's loss."""
        slopes = self._slopes()
        size = float(np.abs(slopes).max())
        for factor in CONSTANTS:
            if np.isfinite(size) and self._same(self.given[:, k], factor * slopes * self.truth[:, k], k, size):
                text = f"it is the gradient of the loss of each row. {ALONE}, without the residual."
                return Mistake("missing_chain_factor", text)
        return None

    def _weighted(self, k: int) -> Mistake | None:
        """Look for rows that are divided by their sigma, or multiplied by their weight."""
        if self.case.weights is None or len(self.case.weights) != len(self.seen[0].given):
            return None
        for weight, done in ((np.sqrt(self.case.weights), "divided by its sigma"), (self.case.weights, "weighted")):
            by = np.tile(weight, len(self.seen))
            if self._ratio(self.given[:, k] / by, self.truth[:, k], k) is not None:
                text = f"each row is {done}, which the fit does itself. {ALONE}."
                return Mistake("missing_chain_factor", text)
        return None

    def _factor(self, k: int) -> Mistake | None:
        """Look for an expression by which the column is off."""
        rows = len(self.seen[0].given)
        some = np.unique(np.linspace(0, rows - 1, min(rows, FACTORED // len(self.seen))).astype(np.intp))
        row = {name: column[some] for name, column in self.columns.items()}
        row_numbers = np.concatenate([some + rows * number for number in range(len(self.seen))])
        options = []
        with np.errstate(all="ignore"):
            for factor in self.case.model.factors(k, tuple(self.columns)):
                value = np.concatenate([np.broadcast_to(factor.of(each.theta, row), len(some)) for each in self.seen])
                if usable(value):
                    options.append((factor.text, value))
        slopes_compared = (self.truth[row_numbers, k], self.given[row_numbers, k], self.allowed[row_numbers, k])
        return factor_between(options, *slopes_compared, CONSTANTS, where="")

    def _added(self, k: int) -> Mistake | None:
        left = self.given[:, k] - self.truth[:, k]
        if self._same(left, np.full(len(left), left.mean()), k):
            return Mistake("wrong", f"it is off by {left.mean():.6g} in every row: a term is too much or too little.")
        return None

    def _unexplained(self, k: int) -> Mistake:
        off = np.abs(self.given[:, k] - self.truth[:, k]) / self.allowed[:, k]
        rows = len(self.seen[0].given)
        worst = int(np.argmax(off[:rows]))
        wrong = int((off[:rows] > 1.0).sum())
        row = f"in row {worst + 1}" + (f", and wrong in {wrong} of the {rows} rows" if wrong < rows else "")
        difference = f"it is {self.given[worst, k]:.6g} where the derivative is {self.truth[worst, k]:.6g} {row}"
        return Mistake("wrong", f"{difference}, and no simple mistake explains it.", named=False)


def _judgement(
    case: Case, trial: Trial, mistakes: Mapping[int, Mistake], rows_chosen: Rows, model: str, stepped: Stepped
) -> Judgement:
    """Return the verdicts, with the numbers of the row that shows the most."""
    first, labels = trial.seen[0], case.model.parameters.labels
    with np.errstate(all="ignore"):
        off = np.abs(first.given - first.truth) / np.abs(first.truth).max(axis=0) if mistakes else np.abs(first.truth)
        row = int(np.argmax(np.nan_to_num(off, nan=0.0, posinf=0.0).sum(axis=1)))
    complex_step = stepped(first.theta)
    judged = {}
    for k, label in enumerate(labels):
        direction = np.zeros(len(labels))
        direction[k] = trial.scales[k]

        def value(theta: Array) -> float:
            return float(case.model.score(theta, trial.columns)[row])

        def slope(share: float, direction: Array = direction) -> Array:
            return np.asarray((value(first.theta + share * direction) - value(first.theta - share * direction)) / share)

        mistake, slope_given = mistakes.get(k), float(first.given[row, k])
        numeric, doubt = extrapolated(slope, 8)
        judged[label] = Finding(
            label,
            "correct" if mistake is None else mistake.verdict,
            _approval(trial, k) if mistake is None else mistake.explanation,
            None if mistake is None else mistake.factor,
            None if mistake is None else mistake.ratio,
            slope_given,
            numeric=float(numeric / (2.0 * trial.scales[k])) if np.isfinite(doubt) else None,
            slope=taylor_slope(value, first.theta, slope_given * float(trial.scales[k]), direction),
            complex_step=None if complex_step is None else float(complex_step[rows_chosen[row], k]),
            **({case.model.source: float(first.truth[row, k])} if case.model.exact else {}),
        )
    at = dict(zip(labels, first.theta.tolist(), strict=True))
    row_number = int(rows_chosen[row]) + 1
    return Judgement(judged, False, len(trial.seen), model, str(case.model.loss), at, row_number)


def _approval(trial: Trial, k: int) -> str:
    jacobian_given, truth = trial.given[:, k], trial.truth[:, k]
    if not truth.any():
        return "correct as far as can be seen: the derivative is 0 at every point looked at. Try another start."
    off = float(np.abs(jacobian_given - truth).max() / np.abs(truth).max())
    if not trial.case.model.exact:
        return "correct." if off < SLACKS[1] / 10.0 else roughly(off)
    if off < 1e-9:
        return "correct."
    return f"correct to {max(1, int(-np.log10(off)))} digits, as single precision has them."
