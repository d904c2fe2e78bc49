"""What is said of priors beside a fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from descend.inference.priors.weights import PriorWeight

CONVENTION = (
    "With priors, estimates are the mode of the posterior and standard errors come from its curvature; log-likelihood, "
    "AIC and the like are those of the data alone, with as many parameters as the data determine"
)
MOST_SHOWN = 6
"""Components of one prior that a text shows one by one."""


def said(weights: Sequence[PriorWeight]) -> Iterator[tuple[str, str]]:
    """Yield a label and a sentence for each prior, or for each component it is of if they are few."""
    for text in dict.fromkeys(each.text for each in weights):
        weights_of_prior = [each for each in weights if each.text == text]
        if len(weights_of_prior) <= MOST_SHOWN:
            for each in weights_of_prior:
                of = f" on {each.label}" if len(weights_of_prior) > 1 else ""
                yield "prior", f"{text}{of}: {_weight(each)}"
            continue
        shares = [each.share for each in weights_of_prior if each.share is not None]
        between = f"{100 * min(shares):.3g}% to {100 * max(shares):.3g}%" if shares else "an unknown part"
        yield "prior", f"{text}: {between} of the information on each of {len(weights_of_prior)} components"


def _weight(each: PriorWeight) -> str:
    if each.share is None:
        return "a bound" if "uniform" in each.text else "the curvature at the mode does not tell its weight"
    share = f"{100 * each.share:.3g}% of the information"
    if each.value is None:
        return f"{share}; the data say nothing of it"
    return f"{share}; without it {each.value:.6g} ± {each.error:.3g}, so it moved by {each.shift:+.2g} of these"
