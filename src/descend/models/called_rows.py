"""A user's Python function over the rows of a table: called at one point or many, with real or complex parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from descend.differences.calls import Values
from descend.errors import ConfigError
from descend.models.call import Call
from descend.models.reading import checked_shape
from descend.parameters import Parameters

Array = NDArray[np.float64]


@dataclass(eq=False)
class CalledRows:
    """The predictions of a function in all rows, as a function of the flat parameters.

    The columns it is given cannot be written to, so that a function that changes them in place is found out; from then
    on it is given copies, and works. strict: whether one number for all rows is refused if it comes of all of them, as
    a sum does; one that is the same for any row is the prediction of each.
    """

    forward: Call
    parameters: Parameters
    columns: Mapping[str, Array]
    strict: bool
    copied: bool = False
    constant: bool | None = None
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = len(next(iter(self.columns.values()))) if self.columns else 1
        self.columns = {name: _protected(column) for name, column in self.columns.items()}

    @property
    def name(self) -> str:
        return self.forward.name

    def one(self, theta: Values) -> Values:
        """Return the (rows,) predictions. Raises ConfigError unless there is one number for each row."""
        values = {
            name: theta[place].copy() if self.parameters.shapes[name] is not None else _number(theta[place.start])
            for name, place in self.parameters.slices.items()
        }
        row_values = numbers_of(self._called(values), self.name, np.iscomplexobj(theta))
        if row_values.ndim == 0 and self._of_any_row(row_values, values):
            return np.full(self.rows, row_values[()])
        if row_values.ndim == 0:
            raise ConfigError(
                f"`{self.forward.name}` returned one number for {self.rows} rows. It must return one prediction per "
                "row."
            )
        if row_values.shape == (self.rows, 1):
            return row_values[:, 0]
        if row_values.shape != (self.rows,):
            raise ConfigError(
                f"`{self.forward.name}` returned shape {row_values.shape} for {self.rows} rows. It must return one "
                "prediction per row."
            )
        return row_values

    def _of_any_row(self, row_values: NDArray[np.generic], values: Mapping[str, object]) -> bool:
        """Whether one number is the prediction of each row: the same if there is but the first, or the last."""
        if self.constant is None:
            doubtful = self.strict and self.forward.columns and self.rows > 1
            ends = (slice(1), slice(-1, None)) if doubtful else ()
            some = ({name: column[end].copy() for name, column in self.columns.items()} for end in ends)
            self.constant = all(np.array_equal(self.forward(columns, values), row_values[()]) for columns in some)
        return self.constant

    def many(self, thetas: Values) -> Values:
        """Return (k, rows) predictions: each parameter stands in a column of its own, (k, 1), against the rows."""
        values = {
            name: thetas[:, theta_slice.start, None]
            if self.parameters.shapes[name] is None
            else thetas[:, theta_slice].T[:, :, None]
            for name, theta_slice in self.parameters.slices.items()
        }
        row_values = numbers_of(self._called(values), self.name, np.iscomplexobj(thetas))
        if self.constant and row_values.shape == (len(thetas), 1):
            return np.repeat(row_values, self.rows, axis=1)
        return checked_shape(row_values, (len(thetas), self.rows))

    def _called(self, values: Mapping[str, object]) -> object:
        if not self.copied:
            try:
                return self.forward(self.columns, values)
            except ConfigError as error:
                if "read-only" not in str(error.__cause__):
                    raise
                self.copied = True
        return self.forward({name: column.copy() for name, column in self.columns.items()}, values)


def numbers_of(returned: object, name: str, complex_too: bool = False) -> Values:
    """Return what a function returned as an array of its own: it may return the same one again and again.

    name: of the function. complex_too: whether complex numbers are as good as real ones. Raises ConfigError if they are
    not, and for what is no numbers.
    """
    try:
        array = np.array(returned)
    except ValueError:
        array = np.empty(0, dtype=object)
    kinds = "biufc" if complex_too else "biuf"
    if array.dtype.kind == "O" and returned is not None:
        with contextlib.suppress(TypeError, ValueError):
            array = array.astype(np.float64)
    if array.dtype.kind not in kinds:
        content = "complex numbers" if array.dtype.kind == "c" else f"{returned!r:.60}, not numbers"
        raise ConfigError(f"`{name}` returned {content}. It must return one prediction per row.")
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def _number(value: np.inexact) -> np.inexact | float:
    return value if np.iscomplexobj(value) else float(value)


def _protected(column: Array) -> Array:
    view = column.view()
    view.flags.writeable = False
    return view
