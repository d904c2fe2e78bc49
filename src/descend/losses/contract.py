"""What a loss is: three short formulas, from which every engine's code is made."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.symbols import Quantity
from descend.settings import refuse_bad_settings

PREDICTION, RESPONSE, RESIDUAL = Quantity("prediction"), Quantity("y"), Quantity("r")
"""The symbols of a loss; r stands for prediction - y."""


NORMAL = 1.4826
"""Standard deviation of normal noise over its median absolute deviation."""


@dataclasses.dataclass(frozen=True)
class Loss(ABC):
    """Cost of one row, as formulas in ``prediction``, ``y``, ``r`` = prediction - y, and the settings of the loss.

    value: the loss itself.
    slope: its first derivative by the prediction (a law test holds it against the derived one).
    weight: its second derivative, or a positive stand-in for it (Fisher information), for the curvature.
    link: a function that the loss absorbs when it is the outermost one of the formula, so that it works on its
        argument, the score: `y ~ sigmoid(a + b*x)` and `y ~ a + b*x` are the same model of a logistic loss.
    efficient: for a robust loss, its setting as a multiple of the noise at which, where the noise is normal, it needs
        5% more rows than least squares: what "auto" stands for. many_minima: whether it needs a start close by.
    kinked: whether it is linear on both sides of a residual of 0, where its slope jumps, so that no curvature tells how
        long a step may be. certain: mean loss at which
        every row is certain and a fit ends, for no parameters are the best; 0 where the least loss has some.
    fisher: whether its weight is the Fisher information of a row, so that the scale of the noise is known.
    response_domain: the condition y must satisfy, as formula text, and what that means in words; or None.
    response_range, prediction_range: between which numbers y, and the prediction, have to lie; keep_in_range: how a
        formula, and a module, sees to the second, in words.
    likelihood: whether it is the negative log-likelihood of a distribution, up to a factor and to terms of y alone.
    """

    name: ClassVar[str]
    value_text: ClassVar[str]
    slope_text: ClassVar[str]
    weight_text: ClassVar[str]
    link: ClassVar[str | None] = None
    efficient: ClassVar[float | None] = None
    many_minima: ClassVar[bool] = False
    kinked: ClassVar[bool] = False
    certain: ClassVar[float] = 0.0
    fisher: ClassVar[bool] = False
    response_domain: ClassVar[tuple[str, str] | None] = None
    response_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    prediction_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    keep_in_range: ClassVar[str] = ""
    ends_in: ClassVar[str] = ""
    likelihood: ClassVar[bool] = False

    def __post_init__(self) -> None:
        refuse_bad_settings("loss", self)

    @property
    def settings(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @cached_property
    def of_residual(self) -> bool:
        """Whether it is a function of the residual alone, so 0 where that is, and never below."""
        return PREDICTION not in self.expressions[0].free_symbols

    @cached_property
    def estimated(self) -> str | None:
        """The setting that is to be estimated from the data, if any."""
        return next((name for name, value in self.settings.items() if value == "auto"), None)

    def to_estimate(self) -> Loss:
        """Return the same loss with its scale to be estimated from the data, if it has one."""
        if self.efficient is None:
            return self
        return dataclasses.replace(self, **{next(iter(self.settings)): "auto"})

    def __str__(self) -> str:
        listed = ", ".join(
            f"{name}={value if isinstance(value, str) else f'{value:g}'}" for name, value in self.settings.items()
        )
        return f"{self.name}({listed})" if listed else self.name

    @property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        """Value, slope and weight as expressions of PREDICTION, RESPONSE and RESIDUAL.

        Raises ConfigError while a setting is still to be estimated.
        """
        if self.estimated is not None:
            raise ConfigError(
                f"The {self.estimated} of the {self.name} loss is estimated only where a formula or function is "
                f'fitted. Give it as a number here, as in "{self.name}({self.estimated}=1)".'
            )
        return _expressions(type(self), tuple(self.settings.items()))

    def score(self, expression: Expr) -> Expr:
        """Return what the loss works on: the expression, or its argument where its outermost function is the link."""
        if self.link is None:
            return expression
        from descend.losses.probability import log_odds

        inside = log_odds(expression)
        return expression if inside is None else inside

    @property
    def of_probability(self) -> Loss:
        """The loss of the same distribution that takes the prediction for its mean: this one, if it has no link."""
        return self

    def saturated(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the least loss that each row can have: where the prediction is the response."""
        return self.value(y, y)

    def floor(self, y: NDArray[np.float64], omega: NDArray[np.float64] | None) -> float:
        """Return the least mean loss that rows of these responses and weights can have, by any model."""
        if self.of_residual:
            return self._at_response
        least = self.saturated(y)
        return float(least.mean() if omega is None else omega @ least / omega.sum())

    @cached_property
    def _at_response(self) -> float:
        return float(self.value(np.zeros(1), np.zeros(1))[0])

    def mean(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the loss takes a response of this score to be on average: the score itself, without a link."""
        return score

    def kurtosis(self, mean: NDArray[np.float64], omega: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the excess kurtosis of each row, of a weight, given its predicted mean (see ``variance``)."""
        raise NotImplementedError(self.name)

    def repeats(self, y: NDArray[np.float64], omega: NDArray[np.float64]) -> bool:
        """Whether the scatter of rows about their means says anything: not that of single outcomes 0 and 1."""
        return False

    def variance(self, prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the variance of each row, given its predicted mean, where the distribution has no scale of its own."""
        raise NotImplementedError(self.name)

    def log_normaliser(self, y: NDArray[np.float64], omega: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is to be added to -omega * value to make it the log-density of each row."""
        return np.zeros(np.shape(y))

    def has_value(self, prediction: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Mark the rows whose prediction, on the scale of the response, the loss has a finite value for."""
        finite = np.isfinite(prediction)
        if self.keep_in_range:
            with np.errstate(all="ignore"):
                finite &= np.isfinite(self.value(prediction, y))
        return finite

    def value(self, prediction: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the loss of each row."""
        return self._evaluate(0, prediction, y)

    def slope(self, prediction: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivative of the loss of each row by its prediction."""
        return self._evaluate(1, prediction, y)

    def weight(self, prediction: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the second derivative of the loss of each row by its prediction."""
        return self._evaluate(2, prediction, y)

    def bend(self, prediction: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the second derivative itself of each row, where ``weight`` may be a stand-in for it.

        >>> from descend.losses import Huber
        >>> Huber(delta=1.0).bend(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
        array([1., 0.])
        """
        from descend.formula.compile import compile_expression

        derivative = self.expressions[1].xreplace({RESIDUAL: PREDICTION - RESPONSE}).diff(PREDICTION)
        found = compile_expression(derivative, (PREDICTION, RESPONSE))(prediction, y)
        return np.array(np.broadcast_to(np.asarray(found, dtype=np.float64), np.shape(prediction)))

    @cached_property
    def sides(self) -> tuple[float, float]:
        """How steeply a kinked loss falls towards a residual of 0 from below, and rises from it above.

        >>> from descend.losses import Pinball
        >>> Pinball(quantile=0.75).sides
        (0.75, 0.25)
        """
        below, above = self.slope(np.array([-1.0, 1.0]), np.zeros(2)).tolist()
        return -below, above

    def _evaluate(self, which: int, prediction: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        from descend.formula.compile import compile_expression

        function = compile_expression(self.expressions[which], (PREDICTION, RESPONSE, RESIDUAL))
        result: NDArray[np.float64] = function(prediction, y, prediction - y)
        return np.full(np.shape(prediction), float(result)) if np.ndim(result) == 0 else result


def log_factorial(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(k!) of each count, gamma(k + 1) where it is none; each count is computed once."""
    known, place = np.unique(counts, return_inverse=True)
    return np.array([math.lgamma(count + 1.0) for count in known.tolist()])[place]


@lru_cache(maxsize=64)
def _expressions(loss: type[Loss], settings: tuple[tuple[str, float], ...]) -> tuple[Expr, Expr, Expr]:
    from descend.formula.build import Builder
    from descend.formula.symbols import Column, number
    from descend.formula.syntax import parse_expression

    names = ("prediction", "y", "r", *(name for name, _ in settings))
    numbers = {Column(name): number(float(value)) for name, value in settings}
    numbers |= {Column(symbol.name): symbol for symbol in (PREDICTION, RESPONSE, RESIDUAL)}
    texts = (loss.value_text, loss.slope_text, loss.weight_text)
    return tuple(Builder(text, names, names).build(parse_expression(text)).xreplace(numbers) for text in texts)
