"""What a loss is: a few short formulas, from which every engine's code is made, and what follows from them."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.symbols import Quantity
from descend.settings import Part

Array = NDArray[np.float64]
PREDICTION, RESPONSE, RESIDUAL = Quantity("prediction"), Quantity("y"), Quantity("r")
"""The symbols of a loss; r stands for prediction - y."""
NORMAL = 1.4826
"""Standard deviation of normal noise over its median absolute deviation."""


@dataclasses.dataclass(frozen=True)
class Domain:
    """The numbers, from low to high, that a response or a prediction may be.

    words: what they are, as in "the loss needs ...". closed: whether low and high are among them.
    example: a formula that stays there. module: how a PyTorch module does.
    """

    low: float = -math.inf
    high: float = math.inf
    words: str = ""
    closed: bool = True
    example: str = ""
    module: str = ""

    @property
    def limited(self) -> bool:
        """Whether there are numbers that do not lie in it."""
        return self.low > -math.inf or self.high < math.inf

    def outside(self, values: Array) -> NDArray[np.bool_]:
        """Mark the numbers that do not lie in it.

        >>> Domain(0.0, 1.0).outside(np.array([0.0, 2.0])), Domain(0.0, closed=False).outside(np.array([0.0, 2.0]))
        (array([False,  True]), array([ True, False]))
        """
        if self.closed:
            return (values < self.low) | (values > self.high)
        return (values <= self.low) | (values >= self.high)


POSITIVE = Domain(
    low=0.0,
    words="positive",
    closed=False,
    example="exp(a + b*x)",
    module="a positive mean: let it end in something positive, such as torch.nn.Softplus()",
)
"""Where the predicted mean of counts and of positive numbers lies."""


@dataclasses.dataclass(frozen=True)
class Loss(Part, ABC):
    """Cost of one row, as formulas in ``prediction``, ``y``, ``r`` = prediction - y, and the settings of the loss.

    All that is particular to a loss is said here, and asked for by these names; no other room knows one by its name.

    value: the loss itself.
    slope: its first derivative by the prediction (a law test holds it against the derived one).
    weight: its second derivative, or a positive stand-in for it (Fisher information), for the curvature.
    link: a function that the loss absorbs when it is the outermost one of the formula, so that it works on its
        argument, the score: `y ~ sigmoid(a + b*x)` and `y ~ a + b*x` are the same model of a logistic loss.
    response_domain, prediction_domain: the numbers that y and the prediction may be.

    kinked: whether it is linear on both sides of a residual of 0, where its slope jumps, so that no curvature tells how
        long a step may be.
    convex: whether it is convex in the prediction, whatever that is. convex_in_log: whether in the logarithm of it.
    efficient: for a robust loss, its setting as a multiple of the noise at which, where the noise is normal, it needs
        5% more rows than least squares: what "auto" stands for. many_minima: whether it needs a start close by.
    certain: mean loss at which every row is certain and a fit ends, for no parameters are the best; 0 where the least
        loss has some.

    dispersion: None if it is not the likelihood of a distribution. Else -value / (unit * phi) is the log-density of a
        row of weight 1, up to terms without the prediction, and the dispersion phi is "known" to be 1, or "estimated".
    unit: 2 where the value is r**2, else 1.
    """

    kind: ClassVar[str] = "loss"
    value_text: ClassVar[str]
    slope_text: ClassVar[str]
    weight_text: ClassVar[str]
    link: ClassVar[str | None] = None
    response_domain: ClassVar[Domain] = Domain()
    prediction_domain: ClassVar[Domain] = Domain()
    kinked: ClassVar[bool] = False
    convex: ClassVar[bool] = False
    convex_in_log: ClassVar[bool] = False
    efficient: ClassVar[float | None] = None
    many_minima: ClassVar[bool] = False
    certain: ClassVar[float] = 0.0
    dispersion: ClassVar[Literal["known", "estimated"] | None] = None
    unit: ClassVar[float] = 1.0

    # Its settings ------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

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

    # Its formulas ------------------------------------------------------------------------------------------------

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
    def needs(self) -> str:
        """What the response has to be, in words."""
        return f"the {self.name} loss needs {self.response_domain.words}"

    @cached_property
    def of_residual(self) -> bool:
        """Whether it is a function of the residual alone, so 0 where that is, and never below."""
        return PREDICTION not in self.expressions[0].free_symbols

    @cached_property
    def quadratic(self) -> bool:
        """Whether it is a multiple of r**2: J is a parabola where the prediction is linear, and errors are normal."""
        return self.estimated is None and self.of_residual and bool(self.expressions[2].is_number)

    def value(self, prediction: Array, y: Array) -> Array:
        """Return the loss of each row."""
        return self._evaluate(0, prediction, y)

    def slope(self, prediction: Array, y: Array) -> Array:
        """Return the derivative of the loss of each row by its prediction."""
        return self._evaluate(1, prediction, y)

    def weight(self, prediction: Array, y: Array) -> Array:
        """Return the second derivative of the loss of each row by its prediction."""
        return self._evaluate(2, prediction, y)

    def bend(self, prediction: Array, y: Array) -> Array:
        """Return the second derivative itself of each row, where ``weight`` may be a stand-in for it.

        >>> from descend.losses import Huber
        >>> Huber(delta=1.0).bend(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
        array([1., 0.])
        """
        from descend.formula.compile import compile_expression

        derivative = self.expressions[1].xreplace({RESIDUAL: PREDICTION - RESPONSE}).diff(PREDICTION)
        found = compile_expression(derivative, (PREDICTION, RESPONSE))(prediction, y)
        return np.array(np.broadcast_to(np.asarray(found, dtype=np.float64), np.shape(prediction)))

    def _evaluate(self, which: int, prediction: Array, y: Array) -> Array:
        from descend.formula.compile import compile_expression

        function = compile_expression(self.expressions[which], (PREDICTION, RESPONSE, RESIDUAL))
        result: Array = function(prediction, y, prediction - y)
        return np.full(np.shape(prediction), float(result)) if np.ndim(result) == 0 else result

    def has_value(self, prediction: Array, y: Array) -> NDArray[np.bool_]:
        """Mark the rows whose prediction, on the scale of the response, the loss has a finite value for."""
        finite = np.isfinite(prediction)
        if self.prediction_domain.limited:
            with np.errstate(all="ignore"):
                finite &= np.isfinite(self.value(prediction, y))
        return finite

    @cached_property
    def sides(self) -> tuple[float, float]:
        """How steeply a kinked loss falls towards a residual of 0 from below, and rises from it above.

        >>> from descend.losses import Pinball
        >>> Pinball(quantile=0.75).sides
        (0.75, 0.25)
        """
        below, above = self.slope(np.array([-1.0, 1.0]), np.zeros(2)).tolist()
        return -below, above

    def curvature_left(self, residual: Array, moved: Array) -> Array | None:
        """Return the least share of each row's second derivative that is left when its score has moved by so much.

        None where no bound is known. Where the loss is convex in the logarithm of the prediction, that is the score.
        """
        return None

    def floor(self, y: Array, omega: Array | None) -> float:
        """Return the least mean loss that rows of these responses and weights can have, by any model."""
        if self.of_residual:
            return self._at_response
        least = self.saturated(y)
        return float(least.mean() if omega is None else omega @ least / omega.sum())

    @cached_property
    def _at_response(self) -> float:
        return float(self.value(np.zeros(1), np.zeros(1))[0])

    # Its distribution --------------------------------------------------------------------------------------------

    @property
    def likelihood(self) -> bool:
        """Whether it is the negative log-likelihood of a distribution, up to a factor and to terms of y alone."""
        return self.dispersion is not None

    @property
    def dispersion_known(self) -> bool:
        """Whether it is a likelihood whose weight is the Fisher information of a row: no scale is estimated."""
        return self.dispersion == "known"

    @property
    def of_mean(self) -> Loss:
        """The loss of the same distribution that takes the prediction for its mean: this one, if it has no link."""
        return self

    def saturated(self, y: Array) -> Array:
        """Return the least loss that each row can have: where the predicted mean is the response."""
        return self.of_mean.value(y, y)

    def deviance(self, score: Array, y: Array) -> Array:
        """Return twice what the log-density of each row lacks of the largest there is, at a dispersion of 1."""
        return (self.value(score, y) - self.saturated(y)) * (2.0 / self.unit)

    def mean(self, score: Array) -> Array:
        """Return what the loss takes a response of this score to be on average: the score itself, without a link."""
        if self.link is None:
            return score
        from descend.formula.compile import compile_expression
        from descend.formula.functions import FUNCTIONS

        linked: Array = compile_expression(FUNCTIONS[self.link].build(PREDICTION), (PREDICTION,))(score)
        return linked

    def variance(self, mean: Array) -> Array:
        """Return the variance of a row of weight 1 and that mean, at a dispersion of 1."""
        raise NotImplementedError(self.name)

    def kurtosis(self, mean: Array, omega: Array) -> Array:
        """Return the excess kurtosis of each row, of a weight, given its predicted mean (see ``variance``)."""
        raise NotImplementedError(self.name)

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether the scatter of rows about their means says anything: not that of single outcomes 0 and 1."""
        return False

    def log_normaliser(self, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return what is to be added to -omega * value / (unit * dispersion) to make it the log-density of each row."""
        return np.zeros(np.shape(y))

    def log_density(self, score: Array, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return the logarithm of the density, or probability, of the response of each row, of a weight.

        >>> from descend.losses import Poisson
        >>> Poisson().log_density(np.array([2.0]), np.array([1.0]), np.ones(1)).round(4)  # log(2 exp(-2))
        array([-1.3069])
        """
        return self.log_normaliser(y, omega, dispersion) - omega * self.value(score, y) / (self.unit * dispersion)


def log_gamma(numbers: Array) -> Array:
    """Return log(gamma(v)) of each number; each is computed once."""
    known, place = np.unique(numbers, return_inverse=True)
    return np.array([math.lgamma(number) for number in known.tolist()])[place]


@lru_cache(maxsize=64)
def _expressions(loss: type[Loss], settings: tuple[tuple[str, Any], ...]) -> tuple[Expr, Expr, Expr]:
    from descend.formula.build import Builder
    from descend.formula.symbols import Column, number
    from descend.formula.syntax import parse_expression

    names = ("prediction", "y", "r", *(name for name, _ in settings))
    numbers = {Column(name): number(float(value)) for name, value in settings}
    numbers |= {Column(symbol.name): symbol for symbol in (PREDICTION, RESPONSE, RESIDUAL)}
    texts = (loss.value_text, loss.slope_text, loss.weight_text)
    return tuple(Builder(text, names, names).build(parse_expression(text)).xreplace(numbers) for text in texts)
