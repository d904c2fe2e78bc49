"""The squared loss."""

from __future__ import annotations

from dataclasses import dataclass

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

    name = "squared"
    aliases = "mse l2 sse rmse ols least_squares quadratic gaussian normal"
    chinese = "平方误差"
    modules = "MSELoss"
    value_text = "r^2"
    slope_text = "2*r"
    weight_text = "2"
    convex = True
    dispersion = "estimated"
    unit = 2.0
    curvature_left_text = "1"
    normaliser_text = "log(omega)/2 - log(dispersion)/2 - 0.9189385332046727"  # log(2 pi)/2
    scale_name = "sigma"
    minus_log_density_text = "r^2/(2*scale^2) + log(scale) + 0.9189385332046727"
    # Beyond 30 standard deviations a limit that holds says nothing; its second derivative would be inf/inf.
    log_below_text = "log_ndtr(min((y - prediction)/scale, 30))"
    log_above_text = "log_ndtr(min((prediction - y)/scale, 30))"
    scale_information_text = "2/scale^2"
