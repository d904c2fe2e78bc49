"""The squared loss of errors that differ to both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sympy import Expr

from descend.errors import DataError
from descend.formula.symbols import Column
from descend.losses.contract import Loss
from descend.losses.squared import Squared
from descend.registry import setting
from descend.table.rows import LARGEST_SIGMA, SMALLEST_SIGMA, Outside
from descend.wording import using

if TYPE_CHECKING:
    from descend.losses.distribution import Distribution
    from descend.losses.formulas import Array


@dataclass(frozen=True)
class Asymmetric(Loss):
    """The square of the residual, over that standard deviation on whose side of the measurement the curve passes.

    With r = prediction - y, the loss is (r / high)**2 where r > 0, for the curve is above the measurement, and
    (r / low)**2 where it is below. So y = 5 with low = 1 and high = 2 is what is published as 5 (+2, -1): the truth may
    well be 7, and hardly 3. Minus half the loss is the logarithm of a split normal density about the prediction,

        sqrt(2 / pi) / (low + high) * exp(-loss / 2),

    of which the prediction is the mode, not the mean; the sum of the losses is distributed as chi-square.

    low, high: the columns of standard deviations below and above the response.

    Source: Fechner (1897), Kollektivmasslehre; Wallis (2014), Statist. Sci. 29, 106-112.

    >>> import numpy as np
    >>> loss = Asymmetric("low", "high").given({"low": np.ones(2), "high": 2 * np.ones(2)}, {})
    >>> loss.value(prediction=np.array([7.0, 3.0]), y=np.array([5.0, 5.0]))
    array([1., 4.])
    """

    low: str = setting("low")
    high: str = setting("high")

    name = "asymmetric"
    value_text = "where(r > 0, r/high, r/low)^2"
    slope_text = "2*where(r > 0, r/high^2, r/low^2)"
    weight_text = "2/where(r > 0, high, low)^2"
    convex = True
    dispersion = "known"
    unit = 2.0
    squares = True
    normaliser_text = "-log(low + high) - 0.22579135264472744"  # log(2 / pi) / 2

    @property
    def shown(self) -> str:
        return self.name

    @property
    def exact(self) -> Loss:
        """The squared loss, whose fit is a start for this one."""
        return Squared()

    @property
    def deviations(self) -> tuple[str, str]:
        return self.low, self.high

    @cached_property
    def of_residual(self) -> bool:
        return True

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution | None:
        """Return those of measurements with the errors of their rows: below the curve the upper one counts."""
        from descend.losses.distribution import SplitNormal

        own = self.__dict__.get("_own")
        return None if own is None else SplitNormal(mean, own[Column(self.high)], own[Column(self.low)])

    def normaliser_terms(self, weighted: bool) -> tuple[tuple[Expr, Expr], ...] | None:
        """Return None: the normaliser depends on columns of each row."""
        return None

    def check_columns(self, outside: Outside, source: str) -> None:
        for name in dict.fromkeys(self.deviations):
            if (bad := outside(name, SMALLEST_SIGMA, LARGEST_SIGMA)) is not None:
                raise DataError(
                    f"The sigma `{name}` is {bad.value:g} in {bad.row} of {source}. Standard deviations must be above "
                    f"0, to both sides. Leave such rows out{using('where')}, or correct them."
                )
