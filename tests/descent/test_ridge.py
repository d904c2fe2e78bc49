"""A run that follows a ridge for ever ends with what it found, and says which parameters ran on."""

from __future__ import annotations

import re

import numpy as np

import descend

X = np.linspace(0.1, 10.0, 60)
NOISE = np.random.default_rng(3).normal(0.0, 1.0, (3, 60))[2]


def test_a_tail_that_becomes_a_step_is_not_followed_for_ever():
    data = {"x": X, "y": NOISE}
    fit = descend.fit("y ~ a*gammaincc(k, x/t)", data)
    assert (fit.outcome, fit.epochs) == ("stalled", 2048)
    assert re.match(
        r"J falls ever more slowly along a ridge: by 0\.0\d+% in the last 1,024 of 2,048 epochs, while "
        r"`k` went from 185 to \S+ and `t` went from 0\.00997 to 0\.00\d+\. The data",
        fit.advice,
    )
    assert fit.advice.endswith(
        "The data may suit no curve of this formula, or one only at infinity: fix such a parameter, start elsewhere "
        "with `start`, or choose another formula."
    )
