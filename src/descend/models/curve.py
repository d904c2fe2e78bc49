"""A model as SciPy's ``curve_fit`` takes it: ``f(xdata, *parameters)``, called with all of its data at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.differences.calls import RowFunction, Values
from descend.errors import ConfigError, FormulaError
from descend.formula import read_formula
from descend.formula.formula import in_order, refuse_size
from descend.formula.printers.code import plain_name
from descend.losses import Loss
from descend.models.call import name_of
from descend.models.called_rows import numbers_of
from descend.models.contract import Model
from descend.models.formula import FormulaModel, formula_model
from descend.models.reading import Options, checked_shape, held_back
from descend.models.traced_pair import over_all, traced_pair
from descend.parameters import Constraints, Parameters
from descend.table import Table
from descend.table.response_covariance import Whitening
from descend.tracing.proof import Pair
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

Array = NDArray[np.float64]
Derivatives = Callable[[Array], Array]
"""theta -> the derivatives of the function, (M, p)."""


@dataclass(eq=False, slots=True)
class Curve:
    """A function of anything and of parameters, which returns M numbers.

    function: called as ``function(xdata, *theta)``; xdata: whatever it takes. names: of the parameters, in its order.
    inputs: the columns that xdata is made of, or none where it is no numbers; arranged: makes the one of the other.
    derivatives: its derivatives by the parameters, if they are known.
    root: what makes errors of standard deviation 1 that know nothing of each other: the lower triangle L of a Cholesky
    factor L L' of the covariance of the response, as L^-1 (function - y), or standard deviations, (M,); or None.
    response: the column with the response, with a root L^-1 y; rows: how many there are.

    >>> line = Curve(lambda x, a, b: a * x + b, np.array([0.0, 1.0]), ("a", "b"), rows=2)
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
    rows: int = 0

    @property
    def __name__(self) -> str:
        return name_of(self.function)

    def values(self, theta: Values) -> Values:
        """Return what the function returns, whitened. Raises ConfigError unless it is a number for each row."""
        curve_values = numbers_of(self.function(self.xdata, *theta), self.__name__, np.iscomplexobj(theta))
        return self.whitened(self._for_each_row(curve_values))

    def _for_each_row(self, curve: Values) -> Values:
        """Return numbers as (rows,); a single one stands for all."""
        if curve.shape == (self.rows,):
            return curve
        if curve.shape in ((self.rows, 1), (1, self.rows)):
            return curve.reshape(self.rows)
        if curve.size == 1 and curve.ndim < 2:
            return np.broadcast_to(curve, (self.rows,))
        raise ConfigError(
            f"`{self.__name__}` returned shape {curve.shape} for {self.rows} data points. It must return one value for "
            "each."
        )

    def whitened(self, values: Values) -> Values:
        """Return a vector, or a matrix of as many rows, divided by the root."""
        if self.root is None:
            return values
        if self.root.ndim == 1:
            return (values.T / self.root).T
        return Whitening(self.root).of(values)

    def of_rows(self, row_numbers: NDArray[np.intp]) -> Curve | None:
        """Return the curve of a few of the rows; None where its data have no rows, or its errors know of each other."""
        if not isinstance(self.xdata, np.ndarray) or not self.inputs or self.root is not None or self.derivatives:
            return None
        axis = -1 if self.xdata.shape[-1] == self.rows else 0
        return replace(self, xdata=self.xdata.take(row_numbers, axis), rows=len(row_numbers))

    def traced(self) -> str:
        """Return what the function computes as text of our formulas. Raises UntraceableError."""

        def called(function: Callable[..., object], symbols: Mapping[str, object]) -> object:
            columns = [symbols[name] for name in self.inputs]
            return function(self.arranged(columns), *[symbols[name] for name in self.names])

        return trace(self.function, self.inputs, self.names, self.rows, called)


@lru_cache(maxsize=256)
def _free_model(
    text: str, response: str, names: tuple[str, ...], columns: tuple[str, ...], sigma: str | None, loss: Loss
) -> FormulaModel:
    """Return the model of a formula without bounds, from the cache if it was made before."""
    spread = () if sigma is None else (sigma,)
    formula = read_formula(f"{plain_name(response)} ~ {text}", columns, (), starts=set(names), excluded=spread)
    refuse_size(formula.expression)
    return formula_model(in_order(formula, names), loss)


@dataclass(frozen=True, eq=False)
class CalledCurve:
    """The values of a curve model as a function of its free parameters, real or complex, one point or many."""

    model: CurveModel
    rows: int

    @property
    def name(self) -> str:
        return self.model.name

    def one(self, theta: Values) -> Values:
        """Return the (rows,) values."""
        return np.asarray(self.model.scores(theta, {}))

    def many(self, thetas: Values) -> Values:
        """Return (k, rows) values: each parameter stands in a column of its own, (k, 1), against the rows."""
        curve, model = self.model.curve, self.model
        model.__dict__["calls"] = model.calls + 1
        curve_values = numbers_of(
            curve.function(curve.xdata, *thetas.T[:, :, None]), self.name, np.iscomplexobj(thetas)
        )
        return curve.whitened(checked_shape(curve_values, (len(thetas), self.rows)).T).T


@dataclass(frozen=True, eq=False)
class CurveModel(Model):
    """A `Curve` whose function is no formula, or whose derivatives are given: it is called with all of its data."""

    curve: Curve = field()
    parameters: Parameters = field()
    loss: Loss = field()
    constraints: Constraints | None = None
    traced: FormulaModel | None = None
    """The formula that the function computes, where that is known: its derivatives are taken."""
    kind: ClassVar[str] = "Python function"

    @classmethod
    def takes(cls, curve_given: object) -> bool:
        return isinstance(curve_given, Curve)

    @classmethod
    def read(cls, curve: Curve, table: Table, options: Options, loss: Loss) -> tuple[Model, dict[str, object]]:
        start, formula = dict(options["start"] or {}), None
        if curve.inputs and options["gradient"] is None:
            with contextlib.suppress(UntraceableError, FormulaError, ConfigError):
                formula = cls._formula_model(curve, start, table, options, loss)
        if formula is not None and curve.root is None:
            used = formula.parameters.shapes  # a function need not make use of each of its parameters
            return formula, start if len(used) == len(start) else {n: v for n, v in start.items() if n in used}
        everything = Parameters(dict.fromkeys(curve.names))
        constraints = held_back(everything, table, options, start)
        return cls(curve, everything if constraints is None else constraints.free, loss, constraints, formula), start

    @classmethod
    def free(cls, curve_given: Curve, columns: tuple[str, ...], sigma: str | None, loss: Loss) -> FormulaModel:
        """Return the formula that a function computes, without bounds. Raises UntraceableError or FormulaError."""
        return _free_model(curve_given.traced(), curve_given.response, curve_given.names, columns, sigma, loss)

    @classmethod
    def _formula_model(
        cls, curve_given: Curve, start: dict[str, object], table: Table, options: Options, loss: Loss
    ) -> FormulaModel:
        if options["bounds"] is None:
            return cls.free(curve_given, table.names, options["sigma"], loss)
        text = f"{plain_name(curve_given.response)} ~ {curve_given.traced()}"
        return FormulaModel.of_text(text, start, table, options, loss, curve_given.names)[0]

    @classmethod
    def original(cls, curve_given: Curve, model: Model) -> Pair | None:
        traced = model.traced if isinstance(model, cls) else model
        if traced is None:
            return None
        constraints, free = model.constraints, tuple(model.parameters.shapes)

        def called(theta: Array, part: Mapping[str, Array]) -> Array:
            values: Mapping[str, object] = dict(zip(free, theta.tolist(), strict=True))
            if constraints is not None:
                values = constraints.complete(values)
            xdata = curve_given.arranged([part[name] for name in curve_given.inputs])
            # A parameter that the formula does not mention is none of the model.
            return over_all(curve_given.function(xdata, *[values.get(name, 1.0) for name in curve_given.names]), part)

        return traced_pair(called, model, traced.formula, getattr(curve_given.function, "__code__", None))

    def __post_init__(self) -> None:
        response = self.curve.response
        inputs = () if self.traced is None else self.traced.inputs
        self.__dict__.update(inputs=inputs, response_columns=(response,), response=response)

    @property
    def name(self) -> str:
        return self.curve.__name__

    def of_rows(self, row_numbers: NDArray[np.intp], count: int) -> Model | None:
        curve = self.curve.of_rows(row_numbers)
        return None if curve is None else replace(self, curve=curve)

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
        if self.traced is not None:
            return self.scores(theta, columns), self.curve.whitened(self._by_formula(self.traced, theta, columns))
        if self.curve.derivatives is None:
            return super().scores_and_jacobian(theta, columns)
        return self.scores(theta, columns), self.curve.whitened(self.curve.derivatives(theta))

    def _by_formula(self, traced: FormulaModel, theta: Array, columns: Mapping[str, Array]) -> Array:
        used = [self.curve.names.index(name) for name in traced.parameters.shapes]
        jacobian = np.zeros((len(columns[self.curve.response]), len(self.curve.names)))
        jacobian[:, used] = traced.scores_and_jacobian(theta[used], columns)[1]
        return jacobian
