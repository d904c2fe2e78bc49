"""From the arguments of ``curve_fit`` to a problem."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.arguments import Arguments
from descend.models.curve import Curve, Derivatives
from descend.options.request import Request
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.table import open_table

Array = NDArray[np.float64]
BARE = Request(second_look=False, bare=True, polish=True)
Arrange = Callable[[Sequence[Array]], object]


def problem_of(arguments: Arguments) -> tuple[Problem, Request]:
    """Return the problem of a call, and the request it is solved by."""
    model, columns = _curve(arguments)
    sigma = None
    if isinstance(arguments.sigma, np.ndarray) and arguments.loss is None:
        sigma = _unused("sigma", columns)
        columns[sigma] = arguments.sigma
    start = None if arguments.start is None else dict(zip(arguments.names, arguments.start.tolist(), strict=True))
    bounds: dict[str, object] | None = None
    if arguments.low is not None and arguments.high is not None:
        sides = zip(arguments.low.tolist(), arguments.high.tolist(), strict=True)
        bounds = dict(zip(arguments.names, sides, strict=True))
    request = BARE.but(model=model, data=columns, start=start, bounds=bounds, sigma=sigma)
    if arguments.loss is not None:
        request = request.but(loss=arguments.loss)
    return pose(request, open_table(columns)), request


def _curve(arguments: Arguments) -> tuple[Curve, dict[str, object]]:
    """Return the function with its data, and the columns of the table."""
    response = _unused("y", arguments.names)
    inputs, arranged = _inputs(arguments.xdata, len(arguments.y), {response, *arguments.names})
    root = arguments.root
    if arguments.loss is not None and arguments.sigma is not None:
        root = np.broadcast_to(arguments.sigma, arguments.y.shape)
    derivatives = _derivatives(arguments) if callable(arguments.jacobian) else None
    curve = Curve(
        arguments.function, arguments.xdata, arguments.names, tuple(inputs), arranged, derivatives, root, response
    )
    return curve, {**inputs, response: curve.whitened(arguments.y)}


def _inputs(xdata: object, rows: int, taken: Container[str]) -> tuple[dict[str, object], Arrange]:
    """Return the columns that the data of a function consist of, none if they are no numbers by rows.

    One axis of an array is the rows: the last one, as SciPy has it, or else the first.
    """
    if isinstance(xdata, np.ndarray):
        if xdata.ndim == 1:
            return ({_unused("x", taken): xdata} if len(xdata) == rows else {}), _alone
        if xdata.ndim == 0 or rows not in (xdata.shape[0], xdata.shape[-1]):
            return {}, list
        last = xdata.shape[-1] == rows
        parts = xdata.reshape(-1, rows) if last else xdata.reshape(rows, -1).T
        stem = next(stem for stem in _stems() if not any(f"{stem}{place}" in taken for place in range(len(parts))))
        shape = xdata.shape[:-1] if last else xdata.shape[1:]
        return {f"{stem}{place}": part for place, part in enumerate(parts)}, partial(_stacked, shape, last)
    return {}, list


def _alone(columns: Sequence[object]) -> object:
    return columns[0]


def _stacked(shape: tuple[int, ...], last: bool, columns: Sequence[Array]) -> Array:
    """Return an array of some shape of columns, whose rows are its last axis or its first."""
    stacked = np.stack(columns, axis=-1 if not last else 0)
    if len(shape) == 1:
        return stacked
    return stacked.reshape((*shape, -1) if last else (-1, *shape))


def _stems() -> Iterator[str]:
    stem = "x"
    while True:
        yield stem
        stem += "_"


def _derivatives(arguments: Arguments) -> Derivatives:
    jacobian, xdata = arguments.jacobian, arguments.xdata
    assert callable(jacobian)

    def derivatives(theta: Array) -> Array:
        found = np.asarray(jacobian(xdata, *theta), dtype=np.float64)
        return found.T if arguments.transposed else found

    return derivatives


def _unused(name: str, names: Container[str]) -> str:
    while name in names:
        name += "_"
    return name
