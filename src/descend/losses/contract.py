"""What a loss is: a few short formulas, from which every engine's code is made, and what follows from them."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Integer, expand, expand_log

from descend.errors import ConfigError
from descend.formula.symbols import OMEGA, Quantity
from descend.registry import Part

Array = NDArray[np.float64]
PREDICTION, RESPONSE, RESIDUAL = Quantity("prediction"), Quantity("y"), Quantity("r")
"""The symbols of a loss; r stands for prediction - y."""
MEAN, DISPERSION, MOVED = Quantity("mean"), Quantity("dispersion"), Quantity("moved")
"""Those of its distribution and of its curvature, beside OMEGA, the weight of a row: see ``Loss``."""
SYMBOLS = (PREDICTION, RESPONSE, RESIDUAL, MEAN, OMEGA, DISPERSION, MOVED)
ZERO, ONE = Integer(0), Integer(1)
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
    curvature_left: the least share of its second derivative that is left when the score has ``moved`` by so much; empty
        where no bound is known. Where the loss is convex in the logarithm of the prediction only, that is the score.
    efficient: for a robust loss, its setting as a multiple of the noise at which, where the noise is normal, it needs
        5% more rows than least squares: what "auto" stands for. many_minima: whether it needs a start close by.
    certain: mean loss at which every row is certain and a fit ends, for no parameters are the best; 0 where the least
        loss has some.

    dispersion: None if it is not the likelihood of a distribution. Else the dispersion phi is "known" to be 1, or
        "estimated", and the log-density of a row of weight omega is

            normaliser(y, omega, dispersion) - omega * value / (unit * dispersion)

    unit: 2 where the value is r**2, else 1.
    variance: omega / phi times that of a row, in its ``mean``. kurtosis: its excess one, in ``mean`` and ``omega``.
    saturated: the least value there is, in ``y``; that of a prediction of y, if empty.
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
    curvature_left_text: ClassVar[str] = ""
    efficient: ClassVar[float | None] = None
    many_minima: ClassVar[bool] = False
    certain: ClassVar[float] = 0.0
    dispersion: ClassVar[Literal["known", "estimated"] | None] = None
    unit: ClassVar[float] = 1.0
    normaliser_text: ClassVar[str] = "0"
    variance_text: ClassVar[str] = "1"
    kurtosis_text: ClassVar[str] = "0"
    saturated_text: ClassVar[str] = ""

    # Its settings ------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

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
    def needs(self) -> str:
        """What the response has to be, in words."""
        return f"the {self.name} loss needs {self.response_domain.words}"

    # Its formulas ------------------------------------------------------------------------------------------------

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        """Value, slope and weight as expressions of PREDICTION, RESPONSE and RESIDUAL.

        Raises ConfigError while a setting is still to be estimated.
        """
        return self._read(self.value_text), self._read(self.slope_text), self._read(self.weight_text)

    def _read(self, text: str) -> Expr:
        if self.estimated is not None:
            raise ConfigError(
                f"The {self.estimated} of the {self.name} loss is estimated only where a formula or function is "
                f'fitted. Give it as a number here, as in "{self.name}({self.estimated}=1)".'
            )
        return _expression(text, tuple(self.settings.items()))

    def _of_rows(self, formula: str | Expr, quantities: dict[Quantity, Array]) -> Array:
        """Evaluate a formula, given what stands for its symbols: arrays, one number for each row."""
        from descend.formula.compile import compile_expression

        expression = self._read(formula) if isinstance(formula, str) else formula
        found = compile_expression(expression, tuple(quantities))(*quantities.values())
        if np.ndim(found) == 0:
            return np.full(np.shape(next(iter(quantities.values()))), float(found))
        result: Array = found
        return result

    def score(self, expression: Expr) -> Expr:
        """Return what the loss works on: the expression, or its argument where its outermost function is the link."""
        if self.link is None:
            return expression
        from descend.losses.probability import log_odds

        inside = log_odds(expression)
        return expression if inside is None else inside

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
        return self._evaluate(self.expressions[0], prediction, y)

    def slope(self, prediction: Array, y: Array) -> Array:
        """Return the derivative of the loss of each row by its prediction."""
        return self._evaluate(self.expressions[1], prediction, y)

    def weight(self, prediction: Array, y: Array) -> Array:
        """Return the second derivative of the loss of each row by its prediction."""
        return self._evaluate(self.expressions[2], prediction, y)

    def bend(self, prediction: Array, y: Array) -> Array:
        """Return the second derivative itself of each row, where ``weight`` may be a stand-in for it.

        >>> from descend.losses import Huber
        >>> Huber(delta=1.0).bend(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
        array([1., 0.])
        """
        slope = self.expressions[1].xreplace({RESIDUAL: PREDICTION - RESPONSE})
        return self._evaluate(slope.diff(PREDICTION), prediction, y)

    def _evaluate(self, expression: Expr, prediction: Array, y: Array) -> Array:
        return self._of_rows(expression, {PREDICTION: prediction, RESPONSE: y, RESIDUAL: prediction - y})

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
        """Return the least share of each row's second derivative that is left, None where no bound is known.

        >>> from descend.losses import Huber
        >>> Huber(delta=1.0).curvature_left(np.array([0.25, 0.75]), moved=np.array([0.5, 0.5]))
        array([1., 0.])
        """
        quantities = {RESIDUAL: residual, MOVED: moved}
        return self._of_rows(self.curvature_left_text, quantities) if self.curvature_left_text else None

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
        return self._of_rows(self.saturated_text, {RESPONSE: y}) if self.saturated_text else self.of_mean.value(y, y)

    def deviance(self, score: Array, y: Array) -> Array:
        """Return twice what the log-density of each row lacks of the largest there is, at a dispersion of 1."""
        return (self.value(score, y) - self.saturated(y)) * (2.0 / self.unit)

    def mean(self, score: Array) -> Array:
        """Return what the loss takes a response of this score to be on average: the score itself, without a link."""
        if self.link is None:
            return score
        from descend.formula.functions import FUNCTIONS

        return self._of_rows(FUNCTIONS[self.link].build(PREDICTION), {PREDICTION: score})

    def variance(self, mean: Array) -> Array:
        """Return the variance of a row of weight 1 and that mean, at a dispersion of 1."""
        return self._of_rows(self.variance_text, {MEAN: mean})

    def kurtosis(self, mean: Array, omega: Array) -> Array:
        """Return the excess kurtosis of each row, of a weight, given its predicted mean."""
        return self._of_rows(self.kurtosis_text, {MEAN: mean, OMEGA: omega})

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether the scatter of rows about their means says anything: not that of single outcomes 0 and 1."""
        return False

    def log_normaliser(self, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return what is to be added to -omega * value / (unit * dispersion) to make it the log-density of each row."""
        quantities = {RESPONSE: y, OMEGA: omega, DISPERSION: np.full(np.shape(y), dispersion)}
        return self._of_rows(self.normaliser_text, quantities)

    def normaliser_terms(self, weighted: bool) -> tuple[tuple[Expr, Expr], ...] | None:
        """Write the normaliser as a sum of products: of the dispersion alone, and of the row alone; None if it is none.

        So that rows need to be summed once, whatever the dispersion, and where they are. weighted: or omega is 1.

        >>> from descend.losses import Poisson
        >>> Poisson().normaliser_terms(weighted=True)
        ((-1, omega*lgamma(maximum(y, 0) + 1)),)
        """
        return _normaliser_terms(self._read(self.normaliser_text), weighted)

    @property
    def saturated_term(self) -> Expr:
        """The least loss of a row times its weight, as an expression of RESPONSE and OMEGA."""
        of_mean = self.of_mean
        text = of_mean.saturated_text
        least = of_mean._read(text) if text else of_mean.expressions[0].xreplace({PREDICTION: RESPONSE, RESIDUAL: ZERO})
        return OMEGA * least

    def row_terms(self, weighted: bool) -> tuple[Expr, ...]:
        """Return what has to be summed over rows, beside the loss, to know the likelihood of a fit to them."""
        terms = tuple(row for _, row in self.normaliser_terms(weighted) or () if not row.is_number)
        if self.dispersion != "estimated" or self.of_residual:
            return terms
        least = self.saturated_term
        return (*terms, least if weighted else least.xreplace({OMEGA: ONE}))

    def sum_over_rows(self, term: Expr, y: Array, omega: Array) -> float:
        """Sum one of ``row_terms`` over the rows of a weight above 0."""
        counting = omega > 0.0
        return float(self._of_rows(term, {RESPONSE: y[counting], OMEGA: omega[counting]}).sum())

    def log_density(self, score: Array, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return the logarithm of the density, or probability, of the response of each row, of a weight.

        >>> from descend.losses import Poisson
        >>> Poisson().log_density(np.array([2.0]), np.array([1.0]), np.ones(1)).round(4)  # log(2 exp(-2))
        array([-1.3069])
        """
        return self.log_normaliser(y, omega, dispersion) - omega * self.value(score, y) / (self.unit * dispersion)


@dataclasses.dataclass(frozen=True)
class Pearson(Loss):
    """The square of each residual over its variance under another loss, at a dispersion of 1: a sum, not to be fitted.

    >>> from descend.losses import Poisson
    >>> Pearson(Poisson()).value(np.array([4.0]), np.array([6.0]))
    array([1.])
    """

    of: Loss

    name: ClassVar[str] = "pearson"

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        """Value, slope, and a weight that stands for none."""
        value = (PREDICTION - RESPONSE) ** 2 / self.of._read(self.of.variance_text).xreplace({MEAN: PREDICTION})
        return value, value.diff(PREDICTION), ONE


@lru_cache(maxsize=64)
def _normaliser_terms(normaliser: Expr, weighted: bool) -> tuple[tuple[Expr, Expr], ...] | None:
    normaliser = normaliser if weighted else normaliser.xreplace({OMEGA: ONE})
    terms = expand(expand_log(normaliser, force=True))
    split = tuple(term.as_independent(RESPONSE, OMEGA, as_Add=False) for term in Add.make_args(terms))
    return None if any(row.has(DISPERSION) for _, row in split) else split


@lru_cache(maxsize=256)
def _expression(text: str, settings: tuple[tuple[str, Any], ...]) -> Expr:
    """Read a formula of a loss, its settings as numbers."""
    from descend.formula.build import Builder
    from descend.formula.real_functions import lgamma
    from descend.formula.symbols import Column, number
    from descend.formula.syntax import parse_expression

    given: dict[str, Expr] = {symbol.name: symbol for symbol in SYMBOLS}
    given |= {name: number(float(value)) for name, value in settings}
    expression = Builder(text, tuple(given), extra={"lgamma": (lgamma, (1,))}).build(parse_expression(text))
    return expression.xreplace({Column(name): symbol for name, symbol in given.items()})
