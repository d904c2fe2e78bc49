"""The rows of a fit: the columns used, and how much each row counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.table.in_matrix import Cells as Cells
from descend.table.in_matrix import taken
from descend.wording import using

if TYPE_CHECKING:
    from descend.table.response_covariance import Coupling, Whitening

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
Chosen = slice | NDArray[np.intp] | NDArray[np.bool_]
FEW = 1_000
"""Rows up to which all are looked at one by one."""
SMALLEST_SIGMA, LARGEST_SIGMA = 1e-150, 1e150
"""Standard deviations between which 1 / sigma**2 is finite and above 0."""


@dataclass(frozen=True, eq=False)
class Weighing:
    """Standard deviations, or weights, of rows that follow from what a curve predicts there.

    role: "sigma" or "weights". text: the expression that gives them. values: of each row, (rows,).
    power: where p was estimated: the form of the variance, p, and its standard error.
    """

    role: str
    text: str
    values: Array
    power: tuple[str, float, float] | None = None

    @property
    def deviations(self) -> Array:
        """Standard deviations, for weights up to a common factor; NaN where there is none."""
        with np.errstate(all="ignore"):
            row_deviations: Array = self.values if self.role == "sigma" else 1.0 / np.sqrt(self.values)
        return row_deviations

    def of_deviations(self, sizes: Array) -> Weighing:
        """Return the same with other standard deviations."""
        return replace(self, values=sizes if self.role == "sigma" else sizes**-2.0)

    def over(self, roles: Roles) -> Roles:
        """Return the roles with these standard deviations or weights."""
        named = {self.role: self.text}
        return replace(roles, **named, weighing=self)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Roles:
    """Which columns describe the rows themselves, rather than enter the model.

    weights: relative row weights, omega. sigma: the standard deviation of each response, so that omega = 1 / sigma**2.
    At most one of them is given. clusters: those with the place of each row's cluster (see ``Levels.name``), where rows
    of one cluster are not independent. coupling: the covariance of the responses, or beside weights or sigma their
    correlation. weighing: what the values of weights or sigma are, where they follow from predictions. exposure: what
    multiplies the mean of a count, a column or an expression: it is part of the formula, and a column is checked here.
    """

    weights: str | None = None
    sigma: str | None = None
    clusters: tuple[str, ...] = ()
    coupling: Coupling | None = None
    weighing: Weighing | None = None
    exposure: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read for these roles."""
        numbers = () if self.coupling is None else (self.coupling.column,)
        return (*(name for name in (self.weights, self.sigma) if name is not None), *self.clusters, *numbers)

    @property
    def scale_known(self) -> bool:
        """Whether the size of the errors is known, not only relative to each other."""
        return self.sigma is not None or (self.coupling is not None and self.weights is None)

    @property
    def spread(self) -> str | None:
        """The column that says how much each row is trusted; None if all rows are alike."""
        return self.sigma or self.weights

    def weight(self, value: Any) -> Any:
        """Return the row weight for a value of the column ``spread``: an array, or an expression of a database."""
        return value if self.sigma is None else 1.0 / (value * value)

    def omega(self, columns: Columns) -> Array | None:
        """Return the row weights, (rows,); None if all rows are alike."""
        return None if self.spread is None else np.asarray(self.weight(columns[self.spread]), dtype=np.float64)


ALIKE = Roles()
"""The roles where all rows count the same."""


@dataclass(eq=False)
class Rows:
    """Rows in memory. J is a mean over them, weighted by omega.

    columns: the values of each column, (rows,). count: how many rows there are. omega: (rows,) row weights, or None if
    all rows are alike.
    observed: how the response follows from the columns. roles: where the weights come from.
    source: where the rows come from, in words for messages.

    >>> rows = Rows.of({"x": np.array([1.0, 2.0]), "s": np.array([1.0, 0.5])}, Roles(sigma="s"))
    >>> rows.count, rows.omega.tolist(), rows.total
    (2, [1.0, 4.0], 5.0)
    >>> rows.take(np.array([1])).columns["x"].tolist()
    [2.0]
    """

    columns: Columns
    omega: Array | None = None
    observed: Callable[[Columns], Array] | None = None
    roles: Roles = ALIKE
    source: str = "the data"

    @classmethod
    def of(
        cls,
        columns: Columns,
        roles: Roles = ALIKE,
        observed: Callable[[Columns], Array] | None = None,
        source: str = "the data",
    ) -> Rows:
        """Return rows of these columns, weighted by the column with that role, if any."""
        if roles.spread is None:
            return cls(columns, None, observed, roles, source)
        with np.errstate(all="ignore"):  # what cannot be a weight is refused by `check`
            return cls(columns, roles.omega(columns), observed, roles, source)

    def __post_init__(self) -> None:
        self.count = len(next(iter(self.columns.values()))) if self.columns else 0

    @property
    def total(self) -> float:
        """The sum of the row weights: the number of rows if all are alike."""
        return float(self.count) if self.omega is None else self._sum_of_weights

    @cached_property
    def _sum_of_weights(self) -> float:
        assert self.omega is not None
        return float(self.omega.sum())

    @cached_property
    def y(self) -> Array:
        """The response, (rows,)."""
        assert self.observed is not None
        return self.observed(self.columns)

    @cached_property
    def whitening(self) -> Whitening | None:
        """What makes errors that know nothing of each other; None where they do not anyway. Raises DataError."""
        if self.roles.coupling is None:
            return None
        from descend.table.response_covariance import whitened_by

        numbers = self.columns[self.roles.coupling.column].tobytes()
        return whitened_by(self.roles.coupling, numbers, None if self.omega is None else (self.omega > 0.0).tobytes())

    def weight_of(self, rows_chosen: NDArray[np.intp] | None) -> float:
        """Return the sum of the weights of some rows, or of all."""
        if rows_chosen is None:
            return self.total
        return float(len(rows_chosen)) if self.omega is None else float(self.omega[rows_chosen].sum())

    def take(self, rows_chosen: Chosen) -> Rows:
        """Return some of the rows, by their places, a slice or a mask."""
        columns = taken(self.columns, rows_chosen)
        return replace(self, columns=columns, omega=None if self.omega is None else self.omega[rows_chosen])

    def counting(self) -> Rows:
        """Return the rows whose weight is not 0; the others count for nothing."""
        return self if self.omega is None or self.omega.all() else self.take(self.omega > 0.0)

    def joined(self, rows: Rows) -> Rows:
        """Return these rows followed by others; anything can be joined to no rows at all."""
        if not self.columns:
            return rows
        columns = {name: np.concatenate([column, rows.columns[name]]) for name, column in self.columns.items()}
        omega = None if self.omega is None or rows.omega is None else np.concatenate([self.omega, rows.omega])
        return replace(self, columns=columns, omega=omega)

    def replaced(self, columns: Columns) -> Rows:
        """Return the same rows with other values of some columns; their weights stay."""
        return replace(self, columns={**self.columns, **columns})

    def check(self) -> None:
        """Refuse weights and standard deviations that a mean cannot be weighted by. Raises DataError."""
        check_roles(self.roles, self.outside, self.source, self.columns)
        if self.roles.coupling is not None:
            assert self.whitening is not None  # refused here if it is not positive definite

    def outside(self, name: str, low: float, high: float) -> Fault | None:
        """Return the first value of a column that is not in [low, high], and its row; None if there is none."""
        return first_outside(self.columns[name], low, high)


class Fault(NamedTuple):
    """A value that is out of place. row: where it is, in words."""

    value: float
    row: str


Outside = Callable[[str, float, float], Fault | None]
"""(column, low, high) -> a value of the column that is not in [low, high], if there is one."""


def first_outside(values: Array, low: float, high: float) -> Fault | None:
    """Return the first value that is not in [low, high]; NaN never is."""
    bad = ~((values >= low) & (values <= high))
    if not bad.any():
        return None
    row = int(bad.argmax())
    return Fault(float(values[row]), f"row {row + 1}")


def check_roles(roles: Roles, outside: Outside, source: str, columns: Collection[str]) -> None:
    """Refuse weights and standard deviations that a mean cannot be weighted by, wherever the rows are.

    Raises DataError for negative weights, and for weights that are all 0; for standard deviations that are not above 0,
    or so small that 1 / sigma**2 overflows, and where all are so large that it is 0; for exposures
    that are not above 0.
    """
    exposure = roles.exposure if roles.exposure in columns else None
    if exposure is not None and (bad := outside(exposure, math.ulp(0.0), math.inf)) is not None:
        raise DataError(
            f"The exposure `{exposure}` is {bad.value:g} in {bad.row} of {source}. Exposures must be above 0. "
            f"Leave such rows out{using('where')}, or correct them."
        )
    if roles.weights is not None:
        if (bad := outside(roles.weights, 0.0, math.inf)) is not None:
            raise DataError(
                f"The weight `{roles.weights}` is {bad.value:g} in {bad.row} of {source}. Weights must be 0 or more."
            )
        if outside(roles.weights, -math.inf, 0.0) is None:
            raise DataError(f"The weight `{roles.weights}` is 0 in every row of {source}. Some row must count.")
    if roles.sigma is not None:
        if (bad := outside(roles.sigma, SMALLEST_SIGMA, math.inf)) is not None:
            raise DataError(
                f"The sigma `{roles.sigma}` is {bad.value:g} in {bad.row} of {source}. Standard deviations must be "
                f"above 0. Leave such rows out{using('where')}, or correct them."
            )
        if outside(roles.sigma, LARGEST_SIGMA, math.inf) is None:
            raise DataError(
                f"The sigma `{roles.sigma}` is above 1e150 in every row of {source}, so that none counts. Correct it."
            )


def finite(column: Array) -> bool:
    """Whether every cell is a finite number.

    >>> finite(np.array([1.0, 1e308, 1e308])), finite(np.array([1.0, np.nan]))
    (True, False)
    """
    # Of many, a finite sum of squares means finite terms, and takes a tenth of the time.
    if len(column) > FEW:
        with np.errstate(all="ignore"):
            if math.isfinite(column.dot(column)):
                return True
    return int(np.count_nonzero(np.isfinite(column))) == len(column)
