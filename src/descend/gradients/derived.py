"""The program of a row: a model, its loss and its gradient as expressions, derived unless they are given by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Integer

from descend.formula.compile import over_rows
from descend.formula.derivative import Slopes
from descend.formula.formula import Formula
from descend.formula.real_functions import RealFunction
from descend.formula.symbols import Parameter, Predictor
from descend.gradients.contract import Kernel, Summand
from descend.losses import Loss
from descend.models import Model
from descend.models.formula import score_slopes
from descend.parameters import Parameters
from descend.parameters.ties import MANY_OF_GROUPS

Array = NDArray[np.float64]


class row_sum(RealFunction):
    """The sum of an expression over rows, in a gradient written by hand."""

    nargs = 1


@dataclass(frozen=True, eq=False)
class Program(Summand):
    """A model, its loss and its gradient as expressions of one row: any engine can sum them, in its own language.

    The rows know their weights, so nothing here does.

    score: the argument of the loss; the expression of the formula without a link that the loss absorbs.
    slopes: derivatives of the score by each scalar parameter and each predictor ``w @ [...]``.
    by_hand: dJ/dparameter per component, as an expression of ``row_sum``, or None to use slope times jacobian.
    more_columns: columns that only the loss or the gradient by hand reads.
    """

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

    @cached_property
    def columns(self) -> tuple[Expr, ...]:
        """The derivative of the score by each component of theta, an expression of one row."""
        columns: list[Expr] = [Add()] * self.parameters.size
        for symbol, slope in self.jacobian.items():
            term = self.formula.terms.get(symbol)
            first = self.parameters.slices[symbol.name if term is None else term.vector].start
            for number, item in enumerate((Integer(1),) if term is None else term.items):
                columns[first + number] += item if slope == 1 else slope * item
        return tuple(columns)

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
    def arrow(self) -> bool:
        many = self.parameters.size > MANY_OF_GROUPS
        return many and any(term.levels is not None for term in self.formula.terms.values())

    @cached_property
    def linear(self) -> bool:
        """Whether the score is linear in all parameters."""
        return not any(slope.atoms(Parameter, Predictor) for slope in self.jacobian.values())


def as_program(code: Summand) -> Program | None:
    """Return what is summed as expressions, which an engine can look into; None of code."""
    return code if isinstance(code, Program) else None


@lru_cache(maxsize=128)
def derived(formula: Formula, loss: Loss) -> Program:
    """Derive everything an engine sums for ``formula`` under ``loss``.

    With score s(theta), loss l(s, y) and row weights omega:
        J = sum omega l / sum omega,   dJ/dtheta_k = sum omega l'(s, y) ds/dtheta_k / sum omega
    so only the score is differentiated here; the loss brings its own slope l'.
    """
    score = loss.score(formula.expression)
    parameters, slopes_of_score = Parameters(formula.parameters), score_slopes(formula, loss)
    return Program(formula, loss, parameters, score, slopes_of_score, more_columns=loss.own_columns)


def derived_of(model: Model) -> Summand:
    """Return what an engine sums of a model whose gradient is derived."""
    if model.per_class:
        from descend.gradients.per_class import ClassesKernel

        return ClassesKernel(model)
    assert model.symbolic is not None
    return of_inexact_inputs(model) or derived(model.symbolic.formula, model.loss)


def of_inexact_inputs(model: Model) -> Kernel | None:
    """Return the sums of a formula whose inputs have errors, too: only those by their derivatives are known."""
    symbolic = model.symbolic
    if symbolic is None or not symbolic.inexact:
        return None
    if symbolic.formula.parts:
        from descend.gradients.joint_input_errors import JointKernel

        return JointKernel(symbolic, symbolic.inexact)
    from descend.gradients.orthogonal import OrthogonalKernel

    return OrthogonalKernel(symbolic, symbolic.inexact, not model.response_columns, symbolic.correlated)
