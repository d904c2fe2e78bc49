"""Levenberg-Marquardt steps of a PyTorch module: ours, on the numbers that are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from descend.errors import ConfigError
from descend.optimizers.contract import Optimizer, State
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.training.curvatures import Dense
from descend.training.gauss_newton import Damped, ModuleEvaluation, Surface
from descend.training.objective import ModuleObjective
from descend.training.optimizers import ModuleOptimizer
from descend.training.point import ModulePoint
from descend.training.secants import evaluations, onwards

WORDS = {
    "matrix": "its steps solve a system of the parameters",
    "rows": "its steps solve a system of the rows, which are fewer than the parameters",
    "products": "its steps are found by conjugate gradients, as no matrix of the parameters is formed",
}
"""What a note says of each form of the curvature."""


BETWEEN = "; before the next, steps by the same one follow, corrected by the changes of the gradient on the way"
"""And where steps follow that form no matrix."""


@dataclass
class Standing:
    """Where the module stands after a step of these, and the state of ours there."""

    state: State
    current: ModuleEvaluation | None = None


class SecondOrder(ModuleOptimizer):
    """An `Optimizer` that takes the steps of ours over the flat vector of what is trained, and writes them back.

    Its state holds J at the end of the last step, so that nothing is evaluated twice.
    """

    thorough: ClassVar[bool] = True
    damps: ClassVar[bool] = True
    uses_rate = False

    def __init__(self, ours: LevenbergMarquardt, objective: ModuleObjective) -> None:
        self.ours = ours
        self.name, self.rate_rule = ours.name, ours.rate_rule  # type: ignore[misc]  # which are those of ours
        self.surface = Surface(objective)

    @property
    def alike(self) -> Optimizer:
        return self.ours

    def remembered(self, state: object) -> object:
        """Return what it remembers; J where it stands is not among this."""
        return as_tensors(cast(Standing, state).state)

    def recalled(self, content: object) -> Standing:
        return Standing(cast(State, as_arrays(content)))

    def set_rate(self, rate: float) -> None:
        """Do nothing: the damping decides how far a step goes."""

    def stands(self, state: object, promised: float) -> None:
        """Evaluate J where an earlier run stood after one of these steps, as its end was. promised: by the last."""
        objective = self.surface.objective
        parameters = objective.model.parameters
        current = ModuleEvaluation(self.surface, parameters.flat.read(), None)
        objective.ahead = ModulePoint.known(parameters.present, current, objective)
        objective.ahead.promised = promised
        cast(Standing, state).current = current

    def init(self, theta: object) -> Standing:
        return Standing(self.ours.init(np.empty(self.surface.size)))

    def step(self, evaluation: Any, state: Standing) -> tuple[Any, Standing]:
        flat = self.surface.objective.model.parameters.flat
        here, before = flat.read(), state.state
        current = state.current
        if current is None or evaluation.rows is not None or not np.array_equal(current.theta, here):
            current = ModuleEvaluation(self.surface, here, evaluation.rows)
        if evaluation.rows is not None:
            before = (*before[:4], None, None)  # the last step was over other rows
        theta, after = self.ours.step(current, before)  # type: ignore[arg-type]  # its curvature is one of ours
        flat.write(theta)
        if theta is current.theta:
            _, predicted = Damped(current, before[0]).move(before[1])
            evaluation.promised = predicted / abs(current.loss) if current.loss else 0.0
            return evaluation.theta, Standing(after, current)
        ahead = current.reached(theta)
        if ahead is not None and ahead.rows is None and after[5] is None:
            ahead = self._onwards(current, ahead)
            flat.write(ahead.theta)
            if ahead.theta is not theta:
                after = (*after[:4], None, None)  # no step of one system led there
        moved = evaluation.theta.moved()
        if ahead is not None and ahead.rows is None:
            objective = self.surface.objective
            objective.ahead = ModulePoint.known(moved, ahead, objective)
        return moved, Standing(after, ahead)

    def _onwards(self, current: ModuleEvaluation, ahead: ModuleEvaluation) -> ModuleEvaluation:
        """Return where the steps lead that follow a damped one before the next matrix, where they pay."""
        most = evaluations(self.surface.count, self.surface.size)
        curvature = current.curvature
        if not most or not isinstance(curvature, Dense):
            return ahead
        return onwards(current, ahead, curvature.again, most)

    def damped(self, state: Standing) -> float:
        """Return the damping of the next step."""
        return self.ours.damped(state.state)

    def suggested_rate(self, evaluation: Any) -> float:
        return 1.0


def as_tensors(value: object) -> object:
    """Return a state with tensors in place of arrays.

    >>> as_tensors(([1.0, 2.0], 0.5, None))
    (tensor([1., 2.], dtype=torch.float64), 0.5, None)
    """
    import torch

    if isinstance(value, tuple):
        return tuple(as_tensors(each) for each in value)
    return torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray | list) else value


def as_arrays(value: object) -> object:
    """Return a state with arrays in place of tensors."""
    if isinstance(value, tuple):
        return tuple(as_arrays(each) for each in value)
    return np.array(value.numpy()) if hasattr(value, "numpy") else value


def second_order(ours: LevenbergMarquardt, objective: ModuleObjective) -> tuple[SecondOrder, str]:
    """Return the optimizer of a module and how it solves its systems, in words; or refuse what it cannot follow.

    Raises ConfigError.
    """
    loss, name = objective.model.loss, objective.model.name
    cost = objective.model.cost
    if cost is not None and cost.curved is None:
        raise ConfigError(
            f"{ours.name} follows cross_entropy and the losses of one number for each row, whose second derivative is "
            f"known; the loss `{loss.shown}` of a module is none of these. Use another optimizer, such as adam."
        )
    if objective.model.arguments:
        raise ConfigError(
            f"{ours.name} follows modules of one input, and `{name}` takes several. Use another optimizer, "
            "such as adam."
        )
    if loss.kinked:
        raise ConfigError(
            f"The {loss.name} loss has kinks, where it has no curvature, so {ours.name} cannot follow it for a module. "
            "Use the huber or soft_l1 loss, or another optimizer such as adam."
        )
    if objective.modes.differ:
        raise ConfigError(
            f"`{name}` computes something else in training than in evaluation, as with dropout or batch normalisation: "
            f"each row then depends on chance or on the others, and {ours.name} needs J row by row. Freeze such "
            "parts with .eval(), the rest in training mode, or use another optimizer such as adam."
        )
    made = SecondOrder(ours, objective)
    form = made.surface.form(objective.rows)
    between = BETWEEN if form == "matrix" and evaluations(made.surface.count, made.surface.size) else ""
    return made, WORDS[form] + between
