"""What is wrong with a gradient: matches the way it is off with the mistakes that people make.

All tests are of whole functions, not of single numbers: a mistake is named only if it explains the given gradient at
every point (and for factors in every row), within rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.gradients.court.chain_rule import CONSTANTS, ChainRule
from descend.gradients.court.evidence import Case, Point
from descend.gradients.court.mistaken_losses import Gradients, Other, others
from descend.gradients.court.wording import FRESH, Mistake, about_factor, about_rows, plain, rounded, swapped

Array = NDArray[np.float64]
TELLING = 8
"""With at least this many rows, a factor equal to their number is not a coincidence."""
SMALLEST = 1e-12
"""Below this factor, rounding no longer shrinks with the factor."""
VARIED = 0.05
"""Numbers must differ by this share of the largest for a constant ratio to be told from a constant difference."""


class Decoder:
    """Finds the mistakes in a gradient from its values at some points.

    calls: all its calls in order, with results. remembers: whether it gave different results for the same parameters.
    slack: share of its size by which the true gradient may be off.
    """

    def __init__(
        self,
        case: Case,
        scales: Array,
        points: Sequence[Point],
        calls: Sequence[tuple[Array, Array]],
        remembers: bool,
        slack: float = 0.0,
    ) -> None:
        self.slack = slack
        self.case, self.scales, self.points, self.calls, self.remembers = case, scales, points, calls, remembers
        self.labels = case.model.parameters.labels
        self.given = np.stack([point.given for point in points])
        self.truth = np.stack([point.truth for point in points])
        self.allowed = np.stack([point.allowed for point in points])
        self.right = (np.abs(self.given - self.truth) <= self.allowed).all(axis=0)
        size = np.abs(self.given).max(axis=0) / np.maximum(np.abs(self.truth).max(axis=0), 1e-300)
        self.enlarged = np.clip(np.nan_to_num(size, nan=1.0), 1.0, 1e6)
        self.under = Gradients(case, scales, points)
        self.chain_rule = ChainRule(case, scales, points, self.given, self.allowed, self._same)

    def mistake(self, k: int) -> Mistake:
        """Return what is wrong with component k."""
        if not np.isfinite(self.given[:, k]).all():
            bad = self.given[~np.isfinite(self.given[:, k]), k][0]
            return Mistake("wrong", f"it is {bad:g} where the derivative is a finite number.")
        return (
            self._remembered(k)
            or self._constant_factor(k)
            or self._swapped(k)
            or self._other_loss(k)
            or self._left_out(k)
            or self.chain_rule.mistake(k, CONSTANTS[:1])
            or self._other_loss_times(k)
            or self.chain_rule.mistake(k, CONSTANTS[1:])
            or self._added(k)
            or self._other_setting(k)
            or self._unexplained(k)
        )

    def _same(self, gradient_given: Array, expected: Array, k: int) -> bool:
        """Whether numbers at the points are equal within rounding."""
        allowed = 2.0 * self.allowed[:, k] * self.enlarged[k] + 1e-7 * np.abs(expected)
        return bool(np.isfinite(expected).all() and (np.abs(gradient_given - expected) <= allowed).all())

    # Memory -----------------------------------------------------------------------------------------------------

    def _remembered(self, k: int) -> Mistake | None:
        if self.remembers:
            return self._running(k) or self._call_before(k)
        return self._fixed(k) if len(self.points) > 1 else None

    def _fixed(self, k: int) -> Mistake | None:
        """Look for a gradient that is always that at one other point, whatever the parameters."""
        gradient, allowed = self.given[:, k], 4.0 * self.allowed[:, k].max()
        if np.ptp(self.truth[:, k]) <= allowed or np.ptp(gradient) > min(allowed, 1e-5 * np.abs(gradient).max()):
            return None  # a constant gradient cannot be out of date
        for theta in [self.case.start, *self.case.seen]:
            if self._same(gradient, np.full(len(gradient), self._truth_at(theta)[k]), k):
                at = ", ".join(f"{name}={value:.4g}" for name, value in zip(self.labels[:4], theta, strict=False))
                return Mistake("stale", f"it is the gradient at {at} wherever it is asked for. {FRESH}")
        return None

    def _call_before(self, k: int) -> Mistake | None:
        """Look for the gradient at the parameters of the previous call."""
        if len(self.calls) < 3:
            return None
        before = np.array([self._truth_at(theta)[k] for theta, _ in self.calls[:-1]])
        after = np.array([result[k] for _, result in self.calls[1:]])
        allowed = 4.0 * self.allowed[:, k].max() + 1e-7 * np.abs(before)
        if (np.abs(after - before) <= allowed).all():
            return Mistake("stale", f"it is the gradient at the parameters of the call before. {FRESH}")
        return None

    def _running(self, k: int) -> Mistake | None:
        """Look for results that add up over calls, as running sums or as decaying ones."""
        results = np.array([result[k] for _, result in self.calls])
        own_slopes = np.array([self._truth_at(theta)[k] for theta, _ in self.calls])
        left, slopes_before = results[1:] - own_slopes[1:], results[:-1]
        if len(left) < 2 or not slopes_before @ slopes_before > 0.0:
            return None
        share = float(left @ slopes_before / (slopes_before @ slopes_before))
        size = 8.0 * self.allowed[:, k].max() * len(results) + 1e-6 * np.abs(results).max()
        if abs(share) < 1e-3 or not (np.abs(left - share * slopes_before) <= size).all():
            return None
        calls = "all calls before it" if abs(share - 1.0) < 1e-3 else f"{share:.3g} times the call before it"
        return Mistake(
            "not_zeroed",
            f"each call adds to what it returned for {calls}: a running sum. Start from zero on each call.",
        )

    def _truth_at(self, theta: Array) -> Array:
        for point in self.points:
            if point.theta is theta or np.array_equal(point.theta, theta):
                return point.truth
        return self.case.truth(theta, self.scales)[0]

    # One number ---------------------------------------------------------------------------------------------------

    def _constant_factor(self, k: int) -> Mistake | None:
        factor = self._ratio(k, self.truth[:, k])
        if factor is None or factor == 0.0:
            return None
        factor = rounded(factor, 2.0 * self.slack) if self.slack else factor
        rows = self.case.rows
        total = rows if self.case.weights is None else float(self.case.weights.sum())
        grows = self._grows(k, factor)
        for power, verdict in ((1, "sum_not_mean"), (-1, "mean_not_sum")):
            if grows == power:
                besides = factor / float(total) ** power
                return Mistake(verdict, about_rows(verdict, total, besides), rounded(factor))
        if self.case.weights is not None and abs(factor * rows / total - 1.0) < 1e-5:
            text = "its weighted sum is divided by the number of rows. Divide it by the sum of the weights."
            return Mistake("factor", text, factor)
        if not self._one_number(k, factor):
            return None
        other_loss = None if plain(factor) else self._other_loss(k)
        if other_loss is not None:
            return other_loss
        if abs(factor + 1.0) < 1e-5:
            return Mistake(
                "sign",
                "it has the wrong sign, so a descent would climb. Put a minus before it: the residual is "
                "prediction - y.",
                -1.0,
            )
        return Mistake("factor", about_factor(factor, self.case.model.loss), rounded(factor))

    def _ratio(self, k: int, expected: Array) -> float | None:
        """Return the one number by which the given gradient differs from what is expected, if there is one."""
        gradient_given, allowed = self.given[:, k], self.allowed[:, k]
        weight = (allowed.max() / np.maximum(allowed, 1e-6 * allowed.max())) ** 2 if allowed.max() > 0.0 else np.ones(1)
        below = float((weight * expected) @ expected)
        if not below > 0.0 or not np.isfinite(below):
            return None
        factor = float((weight * expected) @ gradient_given) / below
        return factor if self._same(gradient_given, factor * expected, k) else None

    def _one_number(self, k: int, factor: float) -> bool:
        """Whether component k is off by one constant factor everywhere, rather than by coincidence at these points.

        Single rows decide if they can be evaluated one by one, except for a plain factor of a Python function, as some
        functions make no sense for one row. Otherwise the right gradient must vary between points by more than
        rounding.
        """
        # A multiple of the right gradient has a multiple of its rounding.
        allowed = 2.0 * self.allowed[:, k] + 1e-7 * np.abs(self.truth[:, k])
        if not (np.abs(self.given[:, k] - factor * self.truth[:, k]) <= max(abs(factor), SMALLEST) * allowed).all():
            return False
        rows = self._one_number_in_rows(k)
        return (
            rows if rows is not None and not (plain(factor) and self.case.python) else self._telling_points(k, factor)
        )

    def _one_number_in_rows(self, k: int) -> bool | None:
        """Whether the contributions of single rows are off by one constant factor; None if that cannot be decided."""
        right, gradient_given, allowed, together = self.chain_rule.contributions(k)
        if together:
            return None
        clear = np.abs(right) > 16.0 * allowed
        if 4 * clear.sum() < clear.size or np.ptp(right[clear]) < VARIED * np.abs(right[clear]).max():
            return None
        factor = float(right[clear] @ gradient_given[clear]) / float(right[clear] @ right[clear])
        return bool((np.abs(gradient_given - factor * right) <= 4.0 * allowed * abs(factor)).all())

    def _telling_points(self, k: int, factor: float) -> bool:
        """Whether the factor is a plain one, or holds at points whose gradients differ."""
        truth, hidden = self.truth[:, k], self.allowed[:, k] * self.enlarged[k]
        varied = np.ptp(truth) > VARIED * np.abs(truth).max()
        clear = hidden < 1e-3 * abs(1.0 - factor) * np.abs(truth)
        return plain(factor) or bool(varied and clear.sum() >= 2)

    def _grows(self, k: int, factor: float) -> int:
        """Return the power of the number of rows in the factor: 1 for a sum where a mean was due."""
        rows = self.case.rows
        total = rows if self.case.weights is None else float(self.case.weights.sum())
        plainly = int(abs(factor / total - 1.0) < 1e-5) - int(abs(factor * total - 1.0) < 1e-5)
        half = np.arange(0, rows, 2)
        rows_of_half = float(len(half) if self.case.weights is None else self.case.weights[half].sum())
        for number, point in enumerate(self.points if rows >= 4 else ()):
            try:
                gradient_of_half = self.case.call(point.theta, half)[k]
            except Exception:  # the user's function cannot be called with half of the rows
                return plainly
            contributions, _ = self.case.contributions(point.theta, self.scales, self.case.part(half))
            expected = factor * self.case.mean(contributions, half)[k]
            allowed = 4.0 * abs(factor) * point.allowed[k] + 1e-5 * abs(expected)
            if abs(gradient_of_half - self.given[number, k]) <= 1e-9 * abs(gradient_of_half):
                return plainly  # it uses all rows, whichever it is given
            if abs(expected) * abs(1.0 - rows_of_half / total) <= 2.0 * allowed:
                continue  # too small to tell
            for power in (0, 1, -1):
                if abs(gradient_of_half - expected * (rows_of_half / total) ** power) <= allowed * max(
                    1.0, (rows_of_half / total) ** power
                ):
                    return power or (plainly if rows >= TELLING else 0)  # n may be written as a number
        return plainly

    # Another gradient ---------------------------------------------------------------------------------------------

    def _swapped(self, k: int) -> Mistake | None:
        for m in np.flatnonzero(~self.right):
            if m != k and self._same(self.given[:, k], self.truth[:, m], k) and self._taken(k):
                back = self._same(self.given[:, m], self.truth[:, k], int(m))
                return swapped(self.labels, k, int(m), back, "gradient")
        return None

    def _taken(self, k: int) -> bool:
        """Whether the derivative by k is given for another parameter."""
        return any(
            self._same(self.given[:, m], self.truth[:, k], int(m)) for m in np.flatnonzero(~self.right) if m != k
        )

    def _other_loss(self, k: int) -> Mistake | None:
        """Look for the gradient of another loss, unchanged, or half that of the squared loss."""
        for loss in others(self.case.model.loss):
            under = self.under.under(loss)
            factor = self._ratio(k, under[:, k])
            if factor is None or not (abs(factor - 1.0) < 1e-5 or (loss.loss.quadratic and abs(factor - 0.5) < 1e-5)):
                continue
            if self._telling(under, k, factor):
                return self._as_of(loss, factor)
        return None

    def _other_loss_times(self, k: int) -> Mistake | None:
        """Look for a simple multiple of the gradient of another loss, or for one with another setting."""
        mine = self.case.model.loss
        for other_loss in others(mine):
            under = self.under.under(other_loss)
            factor = self._ratio(k, under[:, k])
            if factor is not None and self._plausible(factor) and self._telling(under, k, factor):
                return self._as_of(other_loss, factor)
        return None

    def _telling(self, under: Array, k: int, factor: float) -> bool:
        """Whether agreement with another gradient is evidence, rather than coincidence.

        A gradient of the same size everywhere is weak evidence: all other wrong components must share its factor.
        """
        sizes = np.abs(under[:, k])
        if np.ptp(sizes) > 1e-6 * sizes.max():
            return True
        ratios = [self._ratio(int(m), under[:, m]) for m in np.flatnonzero(~self.right)]
        return all(ratio is not None and abs(ratio - factor) < 1e-5 * abs(factor) for ratio in ratios)

    def _left_out(self, k: int) -> Mistake | None:
        """Look for the gradient without the response, or without the row weights."""
        mine = self.case.model.loss
        without = self._ratio(k, self.under.under(Other(mine, response=False))[:, k])
        if without is not None and self._plausible(without):
            return Mistake(
                "other_loss",
                f"it is the gradient of the {mine} loss without the response: prediction where the residual, "
                "prediction - y, should stand.",
                None if abs(without - 1.0) < 1e-5 else rounded(without),
            )
        if self.case.weights is not None:
            bare = np.stack([self.case.contributions(p.theta, self.scales)[0].mean(axis=0) for p in self.points])
            if self._same(self.given[:, k], bare[:, k], k):
                return Mistake("missing_chain_factor", "the row weights are left out of it. Multiply by them.")
        return None

    def _other_setting(self, k: int) -> Mistake | None:
        """Look for the gradient of a loss with an unusual setting, the same for all wrong components."""
        if len(self.points) < 3:
            return None
        for other_setting in self.under.with_setting(self.given[:, k], k):
            under = self.under.under(other_setting)
            factors = [self._ratio(int(m), under[:, m]) for m in (k, *np.flatnonzero(~self.right))]
            if all(factor is not None and abs(factor - 1.0) < 1e-4 for factor in factors):
                return self._as_of(other_setting, 1.0)
        return None

    def _as_of(self, other_loss: Other, factor: float) -> Mistake:
        times = "" if abs(factor - 1.0) < 1e-5 else f" times {rounded(factor):.6g}"
        return Mistake(
            "other_loss",
            f"it is the gradient of the {other_loss}{times}, not of the {self.case.model.loss} loss. "
            "Change the gradient, or fit under that loss.",
            None if not times else rounded(factor),
        )

    def _plausible(self, factor: float) -> bool:
        """Whether a factor may accompany another mistake: a small fraction, or the number of rows."""
        tried = (abs(factor), abs(factor) / self.case.rows, abs(factor) * self.case.rows)
        return any(abs(each / simple - 1.0) < 1e-5 for each in tried for simple in (1.0, 2.0, 0.5, 4.0, 0.25))

    # What is left ---------------------------------------------------------------------------------------------------

    def _added(self, k: int) -> Mistake | None:
        """Look for something added that depends on the parameter alone, such as the derivative of a penalty."""
        left = self.given[:, k] - self.truth[:, k]
        theta = np.array([point.theta[k] for point in self.points])
        if len(left) < 3 or not theta @ theta > 0.0:
            return None
        label = self.labels[k]
        slope = float(left @ theta / (theta @ theta))
        if self._same(left, slope * theta, k):
            text = f"it is off by {slope:.6g}*{label}"
            if slope > 0.0:
                text += f", the derivative of a penalty {slope / 2:.6g}*{label}^2, which is no part of the mean loss"
            return Mistake("wrong", f"{text}. Leave that out{'; l2 asks for the penalty' * (slope > 0.0)}.")
        if self._same(left, np.full(len(left), left.mean()), k):
            return Mistake("wrong", f"it is off by {left.mean():.6g} everywhere: a term is too much or too little.")
        return None

    def _unexplained(self, k: int) -> Mistake:
        if not self.given[:, k].any():
            return Mistake("wrong", "it is 0 everywhere, but the derivative is not.", 0.0)
        gradient_given, truth = self.given[0, k], self.truth[0, k]
        difference = f"it is {gradient_given:.6g} where the derivative is {truth:.6g}"
        return Mistake("wrong", f"{difference}, and no simple mistake explains it.", named=False)
