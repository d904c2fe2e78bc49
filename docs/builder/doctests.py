"""Docstrings as the reference shows them: an example that runs, `>>> ...` with its output, is a block of code."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"(^|\n\n)(>>> .*?)(?=\n\n|\Z)", re.S)


class Doctests(griffe.Extension):
    """Put fences around the examples of every docstring."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Take one object after another, as griffe reads the package."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(r"\1```pycon\n\2\n```", obj.docstring.value)
