"""From the arguments of ``curve_fit`` to a problem."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.arguments import Arguments
from descend.models.curve import Curve, Derivatives
from descend.options.request import Request
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.table import open_table

Array = NDArray[np.float64]


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
    request = Request(
        model=model,
        data=columns,
        start=start,
        bounds=bounds,
        sigma=sigma,
        second_look=False,
        bare=True,
    )
    if arguments.loss is not None:
        request = replace(request, loss=arguments.loss)
    return pose(request, open_table(columns)), request


def _curve(arguments: Arguments) -> tuple[Curve, dict[str, object]]:
    """Return the function as it is, called with all of its data at once."""
    row, response = _unused("row", arguments.names), _unused("y", arguments.names)
    derivatives = None
    if callable(arguments.jacobian):
        derivatives = _derivatives(arguments)
    root = arguments.root
    if arguments.loss is not None and arguments.sigma is not None:
        root = np.broadcast_to(arguments.sigma, arguments.y.shape)
    curve = Curve(arguments.function, arguments.xdata, arguments.names, derivatives, root, row, response)
    return curve, {row: np.arange(len(arguments.y), dtype=np.float64), response: curve.whitened(arguments.y)}


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
