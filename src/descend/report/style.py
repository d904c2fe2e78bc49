"""How every picture looks: colours, fonts, axes, and text that is shown as it was written.

Only Matplotlib's objects are used, never pyplot and never rcParams: nothing global changes, and no display is needed.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Sequence
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descend.errors import OutputError
from descend.output import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The colours of Okabe and Ito (2008), which colour-blind readers can tell apart.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GREY, GRID = "#222222", "#6B6B6B", "#E6E6E6"
PALETTE = {
    "blue": (BLUE, "#5BB0E8"),
    "vermillion": (VERMILLION, "#FF8A3D"),
    "green": (GREEN, "#3CCFA0"),
    "purple": (PURPLE, "#E29BC4"),
    "orange": (ORANGE, "#F5C04A"),
    "sky": (SKY, "#8CCBF2"),
    "wine": ("#882255", "#D987B4"),
    "olive": ("#7A7A1E", "#CFCF70"),
    "indigo": ("#4B3FA8", "#A79EF0"),
    "brown": ("#8C5A3C", "#CFA184"),
    "slate": ("#5F6B7A", "#AEB9C6"),
    "rose": ("#B8405E", "#F08FA5"),
}
"""Colours by the names that panels use: on white, and on a dark page. The first six can be told apart by anyone."""
PAGE = {
    "ink": ("#1F2328", "#E8EAED"),
    "soft": ("#59626D", "#A9B1BC"),
    "paper": ("#FFFFFF", "#16191E"),
    "ground": ("#F6F7F9", "#0E1013"),
    "edge": ("#D9DDE3", "#30363F"),
    "grid": ("#E9ECEF", "#272C34"),
    "link": ("#005A94", "#7CC4F5"),
    "good": ("#0B6B4B", "#5FD3A6"),
    "fair": ("#8A5200", "#F2BC57"),
    "bad": ("#A83A00", "#FF9C66"),
}
"""The other colours of a page: words, lines and grounds, light and dark. Words on their ground have contrast AA."""
CONTOURS = (((0x3D, 0x7A, 0xB8), (0xF1, 0xF6, 0xFB)), ((0x3F, 0x86, 0xC6), (0x18, 0x20, 0x2A)))
"""The colours of the lowest and the highest contour, light and dark."""

HAN = [
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Noto Sans KR",
    "Arial Unicode MS",
]
"""Fonts with Chinese, Japanese or Korean characters, used where they are installed."""

PIECES = re.compile(r"\s+|(?:[^\s*/^,+-]|(?<=\de)[+-]|(?<=\()[+-])+[*/^,+-]*|[*/^,+-]+")
"""The pieces of a formula within which no line is broken: a name or number with the operator after it."""
LETTERS, SMALL_LETTERS, SMALLEST_LETTERS = 8.0, 11.0, 12.8
"""Letters per inch: in a bold title, in the labels of axes, and in a caption."""
MOST_WITHIN = 6
"""Lines that a legend names within the axes, at most."""
BESIDE = 0.9
"""Inches for the numbers and the label beside an axis."""

MISSING = "\N{WHITE SQUARE}"
"""Stands for a character that no font at hand can show."""
MISSING_NOTE = f"{MISSING} stands for a character that no installed font has; Noto Sans CJK has most of them."

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg")
"""The kinds of picture that can be written."""


@lru_cache(maxsize=1)
def fonts() -> tuple[str, ...]:
    """Return the font families to use, in order; each character is taken from the first family that has it."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in HAN if name in installed))


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Return the code points that the fonts can show."""
    from matplotlib.font_manager import findfont, get_font

    return frozenset(code for name in fonts() for code in get_font(findfont(name)).get_charmap())


def one_line(text: str, most: int = 60) -> str:
    """Return ``text`` on one line of at most ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def shown(text: str, most: int = 60) -> str:
    """Return ``text`` on one line of at most ``most`` characters, all of which the fonts can show."""
    line = one_line(text, most)
    if line.isascii() and line.isprintable():
        return line
    known = _characters()
    return "".join(letter if letter.isprintable() and ord(letter) in known else MISSING for letter in line)


def text(size: float, color: str = INK, **more: Any) -> dict[str, Any]:
    """Return the properties of a text, in which `$` and `_` are plain characters rather than mathematics."""
    return {"fontfamily": list(fonts()), "fontsize": size, "color": color, "parse_math": False, **more}


def contours(count: int, dark: bool = False) -> list[str]:
    """Return the colours of ``count`` contours, from the lowest to the highest."""
    deep, pale = CONTOURS[dark]
    shares = [place / max(count - 1, 1) for place in range(count)]
    mixed = ([round(low + share * (high - low)) for low, high in zip(deep, pale, strict=True)] for share in shares)
    return ["#" + "".join(f"{part:02X}" for part in colour) for colour in mixed]


def wrapped(text: str, most: int, lines: int = 3) -> str:
    """Return ``text`` on a few lines of at most ``most`` characters, broken after blanks and operators.

    >>> print(wrapped("y ~ 1.25*exp(-2.5e-05*x) + 3.75", 20))
    y ~ 1.25*
    exp(-2.5e-05*x) +
    3.75
    """
    done = [""]
    for piece in PIECES.findall(shown(text, most * lines)):
        if done[-1] and len(done[-1]) + len(piece.rstrip()) > most:
            done.append("")
        done[-1] += piece if done[-1] else piece.lstrip()
    return "\n".join(part for line in done for part in textwrap.wrap(line, most, break_on_hyphens=False))


def canvas(panels: int, title: str = "", size: tuple[float, float] | None = None) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``panels`` axes side by side, under one title. size: in inches; chosen here if None."""
    return grid(1, panels, panels, title, size or ({1: 6.8, 2: 10.6}.get(panels, 14.0), 4.4))


def grid(down: int, across: int, panels: int, title: str, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``panels`` axes in rows and columns, under one title. size: in inches.

    A notebook shows it without pyplot, which is never loaded.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1), facecolor="white")
    figure._repr_png_ = partial(png, figure)  # type: ignore[attr-defined]
    if title:
        figure.suptitle(wrapped(title, max(int(size[0] * LETTERS), 12)), **text(13, fontweight="bold"))
    places = figure.add_gridspec(down, across)
    return figure, [styled(figure.add_subplot(places[place // across, place % across])) for place in range(panels)]


def below(figure: Figure, axes: Axes, share: float = 0.3) -> Axes:
    """Return new axes below others, sharing their horizontal axis. share: of the height that they get."""
    halves = place_of(axes).subgridspec(2, 1, height_ratios=[1.0 - share, share], hspace=0.06)
    upper, lower = halves[0], halves[1]
    axes.set_subplotspec(upper)
    added = styled(figure.add_subplot(lower, sharex=axes))
    axes.tick_params(axis="x", which="both", labelbottom=False)
    axes.set_xlabel("")
    return added


def place_of(axes: Axes) -> Any:
    """Return the position of axes in the grid of their figure."""
    return axes.get_subplotspec()


def styled(axes: Axes) -> Axes:
    """Give axes the lines and colours of all pictures here."""
    axes.set_facecolor("white")
    axes.set_axisbelow(True)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.tick_params(which="both", color=GRID, labelcolor=GREY, labelsize=9.5, labelfontfamily="DejaVu Sans")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#BDBDBD")
    return axes


def png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as a PNG file, as a notebook shows it."""
    written = BytesIO()
    figure.savefig(written, format="png", dpi=dpi)
    return written.getvalue()


def label(axes: Axes, x: str, y: str, title: str = "", color: str = GREY) -> None:
    """Label both axes and set the title, each on as many lines as it needs."""
    place = place_of(axes).get_topmost_subplotspec().get_gridspec()
    width, height = place.figure.get_size_inches()
    width /= place.ncols
    across = max(int((width - BESIDE) * SMALL_LETTERS), 12)
    axes.set_xlabel(wrapped(x, across, 2), **text(10.5))
    axes.set_ylabel(wrapped(y, max(int((height - BESIDE) * SMALL_LETTERS), 12), 2), **text(10.5))
    if title:
        axes.set_title(wrapped(title, across), loc="left", **text(10.5, color))


def legend(axes: Axes, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Say which line is which: within the axes, or beside them if there are many."""
    from matplotlib.lines import Line2D

    beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)} if len(names) > MOST_WITHIN else {}
    box = axes.legend(handles, names, frameon=True, framealpha=0.85, edgecolor="none", fancybox=False, **beside)
    for handle in box.legend_handles:
        if isinstance(handle, Line2D):
            handle.set_alpha(1.0)
            handle.set_markersize(5.0)
    for entry in box.get_texts():
        entry.update(text(9.5))


def caption(figure: Figure, sentences: Sequence[str]) -> None:
    """Write below the picture what a reader has to know, and which characters no font could show."""
    from matplotlib.text import Text

    said = [sentence for sentence in sentences if sentence]
    if any(MISSING in entry.get_text() for entry in figure.findobj(Text)):
        said.append(MISSING_NOTE)
    most = int(figure.get_figwidth() * SMALLEST_LETTERS)
    lines = textwrap.wrap("  ".join(said), most)
    if said:
        figure.supxlabel("\n".join(lines), x=0.99, ha="right", **text(9, GREY))


def check_picture(path: str | os.PathLike[str]) -> None:
    """Raise OutputError for a file name whose ending names no kind of picture that can be drawn."""
    if Path(path).suffix.lower() not in PICTURES:
        raise OutputError(f"`{path}` cannot be drawn: its ending must be one of {', '.join(PICTURES)}.")


def save(figure: Figure, path: str | os.PathLike[str], dpi: int = 150) -> None:
    """Write ``figure`` to ``path`` atomically, as the kind of picture that its suffix names.

    dpi: dots per inch; a figure is 6.8 to 14 inches wide.

    Raises OutputError if the suffix names no kind of picture, or the file cannot be written.
    """
    check_picture(path)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=dpi)
