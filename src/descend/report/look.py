"""How a picture should look, where the user wants it different from the default: axes, words, size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from descend.errors import ConfigError

SMALLEST, LARGEST = 1.0, 60.0
"""Least and greatest length of a side of a picture, in inches."""


@dataclass(frozen=True)
class Look:
    """The user's wishes for a picture.

    log: which axes of the data are logarithmic: ``"x"``, ``"y"`` or ``"xy"``. x_label, y_label: the labels of these
    axes. title: the title; none if it is an empty text. size: width and height, in inches.
    residuals: whether to draw the residuals below the curve.

    Raises ConfigError for axes that do not exist, and for sizes that a picture cannot have.

    >>> Look(log="x").scale("x"), Look(log="x").scale("y")
    ('log', 'linear')
    """

    log: str = ""
    x_label: str | None = None
    y_label: str | None = None
    title: str | None = None
    size: tuple[float, float] | None = None
    residuals: bool = False

    def __post_init__(self) -> None:
        if self.log not in ("", "x", "y", "xy", "yx"):
            raise ConfigError(f'`log` names the logarithmic axes: "x", "y" or "xy". It is {self.log!r}.')
        if self.size is not None:
            object.__setattr__(self, "size", _checked_size(self.size))

    def scale(self, side: str) -> str:
        """Return the scale of an axis of the data, ``"x"`` or ``"y"``."""
        return "log" if side in self.log else "linear"


def _checked_size(size: Any) -> tuple[float, float]:
    try:
        width, height = (float(side) for side in size)
    except (TypeError, ValueError):
        width = height = math.nan
    if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
        shown = " x ".join(map(str, size)) if isinstance(size, list | tuple) else repr(size)
        raise ConfigError(
            f"The size of a picture is its width and its height in inches, such as 8 x 5, each from {SMALLEST:g} to "
            f"{LARGEST:g}. It is {shown}."
        )
    return width, height
