"""J around the path of a run: over two parameters as a surface, over one as a curve, with the steps on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.engines.numpy_engine import NumpyEngine
from descend.errors import ConfigError
from descend.gradients.derived import derived
from descend.inference.fitted import Fitted
from descend.problem.objective import objective_over
from descend.registry import closest
from descend.report.figures import Axis, Line, Mark, Panel, Surface, reach
from descend.report.panels import COLOURS, kept

Array = NDArray[np.float64]

GRID = 50
"""Values of each of two parameters at which J is computed."""
FINE = 201
"""Values at which J is computed if there is only one parameter."""
MOST_ROWS = 2_000
"""From more rows than this, J is computed on an evenly spaced sample: 2,500 values in a fraction of a second."""
MOST_CALLED = 50_000
"""Most rows on which J is computed where no sample will do, as its rows are predicted only together."""
MARGIN = 0.18
"""Margin around the path, as a share of its extent."""
ERRORS = 3.0
"""How many standard errors around the minimum the picture shows at least."""
RUNAWAY = 20.0
"""The path is drawn as long as J is below this many times its first value."""
LEVELS = 12


def landscape(fit: Fitted, names: Sequence[str] | None = None) -> Panel | None:
    """Prepare J around the path: over two parameters, or over the only one.

    names: two labels such as ``a`` and ``w[x1]``; if not given, the two whose estimates trade off the most.
    None for a PyTorch module, where one pair of so many weights tells nothing, and for a Python function of rows in a
    database, or of more rows than MOST_CALLED.
    """
    if fit.model.in_place or fit.solution is None or not fit.trace:
        return None
    if fit.solution.all_rows is not None and fit.model.formula is None:
        return None
    if not fit.model.rowwise and fit.rows > MOST_CALLED:
        return None
    if fit.theta.size == 1 and names is None:
        return _curve(fit)
    return race({"path": fit}, names)


def race(fits: Mapping[str, Fitted], names: Sequence[str] | None = None) -> Panel | None:
    """Prepare the paths of several fits of one model to the same data, on the surface of J over two parameters."""
    first = next(iter(fits.values()))
    if first.theta.size < 2:
        return None
    pair = places_of(first, names)
    paths = [_followed(fit)[:, pair] for fit in fits.values()]
    (x, y), labels = _grids(first, pair, paths), first.model.parameters.labels
    a, b = (labels[component] for component in pair)
    evaluate, said = objective_of(first)
    z = losses_over(evaluate, first.theta, pair, x, y)
    surface = relief(x, y, z)
    if surface is None:
        return None
    marks: list[Mark] = [surface]
    for path_number, (name, path) in enumerate(zip(fits, paths, strict=True)):
        colour = "vermillion" if len(fits) == 1 else COLOURS[(path_number + 1) % len(COLOURS)]
        label = "path, from ring to dot" if len(fits) == 1 else name
        marks.append(Line(path[:, 0], path[:, 1], label, colour, 2.2, dots=len(path) <= GRID, ends=True))
    caption_end = "; the other parameters stay at their last values" if first.theta.size > 2 else ""
    caption = f"{heights(surface, z)}{caption_end}.{said}"
    alt = f"Contours of J over {a} and {b}, with the path of the descent on it: " + "; ".join(
        f"{name} from ({path[0, 0]:.4g}, {path[0, 1]:.4g}) to ({path[-1, 0]:.4g}, {path[-1, 1]:.4g})"
        for name, path in zip(fits, paths, strict=True)
    )
    return Panel("surface", f"J over {a} and {b}", Axis(a), Axis(b), marks, caption, alt + ".")


def losses_over(evaluate: Callable[[Array], float], theta: Array, pair: tuple[int, int], x: Array, y: Array) -> Array:
    """Return J, as (len(y), len(x)), over two of the parameters, with the others held at ``theta``."""
    theta = np.array(theta, dtype=np.float64)
    z = np.empty((len(y), len(x)))
    with np.errstate(all="ignore"):
        for row, second in enumerate(y.tolist()):
            for column, value in enumerate(x.tolist()):
                theta[list(pair)] = value, second
                z[row, column] = evaluate(theta)
    return z


def relief(x: Array, y: Array, z: Array) -> Surface | None:
    """Return J as filled contours, evenly spread over the picture; None if J is flat there."""
    levels = _levels(z)
    if levels is None:
        return None
    z = np.where(np.isfinite(z), z, levels[-1])
    return Surface(x, y, np.clip(z, levels[0], levels[-1]), levels)


def heights(surface: Surface, z: Array) -> str:
    """Say for which values the contours stand."""
    low, high = float(surface.levels[0]), float(surface.levels[-1])
    above_range = " or more" if (z[np.isfinite(z)] > high).any() else ""
    return f"J from {low:.4g} (deepest colour) to {high:.4g}{above_range}"


def _curve(fit: Fitted) -> Panel:
    """Prepare J over the only parameter, with the steps on it."""
    label = fit.model.parameters.labels[0]
    path = _followed(fit)[:, 0]
    low, high = _extent(fit, 0, path)
    (low, high), (evaluate, caption) = _bounded(fit, 0, low, high), objective_of(fit)
    grid = np.linspace(low, high, FINE)
    with np.errstate(all="ignore"):
        values = np.array([evaluate(np.array([value])) for value in grid.tolist()])
        path_drawn = path if len(path) <= FINE else np.append(path[: FINE - 1], path[-1])
        steps = np.array([evaluate(np.array([value])) for value in path_drawn.tolist()])
    steps_caption = "steps, from ring to dot"
    marks: list[Mark] = [
        Line(grid, np.where(np.isfinite(values), values, np.nan), "J", "blue", 2.4),
        Line(path_drawn, steps, steps_caption, "vermillion", 1.6, dots=True, ends=True),
    ]
    alt = f"J over {label}, with the steps on it, from {path[0]:.4g} to {path[-1]:.4g}."
    _, top = reach(np.append(values[np.isfinite(values)], steps))
    bottom = min(0.0, float(np.nanmin(values))) if np.isfinite(values).any() else 0.0
    span = top - bottom
    up = Axis("J", low=bottom - 0.04 * span, high=top + 0.04 * span)
    return Panel("surface", f"J over {label}", Axis(label), up, marks, caption.strip(), alt)


def objective_of(fit: Fitted) -> tuple[Callable[[Array], float], str]:
    """Return J as a function of theta, on a sample if there are many rows, and a sentence that says so."""
    assert fit.solution is not None
    objective, rows = fit.solution.objective, fit.rows
    if fit.solution.all_rows is not None:  # the database holds them all; a sample of them is here
        assert fit.model.formula is not None
        program = derived(fit.model.formula, fit.loss_function)
        sample = objective_over(NumpyEngine(program, fit.solution.sample), objective.penalty)
        objective = objective.with_priors_of(sample)
        rows = objective.rows
    if rows <= MOST_ROWS or not fit.model.rowwise:
        rows_drawn, caption = np.arange(rows), ""
    else:
        rows_drawn = np.linspace(0, rows - 1, MOST_ROWS).astype(np.intp)
        caption = f" J of {MOST_ROWS:,} of {fit.rows:,} rows, {'evenly spaced' if rows == fit.rows else 'a sample'}."
    return (lambda theta: objective(theta, 0, rows_drawn).loss), caption


def places_of(fit: Fitted, names: Sequence[str] | None) -> tuple[int, int]:
    """Return the indices of two parameters to draw: those named, or those whose estimates trade off the most."""
    labels = fit.model.parameters.labels
    if names is not None:
        for name in names:
            if name not in labels:
                raise ConfigError(
                    f"There is no parameter `{name}` to draw.{closest(name, labels)} Parameters: {', '.join(labels)}."
                )
        first_label, second_label = (labels.index(name) for name in names)
        return first_label, second_label
    values = fit.correlation
    if values is None or not np.isfinite(values).all() or len(values) > 200:
        return 0, 1
    strength = np.triu(np.abs(values), 1)
    first_label, second_label = divmod(int(strength.argmax()), len(strength))
    return first_label, second_label


def _followed(fit: Fitted) -> Array:
    """Return the (steps, p) parameters of the steps, until J ran away."""
    path_losses = []
    for step in kept(fit):
        if not np.isfinite(step.theta).all():
            break
        path_losses.append(np.asarray(step.theta, dtype=np.float64))
        if not step.loss <= RUNAWAY * abs(fit.trace[0].loss):
            break
    if fit.outcome is not Outcome.DIVERGED and not np.array_equal(path_losses[-1], fit.theta):
        path_losses.append(np.asarray(fit.theta, dtype=np.float64))
    return np.array(path_losses).reshape(len(path_losses), -1)


def _extent(fit: Fitted, axis_number: int, path: Array) -> tuple[float, float]:
    """Return the range of one parameter to show: its path with a margin, and the neighbourhood of the minimum."""
    low, high = float(path.min()), float(path.max())
    covariance = fit.covariance
    if covariance is not None and fit.outcome is not Outcome.DIVERGED:
        spread = ERRORS * float(np.sqrt(covariance.diagonal()[axis_number]))
        if np.isfinite(spread):
            low, high = min(low, fit.theta[axis_number] - spread), max(high, fit.theta[axis_number] + spread)
    if low == high:
        low, high = reach(np.array([low]))
    room = MARGIN * (high - low)
    return low - room, high + room


def _bounded(fit: Fitted, axis_number: int, low: float, high: float) -> tuple[float, float]:
    """Keep a range within the bounds of its parameter."""
    bounds = None if fit.constraints is None else fit.constraints.bounds
    if bounds is None:
        return low, high
    return max(low, float(bounds.low[axis_number])), min(high, float(bounds.high[axis_number]))


def _grids(fit: Fitted, pair: tuple[int, int], paths: Sequence[Array]) -> tuple[Array, Array]:
    both = np.concatenate(paths)
    ends = [_bounded(fit, axis, *_extent(fit, axis, both[:, k])) for k, axis in enumerate(pair)]
    x, y = (np.linspace(*end, GRID) for end in ends)
    return x, y


def _levels(z: Array) -> Array | None:
    """Return edges of contours that are evenly spread over the picture; None if J is flat there."""
    finite_heights = z[np.isfinite(z)]
    if not len(finite_heights):
        return None
    levels = np.unique(np.quantile(finite_heights, np.linspace(0.0, 1.0, LEVELS + 1)))
    return levels if len(levels) > 2 and levels[-1] > levels[0] else None
