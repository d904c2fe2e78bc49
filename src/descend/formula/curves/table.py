"""The table of curves, by name and by field of science; what else they are called leads to them."""

from __future__ import annotations

import difflib
import re

from descend.formula.curves import (
    adsorption,
    decays,
    earth,
    ecology,
    electrochemistry,
    enzymes,
    growth,
    peaks,
    people,
    pharmacokinetics,
    polynomials,
    solids,
    thermodynamics,
    waves,
)
from descend.formula.curves.entry import Curve

FIELDS = (
    peaks,
    decays,
    waves,
    enzymes,
    growth,
    ecology,
    pharmacokinetics,
    thermodynamics,
    adsorption,
    solids,
    electrochemistry,
    earth,
    people,
    polynomials,
)
"""The files of this room, one for each field of science."""
CURVES: dict[str, Curve] = {}
"""The curves by name, in the order in which they are listed."""
SHORT = 5
"""Letters below which a name is not taken for a misprint of another."""
_FIELD_OF: dict[str, str] = {}


def listed(field: str, *curves: Curve) -> None:
    """Put curves of one field into the table."""
    for curve in curves:
        CURVES[curve.name] = curve
        _FIELD_OF[curve.name] = field


def curve_named(name: str) -> Curve | None:
    """Return the curve that formulas call so; None if there is none."""
    return CURVES.get(name)


def fields() -> dict[str, tuple[Curve, ...]]:
    """Return the curves of each field of science."""
    names = dict.fromkeys(_FIELD_OF[name] for name in CURVES)
    return {field: tuple(each for each in CURVES.values() if _FIELD_OF[each.name] == field) for field in names}


def nearest(name: str, exactly: bool = False) -> Curve | None:
    """Return the curve that is called so, here or elsewhere, or nearly so unless ``exactly``; None if none is.

    Capital letters, blanks, hyphens and underscores do not matter.

    >>> [nearest(name).name for name in ("Straight-Line", "polynomail")]
    ['line', 'polynomial']
    """
    curves_by_name: dict[str, Curve] = {}
    for curve in CURVES.values():
        for curve_name in (curve.name, curve.title, *curve.other_names):
            curves_by_name.setdefault(_plain(curve_name), curve)
    if (exact := curves_by_name.get(_plain(name))) is not None:
        return exact
    if exactly or len(_plain(name)) < SHORT:
        return None
    close_names = difflib.get_close_matches(_plain(name), curves_by_name, n=1, cutoff=0.75)
    return curves_by_name[close_names[0]] if close_names else None


def curves_found(words: str) -> list[Curve]:
    """Return the curves that have all words in their name, title, aliases, use, field or arguments' meanings.

    >>> [curve.name for curve in curves_found("knots")]
    ['spline']
    """
    return [curve for curve in CURVES.values() if all(word in _said_of(curve) for word in words.casefold().split())]


def _said_of(curve: Curve) -> str:
    meanings = [f"{argument.name} {argument.meaning}" for argument in curve.arguments]
    meanings += [f"{argument.name} {argument.meaning}" for argument in curve.settings]
    curve_texts = (curve.name, curve.title, curve.aliases, curve.use, curve.y, _FIELD_OF[curve.name], *meanings)
    return " ".join(curve_texts).casefold()


def _plain(name: str) -> str:
    return re.sub(r"[^\w]|_", "", name.casefold())


for _field in FIELDS:
    listed(_field.FIELD, *_field.ENTRIES)
