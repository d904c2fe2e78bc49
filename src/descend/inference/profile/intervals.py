"""Profile-likelihood intervals: how far one parameter can move while the others are fitted again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import once
from descend.descent.solution import Named, Solution
from descend.errors import ConfigError
from descend.formula.symbols import Component, Parameter
from descend.inference.covariance.standard_errors import generalized_covariance
from descend.inference.determined import undetermined
from descend.inference.estimates import estimates_of
from descend.inference.intervals import Intervals, quantile, t_intervals
from descend.inference.profile.path import Why
from descend.inference.profile.sides import Sides
from descend.parameters import Constraints
from descend.problem.objective import VectorObjective

Array = NDArray[np.float64]
MOST = 200
"""With more parameters, most of one group each, only the profiles of what groups share are followed."""
IMAGES = 33
"""Values of a parameter at which one tied to it is computed, to see whether it rises or falls all the way."""
FAR = 1e3
"""How far these values reach where an end is open, as a multiple of the estimate."""


def refuse_without_likelihood(solution: Solution) -> None:
    """Raise ConfigError for a loss that is no likelihood, which has no profile."""
    if not solution.loss_function.likelihood:
        raise ConfigError(
            f"A profile interval needs a likelihood, which the {solution.loss_function.name} loss is not. "
            "Use the method sandwich or bootstrap."
        )


def profile_intervals(solution: Solution, level: float) -> Intervals:
    """Return, for each parameter, the values b at which |tau(b)| is at most the quantile of ``t_intervals``.

    With J_b the least J for the other parameters within their bounds while this one is held at b, and W the sum
    of row weights:

        tau(b)**2 = W (J_b - J) / s**2      squared, s**2 = W J / (n - p)
                    W (J_b - J)             squared with sigma
                    2 W (J_b - J)           poisson, logistic

    For a linear model these are the t intervals. An end beyond a bound is moved to it; one is infinite if |tau| stays
    below the quantile however far the parameter goes. If tau falls again further out, the interval is the part around
    the estimate: its end is the first crossing. The points where tau was computed do not depend on the level, and are
    kept for other levels, so that a higher level never has a narrower interval.

    Source: Bates & Watts (1988), Nonlinear Regression Analysis, sec. 6.1; Venzon & Moolgavkar (1988), Appl. Statist.
    37, 87-94.

    Raises ConfigError for losses that are not a likelihood, and where there are no standard errors.
    """
    refuse_without_likelihood(solution)
    estimates = estimates_of(solution)
    reach, ends, notes = quantile(level, estimates.degrees), {}, []
    alone = _not_followed(solution)
    usual = t_intervals(estimates, level, "t").labelled if alone.any() else {}
    if alone.any():
        notes.append(
            f"the intervals of {int(alone.sum()):,} parameters of single groups are t intervals: the profile was "
            "followed of what groups share; that of one of them is a quantity with the method profile"
        )
    with np.errstate(all="ignore"):
        sides = sides_of(solution)
        for component, label in enumerate(solution.model.parameters.labels):
            if alone[component]:
                ends[label] = usual[label]
                continue
            if component not in sides.paths:
                ends[label] = (-math.inf, math.inf)
                continue
            ends[label], notes_on_ends = interval_of(sides, component, label, reach, level)
            notes += notes_on_ends
    tied, notes_on_tied = _of_tied(solution, ends)
    return Intervals(estimates, ends | tied, level, "profile", notes + notes_on_tied)


@once
def sides_of(solution: Solution) -> Sides:
    """Return both sides of the profile of each parameter that the data determine, as far as they were followed."""
    estimates, generalized = estimates_of(solution, "model"), generalized_covariance(solution, "model")
    covariance = estimates.needed_covariance()
    if generalized is None:
        raise ConfigError(estimates.why_none)
    followed = ~undetermined(solution.model, covariance, solution.undetermined) & ~_not_followed(solution)
    return Sides(solution, generalized, np.flatnonzero(followed).tolist())


def _not_followed(solution: Solution) -> NDArray[np.bool_]:
    """Mark the parameters of single groups, where following the profiles of them all would take hours."""
    not_followed = np.zeros(solution.theta.size, dtype=bool)
    engine = solution.objective.engine.grouped
    if engine is not None and not_followed.size > MOST:
        not_followed[engine.layout.own] = True
    return not_followed


def sides_of_quantity(
    solution: Solution, objective: VectorObjective, theta: Array, rates: Array, component: int
) -> Sides:
    """Return both sides of the profile of what takes the place of a parameter in other coordinates of the same J.

    objective, theta: J and its minimum in these coordinates. rates: (p, p), their derivatives by the parameters.
    """
    generalized = generalized_covariance(solution, "model")
    if generalized is None:
        raise ConfigError(estimates_of(solution, "model").why_none)
    assert isinstance(generalized, np.ndarray)
    problem = replace(solution.problem, objective=objective)
    solution_exchanged = replace(solution, problem=problem, theta=theta, answers={})
    return Sides(solution_exchanged, rates @ generalized @ rates.T, [component], solution)


def interval_of(
    sides: Sides, component: int, label: str, reach: float, level: float
) -> tuple[tuple[float, float], list[str]]:
    """Return the profile interval of a parameter, and what a reader must know of its ends. reach: see ``Sides.of``."""
    (low, why_low), (high, why_high) = sides.of(component, reach)
    return (low, high), _why_open(label, "lower", low, why_low, level) + _why_open(
        label, "upper", high, why_high, level
    )


def _why_open(label: str, word: str, end: float, why: Why, level: float) -> list[str]:
    """Return what a reader must know of an end besides its number: why it is open, or not where tau is reached."""
    if why is Why.OPEN or math.isinf(end):
        return [f"`{label}` has no {word} end at {level * 100:g}%: the data do not bound it there"]
    end_text = f"the {word} end of `{label}`, {end:.6g},"
    if why is Why.WALL:
        return [f"{end_text} is where the model ceases to have a value"]
    if why is Why.JUMP:
        return [f"{end_text} is where the likelihood jumps"]
    if why is Why.UNFITTED:
        return [f"{end_text} is as far as the others could be fitted again: the true one may be further out"]
    return []


def _of_tied(
    solution: Solution, ends: dict[str, tuple[float, float]]
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return the intervals of tied parameters, computed from the ends of those they are tied to, and notes on the rest.

    These are their profile intervals if they are tied to one parameter, and rise or fall with it all the way.
    """
    held = solution.constraints
    intervals_of_tied: dict[str, tuple[float, float]] = {}
    notes: list[str] = []
    if held is None:
        return intervals_of_tied, notes
    for name, expression in held.tied.items():
        symbols = [symbol.name for symbol in expression.atoms(Parameter, Component)]
        image = _image(held, solution.parameters, name, symbols[0], ends[symbols[0]]) if len(symbols) == 1 else None
        if image is not None:
            intervals_of_tied[name] = image
            continue
        notes.append(f"`{name}` is tied in a way that leaves it no profile interval: ask for t or bootstrap instead")
    return intervals_of_tied, notes


def _image(held: Constraints, best: Named, name: str, by: str, ends: tuple[float, float]) -> tuple[float, float] | None:
    """Return the ends of the parameter tied to ``by``; None if it does not rise, or fall, with ``by`` all the way."""
    centre = float(np.asarray(held.of_free(by, best)).item())
    far = FAR * max(abs(centre), 1.0)
    between = np.linspace(max(ends[0], centre - far), min(ends[1], centre + far), IMAGES)
    values = np.concatenate([[ends[0]], between[1:-1], [ends[1]]])
    image = np.array([held.tied_value(name, {**best, by: float(value)}) for value in values])
    rises = np.diff(image)
    if np.isnan(image).any() or not ((rises >= 0.0).all() or (rises <= 0.0).all()):
        return None
    return float(image.min()), float(image.max())
