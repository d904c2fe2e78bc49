"""The Poisson loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.losses.contract import Loss, log_factorial


@dataclass(frozen=True)
class Poisson(Loss):
    """Negative log-likelihood of counts whose mean is the prediction, up to a constant.

    prediction - y log(prediction); slope 1 - y / prediction; weight 1 / prediction (Fisher information).

    The prediction must be positive: write `y ~ exp(a + b*x)` for a log-linear model. y is a count, 0 or more.
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 6.

    >>> import numpy as np
    >>> Poisson().slope(prediction=np.array([2.0, 4.0]), y=np.array([2.0, 2.0]))
    array([0. , 0.5])
    """

    name: ClassVar[str] = "poisson"
    elsewhere: ClassVar[str] = "counts count"
    value_text: ClassVar[str] = "prediction - y*log(prediction)"
    slope_text: ClassVar[str] = "1 - y/prediction"
    weight_text: ClassVar[str] = "1/prediction"
    fisher: ClassVar[bool] = True
    response_domain: ClassVar[tuple[str, str] | None] = ("y >= 0", "counts, so 0 or more")
    response_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    prediction_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    keep_in_range: ClassVar[str] = "Keep the formula positive, as in `y ~ exp(a + b*x)`"
    ends_in: ClassVar[str] = "a positive mean: let it end in something positive, such as torch.nn.Softplus()"
    likelihood: ClassVar[bool] = True

    def saturated(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return y - y log(y), the loss of a mean that is the count."""
        return y - y * np.log(np.where(y > 0.0, y, 1.0))

    def variance(self, prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean, which is the variance of a count."""
        return prediction

    def kurtosis(self, mean: NDArray[np.float64], omega: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 1 / mean, the excess kurtosis of a count."""
        return 1.0 / (omega * mean)

    def repeats(self, y: NDArray[np.float64], omega: NDArray[np.float64]) -> bool:
        """Whether rows are counts, each by itself: the scatter of weighed ones is not known."""
        return bool((omega == 1.0).all() and (y == np.floor(y)).all())

    def log_normaliser(self, y: NDArray[np.float64], omega: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return -omega log(y!)."""
        return -omega * log_factorial(y)
