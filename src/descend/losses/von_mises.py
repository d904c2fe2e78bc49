"""The von Mises loss: directions, which repeat after a full turn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from descend.losses.contract import Loss
from descend.losses.formulas import Array
from descend.losses.scaled import Scaled
from descend.registry import setting


@dataclass(frozen=True)
class VonMises(Scaled):
    """Negative log-likelihood of directions in radians about the prediction, of the von Mises distribution.

    With the residual r and the concentration `kappa`, a parameter of the loss's own unless it is given:

        -kappa cos(r) + log(2 pi I0(kappa))

    kappa: the concentration, if it is known; 0, the default, stands for a parameter to be estimated.

    Directions and predictions may be any numbers: a full turn, 2 pi, changes nothing. kappa is 0 where all
    directions are alike, and about 1 / variance where they are close together. Of degrees: `d*pi/180 ~ ...`.
    Source: Mardia & Jupp (2000), Directional Statistics, ch. 3 and 5.

    >>> loss = VonMises().given({}, {"kappa": 2.0})
    >>> loss.slope(prediction=np.array([0.5, 0.5 + 2 * np.pi]), y=np.zeros(2)).round(4)  # 2 sin(0.5)
    array([0.9589, 0.9589])
    """

    kappa: float = setting(0.0, at_least=0, fitted=1.0)

    name = "von_mises"
    aliases = "vonmises circular directions angles"
    chinese = "冯·米塞斯方向"
    predicts = "direction"
    turns = True
    scale_name = "kappa"
    scale_information_text = "1 - (i1e(scale)/i0e(scale))^2 - i1e(scale)/(scale*i0e(scale))"

    @property
    def minus_log_density_text(self) -> str:  # type: ignore[override]
        about = "2*scale*sin(r/2)^2"  # 1 - cos(r) by a form that keeps its digits
        if self.kappa:
            from scipy.special import i0e

            return f"{about} + {math.log(2.0 * math.pi * float(i0e(self.kappa)))!r}"
        return f"where(scale > 0, {about} + log(i0e(scale)) + log(2*pi), sqrt(-1 - scale^2))"

    @property
    def location_information_text(self) -> str:  # type: ignore[override]
        if self.kappa:
            from scipy.special import i0e, i1e

            return repr(self.kappa * float(i1e(self.kappa) / i0e(self.kappa)))
        return "scale*i1e(scale)/i0e(scale)"

    @property
    def exact(self) -> Loss | None:
        """The same with a concentration of 1, whose fit is a start."""
        return None if self.kappa else VonMises(kappa=1.0)

    def scale_of(self, mean: Array, y: Array, omega: Array) -> float:
        """Return the concentration, roughly, from the mean cosine of the residuals."""
        cosine = float(omega @ np.cos(y - mean) / omega.sum())
        return cosine * (2.0 - cosine**2) / (1.0 - cosine**2) if 0.0 < cosine < 1.0 else 1.0
