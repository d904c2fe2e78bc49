"""How much each prior weighs in the answer, and whether it and the data disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from descend.descent.comments_on_solution import comment
from descend.descent.solution import Solution
from descend.inference.covariance.inverse_curvature import Covariance, variance_of
from descend.inference.covariance.standard_errors import generalized_covariance
from descend.models.reading import Content

if TYPE_CHECKING:
    from descend.parameters.priors import Prior

MOST_LISTED = 50
"""Components of one prior that are listed one by one."""
MOST_SAID = 3
"""Disagreements that are told one by one."""
CONFLICT = 0.01
"""Prior and data disagree if less probability than this is as far out as the data put the parameter."""
NOTHING = 1e-9
"""A prior that has all but this share of the information leaves the data none."""


@dataclass(frozen=True)
class PriorWeight:
    """How much a prior weighs in the estimate of what it is of.

    text: the prior, as it was given. label: what it is of. share: of the information on it, the part that the prior
    brings, its curvature times the variance of the estimate: 0 to 1. value, error: where the data, and all other
    priors, would put it, by the curvature at the mode and with the scatter that the data have without priors; exact
    for a linear model. shift: by how much the prior moved the estimate, in units of that error. p: how probable it is,
    by the prior, that the data put it as far out as they do.

    All are None of a uniform prior, which is a bound, at a bound, and where the curvature tells nothing of it; where
    the data say nothing, all but the share.
    """

    text: str
    label: str
    share: float | None = None
    value: float | None = None
    error: float | None = None
    shift: float | None = None
    p: float | None = None

    @classmethod
    def of(cls, prior_saved: Content) -> PriorWeight:
        """Return what `plain` made these values of."""
        without = prior_saved.get("without") or {}
        value, error = without.get("value"), without.get("standard_error")
        surprise = (prior_saved.get(name) for name in ("shift", "p"))
        return cls(prior_saved["prior"], prior_saved["parameter"], prior_saved.get("share"), value, error, *surprise)

    def plain(self) -> dict[str, object]:
        """Return it as plain values, as in the JSON."""
        return {
            "prior": self.text,
            "parameter": self.label,
            "share": self.share,
            "without": None if self.value is None else {"value": self.value, "standard_error": self.error},
            "shift": self.shift,
            "p": self.p,
        }


@comment("how much the priors weigh", empty=tuple)
def prior_weights(solution: Solution) -> tuple[PriorWeight, ...]:
    """Return how much each prior weighs, on up to ``MOST_LISTED`` components of each."""
    priors = solution.objective.priors
    if priors is None:
        return ()
    covariance = generalized_covariance(solution, "model")
    alone = covariance if covariance is None or priors.alone is None else _covariance_at(solution, priors.alone)
    return tuple(weight for prior in priors.priors.each for weight in _weights(prior, solution, covariance, alone))


def _covariance_at(solution: Solution, dispersion: float) -> Covariance | None:
    """Return the covariance at another dispersion: that of the data alone, which no prior that disagrees inflates."""
    if not dispersion > 0.0:
        return generalized_covariance(solution, "model")
    problem = replace(solution.problem, objective=solution.objective.at_dispersion(dispersion))
    return generalized_covariance(replace(solution, problem=problem, answers={}), "model")


def _weights(
    prior: Prior, solution: Solution, covariance: Covariance | None, alone: Covariance | None
) -> list[PriorWeight]:
    """Return the weight of one prior on each component it is of. alone: see ``_covariance_at``."""
    labels = solution.model.parameters.labels
    names = [prior.label] if prior.expressed is not None else [labels[place] for place in prior.places[:MOST_LISTED]]
    if covariance is None or alone is None:
        return [PriorWeight(prior.text, name) for name in names]
    q, variance = _of(prior, solution, covariance)
    each = zip(names, q, variance, _of(prior, solution, alone)[1], strict=True)
    return [_weight(prior, *prior_weight) for prior_weight in each]


def _of(prior: Prior, solution: Solution, covariance: Covariance) -> tuple[list[float], list[float]]:
    """Return the values of what a prior is of, and their variances."""
    if prior.expressed is not None:
        value, along = prior.expressed.at(solution.theta)
        return [value], [variance_of(covariance, along)]
    prior_places = prior.places[:MOST_LISTED]
    return solution.theta[prior_places].tolist(), covariance.diagonal()[prior_places].tolist()


def _weight(prior: Prior, label: str, q: float, variance: float, alone: float) -> PriorWeight:
    prior_distribution, at = prior.distribution, np.array([q])
    slope, bend = float(prior_distribution.slope(at)[0]), float(prior_distribution.curvature(at)[0])
    if not (variance > 0.0 and alone > 0.0) or slope == bend == 0.0:
        return PriorWeight(prior.text, label)
    share, left, information = max(bend * variance, 0.0), 1.0 / variance - bend, 1.0 / alone - bend
    if left * variance < -NOTHING:  # the likelihood bends the other way here
        return PriorWeight(prior.text, label)
    if not (left * variance > NOTHING and information > 0.0):
        return PriorWeight(prior.text, label, min(share, 1.0))
    without, error = q + slope / left, information**-0.5
    p = float(prior_distribution.tail(np.array([without]), np.array([error**2]))[0])
    return PriorWeight(prior.text, label, share, without, error, (q - without) / error, p)


def conflicts(weights: Sequence[PriorWeight]) -> tuple[str, ...]:
    """Say of which parameters prior and data disagree."""
    conflicts_found = sorted(
        ((each.p, each) for each in weights if each.p is not None and each.p < CONFLICT), key=lambda e: e[0]
    )
    sentences = [
        f"the prior {each.text} and the data disagree: without it `{each.label}` would be {each.value:.6g} ± "
        f"{each.error:.3g}, as far out as has a probability of {p:.2g} under that prior. Check both"
        for p, each in conflicts_found[:MOST_SAID]
    ]
    left = len(conflicts_found) - len(sentences)
    return (*sentences, *((f"the data disagree with the priors of {left} more parameters",) if left else ()))
