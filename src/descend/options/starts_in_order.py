"""Starting values without names, ``start=[1.0, 0.5]``: those of a function's parameters, in order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from itertools import count
from numbers import Real
from typing import TypeGuard

import numpy as np

from descend.errors import ConfigError
from descend.models.call import arguments_of, bind, name_of
from descend.table import open_table


def is_in_order(start: object) -> TypeGuard[Sequence[float]]:
    """Whether starting values are numbers without names."""
    if isinstance(start, np.ndarray):
        return start.ndim == 1 and start.dtype.kind in "iuf" and start.size > 0
    return isinstance(start, list | tuple) and bool(start) and all(isinstance(each, Real) for each in start)


def by_name(
    function: Callable[..., object], data: object, arrays_given: Sequence[object], start: Sequence[float]
) -> dict[str, float]:
    """Return starting values by the names of the parameters; of ``*p`` these are ``p0``, ``p1``, ...

    arrays_given: arrays after the data, as in ``fit(f, x, y)``. Raises ConfigError unless there is one a parameter.
    """
    arguments, called = arguments_of(function), name_of(function)
    several = [name for name, argument in arguments.items() if argument.kind is inspect.Parameter.VAR_POSITIONAL]
    plain = [name for name, argument in arguments.items() if argument.kind not in VARIABLE]
    columns = _columns(data, arrays_given, plain, len(start), bool(several))
    unlikely_names = (UNLIKELY,) if several else ()  # so that `*p` is no error
    names = [name for name in bind(function, tuple(columns), unlikely_names).parameters if name != UNLIKELY]
    if several:
        stem = several[0]
        further = (f"{stem}{parameter}" for parameter in count() if f"{stem}{parameter}" not in (*arguments, *columns))
        names += [next(further) for _ in range(len(start) - len(names))]
    if len(names) != len(start):
        names_listed = f" ({', '.join(names)})" if names else ""
        raise ConfigError(
            f"`{called}` has {len(names)} parameter{'s' * (len(names) != 1)}{names_listed}, and `start` {len(start)} "
            f"number{'s' * (len(start) != 1)}. Give one for each, or give them by name: "
            f'start={{"{names[0] if names else "w"}": 1.0}}.'
        )
    return {name: float(value) for name, value in zip(names, start, strict=True)}


UNLIKELY = "\x00"
VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _columns(
    data: object, arrays_given: Sequence[object], names: Sequence[str], numbers: int, open_ended: bool
) -> Collection[str]:
    """Return the arguments that are columns: the leading ones where the data are arrays, else those of that name."""
    if not arrays_given or not (isinstance(data, list | tuple | np.ndarray) or hasattr(data, "__array__")):
        return open_table(data).names
    shape = np.shape(np.asarray(data))
    if len(arrays_given) > 1 or len(shape) < 2:
        return names[: len(arrays_given)]
    response = np.shape(np.asarray(arrays_given[-1]))[0]
    each = shape[0] if shape[-1] == response else shape[-1]  # a matrix: all in the first argument, or one by one
    return names[:each] if not open_ended and len(names) - each == numbers else names[:1]
