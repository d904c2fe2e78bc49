"""New rows as bare arrays, ``fit.predict(x)``: named like the inputs of a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.errors import DataError


def named_inputs(data: object, inputs: Sequence[str]) -> object:
    """Return numbers and arrays without names as columns named like the inputs; any other data as they are.

    Of one input an array is its values. Of k inputs an array is (k, n) or (n, k); of a square one the rows are taken
    for the inputs, as where the data of a fit are arrays. Raises DataError for an array that has other sizes.

    >>> named_inputs([1.0, 2.0], ["x"])
    {'x': array([1., 2.])}
    """
    if isinstance(data, list | tuple):
        bare = not any(isinstance(each, str | dict) or hasattr(each, "__fspath__") for each in data)
    else:
        bare = isinstance(data, int | float) or (hasattr(data, "__array__") and not hasattr(data, "columns"))
    if not bare or hasattr(data, "schema") or any(name.startswith("[") for name in inputs):
        return data
    try:
        array = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        return data  # which opening it tells
    if len(inputs) <= 1 and array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if len(inputs) <= 1 and array.ndim <= 1:
        return {inputs[0] if inputs else "row": np.atleast_1d(array)}
    if array.ndim == 2 and len(inputs) in array.shape:
        return dict(zip(inputs, array if len(array) == len(inputs) else array.T, strict=True))
    listed = ", ".join(inputs)
    input_count = (
        f"one input, {listed}: give one value a row" if len(inputs) == 1 else f"{len(inputs)} inputs, {listed}"
    )
    shapes = "" if len(inputs) <= 1 else f": give ({len(inputs)}, n) or (n, {len(inputs)}), or columns by name"
    raise DataError(f"The array has shape {array.shape}, but the model has {input_count}{shapes}.")
