"""Where in the user's own code something happens, and what names the user gave to objects there."""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

FOREIGN = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
OURS = str(Path(__file__).resolve().parents[1]) + os.sep
COMMENT = re.compile(r"\s{2,}#")
NOTEBOOK = re.compile(r"\d+\.py$|(?<=<ipython-input-).*$")
"""What differs from cell to cell in the name that Python has for a cell of a notebook."""
MOST_ITEMS = 100
"""Items of a list or dict that are looked through for a name."""


class Place(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int

    @property
    def code(self) -> str:
        """The text of the line, without surrounding blanks and trailing comment."""
        return COMMENT.split(linecache.getline(self.file, self.line), maxsplit=1)[0].strip()

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


class UserCode:
    """Tells the user's frames from those of libraries: the user's files are in the folder of the script."""

    def __init__(self, script: Path, alone: str = "") -> None:
        """Take a script; ``alone``: only this file, or cells like it, is the user's code."""
        self.script = alone or str(script)
        self.alone = NOTEBOOK.sub("", alone)
        self.folder = str(script.parent) + os.sep
        self.known: dict[str, bool] = {}

    def is_users(self, file: str) -> bool:
        """Whether ``file`` is the user's own code."""
        known = self.known.get(file)
        if known is None and self.alone:
            known = self.known[file] = NOTEBOOK.sub("", file) == self.alone
        if known is None:
            path = os.path.abspath(file)
            # Names that are not files, such as `<frozen runpy>`, would be taken as relative to the current folder.
            known = path.startswith(self.folder) and not path.startswith(OURS) and not file.startswith("<")
            known = known and not any(part in path[len(self.folder) - 1 :] for part in FOREIGN)
            self.known[file] = known
        return known

    def frames(self) -> Iterator[FrameType]:
        """Yield the user's frames of the running call, the innermost first."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if self.is_users(frame.f_code.co_filename):
                yield frame
            frame = frame.f_back

    def here(self) -> Place | None:
        """Return the innermost line of the user's code that is being run."""
        frame = next(self.frames(), None)
        return None if frame is None else Place(frame.f_code.co_filename, frame.f_lineno)

    def lines(self, traceback: TracebackType | None) -> list[Place]:
        """Return the user's own lines of a traceback, the outermost first."""
        places = []
        while traceback is not None:
            if self.is_users(traceback.tb_frame.f_code.co_filename):
                places.append(Place(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
            traceback = traceback.tb_next
        return places

    def variables(self) -> Iterator[tuple[str, object]]:
        """Yield the user's variables here as names and values, from the innermost frame outwards."""
        for frame in self.frames():
            for name, value in list(frame.f_locals.items()):
                if name.startswith("__"):
                    continue
                yield name, value
                if name == "self" and hasattr(value, "__dict__"):
                    yield from ((f"self.{key}", item) for key, item in list(vars(value).items()) if key[:1] != "_")
        for frame in self.frames():
            if frame.f_globals is not frame.f_locals:
                yield from ((name, value) for name, value in list(frame.f_globals.items()) if not name.startswith("__"))

    def name_of(self, thing: object) -> str | None:
        """Return what the user calls ``thing`` here, or None."""
        return next((name for name, value in self.variables() if value is thing), None)


def parameter_names(variables: Iterator[tuple[str, object]]) -> dict[int, str]:
    """Return the names of the parameters that variables hold, by `id`: ``w``, ``net.2.bias``, ``layers[0].weight``."""
    import torch

    names: dict[int, str] = {}
    for name, value in variables:
        for place, item in spread(name, value):
            if isinstance(item, torch.nn.Module):
                for path, parameter in item.named_parameters():
                    names.setdefault(id(parameter), f"{place}.{path}")
                for path, tensor in unregistered(item):
                    names.setdefault(id(tensor), f"{place}.{path}")
            elif isinstance(item, torch.Tensor) and item.is_leaf:
                names.setdefault(id(item), place)
    return names


def unregistered(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield what a module trains and PyTorch does not know of: layers in plain lists and dicts, and plain tensors."""
    import torch

    for path, part in module.named_modules():
        for name, value in vars(part).items():
            if name.startswith("_"):
                continue
            for place, layer in spread(".".join(filter(None, (path, name))), value):
                if isinstance(layer, torch.nn.Module):
                    yield from ((f"{place}.{inner}", one) for inner, one in layer.named_parameters())
                elif isinstance(layer, torch.Tensor) and layer.is_leaf and layer.requires_grad:
                    yield place, layer


def spread(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield a value, or the items of a list or dict, with what the user can call them."""
    if isinstance(value, list | tuple):
        yield from ((f"{name}[{place}]", item) for place, item in enumerate(value[:MOST_ITEMS]))
    elif isinstance(value, dict):
        yield from ((f"{name}[{key!r}]", item) for key, item in list(value.items())[:MOST_ITEMS])
    else:
        yield name, value
