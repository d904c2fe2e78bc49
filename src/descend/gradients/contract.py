"""What a gradient source hands to an engine: what to sum over rows, as expressions or as code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import over_rows
from descend.formula.derivative import Slopes
from descend.formula.formula import Formula
from descend.formula.real_functions import RealFunction
from descend.formula.symbols import Parameter, Predictor
from descend.losses import Loss
from descend.parameters import Parameters
from descend.table.rows import Rows

Array = NDArray[np.float64]
Chosen = slice | NDArray[np.intp]
"""Some rows of a block."""
Block = tuple[Any, ...]
"""What a kernel needs of some rows: arrays, or tensors, whose first axis is the rows."""
Sums = tuple[Any, Any, Any]
"""Loss, gradient and curvature (or None) summed over some rows: numbers and arrays, or tensors in PyTorch."""


class row_sum(RealFunction):
    """The sum of an expression over rows, in a gradient written by hand."""

    nargs = 1


@dataclass(frozen=True, eq=False)
class Program:
    """A model, its loss and its gradient as expressions of one row: any engine can sum them, in its own language.

    The rows know their weights, so nothing here does.

    score: the argument of the loss; the expression of the formula without a link that the loss absorbs.
    slopes: derivatives of the score by each scalar parameter and each predictor ``w @ [...]``.
    by_hand: dJ/dparameter per component, as an expression of ``row_sum``, or None to use slope times jacobian.
    more_columns: columns that only the loss or the gradient by hand reads.
    """

    costly: ClassVar[bool] = False
    """A curvature is summed in the same pass as a gradient."""
    formula: Formula
    loss: Loss
    parameters: Parameters
    score: Expr
    slopes: Slopes
    by_hand: tuple[Expr, ...] | None = None
    more_columns: tuple[str, ...] = ()
    at_edges: bool = True
    """Whether some rows may need a derivative replaced by its limit."""

    @property
    def jacobian(self) -> Mapping[Expr, Expr]:
        """The derivatives, in the form used for computing."""
        return self.slopes.with_limits if self.at_edges else self.slopes.inside

    def over(self, columns: Mapping[str, Array]) -> Program:
        """Return the program for these columns: itself, or a copy without limits if no row needs any."""
        if not self.slopes.edges or self.slopes.anywhere or not self.at_edges:
            return self
        rows = len(next(iter(columns.values())))
        near = any((over_rows(edge, columns, rows) == 0.0).any() for edge in self.slopes.edges)
        return self if near else self._inside

    @cached_property
    def _inside(self) -> Program:
        return replace(self, at_edges=False)

    @cached_property
    def linear(self) -> bool:
        """Whether the score is linear in all parameters."""
        return not any(slope.atoms(Parameter, Predictor) for slope in self.jacobian.values())


class Kernel(Protocol):
    """Sums over one block of rows, by code rather than by expressions."""

    language: str
    """"numpy" or "torch": what the blocks must be made of."""
    undivided: bool
    """Whether all rows are one block, as what is computed of a row may look at the others."""
    costly: bool
    """Whether a curvature costs many gradients."""

    def prepare(self, rows: Rows) -> Block:
        """Return what the sums need of these rows: arrays whose first axis is the rows, their weights among them."""
        ...

    def sums(self, theta: Array, block: Block, order: int) -> Sums:
        """Return loss, gradient (order 1) and curvature (order 2) summed over a block; of order 3 the factor instead.

        See ``engines.totals.Totals``.
        """
        ...

    def sums_over(self, theta: Array, block: Block, order: int, chosen: Chosen) -> Sums:
        """Return the sums over some rows of a block, all of which may be looked at."""
        ...

    @property
    def finish(self) -> Callable[[Array, float, Array], Array] | None:
        """(sums, rows, theta) -> n times the gradient, if the sums are not that already; None for most gradients."""
        ...
