"""The contract of a loss: its value, the ranges of y and the prediction, its shape and its distribution."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from sympy import Add, Expr, Integer

from descend.formula.symbols import OMEGA
from descend.losses.evaluated import Evaluated
from descend.losses.formulas import DISPERSION, MEAN, PREDICTION, RESIDUAL, RESPONSE, Array

if TYPE_CHECKING:
    from descend.losses.distribution import Distribution
    from descend.losses.in_torch import InTorch
    from descend.table.rows import Outside

ONE = Integer(1)
NORMAL = 1.4826
"""Standard deviation of normal noise over its median absolute deviation."""


@dataclasses.dataclass(frozen=True)
class Loss(Evaluated):
    """Cost of one row, as formulas in ``prediction``, ``y``, ``r`` = prediction - y, and the settings of the loss.

    Whatever differs between losses is answered here; no other package knows a loss by its own name. A loss has to say
    its ``name`` and three formulas, all else has a default. A likelihood with a width or shape of its own is `Scaled`.

    value_text: the loss itself.
    slope_text: its first derivative by the prediction (a law test holds it against the derived one).
    weight_text: its second derivative, or a positive stand-in for it (Fisher information), for the curvature.
    two_levels: whether y is 0 or 1, so that two words will do for it.

    kinked: whether it is linear on both sides of a residual of 0, where its slope jumps, so that no curvature tells how
        long a step may be.
    convex: whether it is convex in the prediction, whatever that is. convex_in_log: whether in the logarithm of it.
    many_minima: whether it needs a start close by.
    certain: mean loss at which every row is certain and a fit ends, as no best parameters exist; 0 where they do.

    dispersion: None if it is not the likelihood of a distribution. Else the dispersion phi is "known" to be 1, or
        "estimated", and the log-density of a row of weight omega is

            normaliser(y, omega, dispersion) - omega * value / (unit * dispersion)

    unit: 2 where the value is r**2, else 1.
    variance: omega / phi times that of a row, in terms of its ``mean``. kurtosis: excess kurtosis of a row, in terms
    of ``mean`` and ``omega``. saturated: the least value, in terms of ``y``; if empty, that of a prediction of y.

    log_below, log_above: the logarithms of the probabilities that a response is y or less, and y or more, in terms of
        ``prediction``, ``y`` and ``scale``; empty if they are not known. minus_log_density: that of y, in these terms;
        if empty, as above at a dispersion of 1. scale_name: the parameter that ``scale`` is where it is estimated;
        empty if there is none. location_information, scale_information: the Fisher information of a row about the
        prediction and the scale. spread: the standard deviation of a row.
        counts: whether responses are whole numbers. See ``Censored``.

    See ``Evaluated`` for what it is in rows, ``Formulas`` for its link, and columns, parameters and classes of its own.
    """

    two_levels: ClassVar[bool] = False
    kinked: ClassVar[bool] = False
    convex: ClassVar[bool] = False
    convex_in_log: ClassVar[bool] = False
    many_minima: ClassVar[bool] = False
    turns: ClassVar[bool] = False
    """Whether a full turn, 2 pi, changes nothing, so that there is a minimum for each number of turns over the rows."""
    squares: ClassVar[bool] = False
    """Whether its value is a squared residual over the variance of its row, so that their sum is a chi-square."""
    certain: ClassVar[float] = 0.0
    predicts: ClassVar[str] = "mean"
    """What of the distribution of a row the prediction is."""
    dispersion: ClassVar[Literal["known", "estimated"] | None] = None
    unit: ClassVar[float] = 1.0
    normaliser_text: ClassVar[str] = "0"
    variance_text: ClassVar[str] = "1"
    kurtosis_text: ClassVar[str] = "0"
    saturated_text: ClassVar[str] = ""
    log_below_text: ClassVar[str] = ""
    log_above_text: ClassVar[str] = ""
    minus_log_density_text: ClassVar[str] = ""
    scale_name: ClassVar[str] = ""
    location_information_text: ClassVar[str] = "1/scale^2"
    scale_information_text: ClassVar[str] = "1/scale^2"
    spread_text: ClassVar[str] = "scale"
    counts: ClassVar[bool] = False
    family: ClassVar[str] = ""
    """Its distribution in words, with an article."""
    wider: ClassVar[str] = ""
    """The loss of a distribution that allows for more scatter, if there is one."""
    observed_information: ClassVar[bool] = False
    """Whether standard errors are those of all second derivatives of J, as its weights only stand in for them."""
    own_observed: ClassVar[bool] = False
    """The same of the parameters of its own alone, which do not interact with the prediction."""

    advised_for: ClassVar[str] = ""
    """What it is the usual loss of: "two levels", "several levels", "ordered levels" or "shares of trials"."""
    chinese: ClassVar[str] = ""
    """What it is called in Chinese."""
    modules: ClassVar[str] = ""
    """The classes of PyTorch that compute it, or something like it."""

    @property
    def efficient(self) -> float | None:
        """Of a robust loss, what "auto" is as a multiple of the noise, for 5% more rows than least squares need."""
        return None

    @property
    def in_torch(self) -> InTorch | None:
        """How PyTorch computes it from the outputs of a module; None where its formulas say so."""
        return None

    @property
    def in_torch_alone(self) -> InTorch | None:
        """The same where no weights of rows hold what it weighs rows by, as of one output of several."""
        return self.in_torch

    of_places: ClassVar[bool] = False
    """Whether each row of a module has a class for each of several places, such as pixels: (n, ...)."""
    any_outputs: ClassVar[bool] = False  # whether a module may return several tensors under it without a loss for each

    @property
    def ignored(self) -> int:
        """What the response holds where such a place has no class; or any number below 0."""
        return -1

    @property
    def outputs(self) -> Mapping[str, Loss]:
        """The loss of each output of a module, by name, where it has several; else empty."""
        return {}

    def to_estimate(self) -> Loss:
        """Return the same loss with its scale to be estimated from the data, if it has one."""
        if self.efficient is None:
            return self
        return dataclasses.replace(self, **{next(iter(self.settings)): "auto"})

    @property
    def shown(self) -> str:
        """What people read of it: its name, with its settings."""
        return str(self)

    @property
    def needs(self) -> str:
        """What values the response must have, in words."""
        return f"the {self.name} loss needs {self.response_domain.words}"

    @property
    def of_distance(self) -> bool:
        """Whether it is a smooth function of the residual alone, so that a distance from a curve may be that residual.

        A scale that is still to be estimated makes no difference.
        """
        if self.kinked or not self.plain:
            return False
        return self.estimated is not None or (self.of_residual and (self.quadratic or not self.likelihood))

    def floor(self, y: Array, omega: Array | None) -> float:
        """Return the least mean loss that rows of these responses and weights can have, by any model."""
        if not self.plain:
            return 0.0
        if self.of_residual:
            return self._at_response
        least_loss = self.saturated(y)
        return float(least_loss.mean() if omega is None else omega @ least_loss / omega.sum())

    @cached_property
    def _at_response(self) -> float:
        nothing = np.zeros(1)
        return float(self.of_rows(self.expressions[0], {RESIDUAL: nothing, RESPONSE: nothing})[0])

    # Its distribution --------------------------------------------------------------------------------------------

    @property
    def likelihood(self) -> bool:
        """Whether it is the negative log-likelihood of a distribution, up to a factor and to terms of y alone."""
        return self.dispersion is not None

    @property
    def density(self) -> bool:
        """Whether responses have a density at the dispersion of the loss, by which AIC and BIC are known."""
        return self.likelihood

    @property
    def dispersion_known(self) -> bool:
        """Whether it is a likelihood whose weight is the Fisher information of a row: no scale is estimated."""
        return self.dispersion == "known"

    @property
    def endless(self) -> bool:
        """Whether J may fall for ever, as responses may lie at an end of their range that predictions only near."""
        domain = self.response_domain
        return self.likelihood and self.plain and domain.limited and domain.closed

    @property
    def known_dispersion(self) -> float:
        """The dispersion, where it is known."""
        return 1.0

    def deviation(self, parameters: Mapping[str, object]) -> float | None:
        """Return the standard deviation of normal errors where that is a parameter of the loss's own; else None."""
        return None

    @property
    def states(self) -> str:
        """The column that says which responses are censored, 0 where they are exact; empty if none is."""
        return ""

    def censored(self, columns: Mapping[str, Array]) -> dict[str, int]:
        """Return how many rows are censored on each side; empty if the loss knows of no such thing."""
        return {}

    @property
    def deviations(self) -> tuple[str, str] | None:
        """The columns of standard deviations below and above the response, if it reads such."""
        return None

    def check_columns(self, outside: Outside, source: str) -> None:
        """Raise DataError for a value of a column of its own that means nothing to it.

        outside: finds a value of a column that is not between two ends, wherever the rows are (see ``check_roles``).
        """

    @property
    def exact(self) -> Loss | None:
        """The loss whose fit, as if every response were exact, is a start for this one; None if it needs none."""
        return None

    def started(self, mean: Array, y: Array, omega: Array) -> dict[str, float]:
        """Return starts of its own parameters about the means of the fit by the ``exact`` loss.

        Raises DataError where they cannot be estimated.
        """
        return self.own_parameters

    def limits(self, started: Mapping[str, float]) -> tuple[tuple[str, ...], str]:
        """Return bounds on its own parameters for a fit that starts there, and a sentence that says why; none mostly.

        started: what ``started`` found. For a parameter that may grow for ever, as the likelihood rises ever less.
        """
        return (), ""

    @property
    def known_by(self) -> str:
        """How a user gives its own parameters, where these are known."""
        return "the setting of the loss"

    @property
    def of_mean(self) -> Loss:
        """The loss of the same distribution whose prediction is the mean: this one, if it has no link."""
        return self

    @property
    def of_score(self) -> Loss:
        """The loss of the same distribution that works on what is inside a formula's outermost sigmoid."""
        return self

    def refused(self, y: Array, omega: Array | None) -> tuple[int, str] | None:
        """Return the place of the first response that makes no sense with its weight, and why; None without one."""
        return None

    def saturated(self, y: Array) -> Array:
        """Return the least loss that each row can have: where the predicted mean is the response."""
        return self.of_rows(self.saturated_text, {RESPONSE: y}) if self.saturated_text else self.of_mean.value(y, y)

    def deviance(self, score: Array, y: Array) -> Array:
        """Return twice the gap between each row's log-density and the largest possible, at a dispersion of 1."""
        return (self.value(score, y) - self.saturated(y)) * (2.0 / self.unit)

    def mean(self, score: Array) -> Array:
        """Return the mean response that belongs to a score: the score itself, if there is no link."""
        if self.link is None:
            return score
        from descend.formula.functions import FUNCTIONS

        return self.of_rows(FUNCTIONS[self.link].build(PREDICTION), {PREDICTION: score})

    def variance(self, mean: Array) -> Array:
        """Return the variance of a row of weight 1 and that mean, at a dispersion of 1."""
        return self.of_rows(self.variance_text, {MEAN: mean})

    def scale_of(self, mean: Array, y: Array, omega: Array) -> float:
        """Return the ``scale`` that responses show about their means, roughly: their standard deviation."""
        return float(np.sqrt(omega @ ((y - mean) ** 2 / self.variance(mean)) / omega.sum()))

    def kurtosis(self, mean: Array, omega: Array) -> Array:
        """Return the excess kurtosis of each row, of a weight, given its predicted mean."""
        return self.of_rows(self.kurtosis_text, {MEAN: mean, OMEGA: omega})

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution | None:
        """Return the distributions of responses of these means and weights; None if the loss has no such thing.

        parameters: those of the fit by name, among them the loss's own.
        """
        return None

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether the scatter of rows about their means is informative, which it is not for single outcomes 0 and 1."""
        return False

    def log_normaliser(self, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return what is to be added to -omega * value / (unit * dispersion) to make it the log-density of each row."""
        quantities = {RESPONSE: y, OMEGA: omega, DISPERSION: np.full(np.shape(y), dispersion)}
        return self.of_rows(self.normaliser_text, quantities)

    def normaliser_terms(self, weighted: bool) -> tuple[tuple[Expr, Expr], ...] | None:
        """Return the normaliser as a sum of (dispersion factor) times (row factor); None if it is not of that form.

        Then rows are summed only once for every dispersion, wherever they are. weighted: False if every omega is 1.

        >>> from descend.losses import Poisson
        >>> Poisson().normaliser_terms(weighted=True)
        ((-1, omega*lgamma(maximum(y, 0) + 1)),)
        """
        return _normaliser_terms(self.read(self.normaliser_text), weighted)

    def log_density(self, score: Array, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return the logarithm of the density, or probability, of the response of each row, of a weight.

        >>> from descend.losses import Poisson
        >>> Poisson().log_density(np.array([2.0]), np.array([1.0]), np.ones(1)).round(4)  # log(2 exp(-2))
        array([-1.3069])
        """
        return self.log_normaliser(y, omega, dispersion) - omega * self.value(score, y) / (self.unit * dispersion)


@lru_cache(maxsize=64)
def _normaliser_terms(normaliser: Expr, weighted: bool) -> tuple[tuple[Expr, Expr], ...] | None:
    normaliser = normaliser if weighted else normaliser.xreplace({OMEGA: ONE})
    split = tuple(term.as_independent(RESPONSE, OMEGA, as_Add=False) for term in Add.make_args(normaliser))
    return None if any(row.has(DISPERSION) for _, row in split) else split
