"""J of a module at one theta as Levenberg-Marquardt steps need it: the loss at once, derivatives when asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from descend.models.module_modes import evaluating
from descend.models.module_weights import cut, joined
from descend.optimizers.contract import System, Units
from descend.training.curvatures import CurvatureOfRows, Dense, Dual, Krylov, add_lower
from descend.training.flat import Flat
from descend.training.jacobian import RowJacobian
from descend.training.objective import ModuleObjective
from descend.training.row_terms import by_columns, rows_of

if TYPE_CHECKING:
    from torch import Tensor

    from descend.losses.curved_rows import Terms

Array = NDArray[np.float64]
Part: TypeAlias = "tuple[Tensor, Tensor, tuple[Tensor, ...], Terms, Tensor]"
"""Scores, u, J'u, the terms of some rows and their shares."""
MOST_UNKNOWNS = 10_000
"""Up to so many parameters, or scores of rows, a matrix of them is formed and factored."""
MOST_NUMBERS = 1 << 26
"""A Jacobian of more numbers is not held as a whole."""
LEAST_UNIT = 1e-8
"""A tensor that moves no prediction is damped in units of at least this share of the largest."""
PROBES = 8
"""Random signs of the rows from which the diagonal of a curvature is estimated that is never formed."""


class Surface:
    """J of a module over theta, and how its curvature is had: what all places of a run share.

    form: "matrix" of parameters, "rows" if these are fewer, or "products" with vectors where both are many.
    """

    def __init__(self, objective: ModuleObjective, form: str | None = None) -> None:
        import torch

        self.flat, self.objective = Flat(objective), objective
        self.trained = objective.model.parameters.trained
        self.size = sum(tensor.numel() for tensor in self.trained)
        self.jacobian, self.loss = RowJacobian(objective.model), rows_of(objective.model)
        self.kinds = np.repeat(_kinds(objective), [tensor.numel() for tensor in self.trained])
        self.double = all(str(tensor.dtype) == "torch.float64" for tensor in self.trained)
        with evaluating(objective.model.module), torch.no_grad():
            self.scores = self.scored(objective.engine.inputs[:1]).shape[1]
        self.given = form

    def form(self, rows: int) -> str:
        """Return which form of the curvature is cheapest for so many rows."""
        if self.given is not None:
            return self.given
        unknowns = rows * self.scores
        if unknowns < self.size and unknowns <= MOST_UNKNOWNS and unknowns * self.size <= MOST_NUMBERS:
            return "rows"
        return "matrix" if self.size <= MOST_UNKNOWNS else "products"

    def rounded(self, theta: Array) -> Array:
        """Return theta in the precision of the module."""
        return theta if self.double else joined(cut(theta, self.trained))

    def alike(self, units: Array) -> Array:
        """Return one unit for all numbers of a kind, the largest among them.

        Weights and biases of layers are of one kind, and one that hardly matters here must not be free to run far;
        other tensors, such as the parameters of a physical law, may be of unlike sizes and keep units of their own.
        """
        largest = np.zeros(self.kinds.max(initial=0) + 1)
        np.maximum.at(largest, self.kinds, units)
        return np.asarray(np.maximum(largest, LEAST_UNIT * largest.max())[self.kinds])

    def parts(self, rows: NDArray[np.intp] | None) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield inputs, y and the share of each row in J, in double precision but for the inputs."""
        import torch

        engine = self.objective.engine
        total = engine.rows.weight_of(rows)
        for inputs, y, weights in engine.blocks(rows, False):
            ones = torch.ones(len(y), dtype=torch.float64, device=y.device)
            known = y.double() if y.is_floating_point() else y  # classes are counted
            yield inputs, known, (ones if weights is None else weights.double()) / total

    def scored(self, inputs: Tensor) -> Tensor:
        """Return the scores of rows, (n, k), in the precision of the module."""
        return by_columns(self.objective.model.score(inputs))


def _kinds(objective: ModuleObjective) -> list[int]:
    """Return a number for each tensor that is trained: 0 for those of layers, which have a matrix of weights."""
    layers = {
        id(tensor)
        for part in objective.model.module.modules()
        if any(own.ndim > 1 for own in part.parameters(recurse=False))
        for tensor in part.parameters(recurse=False)
    }
    trained = objective.model.parameters.trained
    return [0 if id(tensor) in layers else number for number, tensor in enumerate(trained, 1)]


class Place:
    """An `Evaluation` of a module: J at theta over all rows or some, in evaluation mode."""

    proximal = piecewise = has_l1 = sparing = False
    bounds = l1 = noise = factor = None

    def __init__(self, surface: Surface, theta: Array, rows: NDArray[np.intp] | None) -> None:
        self.surface, self.theta, self.rows = surface, surface.rounded(theta), rows
        self.system: type[System] = Damped
        self.latest: Place | None = None

    def at(self, theta: Array, order: int = 1) -> Place:
        """Return J at another theta, over the same rows; derivatives are computed once they are asked for."""
        self.latest = found = Place(self.surface, theta, self.rows)
        return found

    def reached(self, theta: Array) -> Place | None:
        """Return J where a step from here ended."""
        found, self.latest = self.latest, None  # or each place would keep all that follow
        return found if found is not None and found.theta is theta else None

    @cached_property
    def loss(self) -> float:
        import torch

        surface, total = self.surface, 0.0
        with surface.flat.standing_at(self.theta), torch.no_grad():
            for inputs, y, share in surface.parts(self.rows):
                total += float(share @ surface.loss.value(surface.scored(inputs).double(), y))
        return total

    @cached_property
    def gradient(self) -> Array:
        import torch

        surface = self.surface
        total: Array = np.zeros(surface.size)
        with surface.flat.standing_at(self.theta), torch.enable_grad():
            for inputs, y, share in surface.parts(self.rows):
                scores = surface.scored(inputs)
                slope = share[:, None] * surface.loss.terms(scores.detach().double(), y).slope
                total += joined(
                    torch.autograd.grad(scores, surface.trained, slope.to(scores.dtype), materialize_grads=True)
                )
        return total

    @cached_property
    def curvature(self) -> CurvatureOfRows:
        form = self.surface.form(self.objective_rows)
        make = {"matrix": self._matrix, "rows": self._of_rows, "products": self._products}[form]
        with self.surface.flat.standing_at(self.theta):
            return make()

    @property
    def objective_rows(self) -> int:
        """How many rows there are."""
        return self.surface.objective.rows if self.rows is None else len(self.rows)

    def _roots(self, double: bool) -> Iterator[tuple[Tensor, Terms, Tensor]]:
        """Yield the rows of A, with A'A = C and A = sqrt(omega) B'J, in blocks, with the terms s and B and sqrt(omega).

        double: whether A is wanted in double precision; it is in that of the module otherwise.
        """
        import torch

        surface = self.surface
        for inputs, y, share in surface.parts(self.rows):
            with torch.no_grad():
                terms = surface.loss.terms(surface.scored(inputs).double(), y)
            for part, jacobian in surface.jacobian.blocks(inputs, surface.scores):
                here, root = terms.of(part), share[part].sqrt()
                held = jacobian.double() if double else jacobian
                yield here.times(root).weighted(held).flatten(0, 1), here, root

    def _matrix(self) -> CurvatureOfRows:
        if self.surface.double:
            return Dense(self._gram(True))
        return Dense(self._gram(False), self._in_double)

    def _in_double(self) -> Tensor:
        with self.surface.flat.standing_at(self.theta):
            return self._gram(True)

    def _gram(self, double: bool) -> Tensor:
        """Return the lower triangle of C, (p, p), in double precision or that of the module."""
        import torch

        size, like = self.surface.size, self.surface.trained[0]
        lower = torch.zeros(size, size, dtype=torch.float64 if double else like.dtype, device=like.device)
        for rows, _, _ in self._roots(double):
            add_lower(lower, rows)
        return lower

    def _of_rows(self) -> CurvatureOfRows:
        import torch

        roots, terms, weights = zip(*self._roots(True), strict=True)
        # q is that of sqrt(omega) s, for A is that of sqrt(omega) B.
        pulls = [(each.pull * root[:, None]).flatten() for each, root in zip(terms, weights, strict=True)]
        return Dual(torch.cat(roots), torch.cat(pulls), all(each.explained for each in terms))

    def _products(self) -> CurvatureOfRows:
        graphs = Graphs(self)
        return Krylov(graphs.product, graphs.diagonal())


class Graphs:
    """Products of the curvature with vectors: forward by differentiating J'u by u, then backward."""

    def __init__(self, place: Place) -> None:
        self.place, self.surface = place, place.surface
        # Copies: the module itself moves on while these graphs are in use.
        self.trained = [part.requires_grad_() for part in cut(place.theta, place.surface.trained)]
        self.weights = dict(zip(place.surface.jacobian.trained, self.trained, strict=True))
        self.kept: list[Part] = []

    def parts(self) -> Iterator[Part]:
        """Yield scores, u, J'u, the terms of the rows and their shares, with their graphs."""
        import torch

        if self.kept:
            yield from self.kept
            return
        surface = self.surface
        with torch.enable_grad():
            for inputs, y, share in surface.parts(self.place.rows):
                scores = surface.jacobian.scores(self.weights, inputs)
                dual = torch.zeros_like(scores, requires_grad=True)
                backward = torch.autograd.grad(scores, self.trained, dual, create_graph=True, materialize_grads=True)
                part = (scores, dual, backward, surface.loss.terms(scores.detach().double(), y), share)
                if len(inputs) == self.place.objective_rows:
                    self.kept = [part]
                yield part

    def product(self, vector: Array) -> Array:
        """Return C v."""
        import torch

        total = np.zeros_like(vector)
        for scores, dual, backward, terms, share in self.parts():
            along = cut(vector, self.trained)
            (change,) = torch.autograd.grad(backward, dual, along, retain_graph=True, materialize_grads=True)
            curved = share[:, None] * terms.curved(change.double())
            total += joined(
                torch.autograd.grad(
                    scores, self.trained, curved.to(scores.dtype), retain_graph=True, materialize_grads=True
                )
            )
        return total

    def diagonal(self) -> Array:
        """Estimate the diagonal of C: the mean of (J'B v)**2 over random signs v of the rows.

        Source: Hutchinson (1990), Commun. Stat. Simul. 19, 433-450.
        """
        import torch

        random = torch.Generator().manual_seed(0)
        total: Array = np.zeros(self.surface.size)
        for _ in range(PROBES):
            summed: Array = np.zeros(self.surface.size)
            for scores, _, _, terms, share in self.parts():
                signs = torch.randint(0, 2, scores.shape, generator=random).to(scores.device).double() * 2.0 - 1.0
                weighted = share.sqrt()[:, None] * terms.spread(signs)
                summed += joined(
                    torch.autograd.grad(
                        scores, self.trained, weighted.to(scores.dtype), retain_graph=True, materialize_grads=True
                    )
                )
            total += summed**2
        return total / PROBES


class Damped:
    """(C + lambda D**2) d = -g of a module, as ``optimizers.contract.System`` has it."""

    order: ClassVar[int] = 2

    def __init__(self, place: Place, units: Units) -> None:
        self.curvature = place.curvature
        self.units: Units = place.surface.alike(np.maximum(units, self.curvature.diagonal()))
        self.scale = np.sqrt(self.units)
        self.gradient = place.gradient / self.scale
        self.sound = bool(np.isfinite(self.scale).all() and np.isfinite(self.gradient).all())

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts; no decrease if the system is singular."""
        found = self.curvature.solved(self.scale, self.gradient, damping) if self.sound else None
        if found is None:
            return np.zeros_like(self.scale), 0.0
        return found / self.scale, 0.5 * float(damping * found.dot(found) - found.dot(self.gradient))

    def newton(self) -> tuple[Array, float]:
        """Return d of no damping but what rounding needs, and |q|."""
        move, gain = self.move(0.0)
        return move, math.sqrt(max(2.0 * gain, 0.0)) if gain else math.inf

    def safe(self) -> bool:
        return True  # there is nothing better
