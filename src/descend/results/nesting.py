"""Whether one model is a special case of another: then, and only then, an F or likelihood-ratio test compares them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.inference.fitted import Fitted
from descend.options.request import Request
from descend.results.fitting import fit_table
from descend.table import open_table
from descend.table.levels import Levels

Array = NDArray[np.float64]
ROWS = 40
"""Rows at which a model is tried as a case of another, for each parameter of the larger one."""
TIMES = 2
"""How many parameter points of the small model the large one has to meet."""
EXACT = 1e-11
"""Largest difference, as a share of the spread of the predictions, that is rounding; a limit, as of a line from a curve
whose parameters run to infinity, comes no nearer."""
NEARBY = 0.2
"""How far these points lie from the fitted parameters, as a share of each."""
PATIENCE = 1.0
"""Seconds for a fit, at most: those that meet the small model need milliseconds."""
RESPONSE = "predicted by the smaller model"


def nested(small: Fitted, large: Fitted) -> bool:
    """Whether every curve of one model is also a curve of another, which has more parameters.

    The large model is fitted to predictions of the small one, without noise, at several of its parameter points and at
    more places than it could pass through: if it meets them to rounding each time, the small one is a case of it. Its
    parameters start at those of the same name, and the others at 0 or 1, where the usual cases lie.
    """
    inner, outer = small.model, large.model
    if inner.formula is None or outer.formula is None or inner.parameters.size >= outer.parameters.size:
        return False
    if not set(inner.inputs) <= set(outer.inputs):
        return False
    random = np.random.default_rng(0)
    rows = _places(large, random, ROWS * outer.parameters.size)
    columns = outer.inputs_of(rows)
    with np.errstate(all="ignore"):
        return all(_met(small, large, theta, rows, columns) for theta in _points(small, random))


def _points(small: Fitted, random: np.random.Generator) -> Iterator[Array]:
    for _ in range(TIMES):
        yield small.theta * (1.0 + NEARBY * random.uniform(-1.0, 1.0, small.theta.size))


def _places(fit: Fitted, random: np.random.Generator, count: int) -> dict[str, NDArray[np.generic]]:
    """Return inputs within the ranges of the data, and groups among those that occur, as columns."""
    groups: dict[str, NDArray[np.generic]] = {}
    for coding in fit.model.codings:
        if isinstance(coding, Levels):
            keys = [coding.keys[codes] for codes in random.integers(0, len(coding.keys), count)]
            groups |= {name: np.array(values) for name, *values in zip(coding.columns, *keys, strict=True)}
    numbers = [name for name in fit.model.inputs if name in fit.ranges and not name.startswith("[")]
    return groups | {name: random.uniform(*fit.ranges[name], count) for name in numbers}


def _met(
    small: Fitted, large: Fitted, theta: Array, rows: Mapping[str, NDArray[np.generic]], columns: Mapping[str, Array]
) -> bool:
    """Whether the large model can predict what the small one does with these parameters."""
    predicted = small.model.predict(theta, columns)
    finite_rows = np.isfinite(predicted)
    if not finite_rows.all():
        return False
    spread = float(np.ptp(predicted)) or float(np.abs(predicted).max()) or 1.0
    formula = large.model.formula
    assert formula is not None
    text, responses = f"`{RESPONSE}` ~ {formula.text.partition('~')[2]}", [RESPONSE]
    if formula.parts:  # whose rows tell which response they are for
        text = formula.text
        responses = [*large.model.response_columns, *(name for part in formula.parts for name in part.columns)]
    constraints = large.model.constraints
    fixed = {} if constraints is None else dict(constraints.fixed)
    data = {**dict.fromkeys(responses, predicted), **rows}
    for start in _starts(small, large, theta):
        request = Request(
            model=text,
            data=data,
            start=start,
            fix=fixed or None,
            ties=None if constraints is None else dict(constraints.tie_texts) or None,
            time_limit=PATIENCE,
            bare=True,
            second_look=False,
        )
        try:
            nested_fit = fit_table(request, open_table(data), None, time.perf_counter())
        except DescendError:
            continue
        left = np.abs(nested_fit.model.predict(nested_fit.theta, nested_fit.solution.columns) - predicted).max()
        if left <= EXACT * spread:
            return True
    return False


def _starts(small: Fitted, large: Fitted, theta: Array) -> Iterator[dict[str, object] | None]:
    """Yield starts: parameters of the same name as in the small model, the others at 0, at 1 or found."""
    values_of_small = small.model.parameters.named(theta)
    free = large.model.parameters.shapes
    same = {name: _alike(value) for name, value in values_of_small.items() if name in free}
    other_names = [name for name in free if name not in same]
    if same:
        for value in (0.0, 1.0) if other_names else ():
            yield {**same, **dict.fromkeys(other_names, value)}
        yield same
    yield None


def _alike(value: object) -> object:
    """Return a start from a value: of a parameter with several, their mean, since the other may have other groups."""
    return value if isinstance(value, float) else float(np.mean(np.array(value)))
