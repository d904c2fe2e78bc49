"""Still pictures with Matplotlib: a fit over its data, optimizers side by side, two columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError, DataError
from descend.fit.predict import band
from descend.report import style
from descend.report.style import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from descend.fit import Fit

Array = NDArray[np.float64]

__all__ = ["plot_columns", "plot_comparison", "plot_fit", "plot_model", "save"]

MOST_POINTS = 5_000
"""More points than this only cover each other; of more rows a random sample is drawn."""
FEW_EPOCHS = 30
"""Up to so many epochs, each is marked by a dot."""
DECADES = 100.0
"""A loss whose largest value is so many times its smallest is drawn on a logarithmic scale."""
LARGEST = 1e250
"""Matplotlib needs room above what it draws, so that values beyond this are drawn here."""
BANDS = {"confidence": 0.28, "prediction": 0.10}
"""The bands around a curve, and how opaque they are."""
LEVEL = 0.95
"""The level of the bands."""
DEEPEST = 1e-16
"""Losses below this share of the largest are rounding."""


def plot_fit(fit: Fit) -> Figure:
    """Draw a fit: its data with the fitted curve, and the loss per epoch.

    One input column: the rows and the curve. Several: predicted against observed, and the residuals. All on the scale
    of the formula's left side.

    Raises ConfigError if the fit was loaded from a file, so that it has no data (see ``plot_model``).
    """
    if fit.kept is None:
        raise ConfigError(
            "This fit was loaded from a file, without its data. Use plot_model(fit, columns) to draw it over some."
        )
    return plot_model(fit, fit.kept.columns)


def plot_model(fit: Fit, columns: Mapping[str, Any]) -> Figure:
    """Draw a fitted model over columns of data, as ``plot_fit`` does; the response may be left out with one input.

    Raises DataError if a column is missing.
    """
    model, inputs = fit.model, fit.model.inputs
    tensors = not inputs and not model.response_columns  # a module whose rows are not columns: take them as they are
    one = len(inputs) <= 1 and not tensors
    observed = all(name in columns for name in model.response_columns)
    needed = tuple(columns) if tensors else (*inputs, *(model.response_columns if observed or not one else ()))
    for name in needed:
        if name not in columns:
            raise DataError(
                f"There is no column `{name}` in the data, which the picture of `{model}` needs. "
                f"Columns: {', '.join(columns)}."
            )
    drawn, sampled = _sample({name: _column(columns[name]) for name in needed})
    figure, axes = style.canvas((1 if one else 2) + bool(fit.trace), _title(fit))
    with np.errstate(all="ignore"):
        y = model.observed(drawn) if observed else None
        if one:
            _draw_curve(axes[0], fit, drawn, y)
        else:
            assert y is not None
            _draw_predicted(axes[0], axes[1], fit, y, model.predict(fit.theta, drawn))
    if fit.trace:
        _draw_loss(axes[-1], fit)
    style.caption(
        figure, [sampled, "" if fit.trace or fit.outcome is Outcome.CONVERGED else f"{_ended(fit).capitalize()}."]
    )
    return figure


def plot_comparison(fits: Mapping[str, Fit]) -> Figure:
    """Draw the loss per epoch of several fits over each other; curves that leave the picture diverged."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    figure, (axes,) = style.canvas(1)
    figure.set_size_inches(9.0, 5.0)
    curves = [_losses(fit) for fit in fits.values()]
    handles: list[Any] = []
    for place, (epochs, losses) in enumerate(curves):
        color = style.COLOURS[place % len(style.COLOURS)]
        dashes = style.DASHES[place // len(style.COLOURS) % len(style.DASHES)]
        marker = "o" if len(epochs) <= FEW_EPOCHS else None
        handles += axes.plot(epochs, losses, dashes, color=color, linewidth=1.8, marker=marker, markersize=3.5)
    values = np.concatenate([losses for _, losses in curves]) if curves else np.empty(0)
    if len(values) and values.min() > 0.0:
        # A diverging curve would flatten all others, so the picture ends a little above where they started.
        top = max((losses[0] for _, losses in curves if len(losses)), default=1.0)
        bottom = max(values.min(), top * DEEPEST)
        axes.set_yscale("log")
        axes.set_ylim(bottom / (top / bottom) ** 0.05 / 1.1, top * (top / bottom) ** 0.15 * 1.5)
    last = [max(int(epochs[-1]), 1) for epochs, _ in curves if len(epochs)]
    if last and max(last) > 20 * min(last):
        axes.set_xscale("symlog", linthresh=1.0)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlim(0.0, max(last) * 1.2)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.label(axes, "epoch", "loss", "Loss per epoch")
    names = [f"{style.shown(name, 40)}: {_ended(fit)}" for name, fit in fits.items()]
    style.legend(axes, handles, names)
    style.caption(figure, [])
    return figure


def plot_columns(x: Any, y: Any, x_name: str, y_name: str) -> Figure:
    """Draw one column against another."""
    drawn, sampled = _sample({"x": np.asarray(x, dtype=np.float64), "y": np.asarray(y, dtype=np.float64)})
    figure, (axes,) = style.canvas(1)
    _points(axes, drawn["x"], drawn["y"], style.BLUE)
    style.label(axes, x_name, y_name, _rows(len(np.atleast_1d(x))))
    style.caption(figure, [sampled])
    return figure


def _draw_curve(axes: Axes, fit: Fit, columns: Mapping[str, Array], y: Array | None) -> None:
    """Draw the rows, and the prediction over the range of the one input (of none: over the rows' numbers)."""
    inputs = fit.model.inputs
    x = columns[inputs[0]] if inputs else np.arange(1.0, 1.0 + len(next(iter(columns.values()))))
    grid = _grid(x)
    curve = fit.model.predict(fit.theta, {inputs[0] if inputs else "": grid})
    handles: list[Any] = []
    names = []
    if y is not None:
        handles += _points(axes, x, y, style.BLUE)
        names.append("data")
        low, high = _reach(y)
        # A curve that runs away must not squeeze the data into a line.
        curve = np.clip(curve, low - 1e3 * (high - low), high + 1e3 * (high - low))
    handles += axes.plot(grid, curve, color=style.VERMILLION, linewidth=2.4, zorder=3)
    seen = y is None or _keep_in_view(axes, y, curve)
    names.append("fit" if seen else "fit, outside the picture")
    for interval, alpha in BANDS.items():
        ends = _band(fit, inputs[0] if inputs else "", grid, interval)
        if seen and ends is not None:
            handles.append(axes.fill_between(grid, *ends, color=style.VERMILLION, alpha=alpha, linewidth=0.0, zorder=1))
            names.append(f"{LEVEL * 100:g}% {interval}")
    rows = _rows(fit.rows) if fit.kept is not None else ""
    style.label(axes, inputs[0] if inputs else "row", _response(fit), f"Data and fit{', ' + rows if rows else ''}")
    style.legend(axes, handles, names)


def _band(fit: Fit, name: str, grid: Array, interval: str) -> tuple[Array, Array] | None:
    """Return the ends of a band around the curve, where there is one: at a minimum, of errors that are alike."""
    if fit.covariance is None or fit.undetermined or fit.outcome is not Outcome.CONVERGED or not len(grid):
        return None
    if interval == "prediction" and (fit.weights or fit.sigma or fit.loss_function.name != "squared"):
        return None  # of what weight would the next row be?
    found = band(fit, {name: grid}, interval, LEVEL)
    finite = np.isfinite(found.low) & np.isfinite(found.high)
    if not finite.all():
        return None
    return np.clip(found.low, -LARGEST, LARGEST), np.clip(found.high, -LARGEST, LARGEST)


def _draw_predicted(left: Axes, right: Axes, fit: Fit, y: Array, predicted: Array) -> None:
    """Draw predicted against observed with the diagonal, and residuals against predicted."""
    predicted = np.clip(predicted, -LARGEST, LARGEST)
    response = _response(fit)
    points = _points(left, y, predicted, style.BLUE)
    ends = _reach(np.concatenate([y, predicted[np.isfinite(predicted)]]))
    if fit.outcome is Outcome.DIVERGED:
        ends = _reach(y)
    line = left.plot(ends, ends, color=style.VERMILLION, linewidth=1.8, zorder=3)
    style.label(left, f"{response}, observed", f"{response}, predicted", f"Predicted and observed, {_rows(fit.rows)}")
    style.legend(left, [*points, *line], ["rows", "predicted = observed"])
    _points(right, predicted, np.clip(y - predicted, -LARGEST, LARGEST), style.BLUE)
    right.axhline(0.0, color=style.VERMILLION, linewidth=1.8, zorder=3)
    style.label(right, f"{response}, predicted", "observed - predicted", "Residuals")


def _draw_loss(axes: Axes, fit: Fit) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs, losses = _losses(fit)
    marker = "o" if len(epochs) <= FEW_EPOCHS else None
    axes.plot(epochs, losses, color=style.GREEN, linewidth=2.0, marker=marker, markersize=4.5)
    if len(losses) and losses.min() > 0.0 and losses.max() > DECADES * losses.min():
        axes.set_yscale("log")
        if losses.min() < DEEPEST * losses.max():
            axes.set_ylim(DEEPEST * losses.max(), losses.max() * 10.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    color = style.GREY if fit.succeeded else style.VERMILLION
    style.label(
        axes,
        "epoch",
        f"mean {fit.loss_function} loss{' + penalty' if fit.penalised else ''}",
        _ended(fit).capitalize(),
        color,
    )


def _losses(fit: Fit) -> tuple[NDArray[np.int64], Array]:
    """Return the epochs whose loss is finite, and these losses."""
    losses = fit.trace.losses
    finite = np.isfinite(losses)
    return fit.trace.epochs[finite], np.clip(losses[finite], -LARGEST, LARGEST)


def _points(axes: Axes, x: Array, y: Array, color: str) -> Sequence[Any]:
    """Draw rows as dots, the more of them the smaller and fainter."""
    crowd = min(math.log10(max(len(x), 1)) / math.log10(MOST_POINTS), 1.0)
    size, alpha = 6.5 - 4.0 * crowd, 0.85 - 0.5 * crowd
    return axes.plot(x, y, "o", color=color, markersize=size, alpha=alpha, markeredgewidth=0.0, zorder=2)


def _column(values: Any) -> Any:
    """Return a column as float64; rows that are tensors of more than one dimension stay as they are."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return values if getattr(values, "ndim", 1) > 1 else np.asarray(values, dtype=np.float64)


def _sample(columns: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return at most MOST_POINTS rows, and a sentence that says so where rows were left out."""
    total = len(next(iter(columns.values())))
    if total <= MOST_POINTS:
        return dict(columns), ""
    chosen = np.sort(np.random.default_rng(0).choice(total, MOST_POINTS, replace=False))
    return {
        name: column[chosen] for name, column in columns.items()
    }, f"{MOST_POINTS:,} of {total:,} rows drawn, chosen at random."


def _grid(x: Array) -> Array:
    """Return 400 evenly spaced values over the range of x and, for where its values crowd, its own quantiles."""
    finite = x[np.isfinite(x)]
    if not len(finite):
        return np.empty(0)
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    grid: Array = np.unique(np.concatenate([np.linspace(low, high, 400), np.quantile(finite, np.linspace(0, 1, 200))]))
    return grid


def _reach(values: Array) -> tuple[float, float]:
    """Return the least and the largest finite value; a range that is empty is widened."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = 0.0 if low < high else max(abs(low), 1.0) / 2
    return low - margin, high + margin


def _keep_in_view(axes: Axes, y: Array, curve: Array) -> bool:
    """Show all data, and the curve up to half their range beyond; return whether any of the curve shows."""
    low, high = _reach(y)
    span = high - low
    lowest, highest = _reach(np.clip(np.append(curve, y), low - 0.5 * span, high + 0.5 * span))
    axes.set_ylim(lowest - 0.06 * span, highest + 0.06 * span)
    return bool(((curve >= lowest) & (curve <= highest)).sum() > 1)


def _response(fit: Fit) -> str:
    """Name the left side: a column by its own name, without the backticks that quote it in a formula."""
    columns, text = fit.model.response_columns, fit.model.response
    return columns[0] if text.strip("`") in columns else text


def _title(fit: Fit) -> str:
    """Return the formula with its values; of a function or module, its name, and the values if they are few."""
    text = fit.fitted_formula
    if not text:
        values = fit.model.parameters.mentioned(fit.theta, digits=4)
        text = f"{fit.model}:  {values}" if values and not values.endswith("...") else str(fit.model)
    return style.shown(text, 110)


def _ended(fit: Fit) -> str:
    epochs = f"{fit.epochs:,} epoch{'' if fit.epochs == 1 else 's'}"
    if fit.outcome is Outcome.EPOCHS_USED_UP:
        return f"not converged, {epochs} used up"
    return f"{str(fit.outcome).replace('_', ' ')} after {epochs}"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
