"""How every picture looks: colours, fonts, axes, and text that is shown as it was written.

Only Matplotlib's objects are used, never pyplot, and settings that are global only while something is drawn or written:
no display is needed. What differs between screen and paper is said by a `Theme`.
"""

from __future__ import annotations

import logging
import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.errors import OutputError
from descend.output import atomic_path
from descend.report.palette import CONTOURS, INK
from descend.report.theme import POINTS, SCREEN, Theme, changed

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Style = dict[str, Any]
"""How Matplotlib draws something: keyword arguments, by name."""
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
BOLD, PLAIN = 104.0, 115.0
"""Letters per inch, times the size of the letters in points."""
MOST_WITHIN = 6
"""Lines that a legend names within the axes, at most."""
LOWER = 0.3
"""Share of the height that residuals below a curve get."""
NARROW = 0.6
"""A figure that has fewer inches for each point of its letters has no room for a legend beside its axes."""
BESIDE = 6.2
"""Room for the numbers and the label beside an axis, as a multiple of the size of the letters."""
MISSING = "\N{WHITE SQUARE}"
"""Stands for a character that no font at hand can show."""
MISSING_NOTE = f"{MISSING} stands for a character that no installed font has; Noto Sans CJK has most of them."

PICTURES = (".png", ".svg", ".pdf", ".eps", ".jpg", ".jpeg")
"""The kinds of picture that can be written."""


@lru_cache(maxsize=1)
def fonts() -> tuple[str, ...]:
    """Return the font families to use, in order; each character is taken from the first family that has it."""
    from matplotlib.font_manager import fontManager

    logging.getLogger("matplotlib.font_manager").addFilter(_is_news)
    installed = {font.name for font in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in HAN if name in installed))


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a line of Matplotlib's log is more than that a font of ``HAN`` has no such weight; few have."""
    line = record.getMessage()
    return not (line.startswith("findfont: Failed to find font weight") and any(name in line for name in HAN))


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
    characters_known = _characters()
    return "".join(letter if letter.isprintable() and ord(letter) in characters_known else MISSING for letter in line)


def text(size: float, color: str = INK, theme: Theme = SCREEN, **more: object) -> Style:
    """Return the properties of a text, in which `$` and `_` are plain characters rather than mathematics."""
    family = [*theme.family, *fonts()]
    return {"fontfamily": family, "fontsize": size, "color": color, "parse_math": False, "usetex": False, **more}


def contours(count: int, dark: bool = False) -> list[str]:
    """Return the colours of ``count`` contours, from the lowest to the highest."""
    deep, pale = CONTOURS[dark]
    shares = [colour_number / max(count - 1, 1) for colour_number in range(count)]
    mixed = ([round(low + share * (high - low)) for low, high in zip(deep, pale, strict=True)] for share in shares)
    return ["#" + "".join(f"{colour_part:02X}" for colour_part in colour) for colour in mixed]


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
    return "\n".join(line_part for line in done for line_part in textwrap.wrap(line, most, break_on_hyphens=False))


def canvas(
    panels: int, title: str = "", size: tuple[float, float] | None = None, theme: Theme = SCREEN
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``panels`` axes side by side, under one title. size: in inches; chosen here if None."""
    share = {1: 1.0, 2: 1.56}.get(panels, 2.06)
    return grid(1, panels, panels, title, size or (theme.width * share, theme.height), theme)


def grid(
    down: int, across: int, panels: int, title: str, size: tuple[float, float], theme: Theme = SCREEN
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``panels`` axes in rows and columns, under one title. size: in inches.

    A notebook shows it without pyplot, which is never loaded. Its ``savefig`` embeds fonts, and keeps to the theme.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=theme.pad[0], h_pad=theme.pad[1])
    figure = Figure(figsize=size, layout=layout, facecolor=theme.paper, dpi=theme.dpi)
    figure._repr_png_ = partial(png, figure)  # type: ignore[attr-defined]
    figure.savefig = partial(written, figure, theme)  # type: ignore[method-assign]
    if title:
        letters = theme.title or theme.label
        most = max(int(size[0] * BOLD / letters), 12)
        figure.suptitle(wrapped(title, most), **text(letters, theme.ink, theme, fontweight="bold"))
    grid_cells = figure.add_gridspec(down, across)
    added = [figure.add_subplot(grid_cells[panel // across, panel % across]) for panel in range(panels)]
    return figure, [styled(axes, theme) for axes in added]


def below(figure: Figure, axes: Axes, shared: bool = True, theme: Theme = SCREEN) -> Axes:
    """Return new axes below others. shared: whether both have the same horizontal axis."""
    share = LOWER if shared else 0.5
    halves = place_of(axes).subgridspec(2, 1, height_ratios=[1.0 - share, share], hspace=0.06)
    upper, lower = halves[0], halves[1]
    axes.set_subplotspec(upper)
    if not shared:
        return styled(figure.add_subplot(lower), theme)
    added = styled(figure.add_subplot(lower, sharex=axes), theme)
    axes.tick_params(axis="x", which="both", labelbottom=False)
    axes.set_xlabel("")
    return added


def place_of(axes: Axes) -> Any:
    """Return the position of axes in the grid of their figure."""
    return axes.get_subplotspec()


def styled(axes: Axes, theme: Theme = SCREEN) -> Axes:
    """Give axes the lines and colours of all pictures here; a style of Matplotlib has given them its own."""
    axes.set_axisbelow(True)
    axes.tick_params(which="both", labelcolor=theme.soft, labelsize=theme.tick)
    axes.tick_params(which="both", labelfontfamily=[*theme.family, "DejaVu Sans"][0])
    if theme.matplotlib:
        return axes
    axes.set_facecolor(theme.paper)
    if theme.grid:
        axes.grid(True, color=theme.grid, linewidth=0.8 * theme.frame)
    axes.tick_params(which="both", color=theme.grid or theme.edge, width=0.8 * theme.frame)
    axes.tick_params(which="major", length=3.5 * theme.frame)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.edge)
        spine.set_linewidth(0.8 * theme.frame)
    return axes


def png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as a PNG file, as a notebook shows it."""
    content = BytesIO()
    figure.savefig(content, format="png", dpi=dpi)
    return content.getvalue()


def written(figure: Figure, theme: Theme, file: Any, **options: Any) -> None:
    """Write a figure as Matplotlib does, with fonts embedded; in PostScript what is transparent is mixed with paper."""
    from matplotlib.figure import Figure

    kind = options.get("format") or (Path(file).suffix if isinstance(file, str | os.PathLike) else "")
    with changed(theme):
        if kind.lstrip(".").lower() in ("eps", "ps"):
            with opaque(figure, theme.paper):
                Figure.savefig(figure, file, **options)
        else:
            Figure.savefig(figure, file, **options)


@contextmanager
def opaque(figure: Figure, paper: str) -> Iterator[None]:
    """Give all that is transparent in a figure the colour that it has on paper, for a while."""
    from matplotlib.colors import to_rgb, to_rgba_array
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

    before: list[tuple[Artist, str, object, float | None]] = []
    for box in figure.findobj(Legend):  # what is under it shows between its letters
        frame = box.get_frame()
        before.append((frame, "facecolor", frame.get_facecolor(), frame.get_alpha()))
        frame.set_alpha(None)
        frame.set_facecolor("none")
    for artist in figure.findobj(lambda each: hasattr(each, "get_facecolor") or isinstance(each, Line2D)):
        name = "color" if isinstance(artist, Line2D) else "facecolor"
        colour, alpha = getattr(artist, f"get_{name}")(), artist.get_alpha()
        shades = to_rgba_array(colour, alpha)
        if not len(shades) or not 0.0 < shades[0, 3] < 1.0:
            continue
        before.append((artist, name, colour, alpha))
        artist.set_alpha(None)
        share = shades[:, 3:]
        mixed = share * shades[:, :3] + (1.0 - share) * np.array(to_rgb(paper))
        getattr(artist, f"set_{name}")(mixed[0])
    yield
    for artist, name, colour, transparency in before:
        getattr(artist, f"set_{name}")(colour)
        artist.set_alpha(transparency)


def label(axes: Axes, x: str, y: str, title: str = "", theme: Theme = SCREEN, failed: bool = False) -> None:
    """Label both axes and set the title, each on as many lines as it needs. failed: whether the title is bad news."""
    subplot_cell = place_of(axes).get_topmost_subplotspec().get_gridspec()
    width, height = subplot_cell.figure.get_size_inches()
    width, label_space = width / subplot_cell.ncols, BESIDE * theme.label / POINTS
    letters, words = PLAIN / theme.label, text(theme.label, theme.ink, theme)
    across = max(int((width - label_space) * letters), 12)
    axes.set_xlabel(wrapped(x, across, 2), **words)
    axes.set_ylabel(wrapped(y, max(int((height - label_space) * letters), 12), 2), **words)
    if title and (theme.with_run or failed):
        color = theme.colour("vermillion") if failed else theme.soft
        axes.set_title(wrapped(title, across), loc="left", **text(theme.label, color, theme))


def legend(axes: Axes, handles: Sequence[Artist], names: Sequence[str], theme: Theme = SCREEN) -> None:
    """Say which line is which: within the axes, or beside them if there are many; below them where it is narrow."""
    from matplotlib.lines import Line2D

    figure = place_of(axes).get_gridspec().figure
    common: Style = {"frameon": True, "framealpha": 0.85, "edgecolor": "none", "fancybox": False}
    common |= {"facecolor": axes.get_facecolor(), "prop": {"size": theme.legend}}
    if len(names) <= MOST_WITHIN:
        box = axes.legend(handles, names, **common)
    elif figure.get_figwidth() >= NARROW * theme.legend:
        box = axes.legend(handles, names, loc="upper left", bbox_to_anchor=(1.01, 1.0), **common)
    else:
        longest = max(map(len, names)) + 11  # with its sample
        columns = max(int(figure.get_figwidth() * PLAIN / theme.legend / longest), 1)
        box = figure.legend(handles, names, loc="outside lower center", ncols=min(columns, len(names)), **common)
    for handle in box.legend_handles:
        if isinstance(handle, Line2D):
            handle.set_alpha(1.0)
            handle.set_markersize(5.0 * theme.dot)
    for entry in box.get_texts():
        entry.update(text(theme.legend, theme.ink, theme))


def caption(figure: Figure, sentences: Sequence[str], theme: Theme = SCREEN) -> None:
    """Write below the picture what a reader has to know, and which characters no font could show."""
    from matplotlib.text import Text

    captions = [sentence for sentence in sentences if sentence]
    if any(MISSING in entry.get_text() for entry in figure.findobj(Text)):
        captions.append(MISSING_NOTE)
    most = int(figure.get_figwidth() * PLAIN / theme.caption)
    lines = textwrap.wrap("  ".join(captions), most)
    if captions:
        figure.supxlabel("\n".join(lines), x=0.99, ha="right", **text(theme.caption, theme.soft, theme))


def check_picture(path: str | os.PathLike[str]) -> None:
    """Raise OutputError for a file name whose ending names no kind of picture that can be drawn."""
    if Path(path).suffix.lower() not in PICTURES:
        raise OutputError(f"`{path}` cannot be drawn: its ending must be one of {', '.join(PICTURES)}.")


def save(figure: Figure, path: str | os.PathLike[str], dpi: int | None = None) -> None:
    """Write ``figure`` to ``path`` atomically, as the kind of picture that its suffix names.

    dpi: dots per inch; those of the theme if not given, 150 on a screen and 600 in print.

    Raises OutputError if the suffix names no kind of picture, or the file cannot be written.
    """
    check_picture(path)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi="figure" if dpi is None else dpi)
