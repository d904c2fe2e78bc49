"""Which parameters the data cannot tell apart, and which combinations are determined all the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.triangles import condition_bound
from descend.errors import DataError
from descend.formula.redundancy import redundancies
from descend.formula.symbols import Parameter
from descend.formula.trade_off import joined, motions_along, trade_off
from descend.gradients.derived import derived
from descend.models import Model, SymbolicModel
from descend.optimizers.curvature import smallest_share, triangle
from descend.optimizers.damped_systems import surely_above
from descend.problem.point import Objective, Point
from descend.problem.preflight import constant_inputs, listed
from descend.table.rows import finite
from descend.wording import using

Array = NDArray[np.float64]
SINGULAR = 1e-13
"""Share of the largest eigenvalue, after scaling to a unit diagonal; a curvature below it determines nothing."""
SUSPECT = 1e-5
"""If a singular value of the scaled Jacobian is below this share of the largest, the expression is searched."""
EXACT = 1e-12
"""A share below this is only rounding. NIST's hardest problems reach 1e-5, a polynomial of degree 10 1e-10."""
EXACT_SUMMED = 1e-7
"""The same where only the curvature is known: it holds the squares of these shares, and 1e-14 is rounding."""
ALIKE = 1e-3
"""Parameters merely trade off along a direction if its share is below this, ..."""
UNCERTAIN = 0.5
"""... and each of them has a standard error above this share of its value, so that none can be told from 0."""
CORRELATED = 0.999
"""Two parameters whose correlation is above this get a remark, ..."""
KNOWN = 0.01
"""... if the standard errors of both are above this share of their values."""
ROUNDING = 1e-14
"""Predictions and residuals below this share of the response are only rounding."""
INVOLVED = 1e-4
"""A parameter takes part in a direction if its share of the direction is at least this, ..."""
TAKES_PART = 0.05
"""... or at least this, where the singular value is merely small rather than zero."""
MOST = 500
"""Parameters above which the singular values would take longer than the descent."""


@dataclass(frozen=True)
class Verdict:
    """labels: parameters without a standard error, as they are exactly undetermined. sentences: what trades off.

    remarks: what is determined, if only because the rows are so good: parameters that are highly correlated.
    """

    labels: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


DETERMINED = Verdict()
"""The verdict that the data leave nothing open."""


def at_start(model: Model, point: Point, columns: Mapping[str, Array], source: str) -> tuple[str, ...]:
    """Return sentences on what no descent from here can determine: by the expression, or for a linear model the data.

    Raises DataError where a column that never changes is the cause.
    """
    if point.curvature is not None and not isinstance(point.curvature, np.ndarray):
        return ()  # what groups determine is told where the descent ends
    note = _of_linear(model, point, columns, source)
    if model.formula is None or model.parameters.size < 2:
        return (note,) if note else ()
    curvature = point.matrix
    if note is None:
        if model.linear or curvature is None or surely_above(curvature, SUSPECT**2):
            return ()
        smallest = smallest_share(curvature)
        if np.isfinite(curvature).all() and (smallest is None or smallest >= SUSPECT**2):
            return ()
    structural = tuple(str(each) for each in redundancies(model.formula))
    return structural or ((note,) if note and _null(point.at(point.theta, 3)) else ())


def _of_linear(model: Model, point: Point, columns: Mapping[str, Array], source: str) -> str | None:
    """Refuse a linear model whose parameters the data cannot tell apart because a column never changes.

    Returns a note where columns merely repeat each other: a descent then reaches one of many equal answers.
    """
    curvature = point.matrix
    if not model.linear or curvature is None or not finite(curvature.ravel()):
        return None
    labels = model.parameters.labels
    diagonal = curvature.diagonal()
    if min(diagonal.tolist()) <= 0.0:
        idle = np.flatnonzero(diagonal <= 0.0)
        only = np.zeros(len(labels))
        only[idle[0]] = 1.0
        if largest := float(np.abs(model.predict(only, columns) - model.predict(0.0 * only, columns)).max()):
            raise DataError(
                f"What `{labels[idle[0]]}` is multiplied by is {largest:g} at most in {source}, so small that its "
                "square is 0 in floating point. Measure it in another unit."
            )
        constant = constant_inputs(model, columns)
        why = (
            f"`{constant[0]}` is {columns[constant[0]][0]:g} in every row"
            if constant
            else "its column is 0 in every row"
        )
        raise DataError(
            f"`{labels[idle[0]]}` has no influence on the prediction: {why} of {source}. Remove it, or use other data."
        )
    if len(labels) == 1:
        return None
    scale = np.sqrt(diagonal)
    scaled = curvature / (scale * scale[:, None])
    if SINGULAR * condition_bound(scaled) < 1.0:
        return None
    values, vectors = np.linalg.eigh(scaled)
    if values[0] > SINGULAR * values[-1]:
        return None
    involved = [labels[k] for k in np.flatnonzero(np.abs(vectors[:, 0]) > 1e-3)]
    if constant := constant_inputs(model, columns):
        raise DataError(
            f"`{constant[0]}` is {columns[constant[0]][0]:g} in every row of {source}, so {listed(involved, 'and')} "
            f"cannot be told apart. Remove one of them, or use data in which `{constant[0]}` varies."
        )
    return (
        f"{listed(involved, 'and')} cannot be told apart: their columns are linear combinations of each other. "
        f"Only some combination of them is determined; remove one, or add a penalty{using('l2')}."
    )


def _null(point: Point) -> bool:
    """Whether the triangle of the Jacobian, in which nothing is squared, is singular to rounding."""
    upper = triangle(point)[0]
    singular = np.linalg.svd(upper / np.sqrt(np.add.reduce(upper * upper)), compute_uv=False)
    return bool(singular[-1] <= (EXACT if point.factor is not None else EXACT_SUMMED) * singular[0])


def free_values(model: Model) -> dict[str, float]:
    """Return values for the parameters that may be chosen freely: a search over all of them would not settle."""
    if model.formula is None:
        return {}
    free = {name: value for each in redundancies(model.formula) for name, value in each.fixed.items()}
    return {name: value for name, value in free.items() if name in model.formula.parameters}


def at_end(model: Model, objective: Objective, theta: Array, converged: bool, scale: float = 0.0) -> Verdict:
    """Say what the data leave undetermined at theta.

    With R the triangle of the Jacobian (R'R the curvature), D its column norms and R D^-1 = U S V': a direction v/D,
    v a row of V', whose singular value is zero to rounding changes no prediction. Where it is merely small, noise
    decides: standard errors are s |R^-1|, s**2 = 2 J / (n - p), or 1 / n where the curvature is the Fisher information.
    A module is not looked into: no matrix of its parameters is formed.

    scale: the mean square of the response, if the loss is squared; it decides what counts as rounding.
    """
    if model.in_place or theta.size < 2 or (theta.size > MOST and not objective.arrow):
        return DETERMINED
    # The curvature is cheap to examine; look closer only if it leaves a doubt.
    point = objective(theta, 2)
    if objective.arrow:
        from descend.identifiability.of_groups import verdict_of_groups

        return Verdict(*verdict_of_groups(model, objective, point))
    curvature = point.matrix
    if curvature is None:
        return DETERMINED
    symbolic = model.symbolic if point.loss <= ROUNDING**2 * scale else None
    if symbolic is not None and (still := _idle(symbolic, point, scale)):
        return Verdict(still, (_no_influence(still, "but for rounding"),))
    if surely_above(curvature, 1.0 - CORRELATED):
        return DETERMINED
    smallest = smallest_share(curvature)
    if smallest is not None and smallest >= 1.0 - CORRELATED:
        return DETERMINED
    degrees = objective.rows - theta.size if converged else 0
    if smallest is not None and smallest >= ALIKE**2 and degrees <= 0:
        return DETERMINED
    point = objective(theta, 3)
    upper = triangle(point)[0]
    norms = np.sqrt(np.add.reduce(upper * upper))
    if not np.isfinite(norms).all():
        return DETERMINED
    labels = model.parameters.labels
    if not norms.all():
        idle = [labels[k] for k in np.flatnonzero(norms == 0.0)]
        return Verdict(tuple(idle), _said_of_idle(model, objective, theta, idle))
    _, singular, directions = np.linalg.svd(upper / norms)
    exact = EXACT if point.factor is not None else EXACT_SUMMED
    null = int((singular <= exact * singular[0]).sum())
    if null:
        return _exactly(model, objective, point, directions[-null:] / norms, norms)
    return _statistically(model, objective, point, upper, degrees) if degrees > 0 else DETERMINED


def _statistically(model: Model, objective: Objective, point: Point, upper: Array, degrees: int) -> Verdict:
    """Say what noise leaves undetermined: a direction in which no parameter can be told from 0, or a correlation.

    Parameters that are merely added, such as an intercept, absorb the origin of the columns. Their correlations say
    nothing about the others, so directions are sought with these projected out.
    """
    norms = np.sqrt(np.add.reduce(upper * upper))
    root = np.linalg.inv(upper / norms) / norms[:, None]
    variance = (
        1.0 / objective.rows if model.loss.dispersion_known else 2.0 * max(point.loss - objective.floor, 0.0) / degrees
    )
    errors = np.sqrt(variance * np.square(root).sum(axis=1))
    added = _merely_added(model)
    beside = np.asarray(np.linalg.qr(np.column_stack([upper[:, added], upper[:, ~added]]), mode="r"))
    inner = beside[added.sum() :, added.sum() :]
    lengths = np.sqrt(np.add.reduce(inner * inner))
    _, singular, directions = np.linalg.svd(inner / lengths)
    if len(singular) > 1 and singular[-1] <= ALIKE * singular[0]:
        loose = np.abs(directions[-1]) > TAKES_PART
        unknown = errors[~added] > UNCERTAIN * np.abs(point.theta[~added])
        if loose.sum() > 1 and unknown[loose].all():
            direction = np.zeros(len(norms))
            direction[~added] = directions[-1] / lengths
            direction[added] = -np.linalg.lstsq(upper[:, added], upper @ direction, rcond=None)[0]
            return Verdict((), _named(model, objective, point, direction, norms, exact=False).sentences)
    return Verdict((), (), _correlated(model, point, root, errors, added))


def _correlated(model: Model, point: Point, root: Array, errors: Array, added: NDArray[np.bool_]) -> tuple[str, ...]:
    """Name the two most correlated parameters, leaving out those that are merely added."""
    free = np.flatnonzero(~added & (errors > KNOWN * np.abs(point.theta)))
    labels = model.parameters.labels
    rows = root / np.sqrt(np.square(root).sum(axis=1))[:, None]
    correlations = rows @ rows[free].T if len(free) else np.zeros((len(root), 0))
    correlations[added] = 0.0
    correlations[free, np.arange(len(free))] = 0.0
    if not correlations.size or not (largest := float(np.abs(correlations).max())) >= CORRELATED:
        return ()
    first, second = sorted(
        (np.abs(correlations).argmax() // len(free), free[np.abs(correlations).argmax() % len(free)])
    )
    beside = (1.0 - largest) * (1.0 + largest)
    times = float(f"{1.0 / math.sqrt(max(beside, 1e-16)):.2g}")
    sign = "-" if rows[first] @ rows[second] < 0.0 else ""
    return (
        f"{labels[first]} and {labels[second]} are correlated {sign}{_nines(largest)}: only a combination of them is "
        f"known well, and the standard error of each is {times:,.0f} times that if the other were known.",
    )


def _nines(correlation: float) -> str:
    """Write a number just below 1 with enough digits that the last is not a 9, at most eight.

    >>> _nines(0.99987), _nines(1.0)
    ('0.99987', '0.99999999')
    """
    digits = min(1 - math.floor(math.log10(max(1.0 - correlation, 1e-9))), 8)
    return f"{math.floor(correlation * 10**digits) / 10**digits:.{digits}f}" if correlation < 1.0 else "0.99999999"


def _merely_added(model: Model) -> NDArray[np.bool_]:
    """Mark parameters merely added to the score or its logarithm: the derivative is 1, or the prediction itself."""
    added = np.zeros(model.parameters.size, dtype=bool)
    if model.formula is not None:
        program = derived(model.formula, model.loss)
        for symbol, slope in program.jacobian.items():
            if isinstance(symbol, Parameter) and slope in (1, program.score):
                added[model.parameters.slices[symbol.name]] = True
    return added


def _idle(model: SymbolicModel, point: Point, scale: float) -> tuple[str, ...]:
    """Return the parameters that do not enter linearly and move predictions by nothing but rounding, as in 0*exp(-b*x).

    The root mean square change of the predictions by theta_k is theta_k sqrt(C_kk / 2).
    """
    assert point.curvature is not None
    influence = np.abs(point.theta) * np.sqrt(point.curvature.diagonal() / 2.0)
    still = influence <= ROUNDING * math.sqrt(scale)
    idle = np.flatnonzero(still & ~model.separable)
    return tuple(model.parameters.labels[j] for j in idle)


def _said_of_idle(model: Model, objective: Objective, theta: Array, idle: Sequence[str]) -> tuple[str, ...]:
    """Return sentences on parameters without a derivative: those that move predictions in jumps, and the others."""
    from descend.identifiability.jumps import in_jumps, jumping

    jumps = jumping(model, objective, theta, idle)
    still = [label for label in idle if label not in jumps]
    return (*([in_jumps(jumps)] if jumps else []), *([_no_influence(still)] if still else []))


def _no_influence(labels: Sequence[str], but: str = "") -> str:
    has, it = ("has", "it") if len(labels) == 1 else ("have", "them")
    here = f"here {but}" if but else "here"
    return (
        f"{joined(labels)} {has} no influence on any prediction {here}, so these data do not determine {it}. "
        f"Start elsewhere, or remove {it} from the formula."
    )


def _exactly(model: Model, objective: Objective, point: Point, directions: Array, norms: Array) -> Verdict:
    """Name the directions along which no prediction changes, citing the expression where it explains them."""
    labels = model.parameters.labels
    if model.formula is not None:
        structural = redundancies(model.formula)
        if structural:
            involved = {label for each in structural for label in each.parameters}
            alike = tuple(label for label in labels if label in involved)
            return Verdict(alike, tuple(str(each) for each in structural))
    if len(directions) == 1:
        return _named(model, objective, point, directions[0], norms, exact=True)
    loose = np.abs(directions * norms) > INVOLVED
    several = tuple(labels[k] for k in np.flatnonzero(loose.any(axis=0)))
    left = len(several) - len(directions)
    only = "no combination" if left < 1 else f"only {left} combination{'s' if left > 1 else ''}"
    return Verdict(several, (f"{joined(several)} trade off: these data determine {only} of them.",))


def _named(model: Model, objective: Objective, point: Point, direction: Array, norms: Array, exact: bool) -> Verdict:
    """Put one direction into words: what it leaves unchanged, if that is a simple combination."""
    labels, theta = model.parameters.labels, point.theta
    loose = np.flatnonzero(np.abs(direction * norms) > (INVOLVED if exact else TAKES_PART))
    involved = tuple(labels[k] for k in loose)
    if len(loose) < 2:
        return Verdict(involved, (_no_influence(involved),)) if involved and exact else DETERMINED
    if model.linear:
        alike = "multiples of each other" if len(loose) == 2 else "linear combinations of each other"
        almost = "" if exact else "almost "
        sentence = f"{joined(involved)} cannot be told apart by these data: their columns are {almost}{alike}."
        return Verdict(involved, (sentence,))
    motions = motions_along(theta[None, loose], direction[None, loose], 1e-5 if exact else TAKES_PART, simple=True)
    if motions is not None:
        moved_theta = theta.copy()
        for j, motion in zip(loose, motions, strict=True):
            moved_theta[j] = motion.moved(theta[j], 0.1)
        noise = point.loss * (1e-6 if exact else 1.0 / objective.rows) + 1e-14 * abs(objective(theta * 0.0, 0).loss)
        if objective(moved_theta, 0).loss - point.loss <= noise:
            law = trade_off(involved, motions)
            verb = "is" if len(law.determined) == 1 else "are"
            sentence = f"{joined(involved)} trade off: only {joined(law.determined)} {verb} determined by these data."
            return Verdict(involved, (sentence,))
    return Verdict(involved, (f"{joined(involved)} trade off: these data determine only some combination of them.",))
