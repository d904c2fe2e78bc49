"""A model: the prediction as a function of parameters and columns, written as a formula or as a Python function."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError, DescendError
from descend.formula import as_text
from descend.formula.compile import compile_expression, items_matrix
from descend.formula.formula import Formula
from descend.formula.functions import FUNCTIONS
from descend.formula.symbols import Column, Parameter, Predictor
from descend.losses import Loss
from descend.parameters import Constraints, Parameters

Array = NDArray[np.float64]
BLOCK = 1 << 13
"""Rows whose predictions are computed at a time, where each needs many columns."""


@dataclasses.dataclass(frozen=True, eq=False)
class FormulaModel:
    """A formula and the loss it is fitted under, which may absorb its outermost function (see ``Loss.link``).

    constraints: what holds parameters back; the formula is one of those that are free.
    """

    formula: Formula
    loss: Loss
    constraints: Constraints | None = None

    @cached_property
    def parameters(self) -> Parameters:
        return Parameters(self.formula.parameters)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that prediction needs."""
        return self.formula.inputs

    @cached_property
    def response(self) -> str:
        """The left side, as text."""
        return as_text(self.formula.response)

    @cached_property
    def response_columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.formula.columns if Column(name) in self.formula.response.free_symbols)

    @cached_property
    def linear(self) -> bool:
        """Whether what the loss works on is linear in the parameters."""
        score = self.loss.score(self.formula.expression)
        return self.formula.linear if score is self.formula.expression else self._linear(score)

    @cached_property
    def separable(self) -> NDArray[np.bool_]:
        """(p,) which components enter the formula linearly, each by itself: set to 0, they take a term out of it."""
        found = np.zeros(self.parameters.size, dtype=bool)
        for symbol, slope in self.formula.jacobian.items():
            term = self.formula.terms.get(symbol)
            place = self.parameters.slices[symbol.name if term is None else term.vector]
            found[place] = symbol not in slope.free_symbols
        return found

    @cached_property
    def log_linear(self) -> bool:
        """Whether it is exp(what is linear in the parameters) under a loss convex in that: then too J is convex."""
        whole = self.formula.expression
        exponential = self.loss.convex_in_log and whole.is_Function and whole.func.__name__ == "exp"
        return exponential and self._linear(whole.args[0])

    @cached_property
    def linear_predictor(self) -> Expr | None:
        """What is linear in the parameters and makes up the score, alone or in a function of it; None if nothing is.

        In `0.5*(1 + erf((a + b*x)/2))` it is (a + b*x)/2, and a + b*x in `sigmoid(a + b*x)` and `exp(a + b*x)`.
        """
        unknowns = set(self.formula.unknowns)
        part = self.loss.score(self.formula.expression)
        while not self._linear(part):
            inside = [each for each in part.args if each.free_symbols & unknowns]
            if len(inside) != 1 or any(each.free_symbols for each in part.args if each is not inside[0]):
                return None
            part = inside[0]
        return part

    def _linear(self, score: Expr) -> bool:
        return not any(score.diff(symbol).atoms(Parameter, Predictor) for symbol in self.formula.unknowns)

    @cached_property
    def prediction(self) -> Expr:
        """What predict returns: the expression, on the scale of the response."""
        expression = self.formula.expression
        absorbed = self.loss.score(expression) is not expression
        return expression if self.loss.link is None or absorbed else FUNCTIONS[self.loss.link].build(expression)

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the prediction of each row."""
        rows = len(next(iter(columns.values()))) if columns else 1
        if rows <= BLOCK or not self.formula.terms:
            return self._predicted(theta, columns, rows)
        # A matrix of all that stands in brackets would take as much memory as the columns, and longer than the rest.
        prediction = np.empty(rows)
        for begin in range(0, rows, BLOCK):
            part = {name: columns[name][begin : begin + BLOCK] for name in self.inputs}
            prediction[begin : begin + BLOCK] = self._predicted(theta, part, min(BLOCK, rows - begin))
        return prediction

    def _predicted(self, theta: Array, columns: Mapping[str, Array], rows: int) -> Array:
        values: dict[Expr, Any] = {Column(name): columns[name] for name in self.inputs}
        for symbol in self.formula.unknowns:
            term = self.formula.terms.get(symbol)
            place = self.parameters.slices[symbol.name if term is None else term.vector]
            values[symbol] = (
                theta[place.start] if term is None else items_matrix(term.items, columns, rows) @ theta[place]
            )
        with np.errstate(all="ignore"):
            result = compile_expression(self.prediction, tuple(values))(*values.values())
        return np.array(np.broadcast_to(np.asarray(result, dtype=np.float64), (rows,)))

    def observed(self, columns: Mapping[str, Array]) -> Array:
        """Return the response of each row."""
        names = self.response_columns
        if isinstance(self.formula.response, Column):
            return columns[names[0]]
        with np.errstate(all="ignore"):
            result = compile_expression(self.formula.response, tuple(Column(name) for name in names))(
                *(columns[name] for name in names)
            )
        return np.asarray(result, dtype=np.float64)

    def __str__(self) -> str:
        return self.formula.text


@lru_cache(maxsize=128)
def formula_model(formula: Formula, loss: Loss) -> FormulaModel:
    """Return the model of a formula whose parameters nothing holds back, from the cache if it was made before."""
    return FormulaModel(formula, loss)


@dataclasses.dataclass(frozen=True)
class Call:
    """A Python function whose arguments are columns and parameters, told apart by their names."""

    function: Callable[..., Any]
    columns: tuple[str, ...]
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any]
    constraints: Constraints | None = None
    """What holds parameters back, so that the function is called with the values of those that are free."""

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "the function")

    def __call__(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
        arguments = {name: columns[name] for name in self.columns}
        if self.constraints is not None:
            values = self.constraints.complete(values)
        try:
            return self.function(**arguments, **{name: values[name] for name in self.parameters})
        except DescendError:
            raise
        except Exception as error:
            raise ConfigError(self._raised(error, next(iter(arguments.values()), None))) from error

    def _raised(self, error: Exception, column: Any) -> str:
        """Say what the function raised, and what it is called with where it may not expect that."""
        said = f"{type(error).__name__}: {error}".rstrip(": .")
        if not isinstance(error, TypeError | ValueError) or column is None:
            return f"`{self.name}` raised {said}."
        kind, library = ("NumPy arrays", "np") if isinstance(column, np.ndarray) else ("PyTorch tensors", "torch")
        return (
            f"`{self.name}` raised {said}. It is called with {kind}, many rows at once: "
            f"use functions that take them, such as {library}.sin for math.sin."
        )


def bind(function: Callable[..., Any], columns: Sequence[str]) -> Call:
    """Tell the arguments of ``function`` apart: those named like a column are data, the others parameters.

    Raises ConfigError if its arguments have no names.
    """
    label = getattr(function, "__name__", "the function")
    try:
        arguments = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ConfigError(
            f"The arguments of `{label}` cannot be seen. Wrap it in a function with named arguments."
        ) from None
    for argument in arguments.values():
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD, argument.POSITIONAL_ONLY):
            raise ConfigError(
                f"`{label}` must name each of its arguments; `{argument}` does not. Write `def {label}(x, w)`."
            )
    known = set(columns)
    data = tuple(name for name in arguments if name in known)
    defaults = {
        name: argument.default for name, argument in arguments.items() if argument.default is not argument.empty
    }
    return Call(function, data, tuple(name for name in arguments if name not in known), defaults)


@dataclasses.dataclass(frozen=True, eq=False)
class FunctionModel:
    """A Python function ``forward(x, w)`` of columns and parameters, and the column it predicts."""

    forward: Call
    response: str
    parameters: Parameters
    loss: Loss
    linear: bool = False
    constraints: Constraints | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that prediction needs."""
        return self.forward.columns

    @property
    def response_columns(self) -> tuple[str, ...]:
        return (self.response,)

    def score(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Call the function with NumPy arrays. Raises ConfigError unless it returns one number per row."""
        rows = len(next(iter(columns.values())))
        prediction = np.asarray(self.forward(columns, self.parameters.named(theta)), dtype=np.float64)
        if prediction.ndim == 0:
            return np.full(rows, float(prediction))
        if prediction.shape != (rows,):
            raise ConfigError(
                f"`{self.forward.name}` returned shape {prediction.shape} for {rows} rows. It must return one "
                "prediction per row."
            )
        return prediction

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the prediction of each row, on the scale of the response."""
        score = self.scores(theta, columns)
        if self.loss.link is None:
            return score
        from descend.formula.symbols import Quantity

        value = Quantity("score")
        linked: Array = compile_expression(FUNCTIONS[self.loss.link].build(value), (value,))(score)
        return linked

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the score of each row, also of a function that is written with torch functions."""
        import sys

        if "torch" in sys.modules and self._wants_tensors(theta, columns):
            import torch

            tensors = {name: torch.from_numpy(np.array(column)) for name, column in columns.items()}
            values = {name: torch.as_tensor(value) for name, value in self.parameters.named(theta).items()}
            with torch.no_grad(), contextlib.suppress(ConfigError):  # what takes neither is told of arrays
                return np.asarray(self.forward(tensors, values), dtype=np.float64).reshape(-1)
        return self.score(theta, columns)

    def _wants_tensors(self, theta: Array, columns: Mapping[str, Array]) -> bool:
        """Find out whether the function is written with torch functions, which refuse NumPy arrays."""
        one_row = {name: column[:1] for name, column in columns.items()}
        try:
            self.forward(one_row, self.parameters.named(theta))
        except ConfigError as error:
            return isinstance(error.__cause__, TypeError)
        return False

    def observed(self, columns: Mapping[str, Array]) -> Array:
        """Return the response of each row."""
        return columns[self.response]

    def __str__(self) -> str:
        return f"{self.response} ~ {self.forward.name}({', '.join((*self.forward.columns, *self.forward.parameters))})"


Model = FormulaModel | FunctionModel
