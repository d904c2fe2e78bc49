"""Trial points where a named curve says that its parameters lie, which it says in features of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import over_rows
from descend.formula.computed_column import read_computed
from descend.formula.named_curve import NamedCurve
from descend.formula.symbols import Parameter
from descend.gradients.derived import Program
from descend.starts.trial_points import cube, place_of
from descend.table.rows import Rows

Array = NDArray[np.float64]
GEOMETRIC = 4.0
"""Factor between the ends of a range, of one sign, from which on it is gone through in equal ratios."""


def with_curves(program: Program, rows: Rows, points: Array, scanned: Sequence[Expr]) -> Array:
    """Return trial points, (points, p), and as many again whose parameters lie where the named curves say.

    scanned: the unknowns that are searched for. Points alone where no curve says anything of these.
    """
    ranges: dict[Parameter, tuple[float, float]] = {}
    for curve in program.formula.curves:
        ranges |= _ranges(curve, program, rows)
    scan_axes = [scan_axis for scan_axis, symbol in enumerate(scanned) if symbol in ranges]
    if not scan_axes:
        return points
    shares, scan_points = cube(len(points), len(scanned)), points.copy()
    for scan_axis in scan_axes:
        symbol = scanned[scan_axis]
        scan_points[:, place_of(program, symbol)] = _between(*ranges[symbol], shares[scan_axis])[:, None]
    return np.concatenate([scan_points, points])


def _ranges(curve: NamedCurve, program: Program, rows: Rows) -> dict[Parameter, tuple[float, float]]:
    """Return the range of each parameter of which a curve says one."""
    from descend.formula.curves import CURVES

    entry = CURVES[curve.name]
    starts = {
        argument.name: argument.start for argument in entry.parameters if argument.start and argument.name in curve.own
    }
    columns, count = rows.columns, rows.count
    if not starts or not all(symbol.name in columns for symbol in curve.x.free_symbols):
        return {}
    features_of_rows = features(over_rows(curve.x, columns, count), over_rows(program.formula.response, columns, count))
    return {curve.own[name]: _range(text, features_of_rows) for name, text in starts.items()}


def _range(text: str, features_of_rows: Mapping[str, float]) -> tuple[float, float]:
    low, high = (
        read_computed(range_ends, tuple(features_of_rows)).over(
            {name: np.array([value]) for name, value in features_of_rows.items()}, 1
        )[0]
        for range_ends in text.split(" to ")
    )
    return float(low), float(high)


def _between(low: float, high: float, share: Array) -> Array:
    if low * high > 0.0 and not 1.0 / GEOMETRIC < high / low < GEOMETRIC:
        return np.asarray(low * (high / low) ** share)
    return low + share * (high - low)


def features(x: Array, y: Array) -> dict[str, float]:
    """Return what a rule for starting values may use (see ``FEATURES``), of x and y in each row, where both are finite.

    >>> seen = features(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 4.0, 3.0, 1.0]))
    >>> seen["x_at_max"], seen["x_half"], seen["width"]
    (1.0, 1.0, 2.0)
    """
    usable = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[usable], kind="stable")
    x, y = x[usable][order], y[usable][order]
    if not x.size:
        x = y = np.zeros(1)
    low, high = float(y.min()), float(y.max())
    span, above = float(x[-1] - x[0]), y >= 0.5 * (low + high)
    steps = np.diff(np.unique(x))
    weights = np.gradient(x) if x.size > 1 and span > 0.0 else np.ones(x.size)
    crossing = np.flatnonzero(above != above[0])
    spread = float(np.var(x))
    return {
        "x_min": float(x[0]),
        "x_max": float(x[-1]),
        "x_span": span,
        "step": float(np.median(steps)) if steps.size else 1.0,
        "y_min": low,
        "y_max": high,
        "y_span": high - low,
        "y_first": float(y[0]),
        "y_last": float(y[-1]),
        "x_at_max": float(x[np.argmax(y)]),
        "x_at_min": float(x[np.argmin(y)]),
        "x_half": float(x[crossing[0] if crossing.size else x.size // 2]),
        "width": float(weights[above].sum()),
        "slope": float(np.cov(x, y, bias=True)[0, 1]) / spread if spread > 0.0 else 0.0,
    }
