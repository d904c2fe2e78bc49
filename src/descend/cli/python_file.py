"""The user's own Python file: run once, and searched for names."""

from __future__ import annotations

import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, wraps
from importlib import import_module, util
from pathlib import Path
from typing import Any

from descend.errors import ConfigError, DescendError
from descend.registry import closest

IN_FILE = re.compile(r"(.+\.py):([^\W\d]\w*(?:\.[^\W\d]\w*)*)")


def named_in_file(text: str) -> Any:
    """Return what a text such as ``model.py:peak`` names: a function, a formula or a module; None for other texts.

    A method is named with its class, or with an object of it: ``model.py:Curve.forward``.

    Raises ConfigError if the file or the name is missing, or is something else.
    """
    if text.endswith(".py") and "~" not in text:
        raise ConfigError(f"`{text}` is a Python file, and no function in it is named. Write `{text}:NAME`.")
    named = IN_FILE.fullmatch(text)
    if named is None:
        return None
    file = taken(run_file(named[1]), named[2], named[1])
    if not (callable(file) or isinstance(file, str)):
        raise ConfigError(f"`{named[2]}` in `{named[1]}` is no function; it is of type {type(file).__name__}.")
    return file


def gradient_in_file(texts: Sequence[str]) -> Callable[..., object] | str | None:
    """Return a gradient function that is given as ``model.py:jac``; None where the gradient is given as text."""
    gradient_in_file_ = named_in_file(texts[0]) if len(texts) == 1 else None
    return guarded(gradient_in_file_, texts[0].rpartition(":")[0]) if callable(gradient_in_file_) else gradient_in_file_


def guarded(function: Callable[..., object], file: str) -> Callable[..., object]:
    """Let an error in the user's function be told as theirs, with the line."""

    @wraps(function)
    def called(*arguments: object, **named: object) -> object:
        try:
            return function(*arguments, **named)
        except DescendError:
            raise
        except Exception as error:
            raise ConfigError(f"`{function.__name__}` failed: {with_line(error, file)}") from error

    return called


def run_file(file: str) -> dict[str, object]:
    """Run a Python file as a module and return its names. Raises ConfigError if it is missing or fails."""
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"There is no file `{file}`.")
    return _run(file, path.stat().st_mtime_ns)


def import_listed(listed: str) -> None:
    """Import the modules and run the Python files that DESCEND_IMPORT lists, for what they register.

    Raises ConfigError if one is missing or fails.
    """
    for name in filter(None, map(str.strip, listed.split(","))):
        try:
            if name.endswith(".py"):
                run_file(name)
            else:
                _import_from_here(name)
        except ConfigError as error:
            raise ConfigError(f"DESCEND_IMPORT={listed}: {error}") from error


def _import_from_here(name: str) -> None:
    """Import a module, from the working directory too."""
    sys.path.insert(0, os.getcwd())
    try:
        import_module(name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == name:
            raise ConfigError(f"There is no module `{name}`. Name one, or a Python file.") from None
        raise ConfigError(f"`{name}` failed: {type(error).__name__}: {error}".rstrip(": .") + ".") from error
    finally:
        sys.path.remove(os.getcwd())


@lru_cache(maxsize=4)
def _run(file: str, changed: int) -> dict[str, object]:
    """Run a file once, though several functions of it are named."""
    path = Path(file)
    spec = util.spec_from_file_location(f"user_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # data classes look there for what their fields are
    sys.path.insert(0, str(path.resolve().parent))  # it may import its neighbours
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"`{file}` failed: {with_line(error, file)}") from error
    finally:
        sys.path.pop(0)
    return vars(module)


def taken(names: Mapping[str, object], name: str, file: str) -> Any:
    """Return the object called ``name`` in the file, or a method of one. Raises ConfigError if there is none."""
    first, *later_names = name.split(".")
    if first not in names:
        home = names.get("__name__")
        own_names = [
            name_in_file
            for name_in_file, value in names.items()
            if callable(value) and getattr(value, "__module__", None) == home
        ]
        raise ConfigError(
            f"`{file}` has no `{first}`.{closest(first, own_names)} It has: {', '.join(own_names) or 'no functions'}."
        )
    found_object, path = names[first], first
    for attribute in later_names:
        if not hasattr(found_object, attribute):
            own_names = [
                name_in_file
                for name_in_file in dir(found_object)
                if not name_in_file.startswith("_") and callable(getattr(found_object, name_in_file))
            ]
            raise ConfigError(
                f"`{path}` in `{file}` has no `{attribute}`.{closest(attribute, own_names)} "
                f"It has: {', '.join(own_names) or 'no methods'}."
            )
        if inspect.isclass(found_object) and inspect.isfunction(inspect.getattr_static(found_object, attribute)):
            found_object = _made(found_object, f"{path}.{attribute}", path, file)
        found_object, path = getattr(found_object, attribute), f"{path}.{attribute}"
    return found_object


def _made(kind: Callable[[], object], method: str, name: str, file: str) -> object:
    """Return an object of a class, whose method is named. Raises ConfigError if making one needs arguments."""
    try:
        inspect.signature(kind).bind()
    except TypeError as error:
        raise ConfigError(
            f"`{method}` is a method, and a `{name}` cannot be made without arguments: {error}. Make one in `{file}`, "
            f"such as `one = {name}(...)`, and name its method: `one.{method.rpartition('.')[2]}`."
        ) from None
    except ValueError:
        pass  # its arguments cannot be seen
    try:
        return kind()
    except Exception as error:
        raise ConfigError(f"`{name}` failed: {with_line(error, file)}") from error


def with_line(error: Exception, file: str) -> str:
    """Describe an error, and in which line of the file it occurred."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if os.path.realpath(frame.filename) == os.path.realpath(file)
    ]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    error_text = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}".rstrip(": .")
    return f"{error_text} (line {lines[-1]})." if lines else f"{error_text}."
