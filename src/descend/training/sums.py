"""What others in this room know of the objective of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.models.module import ModuleModel
from descend.models.module_modes import Modes
from descend.problem.fault import Fault
from descend.training.curvature import Ritz
from descend.training.engine import ModuleEngine
from descend.training.meter import Meter

if TYPE_CHECKING:
    from torch import Tensor


class Sums(Protocol):
    """J of a module, and what it is made of: see `ModuleObjective`, which is one."""

    model: ModuleModel
    engine: ModuleEngine
    modes: Modes
    runs: int
    passes: float
    finite: bool
    fault: Fault | None
    meter: Meter | None

    @property
    def rows(self) -> int:
        """The number of rows."""

    def batches(self, size: int, seed: int, epoch: int) -> list[NDArray[np.intp]]:
        """Return the rows of each batch of an epoch."""

    def passed(self, rows: NDArray[np.intp] | None, backward: bool, at_once: bool = False) -> Tensor:
        """Pass rows through the module, and return J."""

    def mean_loss(self, inputs: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        """Return the losses of some rows, summed over ``count``."""

    def loss_over(self, rows: ModuleEngine, meter: Meter | None = None) -> float:
        """Return J over other rows, with a meter listening."""

    def hessian(self) -> Ritz | None:
        """Return eigenvalues of the Hessian of J over a sample of rows."""

    def of(self, engine: ModuleEngine) -> Sums:
        """Return J of the same module over other rows."""
