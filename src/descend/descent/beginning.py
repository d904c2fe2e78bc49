"""Before the first step: where a descent begins, which optimizer it takes, in what units and how far it steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.optimizers import OPTIMIZERS, Optimizer
from descend.options.checks import as_rate
from descend.options.request import Request
from descend.problem.point import Objective, Point
from descend.problem.problem import Problem

if TYPE_CHECKING:
    from descend.gradients.court import Judgement

Array = NDArray[np.float64]
FEW = 8
"""Up to so many numbers, Python is faster than NumPy."""
MANY = 5_000
"""With more parameters, the default optimizer forms nothing whose size grows with their square."""


@dataclass(eq=False)
class Beginning:
    """Where the descent of a problem begins.

    first: J, gradient and curvature there. notes: what was chosen and noticed so far, in sentences.
    origin: the start before it was improved on samples of the rows, if it was. undetermined: whether the notes say that
    some parameters cannot be told apart. judgement: the court's verdict on a gradient by hand.
    """

    problem: Problem
    first: Point
    notes: tuple[str, ...] = ()
    origin: Array | None = None
    undetermined: bool = False
    judgement: Judgement | None = None

    @property
    def near(self) -> bool:
        """Whether the start is already at the minimum, except for the last digits."""
        return self.origin is not None

    @property
    def start(self) -> Array:
        """The starting values, before any improvement on samples of the rows."""
        return self.first.theta if self.origin is None else self.origin


def scales(point: Point) -> Array:
    """Return the change of each parameter that would matter: sqrt((J - F) / C_kk); 1 without a curvature C.

    F is the floor of J: see ``Point.excess``.
    """
    if point.curvature is None:
        return np.ones(np.size(point.theta))
    size, diagonal = point.excess, point.curvature.diagonal()
    if len(diagonal) > FEW and diagonal.min() > 0.0 and math.isfinite(diagonal.sum()):
        return np.sqrt(size / diagonal)
    diagonal_parts = diagonal.tolist()
    return np.array(
        [math.sqrt(size / curvature) if 0.0 < curvature < math.inf else 1.0 for curvature in diagonal_parts]
    )


def learning_rate(rate_given: float | str | None, optimizer: Optimizer, point: Point) -> tuple[float, str | None]:
    """Return the learning rate, and a sentence if it was chosen here.

    rate_given: a number; "auto" or None: from the curvature at the start, by the optimizer's own rule.
    Raises ConfigError unless it is positive and finite.
    """
    if rate_given is None or rate_given == "auto":
        if not optimizer.uses_rate:
            return 1.0, None
        rate = optimizer.suggested_rate(point)
        return rate, f"learning rate {rate:.4g}, chosen as {optimizer.rate_rule}"
    return as_rate(rate_given), None


def named_optimizer(optimizer_given: object) -> Optimizer:
    """Return the optimizer that a text names, or that is given. Raises ConfigError if it is none of ours."""
    if isinstance(optimizer_given, str):
        return OPTIMIZERS.build(optimizer_given)
    if not isinstance(optimizer_given, Optimizer):
        raise ConfigError(
            f"An optimizer is named by text, such as `adam(beta1=0.8)`; this is a {type(optimizer_given).__name__}. "
            "Optimizers of PyTorch step PyTorch modules only."
        )
    return optimizer_given


def choose(problem: Problem, request: Request, near: bool = False) -> tuple[Optimizer, str | None]:
    """Return the optimizer, and a sentence if it was chosen here. Raises ConfigError for a bad combination.

    near: whether the descent begins next to the minimum.
    """
    objective, batched = problem.objective, request.batch_size is not None
    chosen, why = (request.optimizer, None) if request.optimizer is not None else _suited(problem, request, near)
    optimizer = named_optimizer(chosen)
    if objective.has_l1 and not (optimizer.proximal or (optimizer.piecewise and objective.pieces is not None)):
        raise _unable(optimizer, "cannot follow an l1 penalty, which has kinks", "proximal")
    if objective.has_l1 and optimizer.needs > 1 and _l1_by_first_derivatives(objective):
        raise ConfigError(
            f"The optimizer `{optimizer.name}` follows an l1 penalty of a formula without bounds or groups of "
            "parameters. Use one of: gd, momentum."
        )
    if objective.bounds is not None and not optimizer.bounded:
        cut = "cut short at a bound, its steps need not lead to the minimum"
        raise _unable(optimizer, f"cannot keep within bounds ({objective.bounds.texts[0]}): {cut}", "bounded")
    if batched and not optimizer.stochastic:
        raise _unable(optimizer, "needs all rows at every step, so it takes no batch size", "stochastic")
    return optimizer, f"optimizer {optimizer.name}, chosen because {why}" if why else None


def _suited(problem: Problem, request: Request, near: bool) -> tuple[str, str]:
    """Return an optimizer that suits the problem, and why."""
    objective, batched, rated = problem.objective, request.batch_size is not None, request.learning_rate is not None
    many = problem.model.parameters.size > MANY and not objective.arrow
    if objective.pieces is not None and not (many or objective.arrow or batched or rated):
        return "vertex", f"it ends exactly at the kinks of the {problem.model.loss.name} loss"
    if objective.has_l1 and (many or batched or rated or _l1_by_first_derivatives(objective)):
        return "momentum", "it can follow an l1 penalty"
    if objective.bounds is not None and (batched or many):
        return "momentum", "it keeps within bounds"
    if batched:
        return "adam", "it suits batches"
    if rated:
        return "gd", "a learning rate was given"
    if many:
        return "adam", "there are many parameters"
    if objective.arrow and objective.pieces is not None:
        return "adam", f"it can follow the {problem.model.loss.name} loss with many parameters"
    # One undamped step reaches the minimum of a parabola, and very close to a minimum any J is nearly a parabola.
    damping = "(damping=1e-30)" if problem.parabola else "(damping=1e-12)" if near else ""
    return f"levenberg_marquardt{damping}", "it needs no learning rate"


def _l1_by_first_derivatives(objective: Objective) -> bool:
    """Whether no system of a whole step is known that has the kinks of an l1 penalty in it."""
    return objective.bounds is not None or objective.arrow or objective.sparing


def _unable(optimizer: Optimizer, lacking: str, ability: str) -> ConfigError:
    able = ", ".join(name for name in OPTIMIZERS if getattr(OPTIMIZERS[name], ability))
    return ConfigError(f"The optimizer `{optimizer.name}` {lacking}. Use one of: {able}.")


def unused(request: Request, optimizer: Optimizer) -> str | None:
    """Say which of the given options are ignored by an optimizer that finds the length of each step itself."""
    options = ["learning rate"] if request.learning_rate is not None else []
    if request.schedule != "constant":
        options.append("schedule")
    if not options:
        return None
    verb = "is" if len(options) == 1 else "are"
    return f"the {' and the '.join(options)} {verb} not used: {optimizer.name} finds the length of each step itself"
