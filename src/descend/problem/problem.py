"""A problem: request, rows, model and objective put together and checked: what exactly is minimised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Engine
from descend.gradients.contract import Summand
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
    """What is known of all rows where only a sample is in memory. Below, omega are row weights and y the response.

    counting: rows whose weight is above 0. omega: sum of the weights. spread: sum omega (y - mean)**2.
    squares: sum y**2. terms: the sum of each of ``row_terms`` that the database can compute.
    """

    lazy: Lazy
    counting: int
    omega: float
    spread: float
    squares: float
    terms: Mapping[Expr, float]


@dataclass(eq=False)
class SummedRows:
    """Rows and the engine that sums them. squares: the mean square of the response.

    rows: all rows; or a sample if they are not in memory, where ``all_rows`` says what is known of all of them.
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

    gradient: its source, such as ``derived``. code: what an engine sums over rows.
    rows: the rows used, or a sample of them where ``all_rows`` says what is known of all.
    given: the user's starting values by name. start: all starting values; the rest are chosen without the rows.
    notes: what was chosen here, in sentences; remarks: what was noticed of the formula and the rows.
    scale: the size of J for a model that predicts nothing, 0 if that is not known. squares: the mean square of the
        response, where the loss is of residuals; else 0.
    validation: J over the rows held out, without what is added to it; None if there are none. held_out: these rows, of
        a module, whose own objective looks at them.
    parabola: whether J, but for an l1 penalty, is a parabola: the curvature is the same everywhere.
    """

    model: Model
    gradient: str
    code: Summand
    table: Table
    rows: Rows
    objective: VectorObjective
    given: Mapping[str, object]
    start: Array
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    scale: float = 0.0
    squares: float = 0.0
    parabola: bool = False
    all_rows: AllRows | None = None
    validation: VectorObjective | None = None
    held_out: Rows | None = None

    @property
    def columns(self) -> Mapping[str, Array]:
        """The columns of the rows."""
        return self.rows.columns

    @property
    def everywhere_parabola(self) -> bool:
        """Whether J is a parabola without l1 penalty or bounds, so that what holds at the start holds everywhere."""
        return self.parabola and not self.objective.has_l1 and self.objective.bounds is None
