"""A certain bound on how near a fit is to its minimum, where J is convex; the digits elsewhere are an estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import comment
from descend.descent.outcome import Outcome
from descend.descent.solution import Named, Solution
from descend.inference.scored_rows import counted_rows

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
MOST_ROWS, MOST_PARAMETERS = 200_000, 300
STRETCHES = (1.0 + 1e-6, 1.001, 1.01, 1.1, 1.5, 2.0, math.e)
"""Multiples of the Newton decrement tried as a bound of the distance: the first that can be proved is taken."""
MOST_DIGITS = -math.log10(EPS)


@dataclass(frozen=True)
class Guarantee:
    """Bounds by strong convexity; the rounding errors of what they are computed from are added.

    loss_gap: J is at most this far above its minimum. distance: how far each component is from the minimum, at most.
    digits: right digits of each parameter, at least, by name, as in `Fit.digits`. smallest_curvature: the least
        eigenvalue of the Hessian here; in the neighbourhood J is curved by at least this times ``share``.
    """

    loss_gap: float
    distance: Array
    digits: Named
    smallest_curvature: float
    share: float

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        digits = {name: np.round(of, 1).tolist() for name, of in self.digits.items()}
        return {"digits": digits, "loss_gap": self.loss_gap, "by": "strong convexity"}


@comment("the guarantee")
def guarantee(solution: Solution) -> Guarantee | None:
    """Return what strong convexity guarantees; None where J is not known to be convex, or is too flat.

    With scores s_i = a_i theta, H the Hessian of J, g its gradient, and d = sqrt(g' H^-1 g): wherever the scores move
    by no more than rho, the second derivatives w_i of the losses stay above kappa(rho) w_i, and H above kappa H. In the
    ellipsoid |x|_H <= t the scores move by at most t h_i with h_i**2 = a_i' H^-1 a_i; so if d / kappa(t h) <= t, the
    minimum lies in it, and

        |theta_k - best_k| <= t sqrt((H^-1)_kk),   J - min J <= d**2 / (2 kappa).

    kappa: see ``Loss.curvature_left``; 1 for the squared loss, where H^-1 g is the distance itself. For poisson and the
    like with exp(linear), the score here is the logarithm of the mean.

    Source: self-concordance as in Bach (2010), Electron. J. Stat. 4, 384-414.
    """
    if not _convex(solution):
        return None
    with np.errstate(all="ignore"):
        return _bounded(solution)


def guarantee_values(solution: Solution) -> dict[str, object] | None:
    """Return the guarantee as plain values."""
    guaranteed = guarantee(solution)
    return None if guaranteed is None else guaranteed.as_dict()


def _convex(solution: Solution) -> bool:
    """Whether J is small enough, known to be convex with a bound on its curvature, and free of constraints and l1."""
    model = solution.model
    if solution.all_rows is not None or solution.model.in_place or solution.outcome is Outcome.DIVERGED:
        return False
    if solution.constraints is not None or solution.objective.has_l1 or solution.objective.priors is not None:
        return False
    if solution.undetermined or solution.loss_function.classes:
        return False
    if solution.rows > MOST_ROWS or solution.theta.size > MOST_PARAMETERS or solution.objective.arrow:
        return False
    return (solution.loss_function.convex and model.linear) or model.log_linear


def _bounded(solution: Solution) -> Guarantee | None:
    rows = counted_rows(solution)
    loss = rows.loss
    score, design = rows.score, rows.jacobian
    slope = loss.slope(score, rows.y)
    weight = loss.bend(score, rows.y)
    if not loss.convex:  # then it is convex in the logarithm of the mean
        design, slope, weight = design / score[:, None], slope * score, weight * score**2 + slope * score
    omega = rows.omega / rows.omega.sum()
    penalty = solution.objective.penalty
    l2 = np.zeros(solution.theta.size) if penalty is None else 2.0 * penalty.l2
    weighted_design = design * (omega * slope)[:, None]
    gradient = weighted_design.sum(axis=0) + l2 * solution.theta
    # Pairwise summation is off by at most log2(n) roundings; each term by a few of its own and of its residual.
    terms = np.abs(design) * (omega * (np.abs(slope) + weight * (np.abs(score) + np.abs(rows.y))))[:, None]
    rounding = EPS * (math.log2(len(score) + 1) + 8.0) * terms.sum(axis=0)
    hessian = (design * (omega * weight)[:, None]).T @ design + np.diag(l2)
    scale = 1.0 / np.sqrt(hessian.diagonal())
    if not (np.isfinite(hessian).all() and np.isfinite(scale).all() and np.isfinite(gradient).all()):
        return None
    values = np.linalg.eigvalsh(hessian * scale * scale[:, None])
    if not values[0] > 1e-10 * values[-1]:
        return None
    inverse = np.linalg.inv(hessian * scale * scale[:, None]) * scale * scale[:, None]
    decrement = math.sqrt(float(gradient @ inverse @ gradient)) + float(rounding @ np.sqrt(inverse.diagonal()))
    smallest = float(np.linalg.eigvalsh(hessian)[0])
    if loss.quadratic:
        distance = np.abs(inverse @ gradient) + np.abs(inverse) @ rounding
        return _guarantee(solution, decrement**2 / 2.0, distance, smallest, 1.0)
    reach = np.sqrt(np.einsum("ij,jk,ik->i", design, inverse, design))
    for stretch in STRETCHES:
        left = loss.curvature_left(score - rows.y, stretch * decrement * reach)
        if left is None:
            return None
        stays = (design * (omega * weight * left)[:, None]).T @ design + np.diag(l2)
        share = float(left.min()) if left.all() else _share(stays, hessian)
        if share * stretch >= 1.0:
            distance = stretch * decrement * np.sqrt(inverse.diagonal())
            return _guarantee(solution, decrement**2 / (2.0 * share), distance, smallest, share)
    return None


def _share(stays: Array, hessian: Array) -> float:
    """Return kappa: in every direction at least this share of the Hessian stays."""
    root = np.linalg.inv(np.linalg.cholesky(hessian))
    return float(np.linalg.eigvalsh(root @ stays @ root.T)[0]) * (1.0 - 1e-9)


def _guarantee(solution: Solution, gap: float, distance: Array, smallest: float, share: float) -> Guarantee:
    relative = np.where(distance == 0.0, 0.0, distance / np.abs(solution.theta))
    digits = np.clip(-np.log10(np.where(np.isnan(relative), np.inf, relative)), 0.0, MOST_DIGITS)
    return Guarantee(gap, distance, solution.model.parameters.named(digits), smallest, share)
