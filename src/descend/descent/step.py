"""The steps of a run, each a plain row, and the trace that keeps them."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.optimizers import State
from descend.parameters import Parameters
from descend.parameters.vector import Values
from descend.showing import Shown

if TYPE_CHECKING:
    import pandas as pd

    from descend.stability.forecast import Trajectory

Array = NDArray[np.float64]
Memory = tuple[float, float, float, float, int, bool]
"""What the judge of a run remembers of the steps so far."""
MOST_STEPS = 100_000
"""A longer trace keeps only every second step, then every fourth, and so on."""
MOST_NUMBERS, FEWEST_STEPS = 1 << 24, 64
"""So does one whose steps hold more parameters than these in all, 128 MiB, but for so many steps."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a run from which exactly the same steps follow again.

    state: the optimizer's. order: that of the evaluation at theta, as its last bits depend on it. judge: what the judge
    of the run remembers. seconds: time spent so far. best: the step whose loss on rows held out was lowest so far.
    """

    epoch: int
    theta: Array
    state: State
    order: int
    judge: Memory
    seconds: float
    best: Step | None = None


@dataclass(slots=True, eq=False, repr=False)
class Step:
    """One row of a run: where it stood after ``epoch`` epochs, and J and its gradient at that same point.

    theta: the flat parameters, or for a PyTorch module whatever stands for its weights.
    gradient_norm: Euclidean norm of dJ/dtheta. learning_rate: of the step taken from here. seconds: since the start.
    outcome: how the run ended, on its last step; None before. names: of the parameters.
    sharpness: the largest eigenvalue of the curvature there, at epochs where it was asked for. note: a warning.
    snapshot: the state from which the run can be resumed, if checkpoints are kept. damping: lambda of the step taken
    from here, where the optimizer damps its steps. measures: what else was measured there, by name, of a module under
    training: `validation_loss`, metrics.
    """

    epoch: int
    theta: Array
    loss: float
    gradient_norm: float
    learning_rate: float
    seconds: float
    outcome: Outcome | None = None
    names: Parameters | None = None
    sharpness: float | None = None
    note: str | None = None
    snapshot: Snapshot | None = None
    damping: float | None = None
    measures: Mapping[str, float] | None = None

    @property
    def validation_loss(self) -> float | None:
        """J over the rows of validation, after this epoch; None if there are none."""
        return None if self.measures is None else self.measures.get("validation_loss")

    @property
    def parameters(self) -> Values:
        """Parameters by name: a float for a scalar, an array for a vector; empty for a PyTorch module of many."""
        return self.names.named(self.theta) if self.names is not None else {}

    def __repr__(self) -> str:
        values = self.names.mentioned(self.theta) if self.names is not None else ""
        return (
            f"epoch {self.epoch:>5}  loss {self.loss:<12.6g}  |gradient| {self.gradient_norm:<10.4g}  {values}".rstrip()
        )

    def line(self, sharpness: bool = True) -> str:
        """Return the step as a line of a log that shows what else was measured, the sharpness only if wanted."""
        sharpness_text = "" if self.sharpness is None or not sharpness else f"  sharpness {self.sharpness:.4g}"
        measured = "".join(f"  {name.replace('_', ' ')} {value:.6g}" for name, value in (self.measures or {}).items())
        return f"{self!r}{measured}{sharpness_text}"


class Trace(Shown, Sequence[Step]):
    """The steps of a run, in order; the first is the start (epoch 0)."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.stride, self._most = 1, 0
        self._closed: Trajectory | None = None

    def read_from(
        self,
        closed: Trajectory | None,
        rate: float,
        parameters: Parameters,
        restore: Callable[[Step], None] | None = None,
    ) -> None:
        """Let ``at`` read any epoch from a closed form; ``restore`` puts its steps into the user's units."""
        self._closed, self._rate, self._parameters, self._restore = closed, rate, parameters, restore

    def at(self, epoch: int) -> Step:
        """Return the step of an epoch, from 0 to the last: as it was kept, or from the closed form where there is one.

        Raises ConfigError for an epoch that was not run, or whose step was not kept.
        """
        last = self.steps[-1].epoch if self.steps else -1
        number: object = epoch
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number <= last:
            raise ConfigError(
                f"There is no epoch {epoch!r} in this trace."
                + (
                    f" It has epochs 0 to {last}."
                    if self.steps
                    else " It is empty: a fit that was loaded has no steps."
                )
            )
        step_number = bisect_left(self.steps, epoch, key=lambda step: step.epoch)
        step_found = self.steps[step_number]
        if step_found.epoch == epoch:
            return step_found
        if self._closed is not None:
            point = self._closed.point.at(self._closed.theta(int(epoch)), 1)
            step = Step(
                int(epoch), point.theta, point.loss, point.norm, self._rate, step_found.seconds, None, self._parameters
            )
            if self._restore is not None:
                self._restore(step)
            return step
        before = self.steps[step_number - 1].epoch
        raise ConfigError(
            f"Of {last} epochs this trace kept the steps of {len(self.steps)}, and epoch {epoch} is not among them. "
            f"The nearest are {before} and {step_found.epoch}."
        )

    def append(self, step: Step) -> None:
        """Add a step; thins out a trace that has grown too long, but keeps the last step and the last finite one."""
        if self.stride > 1 and self.steps[-1].epoch % self.stride and np.isfinite(step.loss + step.gradient_norm):
            self.steps.pop()
        self.steps.append(step)
        if len(self.steps) > FEWEST_STEPS and len(self.steps) > (self._most or self._counted(step)):
            self.stride *= 2
            self.steps = [saved for saved in self.steps if saved.epoch % self.stride == 0 or saved is step]

    def _counted(self, step: Step) -> int:
        """Return how many steps are kept at most, and keep it in mind."""
        self._most = max(FEWEST_STEPS, min(MOST_STEPS, MOST_NUMBERS // max(1, np.size(step.theta))))
        return self._most

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        return self.steps[index]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The epoch of each step."""
        return np.array([step.epoch for step in self.steps])

    @property
    def losses(self) -> NDArray[np.float64]:
        """J of each step."""
        return np.array([step.loss for step in self.steps])

    @property
    def validation_losses(self) -> NDArray[np.float64]:
        """J of each step over the rows of validation; nan if there are none."""
        return self.measured("validation_loss")

    def measured(self, name: str) -> NDArray[np.float64]:
        """Return a measure of each step by its name, such as ``accuracy``; nan where it was not taken."""
        return np.array([(step.measures or {}).get(name, math.nan) for step in self.steps])

    def frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each step: epoch, loss, gradient, learning rate, seconds, and measures.

        Raises ConfigError without pandas.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ConfigError(
                "A frame needs pandas: pip install pandas. `losses` and `measured` give arrays."
            ) from None
        rows = [
            {
                "epoch": step.epoch,
                "loss": step.loss,
                "gradient_norm": step.gradient_norm,
                "learning_rate": step.learning_rate,
                "seconds": step.seconds,
                **(step.measures or {}),
            }
            for step in self.steps
        ]
        return pd.DataFrame(rows)

    @property
    def last_finite(self) -> Step:
        """The last step whose loss and gradient are finite; the first step if none is."""
        for step in reversed(self.steps):
            if math.isfinite(step.loss) and math.isfinite(step.gradient_norm):
                return step
        return self.steps[0]

    def __repr__(self) -> str:
        return f"Trace({len(self.steps)} steps)"


def due_epochs(epochs: int | None, every: int | None) -> Iterator[int]:
    """Yield the epochs to log: every so many; a fifth of those asked for; or 0, 1, 2, 5, 10, 20, 50, ..."""
    if every is None and epochs is not None:
        every = max(1, epochs // 5)
    if every is not None:
        yield from itertools.count(0, every)
    yield 0
    for decade in itertools.count():
        yield from (lead * 10**decade for lead in (1, 2, 5))
