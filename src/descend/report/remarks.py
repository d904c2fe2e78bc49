"""What is said beside the parameters of a fit: how much priors weigh, and of which parameters few digits are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from descend.inference.intervals import listed
from descend.inference.priors.weights import PriorWeight

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted

CONVENTION = (
    "With priors, estimates are the mode of the posterior and standard errors come from its curvature; log-likelihood, "
    "AIC and the like are those of the data alone, with as many parameters as the data determine"
)
MOST_SHOWN = 6
"""Components of one prior that a text shows one by one."""

FEW_DIGITS = 4
"""A parameter with fewer right digits than this gets a remark in the table."""
MOST_JUDGED = 1_000_000
"""With more rows than this, digits are only computed if asked for: that takes longer than the fit."""


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


def few_digits_note(fit: Fitted) -> str:
    """Name parameters with few right digits because the run stopped early; those beyond any run are named elsewhere."""
    if fit.rows > MOST_JUDGED or fit.digits is None or fit.model.in_place:
        return ""
    shapes = fit.model.every_parameter
    low = {
        label: int(number)
        for label, number in zip(shapes.labels, shapes.flat(fit.digits).tolist(), strict=True)
        if number < FEW_DIGITS and label not in fit.undetermined and fit.rounding.get(label, 0.0) is not None
    }
    if not low:
        return ""
    fewest = min(low.values())
    digits = f"known to about {fewest} digit{'s' if fewest > 1 else ''}" if fewest else "not known to a single digit"
    text = f"{listed([*low], 4)} {'is' if len(low) == 1 else 'are'} {digits} at this stopping point"
    return text + _at_least(fit, [*low])


def _at_least(fit: Fitted, labels: Sequence[str]) -> str:
    """Say what strong convexity guarantees of the parameters with few right digits, if anything."""
    guarantee = fit.guarantee
    if guarantee is None:
        return ""
    flat = dict(zip(fit.model.parameters.labels, fit.model.parameters.flat(guarantee.digits).tolist(), strict=True))
    fewest = int(min(flat[label] for label in labels))
    return f", to at least {fewest} by strong convexity" if fewest else ""
