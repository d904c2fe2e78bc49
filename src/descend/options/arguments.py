"""Arguments of `descend.fit` as people write them who come from elsewhere: understood, or told what to do."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from descend.errors import ConfigError
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


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, Sequence | AbstractSet) and all(map(_text, value)))


def _by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_text, value))


def _number(value: Any) -> bool:
    if isinstance(value, str | bytes | bool) or np.ndim(value):
        return False
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


Kind = tuple[str, Callable[[Any], bool]]
OTHERS: Kind = ("one value", lambda value: not isinstance(value, np.ndarray))
LONGEST_SHOWN = 60
BOUNDS = "a list of texts such as `b > 0`, or limits by name"
KINDS: Mapping[str, Kind] = {
    "sigma": ("the name of a column, an array with a value for each row, or a number", _text),
    **dict.fromkeys(("response", "loss", "where"), ("what it says itself", lambda value: True)),
    "inputs": ("a list of names of columns", _texts),
    "columns": ("a list of names of columns", _texts),
    "start": ('given by name, such as {"a": 1.0}', lambda value: not isinstance(value, Mapping) or _by_name(value)),
    "gradient": ("a text, a list of texts or a function", lambda value: callable(value) or _texts(value)),
    "errors": ("a text", _text),
    "l1": ("a number, 0 or more", _number),
    "l2": ("a number, 0 or more", _number),
    "bounds": (BOUNDS, lambda value: _texts(value) or _by_name(value)),
    "fix": ('values by name, such as {"c": 0}', lambda value: _text(value) or _by_name(value)),
    "ties": ("a list of texts such as `b2 = 2*b1`", lambda value: _texts(value) or _by_name(value)),
    "learning_rate": ("a positive number, or `auto`", lambda value: _text(value) or _number(value)),
    "schedule": ("a text", _text),
    "missing": ("`raise` or `drop`", _text),
    "engine": ("a text", _text),
    "device": ("a text such as `cuda`", lambda value: _text(value) or type(value).__name__ == "device"),
    "checkpoint": ("the path of a file", _path),
    "resume": ("True or False", _yes_or_no),
    "standardize": ("True or False", _yes_or_no),
    "optimizers": ('a list of texts, such as ["gd", "lbfgs"]', _texts),
    "on_step": ("a function", callable),
    "on_fit": ("a function", callable),
    "formula": ("a text such as `y ~ a*x + b`", _text),
    "equations": ("a text such as `y = 2*x + 1`, or a list of them", _texts),
    "generated columns": ('given by name, such as {"x": "0:10:0.1"}', _by_name),
}
"""What options may be, those apart that say so themselves: in words, and as a test."""


def refuse_misfits(given: Mapping[str, Any], *needed: str) -> None:
    """Raise ConfigError for an option that is of a kind which it cannot be; None stands for one that is not given.

    needed: those that have to be given.

    >>> refuse_misfits({"fix": {"c": 0}, "bounds": None})
    >>> refuse_misfits({"fix": 3})
    Traceback (most recent call last):
    descend.errors.ConfigError: `fix` must be values by name, such as {"c": 0}, not 3.
    """
    for name, value in given.items():
        if value is None and name not in needed:
            continue
        what, fits = KINDS.get(name, OTHERS)
        if not fits(value):
            shown = " ".join(repr(value).split())
            shown = shown if len(shown) <= LONGEST_SHOWN else f"a value of type {type(value).__name__}"
            raise ConfigError(f"`{name.rpartition(' ')[2]}` must be {what}, not {shown}.")


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
