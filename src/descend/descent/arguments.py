"""Arguments of `descend.fit` as people write them who come from elsewhere: understood, or told what to do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence, Set
from numbers import Real
from os import PathLike
from types import NoneType
from typing import Any

import numpy as np

from descend.errors import ConfigError
from descend.optimizers import Optimizer
from descend.registry import closest
from descend.table import open_table

OF_OTHERS = {
    "p0": 'Starting values are given by name: start={"a": 1.0, "b": 0.5}; without them they are searched for.',
    "method": 'How to descend is chosen with optimizer="levenberg_marquardt", "lbfgs", "gd" and others.',
    "absolute_sigma": 'Whether sigma is absolute is told by its option: sigma="column" are known standard deviations, '
    'weights="column" relative weights.',
    "maxfev": "How long to go on is given in passes over the rows, epochs=1000; without it, until it has converged.",
    "max_nfev": "How long to go on is given in passes over the rows, epochs=1000; without it, until it has converged.",
    "maxiter": "How long to go on is given in passes over the rows, epochs=1000; without it, until it has converged.",
    "jac": 'The gradient is derived from a formula; gradient="autograd" or a function of yours are others.',
    "lr": "The learning rate is learning_rate=0.01.",
    "n_epochs": "The number of epochs is epochs=100.",
    "verbose": "The log is printed with log_every=20.",
    "callback": "Every step is handed to a function with on_step=function.",
    "full_output": "A fit has it all: fit.parameters, fit.covariance, fit.trace.",
    "check_finite": 'Rows without a value are refused, or left out with missing="drop".',
    "nan_policy": 'Rows without a value are refused, or left out with missing="drop".',
}
"""Options of other programs, and what they are here."""


def refuse_strange(function: Callable[..., Any], others: Sequence[Any], unknown: Mapping[str, Any]) -> None:
    """Raise ConfigError for arguments that a function does not have."""
    name = function.__name__
    if others:
        raise ConfigError(
            f"`{name}` takes a model and the data; all else has a name. Data have the names of their columns, and "
            f'of a function the response is named: {name}(model, {{"x": x, "y": y}}, response="y").'
        )
    strange = next(iter(unknown))
    known = [one for one, kind in inspect.signature(function).parameters.items() if kind.kind is kind.KEYWORD_ONLY]
    hint = OF_OTHERS.get(strange, f"{closest(strange, known).strip()} See help(descend.{name}).".strip())
    raise ConfigError(f"`{name}` has no option `{strange}`. {hint}")


KINDS: Mapping[str, tuple[Any, str]] = {
    "gradient": ((str, Sequence, Callable, NoneType), 'a text such as "w = mean(2*x*(w*x - y))", or a function'),
    "errors": ((str, NoneType), '"model" or "sandwich"'),
    "l1": ((Real,), "a number, 0 or more"),
    "l2": ((Real,), "a number, 0 or more"),
    "bounds": ((str, Mapping, Sequence, Set, NoneType), 'given as ["b > 0", "0 <= c <= 1"] or {"c": (0, 1)}'),
    "ties": ((str, Mapping, Sequence, Set, NoneType), 'given as ["b2 = 2*b1"]'),
    "optimizer": ((str, Optimizer, Callable, NoneType), 'a text such as "adam(beta1=0.8)", or a class of torch.optim'),
    "learning_rate": ((Real, str, NoneType), 'a number above 0, or "auto"'),
    "missing": ((str,), '"raise" or "drop"'),
    "engine": ((str,), 'a text such as "numpy"'),
    "checkpoint": ((str, PathLike, NoneType), "the path of a file"),
    "resume": ((bool, int), "True or False"),
    "standardize": ((bool, int), "True or False"),
    "sharpness": ((bool, int, str), "True or False, or a number of epochs"),
    "memory_limit": ((str, int, NoneType), 'a number of bytes, or a text such as "1GiB"'),
    "on_step": ((Callable, NoneType), "a function of one step"),
}  # fmt: skip
"""Of the options that are not checked where they are read: the kinds of value they take, and these in words."""


def refuse_kinds(options: Mapping[str, Any]) -> None:
    """Raise ConfigError for an option whose value is of the wrong kind altogether."""
    for name, (kinds, words) in KINDS.items():
        if not isinstance(options[name], kinds):
            raise ConfigError(f"`{name}` is {words}; this is of type {type(options[name]).__name__}.")


def with_columns(data: Any, weights: Any, sigma: Any) -> tuple[Any, Any, Any]:
    """Return data to which row weights and standard deviations are added that were given as values, and their names."""
    names = {"weights": weights, "sigma": sigma}
    for name, given in names.items():
        if given is None or isinstance(given, str) or not _are_values(given):
            continue
        table = open_table(data)
        column = name
        while column in table.names:
            column += "_"
        data, names[name] = table.with_column(column, given), column
    return data, names["weights"], names["sigma"]


def _are_values(given: Any) -> bool:
    if isinstance(given, bool):
        return False
    return isinstance(given, int | float | np.ndarray | Sequence) or hasattr(given, "__array__")


def read_fixed(fix: Mapping[str, Any] | str | None) -> Mapping[str, Any] | None:
    """Return fixed values by name, also of a text such as ``c=0, d=1``.

    >>> read_fixed("c=0, w[x1] = 1.5")
    {'c': 0.0, 'w[x1]': 1.5}
    """
    if fix is None or isinstance(fix, Mapping):
        return fix
    try:
        return {
            name.strip().strip("`"): float(value) for name, value in (part.rsplit("=", 1) for part in fix.split(","))
        }
    except (AttributeError, TypeError, ValueError):
        raise ConfigError(
            f'Fixed values are given by name, such as fix={{"c": 0}}; {fix!r} cannot be read so.'
        ) from None
