"""Symmetries of a formula: which of equally good parameters are shown, and whether like terms changed places."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.formula.order_of_terms import order_of
from descend.formula.structure import even_parameters, interchangeable, linear_unknowns, phases
from descend.formula.symbols import Parameter
from descend.gradients.derived import Program
from descend.models import Model, SymbolicModel
from descend.parameters import Bounds

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Mask = NDArray[np.bool_]
TURN = 2.0 * math.pi
MIRRORED_ON = 256
"""About as many rows tell whether two curves are the same."""
SAME_CURVE = 1e-9
"""Curves are the same that are no farther apart than this share of their range."""


def canonical(program: Program, theta: Array, given: Collection[str], bounds: Bounds | None = None) -> Array:
    """Choose among equally good answers: positive signs, phases in [-pi, pi], interchangeable terms in order.

    What was ``given`` keeps its value, and so does what would leave the bounds.
    """
    theta_ordered: Array = canonical_each(program, theta[None, :], given, bounds)[0][0]
    return theta_ordered


def canonical_each(
    program: Program, thetas: Array, given: Collection[str], bounds: Bounds | None = None
) -> tuple[Array, Places]:
    """Do so for each row of ``thetas``, (answers, p); also returns which component each one was before."""
    formula, slices = program.formula, program.parameters.slices
    settled, before = thetas, np.broadcast_to(np.arange(thetas.shape[1]), thetas.shape)

    def places(*symbols: Parameter | None) -> list[int] | None:
        free = [symbol for symbol in symbols if symbol is not None and symbol.name not in given]
        return [slices[symbol.name].start for symbol in free] if len(free) == len(symbols) else None

    def with_values(at: list[int] | Places, values: Array, chosen: Mask) -> Mask:
        """Put in values where chosen, and all stays within the bounds; returns where it does."""
        nonlocal settled
        changed = settled.copy()
        changed[np.ix_(chosen, np.ravel(at))] = values[chosen]
        if bounds is not None:
            chosen = chosen & bounds.contains(changed).all(axis=1)
        settled = np.where(chosen[:, None], changed, settled)
        return chosen

    for symbol, others in even_parameters(formula).items():
        if together := places(symbol, *others):
            with_values(together, -settled[:, together], settled[:, together[0]] < 0.0)
    for phase, amplitude in phases(formula).items():
        if pair := places(phase, amplitude):
            turned = settled[:, pair] * (1.0, -1.0) + (math.pi, 0.0)
            with_values(pair, turned, settled[:, pair[1]] < 0.0)
        if own := places(phase):
            angle = settled[:, own]
            with_values(own, angle - TURN * np.round(angle / TURN), np.abs(angle[:, 0]) > math.pi)
    for group in interchangeable(formula):
        rows = [places(*own) for own in group]
        if any(row is None for row in rows):
            continue
        at, order = np.array(rows), order_of(formula, group[0])
        first_to_last = np.argsort(order.keys(settled[:, at[:, order.place]]), axis=1, kind="stable")
        theta_ordered = at[first_to_last].reshape(len(settled), -1)
        changes = with_values(
            at, np.take_along_axis(settled, theta_ordered, 1), (theta_ordered != at.ravel()).any(axis=1)
        )
        swapped = before.copy()
        swapped[:, at.ravel()] = np.take_along_axis(before, theta_ordered, 1)
        before = np.where(changes[:, None], swapped, before)
    return settled, before


def upright(
    model: SymbolicModel,
    theta: Array,
    columns: Mapping[str, Array],
    given: Collection[str],
    bounds: Bounds | None = None,
) -> Array:
    """Turn negative parameters positive where that, with other linear parameters, draws the same curve.

    Such are the steepness b of c + (d - c)/(1 + (x/e)^b), where the limits c and d change places, and the width s of
    a + h/(1 + exp(-(x - m)/s)). What was ``given`` keeps its value, and so does what would leave the bounds.
    """
    formula, slices = model.formula, model.parameters.slices
    linear = np.zeros(theta.size, dtype=bool)
    for symbol in linear_unknowns(formula):
        linear[slices[formula.terms[symbol].vector if symbol in formula.terms else symbol.name]] = True
    shapes = [name for name in formula.parameters if name not in given and not linear[slices[name]].any()]
    negative = [name for name in shapes if (theta[slices[name]] < 0.0).all()]
    if not negative or not linear.any() or any(linear[slices[name]].any() for name in given if name in slices):
        return theta
    rows = len(next(iter(columns.values())))
    some = {name: column[:: max(1, rows // MIRRORED_ON)] for name, column in columns.items()}
    with np.errstate(all="ignore"):
        score = model.scores(theta, some)
        for name in negative:
            turned = np.where(linear, 0.0, theta)
            turned[slices[name]] *= -1.0
            base, jacobian = model.scores_and_jacobian(turned, some)
            design = jacobian[:, linear]
            if not (np.isfinite(design).all() and np.isfinite(base).all() and np.isfinite(score).all()):
                continue
            turned[linear] = np.linalg.lstsq(design, score - base, rcond=None)[0]
            off = np.abs(model.scores(turned, some) - score).max()
            if off <= SAME_CURVE * np.ptp(score) and (bounds is None or bounds.contains(turned).all()):
                theta = turned
    return theta


def order_of_terms(model: Model, given: Collection[str], end: Array) -> str | None:
    """Say which of the terms that can stand for each other is written first, where no starting value chose that."""
    if model.formula is None:
        return None
    sentences = []
    for group in interchangeable(model.formula):
        names = {symbol.name for own in group for symbol in own}
        order = order_of(model.formula, group[0])
        keys = order.keys(end[[model.parameters.slices[own[order.place].name].start for own in group]])
        if not names & set(given) and bool((np.diff(keys) >= 0.0).all()):
            sentences.append(f"{_named(group)} can stand for each other, which changes nothing; {order.words} is first")
    return "; ".join(sentences) or None


def changed_places(model: Model, given: Collection[str], start: Array, end: Array) -> str | None:
    """Say so if like terms, ordered one way by the starting values that were given, ended in another order."""
    if model.formula is None or not given:
        return None
    for group in interchangeable(model.formula):
        order = order_of(model.formula, group[0])
        names = [own[order.place].name for own in group]
        if not set(names) <= set(given):
            continue
        positions = [model.parameters.slices[name].start for name in names]
        before, after = start[positions], end[positions]
        if len(set(before.tolist())) < len(positions) or (np.argsort(before) == np.argsort(after)).all():
            continue
        were, are = (
            " < ".join(names[position] for position in np.argsort(values, kind="stable")) for values in (before, after)
        )
        return (
            f"like terms changed places: {_named(group)} can stand for each other, and where the start had {were}, the "
            f"fit has {are}"
        )
    return None


def _named(group: tuple[tuple[Parameter, ...], ...]) -> str:
    return " and ".join("(" + ", ".join(symbol.name for symbol in own) + ")" for own in group)
