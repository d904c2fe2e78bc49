"""Classes that a formula tells apart with certainty: their loss has no minimum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.problem.preflight import listed
from descend.problem.problem import Problem
from descend.wording import using

Array = NDArray[np.float64]
FLAT = 1e-6
"""Smallest eigenvalue of the curvature, scaled to a unit diagonal, below which a direction is nearly flat ..."""
STEEP = 1e-3
"""... if it is this much steeper at the start, where no class is certain; else columns depend on each other."""
CERTAIN = 0.9999
"""A probability of the observed class above this may be on its way to 1."""
ALL_CERTAIN = 1e-6
"""A mean loss of classes all of which are certain."""
INVOLVED = 0.05
"""Share of a direction from which on a parameter takes part in it."""


def separated_classes(problem: Problem, theta: Array) -> str | None:
    """Say so if J does not rise along a direction that is flat only because classes are certain; None otherwise."""
    objective = problem.objective
    if objective.penalty is not None or objective.priors is not None:
        return None
    with np.errstate(all="ignore"):
        if not _certain(problem, theta):
            return None
        loss = objective(theta, 0).loss
        here = None if loss < ALL_CERTAIN else _flattest(problem, theta)  # else all directions are flat
        if here is not None and here[0] >= FLAT:
            return None
        before = _flattest(problem, problem.start)
        if loss >= ALL_CERTAIN and (before is None or (here is not None and here[0] >= FLAT * before[0] / STEEP)):
            return None
        direction = theta if here is None else here[1]
        stride = float(np.abs(theta).max() / np.abs(direction).max())
        ends = [objective(theta + sign * stride * direction, 0).loss for sign in (1.0, -1.0)]
    if not min(ends) <= loss * (1.0 + 1e-9) + 1e-12:
        return None
    largest = np.abs(direction).max()
    moving = [
        label
        for label, share in zip(problem.model.parameters.labels, np.abs(direction).tolist(), strict=True)
        if share > INVOLVED * largest
    ]
    return (
        f"The data are separated: as {listed(moving, 'and')} grow, rows are predicted ever better and none worse. The "
        f"loss falls for as long as that goes on, so there is no best fit. Add a penalty{using('l2')}, leave a column "
        "out, or use more data."
    )


def _certain(problem: Problem, theta: Array) -> bool:
    """Whether some class that was observed, or all, are predicted nearly with certainty; else nothing ran away."""
    if (surest := problem.objective.engine.surest(theta)) is not None:
        return surest > CERTAIN
    model, columns = problem.model, problem.columns
    chances = model.loss.probabilities(model.scores(theta, columns), model.complete(theta))
    class_numbers = model.observed(columns).astype(np.intp)
    return bool((chances[np.arange(len(class_numbers)), class_numbers] > CERTAIN).any())


def _flattest(problem: Problem, theta: Array) -> tuple[float, Array] | None:
    """Return the smallest eigenvalue of the scaled curvature and its direction; None where it is 0 or not finite."""
    curvature = problem.objective(theta, 2).curvature
    if not isinstance(curvature, np.ndarray) or not np.isfinite(curvature).all():
        return None
    diagonal = curvature.diagonal()
    if not (diagonal > 0.0).all():
        return None
    scale = 1.0 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(curvature * scale * scale[:, None])
    return float(max(values[0], 0.0)), vectors[:, 0] * scale
