"""Sums of the cross-entropy of several classes, each of whose scores is a formula with parameters of its own."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from descend.formula.factor import triangle
from descend.gradients.contract import Kernel, Sums
from descend.models import Model
from descend.models.per_class import BLOCK, PerClassModel
from descend.table.rows import Rows

Array = NDArray[np.float64]
AT_ONCE = 1 << 12
"""Rows whose products of columns are held at once, so that they stay in the cache."""
MODERATE = 300.0
"""A score whose exponential can be squared without overflow."""
NEGLIGIBLE = 1e-13
"""An eigenvalue of the curvature, scaled to a unit diagonal, below this share of the largest is rounding."""


class ClassesKernel(Kernel):
    """With scores S (n, K - 1), probabilities P, and J the derivatives of a score by the parameters of its class:

        loss = sum of omega (log(1 + sum_k exp(s_k)) - s_y)
        gradient_k = sum of omega (p_k - [y = k]) j_k
        curvature_kl = sum of omega (p_k [k = l] - p_k p_l) j_k j_l'

    Scores linear in the parameters have the same J for each class. Then the curvature of any two classes is a sum over
    rows of one number times j j', and all of them are one product of two matrices: one with these numbers, and one
    with the products of the columns of J, of which there are half as many as entries.
    """

    costly = True

    def __init__(self, model: Model) -> None:
        self.model = cast(PerClassModel, model)
        self.names = model.inputs
        self.weighted = True

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return J, column by column in memory, and what is added to the scores, or the inputs; y, and the weights."""
        model, y = self.model, self.model.observed(rows.columns)
        self.weighted = rows.omega is not None
        omega = np.ones(rows.count) if rows.omega is None else rows.omega
        if not model.linear:
            return (*(rows.columns[name] for name in self.names), y, omega)
        none = np.zeros(model.each.parameters.size)
        jacobian, constant = np.empty((rows.count, none.size), order="F"), np.empty(rows.count)
        for start in range(0, rows.count, BLOCK):
            some = slice(start, start + BLOCK)
            few = {name: rows.columns[name][some] for name in self._read(rows)}
            constant[some], jacobian[some] = model.each.scores_and_jacobian(none, few)
        return jacobian, constant, y, omega

    def _read(self, rows: Rows) -> tuple[str, ...]:
        return self.names or tuple(rows.columns)[:1]  # which tells how many rows there are

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        """Return loss, gradient and curvature summed over some rows."""
        *_, y, omega = block
        with np.errstate(all="ignore"):
            score, jacobians = self._scores(theta, block)
            shares, total, logarithm = _exponentials(score)
            of_class, observed = _observed(y)
            logarithm[of_class] -= score.ravel()[observed]
            loss = float(omega @ logarithm)
            if order == 0:
                return loss, None, None
            chance = shares
            chance *= 1.0 / total
            slope = chance.copy() if order > 1 else chance
            slope.ravel()[observed] -= 1.0
            if self.weighted:
                slope *= omega
            gradient = np.empty(theta.size)
            if len(jacobians) == 1:
                gradient[self.model.places] = slope @ jacobians[0]
            else:
                for class_places, jacobian, each in zip(self.model.places, jacobians, slope, strict=True):
                    gradient[class_places] = each @ jacobian
            if order == 1:
                return loss, gradient, None
            curvature = self._curvature(chance, jacobians, omega)
        return (loss, gradient, curvature) if order == 2 else (loss, gradient, factored(curvature, gradient))

    def surest(self, theta: Array, block: tuple[Array, ...]) -> float:
        with np.errstate(all="ignore"):
            score = self._scores(theta, block)[0]
            logarithm = _exponentials(score)[2]
            of_class, observed = _observed(block[-2])
            logarithm[of_class] -= score.ravel()[observed]
            return float(np.exp(-logarithm.min()))

    def _scores(self, theta: Array, block: tuple[Array, ...]) -> tuple[Array, list[Array]]:
        """Return the scores, (K - 1, n), and J of each class, or one of all."""
        if self.model.linear:
            jacobian, constant = block[:2]
            score = theta[self.model.places] @ jacobian.T
            score += constant
            return score, [jacobian]
        columns = dict(zip(self.names or ("",), block, strict=False))
        scores = [self.model.each.scores_and_jacobian(theta[places], columns) for places in self.model.places]
        return np.array([score for score, _ in scores]), [np.ascontiguousarray(jacobian) for _, jacobian in scores]

    def _alike(self, chance: Array, jacobian: Array, omega: Array) -> Array:
        """Return the curvature where J is that of every class."""
        count, size = self.model.places.shape
        rows, columns = np.tril_indices(size)
        first, second = np.tril_indices(count)
        most = min(AT_ONCE, len(omega))
        products, weights = np.empty((len(rows), most)), np.empty((len(first), most))
        sums = np.zeros((len(first), len(rows)))
        for start in range(0, len(omega), most):
            some = slice(start, start + most)
            turned, chances = jacobian[some].T, chance[:, some]
            triangle_slice = slice(turned.shape[1])
            for i in range(size):
                begin = i * (i + 1) // 2
                np.multiply(turned[: i + 1], turned[i], out=products[begin : begin + i + 1, triangle_slice])
            for k in range(count):
                begin, class_weights = k * (k + 1) // 2, chances[k] * omega[some]
                np.multiply(chances[: k + 1], -class_weights, out=weights[begin : begin + k + 1, triangle_slice])
                weights[begin + k, triangle_slice] += class_weights
            sums += weights[:, triangle_slice] @ products[:, triangle_slice].T
        blocks = np.empty((len(first), size, size))
        blocks[:, rows, columns] = blocks[:, columns, rows] = sums
        class_curvature = np.empty((count, size, count, size))
        class_curvature[first, :, second] = class_curvature[second, :, first] = blocks
        return self._placed(class_curvature.reshape(count * size, -1))

    def _placed(self, curvature_of_classes: Array) -> Array:
        """Return a curvature of class by class in the order of theta."""
        class_places = self.model.places.ravel()
        curvature = np.empty_like(curvature_of_classes)
        curvature[np.ix_(class_places, class_places)] = curvature_of_classes
        return curvature

    def _curvature(self, chance: Array, jacobians: list[Array], omega: Array) -> Array:
        class_places = self.model.places
        count, size = class_places.shape
        if len(jacobians) == 1:
            return self._alike(chance, jacobians[0], omega)
        root = np.sqrt(omega)
        scaled = np.empty((len(omega), count, size))
        for k, jacobian in enumerate(jacobians):
            np.multiply(jacobian, (root * chance[k])[:, None], out=scaled[:, k])
        flat = scaled.reshape(len(omega), -1)
        class_curvature = -(flat.T @ flat)
        for k, jacobian in enumerate(jacobians):
            class_slice = slice(k * size, (k + 1) * size)
            class_curvature[class_slice, class_slice] += (jacobian * (omega * chance[k])[:, None]).T @ jacobian
        return self._placed(class_curvature)


def _observed(y: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of any class but the first, and where in the scores, (K - 1, n), that of the class lies.

    >>> _observed(np.array([0.0, 2.0, 1.0]))
    (array([1, 2]), array([4, 2]))
    """
    class_numbers = y.astype(np.intp)
    rows = np.flatnonzero(class_numbers)
    return rows, (class_numbers[rows] - 1) * len(y) + rows


def _exponentials(score: Array) -> tuple[Array, Array, Array]:
    """Return exp of the scores, and 1 + their sum, both divided by the largest where that is large; and the log of it.

    >>> _exponentials(np.log([[2.0], [1.0]]))[1]
    array([4.])
    """
    if score.max() < MODERATE:
        shares = np.exp(score)
        total = 1.0 + shares.sum(axis=0)
        return shares, total, np.log(total)
    largest = np.maximum(score.max(axis=0), 0.0)
    shares = np.exp(score - largest)
    total = np.exp(-largest) + shares.sum(axis=0)
    return shares, total, largest + np.log(total)


def factored(curvature: Array, gradient: Array) -> Array:
    """Return the triangle R of which R'R holds curvature and gradient, as of ``formula.factor.numpy_factor``.

    Directions that the rows say nothing of are exactly 0 in it.
    """
    size = len(gradient)
    if not (np.isfinite(curvature).all() and np.isfinite(gradient).all()):
        return np.full((size + 1, size + 1), np.nan)
    diagonal = curvature.diagonal()
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(curvature / scale / scale[:, None])
    roots = np.sqrt(np.where(values > NEGLIGIBLE * values[-1], values, 0.0))
    right = vectors.T @ (gradient / scale) / np.where(roots > 0.0, roots, np.inf)
    return triangle(np.column_stack([roots[:, None] * vectors.T * scale, right]))
