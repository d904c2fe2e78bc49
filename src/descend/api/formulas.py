"""What is made of a formula, or judged of it, without a fit: derive, explain, range_test, check, generate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.formula import generated, guess_columns, read_formula
from descend.formula.equations import levels_in
from descend.losses import LEAST_SQUARES, LOSSES, Loss
from descend.losses.probability import taken_for
from descend.models import kind_of
from descend.optimizers import Optimizer
from descend.options.arguments import in_full, with_columns
from descend.options.arrays_in_a_row import named
from descend.options.of_model import Gradient
from descend.options.request import Request, check_options, options_among
from descend.options.units import read_fixed
from descend.table import open_table

if TYPE_CHECKING:
    from descend.diagnosis.explanation import Explanation
    from descend.gradients.court import Judgement
    from descend.gradients.derivation import Derivation
    from descend.options.option import Values
    from descend.results.range_test import RangeTest
    from descend.table.levels import Levels

Array = NDArray[np.float64]


def derive(
    formula: str, data: object = None, *, loss: str | Loss = "squared", columns: Sequence[str] | None = None
) -> Derivation:
    """Derive dJ/dparameter of a formula, J being the mean of the loss over rows.

    data: a table whose columns tell data from parameters; or ``columns`` names them. With neither, the names on the
    left and in ``[ ]`` are columns, and x, t, z with or without a number or suffix (``x1``, ``t_start``).

    >>> print(derive("y ~ w*x").code("text"))
    dJ/dw = mean(2*x*(w*x - y))
    """
    from descend.gradients.derivation import Derivation

    check_options({"formula": formula, "columns": columns, "loss": loss}, "formula", "loss")
    numeric: Sequence[str] | None = None
    levels: Sequence[Levels] = ()
    if data is not None:
        table = open_table(data)
        columns, numeric, levels = table.names, table.numeric_names, levels_in(formula, table)
    names = guess_columns(formula) if columns is None else columns
    loss_function = LOSSES.build(loss)
    read = loss_function.extended(read_formula(formula, names, numeric, levels=levels))
    return Derivation(read, taken_for(loss_function, read.expression)[0])


def explain(
    formula: str,
    data: object = None,
    *,
    loss: str | Loss = "squared",
    columns: Sequence[str] | None = None,
    where: str | None = None,
    missing: str = "raise",
    start: Values | None = None,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | str | None = None,
    tolerance: float | None = None,
    standardize: bool = False,
) -> Explanation:
    """Explain a formula: how its parameters enter, which of them trade off, and where it has no value.

    data: a table to explain it on, which adds scales, the rows where it has no value, and the start a fit would use.
    columns: as for `derive`. loss, where, missing, start: as for `fit`.
    optimizer (gd, momentum, nesterov), learning_rate (a number or ``"auto"``), tolerance: what such a descent would do:
        whether it is stable, how many epochs it would take, what makes it slow. Either of the first two asks for it.
    standardize: whether that descent is one in standardised columns.

    >>> print(explain("y ~ a*exp(b + c*x)").redundancies[0])
    a and b trade off: only a*exp(b) is determined. Drop b, or fix it with fix={"b": 0}.
    """
    from descend.diagnosis.explanation import of_formula, on_table
    from descend.diagnosis.outlook import asked_outlook

    check_options(options_among(locals(), explain) | {"formula": formula, "columns": columns}, "formula", "loss")
    outlook = asked_outlook(optimizer, learning_rate, tolerance, data is not None, standardize)
    if data is None:
        return of_formula(read_formula(formula, guess_columns(formula) if columns is None else columns))
    # The start does not hang on the scale of a robust loss.
    known = LEAST_SQUARES if LOSSES.build(loss).estimated else loss
    request = Request(
        model=formula, start=start, loss=known, missing=missing, standardize=standardize, polish=outlook is None
    )
    return on_table(request, open_table(data, where), outlook)


def range_test(
    model: str | Callable[..., object],
    data: object,
    *others: object,
    low: float | None = None,
    high: float | None = None,
    steps: int = 100,
    **options: object,
) -> RangeTest:
    """Take steps at learning rates that rise from ``low`` to ``high``, and see where the loss falls and where it grows.

    model, data, options: as for `fit`; without ``optimizer`` gd, of a module adam. Of a module its weights, and an
    optimizer that was given, are left as they were. steps: each at a rate larger than the last by the same factor.
    low, high: if not given, from a thousandth of the largest stable rate, which the curvature at the start tells
        (2 / lambda_max of gd), to ten times that rate; from 1e-6 to 10 for optimizers of which it tells none.

    Raises FormulaError, DataError or ConfigError, also for options that have no part in it.

    >>> x = np.arange(0, 10, 0.1)
    >>> test = range_test("y ~ w*x", {"x": x, "y": 2 * x + 1})
    >>> f"{test.limit:.3g} {test.lowest:.1g} {test.diverged:.1g}"
    '0.0305 0.003 0.2'
    """
    from descend.options.arguments import read_request
    from descend.results.range_test import range_test_of, refuse_for_range_test
    from descend.table.memory import enough_memory

    request = read_request(model, data, others, options)
    refuse_for_range_test(request)
    with np.errstate(all="ignore"), enough_memory():
        if kind_of(request.model).in_place:
            from descend.training.range_test import range_test_of_module

            return range_test_of_module(request, low, high, steps)
        from descend.problem.posing import pose
        from descend.starts.choice_of_start import begin
        from descend.starts.robust import settled

        table = open_table(request.data, request.where)
        try:
            if LOSSES.build(request.loss).of_classes:
                from descend.problem.classes import with_classes

                request, table = with_classes(request, table)
            request = settled(request.but(optimizer=request.optimizer or "gd", polish=False), table)
            return range_test_of(begin(pose(request, table), request), request, low, high, steps)
        finally:
            table.release()


def check(
    model: str | Callable[..., object],
    data: object,
    *others: object,
    gradient: Gradient,
    response: str | None = None,
    inputs: Sequence[str] | None = None,
    start: Values | None = None,
    loss: str | Loss = "squared",
    weights: object = None,
    sigma: object = None,
    l1: float = 0.0,
    l2: float = 0.0,
    bounds: Values | Sequence[str] | str | None = None,
    fix: Values | str | None = None,
    ties: Values | Sequence[str] | str | None = None,
    where: str | None = None,
    missing: str = "raise",
) -> Judgement:
    """Hold a gradient against the true one, and say what is wrong with it.

    gradient: as for `fit`: a text for each parameter, or a function that returns dJ/dparameters, J being the mean of
        the loss over rows; or ``"autograd"``; or the Jacobian of the predictions, (n, p): a function without the
        response, held against the true one in every row. A function may compute in single precision. It is called
        on all rows, some and single ones. Of a module: a function ``gradient(module, X, y)`` that returns
        dJ/dparameters by name or in order, ``(module, X, y, weights)`` where rows have weights, or "autograd".
    start: where to compare; points around it are chosen. inputs: the columns a module takes.
    weights, sigma: in a text, ``mean(...)`` and ``sum(...)`` are weighted by them already, so that the text is the same
        with and without: ``w = mean(2*x*(w*x - y))``. A function takes the column as one of its arguments and weighs
        the rows itself: ``np.average(2*x*(w*x - y), weights=k)``; of sigma the weights are ``s**-2``.
    bounds, fix, ties: as for `fit`; points lie within bounds, and only what is free is judged. Otherwise as for `fit`;
    l1, l2: refused, as a gradient by hand is that of the mean loss alone: `fit` adds that of a penalty itself.

    Raises FormulaError, DataError or ConfigError.

    >>> data = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 5.9]}
    >>> judged = check("y ~ w*x", data, gradient="w = sum(2*x*(w*x - y))")
    >>> judged.agree, judged.parameters["w"].verdict, judged.parameters["w"].factor
    (False, 'sum_not_mean', 3.0)
    """
    if others:
        model, data, response = named(model, (data, *others), response, start)
    data, options = in_full(data, options_among(locals(), check) | {"gradient": gradient})
    data, weights, sigma = with_columns(model, data, options.get("weights"), options.get("sigma"))
    options = {**options, "weights": weights, "sigma": sigma}
    check_options(options, "loss")
    if l1 or l2:
        raise ConfigError(
            "A gradient by hand is that of the mean loss, without a penalty: a fit adds the gradient of l1 and l2 "
            "itself. Leave them out, of the gradient too."
        )
    request = Request(**options | {"fix": read_fixed(fix), "l1": 0.0, "l2": 0.0}, model=model)
    if kind_of(model).in_place:
        from descend.training.module_gradient_check import check_module

        return check_module(model, data, request, LOSSES.build(loss))
    from descend.gradient_check import check_gradient

    with np.errstate(all="ignore"):
        return check_gradient(request, open_table(data, where), LOSSES.build(loss))


def generate(
    equations: str | Sequence[str], columns: Values | None = None, *, rows: int | None = None, seed: int = 0
) -> dict[str, Array]:
    """Make a table: ``columns`` given, and one more for each equation such as ``"y = 2*x + 2*uniform()"``.

    columns: for each name a range ``"start:stop:step"``, an expression of the columns before it, or an array.
    rows: how many; needed only if no column tells. seed: of the random numbers.

    Raises ConfigError or FormulaError.

    >>> data = generate("y = 2*x + 2*uniform()", {"x": "0:10:0.1"}, seed=0)
    >>> len(data["x"]), data["y"][0].round(4)
    (100, np.float64(1.2739))
    """
    check_options({"equations": equations, "named columns": columns, "rows": rows, "seed": seed}, "equations")
    computed, given, count = generated.read_columns(columns or {}, rows)
    texts = [equations] if isinstance(equations, str) else list(equations)
    return generated.generate([*computed, *texts], given, count, seed)
