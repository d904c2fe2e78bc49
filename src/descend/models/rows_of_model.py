"""The rows that a model is fitted to, and those that it predicts: those of a table, or each once for every response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.table import Table, open_table
from descend.table.table import Coding

Array = NDArray[np.float64]


class RowsOfModel:
    """How the rows of a table become those of a model: each stands for itself, unless a model says otherwise."""

    inputs: tuple[str, ...]

    @classmethod
    def rows_of(cls, rows_given: Any, table: Table, spread: str | None) -> Table:
        """Return the rows that what the user gave is fitted to: those of the table, unless the model says otherwise.

        spread: the column of weights or standard deviations.
        """
        return table

    @property
    def needed_inputs(self) -> tuple[str, ...]:
        """The inputs that new rows have to bring."""
        return self.inputs

    @property
    def codings(self) -> tuple[Coding, ...]:
        """What makes those inputs that are no columns of a table but follow from some (see ``Table.codings``)."""
        return ()

    def laid_out(self, table: Table, spread: str | None = None) -> Table:
        """Return the rows that are predicted of new ones, with what follows from their columns."""
        return table.with_codings(self.codings)

    def side_by_side(self, predicted: Array, data: object) -> Array:
        """Return predictions of new rows as a user expects them: of several responses a column each, (rows, k)."""
        return predicted

    def inputs_of(self, data: object, missing: str = "raise") -> Mapping[str, Array]:
        """Return the inputs of new rows; if the model has none, an unnamed column with as many rows."""
        table = self.laid_out(open_table(named_inputs(data, self.needed_inputs)))
        return table.numbers(self.inputs, missing) if self.inputs else {"": np.empty(table.rows)}


def named_inputs(data: object, inputs: Sequence[str]) -> object:
    """Return numbers and arrays without names as columns named like the inputs; any other data as they are.

    Of one input an array is its values. Of k inputs an array is (k, n) or (n, k); of a square one the rows are taken
    for the inputs, as where the data of a fit are arrays. Raises DataError for an array that has other sizes.

    >>> named_inputs([1.0, 2.0], ["x"])
    {'x': array([1., 2.])}
    """
    if isinstance(data, list | tuple):
        bare = not any(isinstance(each, str | dict) or hasattr(each, "__fspath__") for each in data)
    else:
        bare = isinstance(data, int | float) or (hasattr(data, "__array__") and not hasattr(data, "columns"))
    if not bare or hasattr(data, "schema") or any(name.startswith("[") for name in inputs):
        return data
    try:
        array = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        return data  # which opening it tells
    if len(inputs) <= 1 and array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if len(inputs) <= 1 and array.ndim <= 1:
        return {inputs[0] if inputs else "row": np.atleast_1d(array)}
    if array.ndim == 2 and len(inputs) in array.shape:
        return dict(zip(inputs, array if len(array) == len(inputs) else array.T, strict=True))
    listed = ", ".join(inputs)
    input_count = (
        f"one input, {listed}: give one value a row" if len(inputs) == 1 else f"{len(inputs)} inputs, {listed}"
    )
    shapes = "" if len(inputs) <= 1 else f": give ({len(inputs)}, n) or (n, {len(inputs)}), or columns by name"
    raise DataError(f"The array has shape {array.shape}, but the model has {input_count}{shapes}.")
