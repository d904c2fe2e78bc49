"""A model as SciPy's ``curve_fit`` takes it: ``f(xdata, *parameters)``, called with all of its data at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.differences import RowFunction
from descend.errors import ConfigError, FormulaError
from descend.formula.compile import compile_expression
from descend.formula.formula import Formula, read_formula, refuse_size
from descend.formula.printers.code import plain_name
from descend.formula.symbols import Column, Parameter
from descend.losses import Loss
from descend.models.contract import Model, Options, checked_shape, held_back
from descend.models.formula import FormulaModel, formula_model, in_order
from descend.parameters import Constraints, Parameters
from descend.table import Table
from descend.tracing import POINTS, UntraceableError, disagreement, trace

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


PROVED: dict[tuple[int, str], object] = {}
"""The code of functions, by its id and the formula that was found to compute the same at several points."""
MOST_PROVED = 256


@lru_cache(maxsize=256)
def _free_model(
    text: str, response: str, names: tuple[str, ...], columns: tuple[str, ...], sigma: str | None, loss: Loss
) -> FormulaModel:
    """Return the model of a formula without bounds, from the cache if it was made before."""
    spread = () if sigma is None else (sigma,)
    formula = read_formula(f"{plain_name(response)} ~ {text}", columns, (), starts=set(names), excluded=spread)
    refuse_size(formula.expression)
    return formula_model(in_order(formula, names), loss)


@lru_cache(maxsize=256)
def _evaluation(formula: Formula, response: str) -> Callable[[Array, Mapping[str, Array]], Array]:
    """Return the expression of a formula as a function of theta and columns."""
    inputs = formula.inputs
    evaluate = compile_expression(formula.expression, (*map(Column, inputs), *map(Parameter, formula.parameters)))

    def computed(theta: Array, columns: Mapping[str, Array]) -> Array:
        value = evaluate(*[columns[name] for name in inputs], *theta.tolist())
        rows = columns[response].shape
        if getattr(value, "shape", None) == rows:
            found: Array = value
            return found
        return np.broadcast_to(np.asarray(value, dtype=np.float64), rows)

    return computed


@dataclass(frozen=True, eq=False)
class CalledCurve:
    """The values of a curve model as a function of its free parameters, real or complex, one point or many."""

    model: CurveModel
    rows: int

    def one(self, theta: NDArray[Any]) -> NDArray[Any]:
        """Return the (rows,) values."""
        return np.asarray(self.model.scores(theta, {}))

    def many(self, thetas: NDArray[Any]) -> NDArray[Any]:
        """Return (k, rows) values: each parameter stands in a column of its own, (k, 1), against the rows."""
        curve, model = self.model.curve, self.model
        model.__dict__["calls"] = model.calls + 1
        found = np.asarray(curve.function(curve.xdata, *thetas.T[:, :, None]))
        return curve.whitened(checked_shape(found, (len(thetas), self.rows)).T).T


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
                text = given.traced()
                if options["bounds"] is None:
                    model = _free_model(text, given.response, given.names, table.names, options["sigma"], loss)
                else:
                    text = f"{plain_name(given.response)} ~ {text}"
                    model, _ = FormulaModel.of_text(text, start, table, options, loss, given.names)
                used = model.parameters.shapes  # a function need not make use of each of its parameters
                return model, start if len(used) == len(start) else {n: v for n, v in start.items() if n in used}
            except (UntraceableError, FormulaError, ConfigError):
                pass
        everything = Parameters(dict.fromkeys(given.names))
        held = held_back(everything, table, options, start)
        return cls(given, everything if held is None else held.free, loss, held), start

    @classmethod
    def disproved(cls, given: Curve, model: Model, theta: Array, columns: Mapping[str, Array]) -> str | None:
        if model.formula is None:
            return None
        rows = len(columns[given.response])
        evaluate = _evaluation(model.formula, given.response)
        used = [given.names.index(name) for name in model.parameters.shapes]
        every = np.ones(len(given.names))

        def called(theta: Array, part: Mapping[str, Array]) -> Array:
            complete = len(part[given.response]) == rows
            xdata = given.xdata if complete else given.arranged([part[name] for name in given.inputs])
            every[used] = theta
            return np.asarray(given.function(xdata, *every), dtype=np.float64)

        # Where the same code computed the same before, it is held against it on these rows at one point only.
        code = getattr(given.function, "__code__", None)
        known = id(code), model.formula.text
        doubt = disagreement(called, evaluate, theta, columns, points=1 if known in PROVED else POINTS)
        if doubt is None and code is not None:
            PROVED[known] = code
            if len(PROVED) > MOST_PROVED:
                del PROVED[next(iter(PROVED))]
        return doubt

    def __post_init__(self) -> None:
        response = self.curve.response
        self.__dict__.update(inputs=(), response_columns=(response,), response=response)

    @property
    def name(self) -> str:
        return getattr(self.curve.function, "__name__", "the function")

    def row_function(self, columns: Mapping[str, Array]) -> RowFunction:
        return CalledCurve(self, len(columns[self.curve.response]))

    @property
    def differentiated(self) -> bool:
        return self.curve.derivatives is None

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        return self.loss.mean(self.scores(theta, columns))

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        self.__dict__["calls"] = self.calls + 1
        return self.curve.values(theta)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        if self.curve.derivatives is None:
            return super().scores_and_jacobian(theta, columns)
        return self.scores(theta, columns), self.curve.whitened(self.curve.derivatives(theta))
