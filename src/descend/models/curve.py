"""A model as SciPy's ``curve_fit`` takes it: ``f(xdata, *parameters)``, called with all of its data at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, FormulaError
from descend.formula.compile import compile_expression
from descend.formula.printers.code import plain_name
from descend.formula.symbols import Column, Parameter
from descend.losses import Loss
from descend.models.contract import Model, Options, held_back
from descend.models.formula import FormulaModel
from descend.parameters import Constraints, Parameters
from descend.table import Table
from descend.tracing import UntraceableError, disagreement, trace

Array = NDArray[np.float64]
Derivatives = Callable[[Array], Array]
"""theta -> the derivatives of the function, (M, p)."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of anything and of parameters, which returns M numbers.

    function: called as ``function(xdata, *theta)``; xdata: whatever it takes. names: of the parameters, in its order.
    inputs: the columns that xdata is made of, or none where it is no numbers; arranged: makes the one of the other.
    derivatives: its derivatives by the parameters, if they are known.
    root: what makes errors of standard deviation 1 that know nothing of each other: the lower triangle L of a Cholesky
    factor L L' of the covariance of the response, as L^-1 (function - y), or standard deviations, (M,); or None.
    response: the column with the response, with a root L^-1 y.

    >>> line = Curve(lambda x, a, b: a * x + b, np.array([0.0, 1.0]), ("a", "b"))
    >>> line.values(np.array([2.0, 1.0]))
    array([1., 3.])
    """

    function: Callable[..., object]
    xdata: object
    names: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    arranged: Callable[[Sequence[Any]], object] = list
    derivatives: Derivatives | None = None
    root: Array | None = None
    response: str = "y"

    def values(self, theta: NDArray[Any]) -> NDArray[Any]:
        """Return what the function returns, whitened."""
        return self.whitened(np.asarray(self.function(self.xdata, *theta)))

    def whitened(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a vector, or a matrix of as many rows, divided by the root."""
        if self.root is None:
            return values
        if self.root.ndim == 1:
            return (values.T / self.root).T
        from scipy.linalg import solve_triangular

        solved: NDArray[Any] = solve_triangular(self.root, values, lower=True, check_finite=False)
        return solved

    def traced(self) -> str:
        """Return what the function computes as text of our formulas. Raises UntraceableError."""

        def by_name(**given: object) -> object:
            columns = [given[name] for name in self.inputs]
            return self.function(self.arranged(columns), *(given[name] for name in self.names))

        return trace(by_name, self.inputs, self.names)


@dataclass(frozen=True, eq=False)
class CurveModel(Model):
    """A `Curve` whose function is no formula, or whose derivatives are given: it is called with all of its data."""

    curve: Curve = field()
    parameters: Parameters = field()
    loss: Loss = field()
    constraints: Constraints | None = None
    kind: ClassVar[str] = "curve"

    @classmethod
    def takes(cls, given: object) -> bool:
        return isinstance(given, Curve)

    @classmethod
    def read(cls, given: Curve, table: Table, options: Options, loss: Loss) -> tuple[Model, dict[str, object]]:
        start = dict(options["start"] or {})
        if given.inputs and given.derivatives is None and given.root is None and options["gradient"] is None:
            try:
                text = f"{plain_name(given.response)} ~ {given.traced()}"
                model, known = FormulaModel.of_text(text, start, table, options, loss, given.names)
                # A function need not make use of each parameter.
                return model, {name: value for name, value in known.items() if name in model.parameters.shapes}
            except (UntraceableError, FormulaError, ConfigError):
                pass
        everything = Parameters(dict.fromkeys(given.names))
        held = held_back(everything, table, options, start)
        return cls(given, everything if held is None else held.free, loss, held), start

    @classmethod
    def disproved(cls, given: Curve, model: Model, theta: Array, columns: Mapping[str, Array]) -> str | None:
        if model.formula is None:
            return None
        symbols = (*map(Column, model.inputs), *map(Parameter, model.parameters.shapes))
        evaluate = compile_expression(model.formula.expression, symbols)

        def computed(theta: Array, part: Mapping[str, Array]) -> Array:
            value = evaluate(*(part[name] for name in model.inputs), *theta.tolist())
            return np.broadcast_to(np.asarray(value, dtype=np.float64), (len(part[given.response]),))

        def called(theta: Array, part: Mapping[str, Array]) -> Array:
            complete = len(part[given.response]) == len(columns[given.response])
            xdata = given.xdata if complete else given.arranged([part[name] for name in given.inputs])
            return np.asarray(given.function(xdata, *theta), dtype=np.float64)

        return disagreement(called, computed, theta, columns)

    def __post_init__(self) -> None:
        response = self.curve.response
        self.__dict__.update(inputs=(), response_columns=(response,), response=response)

    @property
    def name(self) -> str:
        return getattr(self.curve.function, "__name__", "the function")

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        return self.loss.mean(self.scores(theta, columns))

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        self.__dict__["calls"] = self.calls + 1
        return self.curve.values(theta)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        if self.curve.derivatives is None:
            return super().scores_and_jacobian(theta, columns)
        return self.scores(theta, columns), self.curve.whitened(self.curve.derivatives(theta))
