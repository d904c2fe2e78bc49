"""A problem: request, rows, model and objective put together and checked: what exactly is minimised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Engine
from descend.gradients.contract import Kernel, Program
from descend.models import Model
from descend.problem.objective import VectorObjective
from descend.table import Table
from descend.table.rows import Rows

if TYPE_CHECKING:
    from sympy import Expr

    from descend.table.lazy import Lazy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AllRows:
    """What is known of all rows, where only some of them are in memory. omega: row weights; y: the response.

    counting: rows whose weight is above 0. omega: sum of the weights. spread: sum omega (y - mean)**2.
    squares: sum y**2. terms: the sum of each of ``Loss.row_terms`` that the database can tell.
    """

    lazy: Lazy
    counting: int
    omega: float
    spread: float
    squares: float
    terms: Mapping[Expr, float]


@dataclass(frozen=True)
class Summing:
    """Rows and the engine that sums them. squares: the mean square of the response.

    rows: all of them, or a sample where they stay where they are; of all of those ``all_rows`` knows.
    notes: what was chosen; remarks: what was noticed of the values.
    """

    rows: Rows
    engine: Engine
    squares: float
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    all_rows: AllRows | None = None


@dataclass(eq=False)
class Problem:
    """What exactly is minimised, and from which starting values, if any were given.

    gradient: its source, such as ``derived``. code: what an engine evaluates for each row; None for a module.
    rows: those used, or a sample of them where ``all_rows`` knows the others.
    given: starting values by name. start: all of them, what was not given chosen without looking at the rows.
    notes: what was chosen here, in sentences; remarks: what was noticed of the formula and the rows.
    scale: the size of J for a model that predicts nothing, 0 if that is not known. squares: the mean square of the
        response, where the loss is of residuals; else 0.
    """

    model: Model
    gradient: str
    code: Program | Kernel | None
    table: Table
    rows: Rows
    objective: VectorObjective
    given: Mapping[str, Any]
    start: Array
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    scale: float = 0.0
    squares: float = 0.0
    all_rows: AllRows | None = None

    @property
    def columns(self) -> Mapping[str, Array]:
        """The columns of the rows."""
        return self.rows.columns

    @property
    def parabola(self) -> bool:
        """Whether J, but for an l1 penalty, is a parabola: the curvature is the same everywhere."""
        return self.model.linear and self.model.loss.quadratic

    @property
    def everywhere_parabola(self) -> bool:
        """Whether J is a parabola with nothing added or cut off: what holds at the start holds everywhere."""
        return self.parabola and not self.objective.has_l1 and self.objective.bounds is None
