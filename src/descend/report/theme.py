"""Themes of still pictures: sizes of letters and lines, colours, and what of a fit is drawn.

A style of Matplotlib, by its name or from an ``.mplstyle`` file, becomes a theme, too. It holds only while a picture is
drawn and written, so nothing global changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

from descend.errors import ConfigError
from descend.registry import closest
from descend.report.palette import GREY, GRID, INK, PALETTE

INCH = 25.4
"""Millimetres."""
POINTS = 72.0
"""Points per inch."""
EMBEDDED: dict[str, object] = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}
"""Letters stay letters in vector formats: fonts are embedded as TrueType, and the text of an SVG is text."""
WIDE, HIGH = 26.0, 17.0
"""A picture has room for letters of which so many fit side by side, and so many above each other."""
LEAST_LETTERS = 5.0
"""Points that letters have at least, however small the picture."""
ALONE = RLock()
"""Held while settings of Matplotlib, which are those of the whole process, are changed."""


@dataclass(frozen=True)
class Theme:
    """How pictures look.

    title, label, tick, legend, caption: sizes of letters, in points; a title of 0 is only drawn where one is given.
    line, dot, frame: widths of lines and axes, and sizes of dots, as shares of those on a screen. ink, soft, paper,
    grid, edge: colours of words, of words beside, of the ground, of the grid (none if empty) and of the axes.
    dark: whether colours are those for a dark ground. cycle: colours in the place of the palette.
    family: fonts before those that are there in any case. with_run: whether the run is drawn, too.
    width, height: in inches, where a size is not given. pad: around the axes, in inches. dpi: dots per inch.
    matplotlib: the style of Matplotlib that it stands for.
    """

    name: str
    title: float = 13.0
    label: float = 10.5
    tick: float = 9.5
    legend: float = 9.5
    caption: float = 9.0
    line: float = 1.0
    dot: float = 1.0
    frame: float = 1.0
    ink: str = INK
    soft: str = GREY
    paper: str = "white"
    grid: str = GRID
    edge: str = "#BDBDBD"
    dark: bool = False
    cycle: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    with_run: bool = True
    width: float = 6.8
    height: float = 4.4
    pad: tuple[float, float] = (0.12, 0.1)
    dpi: int = 150
    matplotlib: str = ""

    def colour(self, name: str) -> str:
        """Return the colour that panels call by this name."""
        if self.cycle and name != "slate":
            return self.cycle[list(PALETTE).index(name) % len(self.cycle)]
        return self.soft if self.cycle else PALETTE[name][self.dark]

    def within(self, width: float, height: float) -> Theme:
        """Return the theme with letters and lines for which a picture of this size, in inches, has room.

        >>> PRESENTATION.within(10.0, 5.6).label, PRESENTATION.within(4.0, 3.0).label.__round__(1)
        (18.0, 11.1)
        """
        return self.scaled(min(POINTS * width / WIDE, POINTS * height / HIGH) / self.label)

    def scaled(self, share: float) -> Theme:
        """Return the theme with letters and lines of this share of its own, but never larger ones."""
        share = max(share, min(LEAST_LETTERS / self.label, 1.0))
        if share >= 1.0:
            return self
        names = ("title", "label", "tick", "legend", "caption", "line", "dot", "frame")
        changes = {name: share * float(getattr(self, name)) for name in names}
        return replace(self, pad=(share * self.pad[0], share * self.pad[1]), **changes)  # type: ignore[arg-type]


SCREEN = Theme("screen")
PRINT = Theme(
    "print",
    0.0,
    8.0,
    7.0,
    7.0,
    6.5,
    0.55,
    0.55,
    0.75,
    ink="#000000",
    soft="#333333",
    grid="",
    edge="#000000",
    with_run=False,
    width=85 / INCH,
    height=62 / INCH,
    pad=(0.03, 0.03),
    dpi=600,
)
PRESENTATION = Theme(
    "presentation",
    22.0,
    18.0,
    16.0,
    16.0,
    12.0,
    1.5,
    1.6,
    1.5,
    soft="#444444",
    with_run=False,
    width=10.0,
    height=5.625,
)
DARK = replace(
    SCREEN, name="dark", ink="#E8EAED", soft="#A9B1BC", paper="#16191E", grid="#272C34", edge="#5A626D", dark=True
)
OWN = {theme.name: theme for theme in (SCREEN, PRINT, PRESENTATION, DARK)}
"""The themes of descend, by name."""
SUFFIX = ".mplstyle"


def on_paper(theme: Theme) -> Theme:
    """Return a theme of a screen with the letters and lines of paper, and its own colours."""
    colours = {key: getattr(theme, key) for key in ("name", "ink", "soft", "paper", "grid", "edge", "dark", "cycle")}
    return replace(PRINT, **colours)


def theme_of(name: str) -> Theme:
    """Return a theme by its name, or that of a style of Matplotlib, or from a file ``.mplstyle``.

    Raises ConfigError for a name that stands for none of these, and for a file that is none.

    >>> theme_of("print").label, theme_of("ggplot").matplotlib
    (8.0, 'ggplot')
    """
    if name in OWN:
        return OWN[name]
    from matplotlib import style

    file = name.endswith(SUFFIX)
    if file and not Path(name).is_file():
        raise ConfigError(f"There is no file `{name}` with a style. Give its path, or the name of a style.")
    if not file and name not in style.available:
        near = closest(name, [*OWN, *style.available])
        raise ConfigError(
            f"There is no style `{name}` of pictures.{near} Known: {', '.join(OWN)}, those of Matplotlib, such as "
            f"ggplot, and files that end in {SUFFIX}."
        )
    try:
        with changed(Theme(name, matplotlib=name)):
            return _as_matplotlib_has_it(name)
    except (OSError, ValueError) as error:
        raise ConfigError(f"`{name}` cannot be read as a style of Matplotlib: {error}") from None


@contextmanager
def changed(theme: Theme) -> Iterator[None]:
    """Let the settings of a theme hold for Matplotlib for a while; fonts are embedded in any case."""
    from matplotlib import rc_context, style

    with ALONE, rc_context():
        if theme.matplotlib:
            style.use(os.fspath(Path(theme.matplotlib)) if theme.matplotlib.endswith(SUFFIX) else theme.matplotlib)
        with rc_context(EMBEDDED):
            yield


def _as_matplotlib_has_it(name: str) -> Theme:
    """Return what the settings of Matplotlib say now, as a theme."""
    import matplotlib
    from matplotlib.colors import to_hex, to_rgb
    from matplotlib.font_manager import font_scalings, fontManager

    settings = matplotlib.rcParams

    def points(key: str) -> float:
        size = settings[key]
        return float(size) if isinstance(size, int | float) else settings["font.size"] * font_scalings[size]

    installed = {font.name for font in fontManager.ttflist}
    named = [each for family in settings["font.family"] for each in settings.get(f"font.{family}", [family])]
    cycle = settings["axes.prop_cycle"].by_key().get("color", [])
    paper, ink = to_hex(settings["figure.facecolor"]), to_hex(settings["text.color"])
    width, height = settings["figure.figsize"]
    soft = settings["xtick.labelcolor"]
    return Theme(
        name,
        points("figure.titlesize"),
        points("axes.labelsize"),
        points("xtick.labelsize"),
        points("legend.fontsize"),
        0.85 * settings["font.size"],
        settings["lines.linewidth"] / 2.0,
        settings["lines.markersize"] / 6.5,
        settings["axes.linewidth"] / 0.8,
        ink=ink,
        soft=to_hex(settings["xtick.color"] if soft == "inherit" else soft),
        paper=paper,
        dark=sum(to_rgb(paper)) < 1.5,
        cycle=tuple(to_hex(colour) for colour in cycle),
        family=tuple(each for each in named if each in installed)[:1],
        width=width,
        height=height,
        with_run=False,
        pad=(0.06, 0.06),
        matplotlib=name,
    )
