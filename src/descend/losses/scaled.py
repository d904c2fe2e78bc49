"""Likelihoods of a location or scale, the prediction, whose width or shape is a parameter of the loss's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from sympy import Expr

from descend.errors import DataError
from descend.formula.symbols import Parameter, number
from descend.losses.contract import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE, SCALE, Array, derivative

PERFECT = 1e-10
"""Residuals below this share of the largest response are rounding."""
ROOM = 10.0
"""By how much the mean loss of a row may lie below that of a spread as wide as that of all responses."""


@dataclass(frozen=True)
class Scaled(Loss):
    """Minus the log-density of a row, with a ``scale`` that is a parameter of the name ``scale_name``.

    It is given by ``minus_log_density_text``; its slopes are derived. The curvature is the Fisher information of a row:
    that of ``location_information_text`` and ``scale_information_text``, and ``mixed_information_text`` of both.
    Standard errors are those of the observed information, as of R's ``survreg``; the scale is its maximum-likelihood
    estimate, without a correction for the degrees of freedom. Weights count rows.
    """

    dispersion = "known"
    observed_information = True
    of_residual = False
    predicts = "location"
    mixed_information_text: ClassVar[str] = "0"

    @property
    def own_parameters(self) -> dict[str, float]:
        scale = {} if self.scale_name in self.settings else {self.scale_name: 1.0}
        return scale | super().own_parameters

    def _known(self, text: str) -> Expr:
        """Read a formula, with the scale as the parameter that it is."""
        scale_known = self.settings.get(self.scale_name)
        scale = Parameter(self.scale_name) if scale_known is None else number(scale_known)
        return self.read(text).xreplace({SCALE: scale, RESIDUAL: PREDICTION - RESPONSE})

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        value = self._known(self.minus_log_density_text)
        return value, derivative(value, PREDICTION), self._known(self.location_information_text)

    @cached_property
    def weights(self) -> tuple[Expr, ...]:
        if not self.own_parameters:
            return (self.expressions[2],)
        mixed, own_weight = self._known(self.mixed_information_text), self._known(self.scale_information_text)
        return self.expressions[2], mixed, own_weight

    def floor(self, y: Array, omega: Array | None) -> float:
        """Return a mean loss well below that of a distribution as wide as all responses; no model has a least one."""
        spread = float(np.std(y))
        return (math.log(spread) if spread > 0.0 else 0.0) - ROOM

    def started(self, mean: Array, y: Array, omega: Array) -> dict[str, float]:
        """Return the scale that responses show about the predictions of a simpler fit.

        Raises DataError where that fits them exactly.
        """
        if np.abs(y - mean).max() <= PERFECT * np.abs(y).max():
            raise DataError(
                f"The formula fits every value exactly, so that no {self.scale_name} can be estimated. Use the squared "
                "loss, or fewer parameters."
            )
        scale = self.scale_of(mean, y, omega)
        return {**self.own_parameters, self.scale_name: scale if math.isfinite(scale) and scale > 0.0 else 1.0}

    def scale_in(self, dispersion: float, parameters: Mapping[str, float]) -> float:
        """Return the scale among the parameters of a fit; that of a censored one is handed on as its dispersion."""
        return float(parameters.get(self.scale_name, dispersion))
