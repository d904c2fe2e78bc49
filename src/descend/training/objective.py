"""J of a PyTorch module, and its gradient where ``torch.optim`` looks for it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.engines.shuffling import shuffled
from descend.formula.compile import compile_expression
from descend.formula.printers.code import TORCH
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.models.module import ModuleModel
from descend.models.module_modes import Modes, undisturbed
from descend.models.module_weights import Weights, fill, gradients_of, joined
from descend.problem.point import Objective, Point
from descend.training.affine import lowest_place
from descend.training.curvature import Ritz, hessian
from descend.training.engine import ModuleEngine

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
SAMPLE = 1024
"""Rows that are enough to estimate the curvature of J."""


class ModulePoint:
    """J and |dJ/dparameters| of a module at one moment; what a `TorchOptimizer` is given.

    The gradient itself lies in ``.grad`` of the parameters until the module runs again.
    """

    proximal = False
    curvature = None

    def __init__(
        self, theta: Weights, total: Tensor, objective: ModuleObjective, rows: NDArray[np.intp] | None
    ) -> None:
        self.theta, self.total, self.objective, self.rows = theta, total, objective, rows
        self.rate, self.run = 0.0, objective.runs
        self.promised = math.inf
        self._loss: float | None = None
        self._norm: float | None = None

    # Both wait for the device, so they are computed once, and in batches not at all.
    @property
    def loss(self) -> float:
        if self._loss is None:
            self._loss = self.total.item()
        return self._loss

    @property
    def norm(self) -> float:
        """Euclidean norm of the gradient over all trained parameters."""
        if self._norm is None:
            import torch

            norms = [torch.linalg.vector_norm(gradient) for gradient in self.objective.gradients]
            self._norm = torch.linalg.vector_norm(torch.stack(norms)).item() if norms else 0.0
        return self._norm

    def reached(self, theta: Weights) -> None:
        """Return None: J at the end of a step is not known before the module has run there."""

    @property
    def excess(self) -> float:
        """The size of J, by which its changes are measured."""
        return abs(self.loss)

    # `Point` knows these from a curvature or from single rows, neither of which a module has.
    def curved(self) -> None:
        return None

    def held(self) -> bool:
        return False

    def remaining(self, scales: Array, first_loss: float, scale: float = 0.0) -> float:
        """Say how far the gradient is from zero, as a share of J: see `Point.remaining`, with s = 1."""
        reference = max(abs(self.loss), abs(first_loss - self.loss) * 1e-3, scale * 1e-8)
        pairs = ((tensor.detach(), tensor.grad) for tensor in self.objective.model.parameters.trained if tensor.numel())
        parts = (float((grad.abs() * at.abs().clamp(min=1.0)).max()) for at, grad in pairs if grad is not None)
        largest = max(parts, default=0.0)
        return largest / reference if reference > 0.0 else largest

    def closure(self) -> Tensor:
        """Leave the gradient of a training pass over these rows in ``.grad`` and return J, as ``torch.optim`` expects.

        The pass that made this point is reused if it was a training pass and nothing has run since.
        """
        objective = self.objective
        if self.run == objective.runs and (self.rows is not None or not objective.modes.differ):
            self.run = -1
            return self.total
        self.run = -1
        return objective.descent(self.rows)

    def hessian(self) -> Ritz | None:
        """Return eigenvalues of the Hessian of J over a sample of rows; None if there are none."""
        return self.objective.hessian()

    def largest_curvature(self) -> float | None:
        """Return the largest eigenvalue of that Hessian in absolute value; None if there is none."""
        found = self.hessian()
        return None if found is None else found.largest

    def descends(self, rate: float, signs: bool = False) -> bool:
        """Whether a step against the gradient, or against its signs, does not raise J; the module stays as it is."""
        import torch

        objective = self.objective
        objective(self.theta, 1)
        moves = [(tensor, tensor.detach().clone(), tensor.grad) for tensor in objective.model.parameters.trained]
        with torch.no_grad():
            for tensor, _, gradient in moves:
                if gradient is not None:
                    tensor.sub_(rate * (gradient.sign() if signs else gradient))
            loss = objective(self.theta, 0).loss
            for tensor, before, _ in moves:
                tensor.copy_(before)
        return loss <= self.loss


class ModuleObjective(Objective):
    """J of a module: sum of losses over sum of row weights.

    J of a step is that of evaluation mode: it matches what predict gives, and is the same at every evaluation.
    Steps follow the gradient of training mode. Where both modes compute the same, one pass serves for both;
    where not (dropout, batch normalisation) each epoch takes a pass for each.
    """

    engine: ModuleEngine  # type: ignore[assignment]  # which stands in for one

    def __init__(self, model: ModuleModel, engine: ModuleEngine, modes: Modes) -> None:
        self.model, self.engine, self.modes, self.rows = model, engine, modes, engine.count
        self.runs, self.passes, self.finite = 0, 0.0, True
        self.in_torch, self.value = model.loss.in_torch, None
        if self.in_torch is None:
            self.value = compile_expression(model.loss.expressions[0], (PREDICTION, RESPONSE, RESIDUAL), TORCH)
        self._last: ModulePoint | None = None

    def batches(self, size: int, seed: int, epoch: int) -> list[NDArray[np.intp]]:
        return shuffled(self.rows, size, seed, epoch, self.engine.rows.omega)

    def __call__(  # type: ignore[override]  # weights stand for the flat vector
        self, theta: Weights, order: int = 1, rows: NDArray[np.intp] | None = None
    ) -> ModulePoint:
        """Evaluate J at the present parameters; order 1 leaves its gradient in ``.grad``."""
        if rows is not None:
            return ModulePoint(theta, self.descent(rows), self, rows)
        last = self._last
        if order and last is not None and last.theta is theta and last.run == self.runs:
            return last
        self.modes.evaluate()
        point = ModulePoint(theta, self.passed(None, order > 0), self, None)
        self.modes.train()
        if order:
            self.model.parameters.write_down()
            self.finite = math.isfinite(point.loss) and math.isfinite(point.norm)
            if self.finite:
                self.model.parameters.keep()
            self._last = point
        return point

    @property
    def gradients(self) -> list[Tensor]:
        """The gradients of those trained parameters that the prediction depends on."""
        return [tensor.grad for tensor in self.model.parameters.trained if tensor.grad is not None]

    def descent(self, rows: NDArray[np.intp] | None) -> Tensor:
        """Return J over some rows (None: all) in training mode, leaving its gradient in ``.grad``."""
        return self.passed(rows, True, at_once=self.modes.differ)

    def passed(self, rows: NDArray[np.intp] | None, backward: bool, at_once: bool = False) -> Tensor:
        """Pass rows through the module, forward and perhaps backward, and return J, a tensor."""
        import torch

        self.runs += 1
        self.passes += 1.0 if rows is None else len(rows) / self.rows
        if backward:
            self.clear()
        count = self.engine.rows.weight_of(rows)
        total: Tensor | None = None
        with torch.set_grad_enabled(backward):
            for inputs, y, weights in self.engine.blocks(rows, at_once):
                loss = self.mean_loss(inputs, y, weights, count)
                if backward:
                    loss.backward()  # type: ignore[no-untyped-call]
                total = loss.detach() if total is None else total + loss.detach()
        assert total is not None
        return total

    def mean_loss(self, inputs: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        """Return the losses of some rows, summed over ``count``."""
        score = self.model.score(inputs)
        if self.in_torch is not None:
            return self.in_torch.mean(score, y, weights, count)
        assert self.value is not None
        value: Tensor = self.value(score, y, score - y)
        if weights is None and y.shape[0] == count:
            return value.mean()
        return (value if weights is None else value * weights).sum() / count

    def hessian(self) -> Ritz | None:
        """Return eigenvalues of the Hessian of J over a sample of rows, in training mode; None if there are none."""
        import torch

        rows = None if self.rows <= SAMPLE else np.linspace(0, self.rows - 1, SAMPLE).astype(np.intp)
        self.modes.train()
        with undisturbed(self.model.module), torch.enable_grad():
            inputs, y, weights = next(self.engine.blocks(rows, at_once=True))
            count = len(y) if weights is None else float(weights.sum())
            return hessian(lambda: self.mean_loss(inputs, y, weights, count), self.model.parameters.trained)

    @contextlib.contextmanager
    def aside(self) -> Iterator[Flat]:
        """Give access to J as a function of a flat vector; afterwards the module is as it was."""
        import torch

        parameters = self.model.parameters
        changing = [*parameters.trained, *parameters.module.buffers()]
        before = [tensor.detach().clone() for tensor in changing]
        known = (parameters.present, self.finite, self._last)
        try:
            yield Flat(self)
        finally:
            with torch.no_grad():
                for tensor, copy in zip(changing, before, strict=True):
                    tensor.copy_(copy)
            parameters.present, self.finite, self._last = known
            self.clear()

    def clear(self) -> None:
        """Zero the gradients: autograd adds to what is there."""
        for tensor in self.model.parameters.trained:
            tensor.grad = None

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Enclose a training run; afterwards the module has its last finite parameters and its original modes."""
        self.modes.train()
        self.model.parameters.begin()
        try:
            yield
        finally:
            parameters = self.model.parameters
            if not self.finite:
                parameters.restore()
            parameters.forget()
            self.clear()
            self.modes.restore()
            self._last = None


class Flat(Objective):
    """J of a module in evaluation mode, as an `Objective` over the numbers that are trained, (p,) in float64.

    It has no curvature matrix; ``largest_curvature`` finds its largest eigenvalue.
    """

    def __init__(self, objective: ModuleObjective) -> None:
        self.objective, self.rows = objective, objective.rows
        self.model, self.module = objective.model, objective.model.module
        self.inputs, self.trained = objective.engine.inputs, objective.model.parameters.trained

    def __call__(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Point:
        """Evaluate J and its gradient at ``theta``, over all rows or some."""
        with self.standing_at(theta):
            total = self.objective.passed(rows, order > 0)
        gradient = None
        if order:
            gradient = joined(gradients_of(self.trained))
        return Point(theta, float(total.item()), gradient, None, None, self, rows)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def standing_at(self, theta: Array) -> Iterator[None]:
        """Let the module stand at ``theta``, in evaluation mode."""
        fill(self.trained, theta)
        self.objective.modes.evaluate()
        try:
            yield
        finally:
            self.objective.modes.train()

    def path(self) -> tuple[Array, Array, Array | None]:
        """Return where the run began, where J was last finite, and where it ended if it was not finite there."""
        parameters, now = self.model.parameters, joined(self.trained)
        start = now if parameters.begun is None else joined(parameters.begun)
        if self.objective.finite:
            return start, now, None
        return start, now if parameters.kept is None else joined(parameters.kept), now

    def columns(self) -> dict[str, Array]:
        """Return what the module was fitted to as columns: of the table, or the numbers of each row of a tensor."""
        response, names = self.model.response, self.model.inputs
        inputs = self.inputs.detach().reshape(len(self.inputs), -1)
        y = self.objective.engine.y.detach().cpu().double().numpy()
        if not inputs.is_floating_point():
            return {response: y}
        names = names if len(names) == inputs.shape[1] else tuple(f"X[{place}]" for place in range(inputs.shape[1]))
        return {**dict(zip(names, inputs.cpu().double().numpy().T, strict=True)), response: y}

    def over(self, columns: Mapping[str, Array]) -> Flat:
        """Return J of the same module over other values of its columns."""
        import torch

        rows, response = self.objective.engine, self.model.response
        parts = [array for name, array in columns.items() if name != response]
        inputs = torch.from_numpy(np.column_stack(parts)).to(rows.inputs.device, rows.inputs.dtype)
        y = torch.from_numpy(np.array(columns[response])).to(rows.y.device, rows.y.dtype)
        return self._with(ModuleEngine(inputs.reshape(rows.inputs.shape), y, rows.rows, rows.omega))

    def on(self, chosen: NDArray[np.intp]) -> Flat:
        """Return J of the same module over some of the rows."""
        return self._with(self.objective.engine.chosen(chosen))

    def _with(self, engine: ModuleEngine) -> Flat:
        return Flat(ModuleObjective(self.model, engine, self.objective.modes))

    def largest_curvature(self, theta: Array) -> float | None:
        """Return the largest |eigenvalue| of the Hessian at ``theta``; None if there is none."""
        fill(self.trained, theta)
        found = self.objective.hessian()
        return None if found is None else found.largest

    def scores(self, theta: Array) -> Array:
        """Return the score of each row."""
        import torch

        with self.standing_at(theta), torch.no_grad():
            parts = [self.model.score(inputs) for inputs, _, _ in self.objective.engine.blocks(None, False)]
            return joined(parts)

    def lowest(self, theta: Array) -> float | None:
        """Return the lowest J from ``theta``, where it can be known: of a module that is linear."""
        rows = self.objective.engine.rows
        rounding = 1e-10 if str(self.trained[0].dtype) == "torch.float64" else 1e-4
        place = lowest_place(self.scores, theta, rows.y, rows.omega, self.model.loss, rounding)
        if place is None:
            return None
        return min((loss for each in (theta, place) if math.isfinite(loss := self(each, 0).loss)), default=None)
