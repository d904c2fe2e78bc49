"""Tukey's biweight loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.registry import setting


@dataclass(frozen=True)
class Tukey(Loss):
    """Squared error near zero, constant in the tails: outliers do not count at all.

    With r = prediction - y:   scale**2 / 6 * (1 - (1 - (r/scale)**2)**3)   if |r| <= scale
                               scale**2 / 6                                  otherwise
    slope r (1 - (r/scale)**2)**2 and weight (1 - (r/scale)**2)**2 if |r| <= scale, 0 otherwise.

    It has many minima, so a fit begins where a huber fit ends, or at the S-estimate, which rows with leverage do not
    pull to themselves, where that leaves less noise.

    scale: float > 0, in the unit of y: residuals beyond it do not count; or "auto", 4.685 times the noise that the fit
    itself leaves; or "mm", 4.685 times the scale of the S-estimate, at which it is kept: the MM-estimate.

    Raises ConfigError if scale is not finite and positive.
    Source: Beaton & Tukey (1974), Technometrics 16, 147-185; Yohai (1987), Ann. Statist. 15, 642-656.

    >>> import numpy as np
    >>> Tukey(scale=2.0).slope(prediction=np.array([1.0, 3.0]), y=np.zeros(2))
    array([0.5625, 0.    ])
    """

    scale: float = setting(4.685, above=0.0, auto=True, estimates=("mm",))

    name = "tukey"
    aliases = "bisquare biweight"
    chinese = "Tukey 双权损失"
    efficient = 4.685
    many_minima = True
    value_text = "scale^2/6*min((r/scale)^2, 1)*(3 - 3*min((r/scale)^2, 1) + min((r/scale)^2, 1)^2)"
    slope_text = "r*max(1 - (r/scale)^2, 0)^2"
    weight_text = "max(1 - (r/scale)^2, 0)^2"
