"""Kinks of J: where a formula bends in some row, how a descent goes on along them, and when it is at a corner.

Near a kink h_j(theta) = 0 in row i, with f_i = smooth + c_j |h_j|, and n_j the gradient of h_j:

    J = smooth + sum_j kappa_j |h_j|,   kappa_j = omega_i l'_i c_j / sum omega

Where all kappa_j > 0, a point on kinks is a minimum if the gradient g of the smooth part is one of -sum mu_j n_j,
|mu_j| <= kappa_j: no direction descends, as at an l1 penalty, whose kinks are h_j = theta_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula import as_text
from descend.formula.derivative import derivatives
from descend.formula.domain import Bend, bends
from descend.gradients.derived import derived
from descend.models import SymbolicModel
from descend.optimizers.contract import SUFFICIENT_DECREASE
from descend.optimizers.curvature import matrix_of
from descend.problem.point import Point
from descend.table.rows import Rows

Array = NDArray[np.float64]
NEAREST = 200
"""At most this many rows, those closest to a kink, are examined."""
MOST = 30
"""At most this many kinks are taken into account in a step."""
ON = 1e-13
"""The argument of a kink counts as 0 below this share of its terms."""
ASIDE = 1e-9
"""To stand on one side of a kink, its argument is moved away from 0 by this share of its terms."""
CLOSED = 1e-6
"""At a kink of `where` its branches may differ by this share of their size; a larger gap is a jump."""
STEPS, ATTEMPTS, SWEEPS = 50, 30, 200
GAIN = 1e-14
"""Changes of J below this share of it are rounding."""
TRIALS = (0.1, 1e-3, 1e-5, 1e-7)
"""Lengths of trial steps away from a corner; a step of length 1 would change J by about its own size."""


@dataclass(frozen=True)
class Near:
    """The kinks near a point: h (m,), n (m, p) and kappa (m,)."""

    h: Array
    n: Array
    kappa: Array

    def of(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Near:
        """Return the chosen ones of these kinks."""
        return Near(self.h[chosen], self.n[chosen], self.kappa[chosen])

    @property
    def pull(self) -> Array:
        """Return what the kinks add to the gradient of the smooth part; those the point lies on pull both ways."""
        pull: Array = self.n.T @ (self.kappa * np.sign(self.h))
        return pull

    @property
    def met(self) -> NDArray[np.bool_]:
        """Mark the kinks that the point lies on."""
        return np.asarray(self.h == 0.0)


class Kinks:
    """The kinks of J of a formula, over rows in memory."""

    def __init__(self, model: SymbolicModel, rows: Rows) -> None:
        self.model, self.columns, self.y = model, rows.columns, rows.y
        self.omega = np.full(self.y.size, 1.0 / self.y.size) if rows.omega is None else rows.omega / rows.total
        self.score = derived(model.formula, model.loss).score
        self.bends = bends(self.score)

    def near(self, theta: Array) -> Near:
        """Return the kinks near theta, each once however many rows share it."""
        parts = [self._of(bend, theta) for bend in self.bends]
        h, n, kappa = (np.concatenate(each) for each in zip(*parts, strict=True))
        if not h.size:
            return Near(h, n, kappa)
        _, first, group = np.unique(np.column_stack([h, n]), axis=0, return_index=True, return_inverse=True)
        return Near(h[first], n[first], np.bincount(group.ravel(), kappa, first.size).astype(np.float64))

    def _of(self, bend: Bend, theta: Array) -> tuple[Array, Array, Array]:
        h, _ = self.model.derivatives_of(bend.inside, {}, theta, self.columns)
        rows = np.flatnonzero(np.isfinite(h))
        if rows.size > NEAREST:
            rows = rows[np.argpartition(np.abs(h[rows]), NEAREST)[:NEAREST]]
        columns = {name: column[rows] for name, column in self.columns.items()}

        def over_rows(expression: Expr) -> tuple[Array, Array]:
            slopes = derivatives(expression, self.model.formula.unknowns)
            return self.model.derivatives_of(expression, slopes, theta, columns)

        h, n = over_rows(bend.inside)
        score, _ = self.model.derivatives_of(self.score, {}, theta, columns)
        factor, _ = self.model.derivatives_of(bend.factor, {}, theta, columns)
        slope = self.omega[rows] * self.model.loss.slope(score, self.y[rows])
        usable = (n != 0.0).any(axis=1) & np.isfinite(n).all(axis=1)
        if bend.gap is not None:
            gap, opening = over_rows(bend.gap)
            squares = np.square(n).sum(axis=1)
            per = (opening * n).sum(axis=1) / np.where(squares > 0.0, squares, 1.0)
            factor = factor * per
            size = np.abs(score) + np.abs(opening * theta).sum(axis=1)
            usable &= np.abs(gap - per * h) <= CLOSED * size
        h = np.where(np.abs(h) <= ON * np.abs(n * theta).sum(axis=1), 0.0, h)
        kappa = factor * slope
        usable &= np.isfinite(kappa) & (kappa != 0.0)
        return h[usable], n[usable], kappa[usable]

    def onwards(self, point: Point) -> tuple[Array, Array | None]:
        """Return where the kinks near a point lead a descent that can get no further there.

        If they lead nowhere, return theta itself; at a corner, also the subgradient of J of least length.
        """
        begin, near = point, self.near(point.theta)
        for _ in range(STEPS):
            gradient = _between(point, near)
            new = _stepped(point, near, gradient) or _tried(point, near)
            if new is None:
                break
            point, near = new, self.near(new.theta)
        if point is not begin:
            return _settled(point, near, gradient), None
        return point.theta, _subgradient(point, near, gradient) if near.met.any() else None

    def note(self, point: Point) -> str | None:
        """Say where J has a corner at a point, if it has one."""
        if self.corner(point) is None:
            return None
        met = []
        for bend in self.bends:
            slopes = derivatives(bend.inside, self.model.formula.unknowns)
            h, _ = self.model.derivatives_of(bend.inside, {}, point.theta, self.columns)
            row = int(np.nanargmin(np.abs(h)))
            alone = {name: column[row : row + 1] for name, column in self.columns.items()}
            (inside,), (along,) = self.model.derivatives_of(bend.inside, slopes, point.theta, alone)
            if abs(inside) <= ON * np.abs(along * point.theta).sum():
                met.append(f"`{as_text(bend.inside)}` is 0 in row {row + 1:,}")
        return (
            f"the minimum is a corner: {' and '.join(met)}, where the curve bends, so that J rises at once on both "
            "sides; standard errors take it to be smooth"
        )

    def corner(self, point: Point) -> tuple[Array, Array] | None:
        """Return the normals (m, p) of the kinks a point lies on and the subgradient there; None if it is no corner."""
        near = self.near(point.theta)
        subgradient = _subgradient(point, near, _between(point, near)) if near.met.any() else None
        return None if subgradient is None else (near.n[near.met], subgradient)


@dataclass(frozen=True)
class _Model:
    """J near a point, g'd + d'(C + lambda D)d/2 + sum kappa_j |h_j + n_j'd|, in z = sqrt(D) d of the free components.

    D: the diagonal of C. root: L of L L' = C + lambda D. smooth: L^-1 g, without the kinks; lines: L^-1 n'.
    """

    units: Array
    free: NDArray[np.bool_]
    root: NDArray[np.floating]
    smooth: Array
    lines: Array
    near: Near

    def move(self, multipliers: Array) -> Array:
        """Return d for the multipliers mu of the kinks."""
        newton_step = np.zeros(self.free.size)
        newton_step[self.free] = -np.linalg.solve(self.root.T, self.smooth + self.lines @ multipliers) / self.units
        return newton_step

    def solved(self, fixed: bool = False) -> Array:
        """Return the multipliers at the minimum over d, from the dual problem: one by one, then all free ones at once.

        fixed: take h = 0, which gives the multipliers of the subgradient of least length.
        """
        near, lines = self.near, self.lines
        kappa, h = near.kappa, np.zeros_like(near.h) if fixed else near.h
        squares = np.square(lines).sum(axis=0)
        multipliers = kappa * np.sign(near.h)
        slope = self.smooth + lines @ multipliers
        for _ in range(SWEEPS):
            before = multipliers.copy()
            for k in range(kappa.size):
                multiplier = multipliers[k] - (lines[:, k] @ slope - h[k]) / squares[k]
                multiplier = min(max(multiplier, -kappa[k]), kappa[k])
                slope = slope + lines[:, k] * (multiplier - multipliers[k])
                multipliers[k] = multiplier
            if np.abs(multipliers - before).max() <= 1e-12 * np.abs(kappa).max():
                break
        inside = np.abs(multipliers) < kappa * (1.0 - 1e-9)
        if inside.any():
            own = lines[:, inside]
            fixed_slope = self.smooth + lines[:, ~inside] @ multipliers[~inside]
            exact = np.linalg.lstsq(own.T @ own, h[inside] - own.T @ fixed_slope, rcond=1e-12)[0]
            if (np.abs(exact) <= kappa[inside]).all():
                multipliers[inside] = exact
        return multipliers


def _between(point: Point, near: Near) -> Array:
    """Return the gradient of J averaged over both sides of each kink that the point lies on.

    Which side an engine takes on the kink itself depends on rounding, so it is evaluated on both sides. As the two
    sides differ in curvature, the mean has an error proportional to the distance; a second pair of points, twice as
    far away, removes that error by extrapolation.
    """
    gradient: Array = point.gradient
    if not near.met.any():
        return gradient
    curvature = point.curved()
    diagonal = np.ones(point.theta.size) if curvature is None else curvature.diagonal()
    normals = near.n[near.met]
    across = (1.0 + 0.37 * np.arange(len(normals)))[:, None] * normals
    away = (across / np.abs(normals).max(axis=1)[:, None]).sum(axis=0) / np.where(diagonal > 0.0, diagonal, np.inf)
    opened = np.abs(normals @ away)
    if not opened.min() > 0.0:
        return gradient
    away *= float((ASIDE * np.abs(normals * point.theta).sum(axis=1) / opened).max())
    once, twice = (
        0.5 * (point.at(point.theta + share * away, 1).gradient + point.at(point.theta - share * away, 1).gradient)
        for share in (1.0, 2.0)
    )
    mean: Array = 2.0 * once - twice
    return mean if np.isfinite(mean).all() else gradient


def _modelled(point: Point, near: Near, gradient: Array, damping: float) -> _Model | None:
    """Return the model of J at a point with the kinks that a step may reach; None if there is none."""
    curvature = matrix_of(point.curved())
    near = near.of(np.flatnonzero(near.kappa > 0.0))
    if curvature is None or not near.h.size or not np.isfinite(curvature).all():
        return None
    free = curvature.diagonal() > 0.0
    if point.bounds is not None:
        free &= ~point.bounds.blocked(point.theta, gradient)
    if not free.any():
        return None
    units = np.sqrt(curvature.diagonal()[free])
    scaled = curvature[np.ix_(free, free)] / units / units[:, None]
    try:
        root = np.linalg.cholesky(scaled + (damping + 1e-13) * np.eye(units.size))
    except np.linalg.LinAlgError:
        root = np.linalg.cholesky(scaled + (damping + 1e-9) * np.eye(units.size))
    lines = np.linalg.solve(root, (near.n[:, free] / units).T)
    lengths = np.sqrt(np.square(lines).sum(axis=0))
    reach = float(np.linalg.norm(np.linalg.solve(root, gradient[free] / units)))
    far = np.abs(near.h) / np.where(lengths > 0.0, lengths, np.inf)
    nearest = np.flatnonzero((lengths > 0.0) & (far <= reach))
    nearest = nearest[np.argsort(far[nearest], kind="stable")[:MOST]]
    if not nearest.size:
        return None
    near, lines = near.of(nearest), lines[:, nearest]
    smooth = gradient - near.pull
    return _Model(units, free, root, np.linalg.solve(root, smooth[free] / units), lines, near)


def _stepped(point: Point, near: Near, gradient: Array) -> Point | None:
    """Return J after a step along the kinks that lowers it; None if there is no such step."""
    damping = 0.0
    for _ in range(ATTEMPTS):
        model = _modelled(point, near, gradient, damping)
        if model is None:
            return None
        multipliers = model.solved()
        move = model.move(multipliers)
        close = model.near
        bent = float(close.kappa @ (np.abs(close.h + close.n @ move) - np.abs(close.h)))
        gain = (
            -float((gradient - close.pull) @ move)
            - 0.5 * float(np.square(model.smooth + model.lines @ multipliers).sum())
            - bent
        )
        if not gain > GAIN * abs(point.loss):
            return None
        new = point.at(_ended(point, move), 2)
        if new.loss < point.loss - SUFFICIENT_DECREASE * gain:
            return new
        damping = max(10.0 * damping, 1e-6)
    return None


def _settled(point: Point, near: Near, gradient: Array) -> Array:
    """Return the end of one more step, which doubles the digits of theta; the fall of J is lost in rounding."""
    model = _modelled(point, near, gradient, 0.0)
    if model is None:
        return np.asarray(point.theta)
    ended = _ended(point, model.move(model.solved()))
    theta_reached: Array = ended if point.at(ended, 0).loss <= point.loss + GAIN * abs(point.loss) else point.theta
    return theta_reached


def _tried(point: Point, near: Near) -> Point | None:
    """Return J at a point beside the kinks that this one lies on, if it is lower on some side of one of them."""
    curvature = point.curved()
    if curvature is None:
        return None
    diagonal = np.where(curvature.diagonal() > 0.0, curvature.diagonal(), np.inf)
    for normal in near.n[near.met]:
        direction = normal / diagonal
        length = np.sqrt(float(direction @ curvature @ direction))
        if not (length > 0.0 and np.isfinite(length)):
            continue
        unit = direction * (np.sqrt(abs(point.loss)) / length)
        for share in TRIALS:
            for way in (share, -share):
                there = point.at(_ended(point, way * unit), 0)
                if there.loss < point.loss - GAIN * abs(point.loss):
                    return point.at(there.theta, 2)
    return None


def _ended(point: Point, move: Array) -> Array:
    return point.theta + move if point.bounds is None else point.bounds.moved(point.theta, move)


def _subgradient(point: Point, near: Near, gradient: Array) -> Array | None:
    """Return the subgradient of J of least length in the metric of the curvature; None where a kink bends downwards."""
    met = near.of(near.met)
    if (met.kappa < 0.0).any():
        return None
    model = _modelled(point, met, gradient, 0.0)
    if model is None:
        return None
    subgradient: Array = gradient - model.near.pull + model.near.n.T @ model.solved(fixed=True)
    return subgradient
