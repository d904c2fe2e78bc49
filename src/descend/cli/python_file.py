"""The user's own Python file: run once, and searched for names."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any

from descend.errors import ConfigError
from descend.registry import closest


def run_file(file: str) -> dict[str, Any]:
    """Run a Python file as a module and return its names. Raises ConfigError if it is missing or fails."""
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"There is no file `{file}`.")
    spec = util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))  # it may import its neighbours
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"`{file}` failed: {with_line(error, file)}") from error
    finally:
        sys.path.pop(0)
    return vars(module)


def taken(names: Mapping[str, Any], name: str, file: str) -> Any:
    """Return the object called ``name`` in the file. Raises ConfigError if there is none."""
    if name in names:
        return names[name]
    own = [known for known, value in names.items() if callable(value) and not known.startswith("_")]
    raise ConfigError(f"`{file}` has no `{name}`.{closest(name, own)} It has: {', '.join(own) or 'no functions'}.")


def with_line(error: Exception, file: str) -> str:
    """Describe an error, and in which line of the file it occurred."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if os.path.realpath(frame.filename) == os.path.realpath(file)
    ]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    said = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}".rstrip(": .")
    return f"{said} (line {lines[-1]})." if lines else f"{said}."
