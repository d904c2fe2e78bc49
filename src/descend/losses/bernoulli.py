"""The Bernoulli loss, and what it shares with the logistic loss: the binomial distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.losses.contract import Loss
from descend.losses.distribution import Distribution, Rates, of_scipy
from descend.losses.domain import Domain
from descend.losses.formulas import Array


@dataclass(frozen=True)
class Outcomes(Loss):
    """Negative log-likelihood of outcomes 0 or 1, or of shares of several trials whose number is the weight."""

    response_domain = Domain(0.0, 1.0, "0, 1 or a share between them")
    family = "a binomial distribution"
    two_levels = True
    dispersion = "known"
    variance_text = "mean*(1 - mean)"
    kurtosis_text = "(1 - 6*mean*(1 - mean))/(omega*mean*(1 - mean))"

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether rows are shares of several trials, whose numbers are the weights."""
        return bool(are_trials(y, omega).all() and ((y > 0.0) & (y < 1.0) & (omega > 1.5)).any())

    def normaliser_terms(self, weighted: bool) -> tuple[tuple[Expr, Expr], ...] | None:
        """Return None for weighted rows: no formula tells whether a weight is a number of trials."""
        return None if weighted else super().normaliser_terms(weighted)

    def log_normaliser(self, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return log(n choose k) where the weight of a row is a number of trials n, and y a share k / n of them.

        0 where n or k is not a whole number, and for outcomes 0 and 1, which can occur in one way only.

        >>> Bernoulli().log_normaliser(np.array([0.5, 1.0]), np.array([4.0, 4.0])).round(4)
        array([1.7918, 0.    ])
        """
        from scipy.special import gammaln

        trials, successes = np.round(omega), np.round(omega * y)
        choices = gammaln(trials + 1.0) - gammaln(successes + 1.0) - gammaln(trials - successes + 1.0)
        return np.where(are_trials(y, omega) & (y > 0.0) & (y < 1.0), choices, 0.0)

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        """Return those of shares, where the weights are numbers of trials."""
        return Rates(of_scipy("binom", np.round(omega), mean), np.round(omega))


@dataclass(frozen=True)
class Bernoulli(Outcomes):
    """Negative log-likelihood of outcomes 0 or 1 (or shares between) whose probability is the prediction itself.

    With the prediction p: -y log(p) - (1 - y) log(1 - p); slope (1 - y) / (1 - p) - y / p;
    weight 1 / (p (1 - p)) (Fisher information). Where p is 0 for an outcome of 0, or 1 for one of 1, the loss is 0;
    where it is 0 or less for an outcome of 1, or 1 or more for one of 0, infinite.

    The formula must stay between 0 and 1, as in `y ~ c + (1 - c)*sigmoid(a + b*x)`. Under the logistic loss, whose
    formula gives the log-odds, such a formula is taken for the probability, and this loss is used instead.
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 4.

    >>> Bernoulli().slope(prediction=np.array([0.5, 0.5]), y=np.array([0.0, 1.0]))
    array([ 2., -2.])
    """

    name = "bernoulli"
    chinese = "伯努利概率"
    # A probability within 1e-16 of 1 counts as 1.
    # A logarithm whose factor is 0 gets the argument 1, so that its derivative is not nan.
    value_text = (
        "-y*log(where(y > 0, where(prediction <= 1, prediction, 0), 1))"
        " - (1 - y)*log(where(y < 1, where(prediction >= 0, 1 - prediction, 0), 1))"
    )
    slope_text = "(1 - y)/where(y < 1, 1 - prediction, 1) - y/where(y > 0, prediction, 1)"
    weight_text = "1/max(prediction*(1 - prediction), 1e-16)"
    prediction_domain = Domain(
        low=0.0,
        high=1.0,
        words="between 0 and 1",
        closed=False,
        example="c + (1 - c)*sigmoid(a + b*x)",
        module="a probability: let it end in torch.nn.Sigmoid(), or use the logistic loss without it",
    )


def are_trials(y: Array, omega: Array) -> NDArray[np.bool_]:
    """Mark the rows whose weight is a whole number of trials and whose response is a share of them."""
    trials, successes = np.round(omega), np.round(omega * y)
    rows: NDArray[np.bool_] = np.isclose(trials, omega, rtol=1e-9, atol=0.0) & (np.abs(successes - omega * y) <= 1e-6)
    return rows
