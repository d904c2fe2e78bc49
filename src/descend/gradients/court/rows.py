"""Models row by row: the score, its derivatives and their factors, as the court needs more than sums.

score: what the loss works on, shape (n,). jacobian: its derivative by each component of theta, shape (n, p).
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.formula import as_text
from descend.formula.compile import compile_expression
from descend.formula.derivative import derivatives
from descend.formula.functions import FUNCTIONS
from descend.formula.real_functions import where
from descend.formula.symbols import Column, Parameter
from descend.gradients.court.taylor import extrapolated
from descend.losses import Loss
from descend.models import Model
from descend.models.contract import SymbolicModel
from descend.models.formula import score_slopes
from descend.parameters import Parameters

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
MOST_FACTORS = 80
"""Expressions that are tried as factors of one component."""


@dataclass(frozen=True)
class Factor:
    """A factor that a chain rule may have missed: its text, and its value in each row."""

    text: str
    of: Callable[[Array, Columns], Array]


class RowModel(Protocol):
    """A model row by row."""

    parameters: Parameters
    loss: Loss
    source: str
    """Where the jacobian comes from: one of ``judgement.SOURCES``."""
    exact: bool
    """Whether the jacobian is derived rather than measured."""

    def score(self, theta: Array, columns: Columns) -> Array: ...

    def response(self, columns: Columns) -> Array: ...

    def jacobian(self, theta: Array, columns: Columns, scales: Array) -> tuple[Array, Array]:
        """Return the jacobian, and how far off each of its entries may be."""
        ...

    def steady(self) -> frozenset[str]:
        """Return the columns that decide between branches, so that no rounding is tried on them."""
        ...

    def factors(self, component: int, columns: Sequence[str]) -> list[Factor]:
        """Return factors that the derivative by one component may lack or have too many of, likely ones first.

        columns: those that there are, of which the model may use some.
        """
        ...


class FormulaRows:
    """A formula row by row."""

    source, exact = "derived", True

    def __init__(self, model: SymbolicModel) -> None:
        self.model, self.formula, self.parameters, self.loss = model, model.formula, model.parameters, model.loss
        self.slopes = score_slopes(model.formula, model.loss).with_limits

    def evaluate(self, expression: Expr, theta: Array, columns: Columns) -> Array:
        """Return the value of an expression in each row."""
        values = self.model.values(theta, columns)
        values |= {Column(name): columns[name] for name in self.model.response_columns}
        rows = len(columns[self.formula.columns[0]])
        with np.errstate(all="ignore"):
            found = compile_expression(expression, tuple(values))(*values.values())
        return np.broadcast_to(np.asarray(found, dtype=np.float64), (rows,))

    def score(self, theta: Array, columns: Columns) -> Array:
        with np.errstate(all="ignore"):
            return self.model.scores(theta, columns)

    def response(self, columns: Columns) -> Array:
        return self.model.observed(columns)

    def jacobian(self, theta: Array, columns: Columns, scales: Array) -> tuple[Array, Array]:
        _, found = self.model.scores_and_jacobian(theta, columns)
        return found, np.zeros_like(found)

    def steady(self) -> frozenset[str]:
        conditions = (node.args[0] for node in self.formula.expression.atoms(where))
        return frozenset(symbol.name for condition in conditions for symbol in condition.atoms(Column))

    def factors(self, component: int, columns: Sequence[str]) -> list[Factor]:
        """Return the parts of the derivative, those of each function on the way to it, columns and parameters."""
        symbol, item = self._symbol(component)
        score = self.loss.score(self.formula.expression)
        factors_met: dict[Expr, None] = {} if item is None else {item: None}
        derivative = self.slopes[symbol]
        for factor in sympy.Mul.make_args(derivative):
            factors_met[factor] = None
        factors_met[derivative] = None
        logarithms = sorted(derivative.atoms(sympy.log), key=str)
        factors_met |= {sympy.log(a.args[0] / b.args[0]): None for a, b in itertools.combinations(logarithms, 2)}
        symbols = [*(Column(name) for name in self.formula.columns), *self.formula.unknowns]
        inner = [node for node in sympy.preorder_traversal(score) if node.has(symbol) and node != symbol]
        for node in inner[:MOST_FACTORS]:
            if node.args and isinstance(node, Expr) and not isinstance(node, where):
                if not (node.is_Add or node.is_Mul or node.is_Pow):
                    factors_met |= {
                        node.fdiff(number): None for number, argument in enumerate(node.args, 1) if argument.has(symbol)
                    }
                factors_met[derivatives(node, [symbol])[symbol]] = None
        factors_met |= dict.fromkeys(symbols)
        for node in (*sympy.preorder_traversal(derivative), *inner):
            if isinstance(node, Expr) and not node.is_number:
                factors_met[node] = None
        if self.loss.link is not None:
            factors_met[FUNCTIONS[self.loss.link].build(score).fdiff()] = None
        factors_kept = [each for each in factors_met if not each.is_number and isinstance(each, Expr)][:MOST_FACTORS]
        other_columns = [Factor(name, _column(name)) for name in columns if name not in self.formula.columns]
        return other_columns + [self._factor(each) for each in factors_kept]

    def _factor(self, expression: Expr) -> Factor:
        def of(theta: Array, columns: Columns) -> Array:
            return self.evaluate(expression, theta, columns)

        return Factor(as_text(expression), of)

    def _symbol(self, component: int) -> tuple[Expr, Expr | None]:
        """Return the symbol that a component of theta moves, and the item beside it in a vector."""
        for name, within in self.parameters.slices.items():
            if within.start <= component < within.stop:
                for predictor, term in self.formula.terms.items():
                    if term.vector == name:
                        return predictor, term.items[component - within.start]
                return Parameter(name), None
        raise IndexError(component)


class Ridders(ABC):
    """A model that is differentiated row by row, by central differences extrapolated to a step of zero.

    Source: Ridders (1982), Adv. Eng. Softw. 4, 75-76.
    """

    source, exact = "numeric", False
    HALVINGS = 7

    @abstractmethod
    def score(self, theta: Array, columns: Columns) -> Array:
        """Return what the loss works on, (n,)."""

    def jacobian(self, theta: Array, columns: Columns, scales: Array) -> tuple[Array, Array]:
        rows = len(next(iter(columns.values())))
        result, error = np.empty((rows, theta.size)), np.empty((rows, theta.size))
        for place in range(theta.size):
            result[:, place], error[:, place] = self._derivative(theta, columns, place, float(scales[place]))
        return result, error

    def _derivative(self, theta: Array, columns: Columns, component: int, scale: float) -> tuple[Array, Array]:
        def slope(share: float) -> Array:
            ahead, behind = theta.copy(), theta.copy()
            ahead[component] += share * scale
            behind[component] -= share * scale
            difference = self.score(ahead, columns) - self.score(behind, columns)
            return np.asarray(difference / (ahead[component] - behind[component]))

        best, error = extrapolated(slope, self.HALVINGS)
        # The estimate does not include rounding errors that all steps share.
        rounding = 64.0 * float(np.finfo(np.float64).eps) * np.abs(self.score(theta, columns)) / (0.1 * scale)
        return best, 3.0 * error + rounding


class FunctionRows(Ridders):
    """A Python function row by row: differentiated by calling it, unless the model knows its derivatives itself."""

    def __init__(self, model: Model) -> None:
        self.model, self.parameters, self.loss = model, model.parameters, model.loss
        if not model.differentiated:
            self.source, self.exact = model.gradient_sources[0], True

    def jacobian(self, theta: Array, columns: Columns, scales: Array) -> tuple[Array, Array]:
        if not self.exact:
            return super().jacobian(theta, columns, scales)
        with np.errstate(all="ignore"):
            _, found = self.model.scores_and_jacobian(theta, columns)
        return found, np.zeros_like(found)

    def score(self, theta: Array, columns: Columns) -> Array:
        with np.errstate(all="ignore"):
            return self.model.scores(theta, columns)

    def response(self, columns: Columns) -> Array:
        return self.model.observed(columns)

    def steady(self) -> frozenset[str]:
        return frozenset()

    def factors(self, component: int, columns: Sequence[str]) -> list[Factor]:
        """Return columns, parameters, exponentials of their products, and what the model itself computes."""
        met = [Factor(name, _column(name)) for name in columns if name != self.model.response]
        scalars = {
            name: within.start
            for name, within in self.parameters.slices.items()
            if self.parameters.shapes[name] is None
        }
        met += [Factor(name, _number(at)) for name, at in scalars.items()]
        met.append(Factor("prediction", self.score))
        met.append(Factor(f"(prediction - {self.model.response})", lambda t, c: self.score(t, c) - self.response(c)))
        met += [Factor(f"(prediction - {name})", self._less(at)) for name, at in scalars.items()]
        met += [
            Factor("prediction*(1 - prediction)", lambda t, c: self.score(t, c) * (1.0 - self.score(t, c))),
            Factor("(1 - prediction)", lambda t, c: 1.0 - self.score(t, c)),
            Factor("(1 - prediction^2)", lambda t, c: 1.0 - self.score(t, c) ** 2),
            Factor(self.model.response, lambda t, c: self.response(c)),
        ]
        for column in self.model.inputs:
            for name, at in scalars.items():
                met.append(Factor(f"exp({name}*{column})", _exponential(column, at)))
        return met[:MOST_FACTORS]

    def _less(self, at: int) -> Callable[[Array, Columns], Array]:
        return lambda theta, columns: self.score(theta, columns) - theta[at]


def _column(name: str) -> Callable[[Array, Columns], Array]:
    return lambda theta, columns: columns[name]


def _number(at: int) -> Callable[[Array, Columns], Array]:
    return lambda theta, columns: np.full(len(next(iter(columns.values()))), theta[at])


def _exponential(name: str, at: int) -> Callable[[Array, Columns], Array]:
    return lambda theta, columns: np.exp(theta[at] * columns[name])
