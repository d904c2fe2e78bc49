"""From the arguments of ``curve_fit`` to a problem."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.jacobian import accusation, returned
from descend.curve_fitting.scipy_arguments import Arguments
from descend.models.curve import Curve, Derivatives
from descend.options.request import Request
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.table import open_table
from descend.table.rows import finite

Array = NDArray[np.float64]
BARE = Request(second_look=False, bare=True, grow=True)
Arrange = Callable[[Sequence[Array]], object]


@dataclass(eq=False, slots=True)
class Data:
    """A curve, the columns of its table, and which of them has standard deviations."""

    curve: Curve
    columns: dict[str, Array]
    sigma: str | None


def problem_of(arguments: Arguments, data: Data | None = None) -> tuple[Problem, Request]:
    """Return the problem of a call, and the request it is solved by. data: if they were made before."""
    data = data_of(arguments) if data is None else data
    start = None if arguments.start is None else dict(zip(arguments.names, arguments.start.tolist(), strict=True))
    bounds: dict[str, object] | None = None
    if arguments.low is not None and arguments.high is not None:
        sides = zip(arguments.low.tolist(), arguments.high.tolist(), strict=True)
        bounds = dict(zip(arguments.names, sides, strict=True))
    request = BARE.but(model=data.curve, data=data.columns, start=start, bounds=bounds, sigma=data.sigma)
    if arguments.loss is not None:
        request = request.but(loss=arguments.loss)
    table = open_table(data.columns)
    if arguments.finite and arguments.root is None:
        table.gapless = frozenset(name for name in data.columns if name != data.sigma)
    problem = pose(request, table)
    if callable(arguments.jacobian) and (wrong := accusation(arguments, data.curve, problem)) is not None:
        warnings.warn(f"{wrong} The fit uses derivatives of its own.", stacklevel=4)
        without = replace(arguments, jacobian=None)
        return problem_of(without, data_of(without))
    return problem, request


def data_of(arguments: Arguments) -> Data:
    """Return the function with its data, and the columns of the table."""
    response = _unused("y", arguments.names)
    inputs, arranged = _inputs(arguments.xdata, len(arguments.y), {response, *arguments.names})
    root = arguments.root
    if arguments.loss is not None and arguments.sigma is not None:
        root = np.broadcast_to(arguments.sigma, arguments.y.shape)
    derivatives = _derivatives(arguments) if callable(arguments.jacobian) else None
    curve = Curve(
        function=arguments.function,
        xdata=arguments.xdata,
        names=arguments.names,
        inputs=tuple(inputs),
        arranged=arranged,
        derivatives=derivatives,
        root=root,
        response=response,
        rows=len(arguments.y),
    )
    columns, sigma = {**inputs, response: curve.whitened(arguments.y)}, None
    if isinstance(arguments.sigma, np.ndarray) and arguments.loss is None:
        sigma = _unused("sigma", {*columns, *arguments.names})
        columns[sigma] = arguments.sigma
    return Data(curve, columns, sigma)


def _inputs(xdata: Any, rows: int, taken: Container[str]) -> tuple[dict[str, Array], Arrange]:
    """Return the columns that the data of a function consist of, none if they are no numbers by rows.

    One axis of an array is the rows: the last one, as SciPy has it, or else the first.
    """
    if xdata is None or isinstance(xdata, str):
        return {}, list
    if isinstance(xdata, Mapping) or hasattr(xdata, "columns"):  # a dict of columns, or a frame
        return _of_frame(xdata, rows, taken)
    array = xdata if isinstance(xdata, np.ndarray) else _array_of(xdata)
    if array is None or array.ndim == 0 or rows not in (array.shape[0], array.shape[-1]):
        return {}, list
    if not finite(array.ravel()):
        return {}, list
    if array.ndim == 1:
        return {_unused("x", taken): array}, _alone
    last = array.shape[-1] == rows
    parts = array.reshape(-1, rows) if last else array.reshape(rows, -1).T
    names = _numbered("x", len(parts), taken)
    shape = array.shape[:-1] if last else array.shape[1:]
    return dict(zip(names, parts, strict=True)), partial(_stacked, shape, last)


def _of_frame(xdata: Any, rows: int, taken: Container[str]) -> tuple[dict[str, Array], Arrange]:
    """Return the columns of numbers of a frame, which a function asks for by their names."""
    keys = [key for key in xdata if isinstance(key, str)]
    arrays = {key: _array_of(xdata[key]) for key in keys}
    known = {key: array for key, array in arrays.items() if array is not None and array.shape == (rows,)}
    if len(known) < len(list(xdata)) or not all(finite(array) for array in known.values()):
        return {}, list
    names = _numbered("x", len(known), taken)
    return dict(zip(names, known.values(), strict=True)), partial(_frame, tuple(known))


def _array_of(given: object) -> Array | None:
    """Return numbers as an array of float64; None where they are none."""
    try:
        found = np.asarray(given)
        return found.astype(np.float64, copy=False) if found.dtype.kind in "biuf" else None
    except (TypeError, ValueError):
        return None


class Frame(dict[str, object]):
    """Columns by name, as a frame has them: ``frame["x"]`` or ``frame.x``."""

    def __getattr__(self, name: str) -> object:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _frame(keys: tuple[str, ...], columns: Sequence[object]) -> Frame:
    return Frame(zip(keys, columns, strict=True))


def _numbered(stem: str, count: int, taken: Container[str]) -> list[str]:
    """Return names for columns of which none is taken.

    >>> _numbered("x", 2, {"x1"})
    ['x_0', 'x_1']
    """
    while any(f"{stem}{place}" in taken for place in range(count)):
        stem += "_"
    return [f"{stem}{place}" for place in range(count)]


def _alone(columns: Sequence[object]) -> object:
    return columns[0]


def _stacked(shape: tuple[int, ...], last: bool, columns: Sequence[Array]) -> Array:
    """Return an array of some shape of columns, whose rows are its last axis or its first."""
    stacked = np.stack(columns, axis=-1 if not last else 0)
    if len(shape) == 1:
        return stacked
    return stacked.reshape((*shape, -1) if last else (-1, *shape))


def _derivatives(arguments: Arguments) -> Derivatives:
    return lambda theta: returned(arguments, arguments.xdata, theta, len(arguments.y))


def _unused(name: str, names: Container[str]) -> str:
    while name in names:
        name += "_"
    return name
