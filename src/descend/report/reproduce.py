"""How to repeat a fit: as Python, as a command line, and the versions that ran it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from descend.options.option import Option
from descend.options.request import OPTIONS, RACING
from descend.wording import command_line

PACKAGES = ("descend", "numpy", "scipy", "sympy", "duckdb", "torch")
LIVE = ("sharpness", "auto")
"""Options that the command line adds for its log."""


def as_python(call: Mapping[str, object], before: str = "") -> str:
    """Write the call of ``descend.fit`` with the arguments given; of ``descend.compare`` if they have ``optimizers``.

    Data not from a file are written as ``data``, functions and modules by their names. before: lines that make them.

    >>> print(as_python({"model": "y ~ w*x", "data": "line.csv", "start": {"w": 0.0}, "epochs": 100}))
    import descend
    <BLANKLINE>
    fit = descend.fit("y ~ w*x", "line.csv", start={"w": 0.0}, epochs=100)
    """
    settings = {name: value for name, value in call.items() if name not in ("model", "data") and (name, value) != LIVE}
    files = _files(call["data"])
    if not isinstance(settings.get("validation", 0.0), str | float | os.PathLike):
        settings["validation"] = _Written("validation")
    first = [_python(call["model"]), _python(files[0] if len(files) == 1 else files) if files else "data"]
    if settings.get("learning_rate") not in (None, "auto"):
        settings["learning_rate"] = float(str(settings["learning_rate"]))  # the command line passes it on as text
    arguments = [*first, *(f"{name}={_python(value)}" for name, value in settings.items())]
    verb = (
        "compared = descend.compare"
        if "optimizers" in call
        else "fits = descend.fit"
        if call.get("by")
        else "fit = descend.fit"
    )
    return f"import descend\n\n{before}{verb}({', '.join(arguments)})"


def as_command(call: Mapping[str, object]) -> str | None:
    """Write the same fit as a command line; None if there is none: for data in memory, functions and modules.

    >>> as_command({"model": "y ~ w*x", "data": "line.csv", "start": {"w": 0.0}, "learning_rate": 0.001})
    "descend fit 'y ~ w*x' line.csv --start w=0.0 --learning-rate 0.001"
    """
    files = _files(call["data"])
    if not isinstance(call["model"], str) or not files:
        return None
    words = ["descend", "compare" if "optimizers" in call else "fit", call["model"], *files]
    for name, value in call.items():
        if name in ("model", "data") or (name, value) == LIVE:
            continue
        if name == RACING.key and isinstance(value, list):
            words += [RACING.spelled, ",".join(value)]
            continue
        option_words = _words(OPTIONS[name], value)
        if option_words is None:
            return None
        words += option_words
    return command_line(words)


def versions() -> list[tuple[str, str]]:
    """Return the versions of Python and of the installed packages that a fit depends on."""
    versions_used = [("Python", platform.python_version())]
    for name in PACKAGES:
        try:
            versions_used.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return [*versions_used, ("system", f"{platform.system()} {platform.machine()}")]


def _files(data: object) -> list[str]:
    """Return the files that the data come from; none if they are in memory."""
    several = data if isinstance(data, list | tuple) else [data]
    named = [os.fspath(file_given) for file_given in several if isinstance(file_given, str | os.PathLike)]
    return [str(name) for name in named] if len(named) == len(several) else []


def _words(option: Option, value: object) -> list[str] | None:
    """Return the words that write an option on the command line; None if it cannot be settings there."""
    if not option.on_command_line:
        return None
    if option.form == "switch":
        return [option.spelled if value else option.switched_off]
    if isinstance(value, str | int | float | os.PathLike):
        return [option.spelled, _number(value)]
    if isinstance(value, Mapping) and option.form == "values":
        texts = [f"{key}={','.join(map(_number, np.atleast_1d(option_value)))}" for key, option_value in value.items()]
    elif isinstance(value, Sequence) and option.form in ("texts", "values"):
        texts = list(map(str, value))
    else:
        return None
    return [word for text in texts for word in (option.spelled, text)]


def _number(value: object) -> str:
    return os.fspath(value) if isinstance(value, str | os.PathLike) else repr(getattr(value, "item", lambda: value)())


class _Written(str):
    """What stands for values in the code, as it is."""


def _python(value: object) -> str:
    if isinstance(value, _Written):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_python(key)}: {_python(option_value)}" for key, option_value in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_python, value)) + "]"
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return "matrix"
    if isinstance(value, np.ndarray | np.generic):
        return _python(value.tolist())
    if isinstance(value, os.PathLike):
        return _python(os.fspath(value))
    return str(getattr(value, "__name__", None) or repr(value))
