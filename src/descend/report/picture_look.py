"""How a picture should look, where the user wants it different from the default: axes, words, size, style."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from descend.errors import ConfigError
from descend.inference.prediction.bands import BANDS
from descend.report.theme import INCH, PRINT, SCREEN, Theme, on_paper, theme_of

SMALLEST, LARGEST = 1.0, 60.0
"""Least and greatest length of a side of a picture, in inches."""
UNITS = {"mm": INCH, "cm": INCH / 10.0, "in": 1.0, "inch": 1.0, "inches": 1.0, '"': 1.0, "pt": 72.27}
"""How many of a unit make an inch; a point is that of TeX, in which the width of its column is told."""
LENGTH = re.compile(r"\s*([0-9.]+)\s*([a-z\"]*)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Look:
    """The user's wishes for a picture.

    log: which axes of the data are logarithmic: ``"x"``, ``"y"`` or ``"xy"``. x_label, y_label: the labels of these
    axes. title: the title; none if it is an empty text. size: width and height in inches, or a text with a unit, such
    as ``"85mm"`` or ``"85mm x 60mm"``: the size on paper. residuals: whether to draw the residuals below the curve.
    style: ``"screen"``, ``"print"``, ``"presentation"``, ``"dark"``, a style of Matplotlib or an ``.mplstyle`` file;
    print for a size with a unit, else screen, if not given. bands: ``"confidence"``, ``"prediction"``, both
    separated by a comma, or ``"none"``; if not given, those that there are. level: of the bands.

    Raises ConfigError for axes, bands and styles that do not exist, and for sizes that a picture cannot have.

    >>> Look(log="x").scale("x"), Look(log="x").scale("y")
    ('log', 'linear')
    >>> [round(side, 2) for side in Look(size="85mm x 60mm").inches], Look(size="85mm").theme.name
    ([3.35, 2.36], 'print')
    """

    log: str = ""
    x_label: str | None = None
    y_label: str | None = None
    title: str | None = None
    size: Any = None
    residuals: bool = False
    style: str | None = None
    bands: Any = None
    level: float = 0.95

    def __post_init__(self) -> None:
        log = _listed(self.log)
        if not set("".join(log)) <= {"x", "y"} or len("".join(log)) > len(set("".join(log))):
            raise ConfigError(f'`log` names the logarithmic axes: "x", "y" or "xy". It is {self.log!r}.')
        object.__setattr__(self, "log", "".join(log))
        _ = self.inches, self.theme, self.wanted
        if not 0.0 < self.level < 1.0:
            raise ConfigError(f"The level of confidence lies between 0 and 1, such as 0.95. It is {self.level:g}.")

    def scale(self, side: str) -> str:
        """Return the scale of an axis of the data, ``"x"`` or ``"y"``."""
        return "log" if side in self.log else "linear"

    @cached_property
    def theme(self) -> Theme:
        """The theme of the style, or that of the size: for paper if it has a unit, in the colours of a style."""
        paper = isinstance(self.size, str) and re.search(r"[a-wyz\"]", self.size.lower()) is not None
        if self.style is None:
            return PRINT if paper else SCREEN
        theme = theme_of(self.style)
        return on_paper(theme) if paper and theme.with_run else theme

    @cached_property
    def inches(self) -> tuple[float, float | None] | None:
        """Width and height in inches; the height is None where the picture chooses it, and both where nothing is."""
        return None if self.size is None else _in_inches(self.size)

    def sides(self, height: float | None = None, width: float | None = None) -> tuple[float, float]:
        """Return width and height in inches. width, height: where they are not given; else those of the theme."""
        theme = self.theme
        usual = (width or theme.width), (height or theme.height)
        if self.inches is None:
            return usual
        across, up = self.inches
        return across, max(across * usual[1] / usual[0], SMALLEST) if up is None else up

    @cached_property
    def wanted(self) -> tuple[str, ...] | None:
        """The bands that were asked for; None if nothing was said of them."""
        if self.bands is None or self.bands is True:
            return None
        if self.bands is False:
            return ()
        names = _listed(self.bands)
        if names in (("none",), ("both",)):
            return () if names == ("none",) else BANDS
        if unknown := [name for name in names if name not in BANDS]:
            raise ConfigError(
                f"There is no band `{unknown[0]}`. The bands are confidence and prediction, both separated by a comma, "
                "or none."
            )
        return names


def _listed(look_names: str | Iterable[str]) -> tuple[str, ...]:
    return (
        tuple(look_name.strip() for look_name in look_names.split(",") if look_name.strip())
        if isinstance(look_names, str)
        else tuple(look_names)
    )


def _in_inches(size: object) -> tuple[float, float | None]:
    """Return width and height in inches, of ``"85mm"``, ``"85 x 60 mm"``, ``"8x5"`` or (8, 5)."""
    parts = re.split(r"[xX×,]", size) if isinstance(size, str) else list(size) if isinstance(size, Iterable) else []
    length_matches = [LENGTH.fullmatch(str(size_part)) for size_part in parts]
    sides: list[float] = []
    if all(length_matches) and len(length_matches) in (1, 2):
        unit = next((each[2] for each in reversed(length_matches) if each and each[2]), "")
        for each in length_matches:
            assert each is not None
            scale = UNITS.get((each[2] or unit or "in").lower(), math.nan)
            sides.append(_number(each[1]) / scale)
        if len(sides) == 1 and not unit:
            sides = []
    if not sides or not all(SMALLEST <= side <= LARGEST for side in sides):
        size_text = " x ".join(map(str, size)) if isinstance(size, list | tuple) else str(size)
        raise ConfigError(
            "The size of a picture is its width, such as 85mm, or width and height, such as 85mm x 60mm, or 8 x 5 in "
            f"inches, each from {SMALLEST:g} to {LARGEST:g} inches. It is {size_text}."
        )
    return sides[0], sides[1] if len(sides) == 2 else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
