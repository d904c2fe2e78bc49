"""A run as an animation: a page with a slider, a GIF, or a video."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, OutputError
from descend.inference.fitted import Fitted
from descend.output import atomic_path, write_atomically
from descend.report import plots, style
from descend.report.document import bar, document, figure
from descend.report.film import Film, film
from descend.report.marks import draw_mark
from descend.report.svg import drawn

Image = NDArray[np.uint8]

ANIMATIONS = (".html", ".htm", ".gif", ".mp4")
"""The kinds of animation that can be written."""
RATE = 12
"""Frames per second."""
PAUSE = 2.0
"""How many seconds the last frame stays before a GIF or video starts again."""
DPI = 100
PALETTE = 192
"""Number of colours in a GIF, of at most 256."""


def check_animation(path: str | os.PathLike[str]) -> None:
    """Refuse a file name whose ending names no kind of animation, or one that cannot be written on this machine.

    Raises OutputError, or ConfigError if a video is wanted and no encoder is installed.
    """
    ending = Path(path).suffix.lower()
    if ending not in ANIMATIONS:
        raise OutputError(f"`{path}` cannot be animated: its ending must be one of .html, .gif, .mp4.")
    if ending == ".mp4":
        _encoder()


@dataclass(frozen=True, eq=False)
class Animation:
    """A run as a film. A notebook shows it, with a slider; ``save`` writes it to a file."""

    fit: Fitted

    @cached_property
    def film(self) -> Film:
        """What stays in the pictures and what moves."""
        return film(self.fit)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a page (``.html``, opens without a network), a ``.gif`` or a video (``.mp4``), atomically.

        Raises OutputError if the file cannot be written, and ConfigError for a video without an encoder.
        """
        check_animation(path)
        ending = Path(path).suffix.lower()
        if ending in (".html", ".htm"):
            write_atomically(path, page(self.film))
            return
        images = pictures(self.film)
        with atomic_path(path) as temporary:
            if ending == ".gif":
                _write_gif(images, temporary)
            else:
                _write_video(images, temporary)

    def _repr_html_(self) -> str:
        """Return the HTML for a notebook: the page, in a frame of its own."""
        film_page = escape(page(self.film), quote=True)
        look = "width: 100%; height: 40rem; border: 0"
        return f'<iframe title="Animation of the fit" srcdoc="{film_page}" style="{look}"></iframe>'


def page(film: Film) -> str:
    """Return a film as a self-contained page that plays, pauses, and has a slider over the epochs."""
    frames = [
        [frame.said, *(drawn(panel, marks) for panel, marks in zip(film.panels, frame.marks, strict=True))]
        for frame in film.frames
    ]
    moving = list(zip(film.panels, frames[0][1:], strict=True))
    pictures = "".join(figure(panel, moving=marks) for panel, marks in moving)
    data = json.dumps(frames, ensure_ascii=False).replace("</", "<\\/")
    last = len(frames) - 1
    controls = (
        '<div class="controls"><button type="button" id="play">Play</button>'
        '<button type="button" id="back" aria-label="One step back">‹</button>'
        '<button type="button" id="on" aria-label="One step on">›</button>'
        f'<input type="range" id="frame" min="0" max="{last}" value="0" aria-label="Step of the run"></div>'
    )
    body = (
        f"<header>{bar('animation of a fit')}<h1>{escape(film.title)}</h1></header>"
        f'<main><h2>The run</h2><p id="said">{escape(frames[0][0])}</p>{controls}'
        f'<div class="figures pairs film">{pictures}</div></main>'
        f'<script type="application/json" id="frames">{data}</script>'
    )
    return document(film.title, body, "film.css", "film.js")


def pictures(film: Film) -> Iterator[Image]:
    """Draw the frames with Matplotlib, each a (height, width, 3) image with even sides.

    What stays is drawn once; what moves is drawn over a copy of it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawing, panel_axes = style.canvas(len(film.panels), film.title)
    canvas = FigureCanvasAgg(drawing)
    drawing.set_dpi(DPI)
    for axes, panel in zip(panel_axes, film.panels, strict=True):
        plots.draw(axes, panel)
        axes.autoscale_view()
        axes.autoscale(False)
    style.caption(drawing, [" "])  # leave room for the text of each frame
    words = drawing.text(0.015, 0.02, "", **style.text(10.5))
    canvas.draw()
    empty = canvas.copy_from_bbox(drawing.bbox)
    for frame in film.frames:
        canvas.restore_region(empty)
        for axes, marks in zip(panel_axes, frame.marks, strict=True):
            for mark in marks:
                artist = draw_mark(axes, mark)
                axes.draw_artist(artist)
                artist.remove()
        words.set_text(style.shown(frame.said, 150))
        drawing.draw_artist(words)
        image = np.asarray(canvas.buffer_rgba())[:, :, :3]
        yield image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2].copy()


def _write_gif(images: Iterator[Image], path: Path) -> None:
    from PIL import Image as Pillow

    first = Pillow.fromarray(next(images)).quantize(PALETTE)  # all frames use the colours of the first
    later_frames = (Pillow.fromarray(image).quantize(palette=first, dither=Pillow.Dither.NONE) for image in images)
    frames = [first, *later_frames]
    waits = [1000 // RATE] * (len(frames) - 1) + [int(1000 * PAUSE)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=waits, loop=0, optimize=True)


def _write_video(images: Iterator[Image], path: Path) -> None:
    encoder, image = _encoder(), next(images)
    height, width, _ = image.shape
    writer = encoder.write_frames(
        str(path), (width, height), fps=RATE, quality=8, macro_block_size=2, ffmpeg_log_level="error"
    )
    writer.send(None)
    writer.send(image)
    for image in images:
        writer.send(image)
    for _ in range(round(RATE * PAUSE)):
        writer.send(image)
    writer.close()


def _encoder() -> ModuleType:
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        raise ConfigError(
            'A video needs FFmpeg, which is not installed: pip install "descend[video]". '
            "A page (.html) or a .gif needs nothing more."
        ) from None
    encoder: ModuleType = imageio_ffmpeg
    return encoder
