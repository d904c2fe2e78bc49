"""What a notebook shows of a result, beside its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result", bound="Shown")


class Shown:
    """A result that a notebook shows as tables and mathematics.

    What draws it lies above the room that it comes from, so it is handed that (see ``handed``); without, it is text.
    """

    shown_by: Callable[[Any], str] | None = None

    def _repr_html_(self) -> str | None:
        return None if self.shown_by is None else self.shown_by(self)


def handed(result: Result, shown_by: Callable[[Any], str] | None) -> Result:
    """Return the result itself, with what draws it as HTML."""
    object.__setattr__(result, "shown_by", shown_by)  # results are frozen, and say the same however they are drawn
    return result
