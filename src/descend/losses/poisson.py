"""The Poisson loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from descend.losses.contract import Loss


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
    value_text: ClassVar[str] = "prediction - y*log(prediction)"
    slope_text: ClassVar[str] = "1 - y/prediction"
    weight_text: ClassVar[str] = "1/prediction"
    fisher: ClassVar[bool] = True
    response_domain: ClassVar[tuple[str, str] | None] = ("y >= 0", "counts, so 0 or more")
