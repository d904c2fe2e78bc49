"""The squared loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from descend.losses.contract import Loss


@dataclass(frozen=True)
class Squared(Loss):
    """The square of the residual; its mean is the mean squared error.

    With r = prediction - y: r**2; slope 2 r; weight 2.

    Source: Legendre (1805); Gauss (1809).

    >>> import numpy as np
    >>> Squared().slope(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
    array([1., 6.])
    """

    name: ClassVar[str] = "squared"
    aliases: ClassVar[str] = "mse l2 sse rmse ols least_squares quadratic gaussian normal"
    modules: ClassVar[str] = "MSELoss"
    value_text: ClassVar[str] = "r^2"
    slope_text: ClassVar[str] = "2*r"
    weight_text: ClassVar[str] = "2"
    convex: ClassVar[bool] = True
    dispersion: ClassVar[Literal["known", "estimated"] | None] = "estimated"
    unit: ClassVar[float] = 2.0
    curvature_left_text: ClassVar[str] = "1"
    normaliser_text: ClassVar[str] = "log(omega)/2 - log(dispersion)/2 - 0.9189385332046727"  # log(2 pi)/2
    scale_name: ClassVar[str] = "sigma"
    minus_log_density_text: ClassVar[str] = "r^2/(2*scale^2) + log(scale) + 0.9189385332046727"
    # Beyond 30 standard deviations a limit that holds says nothing; its second derivative would be inf/inf.
    log_below_text: ClassVar[str] = "log_ndtr(min((y - prediction)/scale, 30))"
    log_above_text: ClassVar[str] = "log_ndtr(min((prediction - y)/scale, 30))"
    scale_information_text: ClassVar[str] = "2/scale^2"
