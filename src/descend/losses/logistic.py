"""The logistic loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.losses.bernoulli import Bernoulli, log_choices
from descend.losses.contract import Loss


@dataclass(frozen=True)
class Logistic(Loss):
    """Negative log-likelihood of outcomes 0 or 1 (or shares between) whose probability is sigmoid(score).

    With the score s: softplus(s) - y s; slope sigmoid(s) - y; weight sigmoid(s) sigmoid(-s).

    The formula gives the score (log-odds): `y ~ a + b*x`. If its outermost function is `sigmoid`, however written, it
    gives the probability, and the loss works on what is inside: `y ~ sigmoid(a + b*x)` is the same model. Another
    formula that stays between 0 and 1, such as `y ~ c + (1 - c)*sigmoid(a + b*x)`, is a probability too: it is fitted
    by `Bernoulli`, and a note says so. `predict` returns probabilities in all cases.
    Source: Cox (1958), J. R. Stat. Soc. B 20, 215-242.

    >>> Logistic().slope(prediction=np.array([0.0, 0.0]), y=np.array([0.0, 1.0]))
    array([ 0.5, -0.5])
    """

    name: ClassVar[str] = "logistic"
    elsewhere: ClassVar[str] = "bce cross_entropy crossentropy log_loss logloss logit binomial"
    value_text: ClassVar[str] = "softplus(prediction) - y*prediction"
    slope_text: ClassVar[str] = "sigmoid(prediction) - y"
    weight_text: ClassVar[str] = "sigmoid(prediction)*sigmoid(-prediction)"
    link: ClassVar[str | None] = "sigmoid"
    certain: ClassVar[float] = 1e-12
    fisher: ClassVar[bool] = True
    response_domain: ClassVar[tuple[str, str] | None] = ("y >= 0 and y <= 1", "0, 1 or a share between them")
    response_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    likelihood: ClassVar[bool] = True

    @property
    def of_probability(self) -> Loss:
        """The loss whose prediction is the probability."""
        return Bernoulli()

    def saturated(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return -y log(y) - (1 - y) log(1 - y), the loss of a probability that is the share."""
        return self.of_probability.saturated(y)

    def variance(self, prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return p (1 - p), the variance of one outcome of probability p."""
        return self.of_probability.variance(prediction)

    def mean(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability, sigmoid(score)."""
        return 0.5 + 0.5 * np.tanh(0.5 * score)

    def kurtosis(self, mean: NDArray[np.float64], omega: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the excess kurtosis of a share of several trials."""
        return self.of_probability.kurtosis(mean, omega)

    def repeats(self, y: NDArray[np.float64], omega: NDArray[np.float64]) -> bool:
        """Whether rows are shares of several trials, whose numbers are the weights."""
        return self.of_probability.repeats(y, omega)

    def log_normaliser(self, y: NDArray[np.float64], omega: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm of the binomial coefficient of each row (see ``log_choices``)."""
        return log_choices(y, omega)
