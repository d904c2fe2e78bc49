"""The binomial loss: shares of trials, whatever the formula of their probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from descend.losses.bernoulli import Bernoulli, are_trials
from descend.losses.contract import Loss
from descend.losses.domain import Domain
from descend.losses.formulas import Array
from descend.losses.logistic import Logistic
from descend.wording import spell


@dataclass(frozen=True)
class Binomial(Bernoulli):
    """Negative log-likelihood of shares of trials, such as 7 dead of 10, whose probability is the prediction.

    With the prediction p, a share y of n trials costs n (-y log(p) - (1 - y) log(1 - p)). The response is the share,
    `dead/n ~ sigmoid(a + b*log(dose))`, and the option `trials` says of how many it is: the column n. Without it each
    row is one trial, whose outcome is 0 or 1.

    No link is assumed: normal_cdf(a + b*x) is a probit, 1 - exp(-exp(a + b*x)) a complementary log-log,
    c + (1 - c)*sigmoid(a + b*x) has a guessing rate or natural mortality c (Abbott). Where the outermost function is
    sigmoid, the loss works on the log-odds inside, which is the same and keeps more digits.
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 4; Finney (1971), Probit Analysis.

    >>> Binomial().slope(prediction=np.array([0.5, 0.5]), y=np.array([0.0, 0.75]))
    array([ 2., -1.])
    """

    name = "binomial"
    aliases = "cbind quasibinomial shares"
    chinese = "二项比例"
    advised_for = "shares of trials"
    response_domain = Domain(0.0, 1.0, "a share of successes, from 0 to 1, as in dead/n ~ ... with the trials n")

    @property
    def of_score(self) -> Loss:
        """The same loss of the log-odds."""
        return LogOdds()

    def refused(self, y: Array, omega: Array | None) -> tuple[int, str] | None:
        """Return the first share that is of no whole number of successes, and why it is refused."""
        trials = np.ones(len(y)) if omega is None else omega
        bad = ~are_trials(y, trials)
        if not bad.any():
            return None
        row = int(bad.argmax())
        if omega is None:
            return row, f"of how many trials? Say it with {spell('trials', 'COLUMN')}, or a number"
        return row, (
            f"of {trials[row]:g} trials that is {trials[row] * y[row]:g} successes, not a whole number. Correct "
            "the share or its trials, or use the logistic loss with weights"
        )


@dataclass(frozen=True)
class LogOdds(Logistic):
    """The binomial loss of a formula whose outermost function is sigmoid, working on its argument."""

    name = Binomial.name
    response_domain = Binomial.response_domain

    @property
    def of_mean(self) -> Loss:
        return Binomial()

    def refused(self, y: Array, omega: Array | None) -> tuple[int, str] | None:
        return Binomial().refused(y, omega)
