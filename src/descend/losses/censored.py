"""The likelihood of responses of which some are known only to lie below, above or between limits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Eq, Expr, Integer, Lt, Rational, log

from descend.errors import ConfigError, DataError
from descend.formula.real_functions import absolute, expm1, log1p, where
from descend.formula.symbols import Column, Parameter
from descend.losses.contract import Loss
from descend.losses.distribution import Distribution
from descend.losses.domain import Domain
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE, SCALE, Array, derivative
from descend.registry import setting
from descend.wording import spell

LEFT, EXACT, RIGHT, BETWEEN = -1, 0, 1, 2
"""The codes of a row: the response is y or less, y itself, y or more, or from y to another column."""
SIDES = {"left": LEFT, "right": RIGHT, "interval": BETWEEN}
NARROW = Rational(1, 1000)
"""An interval of less than so many standard deviations is as good as its middle."""
LEAST = 1e-6
"""Least scale to begin with, as a share of that of the response about its mean."""
PERFECT = 1e-13
"""A scale below this share is rounding."""
ROOM = 10.0
"""By how much the mean loss of a row may lie below that of a spread as wide as that of all responses."""


@dataclass(frozen=True)
class Censored(Loss):
    """Minus the log-likelihood of responses that are exact in some rows, and censored in others.

    With the density f and the distribution function F of another loss, at the predicted mean of a row:

        -log f(y)            status 0: the response is y
        -log F(y)            status -1: it is y or less
        -log (1 - F(y))      status 1: it is y or more
        -log (F(u) - F(l))   status 2: it lies from l to u

    of: the loss whose distribution this is. status: the column of these codes. lower, upper: those of l and u, if there
    are rows of status 2, whose y is only shown. sigma: a column of known scales; without one the scale is a parameter
    of its own, of the name ``parameter``: its maximum-likelihood estimate, without a correction for the degrees of
    freedom.

    All is computed by logarithms of probabilities, so that no digit is lost far from the data. Standard errors are
    those of the observed information.
    Source: Tobin (1958), Econometrica 26, 24-36; Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure
    Time Data, ch. 3.

    >>> loss = Censored(sigma="s").given({"status": np.array([0.0, 1.0]), "s": np.ones(2)}, {})
    >>> loss.value(prediction=np.array([0.0, 0.0]), y=np.array([0.0, 0.0])).round(4)  # log(2 pi)/2 and log(2)
    array([0.9189, 0.6931])
    """

    of: str = setting("squared")
    status: str = setting("status")
    lower: str = setting("")
    upper: str = setting("")
    sigma: str = setting("")
    parameter: str = setting("")

    name = "censored"
    dispersion = "known"
    observed_information = True
    of_residual = False

    def __post_init__(self) -> None:
        from descend.losses import LOSSES

        super().__post_init__()
        of = LOSSES.build(self.of)
        object.__setattr__(self, "_of", of)
        if not of.log_below_text:
            loss_names = ", ".join(name for name in LOSSES if LOSSES[name].log_below_text)
            raise ConfigError(
                f"The {of.name} loss has no distribution function by which a censored value counts. Those that have: "
                f"{loss_names}."
            )
        if of.scale_name and not self.parameter:
            object.__setattr__(self, "parameter", of.scale_name)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same of the same loss: one that was defined again, under its name, is another."""
        return isinstance(other, Censored) and self.settings == other.settings and self.exact == other.exact

    def __hash__(self) -> int:
        return hash((self.exact, *self.settings.values()))

    @property
    def exact(self) -> Loss:
        """The loss whose distribution this is."""
        exact_loss: Loss = self.__dict__["_of"]
        return exact_loss

    @property
    def settings(self) -> dict[str, float | str]:
        every = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if self.parameter == self.exact.scale_name or self.sigma:
            del every["parameter"]
        return {name: value for name, value in every.items() if value}

    @property
    def shown(self) -> str:
        return f"censored {self.exact.shown}"

    @cached_property
    def estimated(self) -> str | None:
        return None

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.status, self.lower, self.upper, self.sigma) if name)

    @property
    def own_parameters(self) -> dict[str, float]:
        return {self.parameter: 1.0} if self.exact.scale_name and not self.sigma else {}

    @property
    def response_domain(self) -> Domain:  # type: ignore[override]
        return self.exact.response_domain

    @property
    def prediction_domain(self) -> Domain:  # type: ignore[override]
        return self.exact.prediction_domain

    @property
    def variance_text(self) -> str:  # type: ignore[override]
        return self.exact.variance_text

    @property
    def needs(self) -> str:
        return self.exact.needs

    @property
    def states(self) -> str:
        return self.status

    def censored(self, columns: Mapping[str, Array]) -> dict[str, int]:
        status = columns[self.status]
        return {side: int(np.count_nonzero(status == code)) for side, code in SIDES.items()}

    def deviation(self, parameters: Mapping[str, Any]) -> float | None:
        return float(parameters[self.parameter]) if self.own_parameters and self.exact.quadratic else None

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution | None:
        scale = float(parameters[self.parameter]) if self.own_parameters else dispersion
        return self.exact.distribution(mean, omega, scale, parameters)

    def started(self, mean: Array, y: Array, omega: Array) -> dict[str, float]:
        """Return the scale of the responses about their means, all taken as exact."""
        if not self.own_parameters:
            return {}
        spread = self.exact.scale_of(np.full(len(y), y.mean()), y, omega)
        scale = self.exact.scale_of(mean, y, omega)
        if not scale > PERFECT * spread:
            raise DataError(
                f"The formula fits every value exactly, so that no {self.parameter} can be estimated. Give one with "
                f"{self.known_by}, or use fewer parameters."
            )
        return {self.parameter: max(scale, LEAST * spread)}

    @property
    def known_by(self) -> str:
        return spell("sigma")

    def floor(self, y: Array, omega: Array | None) -> float:
        """Return a mean loss well below that of a distribution as wide as all responses; no model has a least one."""
        spread = float(np.std(y)) if self.own_parameters else 1.0
        return (math.log(spread) if spread > 0.0 else 0.0) - ROOM

    # Its formulas ------------------------------------------------------------------------------------------------

    def _known(self, text: str) -> Expr:
        """Read a formula of the distribution, with the scale as the column or the parameter that it is."""
        scale = Column(self.sigma) if self.sigma else Parameter(self.parameter)
        return self.exact.read(text).xreplace({SCALE: scale, RESIDUAL: PREDICTION - RESPONSE})

    def _minus_log_density(self) -> Expr:
        of = self.exact
        if of.minus_log_density_text:
            return self._known(of.minus_log_density_text)
        return self._known(f"({of.value_text})/{of.unit!r} - ({of.normaliser_text.replace('omega', '1')})")

    def _between(self) -> Expr:
        """Minus the logarithm of the probability of an interval, from that tail in which it lies."""
        low, high = Column(self.lower), Column(self.upper)
        below, above = self._known(self.exact.log_below_text), self._known(self.exact.log_above_text)

        def share(outer: Expr, inner: Expr) -> Expr:
            return -outer - log(-expm1(inner - outer))

        step = Integer(int(self.exact.counts))
        of_lower = share(below.xreplace({RESPONSE: high}), below.xreplace({RESPONSE: low - step}))
        of_upper = share(above.xreplace({RESPONSE: low}), above.xreplace({RESPONSE: high + step}))
        log_of_between = where(Lt(low + high, 2 * PREDICTION, evaluate=False), of_lower, of_upper)
        if self.exact.counts:
            return log_of_between
        # The difference of two nearly equal probabilities would lose all digits.
        density, middle, width = self._minus_log_density(), (low + high) / 2, high - low
        first = derivative(density, RESPONSE)
        bend = (first**2 - derivative(first, RESPONSE)).xreplace({RESPONSE: middle})
        narrow = density.xreplace({RESPONSE: middle}) - log(width) - log1p(width**2 / 24 * bend)
        spread = self._known(self.exact.spread_text)
        return where(Lt(width, NARROW * spread, evaluate=False), narrow, log_of_between)

    def _by_status(self, left: Expr, exact: Expr, right: Expr, between: Expr) -> Expr:
        status = Column(self.status)
        loss_by_status = where(Lt(status, 0, evaluate=False), left, right)
        if self.upper:
            loss_by_status = where(Eq(status, BETWEEN, evaluate=False), between, loss_by_status)
        return where(Eq(status, EXACT, evaluate=False), exact, loss_by_status)

    @cached_property
    def parts(self) -> tuple[Expr, Expr, Expr, Expr]:
        """The loss of a row of each kind: left, exact, right, between."""
        below, above = (-self._known(text) for text in (self.exact.log_below_text, self.exact.log_above_text))
        return below, self._minus_log_density(), above, self._between() if self.upper else Integer(0)

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        """Value, slope and weight: the second derivative of a censored row, the Fisher information of an exact one."""
        slopes = [derivative(expressions_by_status, PREDICTION) for expressions_by_status in self.parts]
        bends = [absolute(derivative(slope, PREDICTION)) for slope in slopes]
        bends[1] = self._information()
        return self._by_status(*self.parts), self._by_status(*slopes), self._by_status(*bends)

    def _information(self) -> Expr:
        of = self.exact
        if of.scale_name:
            return self._known(of.location_information_text)
        return self._known(of.weight_text) / Rational(of.unit)

    @cached_property
    def slopes(self) -> tuple[Expr, ...]:
        own_symbols = (Parameter(name) for name in self.own_parameters)
        return (
            self.expressions[1],
            *(self._by_status(*(derivative(status, each) for status in self.parts)) for each in own_symbols),
        )

    @cached_property
    def weights(self) -> tuple[Expr, ...]:
        """Second derivatives of a censored row; of an exact one its Fisher information, by which a descent is safe.

        Those by the prediction and the scale together are left out: they may outweigh the others in single rows, though
        not in the sum, and a row by itself would then count with their size.
        """
        weight = self.expressions[2]
        if not self.own_parameters:
            return (weight,)
        own_symbol = Parameter(self.parameter)
        bent = [derivative(derivative(status, own_symbol), own_symbol) for status in self.parts]
        bent[1] = self._known(self.exact.scale_information_text)
        return weight, Integer(0), self._by_status(*bent)
