"""The rows that a model is fitted to, and those that it predicts: those of a table, or each once for every response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.models.bare_arrays import named_inputs
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
