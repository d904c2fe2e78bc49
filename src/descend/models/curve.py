"""A model as SciPy's ``curve_fit`` takes it: ``f(xdata, *parameters)``, called with all of its data at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.losses import Loss
from descend.models.contract import LEAST, STEP, Model, Options, held_back
from descend.parameters import Constraints, Parameters
from descend.table import Table

Array = NDArray[np.float64]
Derivatives = Callable[[Array], Array]
"""theta -> the derivatives of the function, (M, p)."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of anything and of parameters, which returns M numbers.

    function: called as ``function(xdata, *theta)``; xdata: whatever it takes. names: of the parameters, in its order.
    derivatives: its derivatives by them, if they are known. root: the lower triangle L of a Cholesky factor L L' of the
    covariance of the response, so that L^-1 (function - y) are errors of standard deviation 1 that know nothing of each
    other; None for errors that are apart from each other already.
    row, response: the columns with the number of each row, from 0, and with the response; with a root it is L^-1 y.

    >>> line = Curve(lambda x, a, b: a * x + b, np.array([0.0, 1.0]), ("a", "b"))
    >>> line.values(np.array([2.0, 1.0]))
    array([1., 3.])
    """

    function: Callable[..., object]
    xdata: object
    names: tuple[str, ...]
    derivatives: Derivatives | None = None
    root: Array | None = None
    row: str = "row"
    response: str = "y"

    def values(self, theta: Array) -> Array:
        """Return what the function returns, whitened."""
        return self.whitened(np.asarray(self.function(self.xdata, *theta), dtype=np.float64))

    def whitened(self, values: Array) -> Array:
        """Return L^-1 times a vector, or a matrix of as many rows; the same where errors are apart from each other."""
        if self.root is None:
            return values
        from scipy.linalg import solve_triangular

        solved: Array = solve_triangular(self.root, values, lower=True, check_finite=False)
        return solved


@dataclass(frozen=True, eq=False)
class CurveModel(Model):
    """A `Curve`: its function is called with all of its data, whichever rows are asked for.

    The last values and derivatives are kept, so that to ask for other rows of the same theta calls nothing.
    """

    curve: Curve = field()
    parameters: Parameters = field()
    loss: Loss = field()
    constraints: Constraints | None = None
    kind: ClassVar[str] = "curve"

    @classmethod
    def takes(cls, given: object) -> bool:
        return isinstance(given, Curve)

    @classmethod
    def read(cls, given: Curve, table: Table, options: Options, loss: Loss) -> tuple[CurveModel, dict[str, object]]:
        everything, start = Parameters(dict.fromkeys(given.names)), dict(options["start"] or {})
        held = held_back(everything, table, options, start)
        return cls(given, everything if held is None else held.free, loss, held), start

    def __post_init__(self) -> None:
        response = self.curve.response
        self.__dict__.update(inputs=(self.curve.row,), response_columns=(response,), response=response)

    @cached_property
    def _known(self) -> dict[str, tuple[bytes, Array]]:
        return {}

    @property
    def name(self) -> str:
        return getattr(self.curve.function, "__name__", "the function")

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        return self.loss.mean(self.scores(theta, columns))

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        return self._of_rows(self._kept("values", theta, self._values), columns)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        scores = self.scores(theta, columns)
        if self.curve.derivatives is None:
            jacobian = self._kept("jacobian", theta, self._by_differences)
        else:
            jacobian = self._kept("jacobian", theta, self._derivatives)
        return scores, self._of_rows(jacobian, columns)

    def _values(self, theta: Array) -> Array:
        self.__dict__["calls"] = self.calls + 1
        return self.curve.values(theta)

    def _derivatives(self, theta: Array) -> Array:
        assert self.curve.derivatives is not None
        return self.curve.whitened(self.curve.derivatives(theta))

    def _by_differences(self, theta: Array) -> Array:
        columns = []
        for place in range(theta.size):
            up, down = theta.copy(), theta.copy()
            step = STEP * max(abs(theta[place]), LEAST)
            up[place] += step
            down[place] -= step
            columns.append((self._values(up) - self._values(down)) / (up[place] - down[place]))
        return np.stack(columns, axis=1)

    def _kept(self, name: str, theta: Array, compute: Callable[[Array], Array]) -> Array:
        at = theta.tobytes()
        known = self._known.get(name)
        if known is None or known[0] != at:
            known = self._known[name] = at, compute(theta)
        return known[1]

    def _of_rows(self, values: Array, columns: Mapping[str, Array]) -> Array:
        rows = columns[self.curve.row]
        if len(rows) == len(values):
            return values
        return values[rows.astype(np.intp)]
