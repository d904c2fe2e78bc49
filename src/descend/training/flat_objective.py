"""J of a module as a function of a flat vector."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.models.module_weights import gradients_of, joined
from descend.problem.point import Objective, Point
from descend.training.affine import lowest_theta
from descend.training.engine import ModuleEngine
from descend.training.sums import Sums

Array = NDArray[np.float64]


class FlatObjective(Objective):
    """J of a module in evaluation mode, as an `Objective` over the numbers that are trained, (p,) in float64.

    It has no curvature matrix; ``largest_curvature`` finds its largest eigenvalue.
    """

    def __init__(self, objective: Sums) -> None:
        self.objective, self.rows = objective, len(objective.engine.y)
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
        self.model.parameters.flat.write(theta)
        self.objective.modes.evaluate()
        try:
            yield
        finally:
            self.objective.modes.train()

    def path(self) -> tuple[Array, Array, Array | None]:
        """Return where the run began, where J was last finite, and where it ended if it was not finite there."""
        parameters, now = self.model.parameters, self.model.parameters.flat.read()
        start = now if parameters.begun is None else joined(parameters.begun)
        if self.objective.finite:
            return start, now, None
        return start, now if parameters.kept is None else joined(parameters.kept), now

    def columns(self) -> dict[str, Array]:
        """Return what the module was fitted to as columns: of the table, or the numbers of each row of a tensor."""
        response, names = self.model.response, self.model.inputs
        if self.model.arguments:
            return {response: self.objective.engine.y.detach().cpu().double().numpy()}
        inputs = self.inputs.detach().reshape(len(self.inputs), -1)
        y = self.objective.engine.y.detach().cpu().double().numpy()
        if not inputs.is_floating_point():
            return {response: y}
        names = names if len(names) == inputs.shape[1] else tuple(f"X[{place}]" for place in range(inputs.shape[1]))
        return {**dict(zip(names, inputs.cpu().double().numpy().T, strict=True)), response: y}

    def over(self, columns: Mapping[str, Array]) -> FlatObjective:
        """Return J of the same module over other values of its columns."""
        import torch

        rows, response = self.objective.engine, self.model.response
        parts = [array for name, array in columns.items() if name != response]
        inputs = torch.from_numpy(np.column_stack(parts)).to(rows.inputs.device, rows.inputs.dtype)
        y = torch.from_numpy(np.array(columns[response])).to(rows.y.device, rows.y.dtype)
        return self._with(ModuleEngine(inputs.reshape(rows.inputs.shape), y, rows.rows, rows.omega))

    def on(self, chosen: NDArray[np.intp]) -> FlatObjective:
        """Return J of the same module over some of the rows."""
        return self._with(self.objective.engine.chosen(chosen))

    def _with(self, engine: ModuleEngine) -> FlatObjective:
        return FlatObjective(self.objective.of(engine))

    def largest_curvature(self, theta: Array) -> float | None:
        """Return the largest |eigenvalue| of the Hessian at ``theta``; None if there is none."""
        self.model.parameters.flat.write(theta)
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
        place = lowest_theta(self.scores, theta, rows.y, rows.omega, self.model.loss, rounding)
        if place is None:
            return None
        return min((loss for each in (theta, place) if math.isfinite(loss := self(each, 0).loss)), default=None)
