"""The panels of a fit: its curve over the data, its residuals, and its run, prepared for any drawing library."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.descent.outcome import Outcome
from descend.descent.step import Step
from descend.errors import ConfigError
from descend.inference.fitted import Fitted
from descend.report import bands, rows_as_marks
from descend.report.figures import Axis, Bars, Line, Mark, Matrix, Panel, Points, above_zero, drawable, reach
from descend.report.picture_look import Look
from descend.report.view_of_fit import View, ended, rows, sample

Array = NDArray[np.float64]

DEFAULT = Look()
AT_ONCE = 2
"""A converged run of at most this many epochs is too short to draw."""
FEW_EPOCHS = 30
"""Up to this many epochs, each is marked by a dot."""
MOST_STEPS = 2_000
"""Most steps of a run that a line shows; of more, evenly spaced ones and the last."""
DECADES = 100.0
"""If the largest value is this many times the smallest, the scale is logarithmic."""
DEEPEST = 1e-16
"""Losses below this share of the largest are nothing but rounding."""
FLAT = 1e-4
"""If losses differ by no more than this share, they are drawn as constant, on an axis that includes zero."""
MOST_LINES = 6
"""Most parameters whose course is drawn; with more lines than colours, one cannot tell them apart."""
MOST_CELLS = 12
"""Most parameters in the heat map of correlations."""
WIDE, CROWDED = 1e3, 0.05
"""A page draws an input on a logarithmic axis if it spans these powers of ten, with half of it below this share."""
UNLIKE = 5.0
"""If the sizes of parameters differ by more than this factor, they are drawn as shares of those sizes."""
COLOURS = ("blue", "vermillion", "green", "purple", "orange", "sky")
DASHES = ("-", "--", ":")


def curve(view: View, look: Look = DEFAULT) -> Panel:
    """Prepare the rows, and the prediction over the range of the one input, or over row numbers if there is none.

    A model whose prediction of a row may depend on other rows is drawn at the rows themselves.

    Raises ConfigError for a logarithmic axis if no row is above 0.
    """
    fit, name = view.fit, view.inputs[0] if view.inputs else "row"
    across, x = look.scale("x"), on_axis(look, "x", view.x, name)
    every = view.x if view.held_out is None or not view.inputs else np.concatenate([view.x, view.held_out.x])
    grid, curve_drawn = view.line(x, along(on_axis(look, "x", every, name), across))
    values = curve_drawn.predict(fit.model, fit.theta)
    marks: list[Mark] = []
    low, high, in_view, caption = None, None, True, []
    if view.observed:
        y = on_axis(look, "y", view.y, view.response)
        bars = rows_as_marks.bars(view, x, y)
        drawn_rows = rows_as_marks.points(fit.loss_function, view.columns, x, y)
        marks += [*bars, *drawn_rows]
        bars += [mark for mark in drawn_rows if isinstance(mark, Bars)]
        if (held := view.held_out) is not None:
            up = on_axis(look, "y", held.y, view.response)
            marks += rows_as_marks.held_out(held, on_axis(look, "x", held.x, name), up)
            y = np.concatenate([y, up])
        lowest_y, most = reach(y)
        # A curve that runs away must not flatten the data into a line.
        values = np.clip(values, lowest_y - 1e3 * (most - lowest_y), most + 1e3 * (most - lowest_y))
        low, high, in_view = _in_view(np.concatenate([y, *(each.reach_up for each in bars)]), values, look.scale("y"))
        marks += _corrected(view, x, view.y)
        caption.append(rows_as_marks.LEFT_OUT if rows_as_marks.crowded(view) else "")
    if look.scale("y") == "log":
        values = above_zero(values)
    marks.append(Line(grid, values, "fit" if in_view else "fit, outside the picture", width=2.4))
    if len(grid) and in_view:
        around = bands.around(fit, curve_drawn, grid, look, low)
        marks += around
        low, high = bands.in_view(around, low, high, look)
        caption += bands.lacking(fit, look)
    title = f"Data and fit, {rows(fit.rows)}" if fit.solution is not None else "Data and fit"
    first, last = (f"{value:.4g}" for value in (values[0], values[-1])) if len(values) else ("", "")
    alt = (
        f"Scatter plot of {view.response} against {name}, {rows(len(view.x))}, with the fitted curve, "
        f"which goes from {first} at the left to {last} at the right."
    )
    axes = Axis(view.axis(name), across), Axis(view.axis(view.response), look.scale("y"), low, high)
    return Panel("curve", title, *axes, marks, " ".join(filter(None, [_without(view, look), *caption])), alt)


def _corrected(view: View, x: Array, y: Array) -> list[Mark]:
    """Return the corrected points of a fit whose input has errors, on its curve."""
    true = None if len(x) > rows_as_marks.MOST_BARS else rows_as_marks.corrected(view)
    if true is None or view.inputs[0] not in true:
        return []
    with np.errstate(all="ignore"):
        on_curve = view.fit.model.predict(view.fit.theta, {**view.columns, **true})
    return rows_as_marks.joined(x, y, true[view.inputs[0]], on_curve)


def predicted(view: View, look: Look = DEFAULT) -> Panel:
    """Prepare predicted against observed, with the diagonal on which they are equal."""
    y, values = on_axis(look, "x", view.y, view.response), drawable(view.predicted)
    values = above_zero(values) if look.scale("y") == "log" else values
    marks: list[Mark] = [Points(y, values, "rows")]
    if (held := view.held_out) is not None:
        marks += rows_as_marks.held_out(held, on_axis(look, "x", held.y, view.response), drawable(held.predicted))
    ends = np.array(reach(np.concatenate([y, values])))
    if view.fit.outcome is Outcome.DIVERGED:
        ends = np.array(reach(y))
    return Panel(
        "predicted",
        f"Predicted and observed, {rows(view.fit.rows)}",
        Axis(f"{view.axis(view.response)}, observed", look.scale("x")),
        Axis(f"{view.axis(view.response)}, predicted", look.scale("y")),
        [*marks, Line(ends, ends, "predicted = observed", width=1.8)],
        _without(view, look),
        f"Predicted against observed {view.response}; a perfect prediction lies on the diagonal.",
    )


def loss(fit: Fitted) -> Panel:
    """Prepare the loss per epoch, on a logarithmic scale if it fell by several powers of ten."""
    epochs, losses = finite(fit)
    scale, low, high = "linear", None, None
    if len(losses) and losses.min() > 0.0 and losses.max() > DECADES * losses.min():
        scale = "log"
        if losses.min() < DEEPEST * losses.max():
            low, high = DEEPEST * losses.max(), losses.max() * 10.0
    elif len(losses) and losses.max() - losses.min() < FLAT * losses.max():
        low, high = 0.0, 2.0 * losses.max()
    ends = f" It goes from {losses[0]:.4g} to {losses[-1]:.4g}." if len(losses) else ""
    added = " + penalty" if fit.penalised else " + priors" if fit.priors else ""
    return Panel(
        "loss",
        _sentence(ended(fit)),
        Axis("epoch", integers=True),
        Axis(f"mean {fit.loss_function.shown} loss{added}", scale, low, high),
        [Line(epochs, losses, colour="green", dots=len(epochs) <= FEW_EPOCHS)],
        _thinned(fit),
        f"The loss per epoch, {'on a logarithmic scale' if scale == 'log' else 'on a linear scale'}.{ends}",
        failed=not fit.succeeded,
    )


def gradient_norm(fit: Fitted) -> Panel:
    """Prepare the norm of the gradient per epoch on a logarithmic scale, without the epochs at which it is zero."""
    steps = kept(fit)
    norms = np.array([step.gradient_norm for step in steps], dtype=np.float64)
    epochs = np.array([step.epoch for step in steps], dtype=np.float64)
    points_shown = np.isfinite(norms) & (norms > 0.0)
    norms = drawable(norms[points_shown])
    ends = f" It goes from {norms[0]:.3g} to {norms[-1]:.3g}." if len(norms) else ""
    return Panel(
        "gradient",
        "Norm of the gradient",
        Axis("epoch", integers=True),
        Axis("|gradient|", "log" if len(norms) else "linear"),
        [Line(epochs[points_shown], norms, colour="purple", dots=len(epochs) <= FEW_EPOCHS)],
        _thinned(fit),
        f"The norm of the gradient per epoch, on a logarithmic scale; it is zero at a minimum.{ends}",
    )


def parameters(fit: Fitted) -> Panel:
    """Prepare the parameters per epoch; if their sizes differ much, each as a share of its largest size."""
    steps = [step for step in kept(fit) if np.isfinite(step.theta).all()]
    epochs = np.array([step.epoch for step in steps], dtype=np.float64)
    ways = np.array([step.theta for step in steps], dtype=np.float64).reshape(len(steps), -1)[:, :MOST_LINES]
    labels = fit.model.parameters.labels
    sizes = np.abs(ways).max(axis=0) if len(ways) else np.ones(1)
    shares = bool(len(ways)) and sizes.min() > 0.0 and sizes.max() > UNLIKE * sizes.min()
    if shares:
        ways = ways / sizes
    left_out = f"The first {MOST_LINES} of {len(labels):,} parameters." if len(labels) > MOST_LINES else ""
    ends = ", ".join(
        f"{label} ends at {value:.4g}" for label, value in zip(labels, fit.theta[:MOST_LINES], strict=False)
    )
    return Panel(
        "parameters",
        "Parameters per epoch",
        Axis("epoch", integers=True),
        Axis("value / its largest" if shares else "value"),
        [
            Line(epochs, drawable(way), label, COLOURS[path_number % len(COLOURS)], dots=len(epochs) <= FEW_EPOCHS)
            for path_number, (label, way) in enumerate(zip(labels, ways.T, strict=False))
        ],
        " ".join(caption_part for caption_part in (left_out, _thinned(fit)) if caption_part),
        f"The parameters per epoch{', each divided by its largest size on the way' if shares else ''}: {ends}.",
    )


def correlation(fit: Fitted) -> Panel | None:
    """Prepare the correlations of the parameters' estimates; None where there are none, or only one parameter."""
    values = fit.correlation
    if values is None or len(values) < 2:
        return None
    labels = fit.model.parameters.labels[:MOST_CELLS]
    values = values[:MOST_CELLS, :MOST_CELLS]
    pairs = [(abs(values[i, j]), labels[j], labels[i], values[i, j]) for i in range(len(labels)) for j in range(i)]
    known_pairs = [pair for pair in pairs if np.isfinite(pair[0])]
    if not known_pairs:
        return None
    _, label, other, most = max(known_pairs)
    many = fit.model.parameters.size > MOST_CELLS
    return Panel(
        "correlation",
        "How the parameters trade off",
        Axis(""),
        Axis(""),
        [Matrix(labels, values)],
        f"The first {MOST_CELLS} of {fit.model.parameters.size:,} parameters." if many else "",
        f"Heat map of the correlations between the parameters; the strongest is {most:.2f}, of {label} and {other}.",
    )


def comparison(fits: Mapping[str, Fitted]) -> Panel:
    """Prepare the loss per epoch of several fits over each other; curves that leave the picture diverged."""
    curves = [finite(fit) for fit in fits.values()]
    marks: list[Mark] = []
    for fit_number, ((name, fit), (epochs, losses)) in enumerate(zip(fits.items(), curves, strict=True)):
        colour, dashes = COLOURS[fit_number % len(COLOURS)], DASHES[fit_number // len(COLOURS) % len(DASHES)]
        few = len(epochs) <= FEW_EPOCHS
        marks.append(Line(epochs, losses, f"{name}: {ended(fit)}", colour, 1.8, dashes, few))
    scale, low, high = "linear", None, None
    values = np.concatenate([losses for _, losses in curves]) if curves else np.empty(0)
    if len(values) and values.min() > 0.0:
        # A diverging curve would flatten all others, so the picture ends a little above where they started.
        top = max((losses[0] for _, losses in curves if len(losses)), default=1.0)
        bottom = max(values.min(), top * DEEPEST)
        scale = "log"
        low, high = bottom / (top / bottom) ** 0.05 / 1.1, top * (top / bottom) ** 0.15 * 1.5
    last = [max(int(epochs[-1]), 1) for epochs, _ in curves if len(epochs)]
    wide = bool(last) and max(last) > 20 * min(last)
    across = Axis("epoch", "symlog", 0.0, max(last) * 1.2, True) if wide else Axis("epoch", integers=True)
    alt = "The loss per epoch of " + "; ".join(f"{name}, {ended(fit)}" for name, fit in fits.items()) + "."
    return Panel("comparison", "Loss per epoch", across, Axis("loss", scale, low, high), marks, "", alt)


def columns(x: ArrayLike, y: ArrayLike, x_name: str, y_name: str, look: Look = DEFAULT) -> Panel:
    """Prepare one column against another."""
    points_drawn, _, sampled = sample({"x": np.asarray(x, dtype=np.float64), "y": np.asarray(y, dtype=np.float64)})
    points = Points(on_axis(look, "x", points_drawn["x"], x_name), on_axis(look, "y", points_drawn["y"], y_name))
    left_out = _left_out(points_drawn["x"], points_drawn["y"], look)
    count = rows(len(np.atleast_1d(x)))
    alt = f"Scatter plot of {y_name} against {x_name}, {count}."
    axes = Axis(x_name, look.scale("x")), Axis(y_name, look.scale("y"))
    return Panel(
        "columns", count, *axes, [points], " ".join(caption for caption in (sampled, left_out) if caption), alt
    )


def tells(fit: Fitted) -> bool:
    """Whether the steps of a run are worth drawing: not if it began at the minimum, or reached it at once."""
    if not fit.trace or fit.outcome is not Outcome.CONVERGED:
        return bool(fit.trace)
    _, losses = finite(fit)
    return fit.epochs > AT_ONCE and bool(losses.max() - losses.min() > FLAT * abs(losses).max())


def finite(fit: Fitted) -> tuple[Array, Array]:
    """Return the epochs whose loss is finite, and these losses."""
    steps = kept(fit)
    losses = np.array([step.loss for step in steps], dtype=np.float64)
    points_shown = np.isfinite(losses)
    return np.array([step.epoch for step in steps], dtype=np.float64)[points_shown], drawable(losses[points_shown])


def kept(fit: Fitted) -> list[Step]:
    """Return the steps to draw: all, or evenly spaced ones and the last."""
    steps = list(fit.trace)
    if len(steps) <= MOST_STEPS:
        return steps
    step_numbers = np.unique(np.linspace(0, len(steps) - 1, MOST_STEPS).round().astype(int))
    return [steps[step_number] for step_number in step_numbers]


def _thinned(fit: Fitted) -> str:
    return f"{MOST_STEPS:,} of {len(fit.trace):,} steps drawn, evenly spaced." if len(fit.trace) > MOST_STEPS else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def along(x: Array, scale: str = "linear") -> Array:
    """Return 400 evenly spaced values over the range of x, and quantiles of x for where its values crowd."""
    finite_x = x[np.isfinite(x)]
    if not len(finite_x):
        return np.empty(0)
    low, high = float(finite_x.min()), float(finite_x.max())
    if low == high:
        low, high = (low / 2.0, high * 2.0) if scale == "log" else (low - 0.5, high + 0.5)
    even = np.geomspace(low, high, 400) if scale == "log" else np.linspace(low, high, 400)
    grid: Array = np.unique(np.concatenate([even, np.quantile(finite_x, np.linspace(0, 1, 200))]))
    return grid


def scale_of(x: Array) -> str:
    """Return ``log`` for the axis of values above 0 that crowd at one end of it otherwise, as of a series of doses."""
    finite = x[np.isfinite(x)]
    if not len(finite) or not finite.min() > 0.0 or not finite.max() > WIDE * finite.min():
        return "linear"
    return "log" if float(np.median(finite)) < CROWDED * float(finite.max()) else "linear"


def _in_view(y: Array, values: Array, scale: str = "linear") -> tuple[float, float, bool]:
    """Return limits that show all data and half their range more of the curve, and whether any of the curve shows."""
    if scale == "log":
        with np.errstate(all="ignore"):
            lowest, highest, in_view = _in_view(np.log10(y), np.log10(above_zero(values)))
        return 10.0**lowest, 10.0**highest, in_view
    low, high = reach(y)
    span = high - low
    lowest, highest = reach(np.clip(np.append(values, y), low - 0.5 * span, high + 0.5 * span))
    in_view = bool(((values >= lowest) & (values <= highest)).sum() > 1)
    return lowest - 0.06 * span, highest + 0.06 * span, in_view


def on_axis(look: Look, side: str, values: Array, name: str) -> Array:
    """Return the values of ``name`` that an axis can show. Raises ConfigError if there are none."""
    if look.scale(side) == "linear":
        return values
    points_shown = above_zero(values)
    if not np.isfinite(points_shown).any():
        raise ConfigError(
            f"No value of `{name}` is above 0, so the {side} axis cannot be logarithmic. Leave that axis linear."
        )
    return points_shown


def _left_out(x: Array, y: Array, look: Look) -> str:
    """Say how many rows logarithmic axes leave out, if any."""
    out = np.zeros(len(x), dtype=bool)
    for side, values in (("x", x), ("y", y)):
        if look.scale(side) == "log":
            out |= ~(values > 0.0)
    return f"{rows(int(out.sum()))} not above 0 left out of a logarithmic axis." if out.any() else ""


def _without(view: View, look: Look) -> str:
    """Say which rows are not drawn: those outside the sample, and those that a logarithmic axis cannot show."""
    if not view.observed:
        return view.sampled
    left_out = _left_out(view.x if view.one else view.y, view.y if view.one else view.predicted, look)
    return " ".join(caption_part for caption_part in (view.sampled, left_out) if caption_part)
