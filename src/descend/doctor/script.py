"""Runs a script as Python itself would, and puts everything back afterwards."""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from descend.doctor.user_code import OURS, UserCode
from descend.errors import ConfigError, DataError


def checked(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a script; raises DataError or ConfigError if it is not one."""
    script = Path(path)
    if not script.exists():
        raise DataError(f"There is no file {script}. The doctor takes a Python script, such as train.py.")
    if script.is_dir():
        raise DataError(f"{script} is a folder. The doctor takes a Python script, such as train.py.")
    try:
        compile(script.read_bytes(), str(script), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"{script}, line {line}" if line else str(script)
        said = getattr(error, "msg", None) or str(error)
        raise ConfigError(
            f"{where} is not Python: {said}. The doctor takes a Python script, such as train.py."
        ) from None
    return script.resolve()


def run(script: Path, arguments: Sequence[str], user_code: UserCode) -> None:
    """Run the script as ``python SCRIPT ARGUMENTS`` does, in this process."""
    with _as_main(script, arguments), _warnings(user_code):
        runpy.run_path(str(script), run_name="__main__")


@contextlib.contextmanager
def _as_main(script: Path, arguments: Sequence[str]) -> Iterator[None]:
    """Set up the environment of a script that Python starts; afterwards, modules that it imported are forgotten."""
    import torch

    argv, path, folder, modules = sys.argv, sys.path[:], os.getcwd(), set(sys.modules)
    gradients, dtype, device = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_default_device()
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
        os.chdir(folder)
        torch.set_grad_enabled(gradients)
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if os.path.abspath(file).startswith(str(script.parent) + os.sep) and "site-packages" not in file:
                del sys.modules[name]


@contextlib.contextmanager
def _warnings(user_code: UserCode) -> Iterator[None]:
    """Show each warning once, at the user's line if it would otherwise point into our hooks."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        shown, seen = warnings.showwarning, set()

        def show(message: Warning | str, category: type[Warning], file: str, line: int, *more: Any) -> None:
            place = user_code.here() if file.startswith(OURS) else None
            file, line = place or (file, line)
            if (str(message), file, line) not in seen:
                seen.add((str(message), file, line))
                shown(message, category, file, line, *more)

        warnings.showwarning = show  # type: ignore[assignment]
        yield
