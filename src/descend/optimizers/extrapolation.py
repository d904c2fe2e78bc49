"""Gauss-Newton steps lengthened by as much as each is shorter than the one before."""

from __future__ import annotations

from descend.optimizers.contract import Array, Units

FARTHEST = 10.0
"""Steps that hardly shrink are not extrapolated: they may lead to infinity."""


def extrapolated(move: Array, taken: Array, before: Array, units: Units) -> list[Array]:
    """Return steps to try instead of the Gauss-Newton step ``move``, the longest first.

    Each Gauss-Newton step shrinks by a constant factor along the direction in which the neglected curvature matters
    most. If ``before`` was the last Gauss-Newton step and ``taken`` was made instead, a secant removes that factor:
        move - share (taken + move - before),   share = <move - before, move> / |move - before|**2
    """
    change = move - before
    weighed = change * units
    length = float(change.dot(weighed))
    share = float(move.dot(weighed)) / length if length > 0.0 else 0.0
    if abs(share) > FARTHEST:
        return [move]
    secant = move - share * (taken + change)
    return [secant, move] if abs(share) > 0.1 else [secant]
