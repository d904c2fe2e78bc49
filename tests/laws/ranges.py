"""Formulas whose predictions a loss has a value for."""

from __future__ import annotations

import math

from descend.losses import LOSSES, Loss

PLAIN = tuple(name for name in LOSSES if LOSSES.build(name).plain)
"""The losses that are functions of prediction and response alone, without parameters of their own."""

OF_ONE_NUMBER = tuple(name for name in PLAIN if name != "binomial")
"""Those whose response is one number in each row; a share of trials is two."""
OF_NUMBERS = tuple(name for name in LOSSES if not LOSSES[name].of_classes)
"""The losses of responses that are numbers, not classes."""


def within(text: str, loss: Loss) -> str:
    """Return a formula of positive predictions, r, for a loss of probabilities as one of r / (1 + r)."""
    if math.isinf(loss.prediction_domain.high):
        return text
    left, right = text.split(" ~ ")
    return f"{left} ~ 1 - 1/(1 + ({right}))"
