"""What many fits were made of: the contract between `Fits` and a table by groups, or a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.many.groups import Groups
from descend.models import Model
from descend.options.request import Request
from descend.results import Fit
from descend.table import Table

if TYPE_CHECKING:
    from descend.inference.quantities.quantity import Quantity

Array = NDArray[np.float64]


class Source(Protocol):
    """What the fits were made of: a table by groups, or a file.

    call: the arguments that repeat them; empty if they are not known. weights, sigma: the columns of row weights and of
    known standard deviations. quantities: those asked for, by name, as texts. units: as of a fit. column_types: of the
    columns that the model reads, and of those that tell groups apart.
    unreadable: why the rows of some groups could not be read.
    """

    @property
    def model(self) -> Model: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def call(self) -> Mapping[str, object]: ...
    @property
    def weights(self) -> str | None: ...
    @property
    def sigma(self) -> str | None: ...
    @property
    def column_types(self) -> Mapping[str, str]: ...
    @property
    def unreadable(self) -> Mapping[int, str]: ...
    @property
    def quantities(self) -> Mapping[str, str]: ...
    @property
    def units(self) -> Mapping[str, object]: ...

    def alone(self, group: int, start: Mapping[str, object] | None = None) -> Fit:
        """Return the fit of one group, which ended at ``start``."""

    def rows_of(self, group: int) -> Mapping[str, Array] | None:
        """Return the columns of one group; None without the rows."""


class OfRows:
    """What the fits of a table know of how they were asked for."""

    request: Request
    table: Table
    model: Model
    groups: Groups

    def __getstate__(self) -> dict[str, object]:
        """Return what it was made of; what follows from that, such as compiled code, is made again when needed."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}  # type: ignore[attr-defined]

    @property
    def call(self) -> Mapping[str, object]:
        """The arguments that repeat the fits."""
        return self.request.given

    @property
    def column_types(self) -> Mapping[str, str]:
        """The kind of each column that the model reads, or that tells groups apart."""
        types = self.table.types
        return {name: types[name] for name in (*self.model.columns, *self.groups.by)}

    @cached_property
    def derived_quantities(self) -> Sequence[Quantity]:
        """The quantities that are asked for in each group."""
        if not self.request.quantities:
            return ()
        from descend.inference.quantities.reading import read_quantities

        return read_quantities(self.request.quantities, self.model)

    @property
    def quantities(self) -> Mapping[str, str]:
        """The quantities that are asked for in each group, by name, as texts."""
        return {quantity.name: quantity.text for quantity in self.derived_quantities}

    @cached_property
    def units(self) -> Mapping[str, object]:
        """The units of parameters, columns and quantities by name, where they are known."""
        if not self.request.stated:
            return {}
        from descend.inference.units import texts_of

        return texts_of(self.model, self.request.stated, self.quantities)

    @property
    def weights(self) -> str | None:
        """The column of row weights, if there is one."""
        return self.request.weights

    @property
    def sigma(self) -> str | None:
        """The column of known standard deviations of the response, if there is one."""
        return self.request.sigma
