"""The covariance of the parameters of a solution, and the standard errors and correlations that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from descend.descent.comments_on_solution import comment, once
from descend.descent.outcome import Outcome
from descend.descent.solution import Named, Solution
from descend.engines.triangles import WELL
from descend.inference.covariance.correlation import Correlation
from descend.inference.covariance.edge_of_domain import held_at_edge
from descend.inference.covariance.inverse_curvature import (
    Array,
    Covariance,
    Mask,
    estimated_covariance,
    known_covariance,
)
from descend.inference.determined import at_bounds, rank, undetermined
from descend.inference.refit import well_conditioned
from descend.inference.statistics import degrees_of_freedom, dispersion_of, error_degrees, total_weight
from descend.losses import Loss
from descend.models import Model
from descend.optimizers.curvature import matrix_of
from descend.optimizers.damped_systems import surely_above
from descend.options.kinds_of_errors import read_errors
from descend.problem.point import Point
from descend.table.table import listing

LEVEL = 1e-6
"""What changes by less than this share of its terms along a direction does not change along it."""
FEW = 10
"""Clusters below which their errors are known to be too small."""
MANY = 100_000
"""From this many rows on, the cost of a pass over them matters."""
FEW_ROWS = 1_000
"""Below this many rows, the triangle takes longer than all else."""


def kind_of_errors(solution: Solution) -> str:
    """Return how standard errors are found, such as "model": as the user asked, else as usual for the loss."""
    return solution.errors or usual_kind(solution.loss_function)


def usual_kind(loss: Loss) -> str:
    """Return the kind of standard errors of a loss where the user asks for none."""
    return "model" if loss.likelihood else "sandwich"


def degrees_of_errors(solution: Solution, kind: str | None = None) -> float:
    """Return the degrees of freedom of the standard errors of a kind: of clustered ones the clusters, less 1."""
    kind = kind or kind_of_errors(solution)
    if kind.startswith("cluster"):
        from descend.inference.covariance.robust import clusters_of

        return min(clusters_of(solution, kind).values()) - 1.0
    return error_degrees(solution)


@once
def clusters(solution: Solution) -> dict[str, int]:
    """Return how many clusters there are by column; empty unless errors are clustered."""
    kind = kind_of_errors(solution)
    if not kind.startswith("cluster"):
        return {}
    from descend.inference.covariance.robust import clusters_of

    return clusters_of(solution, kind)


def few_clusters_note(solution: Solution) -> str | None:
    """Say so if clusters are too few for the errors that rest on how their sums differ; else None."""
    few = {name: count for name, count in clusters(solution).items() if count < FEW}
    if not few:
        return None
    clusters_listed = " and ".join(f"{count} clusters of `{name}`" for name, count in few.items())
    return (
        f"clustered errors rest on {clusters_listed}: with fewer than {FEW} they tend to be too small, though "
        "Student's t allows for some of that"
    )


def own_clusters_note(solution: Solution) -> str | None:
    """Say so if a parameter has a value for each cluster: the pulls of the rows of one on its own add up to nothing."""
    columns = set(read_errors(kind_of_errors(solution)).columns)
    if not columns:
        return None
    labelled_names = [
        f"`{name}`"
        for name, labels in solution.model.every_parameter.groups.items()
        if columns <= set(labels.levels.columns)
    ]
    if not labelled_names:
        return None
    listed, have = " and ".join(labelled_names), "has" if len(labelled_names) == 1 else "have"
    return (
        f"{listed} {have} a value for each cluster, so that the pulls of its rows add up to nothing, and clustered "
        f"errors of {listed} are near 0 whatever the data: use other clusters, or HC3, for these"
    )


def one_row_note(solution: Solution) -> str | None:
    """Say so if some parameters have no errors because one row alone determines them; else None."""
    alone = of_one_row(solution, kind_of_errors(solution))
    labels = [label for label, row in zip(solution.model.parameters.labels, alone.tolist(), strict=True) if row]
    if not labels or len(labels) == len(alone):
        return None
    many = len(labels) > 1
    return (
        f"there are no {kind_in_words(kind_of_errors(solution), solution.loss_function)} errors of {listing(labels)}: "
        f"{'each is' if many else 'it is'} determined by one row alone, whose residual shows nothing"
    )


def of_one_row(solution: Solution, kind: str = "HC3") -> Mask:
    """Mark the parameters that one row alone determines: its residual shows nothing of their errors."""
    matrix = covariance_of(solution, kind) if solution.loss_function.likelihood else None
    if matrix is None:
        return np.zeros(solution.theta.size, dtype=bool)
    alone, rank_known = np.isnan(matrix.diagonal()), rank(solution)
    return alone if rank_known is None else alone & rank_known.estimable


@comment("the covariance")
def covariance(solution: Solution) -> Covariance | None:
    """Return the (p, p) covariance of the flat parameters, of the kind ``kind_of_errors``; None if there is none."""
    return covariance_of(solution, kind_of_errors(solution))


@dataclass(frozen=True)
class Combinations:
    """What data say of redundant parameters together, such as of a b where nothing tells a from b.

    directions: (directions, p), along which no prediction changes. covariance: a generalized one, (p, p), which gives
    each combination that does not change along them the one variance it has.

    Source: Searle (1971), Linear Models, sec. 5.4.
    """

    directions: Array
    covariance: Array

    def determine(self, gradients: Array) -> Mask:
        """Whether the data determine what has these derivatives by the parameters, (p,) or a row for each of several.

        So they do b + 2 c if a direction raises c by 1 where it lowers b by 2.
        """
        change, size = np.abs(gradients @ self.directions.T), np.abs(gradients) @ np.abs(self.directions).T
        return np.asarray((change <= LEVEL * size).all(axis=-1), dtype=np.bool_)


@once
def combinations_of(solution: Solution, kind: str) -> Combinations | None:
    """Return what the data say of combinations of the parameters; None where no parameter is redundant."""
    rank_known = rank(solution)
    if rank_known is None or rank_known.directions is None:
        return None
    covariance_found = _off_edge(solution, generalized_covariance(solution, kind))
    return Combinations(rank_known.directions, covariance_found) if isinstance(covariance_found, np.ndarray) else None


def _off_edge(solution: Solution, covariance: Covariance | None) -> Covariance | None:
    """Return a covariance without the parameters that the edge of where the prediction may lie holds."""
    if covariance is None or not solution.loss_function.prediction_domain.limited:
        return covariance
    edge = held_at_edge(solution)
    return without(covariance, edge) if edge.any() else covariance


@once
def covariance_of(solution: Solution, kind: str) -> Covariance | None:
    """Return the (p, p) covariance of a kind (see ``Fit.covariance_of``)."""
    covariance_found, rank_known = _off_edge(solution, generalized_covariance(solution, kind)), rank(solution)
    if covariance_found is None or rank_known is None:
        return covariance_found
    unknown = ~rank_known.estimable & ~at_bounds(solution)
    covariance_found = without(covariance_found, unknown)
    return covariance_found if rank_known.estimable.any() else None


def without(covariance: Covariance, unknown: Mask) -> Covariance:
    """Return a covariance with NaN in the rows and columns of what is unknown."""
    if not isinstance(covariance, np.ndarray):
        return covariance.without(unknown)
    covariance[unknown], covariance[:, unknown] = np.nan, np.nan
    return covariance


def generalized_covariance(solution: Solution, kind: str) -> Covariance | None:
    """Return the covariance, with zeros for parameters that are held: at a bound, or redundant."""
    loss, degrees = solution.loss_function, degrees_of_freedom(solution)
    if solution.penalised or solution.outcome is Outcome.DIVERGED or solution.model.in_place:
        return None
    if degrees is None or (kind != "model" and solution.objective.priors is not None):
        return None
    rank_known = rank(solution)
    mask = None if rank_known is None else rank_known.kept
    with np.errstate(all="ignore"):
        if kind not in ("model", "observed") and not (kind == "iid" and loss.quadratic):
            from descend.inference.covariance.robust import robust_covariance

            return robust_covariance(solution, kind, degrees, mask)
        if (priors := solution.objective.priors) is not None:
            from descend.inference.covariance.posterior import posterior_point

            scale = loss.unit * priors.dispersion
            return known_covariance(posterior_point(solution), total_weight(solution), scale, mask)
        point = accurate_point(solution)
        if loss.observed_information or kind == "observed":
            from descend.inference.covariance.observed_information import observed_information

            point = observed_information(point, dispersion_of(solution) or 1.0)
        elif loss.own_observed:
            from descend.inference.covariance.observed_information import own_observed_information

            point = own_observed_information(point, solution.model)
        if loss.quadratic and not solution.scale_known and kind != "observed":
            return estimated_covariance(point, degrees, mask)
        dispersion = dispersion_of(solution)
        if dispersion is None:
            return None
        return known_covariance(point, total_weight(solution), loss.unit * dispersion, mask)


def accurate_point(solution: Solution) -> Point:
    """Return J at the parameters, with the triangle of the Jacobian where the curvature alone would lose digits.

    With very many rows the triangle takes several passes, and is only computed where it matters.
    """
    objective, theta = solution.objective, solution.theta
    if solution.rows > MANY:
        point = objective(theta, 2)
        if well_conditioned(point, np.ones(theta.size, dtype=bool)):
            return point
    elif solution.rows < FEW_ROWS and not objective.sparing:
        # Evaluated anew, since what is kept may come from the triangle: a copy is to have the same digits.
        loss, gradient, curvature = objective.numbers(theta, 2, None)
        if isinstance(curvature, np.ndarray) and surely_above(curvature, WELL):
            return Point(theta, loss, np.asarray(gradient), curvature, None, objective)
    return objective(theta, 3)


@comment("the standard errors")
def standard_errors(solution: Solution) -> Named | None:
    """Return the standard errors by name, in the shapes of the parameters; None where there is no covariance."""
    matrix = covariance(solution)
    return None if matrix is None else errors_by_name(solution.model, solution.theta, matrix, solution.undetermined)


def errors_by_name(model: Model, theta: Array, covariance: Covariance, undetermined: tuple[str, ...]) -> Named:
    """Return the standard errors of all parameters by name (see ``flat_errors``)."""
    return model.every_parameter.named(flat_errors(model, theta, covariance, undetermined))


def flat_errors(model: Model, theta: Array, covariance: Covariance, open_labels: tuple[str, ...]) -> Array:
    """Return the flat standard errors of all parameters, from the covariance of the free ones.

    Tied ones are by the delta method. NaN for what is fixed, at a bound, or depends on something undetermined.
    """
    unknown = undetermined(model, covariance, open_labels)
    constraints = model.constraints
    if constraints is None:
        return np.where(unknown, np.nan, np.sqrt(covariance.diagonal()))
    if not isinstance(covariance, np.ndarray):
        from descend.inference.covariance.arrow import errors_of_arrow

        return errors_of_arrow(constraints, theta, covariance, unknown)
    errors: Array = constraints.parameters.flat(constraints.standard_errors(theta, np.nan_to_num(covariance)))
    errors[(constraints.jacobian(theta)[:, unknown] != 0.0).any(axis=1)] = np.nan
    return errors


def kind_in_words(kind: str, loss: Loss) -> str:
    """Return the usual name of a kind of standard errors of a loss."""
    if kind != "sandwich":
        return kind
    return "kernel" if loss.kinked else "HC3"


def errors_in_words(kind: str, loss: Loss, clusters: Mapping[str, int]) -> str:
    """Say what standard errors rest on that do not follow from the curvature alone."""
    if clusters:
        counted = " and ".join(f"{count:,} of `{column}`" for column, count in clusters.items())
        return f"clustered, as rows of a cluster may depend on each other: {counted}"
    if kind == "model":
        return "of the observed information" if loss.observed_information else "of the expected (Fisher) information"
    if kind == "observed":
        return "of the observed information: all second derivatives of J"
    if kind == "iid":
        return "iid: residuals taken as independent and alike"
    return f"sandwich ({kind_in_words(kind, loss)}): robust against unlike residuals"


@comment("the correlations")
def correlation(solution: Solution) -> Correlation | None:
    """Return the (p, p) correlation of the flat parameters, by index or by name; None where there is no covariance."""
    matrix = matrix_of(covariance(solution))
    return None if matrix is None else Correlation.of_covariance(matrix, solution.model.parameters.labels)
