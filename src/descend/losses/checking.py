"""Whether the formulas of a loss fit together: what one from outside is held against when it is registered."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from sympy import Expr

from descend.errors import ConfigError, DescendError
from descend.losses.contract import Loss
from descend.losses.domain import Domain
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE, SYMBOLS, Array, Formulas
from descend.registry import BOUNDS

OF_ROWS = (PREDICTION, RESPONSE, RESIDUAL)
TEXTS = ("value_text", "slope_text", "weight_text")
STEP = 1e-6
"""Of the differences, as a share of the range of the prediction, or of its size."""


def check(loss: Loss) -> None:
    """Hold the formulas of a loss against each other, at a few points of its domains.

    slope = d value / d prediction, by differences; 0 <= weight < infinity wherever the value is finite.

    loss: with the settings to check it at. Columns of its own are 1, parameters of its own at their starts.

    Raises ConfigError for a formula that cannot be read or names what is unknown, and for the first point where the
    slope is not that of the value, or the weight is below 0 or no number.

    >>> from descend.losses import Huber
    >>> check(Huber(delta=2.0))
    """
    loss = _with_numbers(loss)
    for attribute in dir(type(loss)):
        if attribute.endswith("_text") and getattr(loss, attribute):
            _refuse_unknown(loss, attribute)
    columns = {name: np.ones(1) for name in loss.own_columns}
    known = loss.given(columns, loss.own_parameters)
    prediction, y = (each.ravel() for each in np.meshgrid(_predictions(loss.prediction_domain), _responses(loss)))
    with np.errstate(all="ignore"):
        finite = np.isfinite(known.value(prediction, y))
        if not finite.any():
            raise ConfigError(
                f"`value_text` of the loss `{loss.name}` is no number at any of the points it was tried at, such as "
                f"{_point(prediction[0], y[0])}. Say in `prediction_domain` and `response_domain` where it is one."
            )
        _check_slope(known, prediction[finite], y[finite])
        _check_weight(known, prediction[finite], y[finite])


def check_class(kind: type[Loss]) -> None:
    """Check a class of losses at the defaults of its settings; one that has none for a setting cannot be."""
    for attribute in ("name", *TEXTS) if kind.expressions is Formulas.expressions else ("name",):
        if not hasattr(kind, attribute):
            raise ConfigError(
                f"The loss `{kind.__qualname__}` has no `{attribute}`. A loss says its `name`, and as texts its value, "
                "its slope (the derivative of the value by the prediction) and its weight (the second, or a positive "
                "stand-in for it): `value_text`, `slope_text`, `weight_text`."
            )
    needed = [each for each in dataclasses.fields(kind) if each.default is each.default_factory is dataclasses.MISSING]
    if not needed and not kind.of_classes:
        check(kind())


def _with_numbers(loss: Loss) -> Loss:
    """Return the loss with a number in its range for each setting that is to be estimated."""
    numbers = {}
    for field in dataclasses.fields(loss):
        if field.name in loss._estimates:
            bounds = field.metadata["bounds"].items()
            tried = [value for value in (1.0, 0.5, 2.0) if all(BOUNDS[words](value, end) for words, end in bounds)]
            numbers[field.name] = tried[0] if tried else next(float(end) for _, end in bounds)
    return dataclasses.replace(loss, **numbers) if numbers else loss


def _refuse_unknown(loss: Loss, attribute: str) -> None:
    """Refuse a formula that cannot be read, or names anything but the quantities of a row and what the loss has."""
    text = getattr(loss, attribute)
    if not isinstance(text, str):
        raise ConfigError(f'`{attribute}` of the loss `{loss.name}` must be a text, such as "r^2", not {text!r}.')
    try:
        expression: Expr = loss.read(text)
    except DescendError as error:
        raise ConfigError(f"`{attribute}` of the loss `{loss.name}` cannot be read. {error}") from error
    own = {*loss.own_columns, *loss.own_parameters}
    known = [symbol.name for symbol in (OF_ROWS if attribute in TEXTS else SYMBOLS)]
    unknown = sorted({str(symbol) for symbol in expression.free_symbols} - {*known, *own})
    if unknown:
        listed = ", ".join(f"`{name}`" for name in [*known, *loss.settings, *loss.own_parameters])
        raise ConfigError(
            f"`{attribute}` of the loss `{loss.name}` names `{unknown[0]}`, which it does not have: {text}. "
            f"Known: {listed}; r is prediction - y."
        )


def _predictions(domain: Domain) -> Array:
    if math.isfinite(domain.high - domain.low):
        return domain.low + (domain.high - domain.low) * np.array([0.11, 0.29, 0.53, 0.83])
    return _from_an_end(domain, [-2.13, -0.61, 0.73, 1.97], [0.23, 0.9, 1.7, 3.9])


def _responses(loss: Loss) -> Array:
    domain = loss.response_domain
    if loss.two_levels:
        return np.array([0.0, 1.0])
    if math.isfinite(domain.high - domain.low):
        return domain.low + (domain.high - domain.low) * np.array([0.17, 0.43, 0.71])
    return _from_an_end(domain, [-1.0, 0.0, 2.0] if loss.counts else [-1.27, 0.41, 2.23], [1.0, 2.0, 5.0])


def _from_an_end(domain: Domain, anywhere: list[float], away: list[float]) -> Array:
    """Return numbers at these distances from the end of a domain, or anywhere if it has none."""
    if math.isfinite(domain.low):
        return domain.low + np.array(away)
    return domain.high - np.array(away) if math.isfinite(domain.high) else np.array(anywhere)


def _point(prediction: float, y: float) -> str:
    return f"prediction = {prediction:g}, y = {y:g}"


def _check_slope(loss: Loss, prediction: Array, y: Array) -> None:
    domain = loss.prediction_domain
    span = domain.high - domain.low
    step = STEP * (span if math.isfinite(span) else np.maximum(1.0, np.abs(prediction)))
    value, slope = loss.value(prediction, y), loss.slope(prediction, y)
    above, below = (loss.value(prediction + step, y) - value) / step, (value - loss.value(prediction - step, y)) / step
    rise = 0.5 * (above + below)
    smooth = np.isfinite(rise) & (np.abs(above - below) <= 1e-3 * (np.abs(above) + np.abs(below)) + 1e-4)  # no kink
    rounding = 1e-9 * np.abs(value) + 1e-5 * np.max(np.abs(rise), where=smooth, initial=0.0)
    wrong = smooth & ~(np.abs(slope - rise) <= 1e-4 * np.abs(rise) + rounding)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ConfigError(
            f"The slope of the loss `{loss.name}` is not the derivative of its value by the prediction: at "
            f"{_point(prediction[at], y[at])} `slope_text` gives {slope[at]:.4g}, and `value_text` has the derivative "
            f"{rise[at]:.4g}. Correct one of them."
        )


def _check_weight(loss: Loss, prediction: Array, y: Array) -> None:
    weight = loss.weight(prediction, y)
    wrong = ~(np.isfinite(weight) & (weight >= -1e-12 * np.max(np.abs(weight))))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ConfigError(
            f"The weight of the loss `{loss.name}` must be 0 or more. At {_point(prediction[at], y[at])} `weight_text` "
            f"gives {weight[at]:.4g}. Let it be the second derivative of the value by the prediction or, where that is "
            "negative, a positive stand-in for it, such as the Fisher information. If no such point occurs, say so in "
            "`response_domain` or `prediction_domain`."
        )
