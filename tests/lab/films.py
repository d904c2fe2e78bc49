"""A film as a page has it, with its figures."""

from __future__ import annotations

from descend.lab.descents.runs import Descents
from descend.lab.figures.film import figures_of, moving
from descend.lab.figures.still_figures import Plain


def film_of(runs: Descents, dark: bool) -> Plain:
    """Return the film of some descents."""
    return moving(runs) | {"figures": {name: make() for name, (_, make) in figures_of(runs, dark).items()}}
