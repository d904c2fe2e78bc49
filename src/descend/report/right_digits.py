"""Parameters of which few digits are right, because the run stopped early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from descend.inference.intervals import listed

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted

FEW_DIGITS = 4
"""A parameter with fewer right digits than this gets a remark in the table."""
MOST_JUDGED = 1_000_000
"""With more rows than this, digits are only computed if asked for: that takes longer than the fit."""


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
