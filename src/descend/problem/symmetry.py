"""Symmetries of a formula: which of equally good parameters are shown, and whether like terms changed places."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from descend.formula.structure import even_parameters, interchangeable, linear_unknowns, phases
from descend.formula.symbols import Parameter
from descend.gradients.contract import Program
from descend.models import Model
from descend.parameters import Bounds

Array = NDArray[np.float64]


def canonical(program: Program, theta: Array, given: Collection[str], bounds: Bounds | None = None) -> Array:
    """Choose among equally good answers: positive signs, phases in [-pi, pi], interchangeable terms in order."""
    formula, slices = program.formula, program.parameters.slices
    settled = theta.copy()

    def places(*symbols: Parameter | None) -> list[int] | None:
        free = [symbol for symbol in symbols if symbol is not None and symbol.name not in given]
        return [slices[symbol.name].start for symbol in free] if len(free) == len(symbols) else None

    for symbol, others in even_parameters(formula).items():
        together = places(symbol, *others)
        if together and settled[together[0]] < 0.0:
            settled[together] *= -1.0
    for phase, amplitude in phases(formula).items():
        if (pair := places(phase, amplitude)) and settled[pair[1]] < 0.0:
            settled[pair] = settled[pair[0]] + math.pi, -settled[pair[1]]
        if own := places(phase):
            settled[own[0]] = math.remainder(settled[own[0]], 2.0 * math.pi)
    linear = linear_unknowns(formula)
    for group in interchangeable(formula):
        rows = [places(*own) for own in group]
        if any(row is None for row in rows):
            continue
        at = np.array(rows)
        leader = next((column for column, symbol in enumerate(group[0]) if symbol not in linear), 0)
        settled[at] = settled[at[np.argsort(settled[at[:, leader]], kind="stable")]]
    return settled if bounds is None or bounds.contains(settled).all() else theta


def changed_places(model: Model, given: Collection[str], start: Array, end: Array) -> str | None:
    """Say so if like terms, ordered one way by the starting values that were given, ended in another order.

    They are ordered by the first of their parameters that does not enter linearly.
    """
    if model.formula is None or not given:
        return None
    linear = linear_unknowns(model.formula)
    for group in interchangeable(model.formula):
        leader = next((place for place, symbol in enumerate(group[0]) if symbol not in linear), 0)
        names = [own[leader].name for own in group]
        if not set(names) <= set(given):
            continue
        places = [model.parameters.slices[name].start for name in names]
        before, after = start[places], end[places]
        if len(set(before.tolist())) < len(places) or (np.argsort(before) == np.argsort(after)).all():
            continue
        terms = " and ".join("(" + ", ".join(symbol.name for symbol in own) + ")" for own in group)
        were, are = (
            " < ".join(names[place] for place in np.argsort(values, kind="stable")) for values in (before, after)
        )
        return (
            f"like terms changed places: {terms} can stand for each other, and where the start had {were}, the fit has "
            f"{are}"
        )
    return None
