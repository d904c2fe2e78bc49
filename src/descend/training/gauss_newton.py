"""J of a module at one theta as Levenberg-Marquardt steps need it: the loss at once, derivatives when asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.models.module_modes import evaluating
from descend.models.module_weights import joined
from descend.optimizers.contract import System, Units
from descend.training.curvatures import CurvatureOfRows, Dense, Dual, Krylov, add_lower
from descend.training.flat_objective import FlatObjective
from descend.training.jacobian import RowJacobian
from descend.training.objective import ModuleObjective
from descend.training.products import Graphs
from descend.training.row_terms import rows_of

if TYPE_CHECKING:
    from torch import Tensor

    from descend.losses.curved_rows import Terms
    from descend.training.layers import LayeredPass

Array = NDArray[np.float64]
MOST_UNKNOWNS = 10_000
"""Up to so many parameters, or scores of rows, a matrix of them is formed and factored."""
MOST_NUMBERS = 1 << 26
"""A Jacobian of more numbers is not held as a whole."""
FEWER = 2
"""A matrix of rows pays where they are fewer by this factor: that of parameters serves later steps too."""
ROWS_HELD = 1 << 23
"""Of rows whose Jacobian has no more numbers than this, what layers were given and returned is kept."""
LEAST_UNIT = 1e-8
"""A tensor that moves no prediction is damped in units of at least this share of the largest."""


class Surface:
    """J of a module over theta, and how its curvature is had: what all places of a run share.

    form: "matrix" of parameters, "rows" if these are fewer, or "products" with vectors where both are many.
    """

    def __init__(self, objective: ModuleObjective, form: str | None = None) -> None:
        import torch

        self.flat, self.objective = FlatObjective(objective), objective
        self.trained: Sequence[Tensor] = objective.model.parameters.trained
        self.size = sum(tensor.numel() for tensor in self.trained)
        self.jacobian, self.loss = RowJacobian(objective.model), rows_of(objective.model)
        self.kinds = np.repeat(_kinds(objective), [tensor.numel() for tensor in self.trained])
        self.several = bool((self.kinds != self.kinds[:1]).any())
        self.double = all(str(tensor.dtype) == "torch.float64" for tensor in self.trained)
        self.given, inputs = form, objective.engine.inputs
        self._all: tuple[Tensor, Tensor, Tensor] | None = None
        with evaluating(objective.model.module), torch.no_grad():
            try:
                self.scores = self.jacobian.tried(inputs)
            except (RuntimeError, ValueError, TypeError):
                self.given = "products"  # a forward that looks at the values of its rows cannot be taken row by row
                self.scores = self.jacobian.scored(inputs[:1]).shape[1]

    @property
    def count(self) -> int:
        """The number of rows."""
        return self.objective.rows

    def form(self, rows: int) -> str:
        """Return which form of the curvature is cheapest for so many rows."""
        if self.given is not None:
            return self.given
        unknowns = rows * self.scores
        if FEWER * unknowns < self.size and unknowns <= MOST_UNKNOWNS and unknowns * self.size <= MOST_NUMBERS:
            return "rows"
        return "matrix" if self.size <= MOST_UNKNOWNS else "products"

    def rounded(self, theta: Array) -> Array:
        """Return theta in the precision of the module."""
        return theta if self.double else self.objective.model.parameters.flat.rounded(theta)

    def alike(self, units: Array) -> Array:
        """Return one unit for all numbers of a kind, the largest among them.

        Weights and biases of layers are of one kind, and one that hardly matters here must not be free to run far;
        other tensors, such as the parameters of a physical law, may be of unlike sizes and keep units of their own.
        """
        if not self.several:
            return np.full_like(units, units.max(initial=0.0))
        largest = np.zeros(self.kinds.max(initial=0) + 1)
        np.maximum.at(largest, self.kinds, units)
        return np.asarray(np.maximum(largest, LEAST_UNIT * largest.max())[self.kinds])

    def parts(self, rows: NDArray[np.intp] | None) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield inputs, y and the share of each row in J, in double precision but for the inputs."""
        import torch

        if rows is None and self._all is not None:
            yield self._all
            return
        engine = self.objective.engine
        total = engine.rows.weight_of(rows)
        for inputs, y, weights in engine.blocks(rows, False):
            ones = torch.ones(len(y), dtype=torch.float64, device=y.device)
            known = y.double() if y.is_floating_point() else y  # classes are counted
            part = inputs, known, (ones if weights is None else weights.double()) / total
            if rows is None and inputs is engine.inputs:
                self._all = part
            yield part

    def passes(self, rows: NDArray[np.intp] | None) -> Iterator[Passed]:
        """Pass rows through the module, by its layers if it is made of these."""
        for inputs, y, share in self.parts(rows):
            yield Passed(inputs, y, share, self.jacobian.passed(inputs))

    def keeps(self, rows: int) -> bool:
        """Whether a pass of so many rows is kept for their derivatives; of more, each block is passed anew."""
        return self.jacobian.layers is not None and rows * self.scores * self.size <= ROWS_HELD


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


class Passed(NamedTuple):
    """Some rows, the share of each in J, and their pass through the layers of a module that is made of these."""

    inputs: Tensor
    y: Tensor
    share: Tensor
    layered: LayeredPass | None


class ModuleEvaluation:
    """An `Evaluation` of a module: J at theta over all rows or some, in evaluation mode."""

    proximal = piecewise = has_l1 = sparing = False
    bounds = l1 = noise = factor = None

    def __init__(self, surface: Surface, theta: Array, rows: NDArray[np.intp] | None) -> None:
        self.surface, self.theta, self.rows = surface, surface.rounded(theta), rows
        self.system: type[System] = Damped
        self.latest: ModuleEvaluation | None = None
        self._kept: Passed | None = None
        self._terms: Terms | None = None

    def at(self, theta: Array, order: int = 1) -> ModuleEvaluation:
        """Return J at another theta, over the same rows; derivatives are computed once they are asked for."""
        self.latest = found = self.beside(theta)
        return found

    def second_derivatives(self) -> None:
        """Return that second derivatives are not to be had in one pass."""
        return

    def beside(self, theta: Array) -> ModuleEvaluation:
        """Return J at another theta, over the same rows."""
        return ModuleEvaluation(self.surface, theta, self.rows)

    def reached(self, theta: Array) -> ModuleEvaluation | None:
        """Return J where a step from here ended."""
        found, self.latest = self.latest, None  # or each place would keep all that follow
        return found if found is not None and found.theta is theta else None

    def _passes(self) -> Iterator[Passed]:
        """Yield the rows in blocks, passed with their graphs if the module is made of layers; one block is kept."""
        kept = self._kept
        if kept is not None and kept.layered is not None and kept.layered.fresh:
            yield kept
            return
        with self.surface.flat.standing_at(self.theta):
            for passed in self.surface.passes(self.rows):
                if self.surface.keeps(self.objective_rows) and len(passed.y) == self.objective_rows:
                    self._kept = passed
                yield passed

    def _scores(self, passed: Passed) -> Tensor:
        """Return the scores of passed rows, in double precision."""
        import torch

        if passed.layered is not None:
            return passed.layered.scores.detach().double()
        with torch.no_grad():
            return self.surface.jacobian.scored(passed.inputs).double()

    def _terms_of(self, passed: Passed) -> Terms:
        """Return slope and curvature of passed rows, which both derivatives take."""
        terms = self._terms if passed is self._kept else None
        if terms is None:
            terms = self.surface.loss.terms(self._scores(passed), passed.y)
            self._terms = terms if passed is self._kept else None
        return terms

    @cached_property
    def loss(self) -> float:
        value = self.surface.loss.value
        return sum(float(each.share @ value(self._scores(each), each.y)) for each in self._passes())

    @cached_property
    def gradient(self) -> Array:
        import torch

        surface = self.surface
        total: Array = np.zeros(surface.size)
        for passed in self._passes():
            if passed.layered is not None:
                slope = passed.share[:, None] * self._terms_of(passed).slope
                total += joined(passed.layered.gradient(slope))
                continue
            with torch.enable_grad():
                own = surface.jacobian.scored(passed.inputs)
                slope = passed.share[:, None] * surface.loss.terms(own.detach().double(), passed.y).slope
                total += joined(torch.autograd.grad(own, surface.trained, slope.to(own.dtype), materialize_grads=True))
        return total

    @cached_property
    def curvature(self) -> CurvatureOfRows:
        form = self.surface.form(self.objective_rows)
        return {"matrix": self._matrix, "rows": self._of_rows, "products": self._products}[form]()

    @property
    def objective_rows(self) -> int:
        """How many rows there are."""
        return self.surface.count if self.rows is None else len(self.rows)

    def _roots(self, double: bool) -> Iterator[tuple[Tensor, Terms, Tensor]]:
        """Yield A = sqrt(omega) B'J, with A'A = C, in blocks of rows, with the terms s and B and sqrt(omega).

        double: whether A is wanted in double precision; it is in that of the module otherwise.
        """
        surface = self.surface
        for passed in self._passes():
            terms, share = self._terms_of(passed), passed.share
            yield from surface.jacobian.blocks(passed.inputs, terms, share, passed.layered, double)

    def _matrix(self) -> CurvatureOfRows:
        if self.surface.double:
            return Dense(self._gram(True))
        return Dense(self._gram(False), lambda: self._gram(True))

    def _gram(self, double: bool) -> Tensor:
        """Return the lower triangle of C, (p, p), in double precision or that of the module."""
        import torch

        size, like = self.surface.size, self.surface.trained[0]
        lower = torch.zeros(size, size, dtype=torch.float64 if double else torch.float32, device=like.device)
        for rows, _, _ in self._roots(double):
            add_lower(lower, rows if rows.dtype == lower.dtype else rows.to(lower.dtype))
        return lower

    def _of_rows(self) -> CurvatureOfRows:
        import torch

        double = self.surface.double
        roots, terms, weights = zip(*self._roots(double), strict=True)
        # q is that of sqrt(omega) s, for A is that of sqrt(omega) B.
        pulls = [(each.pull * root[:, None]).T.flatten() for each, root in zip(terms, weights, strict=True)]
        explained = all(each.explained for each in terms)
        if not double and not explained:  # what is left of g by its own rounding would be divided by the damping
            return Dual(self._root_in_double(), torch.cat(pulls), explained)
        return Dual(torch.cat(roots), torch.cat(pulls), explained, None if double else self._root_in_double)

    def _root_in_double(self) -> Tensor:
        import torch

        return torch.cat([rows for rows, _, _ in self._roots(True)])

    def _products(self) -> CurvatureOfRows:
        with self.surface.flat.standing_at(self.theta):
            graphs = Graphs(self.theta, self.surface, self.rows)
            return Krylov(graphs.product, graphs.diagonal())


class Damped(System):
    """(C + lambda D**2) d = -g of a module, as ``optimizers.contract.System`` has it."""

    order: ClassVar[int] = 2

    def __init__(self, place: ModuleEvaluation, units: Units) -> None:
        self.curvature = place.curvature
        self.units = place.surface.alike(np.maximum(units, self.curvature.diagonal()))
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
