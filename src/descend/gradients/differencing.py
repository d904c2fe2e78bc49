"""What is known of derivatives that are found numerically, and what may be asked of the next ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from descend.differences.derivatives import Derivatives

Array = NDArray[np.float64]


class Differencing:
    """The quality of the numerical derivatives that a kernel sums (see ``differences``)."""

    used: Derivatives | None = None
    """Those that were asked for last."""
    noise: Array | None = None
    """(p,) the standard deviation of the last gradient, summed over rows."""
    loss_noise: float = 0.0
    """The same of the loss."""

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"used": None}

    @property
    def sparing(self) -> bool:
        """Whether derivatives cost a call of a user's function for each parameter, or are noisy."""
        return self.used is not None and (self.used.sparing or self.used.noisy)

    @property
    def words(self) -> tuple[str, ...]:
        """How the derivatives were found, in sentences."""
        return () if self.used is None else self.used.words

    def carry_on(self) -> None:
        """Let the next derivatives be carried on from the last, where they would cost a call for each parameter."""
        if self.used is not None:
            self.used.carry_on = True

    def refine(self, best: bool) -> bool:
        """Let the derivatives at the point where they were asked for last be found better; False if they cannot be."""
        return self.used is not None and self.used.refine(best)

    def listen(self, by_scores: Array, slope: Array, of_scores: Array, of_derivatives: Array) -> None:
        """Keep the noise of a gradient sum.

        by_scores: (n, p), its derivatives by the scores. slope: (n,), by which derivatives are multiplied. of_scores:
        (n,), of_derivatives: (n, p), the errors of both.
        """
        variance = np.square(of_derivatives).T @ slope**2 + np.square(by_scores).T @ of_scores**2
        self.noise, self.loss_noise = np.sqrt(variance), float(np.linalg.norm(slope * of_scores))
