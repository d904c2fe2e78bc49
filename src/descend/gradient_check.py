"""`descend check`: the model, the data and a gradient, put before the court."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.totals import Engine
from descend.errors import ConfigError, DescendError
from descend.gradients.contract import Summand
from descend.gradients.court import Judgement
from descend.gradients.derived import Program, as_program
from descend.losses import Loss
from descend.models import Model, kind_of
from descend.models.reading import known_column
from descend.options.request import Request
from descend.problem import preflight
from descend.problem.model_reading import gradient_source, read_model
from descend.problem.posing import pose
from descend.problem.suspicion import court_case, judged
from descend.starts.choice_of_start import begin
from descend.table import Table
from descend.table.rows import Rows

Array = NDArray[np.float64]


def check_gradient(request: Request, table: Table, loss: Loss) -> Judgement:
    """Judge ``request.gradient``. Raises FormulaError, DataError or ConfigError for what cannot be judged."""
    if request.gradient is None:
        raise ConfigError(
            'Which gradient is to be checked? Give it: gradient="w = mean(2*x*(w*x - y))", or a function.'
        )
    read, given = read_model(request, table, loss)
    if read.formula is not None:
        start = begin(pose(replace(request, gradient=None), table), request).first.theta
    else:
        start = read.parameters.start(given, 1.0)
    roles = request.roles
    # A function takes the row weights as it takes any column; what is summed of it has none of its own.
    _, sums = gradient_source(read, request.gradient, table, None if callable(request.gradient) else roles.spread)
    if request.weights is not None:
        known_column(request.weights, table, "weights")
    table = table.with_codings(read.codings)
    names = dict.fromkeys((*read.response_columns, *read.inputs, *sums.more_columns, *roles.columns))
    rows = preflight.read_rows(read, table, tuple(names), request)
    preflight.check_more_than_one_row(rows.count, table.source)
    rows.check()
    preflight.check_response(loss, rows, read.response, read.response_columns)
    with np.errstate(all="ignore"):
        judge = _judge(read, start, rows, request, table, loss) if callable(request.gradient) else read
        engine = _engine(sums, replace(rows, omega=None) if callable(request.gradient) else rows)
        python = sums.language == "numpy"
        case = court_case(judge, rows, engine, start, python)
        case.seen = []
        witnesses = {"autograd": _autograd(read, rows, table), "stepped": _stepped(read, rows)}
        return judged(case, sums, str(judge), prove=_prover(as_program(sums)), **witnesses)


def _judge(read: Model, start: Array, rows: Rows, request: Request, table: Table, loss: Loss) -> Model:
    """Return the model whose derivatives are the true ones: the formula that a function computes, if it is one."""
    if read.symbolic is not None:
        return read
    traced, _ = read_model(replace(request, gradient=None), table, loss)
    same = traced.parameters.labels == read.parameters.labels and traced.loss == read.loss
    if traced.symbolic is None or not same or loss.link is not None:
        return read
    pair = kind_of(request.model).original(request.model, traced)
    return traced if pair is None or pair.difference(start, rows.columns) is None else read


def _stepped(read: Model, rows: Rows) -> Callable[[Array], Array | None]:
    """Return the derivatives of a function by a complex step; None where it takes no complex numbers."""

    def witness(theta: Array) -> Array | None:
        if read.symbolic is not None or not read.differentiated:
            return None
        try:
            derivatives = read.derivatives(rows.columns)
            _, jacobian = derivatives.at(theta)
        except DescendError:
            return None
        return jacobian if derivatives.by_complex_step else None

    return witness


def _prover(program: Program | None) -> Callable[[], bool]:
    def prove() -> bool:
        if program is None or program.by_hand is None:
            return False
        from descend.gradients.court.proof import proved

        return proved(program)

    return prove


def _engine(sums: Summand, rows: Rows) -> Engine:
    if sums.language != "torch":
        return NumpyEngine(sums, rows)
    from descend.engines.torch_engine import TorchEngine

    return TorchEngine(sums, rows, "cpu")


def _autograd(model: Model, rows: Rows, table: Table) -> Callable[[Array, bool], Array | None] | None:
    """Return the gradient by PyTorch; None where that is not installed or cannot follow the model.

    Loading it takes seconds, so that is done only if it is asked for, or where nothing else is exact.
    """
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return None

    def witness(theta: Array, wanted: bool) -> Array | None:
        if not (wanted or "torch" in sys.modules or model.formula is None):
            return None
        try:
            _, sums = gradient_source(model, "autograd", table, None)
            totals = _engine(sums, rows).evaluate(theta, 1)
        except (DescendError, RuntimeError, TypeError, AttributeError, ValueError):
            return None
        return None if totals.gradient is None else totals.gradient / totals.rows

    return witness
