"""The parameters of a model: names, shapes, starts; one flat vector inside, named values outside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.registry import closest
from descend.table.levels import ByGroup, GroupLabels, groups_among

Array = NDArray[np.float64]
Values = dict[str, Any]
"""Values by name: a number, or an array for a vector."""
DIGITS = 6
"""Digits shown of a number whose error is not known."""
MOST_DIGITS = 17
"""Digits that tell a float64 from any other."""
LARGEST_WHOLE = 1 << 53
"""Whole numbers below this are float64 as they are."""


@dataclass(frozen=True)
class Parameters:
    """Names and shapes, in the order of the flat vector theta.

    shapes: name -> labels of the components of a vector, or None for a scalar.

    >>> parameters = Parameters({"w": ("x1", "x2"), "b": None})
    >>> parameters.labels
    ('w[x1]', 'w[x2]', 'b')
    >>> parameters.named(np.array([1.0, 2.0, 3.0]))
    {'w': array([1., 2.]), 'b': 3.0}
    """

    shapes: Mapping[str, tuple[str, ...] | None]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each parameter lies in the flat vector."""
        theta_slices, begin = {}, 0
        for name, labels in self.shapes.items():
            size = 1 if labels is None else len(labels)
            theta_slices[name] = slice(begin, begin + size)
            begin += size
        return theta_slices

    @cached_property
    def scalar(self) -> bool:
        """Whether each parameter is a single number."""
        return all(labels is None for labels in self.shapes.values())

    @cached_property
    def size(self) -> int:
        return sum(1 if labels is None else len(labels) for labels in self.shapes.values())

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """One label per component of the flat vector: ``b``, ``w[x1]``."""
        return tuple(
            label
            for name, labels in self.shapes.items()
            for label in ([name] if labels is None else [f"{name}[{label_part}]" for label_part in labels])
        )

    @cached_property
    def groups(self) -> dict[str, GroupLabels]:
        """The labels of those parameters that have a value for each group, by name."""
        return groups_among(self.shapes)

    def flat(self, values: Mapping[str, object]) -> Array:
        """Return the flat vector of named values, which must be complete."""
        theta_parts = (listed(values[name]) for name in self.shapes)
        return np.concatenate([np.ravel(np.asarray(theta_part, dtype=np.float64)) for theta_part in theta_parts])

    def named(self, theta: Array) -> Values:
        """Return named values: a float for a scalar, an array for a vector, a dict by group for one per group."""
        if self.scalar:
            return dict(zip(self.shapes, theta.tolist(), strict=True))
        return {name: self.shaped(name, theta[self.slices[name]]) for name in self.shapes}

    def shaped(self, name: str, components: Array) -> float | Array | ByGroup:
        """Return the components of one parameter as users see them: a number, an array, or a dict by group."""
        labels = self.shapes[name]
        if labels is None:
            return float(components[0])
        return self.groups[name].by_group(components) if name in self.groups else components.copy()

    def start(self, start_given: Mapping[str, object], default: float) -> Array:
        """Return the flat starting vector: ``start_given`` values, ``default`` elsewhere.

        A single number given for a vector starts all of its components there.
        Raises ConfigError for unknown names, wrong shapes and values that are not finite.
        """
        theta = np.empty(self.size)
        theta.fill(default)
        for name, value in start_given.items():
            if name not in self.shapes:
                from descend.formula.names import not_a_parameter

                raise ConfigError(
                    not_a_parameter(name, "started")
                    or f"There is no parameter `{name}` to start.{closest(name, self.shapes)} "
                    f"Parameters: {', '.join(self.shapes)}."
                )
            theta[self.slices[name]] = self.checked(name, value)
        return theta

    def checked(self, name: str, value: object, role: str = "start") -> float | Array:
        """Return a value of one parameter as a number or an array.

        Raises ConfigError if it is not finite, or has another shape.
        """
        if type(value) is int and abs(value) < LARGEST_WHOLE:
            value = float(value)
        if type(value) is float and math.isfinite(value):
            return value
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            raise ConfigError(f"The {role} of `{name}` must be a number; it is {value!r}.") from None
        labels = self.shapes[name]
        if array.ndim > 1 or (array.ndim == 1 and (labels is None or len(labels) != array.size)):
            numbers_expected = "one number"
            if labels is not None:
                some = ", ".join(labels[:12]) + (" ..." if len(labels) > 12 else "")
                numbers_expected += f" or {len(labels)} numbers, one for each of {some}"
            raise ConfigError(f"The {role} of `{name}` must be {numbers_expected}; it has shape {array.shape}.")
        if not np.isfinite(array).all():
            raise ConfigError(f"The {role} of `{name}` must be finite; it is {value!r}.")
        return array

    def mentioned(
        self, theta: Sequence[float] | Array, digits: int = 6, most: int = 4, errors: Mapping[str, float] | None = None
    ) -> str:
        """Write values for a log line: ``w=2.05  b=0.97``, with more digits where the error, by label, is smaller."""
        standard_errors = errors or {}
        label_texts = [
            f"{label}={value:.{digits_of(value, standard_errors.get(label), digits)}g}"
            for label, value in zip(self.labels[: most + 1], theta, strict=False)
        ]
        return "  ".join(label_texts[:most]) + ("  ..." if len(label_texts) > most else "")


def listed(value: object) -> object:
    """Return the values by group as a list of them, and any other value as it is."""
    return [*value.values()] if isinstance(value, Mapping) else value


def digits_of(value: float | None, error: float | None, fewest_digits: int = DIGITS, given: bool = False) -> int:
    """Return how many digits of a value to show: to the second of its standard error, but at least ``fewest_digits``.

    given: the value is no estimate, so all its digits are shown.

    >>> digits_of(2459001.12273, 0.00085), digits_of(1.5, 0.1), digits_of(96485.33, None, given=True)
    (12, 6, 7)
    """
    if given and value is not None:
        return next((count for count in range(fewest_digits, 17) if float(f"{value:.{count}g}") == value), 17)
    if not value or not error or not (math.isfinite(value) and math.isfinite(error)):
        return fewest_digits
    # Rounded first, since 0.000996 becomes 0.0010, whose second digit is one place further left.
    decimal_place = math.floor(math.log10(abs(value))) - math.floor(math.log10(float(f"{error:.2g}"))) + 2
    return min(max(fewest_digits, decimal_place), MOST_DIGITS)
