"""The order in which like terms of a sum are shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from descend.formula.formula import Formula
from descend.formula.structure import linear_unknowns, measures, waves
from descend.formula.symbols import Column, Parameter, Predictor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Order:
    """By which of their parameters, at ``place`` in each tuple, like terms are ordered, and how.

    by_size: whether its sign does not count. falling: whether the largest comes first. words: the same for a reader.
    """

    place: int
    by_size: bool
    falling: bool
    words: str

    def keys(self, values: Array) -> Array:
        """Return numbers that rise in this order, for values of that parameter."""
        sizes = np.abs(values) if self.by_size else values
        return -sizes if self.falling else sizes


@lru_cache(maxsize=128)
def order_of(formula: Formula, own_symbols: tuple[Parameter, ...]) -> Order:
    """Return in which order terms such as one with these parameters are shown.

    Peaks and steps go from left to right, waves from low to high frequency, and of decays, saturations and whatever
    else runs along the data the fastest comes first; others are ordered by their first nonlinear parameter.
    """
    measured, linear = measures(formula), linear_unknowns(formula)
    moving = [number for number, symbol in enumerate(own_symbols) if symbol not in linear]
    for number in moving:
        location = measured[own_symbols[number]].location
        added = location is not None and location.could_extract_minus_sign()
        # What is added to x and the only unknown, as in `x/(k + x)`, says how fast a curve saturates.
        if location is not None and (len(moving) > 1 or not added):
            return Order(number, False, added, "the leftmost")
    for number, symbol in enumerate(own_symbols):
        if symbol in waves(formula):
            return Order(number, True, waves(formula)[symbol].is_period, "the one of lowest frequency")
    for number in moving:
        power = distance_power(formula, own_symbols[number])
        if power:
            return Order(number, True, power < 0.0, "the fastest")
    number = moving[0] if moving else 0
    return Order(number, False, False, f"the one of lowest {own_symbols[number].name}")


def distance_power(formula: Formula, symbol: Parameter | Predictor) -> float:
    """Return the power of a distance in the unit of a parameter: 1 for a width, -1 for a rate, 0 if there is none."""
    unit = measures(formula)[symbol].unit
    return max((power for base, power in unit.items() if base.atoms(Column)), key=abs, default=0.0)
