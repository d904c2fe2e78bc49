"""The range of a response or a prediction, and how messages describe it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Domain:
    """The numbers, from low to high, that a response or a prediction may be.

    words: what they are, as in "the loss needs ...". closed: whether low and high are among them.
    example: a formula that stays in the range. module: how a PyTorch module stays in it.
    limited: whether the range leaves out any numbers.
    """

    low: float = -math.inf
    high: float = math.inf
    words: str = ""
    closed: bool = True
    example: str = ""
    module: str = ""
    limited: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limited", self.low > -math.inf or self.high < math.inf)

    @property
    def inside(self) -> float:
        """A number well inside the range."""
        if math.isfinite(self.low + self.high):
            return 0.5 * (self.low + self.high)
        return self.low + 1.0 if math.isfinite(self.low) else min(self.high - 1.0, 1.0)

    def outside(self, values: Array) -> NDArray[np.bool_]:
        """Mark the numbers outside the range.

        >>> Domain(0.0, 1.0).outside(np.array([0.0, 2.0])), Domain(0.0, closed=False).outside(np.array([0.0, 2.0]))
        (array([False,  True]), array([ True, False]))
        """
        if self.closed:
            return (values < self.low) | (values > self.high)
        return (values <= self.low) | (values >= self.high)

    def condition(self, name: str) -> str:
        """Write as a formula that a number lies in it.

        >>> Domain(0.0, 1.0).condition("m"), Domain(0.0, closed=False).condition("m")
        ('0.0 <= m and m <= 1.0', '0.0 < m')
        """
        sign = "<=" if self.closed else "<"
        below = [f"{self.low!r} {sign} {name}"] if self.low > -math.inf else []
        return " and ".join(below + ([f"{name} {sign} {self.high!r}"] if self.high < math.inf else []))


POSITIVE = Domain(
    low=0.0,
    words="positive",
    closed=False,
    example="exp(a + b*x)",
    module="a positive mean: let it end in something positive, such as torch.nn.Softplus()",
)
"""The range of the predicted mean of counts and of positive numbers."""
