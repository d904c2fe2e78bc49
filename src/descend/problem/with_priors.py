"""J with priors: read and refused, and their -log p beside the mean loss, on the scale of the likelihood."""

from __future__ import annotations

import copy
import math

import numpy as np

from descend.engines.batches import Places
from descend.engines.totals import Curvature, Factor
from descend.errors import ConfigError
from descend.formula.factor import triangle
from descend.models import Model
from descend.optimizers.curvature import with_diagonal
from descend.options.request import Request
from descend.parameters.prior_reading import read_priors
from descend.parameters.priors import Pull, WeighedPriors
from descend.problem.objective import Around, Numbers, VectorObjective
from descend.problem.point import Array, Point
from descend.problem.problem import SummedRows
from descend.problem.triangle import Triangle
from descend.table import Table
from descend.wording import spell


class WithPriors(Around):
    """J + scale * sum of -log p, each from the mode of its prior. The curvature is never below that of the rows."""

    def __init__(self, inner: VectorObjective, priors: WeighedPriors) -> None:
        super().__init__(inner)
        self.priors: WeighedPriors = priors

    def at_dispersion(self, dispersion: float) -> WithPriors:
        with_dispersion = copy.copy(self)
        with_dispersion.priors, with_dispersion._last = self.priors.with_dispersion(dispersion), None
        return with_dispersion

    def with_priors_of(self, other: VectorObjective) -> VectorObjective:
        return WithPriors(other, self.priors)

    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        loss, gradient, curvature = self.inner.numbers(theta, order, rows)
        pull, scale = self.priors.priors.at(theta), self.priors.scale
        return (
            loss + scale * pull.value,
            None if gradient is None else gradient + scale * pull.gradient,
            None if curvature is None else bent(curvature, pull, scale),
        )

    def second_derivatives(self, theta: Array) -> Array | None:
        hessian = None if self.priors.priors.expressed else self.inner.second_derivatives(theta)
        if hessian is None:
            return None
        with_priors = bent(hessian, self.priors.priors.at(theta, exact=True), self.priors.scale)
        return with_priors if isinstance(with_priors, np.ndarray) else None

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        """Return the triangle of the Jacobian: a prior is one more row sqrt(w) d + slope/sqrt(w), w its curvature."""
        root_of_curvature = self.inner.triangle(theta, rows)
        if root_of_curvature is None:
            return None
        pull, scale = self.priors.priors.at(theta), self.priors.scale
        roots = np.sqrt(scale * pull.bend)
        flat = roots == 0.0
        right = np.where(flat, 0.0, scale * pull.slope / np.where(flat, 1.0, roots))
        own = None if root_of_curvature.own is None else root_of_curvature.own + scale * pull.gradient
        if own is None and pull.slope[flat].any():  # a slope without curvature is no square
            own = self(theta, 1, rows).gradient
        if isinstance(root_of_curvature.factor, np.ndarray):
            more = [np.column_stack([np.diag(roots), right])]
            for slope, bend, along in pull.along:
                root = math.sqrt(scale * bend)
                more.append(np.append(root * along, scale * slope / root)[None])
            factor: Factor = triangle(np.vstack([root_of_curvature.factor, *more]))
        else:
            factor = root_of_curvature.factor.beside(roots, right)
        return Triangle(root_of_curvature.loss + scale * pull.value, own, factor)

    def exactly(self, theta: Array) -> Point:
        exact, used = (self.priors.priors.at(theta, exact) for exact in (True, False))
        straight = zip(exact.along, used.along, strict=True)
        if (exact.bend == used.bend).all() and all(one[1] == other[1] for one, other in straight):
            return self(theta, 3)
        loss, gradient, curvature = self.inner.numbers(theta, 2, None)
        scale = self.priors.scale
        assert gradient is not None and curvature is not None
        curvature = bent(curvature, exact, scale)
        return Point(theta, loss + scale * exact.value, gradient + scale * exact.gradient, curvature, None, self)


def bent(curvature: Curvature, pull: Pull, scale: float) -> Curvature:
    """Return a curvature of the rows with that of priors."""
    curvature_of_priors = with_diagonal(curvature, scale * pull.bend)
    for _, bend, along in pull.along:
        assert isinstance(curvature_of_priors, np.ndarray)
        curvature_of_priors = curvature_of_priors + scale * bend * np.outer(along, along)
    return curvature_of_priors


def posed_priors(
    objective: VectorObjective, request: Request, model: Model, table: Table, summed: SummedRows
) -> WithPriors:
    """Return J with the priors of a request on its scale.

    Raises ConfigError beside penalties and sandwich errors, for losses that are no likelihood, and for priors of
    expressions of very many parameters.
    """
    loss = model.loss
    if not loss.likelihood:
        raise ConfigError(
            f"A prior is weighed against the likelihood of the data, and the {loss.name} loss is not one. Use the "
            f"squared loss, or leave {spell('priors')} out."
        )
    if request.l1 or request.l2:
        raise ConfigError(
            f"{spell('l1')} and {spell('l2')} are priors themselves, of an unknown weight, so they do not go with "
            f"{spell('priors')}. Give the parameters normal priors around 0 instead."
        )
    if request.errors not in (None, "model"):
        raise ConfigError(
            "Robust errors tell how estimates scatter from data set to data set, and a prior does not. Leave out "
            f"{spell('errors', request.errors)}, or {spell('priors')}."
        )
    priors = read_priors(request.priors, model.parameters, model.constraints, table.names)
    if priors.expressed and summed.engine.arrow:
        raise ConfigError(
            f"A prior of an expression ties parameters together, and this model has {model.parameters.size:,}, most of "
            "one group each. Give priors to the parameters themselves."
        )
    there = summed.all_rows
    total = summed.rows.total if there is None else there.omega
    dispersion = request.prior_dispersion or loss.known_dispersion
    return WithPriors(
        objective, WeighedPriors(priors, dispersion, loss.unit * dispersion / total, request.dispersion_alone)
    )
