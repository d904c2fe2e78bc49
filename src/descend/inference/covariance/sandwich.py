"""Covariance that holds whatever the distribution of the residuals, from the pull of each row on the parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.inference.covariance.clusters import Places, of_clusters
from descend.inference.covariance.inverse_curvature import SINGULAR, Array, Mask, inverse
from descend.inference.scored_rows import ScoredRows
from descend.losses import Loss

LEAST_LEFT = 0.1
"""Lower limit for 1 - leverage of a row, for losses whose second derivative may be negative."""
ALONE = 1e-10
"""A row that leaves less than this of itself alone determines a parameter, so its residual says nothing."""
BLOCK = 16_384
"""Rows whose derivatives stay in the processor's cache."""
INVOLVED = 1e-6
"""Share of the largest move, in standard errors, from which on a parameter depends on a row."""
CANONICAL = 0.575
"""Standard deviation of the normal kernel that smooths as much as a uniform kernel of half-width 1."""
POWERS = {"sandwich": 1.0, "HC3": 1.0, "HC2": 0.5}
"""The power of 1 - leverage that the pull of a row is divided by; 0 for the others."""


def sandwich(
    rows: ScoredRows,
    loss: Loss,
    degrees: float,
    mask: Mask | None = None,
    kind: str = "sandwich",
    clusters: Sequence[Places] = (),
) -> Array | None:
    """Return the covariance that holds whatever the distribution of the residuals, or None if the data give none.

    With g_i = omega_i l'(s_i, y_i) f_i the pull of row i on the parameters, and b_i its curvature:

        B^-1 (sum g_i g_i' c_i) B^-1,   B = sum b_i f_i f_i'

    HC3, the usual one: c_i = 1 / (1 - h_i)**2 with h_i = b_i f_i' B^-1 f_i the leverage of a row on its own prediction.
        b_i is omega_i times the weight of the loss for squared, poisson and logistic, and omega_i l''(s_i, y_i) for
        huber, log_cosh and the like, for which 1 - h_i is never taken to be less than LEAST_LEFT.
    HC2: c_i = 1 / (1 - h_i). HC1: c_i = n / (n - p). HC0: c_i = 1. Of a parameter that one row determines alone, as
        that of a group of one row, nothing is known by any of these.
    cluster: sum over clusters of the products of their summed pulls (see ``of_clusters``).
    absolute, pinball: the kernel estimate of Powell, b_i = omega_i * jump * normal density of r_i / h, with the
        bandwidth h of Hall and Sheather; g_i g_i' is replaced by its expectation, and c_i = 1. Of clusters, g_i itself
        counts.

    The calculation uses coordinates in which sum f_i f_i' is the unit matrix, so that no digits are lost to parameters
    of very different size, such as the slope of a date in milliseconds and its intercept.

    Source: Huber (1967), Proc. 5th Berkeley Symp. 1, 221-233; MacKinnon & White (1985), J. Econometrics 29, 305-325;
    Koenker (2005), Quantile Regression, sec. 3.4; Parente & Santos Silva (2016), J. Econometric Methods 5, 1-15.

    mask: the parameters that are estimated, the others being held; all if None.
    """
    if degrees <= 0:
        return None
    if mask is None:
        mask = np.ones(rows.jacobian.shape[1], dtype=bool)
    result = np.zeros((mask.size, mask.size))
    if not mask.any():
        return result
    frame = orthogonal(rows.jacobian if mask.all() else rows.jacobian[:, mask])
    if frame is None:
        return None
    along, back = frame
    bend, pull = bend_and_pull(rows, loss, along.shape[1], clustered=bool(clusters))
    bread = inverse((along * bend[:, None]).T @ along)
    if bread is None:
        return None
    power, unknown = POWERS.get(kind, 0.0), np.zeros(along.shape[1], dtype=bool)
    if not clusters and not loss.kinked:
        left = 1.0 - bend * np.einsum("ij,ij->i", along @ bread, along)
        unknown = _determined_by_one(along[left < ALONE], bread, back) if loss.likelihood else unknown
        pull = weakened(pull, left, loss, power)
    pulled = (along * pull[:, None]) @ bread @ back.T
    if clusters:
        meat = of_clusters(pulled, clusters, degrees)
    else:
        meat = pulled.T @ pulled * (len(pull) / degrees if kind == "HC1" else 1.0)
    if unknown.all():
        return None
    meat[unknown], meat[:, unknown] = np.nan, np.nan
    result[np.ix_(mask, mask)] = meat
    return result


def weakened(pull: Array, left: Array, loss: Loss, power: float) -> Array:
    """Return the pulls of rows over what is left of each beside its leverage; 0 where a likelihood leaves nothing."""
    weaker: Array = pull / np.maximum(left, ALONE if loss.likelihood else LEAST_LEFT) ** power
    return np.where(left < ALONE, 0.0, weaker) if loss.likelihood else weaker


def _determined_by_one(along: Array, bread: Array, back: Array) -> Mask:
    """Mark the parameters that some rows determine alone, so that nothing is known of the errors of these.

    Without row i, theta could move along B^-1 f_i, and nowhere else.
    """
    share_moved = np.abs(along @ bread @ back.T) / np.sqrt(np.einsum("ij,jk,ik->i", back, bread, back))
    determined_mask: Mask = (share_moved > INVOLVED * share_moved.max(axis=1, initial=0.0, keepdims=True)).any(axis=0)
    return determined_mask


def orthogonal(jacobian: Array) -> tuple[Array, Array] | None:
    """Return Q and T with Q'Q = 1 and Q = F T for the derivatives F; None if F lacks full rank, to rounding."""
    norms = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
    if not (np.isfinite(norms).all() and (norms > 0.0).all()):
        return None
    factor = [np.linalg.qr(jacobian[each : each + BLOCK] / norms, mode="r") for each in range(0, len(jacobian), BLOCK)]
    values, directions = np.linalg.svd(np.concatenate(factor), full_matrices=False)[1:]
    if len(values) < norms.size or values[-1] < SINGULAR * values[0]:
        return None
    back = directions.T / values / norms[:, None]
    along = jacobian @ back
    # Q of a nearly singular F lacks digits, but not many: its own products show what is left to do.
    again = np.linalg.inv(np.linalg.cholesky(along.T @ along)).T
    return along @ again, back @ again


def bend_and_pull(rows: ScoredRows, loss: Loss, through: int, clustered: bool = False) -> tuple[Array, Array]:
    """Return b_i, and g_i without its factor f_i (see ``sandwich``). through: see ``_density``."""
    pull = rows.omega * rows.loss.slope(rows.score, rows.y)
    if loss.kinked:
        below, above = loss.sides
        jump = below + above
        density = _density(rows.score - rows.y, above / jump, through)
        return rows.omega * jump * density, pull if clustered else rows.omega * np.sqrt(below * above)
    if loss.likelihood:
        return rows.omega * rows.loss.weight(rows.score, rows.y), pull
    return rows.omega * rows.loss.bend(rows.score, rows.y), pull


def _density(residuals: Array, share: float, through: int) -> Array:
    """Return each row's part in the kernel estimate of the density of the residuals at zero.

    through: how many rows the fit passes through exactly: as many as it has parameters.

    Hall and Sheather give the width w for which the density is best estimated from the distance between the quantiles
    share - w and share + w. That is a uniform kernel of half this distance; here a normal kernel that smooths as much
    takes its place. R's quantreg with se = "ker" takes the whole distance as the standard deviation of a normal kernel:
    that is three times wider, and makes standard errors too large, by three quarters for 50 rows. Rows that the fit
    passes through have residual zero for that reason alone, so they count half; intervals then have the coverage they
    state for 20 to 300 rows (benchmarks/coverage.py robust).

    Source: Hall & Sheather (1988), J. R. Stat. Soc. B 50, 381-391; Marron & Nolan (1988), Stat. Probab. Lett. 7, 195.
    """
    from scipy import special

    n = len(residuals)
    z = special.ndtri(share)
    height = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    width = n ** (-1 / 3) * special.ndtri(0.975) ** (2 / 3) * (1.5 * height**2 / (2.0 * z * z + 1.0)) ** (1 / 3)
    width = min(width, 0.99 * share, 0.99 * (1.0 - share))
    low, high = np.quantile(residuals, [0.25, 0.75])
    spread = min(float(np.std(residuals, ddof=1)), float(high - low) / 1.34)
    bandwidth = CANONICAL * spread * 0.5 * (special.ndtri(share + width) - special.ndtri(share - width))
    if not bandwidth > 0.0:
        return np.zeros(n)
    density: Array = np.exp(-0.5 * (residuals / bandwidth) ** 2) / np.sqrt(2.0 * np.pi) / bandwidth
    density[np.argsort(np.abs(residuals))[:through]] *= 0.5
    return density


def iid_covariance(rows: ScoredRows, degrees: float, mask: Mask | None = None) -> Array | None:
    """Return the covariance where all residuals have the same distribution; None if the data give none.

    With psi the slope of the loss at a residual, psi' its derivative, F the derivatives of the predictions, (n, p):

        K^2 * sum psi^2 / (n - p) / mean(psi')^2 * (F'F)^-1,   K = 1 + p / n * var(psi') / mean(psi')^2

    For the squared loss K is 1 and this is s^2 (F'F)^-1. Fewer rows are needed than for the sandwich, but residuals
    whose size changes with an input make it wrong.

    mask: the parameters that are estimated, the others being held; all if None.

    Source: Huber (1981), Robust Statistics, sec. 7.6, which is what ``summary`` of MASS's rlm computes.
    """
    count = len(rows.y)
    if degrees <= 0:
        return None
    mask = np.ones(rows.jacobian.shape[1], dtype=bool) if mask is None else mask
    result = np.zeros((mask.size, mask.size))
    frame = orthogonal(rows.jacobian[:, mask]) if mask.any() else None
    if frame is None:
        return None if mask.any() else result
    back = frame[1]
    pull, bend = rows.loss.slope(rows.score, rows.y), rows.loss.bend(rows.score, rows.y)
    mean = float(bend.mean())
    if not mean > 0.0:
        return None
    widened = 1.0 + back.shape[1] / count * float(bend.var(ddof=1)) / mean**2
    result[np.ix_(mask, mask)] = back @ back.T * (widened**2 * float(pull @ pull) / degrees / mean**2)
    return result
