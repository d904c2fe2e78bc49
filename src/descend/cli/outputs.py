"""The files a verb is to write, checked before anything is read or fitted."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from pathlib import Path

from descend.errors import OutputError
from descend.output import refuse_unwritable

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg")
PAGES = (".html", ".htm")


def check_outputs(outputs: Mapping[str, str | None], inputs: Iterable[str] = ()) -> None:
    """Refuse a file that cannot be written, that two options name, or that is one of the inputs.

    outputs: option -> file, None if the option was not given. Raises OutputError, leaving nothing behind.
    """
    taken: dict[Path, str] = {}
    for option, name in outputs.items():
        if name is None:
            continue
        place = refuse_unwritable(name).resolve()
        if place in taken:
            raise OutputError(f"`{taken[place]}` and `{option}` both write `{name}`. Give each a file of its own.")
        taken[place] = option
        for given in inputs:
            if any(place == Path(found).resolve() for found in (given, *glob.iglob(given, recursive=True))):
                raise OutputError(f"`{option}` would overwrite `{name}`, which is to be read. Give another file.")


def check_picture(name: str | None) -> None:
    """Refuse a picture of a kind that cannot be drawn."""
    if name is not None and Path(name).suffix.lower() not in PICTURES:
        raise OutputError(f"`{name}` cannot be drawn: its ending must be one of {', '.join(PICTURES)}.")


def check_page(name: str | None) -> None:
    """Refuse a report whose name does not say that it is a page."""
    if name is not None and Path(name).suffix.lower() not in PAGES:
        raise OutputError(f"`{name}` cannot be the report, which is a page: its name must end in .html.")


def check_animation(name: str | None) -> None:
    """Refuse an animation of a kind that cannot be written, before the run."""
    if name is not None:
        from descend.report.animation import check_animation

        check_animation(name)
