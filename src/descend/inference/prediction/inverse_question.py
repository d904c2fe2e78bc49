"""What a user may ask of an inverse prediction, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from descend.errors import ConfigError
from descend.inference.intervals import listed
from descend.inference.prediction.inverse_answer import Range
from descend.inference.quantities.curve import group_columns, inputs_named
from descend.models import Model
from descend.registry import closest

INTERVALS = ("inversion", "wald")


@dataclass(frozen=True)
class Question:
    """What is asked of an inverse prediction.

    input: the one that varies; others: values of all other inputs. response: replicates of one sample, on the scale of
    the left side of the formula. mean: whether the curve itself is asked for, not a new measurement. sigma: standard
    deviation of one measurement, needed where the fit has a column of them. within: where to look.
    """

    input: str
    others: Mapping[str, float]
    response: tuple[float, ...]
    interval: str = "inversion"
    level: float = 0.95
    mean: bool = False
    sigma: float | None = None
    within: Range | None = None


def varying_input(model: Model, name: str | None, other_inputs: Mapping[str, object]) -> str:
    """Return the input to solve for. Raises ConfigError unless exactly this one has no value."""
    if model.in_place:
        raise ConfigError(f"A {model.kind} cannot be inverted. Use a formula.")
    model.loss.refuse_classes("no response to solve for")
    inputs, groups = inputs_named(model), group_columns(model)
    if not inputs:
        raise ConfigError("The model has no input to solve for: its prediction is the same everywhere.")
    if name in groups:
        raise ConfigError(f"`{name}` tells groups apart, so no curve runs along it. Solve for another input.")
    for input_name in (*other_inputs, *([] if name is None else [name])):
        if input_name not in inputs:
            raise ConfigError(
                f"`{input_name}` is no input of the model.{closest(input_name, inputs)} Inputs: {', '.join(inputs)}."
            )
    if name is not None and name in other_inputs:
        raise ConfigError(f"`{name}` is both what is asked for and given. Leave out one of the two.")
    left = [each for each in inputs if each not in other_inputs and each != name]
    numbers = [each for each in left if each not in groups]
    if name is None and len(left) == len(numbers) == 1:
        return left[0]
    if name is None or left:
        missing = listed(left)
        advice = "Say which input to solve for" if name is None else "Give each other input a value, `at`"
        raise ConfigError(f"{advice}: {missing} {'is' if len(left) == 1 else 'are'} left.")
    return name


def checked_sigma(sigma: float | None, between: Range | None) -> None:
    """Raise ConfigError for a standard deviation that is not above 0, or a range that is empty."""
    if sigma is not None and not (math.isfinite(sigma) and sigma > 0.0):
        raise ConfigError(f"The standard deviation of a measurement must be above 0; it is {sigma:g}.")
    if between is not None and not between[0] < between[1]:
        raise ConfigError(f"The range from {between[0]:g} to {between[1]:g} is empty.")


def checked_response(response: object) -> tuple[float, ...]:
    """Return a number, or several, as numbers. Raises ConfigError."""
    values: Sequence[object] = np.atleast_1d(np.asarray(response, dtype=object)).ravel().tolist()
    try:
        numbers = tuple(float(str(value)) for value in values)
    except (TypeError, ValueError):
        numbers = (math.nan,)
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ConfigError(f"A response is a number, or a list of replicates of one sample; it is {response!r}.")
    return numbers


def checked_interval(interval: str) -> str:
    """Return the name of a kind of interval. Raises ConfigError if there is no such kind."""
    if interval not in INTERVALS:
        raise ConfigError(
            f"There is no interval `{interval}` of an inverse prediction.{closest(str(interval), INTERVALS)} "
            f"Known: {', '.join(INTERVALS)}."
        )
    return interval
