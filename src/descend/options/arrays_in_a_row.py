"""Arrays one after the other, ``fit(f, x, y)``, as other programs take them: made into a table of named columns."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import ConfigError, DataError
from descend.formula import guess_columns
from descend.models import kind_of
from descend.models.call import arguments_of, name_of
from descend.options.option import Values
from descend.table import Table, open_table
from descend.table.in_matrix import InMatrix
from descend.table.rows import finite

Array = NDArray[np.float64]
NAMES = ("y", "z", "response")
"""What the response is called if it has no name; the first that is no argument of the function."""


def named(
    model: object, arrays: Sequence[object], response: str | None, start: Values | None
) -> tuple[Any, object, str | None]:
    """Return the model, the data as a table and the name of the response.

    arrays: the predictors, and the response last. A single predictor of two dimensions, (k, n) or (n, k), becomes k
        columns; the function is passed them as it expects them: as one array, or one by one.
    response: its name, if the user gave one. start: values by name, with which the function may be tried.
    Raises ConfigError or DataError.
    """
    *predictors, y = arrays
    _check(arrays)
    if isinstance(model, str):
        return _of_formula(model, predictors, y)
    if kind_of(model).in_place:
        if len(predictors) > 1:
            raise ConfigError("A module takes one array of predictors, (n, k): write fit(net, (X, y)).")
        return model, (predictors[0], y), response
    assert callable(model)
    names = tuple(arguments_of(model))
    if not _is_array(predictors[0]):
        table = open_table(predictors[0])
        name = response or _unused((*names, *table.names))
        return model, table.with_column(name, y), name
    name = response or _unused(names)
    if len(names) <= len(predictors):
        called = name_of(model)
        raise ConfigError(
            f"`{called}` has {len(names)} argument{'s' * (len(names) != 1)} and is given {len(predictors)} "
            f"predictor{'s' * (len(predictors) > 1)}, so no parameter is left to fit. Write `def {called}(x, w)`."
        )
    if len(predictors) == 1 and len(_shape(predictors[0])) == 2:
        model, columns = _of_matrix(model, names, np.asarray(predictors[0]), np.asarray(y), start or {})
    else:
        columns = dict(zip(names, predictors, strict=False))
    return model, open_table(columns | {name: y}), name


def mentioned_in(model: object) -> Collection[str]:
    """Return the names that a formula mentions, or the arguments of a function."""
    if isinstance(model, str):
        return set(re.findall(r"\w+", model))
    with contextlib.suppress(TypeError, ValueError):
        return inspect.signature(model).parameters if callable(model) else ()
    return ()


def unused_column(name: str, table: Table, model: object) -> str:
    """Return a name for a new column, with as many `_` behind it that neither the table nor the model has it."""
    names = {*table.names, *mentioned_in(model)}
    while name in names:
        name += "_"
    return name


def _is_array(array: object) -> bool:
    """Whether this is a column without a name, or several."""
    if isinstance(array, list | tuple):
        return not (array and isinstance(array[0], str))
    return isinstance(array, np.ndarray) or (hasattr(array, "__array__") and not hasattr(array, "columns"))


def _shape(array_given: object) -> tuple[int, ...]:
    try:
        return tuple(array_given.shape) if hasattr(array_given, "shape") else np.shape(cast(ArrayLike, array_given))
    except ValueError:  # rows of different lengths, of which the table will tell
        return ()


def _check(arrays: Sequence[object]) -> None:
    """Refuse what is no array, or has the wrong place, and say how it is given."""
    first, *later_arrays = arrays
    for array in later_arrays:
        if isinstance(array, str):
            raise ConfigError(f'The response is named: response="{array}". After the data come only arrays.')
        if isinstance(array, Mapping):
            raise ConfigError("Starting values are given by name: start={...}. After the data come only arrays.")
        if not _is_array(array):
            raise ConfigError(
                f"After the data come arrays, the response last; this is of type {type(array).__name__}. All else has "
                'a name: fit(f, x, y, start={"a": 1.0}, sigma=s).'
            )
    sizes = [max(_shape(array), default=1) for array in arrays] if _is_array(first) else []
    if len(sizes) > 2 and len(set(sizes[:-1])) == 1 and sizes[-1] < sizes[0]:
        raise ConfigError(
            f"The last array has {sizes[-1]} values where the others have {sizes[0]}, so it is not the response. "
            'Starting values are given by name: fit(f, x, y, start={"a": 1.0, "b": 0.5}).'
        )


def _unused(names: Sequence[str]) -> str:
    return next((name for name in NAMES if name not in names), "response_")


def _of_formula(formula: str, predictors: Sequence[object], y: object) -> tuple[str, Table, None]:
    """Name arrays by a formula, if it says of itself which of its names are columns, or they are (X, y).

    The columns of a frame X have their names; those of a matrix (n, k) are x, or x0, x1, ...; y is the left side.
    """
    response, X = formula.partition("~")[0].strip(), predictors[0]
    if len(predictors) == 1 and response.isidentifier() and (not _is_array(X) or len(_shape(X)) == 2):
        if len(_shape(y)) == 2 and _shape(y)[1] == 1:
            y = np.asarray(y)[:, 0]
        if not _is_array(X):
            if response in (table := open_table(X)).names:
                raise DataError(
                    f"The formula predicts `{response}`, which is a column of X too. Give y another name on the left "
                    "of the formula, or leave the column out of X."
                )
            return formula, table.with_column(response, y), None
        return formula, open_table(_by_name(np.asarray(X), response, y)), None
    inputs = [name for name in guess_columns(formula) if name != response]
    if len(inputs) == len(predictors) == 1 and response.isidentifier() and len(_shape(predictors[0])) == 1:
        return formula, open_table({inputs[0]: predictors[0], response: y}), None
    raise ConfigError(
        "Which names of the formula are these arrays? Give the data by name: "
        f'fit("{formula}", {{"x": x, "y": y}}), with the names of the formula.'
    )


def _by_name(X: Array, response: str, y: object) -> Mapping[str, object]:
    """Return the columns of a matrix by name, where they lie, and the response."""
    names = names_of_matrix(X.shape[1])
    usual = X.dtype == np.float64 and X.flags.c_contiguous and X.size and response not in names
    if usual and _shape(y) == (len(X),) and finite(X.reshape(-1)):
        return InMatrix(names, X, {response: np.asarray(y)})
    return dict(zip(names, X.T, strict=True)) | {response: y}


def names_of_matrix(count: int) -> list[str]:
    """Return what formulas call the columns of a matrix: x, or x0, x1, ... of several.

    >>> names_of_matrix(1), names_of_matrix(2)
    (['x'], ['x0', 'x1'])
    """
    return ["x"] if count == 1 else [f"x{column_number}" for column_number in range(count)]


def _of_matrix(
    function: Callable[..., object], names: Sequence[str], x: Array, y: Array, start: Values
) -> tuple[Callable[..., object], dict[str, object]]:
    """Return the columns of a matrix of predictors, and the function of them.

    Of a square matrix the rows are taken for the predictors, as SciPy does.
    """
    if len(y) not in x.shape:
        raise ConfigError(
            f"The predictors have shape {x.shape}, but there are {len(y)} responses. Give (k, {len(y)}), as SciPy "
            f"takes them, or ({len(y)}, k)."
        )
    axis = 0 if x.shape[1] == len(y) else 1
    several = x if axis == 0 else x.T
    if len(names) > len(several) and _takes_columns(function, names, x, several, start):
        return function, dict(zip(names, several, strict=False))
    from descend.models.stacked import Stacked

    stem = names[0]
    while any(f"{stem}{column_number}" in names for column_number in range(len(several))):
        stem += "_"
    columns = {f"{stem}{column_number}": column for column_number, column in enumerate(several)}
    return Stacked(function, names[0], tuple(columns), axis), columns


def _takes_columns(
    function: Callable[..., object], names: Sequence[str], x: Array, several: Array, start: Values
) -> bool:
    """Whether a function expects each predictor as an argument of its own, rather than all in its first.

    It is tried both ways: only one of them gives a value for each row.
    """

    def one_a_row(*columns: Array) -> bool:
        values = [start.get(name, 1.0) for name in names[len(columns) :]]
        try:
            with np.errstate(all="ignore"):
                return bool(np.shape(cast(ArrayLike, function(*columns, *values))) == several.shape[1:])
        except Exception:
            return False

    return not one_a_row(x) and one_a_row(*several)
