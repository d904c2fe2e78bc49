"""The Cauchy loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.registry import setting


@dataclass(frozen=True)
class Cauchy(Loss):
    """Logarithm of the error in the tails: the larger an outlier, the less it counts.

    With r = prediction - y:   scale**2 / 2 * log(1 + (r/scale)**2)
    slope r / (1 + (r/scale)**2); weight 1 / (1 + (r/scale)**2), that of reweighted least squares.

    scale: float > 0, in the unit of y: residuals beyond it count for less and less; or "auto", 2.385 times the noise.

    Raises ConfigError if scale is not finite and positive.
    Source: Holland & Welsch (1977), Commun. Stat. A 6, 813-827; the negative log-likelihood of Cauchy's distribution.

    >>> import numpy as np
    >>> Cauchy(scale=1.0).slope(prediction=np.array([1.0, 100.0]), y=np.zeros(2)).round(4)
    array([0.5 , 0.01])
    """

    scale: float = setting(1.0, above=0.0, auto=True)

    name = "cauchy"
    aliases = "lorentz lorentzian student"
    chinese = "柯西损失"
    efficient = 2.385
    value_text = "scale^2/2*log1p((r/scale)^2)"
    slope_text = "r/(1 + (r/scale)^2)"
    weight_text = "1/(1 + (r/scale)^2)"
