"""J of a PyTorch module, and its gradient where ``torch.optim`` looks for it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.formula.compile import compile_expression
from descend.formula.printers.code import TORCH
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.models.module import ModuleModel, block_size
from descend.models.module_modes import Modes
from descend.models.module_weights import Weights
from descend.problem.point import Objective, shuffled
from descend.table.rows import Rows
from descend.training.curvature import Ritz, hessian

Tensor = Any


class ModulePoint:
    """J and |dJ/dparameters| of a module at one moment; what a `TorchOptimizer` is given.

    The gradient itself lies in ``.grad`` of the parameters until the module runs again.
    """

    proximal = False
    curvature = None

    def __init__(
        self, theta: Weights, total: Tensor, objective: ModuleObjective, rows: NDArray[np.intp] | None
    ) -> None:
        self.theta = theta
        self.total = total
        self.objective = objective
        self.rows = rows
        self.rate = 0.0
        self.run = objective.runs
        self._loss: float | None = None
        self._norm: float | None = None

    # Both wait for the device, so they are asked for once, and in batches not at all.
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

    def reached(self, theta: Any) -> None:
        """Return J where a step ended: not known before the module has run there."""

    @property
    def excess(self) -> float:
        """The size of J, by which its changes are measured."""
        return abs(self.loss)

    def promise(self) -> float:
        """Return what a Gauss-Newton step promises: without a curvature, nobody can tell."""
        return math.inf

    def rounded(self, squares: float) -> bool:
        """Whether nothing but rounding is left of the gradient: without a curvature, nobody can tell."""
        return False

    def held(self) -> bool:
        """Whether predictions at the edge of what the loss allows keep J up: rows are not looked at one by one."""
        return False

    def flat(self, scales: Any) -> bool:
        """Whether some parameter has lost all influence: without a curvature, nobody can tell."""
        return False

    def remaining(self, scales: Any, first_loss: float, scale: float = 0.0) -> float:
        """Say how far the gradient is from zero, as a share of J: see `Point.remaining`, with s = 1."""
        reference = max(abs(self.loss), abs(first_loss - self.loss) * 1e-3, scale * 1e-8)
        trained = [tensor for tensor in self.objective.model.parameters.trained if tensor.grad is not None]
        parts = [
            float((tensor.grad.abs() * tensor.detach().abs().clamp(min=1.0)).max())
            for tensor in trained
            if tensor.numel()
        ]
        largest = max(parts, default=0.0)
        return largest / reference if reference > 0.0 else largest

    def closure(self) -> Tensor:
        """Leave the gradient of a training pass over these rows in ``.grad``, and return J; what ``torch.optim`` calls.

        The pass that made this point serves, if nothing ran since and it was a training pass.
        """
        objective = self.objective
        if self.run == objective.runs and (self.rows is not None or not objective.modes.differ):
            self.run = -1
            return self.total
        self.run = -1
        return objective.descent(self.rows)

    def hessian(self) -> Ritz | None:
        """Return eigenvalues of the Hessian of J over a sample of rows; None if there are none."""
        return hessian(self.objective)

    def largest_curvature(self) -> float | None:
        """Return the largest eigenvalue of that Hessian in absolute value; None if there is none."""
        found = self.hessian()
        return None if found is None else found.largest

    def descends(self, rate: float, signs: bool = False) -> bool:
        """Whether a step against the gradient, or against its signs, does not raise J; the module stays as it is."""
        import torch

        objective = self.objective
        objective(self.theta, 1)
        trained = [tensor for tensor in objective.model.parameters.trained if tensor.grad is not None]
        before = [tensor.detach().clone() for tensor in trained]
        with torch.no_grad():
            for tensor in trained:
                tensor.sub_(rate * (tensor.grad.sign() if signs else tensor.grad))
            loss = objective(self.theta, 0).loss
            for tensor, old in zip(trained, before, strict=True):
                tensor.copy_(old)
        return loss <= self.loss


@dataclass
class ModuleEngine:
    """The rows a module is fitted to, beside it, as tensors: inputs, response and row weights.

    rows: the response and the row weights as arrays.
    """

    inputs: Tensor
    y: Tensor
    rows: Rows
    omega: Tensor | None = None
    name: str = "torch"

    @property
    def count(self) -> int:
        """The number of rows."""
        return int(self.y.shape[0])

    def blocks(self, chosen: NDArray[np.intp] | None, whole: bool) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield inputs, y and weights of all rows or of the chosen ones, in blocks or in one piece."""
        if chosen is not None:
            yield self._at(chosen)
            return
        size = self.count if whole else block_size(self.inputs)
        for begin in range(0, self.count, size):
            yield (self.inputs, self.y, self.omega) if size >= self.count else self._at(slice(begin, begin + size))

    def _at(self, chosen: Any) -> tuple[Tensor, Tensor, Tensor | None]:
        import torch

        place = chosen if isinstance(chosen, slice) else torch.from_numpy(chosen).to(self.y.device)
        return self.inputs[place], self.y[place], None if self.omega is None else self.omega[place]


class ModuleObjective(Objective):
    """J of a module: sum of losses over sum of row weights.

    J of a step is that of evaluation mode: what predict would give, and the same however often it is asked for.
    Steps follow the gradient of training mode. Where both modes compute the same, one pass serves for both;
    where not (dropout, batch normalisation) each epoch takes a pass for each.
    """

    engine: ModuleEngine  # type: ignore[assignment]  # which stands in for one

    def __init__(self, model: ModuleModel, engine: ModuleEngine, modes: Modes) -> None:
        self.model = model
        self.engine = engine
        self.modes = modes
        self.rows = engine.count
        self.runs = 0
        self.passes = 0.0
        self.finite = True
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
        return self.passed(rows, True, whole=self.modes.differ)

    def passed(self, rows: NDArray[np.intp] | None, backward: bool, whole: bool = False) -> Tensor:
        """Pass rows through the module, forward and perhaps backward, and return J, a tensor."""
        import torch

        self.runs += 1
        self.passes += 1.0 if rows is None else len(rows) / self.rows
        if backward:
            self.clear()
        count = self.engine.rows.weight_of(rows)
        total = None
        with torch.set_grad_enabled(backward):
            for inputs, y, weights in self.engine.blocks(rows, whole):
                score = self.model.score(inputs)
                value = self.value(score, y, score - y)
                if weights is None and y.shape[0] == count:
                    loss = value.mean()
                else:
                    loss = (value if weights is None else value * weights).sum() / count
                if backward:
                    loss.backward()
                total = loss.detach() if total is None else total + loss.detach()
        return total

    def clear(self) -> None:
        """Zero the gradients: autograd adds to what is there."""
        for tensor in self.model.parameters.trained:
            tensor.grad = None

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Train for a while; afterwards the module holds the last finite parameters, in the modes it was given in."""
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
