"""The kernel of a loss that works on several scores: the prediction, and parameters of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sympy import Expr

from descend.engines.compiled import Compiled
from descend.formula.symbols import Parameter
from descend.gradients.contract import Array

LEAST = 1e-10
"""Share of the largest curvature of a row that a direction has at least, so that its slope can be divided by it."""


class CompiledScores(Compiled):
    """Sums of a loss l(s) whose scores s are the prediction and its own parameters, in NumPy.

    With g and H the slopes and second derivatives of a row by its scores, and S the derivatives of those by theta:

        gradient = sum S' g,   curvature = sum S' |H| S

    where |H| has the eigenvalues of H without their signs, so that the curvature is one of a parabola with a minimum;
    where a loss is convex in its scores, as it mostly is, it is H itself. Source: Dauphin et al. (2014), NIPS.
    """

    helpers = {"whitened": lambda *arguments: whitened(*arguments)}

    def _body(self, order: int) -> list[str]:
        program, writer, loss = self.program, self.code.writer(), self.program.loss
        omega = program.weights if program.weights is not None else 1
        value = loss.expressions[0] * omega
        slopes: Sequence[Expr] = [slope * omega for slope in loss.slopes] if order else []
        weights: Sequence[Expr] = [weight * omega for weight in loss.weights] if order > 1 else []
        jacobian = list(program.jacobian.items()) if order else []
        writer.count([value, *slopes, *weights, *(derivative for _, derivative in jacobian)])
        results = [f"loss = {writer.sum_over_rows(value)}"]
        if order:
            own = [self._place(Parameter(name)) for name in loss.own_parameters]
            rows = [f"({', '.join(writer.row(each) for each in part)},)" for part in (slopes, weights) if part]
            results += [
                *self._jacobian(writer, jacobian, ""),
                f"slope, jacobian = whitened(jacobian, [{', '.join(own)}], {', '.join(rows)})",
                "gradient = jacobian.dot(slope)",
            ]
        if order > 1:
            results += ["weight = 1.0", "curvature = jacobian.dot(jacobian.T)"]
        return [*writer.lines, *results]


def whitened(
    jacobian: Array, own: Sequence[int], slopes: Sequence[Array], weights: Sequence[Array] = ()
) -> tuple[Array, Array]:
    """Return slopes, (m n,), and derivatives, (p, m n), of as many scores a row that do not act on each other.

    jacobian: (p, n) derivatives of the first score. own: the place in theta of each other score. slopes: of the m
    scores. weights: the upper triangle of their second derivatives, row by row; none if they are not needed.
    """
    count, rows = len(slopes), jacobian.shape[1]
    each = np.zeros((count, *jacobian.shape))
    each[0] = jacobian
    for place, score in enumerate(own, 1):
        each[place, score] = 1.0
    slope = np.stack(slopes)
    if weights:
        second = np.empty((rows, count, count))
        for weight, i, j in zip(weights, *np.triu_indices(count), strict=True):
            second[:, i, j] = second[:, j, i] = weight
        if not np.isfinite(second).all():
            return np.full(count * rows, np.nan), np.full((len(jacobian), count * rows), np.nan)
        values, vectors = np.linalg.eigh(second)
        values = np.abs(values)
        root = np.sqrt(np.maximum(values, LEAST * values.max(axis=1, keepdims=True))).T
        slope = np.einsum("an,nak->kn", slope, vectors) / np.where(root > 0.0, root, 1.0)
        each = np.einsum("apn,nak,kn->kpn", each, vectors, root)
    return slope.ravel(), np.ascontiguousarray(each.transpose(1, 0, 2)).reshape(len(jacobian), -1)
