"""What the user asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from descend.errors import ConfigError
from descend.losses import Loss
from descend.parameters.bounds import Given as Bounded
from descend.parameters.ties import Ties
from descend.table.rows import Roles

Gradient = str | Sequence[str] | Callable[..., Any] | None


MODULES_OF_LOSSES = {
    "MSELoss": "squared",
    "L1Loss": "absolute",
    "HuberLoss": "huber",
    "SmoothL1Loss": "huber",
    "PoissonNLLLoss": "poisson",
    "BCELoss": "logistic",
    "BCEWithLogitsLoss": "logistic",
}
"""What those losses of PyTorch are called here that are."""


@dataclass
class Request:
    """What the user asked for: see ``descend.fit``."""

    response: str | None = None
    start: Mapping[str, Any] | None = None
    gradient: Gradient = None
    loss: str | Loss = "squared"
    weights: str | None = None
    l1: float = 0.0
    l2: float = 0.0
    where: str | None = None
    missing: str = "raise"
    engine: str = "auto"
    device: str | None = None
    sigma: str | None = None
    polish: bool = True
    """Whether a start that is searched for may be improved by a short descent."""
    grow: bool = False
    """Whether a start may be improved on samples of many rows."""
    bounds: Bounded = None
    fix: Mapping[str, Any] | None = None
    ties: Ties = None
    batched: bool = False
    """Whether the descent takes the rows in batches."""
    memory_limit: str | int | None = None
    epochs: int | None = None
    """How many epochs were asked for."""
    bounded: bool = True
    """Whether the descent can keep parameters within bounds that nobody asked for."""

    @property
    def roles(self) -> Roles:
        """The columns that say something of the rows themselves."""
        return Roles(self.weights, self.sigma)

    def check(self) -> None:
        """Refuse what is of the wrong kind altogether. Raises ConfigError."""
        loss: Any = self.loss
        if not isinstance(loss, str | Loss):
            what = type(loss).__name__
            known = MODULES_OF_LOSSES.get(what, "huber(delta=2)")
            raise ConfigError(f"A loss is named by text, such as `{known}`; this is of type {what}.")
        where: Any = self.where
        if where is not None and not isinstance(where, str):
            raise ConfigError(
                f"`where` is a condition in SQL, as text, such as `x > 1`; this is of type {type(where).__name__}. "
                "Write the condition, or choose the rows of the data before."
            )
        names: dict[str, Any] = {"weights": self.weights, "response": self.response}
        for option, name in names.items():
            if name is not None and not isinstance(name, str):
                what = type(name).__name__
                raise ConfigError(
                    f"`{option}` is the name of a column; this is of type {what}. Put the values into the data."
                )
        start: Any = self.start
        if start is not None and not isinstance(start, Mapping):
            what = type(start).__name__
            raise ConfigError(f'Starting values are given by name, such as start={{"w": 0.0}}; this is of type {what}.')


def not_negative(value: float, name: str) -> float:
    """Return the value of a penalty; ConfigError unless it is a finite number, 0 or more."""
    if not (math.isfinite(value) and value >= 0):
        raise ConfigError(f"The {name} penalty must be a number, 0 or more; it is {value!r}.")
    return float(value)
