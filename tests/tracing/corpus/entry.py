"""What an entry of the corpus is: a function as somebody wrote it, data made with it, and what has to come of a fit."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import descend
from descend.curve_fitting.posing import data_of, problem_of
from descend.curve_fitting.scipy_arguments import UNBOUNDED, read
from descend.options.arguments import read_request
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.table import open_table

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Entry:
    """A function, the parameters its data were made with, and the columns (or the one array) it is a function of.

    formula: it is, mathematically, a formula of elementary and special functions of one row: it could be traced.
    step: relative step of the differences that the oracle takes; larger where the function is only approximate.
    """

    name: str
    source: str
    function: Callable[..., Any]
    truth: Mapping[str, Any]
    start: Mapping[str, Any]
    x: Any
    noise: float
    formula: bool
    step: float | None
    needs: str | None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def by_name(self) -> bool:
        """Whether the columns are arguments by name, as of `fit`; else the first argument is all of x."""
        return isinstance(self.x, Mapping)

    @property
    def theme(self) -> str:
        """The file of the corpus it is in."""
        return self.source.rpartition(".")[2]

    def fit(self, **options: Any) -> Any:
        """Fit the function to its data as a user would; what has no names for its parameters, by SciPy's call."""
        options = {**self.options, **options}
        if self.by_name:
            data = {**self.x, "y": self.y}
            return descend.fit(self.function, data, response="y", start=dict(self.start), **options)
        if self.starred:
            return Curve.fitted(self)
        return descend.fit(self.function, self.x, self.y, start=dict(self.start), **options)

    def why_opaque(self) -> str | None:
        """Return why the function is not read as a formula; None if it is."""
        if self.starred:
            problem = Curve.posed(self)
        else:
            data, others = ({**self.x, "y": self.y}, ()) if self.by_name else (self.x, (self.y,))
            options = {"start": dict(self.start), "response": "y" if self.by_name else None, **self.options}
            request = read_request(self.function, data, others, options)
            problem = pose(request, open_table(request.data))
        if problem.model.formula is not None:
            return None
        return next((note for note in problem.notes if "is no formula" in note), "it does not say why")

    @property
    def starred(self) -> bool:
        """Whether it takes its parameters as `*params`, which have no names."""
        arguments = inspect.signature(self.function).parameters.values()
        return any(argument.kind is argument.VAR_POSITIONAL for argument in arguments)

    def theta(self, values: Mapping[str, Any]) -> Array:
        """Return parameters by name as one vector."""
        return np.concatenate([np.ravel(value) for value in values.values()]).astype(float)

    def named(self, theta: Array) -> dict[str, Any]:
        """Return a vector as parameters by name, shaped as those of the truth."""
        parts, place = {}, 0
        for name, value in self.truth.items():
            size = np.size(value)
            parts[name] = np.array(theta[place : place + size]) if np.ndim(value) else theta[place]
            place += size
        return parts

    def predict(self, theta: Array, x: Any = None) -> Array:
        """Call the function, with copies of all it gets."""
        x = self.x if x is None else x
        if self.by_name:
            columns = {name: np.array(column) for name, column in x.items()}
            found = self.function(**columns, **self.named(theta))
        else:
            found = self.function(np.array(x), *theta)
        return np.asarray(found, dtype=np.float64).reshape(-1)

    @functools.cached_property
    def y(self) -> Array:
        exact = self.predict(self.theta(self.truth))
        return exact + self.noise * np.random.default_rng(7).standard_normal(len(exact))

    def oracle(self) -> Array:
        """Return the least squares near the truth: SciPy's, then Gauss-Newton steps with better derivatives.

        These are differences of fourth order, each over a twentieth of what the noise of y leaves unknown of one
        parameter if the others are known: far above rounding, and still within what is nearly a straight line.
        """
        from scipy.optimize import least_squares

        with np.errstate(all="ignore"):
            found = least_squares(
                lambda theta: self.predict(theta) - self.y,
                self.theta(self.truth),
                jac="3-point",
                diff_step=self.step,
                x_scale="jac",
                xtol=1e-15,
                ftol=1e-15,
                gtol=1e-15,
                max_nfev=300,
            )
            theta, jacobian = found.x, found.jac
            for _ in range(8):
                steps = np.maximum(
                    0.05 * self.noise / np.linalg.norm(jacobian, axis=0), (self.step or 0.0) * abs(theta)
                )
                jacobian = np.stack(
                    [
                        (8 * self._across(theta, move) - self._across(theta, 2 * move)) / (12 * np.sum(move))
                        for move in np.diag(steps)
                    ],
                    axis=1,
                )
                scale = np.linalg.norm(jacobian, axis=0)
                theta = theta - np.linalg.lstsq(jacobian / scale, self.predict(theta) - self.y, rcond=None)[0] / scale
        return theta

    def _across(self, theta: Array, move: Array) -> Array:
        return self.predict(theta + move) - self.predict(theta - move)


@dataclass(frozen=True)
class Curve:
    """What SciPy's call returned, under the names that a fit has."""

    theta: Array
    gradient: str
    notes: tuple[str, ...]
    outcome: str

    @classmethod
    def fitted(cls, entry: Entry) -> Curve:
        theta, covariance = descend.curve_fit(entry.function, entry.x, entry.y, entry.theta(entry.start))
        assert np.isfinite(covariance).all()
        problem = cls.posed(entry)
        return cls(theta, problem.gradient, problem.notes, "converged")

    @staticmethod
    def posed(entry: Entry) -> Problem:
        """Return the problem that SciPy's call poses."""
        start = entry.theta(entry.start)
        called = read(entry.function, entry.x, entry.y, start, None, False, None, UNBOUNDED, None, None, None, {})
        return problem_of(called, data_of(called))[0]


CORPUS: dict[str, Entry] = {}


def entry(
    x: Any,
    truth: Mapping[str, Any],
    noise: float,
    start: Mapping[str, Any] | None = None,
    *,
    formula: bool = True,
    name: str | None = None,
    step: float | None = None,
    needs: str | None = None,
    whole: bool = False,
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the corpus; without a start, it begins some tenth beside the truth.

    x: columns by name; or an array, which is the first argument (whole: the one of SciPy's call, not a named column).
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        key = name or function.__name__
        assert key not in CORPUS, f"{key} is there twice"
        away = itertools.cycle([1.09, 0.94, 0.92, 1.06])
        begin = start or {label: np.asarray(value) * next(away) for label, value in truth.items()}
        columns = x
        if isinstance(x, np.ndarray) and x.ndim == 1 and not whole:
            columns = {next(iter(inspect.signature(function).parameters)): x}
        theme = str(inspect.currentframe().f_back.f_globals["__name__"])
        CORPUS[key] = Entry(key, theme, function, truth, begin, columns, noise, formula, step, needs, options)
        return function

    return decorate
