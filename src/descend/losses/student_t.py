"""Student's t loss: a likelihood with heavy tails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sympy import Expr

from descend.losses.contract import NORMAL, Loss
from descend.losses.distribution import Distribution, of_scipy
from descend.losses.formulas import Array
from descend.losses.huber import Huber
from descend.losses.scaled import Scaled
from descend.registry import setting

LARGEST = 1000.0
"""The df at which a fit ends whose residuals have no heavy tails: its density is that of normal errors to 0.1%."""
NONE = 0.2
"""An excess kurtosis up to so many of its standard errors, sqrt(24 / rows), tells of no heavy tails."""


@dataclass(frozen=True)
class StudentT(Scaled):
    """Negative log-likelihood of errors with heavy tails: y = prediction + sigma t, t of Student's distribution.

        log(sigma) + (df + 1)/2 log(1 + r**2 / (df sigma**2)) + what does not depend on the residual r

    A robust fit that is a likelihood, so that it has an AIC: outliers count the less the further off they are. `sigma`
    is a parameter of the loss's own, that of the scale, not the standard deviation, sigma sqrt(df / (df - 2)).

    df: degrees of freedom, above 0; few for heavy tails. 0, the default, stands for a parameter `df` of the loss's own,
    estimated with the others: that takes some hundred rows. Where residuals show no heavier tails than normal errors,
    it is kept below 1000, and a note says so. Standard errors are those of the observed information.
    Source: Lange, Little & Taylor (1989), J. Am. Stat. Assoc. 84, 881-896.

    >>> loss = StudentT(df=1.0).given({}, {"sigma": 1.0})
    >>> loss.value(prediction=np.array([0.0]), y=np.array([0.0])).round(4)  # log(pi)
    array([1.1447])
    """

    df: float = setting(0.0, at_least=0, fitted=5.0)

    name = "student_t"
    aliases = "studentt t tdist heavy_tails"
    chinese = "t 分布"
    scale_name = "sigma"
    minus_log_density_text = (
        "(df + 1)/2*log1p(r^2/(df*scale^2)) + log(scale) + lgamma(df/2) - lgamma((df + 1)/2) + log(df*pi)/2"
    )
    location_information_text = "(df + 1)/((df + 3)*scale^2)"
    scale_information_text = "2*df/((df + 3)*scale^2)"

    @cached_property
    def weights(self) -> tuple[Expr, ...]:
        if self.df:
            return super().weights
        location, mixed, own_weight = super().weights
        both = self._known("-2/(scale*(df + 1)*(df + 3))")
        of_df = self._known("(polygamma(1, df/2) - polygamma(1, (df + 1)/2))/4 - (df + 5)/(2*df*(df + 1)*(df + 3))")
        return location, mixed, mixed, own_weight, both, of_df

    @property
    def exact(self) -> Loss:
        """Huber's loss, whose robust fit is a start."""
        return Huber().to_estimate()

    def scale_of(self, mean: Array, y: Array, omega: Array) -> float:
        """Return the median absolute deviation, as that of normal errors."""
        return float(NORMAL * np.median(np.abs(y - mean)))

    def started(self, mean: Array, y: Array, omega: Array) -> dict[str, float]:
        """Return the scale about the means, and df: `LARGEST` where residuals have no tails by which one can be told.

        About the fit by least squares, where df is infinite, the likelihood rises with 1 / df if the excess kurtosis of
        the residuals is above 0. These means are those of a fit close by, so that it has to be some way above.
        """
        start_values = super().started(mean, y, omega)
        if not self.df:
            squares = np.square(y - mean)
            variance = float(omega @ squares / omega.sum())
            excess = float(omega @ np.square(squares / variance) / omega.sum()) - 3.0 if variance > 0.0 else math.inf
            if excess <= NONE * math.sqrt(24.0 / float(omega.sum())):
                start_values |= {"sigma": math.sqrt(variance), "df": LARGEST}
        return start_values

    def limits(self, started: Mapping[str, float]) -> tuple[tuple[str, ...], str]:
        if started.get("df", 0.0) < LARGEST:
            return (), ""
        return (f"df <= {LARGEST:g}",), (
            "the residuals show no heavier tails than normal errors, so that no df can be told: it is kept below "
            f"{LARGEST:g}, where student_t errors are normal ones; the squared loss fits the same with one parameter "
            "less"
        )

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        df = self.df or float(parameters["df"])
        return of_scipy("t", df, loc=mean, scale=self.scale_in(dispersion, parameters))
